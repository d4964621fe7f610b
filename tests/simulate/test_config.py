import pytest

from endcap.errors import ConfigError
from endcap.simulate import Placement, World, WorldConfig


def test_sizes_below_their_least_are_named():
    with pytest.raises(ConfigError, match=r"WorldConfig.shoppers must be 1 or more, got 0"):
        WorldConfig(shoppers=0)


def test_more_than_a_visit_a_day_names_the_remedy():
    with pytest.raises(ConfigError, match=r"between 0 and 1, got 2.0; .* add shoppers"):
        WorldConfig(sessions_per_day=2.0)


def test_the_world_begins_at_midnight():
    with pytest.raises(ConfigError, match=r"start_us must be midnight UTC"):
        WorldConfig(start_us=1)


def test_placements_are_named_once_and_the_best_has_attention_one():
    twice = (Placement(name="home", slots=2), Placement(name="home", slots=3))
    with pytest.raises(ConfigError, match=r"name each placement once"):
        WorldConfig(placements=twice)
    with pytest.raises(ConfigError, match=r"1 for the best placement; got \[0.5\]"):
        WorldConfig(placements=(Placement(name="home", slots=2, attention=0.5),))
    with pytest.raises(ConfigError, match=r"1 or more slots"):
        WorldConfig(placements=(Placement(name="home", slots=0),))


def test_dwell_needs_a_mean_above_zero():
    with pytest.raises(ConfigError, match=r"dwell_mean_ms must be more than 0, got 0"):
        WorldConfig(dwell_mean_ms=0)


def test_every_mechanism_has_a_switch():
    assert {"tastes", "examination", "neighbours", "delays", "ratings"} < set(
        WorldConfig.switches()
    )
    assert len(WorldConfig.switches()) == 22


def test_the_seed_may_be_given_alone_or_override():
    assert World(seed=5).config.seed == 5
    assert World(WorldConfig(seed=5, shoppers=9), seed=6).config == WorldConfig(seed=6, shoppers=9)
    assert World().config == WorldConfig()
