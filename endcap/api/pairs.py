"""What shoppers do with items that are named: purchase within a time, click, dwell, buy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from endcap.api.lists import MODEL
from endcap.schema import NO_CAMPAIGN, Ad

if TYPE_CHECKING:
    from endcap.api.model import Model

BLANK = "item without fields"


@dataclass(frozen=True, kw_only=True)
class PairQuestion:
    """What is asked of every pair of a shopper and an item."""

    items: Sequence[str]
    at_us: int
    counters: NDArray[np.float32]
    hours: float
    """Until when a purchase counts."""
    examined: float
    """The chance that the slot is looked at; 1 if that is given."""
    device: int
    campaign: str | None
    """Ask of the items as ads of this campaign."""
    beside: Ad | None
    """An ad that stands on the page."""


def pair_rows(model: "Model", user_id: str, asked: PairQuestion) -> Iterator[dict[str, Any]]:
    """Answer every item for one shopper, a row each; what no task tells is None."""
    predictor, history = model.predictor, model.history_before(user_id, asked.at_us)
    rows = model.rows_of(asked.items)
    context = predictor.context(history, asked.at_us, rows, asked.counters)
    state = predictor.state(history, asked.at_us, asked.device)
    found = predictor.predict_with(state, rows, _ads(model, asked, rows), context)
    trained = {task.name for task in model.artifact.manifest.tasks}
    bought: Sequence[float | None] = [None] * len(rows)
    if "purchase" in trained:
        organic = np.full(len(rows), NO_CAMPAIGN, dtype=np.int32)
        answers, _ = predictor.answers(state, rows, organic, context, asked.beside)
        bought = predictor.readout.chance_of("purchase", answers, asked.hours).tolist()
    for k, item_id in enumerate(asked.items):
        yield {
            "user_id": user_id,
            "item_id": item_id,
            "purchase": bought[k],
            "click": float(found.q[k]) * asked.examined if "click" in trained else None,
            "dwell_ms": float(found.dwell_ms[k]) if "dwell" in trained else None,
            "buy": float(found.buy[k]) if "buy" in trained else None,
            "source": BLANK if rows[k] == model.blank else MODEL,
        }


def _ads(model: "Model", asked: PairQuestion, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the campaign of every item, -1 where it is asked about as a product."""
    if asked.campaign is not None:
        return np.full(len(rows), model.campaign_row(asked.campaign), dtype=np.int32)
    ads = np.full(len(rows), NO_CAMPAIGN, dtype=np.int32)
    if asked.beside is not None:
        ads[rows == asked.beside.item] = asked.beside.campaign
    return ads
