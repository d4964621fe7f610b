"""A log in, a trained network and all that it needs to serve out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from endcap.features import (
    ContextScales,
    Counters,
    FieldVocabulary,
    ItemMemory,
    Mix,
    field_matrix,
    item_groups,
)
from endcap.model import Network
from endcap.schema import (
    Binary,
    Dataset,
    Split,
    Task,
)
from endcap.train.augment import Augmentation
from endcap.train.batches import Batcher
from endcap.train.calibration import Calibration, calibrate
from endcap.train.examples import Examples
from endcap.train.loop import Progress, Report, Trainer, Watch, no_report, no_watch
from endcap.train.mixing import choose_mixes, usual_action
from endcap.train.negatives import NegativeSampler
from endcap.train.prepared import Prepared, prepare
from endcap.train.recipes import TrainConfig
from endcap.train.scales import (
    constant_answers,
    plain_tasks,
    task_ridges,
    task_scales,
    task_weights,
)
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
    memory: ItemMemory
    mix: Mix
    mix_unseen: Mix
    calibration: dict[str, Calibration]
    counters: Counters
    progress: Progress

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks that were trained."""
        return self.plan.tasks

    @property
    def next_action(self) -> int:
        """Return the kind of event that a plain list asks for: the log's most frequent."""
        return usual_action(self.dataset)

    def item_arrays(self) -> dict[str, NDArray[np.float32] | NDArray[np.int32]]:
        """Return, by their names in a model folder, what serving reads of items and slots.

        Vectors and effects of items, [V, D] and [V, K], the vectors [U, D] of their dimensions and
        which of them are whose [V, F], field vectors [W, D], and examination [P, devices, slots].

        Examination is empty where positions did not vary in the log, so nothing identifies it.
        """
        network = self.network.eval()
        with torch.no_grad():
            arrays = {
                "item_vectors": network.items(),
                "item_effects": network.effects.of_items(),
                "field_vectors": network.items.fields,
                "examination": network.examination.log().exp(),
            }
            numbers, vectors = network.part_table(arrays["item_vectors"])
        found = {name: array.detach().cpu().numpy() for name, array in arrays.items()}
        found |= {"part_numbers": numbers, "part_vectors": vectors}
        table = found["examination"]
        learned = any(isinstance(t, Binary) and t.space == "impressions" for t in self.tasks)
        varied = table.shape[-1] > 1 or table.shape[0] > 1
        return found if learned and varied else found | {"examination": table[:0]}

    def dwell_means_ms(self) -> list[float]:
        """Return the mean dwell in each bin, of training rows whose dwell is whole."""
        facts, edges = self.plan.facts, np.array(self.plan.dwell_edges_ms)
        used = facts.is_timed & ~facts.dwell_censored & (facts.split == Split.TRAIN)
        dwell = facts.dwell_ms[used].astype(np.float64)
        place = np.searchsorted(edges[1:-1], dwell, side="right")
        middle = np.append((edges[:-2] + edges[1:-1]) / 2, edges[-2] * 1.5)
        counts = np.bincount(place, minlength=len(middle))
        sums = np.bincount(place, weights=dwell, minlength=len(middle))
        means = np.where(counts > 0, sums / np.maximum(counts, 1), middle)
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
) -> Fitted:
    """Train one network on all tasks that the log can teach.

    Args:
        config: a whole configuration; chosen by the size and shape of the log when absent.
        epochs: passes over the log at most, in place of the configuration's.
        run_folder: where checkpoints and learning curves go; a fit that was killed goes on from the
            last checkpoint.
        track: where learning curves go besides.

    Raises:
        LogError: the log teaches no task at all.
        ConfigError: the checkpoint in the run folder is of another configuration.
    """
    prepared = prepare(dataset, seed=seed, report=report)
    config = config or prepared.recipe()
    if epochs is not None:
        config = structs.replace(config, epochs=epochs)
    with tracking(run_folder, config, track) as watch:
        return fit_prepared(prepared, config, run_folder=run_folder, watch=watch, report=report)


def fit_prepared(
    prepared: Prepared,
    config: TrainConfig,
    *,
    run_folder: Path | None = None,
    watch: Watch = no_watch,
    report: Report = no_report,
) -> Fitted:
    """Train, calibrate and mix by one configuration."""
    trainer = make_trainer(prepared, config, run_folder=run_folder, watch=watch, report=report)
    progress = trainer.fit()
    network, batcher, memory = trainer.network, trainer.batcher, prepared.memory
    report("calibrating", 0, 1)
    calibration = calibrate(network, batcher, trainer.validation_rows)
    report("choosing the mix", 0, 1)
    counters = prepared.counters
    mix, mix_unseen = choose_mixes(network, batcher, memory, counters, seed=prepared.seed)
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
        memory=memory,
        mix=mix,
        mix_unseen=mix_unseen,
        calibration=calibration,
        counters=counters.final,
        progress=progress,
    )


def _start_network(prepared: Prepared, config: TrainConfig) -> Network:
    dataset, asked, vocabulary = prepared.dataset, prepared.asked, prepared.vocabulary
    torch.manual_seed(config.seed)
    network = Network(
        config.model,
        asked.plan.tasks,
        fields=field_matrix(dataset.catalogue, vocabulary),
        neighbours=prepared.neighbours,
        is_known=prepared.is_known,
        groups=item_groups(dataset.catalogue, vocabulary),
        num_campaigns=len(dataset.campaigns),
        num_placements=len(dataset.shop.placements),
        num_slots=_num_slots(dataset),
    )
    if network.candidates.pieces is not None:
        of_training = asked.plan.facts.split == Split.TRAIN
        network.candidates.pieces.learn(asked.examples.candidates.context[of_training])
    network.keep_plain(plain_tasks(asked.plan))
    network.start_at(constant_answers(asked.plan, asked.examples.candidates.log_offset))
    return network


def _num_slots(dataset: Dataset) -> int:
    slots = dataset.impressions["slot"]
    slots = slots[slots < 255]
    return int(slots.max()) + 1 if len(slots) else 1


def make_trainer(
    prepared: Prepared,
    config: TrainConfig,
    *,
    run_folder: Path | None = None,
    watch: Watch = no_watch,
    report: Report = no_report,
) -> Trainer:
    """Start a network by a configuration, with all that it is trained on."""
    network, dataset = _start_network(prepared, config), prepared.dataset
    examples, plan = prepared.asked.examples, prepared.asked.plan
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)
    network.items.to_device(device)
    batcher = Batcher(
        dataset,
        examples,
        plan.targets,
        max_history=config.model.max_history,
        is_known=network.items.is_known.cpu().numpy(),
        device=device,
        augmentation=Augmentation(crop=config.crop, mask=config.mask),
    )
    train_rows, validation = prepared.rows_of(Split.TRAIN), prepared.rows_of(Split.VALIDATION)
    if len(validation) > 20_000:
        random = np.random.default_rng(config.seed)
        validation = np.sort(random.choice(validation, size=20_000, replace=False))
    scales, rates = task_scales(plan, examples, train_rows, network, config)
    weights = task_weights(plan)
    return Trainer(
        network=network,
        batcher=batcher,
        config=config,
        train_rows=train_rows,
        validation_rows=validation,
        scales=scales,
        rates=rates,
        weights=weights,
        ridge=task_ridges(plan, scales, weights),
        sampler=_sampler(network, examples, config, device),
        run_folder=run_folder,
        report=report,
        watch=watch,
    )


def _sampler(
    network: Network, examples: Examples, config: TrainConfig, device: torch.device
) -> NegativeSampler | None:
    """Return what draws negatives; None where every item can be asked for."""
    is_known = network.items.is_known.cpu().numpy()
    if len(is_known) < config.many_items:
        return None
    in_training = np.repeat(examples.split == Split.TRAIN, np.diff(examples.next_offsets))
    counts = np.bincount(examples.next_item[in_training], minlength=len(is_known))
    return NegativeSampler(counts, is_known, size=config.negatives, device=device)
