"""A fitted model with a store behind it: a shop that goes on where it stopped."""

import numpy as np
import pytest

from endcap.api.engine import Engine
from endcap.api.model import load
from endcap.errors import StoreError
from endcap.schema import Query, ShopEvent
from endcap.store import Store

SOON_US = 20_011 * 86_400_000_000
HOME = {"home": 4}


@pytest.fixture(scope="module")
def model(model_folder):
    """Return the small shop's model, opened."""
    return load(model_folder)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'shop.db'}"


def clicks(user, *items):
    return [
        ShopEvent(user_id=user, event_type="click", timestamp_us=SOON_US + k, item_id=item)
        for k, item in enumerate(items)
    ]


def page(engine, user):
    return engine.decide(
        Query(user_id=user, placements=HOME, at_us=SOON_US + 60_000_000, explore=False, ads=False)
    )


def test_a_stored_shop_makes_the_pages_of_one_in_memory_before_and_after_a_restart(model, url):
    twin = Engine(model)
    with Engine(model, store=url) as engine:
        for user in ("u3", "u8", "stranger"):
            assert page(engine, user).shortlist == page(twin, user).shortlist
        for each in (engine, twin):
            each.observe(clicks("u3", "i5", "i6") + clicks("stranger", "i2"))
    with Engine(model, store=url) as engine:
        for user in ("u3", "u8", "stranger"):
            told, found = page(twin, user).shortlist, page(engine, user).shortlist
            assert found == told
        assert page(engine, "u3").subject == page(engine, "u3").subject


def test_a_click_changes_the_next_page(model, url):
    with Engine(model, store=url) as engine:
        before = page(engine, "stranger").shortlist
        engine.observe(clicks("stranger", "i2", "i2", "i5"))
        assert page(engine, "stranger").shortlist.q != before.q
        assert len(engine.state.histories.of("stranger")) == 3 + 2 * HOME["home"]


def test_a_store_that_is_open_may_be_given(model, url):
    from endcap.api.engine import start_of

    told = []
    store = Store(url, start_of(model), report=lambda *step: told.append(step))
    with Engine(model, store=store) as engine:
        assert engine.store is store
        np.testing.assert_array_equal(engine.state.histories.of("u3"), model.history("u3"))
    count = len(model.artifact.user_ids)
    assert told[-1] == ("storing the log's shoppers", count, count)


def test_a_store_that_is_no_file_is_told(model):
    with pytest.raises(StoreError, match=r"store must be 'memory' or sqlite:///FILE, got what is"):
        Engine(model, store="redis")
