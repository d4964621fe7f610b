"""Predictions -> a page: filters, value, slots, prices, exploration. Pure functions on arrays."""

from endcap.decide.attention import (
    VIEW_MS,
    attention_share,
    expected_attention,
    share_without,
)
from endcap.decide.filters import (
    AdFacts,
    Circumstances,
    ItemFacts,
    count_reasons,
    drop_reasons,
)
from endcap.decide.noise import noise_key
from endcap.decide.problem import Problem, problem_of
from endcap.decide.solve import Choice, least_bids, solve
from endcap.decide.value import margins, worth

__all__ = [
    "VIEW_MS",
    "AdFacts",
    "Choice",
    "Circumstances",
    "ItemFacts",
    "Problem",
    "attention_share",
    "count_reasons",
    "drop_reasons",
    "expected_attention",
    "least_bids",
    "margins",
    "noise_key",
    "problem_of",
    "share_without",
    "solve",
    "worth",
]
