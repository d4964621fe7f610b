"""A shopper's tastes against the slots they were shown, by hand."""

import numpy as np
import pytest

from endcap.features import (
    NUM_COUNTERS,
    ContextScales,
    CounterColumn,
    ItemColumns,
    TasteStrengths,
    candidate_context,
    split_history,
)
from endcap.features.candidates import ContextColumn as C
from endcap.schema import Action, Catalogue, make_events

EVEN = TasteStrengths(shopper=1.0, top=1.0, leaf=1.0, brand=1.0, word=1.0)
TASTES = [C.TOP_TASTE, C.LEAF_TASTE, C.BRAND_TASTE, C.WORD_TASTE]


@pytest.fixture
def columns():
    made = Catalogue.of_ids(["shoe", "hat", "lamp", "bare"])
    made.categories[:] = ["Wear > Shoes", "Wear > Hats", "Home > Lamps", ""]
    made.brands[:] = ["Acme", "Lux", "Acme", ""]
    made.titles[:] = ["red shoe", "red hat", "lamp", ""]
    return ItemColumns.of(made, ContextScales(tastes=EVEN))


@pytest.fixture
def counters():
    """The shop draws (19 + 1) / (80 + 20) = 0.2; the shoe (19 + 20 * 0.2) / (80 + 20) = 0.23."""
    made = np.zeros((4, NUM_COUNTERS), dtype=np.float32)
    made[0, CounterColumn.IMPRESSIONS], made[0, CounterColumn.CLICKS] = 80, 19
    return made


def events(*rows):
    item, action, slot = zip(*rows, strict=True)
    return make_events(timestamp_us=range(len(rows)), item=item, action=action, slot=slot)


def ask(history, columns, counters):
    item = np.arange(4, dtype=np.int32)
    return candidate_context(history, 100, item, columns, counters).astype(float)


SHOWN = [(0, Action.IMPRESSION, 0), (1, Action.IMPRESSION, 1), (2, Action.IMPRESSION, 0)]


def test_clicks_over_expectation_are_shrunk_level_by_level(columns, counters):
    found = ask(events(*SHOWN, (0, Action.CLICK, 0)), columns, counters)
    # Expected of the shown slots: shoe 0.23; hat, a slot later, 0.2 * 0.85 = 0.17; lamp 0.2.
    shopper = (1 + 1) / (0.23 + 0.17 + 0.2 + 1)
    wear, home = (1 + shopper) / (0.4 + 1), (0 + shopper) / (0.2 + 1)
    shoes, hats, lamps = (1 + wear) / (0.23 + 1), (0 + wear) / (0.17 + 1), (0 + home) / (0.2 + 1)
    acme, lux = (1 + shopper) / (0.43 + 1), (0 + shopper) / (0.17 + 1)
    red, shoe = (1 + shopper) / (0.4 + 1), (1 + shopper) / (0.23 + 1)
    hat, lamp = (0 + shopper) / (0.17 + 1), (0 + shopper) / (0.2 + 1)
    assert shopper == pytest.approx(1.25)
    for column, ratios in (
        (C.SHOPPER_RATE, [shopper**2] * 4),
        (C.TOP_TASTE, [wear, wear, home, shopper]),
        (C.LEAF_TASTE, [shoes, hats, lamps, shopper]),
        (C.BRAND_TASTE, [acme, lux, acme, shopper]),
        (C.WORD_TASTE, [np.sqrt(red * shoe), np.sqrt(red * hat), lamp, shopper]),
    ):
        expected = np.log(np.array(ratios) / shopper)
        np.testing.assert_allclose(found[:, column], expected, atol=1e-6, err_msg=column.name)
    np.testing.assert_allclose(found[:, C.ITEM_SHOWN], np.log([2, 2, 2, 1]), rtol=1e-6)


def test_a_slot_beyond_the_tenth_or_unknown_is_expected_to_draw_what_the_tenth_does(
    columns, counters
):
    for slot in (10, 11, 255):
        found = ask(events((1, Action.IMPRESSION, slot)), columns, counters)
        rate = np.log(1 / (0.2 * 0.85**10 + 1))
        np.testing.assert_allclose(found[:, C.SHOPPER_RATE], rate, atol=1e-6)


def test_what_is_unknown_of_an_item_says_nothing(columns, counters):
    found = ask(events((3, Action.IMPRESSION, 0), (3, Action.CLICK, 0)), columns, counters)
    assert not found[3, TASTES].any()
    np.testing.assert_allclose(found[:, C.SHOPPER_RATE], np.log(2 / 1.2), atol=1e-6)


def test_without_shown_slots_there_is_no_taste(columns, counters):
    found = ask(events((0, Action.CLICK, 0)), columns, counters)
    assert not found[:, [*TASTES, C.SHOPPER_RATE, C.ITEM_SHOWN]].any()


def test_a_history_parts_into_deeds_and_shown_items_that_are_known():
    history = events(*SHOWN, (0, Action.CLICK, 0), (-1, Action.IMPRESSION, 2))
    did, shown = split_history(history)
    assert did["action"].tolist() == [Action.CLICK]
    assert shown["item"].tolist() == [0, 1, 2]
    assert shown["slot"].tolist() == [0, 1, 0]
    assert [len(part) for part in split_history(did)] == [1, 0]
