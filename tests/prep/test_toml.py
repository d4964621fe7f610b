import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.errors import FileError
from endcap.prep import format_shop, write_shop
from endcap.schema import (
    Binary,
    Hazard,
    ItemsConfig,
    LogConfig,
    NextItem,
    ShopConfig,
    SplitConfig,
    load_shop,
)

NAMES = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=3)


@st.composite
def shops(draw):
    tasks = draw(
        st.sampled_from(
            [
                (NextItem(),),
                (
                    Binary(name="c", event_type="click", space="clicks"),
                    Hazard(name="d", measures="dwell", space="clicks"),
                ),
            ]
        )
    )
    return ShopConfig(
        name=draw(st.text(max_size=12)),
        currency=draw(st.sampled_from(["", "EUR"])),
        log=LogConfig(
            columns=draw(NAMES), event_types=draw(NAMES), drop_duplicates=draw(st.booleans())
        ),
        items=ItemsConfig(
            columns=draw(NAMES), attributes=tuple(draw(st.lists(st.text(), max_size=2)))
        ),
        split=SplitConfig(
            train_end=draw(st.sampled_from([None, "2026-07-01"])),
            test_share=draw(st.floats(0.01, 0.49)),
        ),
        placements=tuple(draw(st.lists(st.text(max_size=5), max_size=3))),
        **({"tasks": tasks} if draw(st.booleans()) else {}),
    )


@given(shop=shops())
def test_what_is_written_reads_back_equal(shop, tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    assert load_shop(write_shop(shop, path)) == shop


def test_the_file_explains_itself():
    text = format_shop(ShopConfig(log=LogConfig(event_types={"0": "click"})))
    assert "# How the log is written." in text
    assert '[log.event_types]\n0 = "click"' in text
    assert "tasks" not in text


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(FileError, match=r"shop\.toml cannot be written"):
        write_shop(ShopConfig(), tmp_path / "none" / "shop.toml")
