"""Days on which a shopper was active, bought, or met an item."""

import numpy as np
import pytest

from endcap.features.activity import count_days
from endcap.schema import NUM_CONTEXT, Action, make_events
from endcap.schema import ContextColumn as C

DAY_US = 86_400_000_000
NOW_US = 100 * DAY_US


def counted(ages_days, items, actions, asked):
    order = np.argsort(-np.array(ages_days))
    history = make_events(
        timestamp_us=NOW_US - (np.array(ages_days)[order] * DAY_US).astype(np.int64),
        item=np.array(items)[order],
        action=np.array(actions)[order],
    )
    context = np.zeros((len(asked), NUM_CONTEXT), dtype=np.float32)
    count_days(context, history, NOW_US, np.array(asked, dtype=np.int32))
    return context


def test_events_of_one_day_count_once_and_older_days_less():
    found = counted([0.1, 0.2, 3.5], [7, 7, 8], [Action.CLICK] * 3, [7, 8, 9])
    np.testing.assert_allclose(found[:, C.ITEM_DAYS], np.log1p([1, 1, 0]), rtol=1e-6)
    faded = np.log1p([1, np.exp(-1), 0])  # three whole days back
    np.testing.assert_allclose(found[:, C.ITEM_DAYS_3], faded, rtol=1e-6)
    assert found[0, C.DAYS_2] == pytest.approx(np.log1p(1 + np.exp(-1.5)))
    assert (found[:, C.DAYS_7] == found[0, C.DAYS_7]).all()
    assert found[0, C.TENURE] == pytest.approx(np.log1p(3) / 3)


def test_purchases_have_days_of_their_own():
    found = counted([1.5, 7.2, 7.3, 9], [1, 2, 2, 3], [Action.VIEW, 7, 7, Action.VIEW], [1])
    assert found[0, C.BUY_DAYS] == pytest.approx(np.log1p(1))
    assert found[0, C.BUY_DAYS_7] == pytest.approx(np.log1p(np.exp(-1)))
    assert found[0, C.SINCE_BUY] == pytest.approx(1 / 8.2)
    assert not counted([1.0], [1], [Action.VIEW], [1])[0, C.BUY_DAYS : C.SINCE_BUY + 1].any()


def test_an_event_without_an_item_is_no_day_of_an_item():
    found = counted([0.5], [-1], [Action.SEARCH], [0, 5])
    assert not found[:, C.ITEM_DAYS].any()
    assert found[:, C.DAYS_2].all()
