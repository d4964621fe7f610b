"""A log in, a trained network and all that it needs to serve out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from msgspec import structs
from numpy.typing import NDArray

from endcap.errors import LogError
from endcap.features import (
    ContextScales,
    CounterHistory,
    Counters,
    FieldVocabulary,
    ItemColumns,
    ItemMemory,
    Mix,
    field_matrix,
    item_groups,
)
from endcap.model import Network
from endcap.outcomes import join_outcomes
from endcap.schema import Binary, Dataset, FieldMatrix, Hazard, Split, SplitConfig, Task
from endcap.train.batches import Batcher
from endcap.train.calibration import Calibration, calibrate
from endcap.train.examples import Examples, make_examples
from endcap.train.graph import co_occurrence, item_memory, neighbour_graph
from endcap.train.loop import Progress, Report, Trainer, no_report
from endcap.train.mixing import choose_mixes, usual_action
from endcap.train.recipes import TrainConfig, choose_recipe
from endcap.train.scales import (
    constant_answers,
    plain_tasks,
    task_ridges,
    task_scales,
    task_weights,
)
from endcap.train.tasks import TaskPlan, plan_tasks
from endcap.train.tastes import fit_scales


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
            numbers, vectors = network.part_table()
        found = {name: array.detach().cpu().numpy() for name, array in arrays.items()}
        found |= {"part_numbers": numbers, "part_vectors": vectors}
        table = found["examination"]
        learned = any(isinstance(t, Binary) and t.space == "impressions" for t in self.tasks)
        varied = table.shape[-1] > 1 or table.shape[0] > 1
        return found if learned and varied else found | {"examination": table[:0]}

    def dwell_means_ms(self) -> list[float]:
        """Return the mean dwell in each bin, of training clicks whose dwell is whole."""
        facts, edges = self.plan.facts, np.array(self.plan.dwell_edges_ms)
        used = facts.clicked & (facts.dwell_ms >= 0) & ~facts.dwell_censored
        used &= facts.split == Split.TRAIN
        dwell = facts.dwell_ms[used].astype(np.float64)
        place = np.searchsorted(edges[1:-1], dwell, side="right")
        middle = np.append((edges[:-2] + edges[1:-1]) / 2, edges[-2] * 1.5)
        counts = np.bincount(place, minlength=len(middle))
        sums = np.bincount(place, weights=dwell, minlength=len(middle))
        means = np.where(counts > 0, sums / np.maximum(counts, 1), middle)
        return [float(mean) for mean in means]


@dataclass(frozen=True, kw_only=True)
class AskedLog:
    """A log as questions with labels."""

    examples: Examples
    plan: TaskPlan


def ask_log(
    dataset: Dataset, columns: ItemColumns, counters: CounterHistory, *, seed: int = 0
) -> AskedLog:
    """Turn a log into questions, and label every task that it can teach."""
    outcomes = join_outcomes(dataset)
    examples = make_examples(
        dataset, counters, columns, ask_purchase=_asks_purchase(dataset), seed=seed
    )
    plan = plan_tasks(dataset, outcomes, examples)
    return AskedLog(examples=examples, plan=plan)


def fit(
    dataset: Dataset,
    *,
    config: TrainConfig | None = None,
    epochs: int | None = None,
    seed: int = 0,
    run_folder: Path | None = None,
    report: Report = no_report,
) -> Fitted:
    """Train one network on all tasks that the log can teach.

    Args:
        config: a whole configuration; chosen by the size and shape of the log when absent.
        epochs: passes over the log at most, in place of the configuration's.
        run_folder: where checkpoints go; a fit that was killed goes on from the last one.

    Raises:
        LogError: the log teaches no task at all.
    """
    report("reading the log", 0, 1)
    is_known = _known_items(dataset)
    vocabulary = FieldVocabulary.fit(dataset.catalogue, is_known)
    counters = CounterHistory(dataset)
    scales = fit_scales(dataset, counters, is_known, seed=seed)
    asked = ask_log(dataset, ItemColumns.of(dataset.catalogue, scales), counters, seed=seed)
    examples, plan = asked.examples, asked.plan
    if not plan.tasks:
        reasons = "; ".join(f"{name} {reason}" for name, reason in plan.left_out.items())
        raise LogError(f"The log teaches no task: {reasons}.")
    if config is None:
        config = _choose(dataset, examples, seed)
    if epochs is not None:
        config = structs.replace(config, epochs=epochs)
    near, forward, counts = co_occurrence(dataset)
    network = _start_network(dataset, asked, config, vocabulary, neighbour_graph(near), is_known)
    batcher, trainer = _trainer(network, dataset, examples, plan, config, run_folder, report)
    progress = trainer.fit()
    report("calibrating", 0, 1)
    calibration = calibrate(network, batcher, trainer.validation_rows)
    memory = _remember(item_memory(forward, counts))
    report("choosing the mix", 0, 1)
    mix, mix_unseen = choose_mixes(network, batcher, memory, counters, seed=seed)
    return Fitted(
        network=network,
        config=config,
        dataset=dataset,
        plan=plan,
        examples=examples,
        batcher=batcher,
        vocabulary=vocabulary,
        scales=scales,
        is_known=is_known,
        memory=memory,
        mix=mix,
        mix_unseen=mix_unseen,
        calibration=calibration,
        counters=counters.final,
        progress=progress,
    )


def _start_network(
    dataset: Dataset,
    asked: AskedLog,
    config: TrainConfig,
    vocabulary: FieldVocabulary,
    neighbours: FieldMatrix,
    is_known: NDArray[np.bool_],
) -> Network:
    torch.manual_seed(config.seed)
    network = Network(
        config.model,
        asked.plan.tasks,
        fields=field_matrix(dataset.catalogue, vocabulary),
        neighbours=neighbours,
        is_known=is_known,
        groups=item_groups(dataset.catalogue, vocabulary),
        num_campaigns=len(dataset.campaigns),
        num_placements=len(dataset.shop.placements),
        num_slots=_num_slots(dataset),
    )
    network.keep_plain(plain_tasks(asked.plan))
    network.start_at(constant_answers(asked.plan, asked.examples.candidates.log_offset))
    return network


def _remember(matrix: sp.csr_matrix) -> ItemMemory:
    return ItemMemory(
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.int64),
        weights=matrix.data.astype(np.float32),
    )


def _known_items(dataset: Dataset) -> NDArray[np.bool_]:
    """Mark the items that training days met, as an event or on a page."""
    known = np.zeros(dataset.catalogue.num_items, dtype=np.bool_)
    item = dataset.histories.events["item"][dataset.event_split == Split.TRAIN]
    known[item[item >= 0]] = True
    shown = dataset.impressions["item"][dataset.impression_split == Split.TRAIN]
    known[shown[shown >= 0]] = True
    return known


def _asks_purchase(dataset: Dataset) -> bool:
    by_time = dataset.shop.split.kind == SplitConfig().kind and dataset.shop.has_clock
    wanted = any(isinstance(t, Hazard) and t.space == "all" for t in dataset.shop.tasks)
    return by_time and wanted


def _num_slots(dataset: Dataset) -> int:
    slots = dataset.impressions["slot"]
    slots = slots[slots < 255]
    return int(slots.max()) + 1 if len(slots) else 1


def _choose(dataset: Dataset, examples: Examples, seed: int) -> TrainConfig:
    chosen = examples.split == Split.TRAIN
    starts = dataset.histories.offsets[examples.user]
    past = (examples.visible - starts)[chosen]
    return choose_recipe(
        num_questions=int(chosen.sum()),
        num_candidates=int(np.diff(examples.candidates.offsets)[chosen].sum()),
        median_history=float(np.median(past)) if len(past) else 0.0,
        seed=seed,
    )


def _trainer(
    network: Network,
    dataset: Dataset,
    examples: Examples,
    plan: TaskPlan,
    config: TrainConfig,
    run_folder: Path | None,
    report: Report,
) -> tuple[Batcher, Trainer]:
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
    )
    asks_something = (np.diff(examples.next_offsets) + np.diff(examples.candidates.offsets)) > 0
    train_rows = np.flatnonzero((examples.split == Split.TRAIN) & asks_something)
    validation = np.flatnonzero((examples.split == Split.VALIDATION) & asks_something)
    if len(validation) > 20_000:
        random = np.random.default_rng(config.seed)
        validation = np.sort(random.choice(validation, size=20_000, replace=False))
    scales, rates = task_scales(plan, examples, train_rows, network, config)
    weights = task_weights(plan)
    trainer = Trainer(
        network=network,
        batcher=batcher,
        config=config,
        train_rows=train_rows,
        validation_rows=validation,
        scales=scales,
        rates=rates,
        weights=weights,
        ridge=task_ridges(plan, scales, weights),
        run_folder=run_folder,
        report=report,
    )
    return batcher, trainer
