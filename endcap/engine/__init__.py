"""Query -> decision, event -> state: the only composer of the rooms below on the request path."""

from endcap.engine.engine import Engine, Settings
from endcap.engine.memory import (
    MemoryDecisions,
    MemoryHistories,
    MemoryJournal,
    MemoryLedger,
    MemoryShelves,
    State,
)
from endcap.engine.observe import Observed
from endcap.engine.protocols import (
    DecisionLog,
    HistoryStore,
    ItemCounters,
    Journal,
    Ledger,
    Predictor,
    Shelves,
    Subjects,
)
from endcap.engine.replaying import predictions_of, replay
from endcap.engine.why import Explanation, explain
from endcap.engine.why_not import Absence, explain_absence

__all__ = [
    "Absence",
    "DecisionLog",
    "Engine",
    "Explanation",
    "HistoryStore",
    "ItemCounters",
    "Journal",
    "Ledger",
    "MemoryDecisions",
    "MemoryHistories",
    "MemoryJournal",
    "MemoryLedger",
    "MemoryShelves",
    "Observed",
    "Predictor",
    "Settings",
    "Shelves",
    "State",
    "Subjects",
    "explain",
    "explain_absence",
    "predictions_of",
    "replay",
]
