"""Explanations in tables, from the small shop's model."""

import numpy as np
import polars as pl
import pytest

from endcap.api.model import load
from endcap.errors import QueryError
from endcap.schema import DIMENSIONS


@pytest.fixture(scope="module")
def model(model_folder):
    """Return the small shop's model, opened."""
    return load(model_folder)


def test_every_item_has_every_dimension_and_attention_adds_up(model):
    found = model.explain("u7", ["i3", "i4", "i8"])
    assert found.task == "click"
    assert found.dimensions.height == 3 * len(DIMENSIONS)
    sums = found.dimensions.group_by("item_id").agg(pl.sum("attention"))["attention"]
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    for column in ("effect", "next"):  # centred over the page
        means = found.dimensions.group_by("dimension").agg(pl.mean(column))[column]
        np.testing.assert_allclose(means, 0, atol=1e-6)


def test_a_single_item_is_explained_beside_the_likeliest_ones(model):
    found = model.explain("u7", "i3")
    assert found.dimensions["item_id"].unique().to_list() == ["i3"]
    assert found.dimensions["next"].abs().max() > 0
    assert found.shares.height == 11


def test_events_say_what_they_were_and_what_their_removal_does(model):
    found = model.explain("u7", "i3", top_events=2)
    assert found.events["effect"].is_not_null().sum() == 2
    assert set(found.events["action"]) <= {"click", "add_to_cart", "purchase"}
    assert found.events["timestamp_us"].is_sorted()
    later = model.explain("u7", "i3", at="2024-10-08T00:00Z")
    assert later.events["timestamp_us"].max() < 1_728_345_600_000_000


def test_what_an_ad_takes_is_given_back_to_the_others(model):
    found = model.explain("u7", ["i3", "i0", "i8"], campaigns=[None, "c0", None], placement="home")
    whole = found.shares.filter(pl.col("without").is_null())
    rest = found.shares.filter(pl.col("without") == "c0")
    assert whole["share"].sum() == pytest.approx(1) == rest["share"].sum()
    assert rest["share"][1] == 0
    assert (rest["share"][0] / rest["share"][2]) == pytest.approx(
        whole["share"][0] / whole["share"][2]
    )
    assert (whole["attention_ms"] > 0).all()


def test_a_stranger_has_no_events(model):
    found = model.explain("nobody", ["i3", "i4"])
    assert found.events.height == 0
    assert found.dimensions.height == 2 * len(DIMENSIONS)
    assert "<table" in found._repr_html_()


def test_the_next_item_can_be_explained_too(model):
    found = model.explain("u7", ["i3", "i4"], task="next", top_events=3)
    assert found.task == "next"
    assert found.dimensions["attention"].is_null().all()
    assert found.events.filter(pl.col("effect").is_not_null())["item_id"].to_list().count("i3") == 3


def test_explanations_are_drawn(model):
    items, ads = ["i3", "i0", "i8"], [None, "c0", None]
    found = model.explain("u7", items, campaigns=ads, placement="home")
    tells = {
        "dimensions": "share of attention: i3, i0, i8 by dimension",
        "effects": "effect on the log-odds: i3, i0, i8 by dimension",
        "events": "share of attention: i3, i0, i8 by event, -1 the latest",
        "shares": "share of the page's attention: the page, without c0 by slot",
    }
    for kind, expected in tells.items():
        chart = found.plot(kind)
        assert chart.tells == expected
        # A bar each: of every item and dimension, every item and event, every page and slot.
        bars = {"events": found.events.height, "shares": 6}.get(kind, 3 * len(DIMENSIONS))
        assert chart.svg.count("clip-path") >= bars > 0


def test_a_picture_that_cannot_be_drawn_says_why(model):
    found = model.explain("u7", ["i3", "i4"], task="next", top_events=0)
    with pytest.raises(QueryError, match=r"task 'next' has no dimensions to draw"):
        found.plot("dimensions")
    with pytest.raises(QueryError, match=r"kind must be one of dimensions, effects, .*got 'pie'"):
        found.plot("pie")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"items": []}, "items must name at least one item to explain, got none"),
        ({"campaigns": ["c0"]}, "one entry per item, None for a product; got 1 for 2 items"),
        ({"task": "joy"}, "task must be one of next, click, .*got 'joy'"),
        ({"task": "any_purchase"}, "task must be one of next, click, .*got 'any_purchase'"),
        ({"placement": "attic"}, "placement must be one of home, got 'attic'"),
    ],
)
def test_a_question_that_cannot_be_heard_says_why(model, asked, message):
    with pytest.raises(QueryError, match=message):
        model.explain("u7", **({"items": ["i3", "i4"]} | asked))
