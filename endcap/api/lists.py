"""Lists of items as tables: the likeliest next ones of a shopper, and those like another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.features import split_history
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


@dataclass(frozen=True, kw_only=True)
class _Listed:
    user_id: str
    source: str
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    parts: dict[str, NDArray[np.float32]]
    """What a score is the sum of, by name."""


def next_lists(model: "Model", users: Sequence[str], asked: ListQuestion) -> "pl.DataFrame":
    """List shoppers' likeliest next items; a stranger's are those that are popular."""
    import polars as pl

    lists = [_next_list(model, user_id, asked) for user_id in users]
    frame = pl.DataFrame(
        {
            "user_id": [each.user_id for each in lists for _ in each.rows],
            "rank": [rank for each in lists for rank in range(1, len(each.rows) + 1)],
            "item_id": [item_id for each in lists for item_id in model.ids(each.rows)],
            "score": [score for each in lists for score in each.scores.tolist()],
            "source": [each.source for each in lists for _ in each.rows],
        },
        schema={
            "user_id": pl.String,
            "rank": pl.Int64,
            "item_id": pl.String,
            "score": pl.Float64,
            "source": pl.String,
        },
    )
    names = dict.fromkeys(name for each in lists for name in each.parts) if asked.explain else {}
    return frame.with_columns([_part(lists, name) for name in names])


def _part(lists: list[_Listed], name: str) -> "pl.Series":
    """Return one part of all scores; a stranger's list has none."""
    import polars as pl

    values: list[float | None] = []
    for each in lists:
        values += each.parts[name].tolist() if name in each.parts else [None] * len(each.rows)
    return pl.Series(name, values, dtype=pl.Float64)


def _next_list(model: "Model", user_id: str, asked: ListQuestion) -> _Listed:
    history = model.history_before(user_id, asked.at_us)
    met = split_history(history)[0]["item"]
    parts: dict[str, NDArray[np.float32]] = {}
    if len(met):
        parts = model.predictor.next_parts(
            history, asked.at_us, asked.counters, unseen=asked.exclude_seen
        )
        scores, source = np.sum(list(parts.values()), axis=0), MODEL
    else:
        scores, source = np.append(model.popularity, -np.inf), POPULAR
    scores[model.blank] = -np.inf
    scores[: model.blank][~model.artifact.catalogue.available] = -np.inf
    if asked.exclude_seen:
        scores[met[met >= 0]] = -np.inf
    rows = best_rows(scores, asked.limit)
    rows = rows[np.isfinite(scores[rows])]
    return _Listed(
        user_id=user_id,
        source=source,
        rows=rows,
        scores=scores[rows],
        parts={name: part[rows] for name, part in parts.items()},
    )


def similar_list(model: "Model", item_id: str, limit: int) -> "pl.DataFrame":
    """List the items most like one, by their vectors; for an unknown item, popular ones."""
    import polars as pl

    row = model.row_of_item.get(item_id)
    if row is None:
        scores = model.popularity
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
