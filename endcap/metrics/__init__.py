"""Arrays in, numbers with intervals out: ranking, probabilities, calibration, dwell, bootstrap.

Nothing here knows of a shop, a model or a split; definitions stand in the docstrings, and every
statistic that is bootstrapped takes a weight per row.
"""

from endcap.metrics.bootstrap import (
    Interval,
    Statistic,
    cluster_interval,
    interval,
    paired_interval,
    paired_ratio_interval,
    ratio_interval,
    resample_counts,
)
from endcap.metrics.calibration import (
    CalibrationBins,
    calibration_bins,
    calibration_line,
    expected_calibration_error,
    expected_calibration_floor,
    pcoc,
    shift_intercept,
)
from endcap.metrics.dwell import concordance, hazard_log_likelihood, mean_absolute_error, xauc
from endcap.metrics.exposure import coverage, exposure, gini, popularity_tenths
from endcap.metrics.faithfulness import comprehensiveness, deletion_auc, sufficiency
from endcap.metrics.probability import auc, auc_statistic, log_loss, log_losses
from endcap.metrics.ranking import (
    MISS,
    TargetRanks,
    Ties,
    hit_rate,
    ndcg,
    ranks_in_lists,
    ranks_in_scores,
    recall,
    reciprocal_rank,
    top_items,
)

__all__ = [
    "MISS",
    "CalibrationBins",
    "Interval",
    "Statistic",
    "TargetRanks",
    "Ties",
    "auc",
    "auc_statistic",
    "calibration_bins",
    "calibration_line",
    "cluster_interval",
    "comprehensiveness",
    "concordance",
    "coverage",
    "deletion_auc",
    "expected_calibration_error",
    "expected_calibration_floor",
    "exposure",
    "gini",
    "hazard_log_likelihood",
    "hit_rate",
    "interval",
    "log_loss",
    "log_losses",
    "mean_absolute_error",
    "ndcg",
    "paired_interval",
    "paired_ratio_interval",
    "pcoc",
    "popularity_tenths",
    "ranks_in_lists",
    "ranks_in_scores",
    "ratio_interval",
    "recall",
    "reciprocal_rank",
    "resample_counts",
    "shift_intercept",
    "sufficiency",
    "top_items",
    "xauc",
]
