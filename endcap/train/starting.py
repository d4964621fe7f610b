"""A configuration and a log laid out -> a network at its start, with all that it is trained on."""

from pathlib import Path

import numpy as np
import torch

from endcap.features import field_matrix, item_groups, kinds_of
from endcap.model import Network
from endcap.schema import Dataset, Split
from endcap.train.augment import Augmentation
from endcap.train.batches import Batcher
from endcap.train.examples import Examples
from endcap.train.loop import Report, Trainer, Watch, no_report, no_watch
from endcap.train.negatives import NegativeSampler
from endcap.train.plain import solve_plain
from endcap.train.prepared import Prepared
from endcap.train.recipes import TrainConfig
from endcap.train.scales import (
    constant_answers,
    plain_tasks,
    task_ridges,
    task_scales,
    task_weights,
)
from endcap.train.value import value_weights


def _start_network(prepared: Prepared, config: TrainConfig) -> Network:
    dataset, asked, vocabulary = prepared.dataset, prepared.asked, prepared.vocabulary
    groups = item_groups(dataset.catalogue, vocabulary)
    torch.manual_seed(config.seed)
    network = Network(
        config.model,
        asked.plan.tasks,
        fields=field_matrix(dataset.catalogue, vocabulary),
        neighbours=prepared.neighbours,
        is_known=prepared.is_known,
        groups=groups,
        kinds=kinds_of(dataset.catalogue, vocabulary, asked.plan.tasks, groups),
        num_campaigns=len(dataset.campaigns),
        num_placements=len(dataset.shop.placements),
        num_slots=_num_slots(dataset),
        facts=prepared.facts,
    )
    if network.pieces is not None:
        of_training = asked.plan.facts.split == Split.TRAIN
        network.pieces.learn(asked.examples.candidates.context[of_training])
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
    report("plain answers", 0, 1)
    solve_plain(network, batcher, plan.facts.split, seed=config.seed)
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
        value=value_weights(dataset, plan, weights, device) if config.value_weighted else None,
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
