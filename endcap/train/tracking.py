"""Where learning curves go as a fit runs: TensorBoard always, MLflow and W&B by choice.

A resumed fit tells its trackers the epochs that it has behind it first, so a tracker opens either
empty, or knowing which epochs it holds: none is written twice, and none is missing.
"""

import importlib.util
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import to_builtins

from endcap.errors import MissingExtraError
from endcap.train.curves import Epoch
from endcap.train.loop import Watch, no_watch
from endcap.train.recipes import TrainConfig, flat_config

TrackerName = Literal["mlflow", "wandb"]

PROJECT = "endcap"
RUN_ID = "run.id"
"""File that names a run to other services until its fit is done."""


class Tracker(Protocol):
    """Takes the figures of each epoch once."""

    def log(self, epoch: Epoch) -> None:
        """Write an epoch's figures, unless they are there."""

    def close(self) -> None:
        """Write what is left; the run is finished, or goes on another time."""


class TensorBoard:
    """Event files in the run folder, written anew when a fit goes on."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        self.writer: Any = SummaryWriter(str(folder))

    def log(self, epoch: Epoch) -> None:
        """Write an epoch's figures; they can be read at once."""
        for name, value in epoch.figures().items():
            self.writer.add_scalar(name, value, epoch.epoch)
        self.writer.flush()

    def close(self) -> None:
        """Close the file."""
        self.writer.close()


class MLflow:
    """A run of the experiment "endcap", where MLFLOW_TRACKING_URI says, or MLflow by itself."""

    def __init__(self, run_id: str, config: dict[str, Any]) -> None:
        import mlflow

        self.client: Any = mlflow.MlflowClient()
        place = mlflow.set_experiment(PROJECT).experiment_id
        found = self.client.search_runs([place], f"tags.`{PROJECT}.run` = '{run_id}'")
        if not found:
            found = [self.client.create_run(place, tags={f"{PROJECT}.run": run_id})]
            for name, value in config.items():
                self.client.log_param(found[0].info.run_id, name, value)
        self.run = found[0].info.run_id
        told = self.client.get_metric_history(self.run, "learning_rate")
        self.known = {point.step for point in told}

    def log(self, epoch: Epoch) -> None:
        """Send an epoch's figures in one request, so that all of it is there or nothing."""
        from mlflow.entities import Metric

        if epoch.epoch in self.known:
            return
        now = time.time_ns() // 1_000_000
        self.client.log_batch(
            self.run,
            metrics=[
                # A name in MLflow knows no "@".
                Metric(name.replace("@", "_at_"), value, now, epoch.epoch)
                for name, value in epoch.figures().items()
            ],
        )

    def close(self) -> None:
        """Mark the run as finished."""
        self.client.set_terminated(self.run)


class WandB:
    """A run of the project "endcap"; WANDB_MODE=offline keeps it in the run folder."""

    def __init__(self, run_id: str, config: dict[str, Any], folder: Path) -> None:
        import wandb

        for old in (folder / "wandb").glob(f"offline-run-*-{run_id}"):
            shutil.rmtree(old)
        self.run: Any = wandb.init(
            project=PROJECT, id=run_id, resume="allow", config=config, dir=str(folder)
        )

    def log(self, epoch: Epoch) -> None:
        """Send an epoch's figures; what the service has of an earlier start stays."""
        if epoch.epoch >= self.run.starting_step:
            self.run.log(epoch.figures(), step=epoch.epoch)

    def close(self) -> None:
        """Send what is left."""
        self.run.finish()


@contextmanager
def tracking(
    folder: Path | None, config: TrainConfig, track: Sequence[TrackerName] = ()
) -> Iterator[Watch]:
    """Open the trackers of one run; without a folder nothing is tracked.

    Raises:
        MissingExtraError: a wanted tracker is not installed.
    """
    if folder is None:
        yield no_watch
        return
    require_trackers(track)
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: str(value) for name, value in flat_config(to_builtins(config)).items()}
    with ExitStack() as opened:
        trackers: list[Tracker] = [opened.enter_context(closing(TensorBoard(folder)))]
        if "mlflow" in track:
            trackers.append(opened.enter_context(closing(MLflow(_run_id(folder), told))))
        if "wandb" in track:
            trackers.append(opened.enter_context(closing(WandB(_run_id(folder), told, folder))))

        def watch(epoch: Epoch) -> None:
            for tracker in trackers:
                tracker.log(epoch)

        yield watch


def require_trackers(track: Sequence[TrackerName]) -> None:
    """Check, before any work, that the wanted trackers are installed.

    Raises:
        MissingExtraError: one is not; the message says what to install.
    """
    for name, extra in (("tensorboard", "train"), *((name, name) for name in track)):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"Learning curves were to go to {name}, which is not installed; "
                f"run: pip install 'endcap[{extra}]'."
            )


def _run_id(folder: Path) -> str:
    path = folder / RUN_ID
    if not path.is_file():
        path.write_text(uuid.uuid4().hex[:16])
    return path.read_text()
