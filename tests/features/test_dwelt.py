import numpy as np
import pytest
from msgspec import structs

from endcap.features import (
    NUM_COUNTERS,
    ContextScales,
    DwellScales,
    FreshColumn,
    ItemColumns,
    NumberScales,
    candidate_context,
    number_scales_of,
)
from endcap.schema import Action, Catalogue, make_events
from endcap.schema import ContextColumn as C

NOW = 10_000_000_000
SCALES = ContextScales(dwell=DwellScales(mean=1.0, scale=2.0, click_rate=0.5))


def seconds(log_dwell):
    """Return the ms whose log(1 + seconds) is so much."""
    return round(1_000 * (np.exp(log_dwell) - 1))


@pytest.fixture
def history():
    """Return three shown videos of log dwells 1, 3 and 5; the second was clicked."""
    return make_events(
        timestamp_us=[NOW - 300, NOW - 200, NOW - 200, NOW - 100],
        item=[0, 1, 1, 0],
        action=[Action.IMPRESSION, Action.IMPRESSION, Action.CLICK, Action.IMPRESSION],
        dwell_ms=[seconds(1), seconds(3), seconds(3), seconds(5)],
    )


def ask(history, fresh=None, scales=SCALES):
    counters = np.zeros((2, NUM_COUNTERS + 4), dtype=np.float32)
    if fresh is not None:
        counters[:, NUM_COUNTERS:] = fresh
    columns = ItemColumns.of(Catalogue.of_ids(["a", "b"]), scales)
    return candidate_context(history, NOW, np.array([0, 1], dtype=np.int32), columns, counters)


def test_a_shoppers_own_dwells_by_hand(history):
    found = ask(history)[0]
    # Standardised: 0, 1, 2; the mean of all is held by two usual slots.
    assert found[C.OWN_DWELL] == pytest.approx(3 / 5, abs=1e-3)
    assert found[C.LAST_DWELL] == pytest.approx(2, abs=1e-3)
    assert found[C.LAST_3_DWELL] == pytest.approx(1, abs=1e-3)
    assert found[C.LAST_5_CLICKED] == pytest.approx(1 / 3 - 0.5)


def test_an_items_fresh_counters_by_hand(history):
    fresh = np.zeros((2, 4), dtype=np.float32)
    fresh[1, [FreshColumn.SHOWN - 5, FreshColumn.CLICKS - 5]] = 3, 3
    fresh[1, [FreshColumn.TIMED - 5, FreshColumn.LOG_DWELL - 5]] = 3, 9
    found = ask(history, fresh)
    np.testing.assert_allclose(found[:, C.ITEM_DWELL], [0, 3 / 4])
    np.testing.assert_allclose(found[:, C.ITEM_CLICKED], [0, np.log(3.5 / 4 / 0.5)], rtol=1e-6)
    np.testing.assert_allclose(found[:, C.ITEM_TIMES], [0, np.log(4)], rtol=1e-6)


def test_without_scales_of_dwell_nothing_of_it_is_read(history):
    found = ask(history, scales=structs.replace(SCALES, dwell=None))
    assert not found[:, C.ITEM_DWELL : C.LAST_20_CLICKED + 1].any()


def test_a_clicked_item_that_came_after_the_counters_counts_as_new(history):
    columns = ItemColumns.of(Catalogue.of_ids(["a", "b", "late"]), SCALES)
    counters = np.ones((2, NUM_COUNTERS + 4), dtype=np.float32)
    found = candidate_context(history, NOW, np.array([2], dtype=np.int32), columns, counters)
    assert found[0, C.ITEM_TIMES] == 0


def test_an_amount_stands_in_the_context_by_its_logarithm():
    made = Catalogue.of_ids(["a", "b", "c", "d"])
    for row, text in enumerate(("length=1", "length=100", "length=0", "length=1e9")):
        made.attributes[row] = (text,)
    scales = number_scales_of(made, np.array([True, True, True, False]), "length")
    assert scales == NumberScales(name="length", mean=np.log(10), scale=np.log(10))
    columns = ItemColumns.of(made, ContextScales(number=scales))
    counters = np.zeros((4, NUM_COUNTERS), dtype=np.float32)
    item = np.arange(4, dtype=np.int32)
    found = candidate_context(make_events(), NOW, item, columns, counters)
    np.testing.assert_allclose(found[:3, C.NUMBER], [-1, 1, 0], rtol=1e-5)
    assert found[:, C.NUMBER_UNKNOWN].tolist() == [0, 0, 1, 0]
