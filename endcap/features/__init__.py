"""Histories, items, candidates, the clock: the arrays a model reads, in fit and in serve."""

from endcap.features.candidates import (
    MAX_EVENTS,
    MAX_SHOWN,
    ItemColumns,
    candidate_context,
    price_scale_of,
    split_history,
)
from endcap.features.clock import (
    DAY_US,
    HOUR_US,
    gap_bucket,
    local_us,
    phases,
)
from endcap.features.counters import NUM_COUNTERS, CounterColumn, CounterHistory, Counters
from endcap.features.histories import HistoryInputs, history_inputs
from endcap.features.items import FieldVocabulary, codes, field_matrix
from endcap.features.memory import (
    ItemMemory,
    Mix,
    memory_scores,
    popularity_scores,
    repeat_scores,
)

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MAX_EVENTS",
    "MAX_SHOWN",
    "NUM_COUNTERS",
    "CounterColumn",
    "CounterHistory",
    "Counters",
    "FieldVocabulary",
    "HistoryInputs",
    "ItemColumns",
    "ItemMemory",
    "Mix",
    "candidate_context",
    "codes",
    "field_matrix",
    "gap_bucket",
    "history_inputs",
    "local_us",
    "memory_scores",
    "phases",
    "popularity_scores",
    "price_scale_of",
    "repeat_scores",
    "split_history",
]
