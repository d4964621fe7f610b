import numpy as np
import pytest

from endcap.metrics import comprehensiveness, deletion_auc, sufficiency


def test_the_fall_without_reasons_and_with_reasons_alone():
    assert comprehensiveness(2.0, -1.0) == 3.0
    assert sufficiency(2.0, 1.5) == 0.5


def test_the_area_by_hand():
    shares = np.array([0, 0.25, 1.0])
    # Falls of 0, 2 and 2: half of a quarter's rectangle, and three quarters of 2.
    assert deletion_auc(shares, np.array([3.0, 1.0, 1.0])) == pytest.approx(0.25 + 1.5)


def test_the_sooner_an_answer_falls_the_larger_the_area():
    shares = np.linspace(0, 1, 5)
    soon, late = np.array([1.0, 0, 0, 0, 0]), np.array([1.0, 1, 1, 1, 0])
    assert deletion_auc(shares, soon) > deletion_auc(shares, late) > 0
