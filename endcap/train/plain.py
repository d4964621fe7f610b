"""The plain answers, solved by L-BFGS before the network takes its first step.

They are linear in the context, so a solver finds what hundreds of steps only come near to: on Tmall
the chance of a pair's purchase ranks by .846 AUC where steps stood at .831.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endcap.model import NUM_PROFILE, Network
from endcap.schema import Binary, Hazard, NextCategory, NextItem, Split, Task, is_of_shopper
from endcap.train.batch import TargetBatch, label_batch
from endcap.train.batches import Batcher
from endcap.train.losses import trained_loss

MOST_NUMBERS = 40_000_000
"""Rows times columns that are solved at once; of a longer log, as many rows are drawn."""

STEP_SCALE = 2.0
"""Standard deviation, a priori, of a slot's step from where it starts."""

MOST_ITERATIONS = 100

LEANING = 0.1
"""How far, against other weights, those may be from 0 that part a task from what it leans on.

Some hundred purchases after clicks on ads say little of seventy columns: in two made-up shops their
chances lay twice as far from the truth where they could part as far as any task's. As near to 0 are
the columns for each of many categories, of which a shopper's own events say most (`Profiles`).
"""

SHAPE = 0.01
"""The same for when, within its horizon, an event comes after a click.

The last clicks of training days were watched for hours. Where their delays might be anything, the
fit told late ones of a high chance and long delays. Figures of both: docs/rooms/train.md.
"""


MOMENT = 0.01
"""The same for the columns of the moment, where an item is asked about.

They tell when a shopper comes back, and little of what the page before them does: free, they cost
dwells and pairs' purchases more on validation days than they gave.
"""


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Training rows of one task, [N]."""

    columns: Tensor
    """[N, Z] of `PlainHead.columns`."""
    leaning: Tensor
    """Log-odds of the tasks that its first output leans on, in sum."""
    target: TargetBatch
    profile: Tensor | None
    """[N, categories, P] of `Profiles.told`, of a task that asks of kinds."""
    log_offset: Tensor
    placement: Tensor
    device: Tensor
    slot: Tensor


def solve_plain(
    network: Network, batcher: Batcher, split: NDArray[np.uint8], *, seed: int = 0
) -> None:
    """Find every task's most likely linear answers on training days, under a prior.

    The slots' examination is found with the first task of shown slots; steps move it further.

    Args:
        split: of all candidates.
    """
    random = np.random.default_rng(seed)
    of_slots = [t for t in network.tasks if isinstance(t, Binary) and t.space == "impressions"]
    for task in _parents_first(network):
        row = np.flatnonzero(batcher.targets[task.name].asked & (split == Split.TRAIN))
        if len(row):
            rows = _lay_out(network, batcher, task, row, random)
            _solve(network, task, rows, finds_slots=task in of_slots[:1])


def _parents_first(network: Network) -> list[Task]:
    children = [child for child, _ in network.leans.pairs]
    asked = [task for task in network.tasks if not isinstance(task, NextItem)]
    return sorted(asked, key=lambda task: children.count(network.slices[task.name].start))


def _lay_out(
    network: Network,
    batcher: Batcher,
    task: Task,
    row: NDArray[np.int64],
    random: np.random.Generator,
) -> _Rows:
    width = network.plain.linear.in_features
    if isinstance(task, NextCategory):
        width = max(width, NUM_PROFILE * len(task.categories))
    most = MOST_NUMBERS // width
    if len(row) > most:
        row = np.sort(random.choice(row, size=most, replace=False))
    table = batcher.examples.candidates
    question = table.question

    def tensor(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values[row]).to(batcher.device)

    context = tensor(table.context)
    bands = None if network.pieces is None else network.pieces(context)
    first = network.slices[task.name].start
    parents = [parent for child, parent in network.leans.pairs if child == first]
    return _Rows(
        columns=network.plain.columns(context, bands),
        leaning=network.plain(context, bands)[:, parents].sum(1).double(),
        target=label_batch(batcher.targets[task.name], row, np.arange(len(row)), batcher.device),
        profile=_profile(network, batcher, task, question[row]),
        log_offset=tensor(table.log_offset).double(),
        placement=tensor(table.placement).long(),
        device=tensor(batcher.examples.device[question]).long(),
        slot=tensor(table.slot).long(),
    )


def _profile(
    network: Network, batcher: Batcher, task: Task, question: NDArray[np.int64]
) -> Tensor | None:
    """Return what the windows of a task's questions tell of each kind, [N, kinds, P]."""
    if not isinstance(task, NextCategory):
        return None
    of_task, told = network.kinds[:, network.profiles.tasks.index(task)].cpu(), []
    for start in range(0, len(question), 4_096):
        item = torch.from_numpy(batcher.items_of(question[start : start + 4_096]))
        told.append(network.profiles.told(of_task[item + 1], len(task.categories)))
    return torch.cat(told).to(batcher.device)


def _solve(network: Network, task: Task, rows: _Rows, finds_slots: bool) -> None:
    linear, steps = network.plain.linear, network.examination.steps
    outputs = network.slices[task.name]
    weight = linear.weight[outputs].detach().clone().requires_grad_()
    bias = linear.bias[outputs].detach().clone().requires_grad_()
    start, scales = steps.detach().clone(), _scales(network, task).to(weight.device)
    told = torch.zeros(NUM_PROFILE, device=weight.device, requires_grad=True)
    moved = [weight, bias, told, *([steps] if finds_slots else [])]
    optimizer = torch.optim.LBFGS(moved, max_iter=MOST_ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        answers = (rows.columns @ weight.T + bias).double()
        if rows.profile is not None:
            answers = answers + rows.profile @ told
        first = answers[:, :1] + rows.leaning[:, None]
        log_e = network.examination(rows.placement, rows.device, rows.slot)
        loss = trained_loss(
            task, torch.cat([first, answers[:, 1:]], 1), rows.target, log_e, rows.log_offset
        ).sum()
        loss = loss + ((weight / scales).square().sum() + told.square().sum()) / 2
        loss = loss + (steps - start).square().sum() / (2 * STEP_SCALE**2)
        loss = loss / len(rows.columns)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    network.zero_grad(set_to_none=True)
    with torch.no_grad():
        linear.weight[outputs], linear.bias[outputs] = weight, bias
        if isinstance(task, NextCategory):
            network.profiles.weight[network.profiles.tasks.index(task)] = told


def _scales(network: Network, task: Task) -> Tensor:
    """Return how far each weight of a task may be from 0 a priori, [K, Z]."""
    outputs = network.slices[task.name]
    scales = network.plain.scales().repeat(outputs.stop - outputs.start, 1)
    if any(child == outputs.start for child, _ in network.leans.pairs):
        scales[0] *= LEANING
    if isinstance(task, Hazard) and task.measures == "delay" and task.space == "clicks":
        scales[1:] *= SHAPE
    if isinstance(task, NextCategory):
        scales *= LEANING
    if not is_of_shopper(task):
        scales[:, network.plain.moment_columns()] *= MOMENT
    return scales
