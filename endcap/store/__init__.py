"""What must outlive a crash: journal, histories, counters, catalogue, decisions, in one file."""

from endcap.store.start import Start
from endcap.store.store import Store

__all__ = ["Start", "Store"]
