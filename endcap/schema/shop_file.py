"""`shop.toml` as a file: its mistakes are named, with what may stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import inspect

from endcap.errors import ConfigError, FileError
from endcap.schema.shop import ShopConfig, check_names

FIELDS = "docs/shop-toml.md lists the fields"


def load_shop(path: Path) -> ShopConfig:
    """Read a `shop.toml`, checked.

    Raises:
        FileError: there is no such file.
        ConfigError: it is no TOML, or a field is unknown, missing or of the wrong type.
    """
    if not path.is_file():
        raise FileError(f"There is no {path}; `endcap inspect LOG --write` writes one.")
    try:
        return _joined(msgspec.toml.decode(path.read_bytes(), type=ShopConfig))
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise ConfigError(f"{path.name}: {error.__cause__}") from error
        raise ConfigError(f"{path.name}: {error}; {_remedy(str(error))}.") from error
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}.") from error


def _joined(shop: ShopConfig) -> ShopConfig:
    """Put `more_tasks` among the tasks."""
    tasks = {task.name: task for task in (*shop.tasks, *shop.more_tasks)}
    if len(shop.tasks) + len(shop.more_tasks) > len(tasks):
        check_names(shop.more_tasks)
    return msgspec.structs.replace(shop, tasks=tuple(tasks.values()), more_tasks=())


def _remedy(message: str) -> str:
    """Say what may stand at the place that a message names, where the choices are few."""
    place = re.search(r"`\$\.(.*)`$", message)
    path = re.findall(r"\w+|\[\d+\]", place[1]) if place else []
    if "missing required field `type`" in message:
        path.append("type")
    choices = sorted(set(_choices(inspect.type_info(ShopConfig), path)))
    return f"it must be one of {', '.join(choices)}" if choices else FIELDS


def _choices(kind: inspect.Type, path: list[str]) -> Iterator[str]:
    """Walk down to a field, and list the words that it may hold."""
    match kind:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _choices(each, path)
        case inspect.VarTupleType(item_type=item_type) if path:
            yield from _choices(item_type, path[1:])
        case inspect.StructType(tag=str(tag), tag_field=name) if path == [name]:
            yield tag
        case inspect.StructType(fields=fields) if path:
            for field in fields:
                if field.encode_name == path[0]:
                    yield from _choices(field.type, path[1:])
        case inspect.LiteralType(values=values) if not path:
            yield from (str(value) for value in values)


def dump_shop(shop: ShopConfig) -> str:
    """Write a configuration as a JSON text, as the artifact keeps it."""
    return msgspec.json.format(msgspec.json.encode(shop), indent=2).decode()


def parse_shop(text: str | bytes) -> ShopConfig:
    """Read what `dump_shop` wrote."""
    return msgspec.json.decode(text, type=ShopConfig)
