"""What a search may change, about a recipe: few fields, and each within a factor of two or so."""

from typing import TYPE_CHECKING, Any

from msgspec import structs

from endcap.train.recipes import TrainConfig

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.trial.BaseTrial", base: TrainConfig) -> TrainConfig:
    """Ask a trial for a configuration; docs/rooms/train.md has the reason of each range."""
    rate = trial.suggest_float(
        "learning_rate", base.learning_rate / 4, base.learning_rate * 4, log=True
    )
    chosen = {name: trial.suggest_categorical(name, few) for name, few in _choices(base).items()}
    of_model = {name: chosen.pop(name) for name in list(chosen) if hasattr(base.model, name)}
    model = structs.replace(base.model, **of_model)
    return structs.replace(base, model=model, learning_rate=rate, **chosen)


def defaults(base: TrainConfig) -> dict[str, Any]:
    """Return the parameters that give the base itself."""
    fields = {name: getattr(base, name, getattr(base.model, name, None)) for name in _choices(base)}
    return {"learning_rate": base.learning_rate, **fields}


def _choices(base: TrainConfig) -> dict[str, list[Any]]:
    model = base.model
    return {
        "epochs": _about(base.epochs),
        "batch_size": _about(base.batch_size),
        "dim": [dim for dim in _about(model.dim) if dim % model.num_heads == 0],
        "num_blocks": sorted(
            {max(1, model.num_blocks - 1), model.num_blocks, model.num_blocks + 1}
        ),
        "max_history": _about(model.max_history),
        "dropout": _with(model.dropout, 0.1, 0.3, 0.5, 0.7),
        "id_dropout": _with(model.id_dropout, 0.0, 0.1, 0.3, 0.5),
        "smoothing": _with(model.smoothing, 0.0, 0.25, 0.5, 1.0),
        "low_pass": _with(model.low_pass, 0.0, 0.5, 0.7, 0.9),
        "weighting": ["fixed", "uncertainty", "balanced"],
    }


def _about(size: int) -> list[int]:
    """Return half, the same and double."""
    return sorted({max(1, size // 2), size, 2 * size})


def _with(value: float, *others: float) -> list[float]:
    return sorted({value, *others})
