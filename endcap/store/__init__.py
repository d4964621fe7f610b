"""What must outlive a crash: journal, histories, counters, catalogue, decisions, in one file."""

from endcap.store.database import Database
from endcap.store.decisions import records_of
from endcap.store.erasing import Erased
from endcap.store.keys import Key, Keys, Scope, list_keys, make_key, remove_key
from endcap.store.start import Start
from endcap.store.store import Store

__all__ = [
    "Database",
    "Erased",
    "Key",
    "Keys",
    "Scope",
    "Start",
    "Store",
    "list_keys",
    "make_key",
    "records_of",
    "remove_key",
]
