"""Sizes of the model."""

from typing import Literal, get_args

from msgspec import Struct

from endcap.errors import ConfigError

EncoderKind = Literal["transformer", "lstm", "gru"]


class ModelConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One encoder, one candidate head, one linear per task (model.md R1 to R4, first version)."""

    encoder: EncoderKind = "transformer"
    """What reads a shopper's events; the others are there to be compared with."""
    dim: int = 64
    num_heads: int = 2
    num_blocks: int = 2
    max_history: int = 50
    """Events that a question reads, the latest."""
    dropout: float = 0.5
    smoothing: float = 0.5
    """Weight of an item's neighbours in its vector."""
    low_pass: float = 0.7
    """Share of the low-pass branch in a block (model.md 10.2)."""
    id_dropout: float = 0.1
    """Share of items that lean on their fields alone in a step, so that new items work; 1 is all
    of them, in serving as well."""
    gate: float = 0.0
    """Events of training days at which an item's id starts by counting half, n / (n + gate); it is
    learned. 0 gives every id whole."""
    hidden: int = 96
    """Width of the candidate head's layer."""
    context_bands: int = 0
    """Bands in which the candidate head reads each column of the context, beside the column."""

    def __post_init__(self) -> None:
        if self.encoder not in get_args(EncoderKind):
            raise ConfigError(
                f"ModelConfig.encoder must be one of {', '.join(get_args(EncoderKind))}, "
                f"got {self.encoder!r}."
            )
        for name in ("dim", "num_heads", "num_blocks", "hidden"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"ModelConfig.{name} must be 1 or more, got {getattr(self, name)}."
                )
        if not 0 <= self.dropout < 1:
            raise ConfigError(
                f"ModelConfig.dropout must be 0 or more and less than 1, got {self.dropout}."
            )
        for name in ("id_dropout", "low_pass"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"ModelConfig.{name} must lie in 0 to 1, got {getattr(self, name)}."
                )
        if not 0 <= self.gate < float("inf"):
            raise ConfigError(f"ModelConfig.gate must be 0 or more, got {self.gate}.")
        if self.dim % self.num_heads:
            nearest = self.num_heads * max(1, round(self.dim / self.num_heads))
            raise ConfigError(
                f"ModelConfig.dim must be a multiple of num_heads={self.num_heads}, "
                f"got {self.dim}; the nearest is {nearest}."
            )
        if self.max_history < 1:
            raise ConfigError(f"ModelConfig.max_history must be 1 or more, got {self.max_history}.")
