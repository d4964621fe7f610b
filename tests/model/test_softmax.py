"""The chunked softmax against the plain one, forwards and backwards."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from endcap.model import (
    full_loss,
    has_fast_half,
    log_p_and_rank,
    next_loss,
    sampled_loss,
    target_shares,
)
from endcap.model import softmax as module


def question(num_rows=300, num_items=40, dim=8, dtype=torch.float64):
    """Return users, vectors, known items, and targets of which some share a row."""
    torch.manual_seed(3)
    user = torch.randn(num_rows, dim, dtype=dtype, requires_grad=True)
    vectors = torch.randn(num_items, dim, dtype=dtype, requires_grad=True)
    is_known = torch.arange(num_items) % 5 > 0
    row = torch.cat([torch.arange(num_rows), torch.tensor([0, 0, 7])])
    item = torch.randint(0, num_items // 5, (len(row),)) * 5 + 1
    weight = torch.randint(1, 5, (len(row),)).to(dtype)
    return user, vectors, is_known, row, item, weight


def plain(user, vectors, is_known, row, item, weight):
    logits = (user @ vectors.T).masked_fill(~is_known, -1e9)
    return next_loss(logits, row, item, weight)


def chunked(user, vectors, is_known, row, item, weight):
    share = target_shares(row, weight, len(user))
    return full_loss(user, vectors, is_known, row, item, share)


def test_the_fast_loss_equals_the_plain_one_forwards_and_backwards():
    found = {}
    for loss_of in (plain, chunked):
        asked = question()
        (3.0 * (loss := loss_of(*asked))).backward()
        found[loss_of] = (loss.detach(), asked[0].grad, asked[1].grad)
    for one, other in zip(found[plain], found[chunked], strict=True):
        torch.testing.assert_close(one, other)
    assert found[chunked][2][0].abs().sum() == 0  # an item that training never met


def test_the_gradient_is_that_of_finite_differences():
    user, vectors, *rest = question(num_rows=8, num_items=11, dim=3)
    assert torch.autograd.gradcheck(lambda u, v: chunked(u, v, *rest), (user, vectors))


def test_no_tensor_holds_rows_times_items(monkeypatch):
    monkeypatch.setattr(module, "MOST_CELLS", 4_000)
    most = {}

    class Largest(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                most["cells"] = max(most.get("cells", 0), out.numel())
            return out

    asked = question(num_rows=500, num_items=1_000, dim=2)
    with Largest():
        chunked(*asked).backward()
        log_p_and_rank(*asked[:5])
    assert 1_000 <= most["cells"] <= 4_000


def test_ranks_and_chances_are_those_of_all_known_items():
    user, vectors, is_known, row, item, _ = question()
    log_p, rank = log_p_and_rank(user, vectors, is_known, row, item)
    logits = (user @ vectors.T)[:, is_known]
    place = (torch.cumsum(is_known, 0) - 1)[item]
    torch.testing.assert_close(log_p, logits.log_softmax(-1)[row, place])
    order = logits.argsort(dim=1, descending=True)
    above = (order[row] == place[:, None]).nonzero()[:, 1]
    assert torch.equal(rank, above)


def test_half_precision_is_near_the_whole_one():
    user, vectors, is_known, row, item, weight = question(dtype=torch.float32)
    share = target_shares(row, weight, len(user))
    whole, half = (
        full_loss(user, vectors, is_known, row, item, share, half=half).item()
        for half in (False, True)
    )
    assert half != whole
    assert half == pytest.approx(whole, rel=1e-2)


@pytest.mark.parametrize("has_it", [False, True])
def test_half_precision_is_used_where_the_processor_has_it(monkeypatch, has_it):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it)
    assert has_fast_half(torch.device("cpu")) == has_it


def sampled(asked, chance, size):
    user, vectors, _, row, item, weight = asked
    drawn = torch.multinomial(chance, size, replacement=True)
    return sampled_loss(
        user,
        vectors[item],
        vectors[drawn],
        item[:, None] == drawn,
        torch.log(size * chance)[drawn],
        row,
        target_shares(row, weight, len(user)),
    )


def test_draws_estimate_the_full_loss_and_its_gradient():
    asked = question(num_rows=40, num_items=200)
    user, is_known = asked[0], asked[2]
    full = chunked(*asked)
    (expected,) = torch.autograd.grad(full, user)
    chance = is_known / is_known.sum() / 2
    skewed = is_known * torch.arange(200.0, dtype=torch.float64)
    chance = chance + skewed / skewed.sum() / 2
    torch.manual_seed(0)
    losses, gradient, count = [], torch.zeros_like(user), 400
    for _ in range(count):
        loss = sampled(asked, chance, 128)
        losses.append(loss.detach())
        gradient += torch.autograd.grad(loss, user)[0] / count
    found = torch.stack(losses)
    assert abs(found.mean() - full) < 0.02 * full
    assert (gradient - expected).norm() < 0.1 * expected.norm()


def test_a_draw_that_hits_the_target_is_left_out():
    user = torch.tensor([[1.0, 0.0]])
    own, others = torch.tensor([[2.0, 0.0]]), torch.tensor([[2.0, 0.0], [1.0, 0.0]])
    one = torch.ones(1)
    loss = sampled_loss(
        user, own, others, torch.tensor([[True, False]]), torch.log(one / 2).repeat(2),
        torch.tensor([0]), one,
    )  # fmt: skip
    by_hand = torch.log(torch.exp(one * 2) + 2 * torch.exp(one)) - 2
    torch.testing.assert_close(loss, by_hand[0])
