"""Batches + model -> weights: examples, labels, the loop, calibration, mixing. torch lives here."""

from endcap.train.calibration import Calibration
from endcap.train.fit import Fitted, fit
from endcap.train.loop import Report, no_report
from endcap.train.recipes import TrainConfig, choose_recipe

__all__ = [
    "Calibration",
    "Fitted",
    "Report",
    "TrainConfig",
    "choose_recipe",
    "fit",
    "no_report",
]
