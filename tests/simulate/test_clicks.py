"""By truth: what happens has the frequency that the truth says."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.errors import ConfigError
from endcap.simulate import World, WorldConfig


def clicked(world, pages):
    responses = world.respond(pages)
    grid = np.zeros(pages.item.shape, dtype=bool)
    grid[responses.row, responses.place] = True
    return grid, responses


def within(count, expected, sigmas=4):
    """Counts of rare events spread like the square root of what is expected."""
    return np.abs(count - expected) <= sigmas * np.sqrt(expected)


def test_clicks_come_as_often_as_examination_times_q(make_pages):
    world = World(WorldConfig(neighbours=False))
    pages = make_pages(world, 30_000, ads=(2,))
    grid, responses = clicked(world, pages)
    expected = world.layout.examination[pages.device] * responses.truth.q
    np.testing.assert_allclose(responses.chance, expected, rtol=1e-6)
    for device in (1, 2):
        rows = pages.device == device
        assert within(grid[rows].sum(axis=0), expected[rows].sum(axis=0)).all()


def test_clicks_are_calibrated_in_every_tenth_of_the_chance(make_pages):
    world = World()
    grid, responses = clicked(world, make_pages(world, 30_000, ads=(1, 7)))
    tenth = np.digitize(responses.chance, np.quantile(responses.chance, np.arange(0.1, 1, 0.1)))
    for number in range(10):
        rows = tenth == number
        assert within(grid[rows].sum(), responses.chance[rows].sum())


def test_an_ad_takes_attention_from_both_neighbours_of_its_placement_only(make_pages):
    world = World(WorldConfig())
    pages = make_pages(world, 200, ads=(5, 8))  # last of home (0-5), third of aside (6-9)
    alone = World(WorldConfig(neighbours=False)).respond(pages).chance
    ratio = (world.respond(pages).chance / alone).mean(axis=0)
    taken = [1, 1, 1, 1, 0.85, 1, 1, 0.85, 1, 0.85]
    np.testing.assert_allclose(ratio, taken, rtol=1e-5)


def test_an_empty_slot_is_never_clicked(make_pages):
    world = World()
    pages = make_pages(world, 2_000)
    pages.item[:, 3] = -1
    grid, responses = clicked(world, pages)
    assert not grid[:, 3].any()
    assert (responses.chance[:, 3] == 0).all()


def test_an_item_has_the_same_luck_wherever_it_stands(make_pages):
    world = World(WorldConfig(examination=False, neighbours=False))
    pages = make_pages(world, 3_000)
    turned = replace(pages, item=pages.item[:, ::-1].copy())
    grid, _ = clicked(world, pages)
    again, _ = clicked(world, turned)
    np.testing.assert_array_equal(grid, again[:, ::-1])


def test_in_a_cascade_world_the_chance_is_that_of_what_happens(make_pages):
    world = World(WorldConfig(cascade=True, base_logit=-0.5))
    pages = make_pages(world, 20_000)
    grid, responses = clicked(world, pages)
    assert within(grid.sum(axis=0), responses.chance.sum(axis=0)).all()
    free = World(WorldConfig(base_logit=-0.5)).respond(pages).chance
    assert np.allclose(responses.chance[:, [0, 6]], free[:, [0, 6]])
    assert (responses.chance[:, 5] < 0.85 * free[:, 5]).mean() > 0.5


def test_examination_is_one_at_first_and_falls_faster_on_a_small_screen():
    config = WorldConfig()
    world = World(config)
    desktop, mobile = world.layout.examination[1], world.layout.examination[2]
    assert desktop[0] == mobile[0] == 1
    assert (np.diff(desktop[:6]) < 0).all()
    assert (mobile[1:] < desktop[1:]).all()


def test_a_placement_that_the_world_lacks_is_named():
    from endcap.simulate import Oracle

    with pytest.raises(ConfigError, match=r"one of the world's \['aside', 'home'\], got 'cart'"):
        Oracle(World()).examination("cart", 3, 1)
