"""Explanations as tables: what a prediction looked at, what moves it, what an ad takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from endcap.api.pictures import picture
from endcap.decide import attention_share, expected_attention, share_without
from endcap.errors import QueryError
from endcap.predict import Explanation, NetworkPredictor, explain
from endcap.schema import DIMENSIONS, Action, Catalogue, Question

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.model import Model
    from endcap.evaluate.charts import Chart

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What stands behind the answers about some items, taken as one page for one shopper.

    An effect is a fall of the log-odds of `task` (for "next", of log P(next)).
    """

    task: str
    dimensions: "pl.DataFrame"
    """item_id, dimension, attention (null where only next items are taught), effect (beside the
    page's average), next (its part of the next item's score, exact, centred over the page)."""
    events: "pl.DataFrame"
    """item_id, timestamp_us, action, event_item_id, attention, effect (of removing the event; null
    for events that were not asked)."""
    shares: "pl.DataFrame"
    """slot, item_id, campaign_id, without (the ad that is taken off the page; null for none),
    attention_ms, share."""

    def plot(self, kind: str = "effects") -> "Chart":
        """Draw the explanation of up to three items.

        Args:
            kind: "dimensions" (attention on what a product is), "effects" (what each of these
                moves), "events" (attention on what the shopper did), or "shares" (who takes the
                page's attention, with every ad and without it).

        Raises:
            MissingExtraError: matplotlib is not installed.
            QueryError: there is no such plot, or nothing to draw it from.
        """
        return picture(self, kind)

    def _repr_html_(self) -> str:
        tables = (self.dimensions, self.events, self.shares)
        return f"<p>{self.task}</p>" + "".join(table._repr_html_() for table in tables)


@dataclass(frozen=True, kw_only=True)
class AskedPage:
    """A page whose first `wanted` items are explained, the others being their company."""

    question: Question
    names: Sequence[str]
    """The items' ids, as they were asked."""
    campaigns: Sequence[str | None]
    """The campaign of each item that stands as an ad."""
    examination: Floats
    wanted: int


def asked_page(
    model: "Model",
    user: str,
    items: list[str],
    campaigns: Sequence[str | None] | None,
    *,
    placement: str | None,
    at: str | None,
    device: int,
) -> AskedPage:
    """Put items on a page; beside a single one stand the ten likeliest next ones."""
    ads: list[str | None] = [None] * len(items) if campaigns is None else list(campaigns)
    wanted = len(items)
    if wanted == 1:
        likeliest = model.recommend([user], limit=11, at=at)["item_id"].to_list()
        company = [item_id for item_id in likeliest if item_id not in items][:10]
        items, ads = items + company, ads + [None] * len(company)
    at_us = model.instant(at)
    question = Question(
        user_id=user,
        history=model.history_before(user, at_us),
        at_us=at_us,
        device=device,
        item=model.rows_of(items),
        campaign=np.array([model.campaign_row(ad) for ad in ads], dtype=np.int32),
        counters=model.counters_at(at_us),
    )
    return AskedPage(
        question=question,
        names=items,
        campaigns=ads,
        examination=model.slots(placement, len(items), device),
        wanted=wanted,
    )


def check_asked(
    items: list[str],
    campaigns: Sequence[str | None] | None,
    task: str | None,
    tasks: list[str],
) -> None:
    """Check what is to be explained.

    Raises:
        QueryError: it cannot be.
    """
    if not items:
        raise QueryError("items must name at least one item to explain, got none.")
    if campaigns is not None and len(campaigns) != len(items):
        raise QueryError(
            f"campaigns must have one entry per item, None for a product; "
            f"got {len(campaigns)} for {len(items)} items."
        )
    if task is not None and task not in tasks:
        raise QueryError(f"task must be one of {', '.join(tasks)}, got {task!r}.")


def explained(
    predictor: NetworkPredictor,
    catalogue: Catalogue,
    page: AskedPage,
    *,
    task: str | None,
    top_events: int,
) -> Explained:
    """Explain a page's answers in tables."""
    found = explain(predictor, page.question, task=task, top_events=top_events)
    return Explained(
        task=found.task,
        dimensions=_dimensions(found, page.names[: page.wanted]),
        events=_events(found, page.names[: page.wanted], catalogue),
        shares=_shares(predictor, page),
    )


def _dimensions(found: Explanation, names: Sequence[str]) -> "pl.DataFrame":
    import polars as pl

    rows = [
        {
            "item_id": name,
            "dimension": dimension,
            "attention": _at(found.dimension_attention, k, f),
            "effect": _at(found.dimension_effects, k, f),
            "next": float(found.next_parts[k, f]),
        }
        for k, name in enumerate(names)
        for f, dimension in enumerate(DIMENSIONS)
    ]
    floats = dict.fromkeys(("attention", "effect", "next"), pl.Float64)
    return pl.DataFrame(rows, schema={"item_id": pl.String, "dimension": pl.String, **floats})


def _events(found: Explanation, names: Sequence[str], catalogue: Catalogue) -> "pl.DataFrame":
    import polars as pl

    ids = catalogue.item_ids
    rows = [
        {
            "item_id": name,
            "timestamp_us": int(event["timestamp_us"]),
            "action": Action(int(event["action"])).name.lower(),
            "event_item_id": str(ids[event["item"]]) if event["item"] >= 0 else None,
            "attention": _at(found.event_attention, k, 1 + place),
            "effect": _at(found.event_effects, k, place),
        }
        for k, name in enumerate(names)
        for place, event in enumerate(found.events)
    ]
    texts = dict.fromkeys(("action", "event_item_id"), pl.String)
    floats = dict.fromkeys(("attention", "effect"), pl.Float64)
    schema = {"item_id": pl.String, "timestamp_us": pl.Int64, **texts, **floats}
    return pl.DataFrame(rows, schema=schema)


def _at(values: Floats, row: int, column: int) -> float | None:
    """Return a number, or None where nothing was asked."""
    if column >= values.shape[1] or np.isnan(values[row, column]):
        return None
    return float(values[row, column])


def _shares(predictor: NetworkPredictor, page: AskedPage) -> "pl.DataFrame":
    import polars as pl

    answer = predictor.predict(page.question)
    attention_ms = expected_attention(page.examination, answer.q, answer.dwell_ms)
    pages: list[tuple[str | None, Floats]] = [(None, attention_share(attention_ms))]
    for slot, campaign in enumerate(page.campaigns):
        if campaign is not None:
            pages.append((campaign, share_without(attention_ms, slot)))
    rows: list[dict[str, Any]] = [
        {
            "slot": slot,
            "item_id": name,
            "campaign_id": page.campaigns[slot],
            "without": without,
            "attention_ms": float(attention_ms[slot]),
            "share": float(share[slot]),
        }
        for without, share in pages
        for slot, name in enumerate(page.names)
    ]
    texts = dict.fromkeys(("item_id", "campaign_id", "without"), pl.String)
    floats = dict.fromkeys(("attention_ms", "share"), pl.Float64)
    return pl.DataFrame(rows, schema={"slot": pl.Int64, **texts, **floats})
