"""Where candidates come from: a small catalogue whole, else retrieval and four further sources."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.live import LiveShop
from endcap.engine.popularity import popular_rows
from endcap.engine.protocols import Predictor
from endcap.engine.request import Request
from endcap.schema import NO_CAMPAIGN, Action, Source

QUOTA = 10
"""Popular, bought and new items each get a tenth of the candidates."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The candidates, [C]: products first, then ads; neither order looks at a bid."""

    item: NDArray[np.int32]
    campaign: NDArray[np.int32]
    source: NDArray[np.uint8]

    def only(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> "Found":
        """Keep some."""
        return Found(item=self.item[kept], campaign=self.campaign[kept], source=self.source[kept])

    def and_products(self, rows: NDArray[np.int32], source: Source) -> "Found":
        """Add products before the rest."""
        return Found(
            item=np.concatenate([rows, self.item]),
            campaign=np.concatenate([np.full(len(rows), NO_CAMPAIGN, np.int32), self.campaign]),
            source=np.concatenate([np.full(len(rows), source, np.uint8), self.source]),
        )

    @property
    def is_ad(self) -> NDArray[np.bool_]:
        """Tell ads from products."""
        return np.not_equal(self.campaign, NO_CAMPAIGN)


def find_candidates(request: Request, predictor: Predictor, shop: LiveShop) -> Found:
    """Collect products, each once and by its first source, and every ad."""
    catalogue, campaigns, page = shop.catalogue, shop.campaigns, shop.page
    ads = Found(
        item=campaigns.ad_item,
        campaign=campaigns.ad_campaign,
        source=np.full(len(campaigns.ad_item), Source.CAMPAIGN, dtype=np.uint8),
    )
    if catalogue.num_items <= page.candidates:
        rows = np.arange(catalogue.num_items, dtype=np.int32)
        return ads.and_products(rows, Source.CATALOGUE)
    quota = page.candidates // QUOTA
    sources = (
        (Source.RETRIEVED, _retrieved(request, predictor, page.candidates - 3 * quota, catalogue)),
        (Source.BOUGHT_BEFORE, _bought(request)[:quota]),
        (Source.NEW, _newest(request, catalogue)[:quota]),
        (Source.POPULAR, popular_rows(request.counters, page.candidates)),
    )
    return _merged(sources, ads, page.candidates)


def _merged(sources: tuple[tuple[Source, NDArray[np.int32]], ...], ads: Found, limit: int) -> Found:
    item = np.concatenate([rows for _, rows in sources]).astype(np.int32)
    source = np.concatenate([np.full(len(rows), s, np.uint8) for s, rows in sources])
    _, first = np.unique(item, return_index=True)
    first = np.sort(first)[:limit]
    products = Found(
        item=item[first],
        campaign=np.full(len(first), NO_CAMPAIGN, dtype=np.int32),
        source=source[first],
    )
    return Found(
        item=np.concatenate([products.item, ads.item]),
        campaign=np.concatenate([products.campaign, ads.campaign]),
        source=np.concatenate([products.source, ads.source]),
    )


def _retrieved(
    request: Request, predictor: Predictor, limit: int, catalogue: LiveCatalogue
) -> NDArray[np.int32]:
    nothing = np.zeros(0, dtype=np.int32)
    try:
        rows = np.asarray(predictor.retrieve(request.question(nothing, nothing), limit))
    except Exception as error:
        request.degraded.append(
            f"The model retrieved nothing ({type(error).__name__}: {error}); "
            f"popular items stand in."
        )
        return nothing
    return rows[(rows >= 0) & (rows < catalogue.num_items)][:limit].astype(np.int32)


def _bought(request: Request) -> NDArray[np.int32]:
    """Return what the shopper bought, the latest first."""
    history = request.history
    rows = history["item"][(history["action"] == Action.PURCHASE) & (history["item"] >= 0)][::-1]
    _, first = np.unique(rows, return_index=True)
    return np.asarray(rows[np.sort(first)], dtype=np.int32)


def _newest(request: Request, catalogue: LiveCatalogue) -> NDArray[np.int32]:
    """Return items that the catalogue dates, the newest first, but those still to come."""
    created = catalogue.catalogue.created_at_us
    dated = np.flatnonzero((created > 0) & (created <= request.at_us))
    return dated[np.argsort(-created[dated], kind="stable")].astype(np.int32)
