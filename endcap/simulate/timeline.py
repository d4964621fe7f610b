"""When things happen on pages: clicks one after the other, carts during a visit, and the rest."""

from dataclasses import dataclass

import numpy as np

from endcap.simulate.config import SECOND_US
from endcap.simulate.noise import I64, U64, below, derive
from endcap.simulate.responses import Pages, Responses
from endcap.simulate.traffic import pause_us

_LOOK = 31
"""Marks the luck of how long shoppers look before they click."""


@dataclass(frozen=True)
class Timeline:
    """Instants in microseconds; [K] per click, [N] per page."""

    click_us: I64
    cart_us: I64
    left_us: I64
    """When the shopper left the clicked item."""
    end_us: I64
    """When the last event of the page is over."""
    next_us: I64
    """When the next page is wanted, if there is one."""


def timeline_of(keys: U64, pages: Pages, responses: Responses) -> Timeline:
    """Lay the clicks of each page one after the other, in order of the layout.

    Args:
        keys: [N] of the pages.
    """
    row = responses.row
    look_us = (2 + below(derive(keys[row], responses.place + (_LOOK << 8)), 6)) * SECOND_US
    held_us = responses.observed_ms * 1000
    left_us = pages.at_us[row] + _running_sum(row, look_us + held_us)
    end_us = pages.at_us.copy()
    np.maximum.at(end_us, row, left_us)
    click_us = left_us - held_us
    return Timeline(click_us, click_us + held_us // 2, left_us, end_us, end_us + pause_us(keys))


def _running_sum(row: I64, amounts: I64) -> I64:
    """Sum within runs of equal rows, each amount included."""
    total = np.cumsum(amounts)
    first = np.searchsorted(row, row, side="left")
    return total - (total - amounts)[first]
