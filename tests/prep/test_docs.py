import re
from pathlib import Path

import msgspec
import pytest

from endcap.schema import Binary, Count, Hazard, NextCategory, NextItem, ShopConfig
from endcap.schema.shop import RESOLUTION_US

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "shop-toml.md").read_text(encoding="utf-8")


def fields_of(struct):
    for field in msgspec.structs.fields(struct):
        yield field.name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from fields_of(field.type)


@pytest.mark.parametrize("struct", [ShopConfig, NextItem, Binary, Hazard, Count, NextCategory])
def test_every_field_of_a_shop_is_described(struct):
    missing = [name for name in fields_of(struct) if f"| `{name}` |" not in PAGE]
    assert missing == []


def test_every_resolution_is_named():
    assert [name for name in RESOLUTION_US if f"`{name}`" not in PAGE] == []


def test_the_example_is_a_shop():
    examples = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.S)
    shop, more = (msgspec.toml.decode(example, type=ShopConfig) for example in examples)
    assert shop.log.columns["timestamp"] == "{date} {time}"
    assert more.more_tasks[0].name == "sample"
    assert more.more_tasks[1].of == "price"


def test_every_file_of_the_room_is_on_its_page():
    page = (DOCS / "rooms" / "prep.md").read_text(encoding="utf-8")
    files = (DOCS.parent / "endcap" / "prep").glob("[a-z]*.py")
    assert [file.name for file in files if f"`{file.name}`" not in page] == []
