"""Which click an event after clicks goes back to: each is credited to one, so money counts once."""

import numpy as np
from numpy.typing import NDArray

from endcap.outcomes.join import NEVER, NextEvent, Outcomes
from endcap.schema import Dataset


def credited_after(dataset: Dataset, outcomes: Outcomes, event_type: str) -> NDArray[np.int64]:
    """Return when the first event of a kind came of each shown slot's click, [N]; -1 for none.

    An event with a decision id goes back to the click on that decision's slot. Any other goes back
    to the shopper's latest click on the same item strictly before it (last-touch attribution), so
    that three clicks and one purchase do not make three purchases.
    """
    events = dataset.histories.events
    rows = np.flatnonzero(
        (events["action"] == dataset.shop.action_of(event_type)) & (events["item"] >= 0)
    )
    clicked = np.flatnonzero(outcomes.clicked)
    found = np.full(len(outcomes.clicked), NEVER, dtype=np.int64)
    if len(rows) == 0 or len(clicked) == 0:
        return found
    click = _by_decision(dataset, clicked, rows)
    click = np.where(click >= 0, click, _by_time(dataset, outcomes, clicked, rows))
    times = events["timestamp_us"][rows]
    # A clock that ran back may put an event before its own click: it is not an event after it.
    after = (click >= 0) & (times > outcomes.click_us[click])
    order = np.argsort(-times[after], kind="stable")
    found[click[after][order]] = times[after][order]  # the earliest is written last and stays
    return found


def _by_decision(
    dataset: Dataset, clicked: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each event the clicked impression of its decision and item; -1 for none."""
    shown, events = dataset.impressions[clicked], dataset.histories.events[rows]
    decision = dataset.event_decision[rows]
    width = int(max(shown["item"].max(), events["item"].max())) + 1
    keys = shown["decision"] * width + shown["item"]
    order = np.flatnonzero(shown["decision"] >= 0)
    order = order[np.argsort(keys[order], kind="stable")]
    if len(order) == 0:
        return np.full(len(rows), NEVER, dtype=np.int64)
    wanted = decision * width + events["item"]
    place = np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)
    hit = (keys[order][place] == wanted) & (decision >= 0)
    return np.where(hit, clicked[order[place]], NEVER)


def _by_time(
    dataset: Dataset,
    outcomes: Outcomes,
    clicked: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for each event the latest click before it on its item by its user; -1 for none."""
    shown, events = dataset.impressions[clicked], dataset.histories.events[rows]
    # The latest before is the next one in reversed time.
    index = NextEvent(shown["user"], shown["item"], -outcomes.click_us[clicked])
    user = dataset.histories.user_of_event()[rows]
    found = index.after(user, events["item"], -events["timestamp_us"])
    return np.where(found >= 0, clicked[np.maximum(found, 0)], NEVER)
