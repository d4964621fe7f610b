"""Candidates -> predictions -> worth -> the shortlist. Nothing here looks at a bid."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endcap.decide import margins, worth
from endcap.engine.candidates import Found
from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.popularity import popularity_predictions
from endcap.engine.protocols import Predictor
from endcap.engine.request import Request
from endcap.schema import Predictions, Source, ValueConfig

LEAST_WORTH = 1e-6
"""Micros: keeps an item of no worth on the page when no product has any."""


@dataclass(frozen=True, kw_only=True)
class Valued:
    """Candidates that no filter dropped, with what they are worth, [C]."""

    found: Found
    predictions: Predictions
    is_modelled: bool
    """Whether a model answered; otherwise popularity did."""
    margin_micros: NDArray[np.int64]
    harm_micros: NDArray[np.int64]
    h_micros: NDArray[np.float64]

    def only(self, rows: NDArray[np.int64]) -> "Valued":
        """Keep some, in the given order."""
        told, context = self.predictions, self.predictions.context
        return Valued(
            found=self.found.only(rows),
            predictions=Predictions(
                q=told.q[rows],
                dwell_ms=told.dwell_ms[rows],
                buy=told.buy[rows],
                context=None if context is None else context[rows],
            ),
            is_modelled=self.is_modelled,
            margin_micros=self.margin_micros[rows],
            harm_micros=self.harm_micros[rows],
            h_micros=self.h_micros[rows],
        )


def value_candidates(
    found: Found,
    request: Request,
    predictor: Predictor,
    catalogue: LiveCatalogue,
    value: ValueConfig,
) -> Valued:
    """Predict, and price what is predicted."""
    told, is_modelled = _predictions(found, request, predictor)
    if not is_modelled:
        found = replace(found, source=np.where(found.is_ad, found.source, Source.POPULAR))
    items = catalogue.catalogue
    margin = margins(items.price_micros[found.item], items.unit_cost_micros[found.item], value)
    harm = np.where(found.is_ad, value.ad_harm_micros, 0)
    valued = Valued(
        found=found,
        predictions=told,
        is_modelled=is_modelled,
        margin_micros=margin,
        harm_micros=harm,
        h_micros=worth(told.q, told.dwell_ms, told.buy, margin, harm, value),
    )
    return _never_empty(valued, request)


def _predictions(found: Found, request: Request, predictor: Predictor) -> tuple[Predictions, bool]:
    """Ask the model; popularity answers when it fails or its answer cannot be used."""
    if len(found.item) == 0:
        return popularity_predictions(request.counters, found.item), False
    try:
        told = predictor.predict(request.question(found.item, found.campaign))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        if _is_usable(told, len(found.item)):
            return told, True
        reason = "its answer is not finite, or not one per candidate"
    request.degraded.append(
        f"The model gave no usable answer ({reason}); items are ranked by popularity "
        f"and ads compete at the reserve."
    )
    return popularity_predictions(request.counters, found.item), False


def _is_usable(told: Predictions, count: int) -> bool:
    columns = (told.q, told.dwell_ms, told.buy)
    return (
        all(np.shape(column) == (count,) and np.isfinite(column).all() for column in columns)
        and bool(((told.q >= 0) & (told.q <= 1)).all())
        and (told.context is None or bool(np.isfinite(told.context).all()))
    )


def _never_empty(valued: Valued, request: Request) -> Valued:
    """Rank products by q when none is worth anything; whether it happens depends on no bid."""
    products = ~valued.found.is_ad
    if not products.any() or np.any(valued.h_micros[products] > 0):
        return valued
    request.degraded.append(
        "No product has a positive worth; products are ranked by their chance of a click."
    )
    found = valued.found
    return replace(
        valued,
        found=replace(found, source=np.where(products, Source.POPULAR, found.source)),
        h_micros=np.where(products, valued.predictions.q + LEAST_WORTH, valued.h_micros),
    )


def shortlist(valued: Valued, limit: int) -> Valued:
    """Keep the products of most worth and one ad per campaign, its creative of most worth.

    One ad per campaign, because two would bid against, and so price, each other. Products stand
    first, by worth; then ads, by campaign row.
    """
    h, is_ad = valued.h_micros, valued.found.is_ad
    products = np.flatnonzero(~is_ad)
    best = products[np.argsort(-h[products], kind="stable")][:limit]
    ads = np.flatnonzero(is_ad)
    by_campaign = ads[np.lexsort((-h[ads], valued.found.campaign[ads]))]
    _, first = np.unique(valued.found.campaign[by_campaign], return_index=True)
    return valued.only(np.concatenate([best, by_campaign[first]]))
