"""Likelihoods of the tasks; each returns one loss per asked row, in nats."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


def click_loss(
    logit: Float[Tensor, " N"], log_examination: Float[Tensor, " N"], label: Float[Tensor, " N"]
) -> Float[Tensor, " N"]:
    """Return the negative log-likelihood of `p = e * sigmoid(logit)` (design section 5)."""
    log_p = log_examination + F.logsigmoid(logit)
    log_not = torch.log1p(-log_p.exp().clamp(max=1 - 1e-6))
    return -(label * log_p + (1 - label) * log_not)


def squared_loss(
    logit: Float[Tensor, " N"],
    log_examination: Float[Tensor, " N"],
    label: Float[Tensor, " N"],
    positive_weight: float,
) -> Float[Tensor, " N"]:
    """Return the squared error of `p = e * sigmoid(logit)`, a label of 1 weighted."""
    p = (log_examination + F.logsigmoid(logit)).exp()
    return torch.where(label > 0, positive_weight, 1.0) * (label - p).square()


def count_loss(outputs: Float[Tensor, "N 2"], count: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Return the negative log-likelihood of a negative binomial with mean m = exp(first output).

    The second output is the log of its size r: the variance is m + m^2 / r.
    """
    log_mean, log_size = outputs[:, 0], outputs[:, 1].clamp(-5.0, 8.0)
    size, seen = log_size.exp(), count.to(outputs.dtype)
    log_total = torch.logaddexp(log_mean, log_size)
    log_p = (
        torch.lgamma(seen + size)
        - torch.lgamma(size)
        - torch.lgamma(seen + 1)
        + size * (log_size - log_total)
        + seen * (log_mean - log_total)
    )
    return -log_p


def dwell_loss(
    logits: Float[Tensor, "N M"],
    bin_: Int[Tensor, " N"],
    observed: Bool[Tensor, " N"],
    share: Float[Tensor, " N"],
) -> Float[Tensor, " N"]:
    """Return the censored log-loss of a discrete distribution over bins of time.

    A censored row says that the time was longer than what was watched: the mass of later bins and
    the unwatched part of its own bin.
    """
    log_f = logits.log_softmax(-1)
    f = log_f.exp()
    later = f.flip(-1).cumsum(-1).flip(-1) - f  # mass after each bin
    own = f.gather(-1, bin_[:, None])[:, 0]
    survived = later.gather(-1, bin_[:, None])[:, 0] + (1 - share) * own
    event = log_f.gather(-1, bin_[:, None])[:, 0]
    return -torch.where(observed, event, survived.clamp(min=1e-9).log())


def squared_time_loss(
    logits: Float[Tensor, "N M"],
    bin_seconds: Float[Tensor, " M"],
    seconds: Float[Tensor, " N"],
    observed: Bool[Tensor, " N"],
) -> Float[Tensor, " N"]:
    """Return the squared error of the expected time `sum_m f_m t_m`, in square seconds.

    It is taken of the time, not of its logarithm: what makes it least is the mean, which is what
    is served. A censored row says that the time was longer, so only an answer below it errs.
    """
    error = logits.softmax(-1) @ bin_seconds.to(logits.dtype) - seconds
    return torch.where(observed, error, error.clamp(max=0.0)).square()


def delay_loss(
    outputs: Float[Tensor, "N M+1"],
    bin_: Int[Tensor, " N"],
    observed: Bool[Tensor, " N"],
    limit_bin: Int[Tensor, " N"],
    limit_share: Float[Tensor, " N"],
    log_offset: Float[Tensor, " N"],
) -> Float[Tensor, " N"]:
    """Return the censored log-loss of a cure model: it comes with chance pi, in bin j with f_j.

    Watched until w, P(seen) = pi F(w). With buyers and others sampled at known rates the odds of
    "seen" move by the ratio of the rates, exactly, so predictions without it are calibrated.
    """
    log_f = outputs[:, 1:].log_softmax(-1)
    f = log_f.exp()
    until = f.cumsum(-1) - f
    own = f.gather(-1, limit_bin[:, None])[:, 0]
    watched = (until.gather(-1, limit_bin[:, None])[:, 0] + limit_share * own).clamp(1e-9, 1.0)
    log_seen = F.logsigmoid(outputs[:, 0]) + watched.log()
    logit_seen = log_seen - torch.log1p(-log_seen.exp().clamp(max=1 - 1e-6))
    chance = F.binary_cross_entropy_with_logits(
        logit_seen + log_offset, observed.to(outputs.dtype), reduction="none"
    )
    when = watched.log() - log_f.gather(-1, bin_[:, None])[:, 0]
    return chance + torch.where(observed, when, torch.zeros_like(when))


def next_loss(
    logits: Float[Tensor, "B V"],
    row: Int[Tensor, " M"],
    item: Int[Tensor, " M"],
    weight: Float[Tensor, " M"],
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the next items, averaged over questions by weight.

    A question whose group holds many items asks for each of them, with the group's mean loss.
    """
    log_p = logits[row, item] - logits.logsumexp(-1)[row]
    per_question = weight.new_zeros(len(logits)).index_add(0, row, weight)
    total = weight.new_zeros(len(logits)).index_add(0, row, -weight * log_p)
    mean = total / per_question.clamp(min=1e-9)
    strength = per_question / torch.bincount(row, minlength=len(logits)).clamp(min=1)
    return (mean * strength).sum() / strength.sum().clamp(min=1e-9)
