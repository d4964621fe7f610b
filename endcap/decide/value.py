"""What an examined view of a candidate is worth to the shop, before anybody pays."""

import numpy as np
from numpy.typing import NDArray

from endcap.schema import UNKNOWN, ValueConfig


def worth(
    q: NDArray[np.float64],
    dwell_ms: NDArray[np.float64],
    buy: NDArray[np.float64],
    margin_micros: NDArray[np.int64],
    harm_micros: NDArray[np.int64],
    value: ValueConfig,
) -> NDArray[np.float64]:
    """Return h = q (w_click + w_dwell E[dwell] + w_buy P(buy) margin) - harm, micros per view.

    The weights are the shop's exchange rates (`ValueConfig`); w_buy is 1, for a margin is money.
    A worth never looks at a bid: prices are truthful because of that.
    """
    per_click = (
        value.click_micros + value.dwell_micros_per_second * dwell_ms / 1000.0 + buy * margin_micros
    )
    return np.asarray(q * per_click - harm_micros, dtype=np.float64)


def margins(
    price_micros: NDArray[np.int64], unit_cost_micros: NDArray[np.int64], value: ValueConfig
) -> NDArray[np.int64]:
    """Return what the shop keeps of a purchase: price less cost, else a share of the price.

    An unknown price has an unknown margin, which counts as 0.
    """
    share = np.rint(np.maximum(price_micros, 0) * value.purchase_margin_share)
    known = (price_micros != UNKNOWN) & (unit_cost_micros != UNKNOWN)
    kept = np.where(known, price_micros - unit_cost_micros, share.astype(np.int64))
    return kept.astype(np.int64)
