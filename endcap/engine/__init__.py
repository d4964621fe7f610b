"""Query -> decision, event -> state: the only composer of the rooms below on the request path."""

from endcap.engine.engine import Engine, Settings
from endcap.engine.memory import (
    MemoryDecisions,
    MemoryEventIds,
    MemoryHistories,
    MemoryLedger,
    State,
)
from endcap.engine.observe import Observed
from endcap.engine.protocols import (
    DecisionLog,
    EventIds,
    HistoryStore,
    ItemCounters,
    Ledger,
    Predictor,
)
from endcap.engine.replaying import predictions_of, replay
from endcap.engine.why import Explanation, explain

__all__ = [
    "DecisionLog",
    "Engine",
    "EventIds",
    "Explanation",
    "HistoryStore",
    "ItemCounters",
    "Ledger",
    "MemoryDecisions",
    "MemoryEventIds",
    "MemoryHistories",
    "MemoryLedger",
    "Observed",
    "Predictor",
    "Settings",
    "State",
    "explain",
    "predictions_of",
    "replay",
]
