"""Where a fit stands, kept in its run folder after every epoch."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from msgspec import json, to_builtins
from torch import Tensor

from endcap.errors import ConfigError
from endcap.train.curves import Epoch
from endcap.train.recipes import TrainConfig, flat_config

CHECKPOINT = "checkpoint.pt"


@dataclass(kw_only=True)
class Progress:
    """Where a fit stands; all of it is in the checkpoint."""

    epoch: int = 0
    best_epoch: int = -1
    best_loss: float = math.inf
    history: list[Epoch] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def write_checkpoint(
    folder: Path, config: TrainConfig, progress: Progress, state: dict[str, Any]
) -> None:
    """Keep a fit's state, whole or not at all.

    Args:
        state: the trainer's own, of what torch can write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        **state,
        "config": json.encode(config).decode(),
        "progress": vars(progress) | {"history": to_builtins(progress.history)},
    }
    partial = folder / (CHECKPOINT + ".partial")
    torch.save(kept, partial)
    partial.replace(folder / CHECKPOINT)


def read_checkpoint(
    folder: Path, config: TrainConfig, device: torch.device
) -> tuple[Progress, dict[str, Any]] | None:
    """Return what was kept; None where there is nothing.

    Raises:
        ConfigError: it is of another configuration.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    state = torch.load(path, weights_only=True, map_location=device)
    _check_config(path, config, state.get("config"))
    kept = state["progress"]
    history = [Epoch(**epoch) for epoch in kept["history"]]
    return Progress(**kept | {"history": history}), state


def _check_config(path: Path, config: TrainConfig, kept: str | None) -> None:
    was = flat_config(json.decode(kept or "{}"))
    now = flat_config(json.decode(json.encode(config)))
    differing = [name for name in now if was.get(name) != now[name]]
    if differing:
        name = differing[0]
        raise ConfigError(
            f"The checkpoint {path} is of another configuration ({name} was "
            f"{was.get(name, 'not told')}, now it is {now[name]}); start the fit as before, "
            f"or remove {path.parent} to start anew."
        )
