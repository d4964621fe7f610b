"""Keyed noise for one decision: fresh for every step and candidate, blind to bids, replayable."""

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.errors import ConfigError

_BYTES = 8
_HALF_STEP = 2.0**-54
MIN_SECRET_BYTES = 16


def noise_key(secret: bytes, decision_id: str) -> bytes:
    """Derive a decision's noise key; who lacks the secret cannot foresee an exploration.

    Raises:
        ConfigError: the secret is short enough to be guessed.
    """
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(
            f"secret must have at least {MIN_SECRET_BYTES} bytes, got {len(secret)}; "
            f"secrets.token_bytes(32) makes one."
        )
    return hmac.new(secret, decision_id.encode(), hashlib.sha256).digest()


def keyed_uniforms(key: bytes, count: int) -> NDArray[np.float64]:
    """Draw uniforms from SHAKE-256 of the key: 53 bits each, never 0 and never 1."""
    stream = hashlib.shake_256(key).digest(count * _BYTES)
    words = np.frombuffer(stream, dtype="<u8") >> np.uint64(11)
    return words.astype(np.float64) * 2.0**-53 + _HALF_STEP


def gumbel(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn uniforms in (0, 1) into standard Gumbel noise, finite for all of them."""
    return -np.log(-np.log(uniforms))


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What one decision draws. Steps are rows, candidates are columns."""

    explores: NDArray[np.bool_]
    """[L] whether the step's pick ignores bids (chance epsilon)."""
    on_score: NDArray[np.float64]
    """[L, N] T * Gumbel of the usual pick."""
    on_worth: NDArray[np.float64]
    """[L, N] T * Gumbel of the pick that ignores bids."""


def draw_noise(
    key: bytes, *, steps: int, candidates: int, temperature: float, epsilon: float
) -> Noise:
    """Draw a decision's noise.

    The stream's words are laid out [step][coin, usual candidates, candidates without bids], so the
    word of a candidate at a step is one keyed function of (decision id, step, candidate): the HMAC
    of that triple, drawn in one go. Every step reads fresh words: noise kept from an earlier step
    would be conditioned on having lost there, and the logged propensity would be wrong as soon as
    a mask or a redundancy changes between steps.
    """
    if temperature == 0 and epsilon == 0:
        silence = np.zeros((steps, candidates))
        return Noise(explores=np.zeros(steps, dtype=bool), on_score=silence, on_worth=silence)
    width = 1 + 2 * candidates
    uniforms = keyed_uniforms(key, steps * width).reshape(steps, width)
    drawn = temperature * gumbel(uniforms[:, 1:])
    return Noise(
        explores=uniforms[:, 0] < epsilon,
        on_score=drawn[:, :candidates],
        on_worth=drawn[:, candidates:],
    )
