"""A fitted model in its users' hands: tables out, fallbacks by name, no question it cannot hear."""

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from endcap.api.model import load
from endcap.api.words import parse_instant
from endcap.errors import ArtifactError, QueryError
from endcap.features import split_history


@pytest.fixture(scope="module")
def model(model_folder):
    """Return the small shop's model, opened."""
    return load(model_folder)


def test_every_shopper_of_the_log_gets_a_list_best_first(model):
    frame = model.recommend(limit=5)
    assert frame.columns == ["user_id", "rank", "item_id", "score", "source"]
    assert frame.height == 5 * len(model.artifact.user_ids)
    one = frame.filter(pl.col("user_id") == "u3")
    assert one["rank"].to_list() == [1, 2, 3, 4, 5]
    assert one["score"].is_sorted(descending=True)
    assert one["item_id"].n_unique() == 5


def test_a_list_is_the_same_alone_and_in_company(model):
    alone = model.recommend(["u3"], limit=5)
    company = model.recommend(["u1", "u3", "u9"], limit=5).filter(pl.col("user_id") == "u3")
    assert alone.equals(company)


def test_a_user_whose_id_is_all_is_asked_for_by_a_list(model):
    assert model.recommend(["all"], limit=2)["user_id"].to_list() == ["all", "all"]


def test_an_explained_score_is_the_sum_of_its_parts(model):
    frame = model.recommend(["u3"], limit=5, explain=True)
    parts = frame.drop("user_id", "rank", "item_id", "score", "source")
    assert "network" in parts.columns
    np.testing.assert_allclose(parts.sum_horizontal(), frame["score"], rtol=1e-4)


def test_what_a_shopper_met_can_be_left_out(model):
    met = split_history(model.history("u3"))[0]["item"]  # what was only shown was not met
    seen = {str(model.artifact.catalogue.item_ids[row]) for row in met[met >= 0]}
    listed = set(model.recommend(["u3"], limit=30, exclude_seen=True)["item_id"])
    assert seen and not seen & listed
    assert listed | seen == set(model.row_of_item)


def test_a_list_knows_only_what_came_before_its_instant(model):
    first = int(model.history("u3")["timestamp_us"][0])
    at = datetime.fromtimestamp(first / 1e6, tz=UTC).isoformat()
    assert set(model.recommend(["u3"], at=at)["source"]) == {"popular"}
    assert set(model.recommend(["u3"])["source"]) == {"model"}


def test_a_stranger_gets_what_is_popular(model):
    frame = model.recommend(["nobody"], limit=3)
    assert frame["source"].to_list() == ["popular"] * 3
    other = model.recommend(["somebody else"], limit=3)
    assert frame["item_id"].to_list() == other["item_id"].to_list()


def test_what_is_not_available_is_not_recommended(model_folder):
    model = load(model_folder)
    best = model.recommend(["u3", "nobody"], limit=1)
    for item_id in best["item_id"]:
        model.artifact.catalogue.available[model.row_of_item[item_id]] = False
    assert not set(best["item_id"]) & set(model.recommend(["u3", "nobody"], limit=30)["item_id"])


def test_a_longer_time_never_makes_a_purchase_less_likely(model):
    chances = [
        model.predict("u3", "i4", within=within)["purchase"][0]
        for within in ("30m", "12h", "1d", "7d", "2w")
    ]
    assert chances == sorted(chances) and 0 < chances[0] < chances[-1] < 1


def test_a_slot_scales_the_click_by_its_examination(model):
    examined = model.predictor.examination("home", 3, 0)
    free = model.predict("u3", "i4")["click"][0]
    for slot in range(3):
        placed = model.predict("u3", "i4", slot=slot, placement="home")["click"][0]
        assert placed == pytest.approx(free * examined[slot])


def test_an_ad_on_the_page_moves_the_purchase_and_no_other_answer(model):
    without, beside = (model.predict("u3", "i4", ad=ad) for ad in (None, "i0"))
    assert beside["purchase"][0] != without["purchase"][0]
    assert 0 < beside["purchase"][0] < 1
    for name in ("click", "dwell_ms", "buy"):
        assert beside[name][0] == without[name][0]
    longer = model.predict("u3", "i4", ad="i0", within="2w")["purchase"][0]
    assert longer >= beside["purchase"][0]


def test_a_question_without_an_ad_gives_the_graph_zeros_alone(model):
    nothing = model.predictor.graphs._ad_inputs(None, np.array([4, 0], dtype=np.int32))
    assert all(not value.any() for value in nothing.values())


def test_the_ads_own_item_is_asked_about_as_an_ad(model):
    named = model.predict("u3", "i1", ad="i1")["click"][0]
    assert named == model.predict("u3", "i1", campaign="c0")["click"][0]
    assert named != model.predict("u3", "i1")["click"][0]


def test_a_shop_without_ads_is_told_so(model_folder):
    quiet = load(model_folder)
    quiet.artifact.arrays["shown_ads"] = quiet.artifact.arrays["shown_ads"][:0]
    with pytest.raises(QueryError, match=r"^The log that .* shows no ads .*; leave the ad out\.$"):
        quiet.predict("u1", "i1", ad="i0")


def test_an_item_answers_the_same_alone_and_in_company(model):
    alone = model.predict("u3", "i4").drop("user_id", "item_id", "within", "source")
    company = model.predict(["u1", "u3"], ["i2", "i4", "i9"])
    row = company.filter((pl.col("user_id") == "u3") & (pl.col("item_id") == "i4"))
    for name in alone.columns:
        assert row[name][0] == pytest.approx(alone[name][0], rel=1e-5), name


def test_unknown_items_answer_alike_and_say_so(model):
    frame = model.predict("u3", ["new one", "new two"])
    assert set(frame["source"]) == {"item without fields"}
    assert frame["click"][0] == pytest.approx(frame["click"][1])


def test_a_task_that_the_log_could_not_teach_answers_nothing(model):
    trained = set(model.report["tasks"])
    frame = model.predict("u3", "i4")
    for column, task in (("purchase", "purchase"), ("click", "click"), ("dwell_ms", "dwell")):
        assert (frame[column][0] is not None) == (task in trained)


def test_like_items_leave_the_item_itself_out(model):
    frame = model.similar("i4", limit=29)
    assert "i4" not in frame["item_id"] and frame["item_id"].n_unique() == 29
    assert frame["similarity"].is_sorted(descending=True)
    assert frame["similarity"].max() <= 1.0 + 1e-6
    assert set(model.similar("nothing", limit=2)["source"]) == {"popular"}


@pytest.mark.parametrize(
    "ask, sentence",
    [
        (lambda m: m.recommend("u1", limit=0), "limit must be 1 or more, got 0"),
        (lambda m: m.similar("i1", limit=0), "limit must be 1 or more, got 0"),
        (lambda m: m.recommend("u1", at="noon"), "at must be an RFC 3339 instant .*, got 'noon'"),
        (lambda m: m.predict("u1", "i1", within="0d"), "within must be a time .*, got '0d'"),
        (lambda m: m.predict("u1", "i1", slot=-1), "slot must be 0 or more, .*, got -1"),
        (
            lambda m: m.predict("u1", "i1", slot=0, placement="attic"),
            "placement must be one of home, got 'attic'",
        ),
        (lambda m: m.predict("u1", "i1", device="fridge"), "device must be one of .*'fridge'"),
        (
            lambda m: m.predict("u1", "i1", ad="c7"),
            r"ad must be a campaign, or an item .*such as c0, i.*; the model knows no 'c7'\.$",
        ),
        (
            lambda m: m.predict("u1", "i1", ad="i29"),
            r"Item 'i29' is no ad: no campaign advertises it; ads are for instance c0, i.*\.$",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(model, ask, sentence):
    with pytest.raises(QueryError, match=sentence):
        ask(model)


def test_an_instant_without_a_zone_is_utc():
    assert parse_instant("1970-01-01T00:01") == 60_000_000
    assert parse_instant("1970-01-01T01:00+01:00") == 0
    assert parse_instant("1970-01-01T00:00:00.5Z") == 500_000


def test_a_folder_without_a_model_says_what_makes_one(tmp_path):
    with pytest.raises(ArtifactError, match=r"There is no model in .*; `endcap fit LOG --out"):
        load(tmp_path)


def test_a_model_opens_and_answers_without_torch(model_folder):
    code = (
        "import sys, endcap\n"
        f"model = endcap.load({str(model_folder)!r})\n"
        "engine = endcap.Engine(model)\n"
        "page = engine.decide(endcap.Query(user_id='u1', placements={'home': 4}))\n"
        "print(len(page.chosen), len(model.recommend('u1', limit=2)), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["4", "2", "False"]
