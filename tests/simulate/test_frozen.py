"""The default world is frozen: figures published about it stay comparable."""

from hashlib import sha256

import numpy as np

from endcap.simulate import World

COLUMNS = "21385c4760e19a8aa136f22f6fd7ca623df853b63492ec58986a9f45367f8959"
CLICKS = "e048cd1e30dba5493c4b8caf73aea865fdae31e4b268f7bfe7494d2599cbe38b"


def test_the_integer_columns_of_the_default_world_are_frozen():
    assert World().fingerprint() == COLUMNS


def test_the_clicks_on_a_fixed_sample_of_pages_are_frozen(make_pages):
    responses = World().respond(make_pages(World(), 500, ads=(1, 7)))
    where = np.stack([responses.row, responses.place]).astype("<i8")
    assert sha256(where.tobytes()).hexdigest() == CLICKS


def test_another_seed_is_another_world():
    assert World(seed=8).fingerprint() != World(seed=7).fingerprint()


def test_prices_costs_and_categories_keep_their_limits():
    catalogue = World().catalogue()
    assert catalogue.num_items == 400
    assert catalogue.price_micros.min() >= 5_000_000
    assert catalogue.price_micros.max() <= 200_000_000
    assert (catalogue.unit_cost_micros < catalogue.price_micros).all()
    assert len(set(catalogue.categories)) == 32


def test_titles_name_brand_and_style_in_english_and_chinese():
    world = World()
    catalogue = world.catalogue()
    assert all(
        brand in title for brand, title in zip(catalogue.brands, catalogue.titles, strict=True)
    )
    assert all(any("一" <= letter <= "鿿" for letter in title) for title in catalogue.titles)
    style = catalogue.attributes[0][0].removeprefix("style=")
    assert style in catalogue.titles[0].lower()
