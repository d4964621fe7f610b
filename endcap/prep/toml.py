"""Write a `shop.toml` that people can read and change."""

from pathlib import Path
from typing import Any

import msgspec

from endcap.errors import FileError
from endcap.schema import DEFAULT_TASKS, ShopConfig

COMMENTS = {
    "": "How this shop's log is written, and what a page is worth to it. docs/shop-toml.md has "
    "every field.",
    "log": "How the log is written. A row's instant is as long as the resolution says: second, "
    "day, order, ...",
    "log.columns": 'Our names = the file\'s own. "" leaves a column unread; "{date} {hour}" joins '
    "columns.",
    "log.event_types": 'The log\'s kinds = ours. A key may end in *; "impression+click" tells two '
    "events.",
    "items": "The catalogue.",
    "items.columns": "Our names = the file's own.",
    "split": "Which days are kept aside for validation and test.",
    "value": "The shop's exchange rates into money, in micros (a millionth of the currency).",
    "page": "The page rule.",
    "tasks": "What the model is asked.",
    "more_tasks": "What it is asked besides.",
}


def write_shop(shop: ShopConfig, path: str | Path) -> Path:
    """Write a configuration; `schema.load_shop` reads it back equal.

    Raises:
        FileError: the file cannot be written.
    """
    target = Path(path)
    try:
        target.write_text(format_shop(shop), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{target} cannot be written: {error}.") from error
    return target


def format_shop(shop: ShopConfig) -> str:
    """Return the text of a `shop.toml`; what is unset, and the tasks by default, are left out."""
    content: dict[str, Any] = msgspec.to_builtins(shop)
    if shop.tasks == DEFAULT_TASKS:
        del content["tasks"]
    if not shop.more_tasks:
        del content["more_tasks"]
    return "\n".join(_table("", content)).strip() + "\n"


def _table(path: str, content: dict[str, Any]) -> list[str]:
    """Write a table: its own values first, then the tables inside it."""
    lines = [f"# {COMMENTS[path]}"] if path in COMMENTS else []
    if path:
        lines.append(f"[{path}]")
    inner: list[str] = []
    for key, value in content.items():
        name = f"{path}.{_key(key)}".lstrip(".")
        if isinstance(value, dict):
            if value:
                inner += ["", *_table(name, value)]
        elif _is_tables(value):
            inner += _tables(name, value)
        elif value is not None:
            lines.append(f"{_key(key)} = {_value(value)}")
    return [*lines, *inner]


def _tables(name: str, rows: list[dict[str, Any]]) -> list[str]:
    lines = ["", f"# {COMMENTS[name]}"] if name in COMMENTS else []
    for row in rows:
        lines += ["", f"[[{name}]]"]
        lines += [
            f"{_key(key)} = {_value(value)}" for key, value in row.items() if value is not None
        ]
    return lines


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if is_bare else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(_value(one) for one in value)}]"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """Quote a text as TOML and JSON do alike; a control character is escaped."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
