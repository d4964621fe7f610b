"""Each task alone against all together: does what tasks share help it, on validation days?"""

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct, structs
from numpy.typing import NDArray

from endcap.metrics import paired_ratio_interval
from endcap.schema import NextItem, Split
from endcap.train.loop import Trainer
from endcap.train.losses import batch_losses
from endcap.train.prepared import Prepared
from endcap.train.recipes import LEAST_STEPS, MOST_EPOCHS, TrainConfig

NO_SPLIT = 255
"""Of a question that a task alone does not ask."""


class TaskComparison(Struct, frozen=True, kw_only=True):
    """A task's mean loss on validation days, alone and together, over the same rows."""

    task: str
    alone: float
    together: float
    gain: float
    """Alone less together, with its 95 % interval over shoppers: above 0, sharing helps."""
    low: float
    high: float
    shoppers: int

    @property
    def hurts(self) -> bool:
        """Whether sharing is shown to hurt the task."""
        return self.high < 0


@dataclass(frozen=True, kw_only=True)
class UserLosses:
    """One task's losses on validation days by shopper, [U]."""

    total: NDArray[np.float64]
    count: NDArray[np.float64]

    @classmethod
    def of_nobody(cls, num_users: int) -> "UserLosses":
        """Return the losses of shoppers who were asked nothing yet."""
        return cls(total=np.zeros(num_users), count=np.zeros(num_users))


def alone(prepared: Prepared, name: str) -> Prepared:
    """Return a log laid out for one of its tasks: the questions that ask it, and no other label."""
    examples, plan = prepared.asked.examples, prepared.asked.plan
    task = next(task for task in plan.tasks if task.name == name)
    if isinstance(task, NextItem):
        asks = np.diff(examples.next_offsets) > 0
    else:
        asked = np.append(0, np.cumsum(plan.targets[name].asked))
        asks = np.diff(asked[examples.candidates.offsets]) > 0
    own = replace(
        plan,
        tasks=(task,),
        targets={key: target for key, target in plan.targets.items() if key == name},
    )
    kept = replace(examples, split=np.where(asks, examples.split, NO_SPLIT).astype(np.uint8))
    return replace(prepared, asked=replace(prepared.asked, examples=kept, plan=own))


def alone_config(prepared: Prepared, config: TrainConfig) -> TrainConfig:
    """Return the configuration of a task alone: fewer questions are read more often."""
    questions = len(prepared.rows_of(Split.TRAIN))
    steps = max(1, questions // config.batch_size)
    epochs = max(config.epochs, min(ceil(LEAST_STEPS / steps), MOST_EPOCHS))
    return structs.replace(config, epochs=epochs, apart=())


def user_losses(trainer: Trainer, rows: NDArray[np.int64]) -> dict[str, UserLosses]:
    """Return each task's losses by shopper, of the trainer's network as it stands."""
    network, batcher = trainer.network.eval(), trainer.batcher
    num_users = batcher.dataset.histories.num_users
    found: dict[str, UserLosses] = {}
    with torch.no_grad():
        vectors = network.items()
        for chosen in batcher.cut(rows, 512, np.random.default_rng(0), tokens=51_200):
            losses = batch_losses(network, batcher.lay_out(chosen), vectors)
            for name, loss in losses.items():
                assert loss.each is not None and loss.question is not None
                user = batcher.examples.user[chosen[loss.question.cpu().numpy()]]
                each = loss.each.double().cpu().numpy()
                before = found.setdefault(name, UserLosses.of_nobody(num_users))
                np.add.at(before.total, user, each)
                np.add.at(before.count, user, 1.0)
    return found


def compared(name: str, single: UserLosses, joint: UserLosses) -> TaskComparison:
    """Compare one task's losses over the same rows, paired by shopper."""
    gain = paired_ratio_interval(single.total, joint.total, single.count)
    rows = single.count.sum()
    return TaskComparison(
        task=name,
        alone=float(single.total.sum() / rows),
        together=float(joint.total.sum() / rows),
        gain=gain.value,
        low=gain.low,
        high=gain.high,
        shoppers=gain.n,
    )


def folder_of(run_folder: Path | None, name: str) -> Path | None:
    """Return where the checkpoints of a task alone lie."""
    return None if run_folder is None else run_folder / f"alone-{name}"
