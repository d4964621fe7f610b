"""Every error a user can meet.

A message says what was expected, what came, and what to do next, in the user's own word for the
field. Each class is also the built-in it resembles, so callers may catch either.
"""


class EndcapError(Exception):
    """Anything that Endcap tells a user on purpose; the command line prints it in one sentence."""


class ConfigError(EndcapError, ValueError):
    """A setting, in `shop.toml` or in code, that cannot be used."""


class SchemaError(EndcapError, ValueError):
    """A file whose columns are not those that Endcap was told of."""


class LogError(EndcapError, ValueError):
    """A log whose content cannot be learned from."""


class FileError(EndcapError, OSError):
    """A file that is missing, unreadable, not what its ending says, or that cannot be written."""


class ArtifactError(EndcapError, ValueError):
    """A model folder that is missing, damaged, or of another version."""


class QueryError(EndcapError, ValueError):
    """A request that cannot be answered as it was asked."""


class UnknownDecisionError(EndcapError, KeyError):
    """A decision id that the log at hand does not hold."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreError(EndcapError, OSError):
    """A store that cannot be opened, read or written."""


class MissingExtraError(EndcapError, ImportError):
    """A command that needs an extra which is not installed."""
