"""Tasks that are answered by a network of their own, and how a fit finds which these are."""

from dataclasses import dataclass, field
from pathlib import Path

from endcap.errors import ConfigError
from endcap.model import Network
from endcap.schema import Binary, is_of_shopper
from endcap.train.calibration import Calibration, calibrate
from endcap.train.comparing import (
    TaskComparison,
    alone,
    alone_config,
    compared,
    folder_of,
    user_losses,
)
from endcap.train.loop import Report, Trainer
from endcap.train.prepared import Prepared
from endcap.train.recipes import TrainConfig
from endcap.train.starting import make_trainer


@dataclass(kw_only=True)
class Apart:
    """Networks of tasks that do not share one, and what was compared to find them."""

    trainers: dict[str, Trainer] = field(default_factory=dict)
    comparisons: list[TaskComparison] = field(default_factory=list)

    @property
    def networks(self) -> dict[str, Network]:
        """Return the network of each such task; those that pages do not ask come last."""
        found = {name: trainer.network for name, trainer in self.trainers.items()}
        return dict(sorted(found.items(), key=lambda own: is_of_shopper(own[1].tasks[0])))

    def calibrations(self, shared: Network) -> dict[str, Calibration]:
        """Calibrate each task's own answers; a slot is looked at as the shared network has it."""
        found: dict[str, Calibration] = {}
        for trainer in self.trainers.values():
            task = trainer.network.tasks[0]
            if isinstance(task, Binary) and task.space == "impressions":
                trainer.network.examination.load_state_dict(shared.examination.state_dict())
            found |= calibrate(trainer.network, trainer.batcher, trainer.validation_rows).tasks
        return found


def check_apart(prepared: Prepared, config: TrainConfig) -> None:
    """Check the names of a recipe's tasks.

    Raises:
        ConfigError: the log trains no such task.
    """
    names = [task.name for task in prepared.asked.plan.tasks]
    for name in config.apart:
        if name not in names:
            raise ConfigError(
                f"apart names {name!r}, which this log does not train; it trains "
                f"{', '.join(names)}. Correct apart in the recipe."
            )


def fit_apart(
    prepared: Prepared,
    config: TrainConfig,
    joint: Trainer,
    *,
    compare: bool,
    run_folder: Path | None,
    report: Report,
) -> Apart:
    """Fit the tasks that do not share a network; with `compare`, every task, and keep the hurt.

    The shared network keeps learning from a task that left it: the others were compared with it in.
    """
    found, tasks = Apart(), prepared.asked.plan.tasks
    names = [task.name for task in tasks] if compare else list(config.apart)
    if len(tasks) == 1:
        return found  # it has a network of its own
    for name in names:
        own = alone(prepared, name)

        def told(what: str, done: int, total: int, name: str = name) -> None:
            report(f"{name} alone, {what}", done, total)

        trainer = make_trainer(
            own,
            alone_config(own, config),
            run_folder=folder_of(run_folder, name),
            report=told,
        )
        trainer.fit()
        if compare and len(trainer.validation_rows):
            rows = trainer.validation_rows
            single, shared = user_losses(trainer, rows), user_losses(joint, rows)
            if name in single:
                found.comparisons.append(compared(name, single[name], shared[name]))
        hurt = any(row.task == name and row.hurts for row in found.comparisons)
        if hurt if compare else True:
            found.trainers[name] = trainer
    return found
