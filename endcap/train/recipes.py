"""Whole configurations, chosen by the size and shape of a log, never by its name."""

from math import ceil
from typing import Any, get_args

from msgspec import Struct

from endcap.errors import ConfigError
from endcap.model import ModelConfig
from endcap.schema import Weighting

BATCH_SIZE, EPOCHS, WARMUP_STEPS = 256, 5, 100
RICH_EPOCHS, MOST_EPOCHS = 3, 20
LEAST_STEPS = 450
"""A small log is read more often: a few dozen steps teach nothing."""
SMALL, SMALL_BATCH, SMALL_STEPS = 2_000, 128, 60
"""With fewer questions on training days a log takes a small network and few steps."""

FEED_PER_ITEM = 20.0
"""With fewer shown slots per item on training days, a log is that of a feed of passing items."""
FEED_STEPS, FEED_BANDS = 1_000, 8


class TrainConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is trained; every number has its reason in docs/rooms/train.md."""

    model: ModelConfig = ModelConfig()
    epochs: int = EPOCHS
    batch_size: int = BATCH_SIZE
    tokens: int = 25_600
    """Events of a step at most, padding counted: longer histories come in smaller batches."""
    learning_rate: float = 3e-3
    warmup_steps: int = WARMUP_STEPS
    averaged_steps: float = 1.0
    """Weights are averaged over about so many steps; 1 takes each as it is."""
    patience: int = 5
    """Epochs without a better validation before the fit stops."""
    questions_per_epoch: int = 400_000
    """A longer log is sampled anew for every epoch."""
    many_items: int = 50_000
    """From so many items on, draws stand for all others and the id table is moved by rows."""
    negatives: int = 4_096
    """Draws of a step, shared by its questions."""
    weight_decay: float = 0.0
    """Decoupled, on matrices (AdamW, Loshchilov and Hutter 2019)."""
    crop: float = 0.0
    """Chance that a window loses its oldest events while training."""
    mask: float = 0.0
    """Chance that an event does not tell its item while training."""
    adversarial: float = 0.0
    """Length by which item vectors are moved against the model in a second pass of each step."""
    weighting: Weighting = "fixed"
    """How much tasks count beside their lambdas: as declared, by a learned uncertainty, or so that
    each has a gradient of one length at the states that all read."""
    value_weighted: bool = False
    """Whether rows of dwell and purchase count by their attention, and these tasks by money."""
    apart: tuple[str, ...] = ()
    """Tasks that are answered by a network of their own, since what tasks share hurt them."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.weighting not in get_args(Weighting):
            raise ConfigError(
                f"weighting must be one of {', '.join(get_args(Weighting))}, "
                f"got {self.weighting!r}."
            )
        for name in ("epochs", "batch_size", "questions_per_epoch", "negatives", "tokens"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, got {getattr(self, name)}.")
        if not 0 < self.learning_rate < float("inf"):
            raise ConfigError(f"learning_rate must be above 0, got {self.learning_rate}.")
        if not self.averaged_steps >= 1:
            raise ConfigError(f"averaged_steps must be 1 or more, got {self.averaged_steps}.")
        for name in ("weight_decay", "adversarial"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must be 0 or more, got {getattr(self, name)}.")
        for name in ("crop", "mask"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"{name} is a chance and must lie in 0 to 1, got {getattr(self, name)}."
                )


def flat_config(content: dict[str, Any]) -> dict[str, Any]:
    """Name the fields of a configuration's inner tables as in `model.dim`."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


def choose_recipe(
    *,
    num_questions: int,
    num_candidates: int,
    median_history: float,
    shown_per_item: float = float("inf"),
    seed: int = 0,
) -> TrainConfig:
    """Choose a configuration by what a log holds.

    Args:
        num_questions: questions on training days.
        num_candidates: candidates on training days; 0 in an order-only log.
        median_history: events that half of the questions may read.
        shown_per_item: shown slots on training days per item that was shown at all; infinite in a
            log that is no feed, or is asked for the next item, which needs ids.

    Sparse logs (short histories, no candidates) take the recipe of model.md 10.2. Logs with pages
    or horizons read longer histories at a lower rate, since every question has many labels. In a
    feed of items that are shown a few times each, an id, or which neighbours an item has, remembers
    its rows and tells of no other: an item is its fields there, the context is read in bands, and
    the fit takes more steps.
    """
    if num_questions < SMALL:
        return _small_recipe(num_questions, seed)
    steps = max(1, num_questions // BATCH_SIZE)
    if num_candidates == 0 and median_history <= 20:
        epochs = min(max(EPOCHS, ceil(LEAST_STEPS / steps)), MOST_EPOCHS)
        warmup_steps = min(WARMUP_STEPS, steps * epochs // 5)
        return TrainConfig(
            model=ModelConfig(max_history=20), epochs=epochs, warmup_steps=warmup_steps, seed=seed
        )
    max_history = 50 if median_history <= 50 else 100
    dropout = 0.5 if num_questions < 500_000 else 0.3
    is_feed = shown_per_item < FEED_PER_ITEM
    least_steps = FEED_STEPS if is_feed else LEAST_STEPS
    return TrainConfig(
        model=ModelConfig(
            max_history=max_history,
            dropout=dropout,
            smoothing=0.0 if is_feed else 0.5,
            id_dropout=1.0 if is_feed else 0.5,
            context_bands=FEED_BANDS if is_feed else 0,
        ),
        epochs=min(max(RICH_EPOCHS, ceil(least_steps / steps)), MOST_EPOCHS),
        learning_rate=2e-3,
        averaged_steps=100.0,
        seed=seed,
    )


def _small_recipe(num_questions: int, seed: int) -> TrainConfig:
    """Return what a log of some hundred events can fill; a fit takes a second or two."""
    steps = ceil(max(num_questions, 1) / SMALL_BATCH)
    return TrainConfig(
        model=ModelConfig(
            dim=32, num_blocks=1, hidden=32, max_history=20, dropout=0.5, id_dropout=0.5
        ),
        epochs=min(ceil(SMALL_STEPS / steps), 2 * MOST_EPOCHS),
        batch_size=SMALL_BATCH,
        learning_rate=5e-3,
        warmup_steps=SMALL_STEPS // 5,
        averaged_steps=10.0,
        seed=seed,
    )
