"""The demo's words and tables; what it computes is tested where it is computed."""

import json
from types import SimpleNamespace

import pytest

import endcap.api.demo
from endcap.api.comparison import PolicyResult
from endcap.simulate import WorldConfig

VALUES = {
    "random": 500,
    "popularity": 600,
    "logistic regression": 800,
    "endcap": 900,
    "oracle": 1600,
}


def result_of(policy, value):
    return PolicyResult(
        policy=policy,
        pages=250,
        value=(value, value - 50.0, value + 50.0),
        earned=(value, value - 90.0, value + 90.0),
        without_ads=(value - 30.0, value - 80.0, value + 20.0),
        ads_add=(30.0, -12.0, 71.0),
        clicks=321.5,
        dwell_seconds=12_300.0,
        margin=400.0,
        ad_money=25.0,
    )


@pytest.fixture
def quick_world(monkeypatch):
    """Put a lesson that is learned at once in the place of the shop; return what was asked."""
    asked = {}
    ad = SimpleNamespace(campaign_id="c1", slot=2, placement="aside")
    decision = SimpleNamespace(decision_id="a1b2", chosen=[ad])
    artifact = SimpleNamespace(user_ids=["u7"], manifest=SimpleNamespace(left_out={}))
    lesson = SimpleNamespace(
        run=SimpleNamespace(decisions=[decision]), model=SimpleNamespace(artifact=artifact)
    )

    def live(config, *, days, folder):
        asked.update(config=config, days=days)
        return None, None

    def compete(_, *, days):
        asked.update(test_days=days)
        return iter([result_of(*one) for one in VALUES.items()])

    monkeypatch.setattr(endcap.api.demo, "live", live)
    monkeypatch.setattr(endcap.api.demo, "learn", lambda *_: lesson)
    monkeypatch.setattr(endcap.api.demo, "compete", compete)
    return SimpleNamespace(asked=asked, left_out=artifact.manifest.left_out)


def test_the_table_shows_every_policy_and_the_sentence_sums_up(endcap, quick_world, tmp_path):
    result = endcap("demo", "--out", tmp_path)
    assert result.exit_code == 0
    for words in (
        *VALUES,
        "What 2 days after 21 days of log earned: per 1,000 pages, in EUR",
        "900 [850, 950]",
        "30 [-12, 71]",
        "Endcap is 30% of the way from popularity to the oracle",
        f"endcap why a1b2 --log {tmp_path / 'world'} --slot 2 --placement aside",
        f"endcap recommend {tmp_path / 'shop.model'} --user u7 --explain",
    ):
        assert words in result.stdout
    assert "competing for 2 days ..." in result.stderr


def test_machines_get_the_same_figures(endcap, quick_world, tmp_path):
    answer = json.loads(endcap("demo", "--out", tmp_path, "--json").stdout)
    assert [policy["policy"] for policy in answer["policies"]] == list(VALUES)
    assert answer["share_of_the_way"] == pytest.approx(0.3)
    assert answer["decisions"] == str(tmp_path / "world" / "decisions.jsonl")


def test_quick_is_a_smaller_shop_and_a_given_number_holds(endcap, quick_world, tmp_path):
    endcap("demo", "--out", tmp_path, "--quick", "--test-days", 3, "--seed", 9)
    asked = quick_world.asked
    assert (asked["config"].seed, asked["test_days"], asked["days"]) == (9, 3, 10)
    assert asked["config"].shoppers == WorldConfig().shoppers // 2


def test_a_log_that_teaches_too_little_says_what_to_give_more_of(endcap, quick_world, tmp_path):
    quick_world.left_out["buy"] = "needs 30 events, found 3"
    result = endcap("demo", "--out", tmp_path, "--days", 1)
    assert result.exit_code == 1
    assert " shoppers teach too little for a contest: buy needs 30" in result.stderr


@pytest.mark.parametrize("option", ["--days", "--test-days"])
def test_no_days_are_too_few(endcap, tmp_path, option):
    result = endcap("demo", "--out", tmp_path, option, 0)
    assert (result.exit_code, result.stderr) == (1, f"{option} must be 1 or more, got 0.\n")


def test_a_folder_of_something_else_is_not_touched(endcap, tmp_path):
    (tmp_path / "world").mkdir()
    result = endcap("demo", "--out", tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path / 'world'} exists and holds no world" in result.stderr
