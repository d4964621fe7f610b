"""Batches + model -> weights: examples, labels, the loop, calibration, mixing. torch lives here."""

from endcap.train.calibration import Calibration
from endcap.train.fit import AskedLog, Fitted, ask_log, fit
from endcap.train.loop import Report, no_report
from endcap.train.mixing import GRID_ENDS
from endcap.train.recipes import TrainConfig, choose_recipe

__all__ = [
    "GRID_ENDS",
    "AskedLog",
    "Calibration",
    "Fitted",
    "Report",
    "TrainConfig",
    "ask_log",
    "choose_recipe",
    "fit",
    "no_report",
]
