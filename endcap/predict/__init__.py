"""Artifact + history -> calibrated predictions, nearest items, attention. Never torch."""

from endcap.predict.explain import Explanation, explain, explained_task
from endcap.predict.next_item import best_rows
from endcap.predict.predictor import NetworkPredictor
from endcap.predict.removal import NEXT, latest, log_odds_without, respond_without
from endcap.predict.state import Response, State
from endcap.predict.vectors import ItemVectors

__all__ = [
    "NEXT",
    "Explanation",
    "ItemVectors",
    "NetworkPredictor",
    "Response",
    "State",
    "best_rows",
    "explain",
    "explained_task",
    "latest",
    "log_odds_without",
    "respond_without",
]
