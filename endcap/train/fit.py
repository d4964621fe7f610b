"""A log in, a trained network and all that it needs to serve out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from endcap.features import (
    ContextScales,
    Counters,
    FieldVocabulary,
    Mix,
    Remembered,
)
from endcap.model import Network, part_table
from endcap.schema import (
    Binary,
    Dataset,
    Split,
    Task,
)
from endcap.train.apart import check_apart, fit_apart
from endcap.train.batches import Batcher
from endcap.train.calibration import Calibration, calibrate
from endcap.train.checkpoint import Progress
from endcap.train.comparing import TaskComparison
from endcap.train.dwells import dwell_means_ms
from endcap.train.examples import Examples
from endcap.train.loop import Report, Watch, no_report, no_watch
from endcap.train.mix_columns import usual_action
from endcap.train.mixing import choose_mixes
from endcap.train.prepared import Prepared, prepare
from endcap.train.recipes import TrainConfig
from endcap.train.remembering import remember_again
from endcap.train.sampling import pair_task
from endcap.train.starting import make_trainer
from endcap.train.tasks import TaskPlan
from endcap.train.tracking import TrackerName, tracking


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a fit learned; the roof hands it to `artifact`."""

    network: Network
    config: TrainConfig
    dataset: Dataset
    plan: TaskPlan
    examples: Examples
    batcher: Batcher
    vocabulary: FieldVocabulary
    scales: ContextScales
    is_known: NDArray[np.bool_]
    remembered: Remembered
    mix: Mix
    mix_unseen: Mix
    calibration: dict[str, Calibration]
    examination: NDArray[np.float32]
    """[P, devices, slots] as validation days corrected it."""
    counters: Counters
    progress: Progress
    apart: dict[str, Network] = field(default_factory=dict)
    """Networks of the tasks that do not share the first one."""
    comparisons: list[TaskComparison] = field(default_factory=list)
    """Each task alone against all together, where that was asked for."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks that were trained."""
        return self.plan.tasks

    @property
    def returns(self) -> tuple[float, ...]:
        """Return the weights of what brings a shopper back to an item."""
        return tuple(self.remembered.returns)

    @property
    def next_action(self) -> int:
        """Return the kind of event that a plain list asks for: the log's most frequent."""
        return usual_action(self.dataset)

    def item_arrays(self) -> dict[str, NDArray[np.float32] | NDArray[np.int32]]:
        """Return, by their names in a model folder, what serving reads of items and slots.

        Vectors and effects of items, [V, D] and [V, K], the vectors [U, D] of their dimensions and
        which of them are whose [V, F], field vectors [W, D], the map of the shop's own vectors
        [E, D], what items give to related ones [V, D] (no rows without relations) and by which
        weight of each kind [R, D], and examination [P, devices, slots]. Those of networks apart
        stand beside the shared one's.

        Examination is empty where positions did not vary in the log, so nothing identifies it.
        """
        networks = [each.eval() for each in (self.network, *self.apart.values())]
        with torch.no_grad():
            parts = [each.items.parts() for each in networks]
            vectors = [each.items() for each in networks]
            arrays = {
                **{name: torch.cat([part[name] for part in parts], dim=-1) for name in parts[0]},
                "item_vectors": torch.cat(vectors, dim=-1),
                "item_effects": torch.cat([each.effects.of_items() for each in networks], dim=-1),
                "examination_trained": self.network.examination.log().exp(),
            }
            tables = [(n.items, n.parts, of) for n, of in zip(networks, vectors, strict=True)]
            numbers, parted = part_table(tables)
        found = {name: array.detach().cpu().numpy() for name, array in arrays.items()}
        found |= {"part_numbers": numbers, "part_vectors": parted}
        found["examination"] = table = self.examination
        learned = any(isinstance(t, Binary) and t.space == "impressions" for t in self.tasks)
        varied = table.shape[-1] > 1 or table.shape[0] > 1
        if not (learned and varied):
            found |= {name: table[:0] for name in ("examination", "examination_trained")}
        return found

    def memory_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was remembered of pairs of items, as named arrays."""
        return {
            f"{name}_{part}": getattr(memory, part)
            for name, memory in self.remembered.memories.items()
            for part in ("indptr", "indices", "weights")
        }

    def shown_ads(self) -> NDArray[np.int64]:
        """Return [N, 3] the ads that questions of purchases named on training days, and how often.

        A row is an item, a campaign, and a count; empty where the purchase could not be taught.
        """
        examples = self.examples
        named = (examples.ad_campaign >= 0) & (examples.split == Split.TRAIN)
        if pair_task(self.tasks) is None or not named.any():
            return np.zeros((0, 3), dtype=np.int64)
        pairs = np.stack([examples.ad_item[named], examples.ad_campaign[named]], axis=1)
        ads, count = np.unique(pairs, axis=0, return_counts=True)
        return np.column_stack([ads, count]).astype(np.int64)

    def dwell_means_ms(self) -> list[float]:
        """Return the mean dwell in each bin, of training rows whose dwell is whole."""
        means = dwell_means_ms(self.plan.facts, np.array(self.plan.dwell_edges_ms))
        return [float(mean) for mean in means]


def fit(
    dataset: Dataset,
    *,
    config: TrainConfig | None = None,
    epochs: int | None = None,
    seed: int = 0,
    run_folder: Path | None = None,
    track: Sequence[TrackerName] = (),
    report: Report = no_report,
    compare: bool = False,
) -> Fitted:
    """Train one network on all tasks that the log can teach.

    Args:
        config: a whole configuration; chosen by the size and shape of the log when absent.
        epochs: passes over the log at most, in place of the configuration's.
        run_folder: where checkpoints and learning curves go; a fit that was killed goes on from the
            last checkpoint.
        track: where learning curves go besides.
        compare: fit each task alone as well, and answer by a network of its own where sharing is
            shown to hurt; takes several times as long.

    Raises:
        LogError: the log teaches no task at all.
        ConfigError: the checkpoint in the run folder is of another configuration.
    """
    prepared = prepare(dataset, seed=seed, report=report)
    config = config or prepared.recipe()
    if epochs is not None:
        config = structs.replace(config, epochs=epochs)
    with tracking(run_folder, config, track) as watch:
        return fit_prepared(
            prepared, config, run_folder=run_folder, watch=watch, report=report, compare=compare
        )


def fit_prepared(
    prepared: Prepared,
    config: TrainConfig,
    *,
    run_folder: Path | None = None,
    watch: Watch = no_watch,
    report: Report = no_report,
    compare: bool = False,
) -> Fitted:
    """Train, calibrate and mix by one configuration."""
    check_apart(prepared, config)
    trainer = make_trainer(prepared, config, run_folder=run_folder, watch=watch, report=report)
    progress = trainer.fit()
    network, batcher = trainer.network, trainer.batcher
    apart = fit_apart(
        prepared, config, trainer, compare=compare, run_folder=run_folder, report=report
    )
    if compare:
        config = structs.replace(config, apart=tuple(apart.trainers))
    report("calibrating", 0, 1)
    calibrated = calibrate(network, batcher, trainer.validation_rows)
    of_apart = apart.calibrations(network)
    report("choosing the mix", 0, 1)
    counters = prepared.counters
    lists = next((own for own in apart.networks.values() if own.answers_next), network)
    remembered = prepared.remembered
    mix, mix_unseen = choose_mixes(lists, batcher, remembered, counters, seed=prepared.seed)
    return Fitted(
        network=network,
        config=config,
        dataset=prepared.dataset,
        plan=prepared.asked.plan,
        examples=prepared.asked.examples,
        batcher=batcher,
        vocabulary=prepared.vocabulary,
        scales=prepared.scales,
        is_known=prepared.is_known,
        remembered=remember_again(prepared.dataset, remembered, (mix, mix_unseen)),
        mix=mix,
        mix_unseen=mix_unseen,
        calibration=calibrated.tasks | of_apart,
        examination=calibrated.log_examination.exp().numpy(),
        counters=counters.final,
        progress=progress,
        apart=apart.networks,
        comparisons=apart.comparisons,
    )
