"""From a shop's log to arrays: read, check, say what was found, number, split by time."""

from endcap.prep.encode import encode
from endcap.prep.groups import read_groups
from endcap.prep.guess import guess_shop
from endcap.prep.log import Log, inspect, read, write_rejected
from endcap.prep.rejected import Reason
from endcap.prep.report import ColumnUse, LogReport, SplitUse
from endcap.prep.sql import is_url, without_password
from endcap.prep.toml import format_shop, write_shop
from endcap.prep.unlocks import TaskUse

__all__ = [
    "ColumnUse",
    "Log",
    "LogReport",
    "Reason",
    "SplitUse",
    "TaskUse",
    "encode",
    "format_shop",
    "guess_shop",
    "inspect",
    "is_url",
    "read",
    "read_groups",
    "without_password",
    "write_rejected",
    "write_shop",
]
