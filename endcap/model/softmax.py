"""The next item among all items, without ever holding rows x V numbers at once."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MOST_ROWS, MOST_CELLS = 128, 2**24
"""Rows of a chunk, and numbers that it may hold: 64 MiB of float32."""


def target_shares(
    row: Int[Tensor, " M"], weight: Float[Tensor, " M"], num_rows: int
) -> Float[Tensor, " M"]:
    """Return how much each target's -log p counts, so that their sum is `next_loss`."""
    share = weight / torch.bincount(row, minlength=num_rows).clamp(min=1)[row]
    return share / share.sum().clamp(min=1e-9)


def full_loss(
    user: Float[Tensor, "B D"],
    vectors: Float[Tensor, "V D"],
    is_known: Bool[Tensor, " V"],
    row: Int[Tensor, " M"],
    item: Int[Tensor, " M"],
    share: Float[Tensor, " M"],
    *,
    half: bool = False,
) -> Float[Tensor, ""]:
    """Return `sum share * -log softmax(user @ vectors.T)[row, item]` over known items.

    The fast twin of `losses.next_loss`: chunk by chunk, the gradient computed on the way forward,
    so that memory does not grow with rows x V (model.md 10.5).

    Args:
        half: whether logits are multiplied in bfloat16; see `has_fast_half`.
    """
    loss: Tensor = _FullLoss.apply(  # type: ignore[no-untyped-call]
        user, vectors, is_known, row, item, share, half
    )
    return loss


def has_fast_half(device: torch.device) -> bool:
    """Tell whether the processor multiplies bfloat16 itself; elsewhere it is slower and coarser."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def chunk_rows(num_items: int) -> int:
    """Return how many rows of logits are held at once."""
    return max(1, min(MOST_ROWS, MOST_CELLS // max(num_items, 1)))


class _FullLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        user: Tensor,
        vectors: Tensor,
        is_known: Tensor,
        row: Tensor,
        item: Tensor,
        share: Tensor,
        half: bool,
    ) -> Tensor:
        of_user, of_vectors = torch.empty_like(user), torch.zeros_like(vectors)
        strength = share.new_zeros(len(user)).index_add_(0, row, share)
        factors = (user.bfloat16(), vectors.bfloat16()) if half else (user, vectors)
        total = user.new_zeros(())
        for start in range(0, len(user), chunk_rows(len(vectors))):
            part = slice(start, start + chunk_rows(len(vectors)))
            p = (factors[0][part] @ factors[1].T).to(user.dtype)
            p.masked_fill_(~is_known, -torch.inf)
            highest = p.amax(-1, keepdim=True)
            sums = p.sub_(highest).exp_().sum(-1, keepdim=True)
            total += (strength[part] * (highest + sums.log())[:, 0]).sum()
            p.mul_(strength[part, None] / sums)
            torch.mm(p, vectors, out=of_user[part])
            of_vectors.addmm_(p.T, user[part])
        mine, theirs = user[row], vectors[item]
        of_user.index_add_(0, row, share[:, None] * theirs, alpha=-1)
        of_vectors.index_add_(0, item, share[:, None] * mine, alpha=-1)
        ctx.save_for_backward(of_user, of_vectors)
        return total - (share * (mine * theirs).sum(-1)).sum()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        of_user, of_vectors = ctx.saved_tensors
        return grads[0] * of_user, grads[0] * of_vectors, None, None, None, None, None


def sampled_loss(
    user: Float[Tensor, "B D"],
    own: Float[Tensor, "M D"],
    others: Float[Tensor, "N D"],
    is_hit: Bool[Tensor, "M N"],
    log_expected: Float[Tensor, " N"],
    row: Int[Tensor, " M"],
    share: Float[Tensor, " M"],
) -> Float[Tensor, ""]:
    """Return the loss of `full_loss` as N shared draws estimate it.

    A draw from Q stands for 1 / (N Q) items, so log(N Q) is taken from its logit (log-Q; Bengio
    and Senecal 2008, https://doi.org/10.1109/TNN.2007.912312). A target's own mass is counted
    whole, and draws that hit it are left out: the sum under the logarithm is then unbiased.

    Args:
        own: vectors of the targets.
        others: vectors of the draws.
        is_hit: whether a draw is a target's own item.
        log_expected: log(N Q) of the draws.
    """
    logits = user @ others.T - log_expected
    mine = (user[row] * own).sum(-1)
    against = logits[row].masked_fill(is_hit, -torch.inf)
    log_z = torch.cat([mine[:, None], against], dim=1).logsumexp(-1)
    return (share * (log_z - mine)).sum()


def log_p_and_rank(
    user: Float[Tensor, "B D"],
    vectors: Float[Tensor, "V D"],
    is_known: Bool[Tensor, " V"],
    row: Int[Tensor, " M"],
    item: Int[Tensor, " M"],
) -> tuple[Float[Tensor, " M"], Int[Tensor, " M"]]:
    """Return each target's log p, and how many known items stand above it."""
    log_p, rank = [], []
    size = chunk_rows(len(vectors))
    for rows, items in zip(torch.split(row, size), torch.split(item, size), strict=True):
        logits = (user[rows] @ vectors.T).masked_fill(~is_known, -torch.inf)
        own = logits.gather(1, items[:, None])
        log_p.append(own[:, 0] - logits.logsumexp(-1))
        rank.append((logits > own).sum(1))
    return torch.cat(log_p), torch.cat(rank)
