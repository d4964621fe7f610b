"""What a model folder holds: the manifest, and all of it in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct
from numpy.typing import NDArray

from endcap.schema import (
    Campaigns,
    Catalogue,
    CurveRow,
    Histories,
    MetricRow,
    ShopConfig,
    Task,
)

FORMAT = 8
"""Version of the folder's layout; another version is refused."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What the folder holds and how it was made."""

    format: int = FORMAT
    version: str
    """Names the model in every answer: a hash of its weights and configuration."""
    created_at: str
    endcap: str
    fingerprint: str
    """Hash of the events that it was fitted on."""
    shop: ShopConfig
    tasks: tuple[Task, ...]
    left_out: dict[str, str]
    """Declared tasks that the log could not teach, with the reason."""
    model: dict[str, Any]
    training: dict[str, Any]
    curves: list[CurveRow] = []
    """Each task's loss after each epoch, and the next item's NDCG."""
    tuning: dict[str, Any] | None = None
    """Of a model that `tune` found: the study's name, its minutes and trials."""
    slices: dict[str, tuple[int, int]]
    """Where a task's outputs stand in `respond.onnx`'s answers."""
    calibration: dict[str, tuple[float, float]]
    """Slope and shift of each task's first logit."""
    dwell_edges_ms: list[float]
    dwell_means_ms: list[float]
    mix: dict[str, float]
    mix_unseen: dict[str, float]
    returns: list[float]
    """Weights of `features.ReturnColumn`: what brings a shopper back to an item."""
    scales: dict[str, Any]
    """How a candidate's context is read: `features.ContextScales`."""
    next_action: int
    """The kind of event that a plain list asks for: the log's most frequent."""
    counters_day: int
    log_end_us: int
    files: dict[str, str] = {}
    """SHA-256 of every other file in the folder."""
    checksum: str = ""
    """SHA-256 of the manifest itself, with this field empty."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A model folder in memory."""

    manifest: Manifest
    folder: Path | None
    catalogue: Catalogue
    campaigns: Campaigns
    vocabulary: bytes
    """JSON of the field vocabulary, `features` reads it."""
    user_ids: list[str]
    histories: Histories
    arrays: dict[str, NDArray[Any]]
    metrics: list[MetricRow]
