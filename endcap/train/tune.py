"""Search for a training configuration on validation days, within a time, resumable after a kill."""

import importlib.util
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from endcap.errors import ConfigError, LogError, MissingExtraError
from endcap.schema import Split
from endcap.train.checkpoint import CHECKPOINT
from endcap.train.curves import Epoch
from endcap.train.loop import Report
from endcap.train.prepared import Prepared
from endcap.train.recipes import TrainConfig, flat_config
from endcap.train.space import defaults, suggest
from endcap.train.starting import make_trainer
from endcap.train.study import open_study
from endcap.train.tracking import tracking

if TYPE_CHECKING:
    import optuna

STATES = {"COMPLETE": "done", "PRUNED": "stopped", "FAIL": "failed", "RUNNING": "cut off"}
SPENT = "spent_seconds"
STAGES = 4
"""Trials are compared at quarters of their epochs, where their learning rates have fallen alike."""


class Trial(Struct, frozen=True, kw_only=True):
    """What came of one configuration."""

    number: int
    """0 is the recipe that a plain fit takes."""
    state: str
    """done, stopped (worse than most), failed (no number came out) or cut off (out of time)."""
    figure: float | None
    """Of the best epoch, on validation days; less is better."""
    epochs: int
    seconds: float
    changed: dict[str, Any]
    """Fields that differ from the recipe's."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found; the best trial's weights lie in its run folder."""

    best: Trial
    config: TrainConfig
    run_folder: Path
    trials: list[Trial]


class _OutOfTimeError(Exception):
    """The budget is spent; the trial stays as its checkpoint has it."""


class _StoppedError(Exception):
    """The trial is worse than most at its stage."""


class _DivergedError(Exception):
    """A figure is no number."""


def require_tune() -> None:
    """Check that Optuna is installed.

    Raises:
        MissingExtraError: it is not; the message says what to install.
    """
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtraError(
            "Tuning needs optuna, which the other extras leave out; "
            "run: pip install 'endcap[train,tune]'."
        )


def check_minutes(minutes: float) -> None:
    """Check a budget.

    Raises:
        ConfigError: it is no time.
    """
    if not 0 < minutes < math.inf:
        raise ConfigError(f"--minutes must be a number above 0, got {minutes:g}.")


def search(
    prepared: Prepared,
    base: TrainConfig,
    *,
    study: Path,
    identity: dict[str, str],
    minutes: float,
    report: Report,
    started: float | None = None,
) -> Search:
    """Try configurations about the base until the time is up, the base itself first and to its end.

    Args:
        study: SQLite file of the study. What was tried there counts, its time too.
        identity: what figures depend on; a study of another one is refused.
        minutes: wall time of all starts together. A trial is cut off in its midst, and goes on if
            the study is given more time.
        started: `time.monotonic()` from which this start counts; now when absent.

    Raises:
        LogError: validation days ask nothing.
        FileError: the study's file is no study.
        ConfigError: the study is of another log or configuration.
    """
    require_tune()
    check_minutes(minutes)
    if not len(prepared.rows_of(Split.VALIDATION)):
        raise LogError(
            "The log asks nothing on validation days, so no configuration can be told from "
            "another; give it more days, or use `endcap fit`."
        )
    identity = identity | {"recipe": str(flat_config(to_builtins(base)))}
    with open_study(study, identity, seed=base.seed) as store:
        spent = float(store.user_attrs.get(SPENT, 0.0))
        return _Searching(
            prepared=prepared,
            base=base,
            store=store,
            folder=study.with_name(f".{study.name}.trials"),
            begun=(time.monotonic() if started is None else started) - spent,
            limit=60 * minutes,
            report=report,
        ).run()


@dataclass(kw_only=True)
class _Searching:
    prepared: Prepared
    base: TrainConfig
    store: "optuna.Study"
    folder: Path
    begun: float
    """`time.monotonic()` at the start, less what earlier starts spent."""
    limit: float
    report: Report

    def run(self) -> Search:
        from optuna.trial import TrialState

        if not self.store.get_trials(deepcopy=False):
            shutil.rmtree(self.folder, ignore_errors=True)  # of a study that was removed
            self.store.enqueue_trial(defaults(self.base))
        while not self._is_over():
            trial = self._next()
            try:
                self.store.tell(trial, self._figure_of(trial))
            except _OutOfTimeError:
                break
            except _StoppedError:
                self.store.tell(trial, state=TrialState.PRUNED)
            except _DivergedError:
                self.store.tell(trial, state=TrialState.FAIL)
            self._tidy()
        self._note_spent()
        return self._found()

    def _next(self) -> "optuna.Trial":
        """Go on with the trial that was cut off, or draw a new one."""
        import optuna

        cut_off = self.store.get_trials(states=[optuna.trial.TrialState.RUNNING])
        if cut_off:
            return optuna.trial.Trial(self.store, cut_off[0]._trial_id)
        trial = self.store.ask()
        shutil.rmtree(self._folder_of(trial.number), ignore_errors=True)
        return trial

    def _figure_of(self, trial: "optuna.Trial") -> float:
        """Train by a trial's configuration; return the best epoch's figure on validation days."""
        config, folder = suggest(trial, self.base), self._folder_of(trial.number)
        with tracking(folder, config) as track:

            def watch(epoch: Epoch) -> None:
                track(epoch)
                self._judge(trial, config, epoch)

            def report(what: str, done: int, total: int) -> None:
                if self._is_over():
                    raise _OutOfTimeError
                self.report(f"trial {trial.number}, {what}", done, total)

            progress = make_trainer(
                self.prepared, config, run_folder=folder, watch=watch, report=report
            ).fit()
        return progress.best_loss

    def _judge(self, trial: "optuna.Trial", config: TrainConfig, epoch: Epoch) -> None:
        """Keep what an epoch brought, and stop a trial that is worse than most at its stage."""
        known = self.store.get_trials()[trial.number]
        trial.set_user_attr("epochs", epoch.epoch)
        before = known.user_attrs.get("seconds", 0.0) if epoch.epoch > 1 else 0.0
        if epoch.epoch > known.user_attrs.get("epochs", 0):
            trial.set_user_attr("seconds", before + epoch.seconds)
        self._note_spent()
        if not math.isfinite(epoch.figure):
            raise _DivergedError
        stage = STAGES * epoch.epoch // config.epochs
        if stage in known.intermediate_values:
            return
        trial.report(epoch.figure, stage)
        if trial.number > 0 and stage < STAGES and trial.should_prune():
            raise _StoppedError

    def _is_over(self) -> bool:
        """Tell whether the time is up; the first trial runs to its end all the same."""
        if time.monotonic() - self.begun < self.limit:
            return False
        return self.store.get_trials(deepcopy=False)[0].state.is_finished()

    def _note_spent(self) -> None:
        self.store.set_user_attr(SPENT, time.monotonic() - self.begun)

    def _tidy(self) -> None:
        """Remove the checkpoints of all trials but the best."""
        best = self._found().best.number
        for path in self.folder.glob(f"*/{CHECKPOINT}"):
            if path.parent.name != str(best):
                path.unlink()

    def _folder_of(self, number: int) -> Path:
        return self.folder / str(number)

    def _row(self, trial: "optuna.trial.FrozenTrial") -> Trial:
        recipe = defaults(self.base)
        figures = trial.intermediate_values.values()
        return Trial(
            number=trial.number,
            state=STATES[trial.state.name],
            figure=trial.value if trial.value is not None else min(figures, default=None),
            epochs=trial.user_attrs.get("epochs", 0),
            seconds=trial.user_attrs.get("seconds", 0.0),
            changed={k: v for k, v in sorted(trial.params.items()) if v != recipe[k]},
        )

    def _found(self) -> Search:
        from optuna.trial import FixedTrial

        kept = [trial for trial in self.store.get_trials(deepcopy=False) if trial.params]
        trials = [self._row(trial) for trial in kept]
        done = [trial for trial in trials if trial.state == "done"]
        # If no number came of any, the recipe is what a plain fit takes.
        best = min(done, key=lambda trial: (trial.figure, trial.number), default=trials[0])
        params = next(trial.params for trial in kept if trial.number == best.number)
        return Search(
            best=best,
            config=suggest(FixedTrial(params), self.base),
            run_folder=self._folder_of(best.number),
            trials=trials,
        )
