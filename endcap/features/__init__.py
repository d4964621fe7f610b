"""Histories, items, candidates, the clock: the arrays a model reads, in fit and in serve."""

from endcap.features.candidates import (
    MAX_EVENTS,
    MAX_SHOWN,
    candidate_context,
    context_of,
    split_history,
)
from endcap.features.clock import (
    DAY_US,
    HOUR_US,
    delay_edges_hours,
    gap_bucket,
    local_us,
    phases,
)
from endcap.features.columns import (
    ContextScales,
    DwellScales,
    ItemColumns,
    NumberScales,
    TasteStrengths,
    number_scales_of,
    price_scale_of,
)
from endcap.features.counters import (
    NUM_COUNTERS,
    CounterColumn,
    CounterHistory,
    Counters,
    FreshColumn,
    log_seconds,
)
from endcap.features.ease import ease_weights
from endcap.features.groups import MAX_GROUPS, group_names, item_groups, kinds_of
from endcap.features.histories import HistoryInputs, history_inputs, with_events
from endcap.features.items import (
    FieldVocabulary,
    codes,
    field_matrix,
)
from endcap.features.memory import ItemMemory, memory_scores, popularity_scores
from endcap.features.mix import MEMORIES, Mix, Remembered, mixed_parts
from endcap.features.related import (
    embedding_scales,
    embeddings_of,
    relation_kinds,
    relation_matrices,
)
from endcap.features.returns import RETURN_PRIOR, ReturnColumn, repeat_scores, return_columns
from endcap.features.tastes import clicked_items, expected_clicks

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MAX_EVENTS",
    "MAX_GROUPS",
    "MAX_SHOWN",
    "MEMORIES",
    "NUM_COUNTERS",
    "RETURN_PRIOR",
    "ContextScales",
    "CounterColumn",
    "CounterHistory",
    "Counters",
    "DwellScales",
    "FieldVocabulary",
    "FreshColumn",
    "HistoryInputs",
    "ItemColumns",
    "ItemMemory",
    "Mix",
    "NumberScales",
    "Remembered",
    "ReturnColumn",
    "TasteStrengths",
    "candidate_context",
    "clicked_items",
    "codes",
    "context_of",
    "delay_edges_hours",
    "ease_weights",
    "embedding_scales",
    "embeddings_of",
    "expected_clicks",
    "field_matrix",
    "gap_bucket",
    "group_names",
    "history_inputs",
    "item_groups",
    "kinds_of",
    "local_us",
    "log_seconds",
    "memory_scores",
    "mixed_parts",
    "number_scales_of",
    "phases",
    "popularity_scores",
    "price_scale_of",
    "relation_kinds",
    "relation_matrices",
    "repeat_scores",
    "return_columns",
    "split_history",
    "with_events",
]
