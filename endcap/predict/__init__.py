"""Artifact + history -> calibrated predictions, nearest items, attention. Never torch."""

from endcap.predict.predictor import NetworkPredictor, State, best_rows
from endcap.predict.vectors import ItemVectors

__all__ = ["ItemVectors", "NetworkPredictor", "State", "best_rows"]
