"""Lists of items as tables: the likeliest next ones of a shopper, and those like another."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.features import popularity_scores, split_history
from endcap.predict import best_rows

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.model import Model

POPULAR, MODEL = "popular", "model"


@dataclass(frozen=True, kw_only=True)
class ListQuestion:
    """What every shopper's list has in common."""

    at_us: int
    counters: NDArray[np.float32]
    limit: int
    exclude_seen: bool
    explain: bool


def next_list(model: "Model", user_id: str, asked: ListQuestion) -> "pl.DataFrame":
    """List a shopper's likeliest next items; a stranger's are those that are popular."""
    import polars as pl

    history = model.history_before(user_id, asked.at_us)
    met = split_history(history)[0]["item"]
    if len(met):
        parts = model.predictor.next_parts(
            history, asked.at_us, asked.counters, unseen=asked.exclude_seen
        )
        scores, source = np.sum(list(parts.values()), axis=0), MODEL
    else:
        scores, source, parts = np.append(popularity_scores(model.now()), -np.inf), POPULAR, {}
    scores[model.blank] = -np.inf
    scores[: model.blank][~model.artifact.catalogue.available] = -np.inf
    if asked.exclude_seen:
        scores[met[met >= 0]] = -np.inf
    rows = best_rows(scores, asked.limit)
    rows = rows[np.isfinite(scores[rows])]
    frame = pl.DataFrame(
        {
            "user_id": [user_id] * len(rows),
            "rank": range(1, len(rows) + 1),
            "item_id": model.ids(rows),
            "score": scores[rows].astype(np.float64),
            "source": [source] * len(rows),
        },
        schema_overrides={"user_id": pl.String, "item_id": pl.String, "source": pl.String},
    )
    shown = parts if asked.explain else {}
    return frame.with_columns(
        [pl.Series(name, part[rows].astype(np.float64)) for name, part in shown.items()]
    )


def similar_list(model: "Model", item_id: str, limit: int) -> "pl.DataFrame":
    """List the items most like one, by their vectors; for an unknown item, popular ones."""
    import polars as pl

    row = model.row_of_item.get(item_id)
    if row is None:
        scores = popularity_scores(model.now())
        rows, source = best_rows(scores, limit), POPULAR
        values = scores[rows]
    else:
        found, cosine = model.predictor.similar(row, limit + 1)
        keep = found != model.blank
        rows, values, source = found[keep][:limit], cosine[keep][:limit], MODEL
    return pl.DataFrame(
        {
            "rank": range(1, len(rows) + 1),
            "item_id": model.ids(rows),
            "title": [str(model.artifact.catalogue.titles[r]) for r in rows],
            "similarity": values.astype(np.float64),
            "source": [source] * len(rows),
        }
    )
