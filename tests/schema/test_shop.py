"""shop.toml at the door: what is wrong, in which field, and what to do."""

import re

import pytest

from endcap.errors import ConfigError, FileError
from endcap.schema import (
    DEFAULT_TASKS,
    PageConfig,
    ShopConfig,
    SplitConfig,
    dump_shop,
    load_shop,
    parse_shop,
)


@pytest.fixture
def load(tmp_path):
    def from_text(text):
        path = tmp_path / "shop.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_shop(path)

    return from_text


def test_an_empty_file_is_the_default_shop(load):
    assert load("") == ShopConfig()


def test_a_whole_file_is_read(load):
    shop = load("""
        currency = "EUR"
        zone = "Europe/Berlin"
        placements = ["home", "cart"]
        [log]
        resolution = "day"
        columns = { item_id = "StockCode" }
        [page]
        max_ads = 0
        [[tasks]]
        type = "binary"
        name = "cart"
        event_type = "add_to_cart"
        space = "clicks"
    """)
    assert (shop.currency, shop.placements) == ("EUR", ("home", "cart"))
    assert (shop.resolution_us, shop.has_clock) == (86_400_000_000, True)
    assert shop.tzinfo.key == "Europe/Berlin"
    assert shop.log.columns == {"item_id": "StockCode"}
    assert shop.page == PageConfig(max_ads=0)
    assert [task.name for task in shop.tasks] == ["cart"]


def test_an_order_only_log_has_no_clock(load):
    assert not load('[log]\nresolution = "order"').has_clock


SHARE = "must lie between 0 and 0.5, got {}; 0.1 is the default."
LISTED = "; docs/shop-toml.md lists the fields."
TYPES = "; it must be one of binary, category, count, hazard, next."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "Object contains unknown field `colour`" + LISTED),
        ("[page]\nads = 1", "Object contains unknown field `ads` - at `$.page`" + LISTED),
        ("[[tasks]]\ntype = 'next'\nnmae = 'x'", "Object contains unknown field `nmae` - at "
         "`$.tasks[0]`" + LISTED),
        ("[[tasks]]\ntype = 'guess'", "Invalid value 'guess' - at `$.tasks[0].type`" + TYPES),
        ("[[more_tasks]]\nname = 'x'", "Object missing required field `type` - at "
         "`$.more_tasks[0]`" + TYPES),
        ("[[more_tasks]]\ntype = 'next'\nweight = -1.0",
         "The weight of task 'next' must be 0 or more, got -1.0."),
        ("[[more_tasks]]\ntype = 'next'\n[[more_tasks]]\ntype = 'next'",
         "tasks must have different names, got 'next' twice; rename one."),
        ("[page]\nmax_ads = 'two'", "Expected `int`, got `str` - at `$.page.max_ads`" + LISTED),
        ("[log]\nresolution = 'week'", "Invalid enum value 'week' - at "
         "`$.log.resolution`; it must be one of day, hour, microsecond, millisecond, minute, "
         "order, second."),
        ("zone = 'Mars/Base'", "zone must be an IANA name such as Europe/Berlin, got 'Mars/Base'; "
         "correct zone in shop.toml."),
        ("[split]\nvalidation_share = 0.5", "split.validation_share " + SHARE.format(0.5)),
        ("[split]\ntest_share = 0.0", "split.test_share " + SHARE.format(0.0)),
        ("[page]\nepsilon = 1.5", "page.epsilon must lie between 0 and 1, got 1.5."),
        ("[page]\ndiversity = -0.1", "page.diversity must lie between 0 and 1, got -0.1."),
        ("[page]\ntemperature = -1.0", "page.temperature must be 0 or more, got -1.0."),
        ("[page]\nreserve_micros = -1", "page.reserve_micros must be 0 or more, got -1."),
        ("[page]\nshortlist = 0", "page.shortlist must be 1 or more, got 0."),
        ("[page]\ncandidates = 0", "page.candidates must be 1 or more, got 0."),
        ("[[tasks]]\ntype = 'next'\n[[tasks]]\ntype = 'next'",
         "tasks must have different names, got 'next' twice; rename one."),
        ("[[tasks]]\ntype = 'next'\nweight = -1.0",
         "The weight of task 'next' must be 0 or more, got -1.0."),
        ("[[tasks]]\ntype = 'hazard'\nname = 'buy'\nmeasures = 'delay'\nspace = 'all'\n"
         "within_hours = 0.0", "within_hours of task 'buy' must be above 0, got 0.0."),
        ("[[tasks]]\ntype = 'hazard'\nname = 'buy'\nmeasures = 'delay'\nspace = 'impressions'",
         "Task 'buy' measures a delay, which starts at a click or at any instant; write "
         'space = "clicks", "all" or "shoppers" (only dwell is asked of impressions).'),
        ("[[tasks]]\ntype = 'hazard'\nname = 'dwell'\nmeasures = 'dwell'\nspace = 'all'",
         "Task 'dwell' measures dwell, which needs something shown; write "
         'space = "clicks" or "impressions".'),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(load, text, message):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value) == f"shop.toml: {message}"


@pytest.mark.parametrize("text", ["name = ", b"\xff\xfe"])
def test_what_is_no_toml_says_so(load, text):
    with pytest.raises(ConfigError, match=r"^shop\.toml is not valid TOML: .+\.$"):
        load(text)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path):
    path = tmp_path / "shop.toml"
    message = f"There is no {path}; `endcap inspect LOG --write` writes one."
    with pytest.raises(FileError, match=f"^{re.escape(message)}$"):
        load_shop(path)


def test_in_code_the_same_checks_hold():
    with pytest.raises(
        ConfigError, match=r"^split\.test_share must lie between 0 and 0\.5, got 0\.7"
    ):
        ShopConfig(split=SplitConfig(test_share=0.7))


def test_a_shop_survives_the_artifacts_json():
    shop = ShopConfig(zone="Asia/Tokyo", placements=("a", "b"), tasks=DEFAULT_TASKS[2:5])
    assert parse_shop(dump_shop(shop)) == shop
