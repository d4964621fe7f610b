"""All tasks of one batch as sums of losses and counts of asked rows."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from endcap.model import (
    Answers,
    ItemRows,
    Network,
    click_loss,
    count_loss,
    delay_loss,
    dwell_loss,
    full_loss,
    has_fast_half,
    log_p_and_rank,
    look_up,
    sampled_loss,
    squared_loss,
    squared_time_loss,
    target_shares,
)
from endcap.schema import Binary, Count, Hazard, NextCategory, NextItem, Task
from endcap.train.batch import Batch, TargetBatch
from endcap.train.negatives import Negatives
from endcap.train.value import ValueWeights

CUT = 10


@dataclass(kw_only=True)
class TaskLoss:
    """Sum of one task's losses in a batch, in nats, and how many rows were asked."""

    total: Tensor
    count: int
    gain: float | None = None
    """For the next item, outside training: the rows' NDCG@10 in sum."""
    each: Tensor | None = None
    """Outside training: the losses that add up to the total."""
    question: Tensor | None = None
    """Whose they are, as rows of the batch."""


def batch_losses(
    network: Network,
    batch: Batch,
    vectors: Tensor | ItemRows,
    negatives: Negatives | None = None,
    *,
    read: tuple[Tensor, Tensor] | None = None,
    value: ValueWeights | None = None,
) -> dict[str, TaskLoss]:
    """Ask a batch's questions and compare with its labels.

    Args:
        vectors: of all items; with negatives, of those that the batch needs.
        negatives: draws that stand for all items while training.
        read: what `network.read` returned of the batch, where the caller has it already.
        value: weighs rows of dwell and purchase by attention; for training alone.
    """
    states, last = network.read(vectors, batch.history) if read is None else read
    losses = {}
    name = next((task.name for task in network.tasks if isinstance(task, NextItem)), None)
    if name is not None and len(batch.next.item):
        losses[name] = _ask_next(network, batch, vectors, last, negatives)
    if batch.candidates is None:
        return losses
    answers = network.respond(
        vectors, states, last, batch.history, batch.question, batch.candidates
    )
    for task in network.tasks:
        target = batch.targets.get(task.name)
        if target is not None:
            losses[task.name] = _ask_candidates(network, batch, task, target, answers, value)
    return losses


def _ask_candidates(
    network: Network,
    batch: Batch,
    task: Task,
    target: TargetBatch,
    answers: Answers,
    value: ValueWeights | None,
) -> TaskLoss:
    """Compare the deep answers with the labels while training, else what is served."""
    assert batch.candidates is not None
    rows = answers.of(target.place, slice(None))
    asked = rows.deep if network.training else rows.mixed(network.trust)
    log_e = log_examination(network, batch, target)
    log_offset = batch.log_offset.flatten()[target.place]
    each = trained_loss(task, asked[:, network.slices[task.name]], target, log_e, log_offset)
    if value is not None and task.name in value.tasks:
        each = each * value.attention(network, task, asked, log_e)
    of_question = batch.candidates.question[target.place // batch.slot.shape[1]]
    return TaskLoss(total=each.sum(), count=len(each), each=each.detach(), question=of_question)


def log_examination(network: Network, batch: Batch, target: TargetBatch) -> Tensor:
    """Return log e of the asked candidates' slots; it only means something for shown slots."""
    return network.examination.log().flatten()[examined_cell(network, batch, target)]


def examined_cell(network: Network, batch: Batch, target: TargetBatch) -> Tensor:
    """Return where the asked candidates' slots stand in the flattened examination."""
    assert batch.candidates is not None
    _, devices, slots = network.examination.steps.shape
    device = batch.question.device[batch.candidates.question]
    device = device[:, None].expand_as(batch.slot).flatten()[target.place]
    placement = batch.placement.flatten()[target.place]
    slot = batch.slot.flatten()[target.place].clamp(max=slots - 1)
    return (placement * devices + device) * slots + slot


def trained_loss(
    task: Task, outputs: Tensor, target: TargetBatch, log_e: Tensor, log_offset: Tensor
) -> Tensor:
    """Return each asked row's loss as the task declares it: the likelihood, or a squared error."""
    if isinstance(task, Binary) and task.loss == "squared":
        examined = log_e if task.space == "impressions" else torch.zeros_like(log_e)
        return squared_loss(outputs[:, 0], examined, target.label, task.positive_weight)
    if isinstance(task, Hazard) and task.loss == "squared":
        assert target.bin_seconds is not None and target.seconds is not None
        return squared_time_loss(outputs, target.bin_seconds, target.seconds, target.label)
    return candidate_loss(task, outputs, target, log_e, log_offset)


def candidate_loss(
    task: Task, outputs: Tensor, target: TargetBatch, log_e: Tensor, log_offset: Tensor
) -> Tensor:
    """Return each asked row's negative log-likelihood, by the kind of the task."""
    match task:
        case Binary(space="impressions"):
            return click_loss(outputs[:, 0], log_e, target.label)
        case Binary():
            return click_loss(outputs[:, 0], torch.zeros_like(log_e), target.label)
        case Hazard(measures="dwell"):
            assert target.bin is not None and target.limit_share is not None
            return dwell_loss(outputs, target.bin, target.label, target.limit_share)
        case Hazard():
            assert target.bin is not None and target.limit_bin is not None
            assert target.limit_share is not None
            return delay_loss(
                outputs, target.bin, target.label, target.limit_bin, target.limit_share, log_offset
            )
        case Count():
            return count_loss(outputs, target.label)
        case NextCategory():
            return F.cross_entropy(outputs, target.label, reduction="none")
        case NextItem():
            raise AssertionError("a next-item task has no candidates")


def _ask_next(
    network: Network,
    batch: Batch,
    vectors: Tensor | ItemRows,
    last: Tensor,
    negatives: Negatives | None,
) -> TaskLoss:
    asked = batch.next.question
    question = network.question(
        batch.question.clock[asked], batch.question.since[asked], batch.question.device[asked]
    )
    user = network.next(last[batch.question.window[asked]], question, batch.next.action)
    wanted, is_known = batch.next, network.items.is_known
    share = target_shares(wanted.row, wanted.weight, len(user))
    if negatives is not None:
        loss = sampled_loss(
            user,
            look_up(vectors, wanted.item),
            look_up(vectors, negatives.item),
            wanted.item[:, None] == negatives.item,
            negatives.log_expected,
            wanted.row,
            share,
        )
        return TaskLoss(total=loss * len(asked), count=len(asked))
    assert isinstance(vectors, Tensor)
    if network.training:
        half = has_fast_half(user.device)
        loss = full_loss(user, vectors, is_known, wanted.row, wanted.item, share, half=half)
        return TaskLoss(total=loss * len(asked), count=len(asked))
    log_p, rank = log_p_and_rank(user, vectors, is_known, wanted.row, wanted.item)
    each = -(share * log_p) * len(asked)
    by_row = each.new_zeros(len(asked)).index_add(0, wanted.row, each)
    return TaskLoss(
        total=each.sum(),
        count=len(asked),
        gain=_gain(rank, wanted.row),
        each=by_row,
        question=asked,
    )


def _gain(rank: Tensor, row: Tensor) -> float:
    """Return the sum over rows of the mean of 1 / log2(1 + rank) of targets in the first ten."""
    gain = torch.where(rank < CUT, 1.0 / torch.log2(rank + 2.0), 0.0)
    return float((gain / torch.bincount(row)[row]).sum())
