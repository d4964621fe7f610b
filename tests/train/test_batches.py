import numpy as np
import pytest

from endcap.features import gap_bucket, history_inputs
from endcap.train.losses import batch_losses


@pytest.mark.parametrize("batch_size", [1, 7, 64, 10_000])
def test_a_cut_covers_each_row_once(fitted, batch_size):
    rows = np.flatnonzero(fitted.batcher.length >= 0)[:500]
    parts = fitted.batcher.cut(rows, batch_size, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), rows)
    assert max(len(part) for part in parts) <= batch_size


def test_a_batch_holds_windows_of_about_one_length(fitted):
    rows = np.arange(len(fitted.batcher.length))
    parts = fitted.batcher.cut(rows, 64, np.random.default_rng(0))
    widths = [np.ptp(fitted.batcher.length[part]) for part in parts]
    assert np.mean(widths) < 1.5


@pytest.mark.parametrize("tokens", [1, 40, 120, 1_000_000])
def test_no_batch_holds_more_tokens_than_its_budget_and_each_question_comes_once(fitted, tokens):
    batcher, rows = fitted.batcher, np.arange(len(fitted.batcher.length))
    parts = batcher.cut(rows, 64, np.random.default_rng(0), tokens=tokens)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), rows)
    sizes = []
    for part in parts:
        windows, longest = len(np.unique(batcher.window[part])), batcher.length[part].max()
        assert len(part) <= 64
        assert windows * longest <= tokens or windows == 1
        item = batcher.lay_out(part).history.item
        assert item.shape == (windows, max(longest, 1))
        sizes.append(windows * longest)
    stretch = batcher.stretch(rows, 64, tokens)
    assert len(parts) / (len(rows) / 64) == pytest.approx(stretch, rel=0.1)
    assert (stretch == 1) == (tokens == 1_000_000)
    if tokens == 120:
        assert max(sizes) > 100  # and the budget is used


def test_a_budget_that_nothing_exceeds_changes_no_batch(fitted):
    rows = np.arange(len(fitted.batcher.length))
    free, held = (
        fitted.batcher.cut(rows, 64, np.random.default_rng(0), tokens=tokens)
        for tokens in (None, 10_000)
    )
    for one, other in zip(free, held, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_window_holds_the_last_events_before_the_question(fitted):
    examples, batcher = fitted.examples, fitted.batcher
    row = int(np.argmax(examples.visible - fitted.dataset.histories.offsets[examples.user]))
    batch = batcher.lay_out(np.array([row]))
    length = fitted.config.model.max_history
    events = fitted.dataset.histories.events[: examples.visible[row]][-length:]
    shop = fitted.dataset.shop
    expected = history_inputs([events], zone=shop.tzinfo, has_clock=True)
    for name in ("item", "action", "gap", "dwell", "is_ad", "clock", "length"):
        np.testing.assert_array_equal(getattr(batch.history, name).numpy(), getattr(expected, name))


def test_labels_stand_at_their_candidates(fitted):
    examples, target = fitted.examples, fitted.plan.targets["click"]
    rows = np.flatnonzero(np.diff(examples.candidates.offsets) > 0)[[0, 9, 4, 30]]
    batch = fitted.batcher.lay_out(rows)
    width = batch.slot.shape[1]
    found = {}
    for place, label in zip(
        batch.targets["click"].place.tolist(), batch.targets["click"].label.tolist(), strict=True
    ):
        found[examples.candidates.offsets[rows[place // width]] + place % width] = label
    flat = np.concatenate([np.arange(*examples.candidates.offsets[r : r + 2]) for r in rows])
    assert found == {k: target.label[k] for k in flat if target.asked[k]}


def test_a_batch_without_candidates_asks_for_the_next_item_alone(fitted):
    rows = np.flatnonzero(np.diff(fitted.examples.next_offsets) > 0)[:8]
    batch = fitted.batcher.lay_out(rows)
    assert batch.candidates is None
    network = fitted.network.eval()
    assert list(batch_losses(network, batch, network.items())) == ["next"]


def test_a_loss_is_the_same_in_one_batch_or_in_many(fitted):
    rows, network = np.arange(300), fitted.network.eval()
    vectors = network.items()

    def sums(parts):
        found = {}
        for part in parts:
            for name, loss in batch_losses(network, fitted.batcher.lay_out(part), vectors).items():
                found[name] = found.get(name, 0.0) + float(loss.total.detach())
        return found

    whole, parted = sums([rows]), sums(np.array_split(rows, 11))
    for name in set(whole) - {"next"}:  # the next item's mean is weighted within a batch
        assert parted[name] == pytest.approx(whole[name], rel=1e-4)


def test_questions_of_one_window_read_it_once(fitted):
    batcher, examples = fitted.batcher, fitted.examples
    windows, counts = np.unique(batcher.window, return_counts=True)
    shared = windows[(counts > 1) & (windows > 0)][0]
    rows = np.append(np.flatnonzero(batcher.window == shared), np.flatnonzero(batcher.length == 1))
    batch = batcher.lay_out(rows)
    assert len(batch.history.length) == len(np.unique(batcher.window[rows])) < len(rows)
    np.testing.assert_array_equal(
        batch.history.length.numpy()[batch.question.window.numpy()], batcher.length[rows]
    )
    last = fitted.dataset.histories.events["item"][examples.visible[rows] - 1]
    window, length = batch.question.window.numpy(), batcher.length[rows]
    np.testing.assert_array_equal(batch.history.item.numpy()[window, length - 1], last)


def test_a_shared_window_has_each_questions_own_ages(fitted):
    batcher, examples = fitted.batcher, fitted.examples
    asking = np.flatnonzero((batcher.num_candidates > 0) & (batcher.length > 0))
    windows, counts = np.unique(batcher.window[asking], return_counts=True)
    rows = asking[batcher.window[asking] == windows[counts > 1][0]]
    batch = batcher.lay_out(rows)
    events = fitted.dataset.histories.events["timestamp_us"]
    for row, age in zip(rows, batch.candidates.age.numpy(), strict=True):
        seen = slice(examples.visible[row] - batcher.length[row], examples.visible[row])
        np.testing.assert_array_equal(age, gap_bucket(examples.at_us[row] - events[seen]))
