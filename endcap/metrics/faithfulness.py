"""Whether what is named as the reason is one: answers when it is deleted, or kept alone.

Source: comprehensiveness and sufficiency of DeYoung et al. 2020 (https://arxiv.org/abs/1911.03429).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def comprehensiveness(whole: float, without: float) -> float:
    """Return by how much an answer falls without the reasons; more is better."""
    return whole - without


def sufficiency(whole: float, alone: float) -> float:
    """Return by how much an answer falls when nothing but the reasons is left; less is better."""
    return whole - alone


def deletion_auc(shares: Floats, answers: Floats) -> float:
    """Return the mean fall of an answer as reasons are deleted, the foremost first.

    Args:
        shares: deleted part of the reasons, rising from 0 to 1.
        answers: the answer at each share; `answers[0]` is the whole one.
    """
    return float(np.trapezoid(answers[0] - answers, shares))
