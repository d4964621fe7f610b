"""Batches + model -> weights: examples, labels, the loop, calibration, mixing. torch lives here."""

from endcap.train.calibration import Calibration
from endcap.train.checkpoint import CHECKPOINT
from endcap.train.comparing import TaskComparison
from endcap.train.curves import Epoch, curve_rows
from endcap.train.fit import Fitted, fit, fit_prepared
from endcap.train.loop import Report, no_report
from endcap.train.mixing import GRID_ENDS
from endcap.train.prepared import AskedLog, Prepared, ask_log, prepare
from endcap.train.recipe_file import format_recipe, read_recipe
from endcap.train.recipes import TrainConfig, choose_recipe
from endcap.train.tracking import RUN_ID, TrackerName, require_trackers
from endcap.train.tune import Search, Trial, check_minutes, require_tune, search

__all__ = [
    "CHECKPOINT",
    "GRID_ENDS",
    "RUN_ID",
    "AskedLog",
    "Calibration",
    "Epoch",
    "Fitted",
    "Prepared",
    "Report",
    "Search",
    "TaskComparison",
    "TrackerName",
    "TrainConfig",
    "Trial",
    "ask_log",
    "check_minutes",
    "choose_recipe",
    "curve_rows",
    "fit",
    "fit_prepared",
    "format_recipe",
    "no_report",
    "prepare",
    "read_recipe",
    "require_trackers",
    "require_tune",
    "search",
]
