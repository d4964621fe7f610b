"""What a task's loss is divided by, so that lambdas compare like with like (model.md R4)."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from endcap.model import NUM_DELAY_BINS, Network, outputs_of
from endcap.schema import Binary, Count, Hazard, NextItem, Split, Task, is_of_shopper
from endcap.train.examples import Examples
from endcap.train.recipes import TrainConfig
from endcap.train.targets import (
    BinaryTarget,
    CategoryTarget,
    CountTarget,
    HazardTarget,
    Target,
    came,
)
from endcap.train.tasks import TaskPlan


def task_scales(
    plan: TaskPlan,
    examples: Examples,
    train_rows: NDArray[np.int64],
    network: Network,
    config: TrainConfig,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return each task's scale (entropy of its constant predictor, nats) and asked rows a batch."""
    num_batches = max(1.0, len(train_rows) / config.batch_size)
    scales: dict[str, float] = {}
    rates: dict[str, float] = {}
    for task in plan.tasks:
        if isinstance(task, NextItem):
            rows = np.diff(examples.next_offsets)[train_rows]
            scales[task.name] = _next_entropy(examples)
            rates[task.name] = float((rows > 0).sum() / num_batches)
            continue
        target = plan.targets[task.name]
        asked = target.asked & (plan.facts.split == Split.TRAIN)
        rates[task.name] = max(1.0, float(asked.sum() / num_batches))
        scales[task.name] = _squared_scale(task, target, asked) or _target_entropy(target, asked)
    return scales, rates


def _squared_scale(task: Task, target: Target, asked: NDArray[np.bool_]) -> float:
    """Return the squared error of the best constant; 0 for a task that has a likelihood."""
    match task, target:
        case Binary(loss="squared"), BinaryTarget():
            rate = min(max(float(target.label[asked].mean()), 1e-4), 1 - 1e-4)
            weight = task.positive_weight
            return weight * rate * (1 - rate) / (weight * rate + 1 - rate)
        case Hazard(loss="squared"), HazardTarget(seconds=seconds) if seconds is not None:
            return max(float(seconds[asked & target.observed].var()), 1e-6)
        case _:
            return 0.0


def _target_entropy(target: Target, asked: NDArray[np.bool_]) -> float:
    match target:
        case BinaryTarget():
            return _entropy(float(target.label[asked].mean()))
        case HazardTarget():
            share = float(target.observed[asked].mean())
            kinds = len(np.unique(target.bin[asked & target.observed]))
            return _entropy(share) + share * float(np.log(max(kinds, 2)))
        case CountTarget():
            return _share_entropy(np.bincount(target.count[asked]))
        case CategoryTarget():
            return _share_entropy(np.bincount(target.category[asked]))


FEW_EVENTS = 1_000.0
"""A task with so many events on training days counts half of its lambda: less is mostly noise."""

PLAIN_BELOW = 3_000.0
"""With fewer events on training days a task may stay plain (`Network.keep_plain`)."""

PRIOR_SCALE = 0.1
"""Standard deviation, a priori, of a task's own weights."""


def task_weights(plan: TaskPlan) -> dict[str, float]:
    """Return each task's lambda, shrunk by n / (n + 1000) for its n events on training days."""
    weights: dict[str, float] = {}
    for task in plan.tasks:
        target = plan.targets.get(task.name)
        events = FEW_EVENTS * 1e3 if target is None else _num_events(plan, target)
        weights[task.name] = task.weight * events / (events + FEW_EVENTS)
    return weights


def plain_tasks(plan: TaskPlan) -> list[str]:
    """Name the tasks of too few events for a deep answer.

    A click on a product and a purchase of any item stay deep: the history is what they are asked
    of. After a click, of an ad, and of a shopper without an item the context says most.
    """
    return [
        task.name
        for task in plan.tasks
        if task.name in plan.targets
        and _may_be_plain(task)
        and _num_events(plan, plan.targets[task.name]) < PLAIN_BELOW
    ]


def _may_be_plain(task: Task) -> bool:
    match task:
        case Binary() | Hazard():
            return task.space == "clicks" or task.ads or is_of_shopper(task)
        case _:
            return isinstance(task, Count)


def task_ridges(
    plan: TaskPlan, scales: dict[str, float], weights: dict[str, float]
) -> dict[str, float]:
    """Return the strength of each task's Gaussian prior, in units of its scaled mean loss."""
    ridges: dict[str, float] = {}
    for name, target in plan.targets.items():
        asked = int((target.asked & (plan.facts.split == Split.TRAIN)).sum())
        ridges[name] = weights[name] / (2 * PRIOR_SCALE**2 * max(asked, 1) * scales[name])
    return ridges


def _num_events(plan: TaskPlan, target: Target) -> float:
    return float((came(target) & target.asked & (plan.facts.split == Split.TRAIN)).sum())


def constant_answers(plan: TaskPlan, log_offset: NDArray[np.float32]) -> dict[str, list[float]]:
    """Return each task's best constant outputs: log-odds of its rate, log-shares of its bins.

    Args:
        log_offset: [N] case-control offsets of all candidates; what was sampled looks likelier than
            it is, and the constant is that of the log.
    """
    answers: dict[str, list[float]] = {}
    for name, target in plan.targets.items():
        asked = target.asked & (plan.facts.split == Split.TRAIN)
        task = next(task for task in plan.tasks if task.name == name)
        match target:
            case BinaryTarget():
                answers[name] = [_log_odds(float(target.label[asked].mean()))]
            case HazardTarget():
                answers[name] = _constant_times(task, target, asked, log_offset)
            case CountTarget():
                answers[name] = _constant_count(target.count[asked])
            case CategoryTarget():
                answers[name] = _log_shares(target.category[asked], outputs_of(task))
    return answers


def _constant_times(
    task: Task,
    target: HazardTarget,
    asked: NDArray[np.bool_],
    log_offset: NDArray[np.float32],
) -> list[float]:
    num_outputs = outputs_of(task)
    is_delay = num_outputs == 1 + NUM_DELAY_BINS
    rate = [_constant_logit(target.observed[asked], log_offset[asked])] if is_delay else []
    return rate + _log_shares(target.bin[asked & target.observed], num_outputs - is_delay)


def _log_shares(kinds: NDArray[np.int64], num_kinds: int) -> list[float]:
    counts = np.bincount(kinds, minlength=num_kinds) + 1.0
    return [float(share) for share in np.log(counts / counts.sum())]


def _constant_count(count: NDArray[np.int64]) -> list[float]:
    """Return log mean and log size of a negative binomial, by moments (m + m^2 / r = variance)."""
    mean = max(float(count.mean()), 1e-3)
    excess = max(float(count.var()) - mean, 1e-3 * mean)
    return [float(np.log(mean)), float(np.clip(np.log(mean**2 / excess), -4.0, 4.0))]


def _constant_logit(label: NDArray[np.bool_], log_offset: NDArray[np.float32]) -> float:
    """Solve mean sigmoid(c + offset) = rate for c."""
    rate = min(max(float(label.mean()), 1e-4), 1 - 1e-4)
    if not log_offset.any():
        return _log_odds(rate)
    offset = log_offset.astype(np.float64)

    def excess(c: float) -> float:
        return float(expit(c + offset).mean()) - rate

    return float(brentq(excess, -40.0, 40.0))


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(np.log(p / (1 - p)))


def _entropy(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return float(-p * np.log(p) - (1 - p) * np.log(1 - p))


def _next_entropy(examples: Examples) -> float:
    in_training = np.repeat(examples.split == Split.TRAIN, np.diff(examples.next_offsets))
    counts = np.bincount(examples.next_item[in_training]).astype(np.float64)
    return _share_entropy(counts)


def _share_entropy(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return max(float(-(share * np.log(share)).sum()), 0.1)
