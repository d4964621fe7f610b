"""A recipe as a file: a training configuration in TOML that people can read and change."""

import tomllib
from pathlib import Path

import msgspec
from msgspec import structs, to_builtins

from endcap.errors import ConfigError, FileError
from endcap.train.recipes import TrainConfig

NOTE = "# How the network is trained; the reason of every number is in docs/rooms/train.md."


def format_recipe(config: TrainConfig) -> str:
    """Return the text of a recipe; the seed is the fit's own and is left out."""
    content = to_builtins(config)
    del content["seed"]
    model = content.pop("model")
    lines = [f"{name} = {_toml(value)}" for name, value in content.items()]
    inner = [f"{name} = {_toml(value)}" for name, value in model.items()]
    return "\n".join([NOTE, *lines, "", "[model]", *inner]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def read_recipe(path: Path, *, seed: int = 0) -> TrainConfig:
    """Read a recipe; what it leaves out has its default.

    Raises:
        FileError: there is no such file.
        ConfigError: it is no TOML, names a field that is not there, or a value cannot be used.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The recipe {path} is no TOML: {error}.") from error
    if "seed" in content:
        raise ConfigError(f"The recipe {path} names a seed; give it as --seed, and remove it here.")
    try:
        config = msgspec.convert(content, TrainConfig)
    except msgspec.ValidationError as error:
        # A value that a configuration itself refuses comes with its own sentence.
        reason = str(error.__cause__ or error).rstrip(".")
        raise ConfigError(
            f"The recipe {path} cannot be used: {reason}. `recipe.toml` in a model folder has "
            f"every field."
        ) from error
    return structs.replace(config, seed=seed)
