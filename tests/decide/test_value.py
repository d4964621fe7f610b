"""Worth, margins, attention: numbers by hand."""

import numpy as np
import pytest

from endcap.decide import attention_share, expected_attention, margins, share_without, worth
from endcap.schema import ValueConfig


def test_worth_adds_click_dwell_and_margin_less_harm():
    """.1 * (20,000 + 1,000 * 30 s + .05 * 2,000,000) - 500 = 14,500."""
    h = worth(
        np.array([0.1]),
        np.array([30_000.0]),
        np.array([0.05]),
        np.array([2_000_000]),
        np.array([500]),
        ValueConfig(click_micros=20_000, dwell_micros_per_second=1_000),
    )
    assert h.tolist() == [pytest.approx(14_500.0)]


def test_a_margin_is_price_less_cost_else_a_share_of_the_price():
    kept = margins(np.array([1000, 1000, -1, -1]), np.array([600, -1, 600, -1]), ValueConfig())
    assert kept.tolist() == [400, 300, 0, 0]


def test_expected_attention_counts_the_view_and_the_dwell_after_a_click():
    held = expected_attention(np.array([0.5]), np.array([0.1]), np.array([20_000.0]))
    assert held.tolist() == [1500.0]


def test_attention_shares_sum_to_one_and_an_ad_takes_its_part_from_the_others():
    held = np.array([600.0, 300.0, 100.0])
    assert attention_share(held).tolist() == pytest.approx([0.6, 0.3, 0.1])
    assert share_without(held, 2).tolist() == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert attention_share(np.zeros(2)).tolist() == [0.0, 0.0]
