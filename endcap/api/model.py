"""A fitted model as its users hold it: questions about shoppers and items in, tables out."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from endcap.api.ads import ad_named
from endcap.api.figures import Figures
from endcap.api.reports import ModelReport
from endcap.api.shoppers import shopper_rows
from endcap.artifact import Artifact, load_artifact
from endcap.errors import QueryError
from endcap.features import DAY_US, Counters, candidate_context, popularity_scores, split_history
from endcap.predict import NetworkPredictor, best_rows
from endcap.schema import Ad, Catalogue, Device, Events, Question, empty_events, is_of_shopper

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.explaining import Explained

HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}

POPULAR, MODEL, BLANK = "popular", "model", "item without fields"


def load(folder: str | Path) -> "Model":
    """Open a model folder; no torch is needed.

    Raises:
        ArtifactError: there is none, it is of another version, or a file was changed.
    """
    return Model(load_artifact(Path(folder)))


class Model:
    """What a fit learned, at hand for questions about the shoppers and items of its log."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.predictor = NetworkPredictor(artifact)
        self.row_of_item = artifact.catalogue.row_of()
        self.row_of_user = {user_id: row for row, user_id in enumerate(artifact.user_ids)}
        # One further row, of an item of which nothing is known: it stands for unknown ids.
        self._blank = artifact.catalogue.num_items
        self.predictor.learn_items(artifact.catalogue.followed_by(Catalogue.of_ids([""])))

    def __repr__(self) -> str:
        manifest = self.artifact.manifest
        tasks = ", ".join(task.name for task in manifest.tasks)
        return (
            f"Model {manifest.version} of {manifest.shop.name}: {len(self.row_of_user):,} shoppers,"
            f" {len(self.row_of_item):,} items, tasks {tasks}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.metrics._repr_html_()}"

    @property
    def version(self) -> str:
        """Name the model, as every decision does."""
        return self.artifact.manifest.version

    @property
    def metrics(self) -> Figures:
        """Return the figures of the fit as tidy rows, the baselines' among them."""
        return Figures(self.artifact.metrics)

    @property
    def report(self) -> ModelReport:
        """Say how the model was made: data, tasks, what was left out and why, training, mix."""
        return ModelReport(self.artifact)

    def counters(self) -> Counters:
        """Return the item counters as the log left them."""
        arrays = self.artifact.arrays
        return Counters.restore(
            arrays["counters_settled"],
            arrays["counters_today"],
            self.artifact.manifest.counters_day,
        )

    def history(self, user_id: str) -> Events:
        """Return a shopper's events; empty for a stranger."""
        row = self.row_of_user.get(user_id)
        return empty_events() if row is None else self.artifact.histories.of(row)

    def recommend(
        self,
        users: Sequence[str] | str = "all",
        *,
        limit: int = 10,
        exclude_seen: bool = False,
        at: str | None = None,
        explain: bool = False,
    ) -> "pl.DataFrame":
        """List the likeliest next items of shoppers: user_id, rank, item_id, score, source.

        Args:
            users: ids, or "all" for every shopper of the log.
            exclude_seen: leave out what the shopper met before.
            at: the instant (RFC 3339); the end of the log by default.
            explain: add what the score is the sum of.

        A stranger gets what is popular, and `source` says so.
        """

        import polars as pl

        _check_limit(limit)
        at_us = self._instant(at)
        counters = self.counters_at(at_us)
        lists = [
            self._list(user_id, at_us, counters, limit, exclude_seen, explain)
            for user_id in self._named(users)
        ]
        schema = {"user_id": pl.String, "rank": pl.Int64, "item_id": pl.String, "score": pl.Float64}
        return pl.concat(
            [pl.DataFrame(schema={**schema, "source": pl.String}), *lists], how="diagonal"
        )

    def predict(  # noqa: PLR0913 - a parameter per part of the question
        self,
        users: Sequence[str] | str,
        items: Sequence[str] | str,
        *,
        within: str = "7d",
        ad: str | None = None,
        slot: int | None = None,
        placement: str | None = None,
        campaign: str | None = None,
        at: str | None = None,
        device: str = "unknown",
    ) -> "pl.DataFrame":
        """Predict what shoppers do with items: purchase within a time, click, dwell, buy.

        `purchase` is P(bought within `within` of `at`), whatever is shown, or, with `ad`, when that
        ad stands on the shopper's page: it is an input of the question and no candidate. With
        `slot`, `click` is P(click) in that slot; without it, P(click) if looked at. `buy` is
        P(bought | clicked). Columns of tasks that the log could not teach are null.

        Args:
            ad: a campaign's id, or that of an item which one advertises; the ad's own item is asked
                about as an ad of its campaign.
            campaign: ask of the item as an ad of this campaign.
            device: desktop, mobile or unknown.

        Raises:
            QueryError: the ad is unknown, or the item that is named is no ad, or there are none.
        """

        import polars as pl

        hours = _hours(within)
        shown = None if ad is None else ad_named(self.artifact, self.row_of_item, ad)
        at_us = self._instant(at)
        examined = self._examined(slot, placement, _device(device))
        users = [users] if isinstance(users, str) else users
        items = [items] if isinstance(items, str) else items
        rows = [
            row
            for user_id in users
            for row in self._answer(
                user_id, items, at_us, hours, examined, campaign, _device(device), shown
            )
        ]
        return pl.DataFrame(rows, infer_schema_length=None).with_columns(within=pl.lit(within))

    def behaviour(
        self, users: Sequence[str] | str = "all", *, within: str = "7d", at: str | None = None
    ) -> "pl.DataFrame":
        """Predict what shoppers will do whatever the item, a row per shopper.

        `any_purchase` and `return` are chances within `within` of `at`, at most the tasks' own
        horizons; `clicks` is how many are expected in the task's window; `next_category` is the
        likeliest category of the next event, `next_category_chance` its chance. Tasks that the log
        could not teach have no column.

        Args:
            users: ids, or "all" for every shopper of the log.
        """

        import polars as pl

        rows = shopper_rows(self, self._named(users), self._instant(at), _hours(within))
        return pl.DataFrame(rows, infer_schema_length=None).with_columns(within=pl.lit(within))

    def explain(
        self,
        user: str,
        items: Sequence[str] | str,
        *,
        campaigns: Sequence[str | None] | None = None,
        task: str | None = None,
        placement: str | None = None,
        at: str | None = None,
        device: str = "unknown",
        top_events: int = 10,
    ) -> "Explained":
        """Say why a shopper is thought to like items: attention, effects, and shares of a page.

        The items are one page, in the order of its slots. A single item is explained beside the
        ten likeliest next ones, since a sum of parts means something only against others.

        Args:
            campaigns: for each item the campaign whose ad it is, or None.
            task: the task that is explained; click by default, else purchase, else the next item.
                What is asked of a shopper alone says nothing of items.
            top_events: so many events, those with the most attention, are removed one by one.
        """
        from endcap.api.explaining import AskedPage, check_asked, explained

        asked = [items] if isinstance(items, str) else list(items)
        ads: list[str | None] = [None] * len(asked) if campaigns is None else list(campaigns)
        tasks = [t.name for t in self.artifact.manifest.tasks if not is_of_shopper(t)]
        check_asked(asked, ads, task, tasks)
        wanted, at_us = len(asked), self._instant(at)
        if wanted == 1:
            company = self.recommend([user], limit=11, at=at)["item_id"].to_list()
            asked += [item_id for item_id in company if item_id != asked[0]][:10]
            ads += [None] * (len(asked) - 1)
        history = self.history(user)
        row_of = self.artifact.campaigns.row_of
        question = Question(
            user_id=user,
            history=history[history["timestamp_us"] < at_us],
            at_us=at_us,
            device=_device(device),
            item=np.array([self.row_of_item.get(i, self._blank) for i in asked], dtype=np.int32),
            campaign=np.array(
                [-1 if ad is None else row_of.get(ad, 2**30) for ad in ads], dtype=np.int32
            ),
            counters=self.counters_at(at_us),
        )
        page = AskedPage(
            question=question,
            names=asked,
            campaigns=ads,
            examination=self._slots(placement, len(asked), question.device),
            wanted=wanted,
        )
        return explained(
            self.predictor, self.artifact.catalogue, page, task=task, top_events=top_events
        )

    def similar(self, item_id: str, *, limit: int = 10) -> "pl.DataFrame":
        """List the items most like one, by their vectors; for an unknown item, popular ones."""

        import polars as pl

        _check_limit(limit)
        row = self.row_of_item.get(item_id)
        if row is None:
            scores = popularity_scores(self._now())
            rows, source = best_rows(scores, limit), POPULAR
            values = scores[rows]
        else:
            found, cosine = self.predictor.similar(row, limit + 1)
            keep = found != self._blank
            rows, values, source = found[keep][:limit], cosine[keep][:limit], MODEL
        return pl.DataFrame(
            {
                "rank": range(1, len(rows) + 1),
                "item_id": self._ids(rows),
                "title": [str(self.artifact.catalogue.titles[r]) for r in rows],
                "similarity": values.astype(np.float64),
                "source": [source] * len(rows),
            }
        )

    def _list(
        self,
        user_id: str,
        at_us: int,
        counters: NDArray[np.float32],
        limit: int,
        exclude_seen: bool,
        explain: bool,
    ) -> "pl.DataFrame":
        import polars as pl

        history = self.history(user_id)
        history = history[history["timestamp_us"] < at_us]
        if len(split_history(history)[0]):
            parts = self.predictor.next_parts(history, at_us, counters, unseen=exclude_seen)
            scores, source = np.sum(list(parts.values()), axis=0), MODEL
        else:
            scores, source = np.append(popularity_scores(self._now()), -np.inf), POPULAR
            parts = {}
        scores[self._blank] = -np.inf
        scores[: self._blank][~self.artifact.catalogue.available] = -np.inf
        if exclude_seen:
            met = split_history(history)[0]["item"]
            scores[met[met >= 0]] = -np.inf
        rows = best_rows(scores, limit)
        rows = rows[np.isfinite(scores[rows])]
        frame = pl.DataFrame(
            {
                "user_id": [user_id] * len(rows),
                "rank": range(1, len(rows) + 1),
                "item_id": self._ids(rows),
                "score": scores[rows].astype(np.float64),
                "source": [source] * len(rows),
            },
            schema_overrides={"user_id": pl.String, "item_id": pl.String, "source": pl.String},
        )
        if explain:
            added = [pl.Series(name, part[rows].astype(np.float64)) for name, part in parts.items()]
            frame = frame.with_columns(added)
        return frame

    def _answer(
        self,
        user_id: str,
        items: Sequence[str],
        at_us: int,
        hours: float,
        examined: float,
        campaign: str | None,
        device: int,
        shown: Ad | None,
    ) -> list[dict[str, Any]]:
        history = self.history(user_id)
        history = history[history["timestamp_us"] < at_us]
        rows = np.array([self.row_of_item.get(i, self._blank) for i in items], dtype=np.int32)
        counters, shop = self.counters_at(at_us), self.predictor.shop
        context = candidate_context(
            history, at_us, rows, self.predictor.items.columns, counters, has_clock=shop.has_clock
        )
        ad = -1 if campaign is None else self.artifact.campaigns.row_of.get(campaign, 2**30)
        ads = np.full(len(rows), ad, dtype=np.int32)
        if shown is not None and campaign is None:
            ads[rows == shown.item] = shown.campaign
        state = self.predictor.state(history, at_us, device)
        found = self.predictor.predict_with(state, rows, ads, context)
        trained = {task.name for task in self.artifact.manifest.tasks}
        bought: Sequence[float | None] = [None] * len(rows)
        if "purchase" in trained:
            bought = self.predictor.within(
                "purchase", history, at_us, rows, counters, hours=hours, device=device, ad=shown
            ).tolist()
        return [
            {
                "user_id": user_id,
                "item_id": item_id,
                "purchase": bought[k],
                "click": float(found.q[k]) * examined if "click" in trained else None,
                "dwell_ms": float(found.dwell_ms[k]) if "dwell" in trained else None,
                "buy": float(found.buy[k]) if "buy" in trained else None,
                "source": BLANK if rows[k] == self._blank else MODEL,
            }
            for k, item_id in enumerate(items)
        ]

    def _examined(self, slot: int | None, placement: str | None, device: int) -> float:
        if slot is None:
            return 1.0
        if slot < 0:
            raise QueryError(f"slot must be 0 or more, counted from the first, got {slot}.")
        return float(self._slots(placement, slot + 1, device)[slot])

    def _slots(self, placement: str | None, slots: int, device: int) -> NDArray[np.float64]:
        names = self.predictor.shop.placements
        if placement is not None and names and placement not in names:
            raise QueryError(f"placement must be one of {', '.join(names)}, got {placement!r}.")
        name = placement or (names[0] if names else "")
        return self.predictor.examination(name, slots, device)

    def _ids(self, rows: NDArray[np.int32]) -> list[str]:
        return [str(self.artifact.catalogue.item_ids[row]) for row in rows]

    def _named(self, users: Sequence[str] | str) -> Sequence[str]:
        """List the shoppers that are asked for: one, some, or "all" of the log."""
        if isinstance(users, str):
            return self.artifact.user_ids if users == "all" else [users]
        return users

    def counters_at(self, at_us: int) -> NDArray[np.float32]:
        """Return the item counters as of the start of an instant's day."""
        return self.counters().as_of(at_us // DAY_US)

    def _now(self) -> NDArray[np.float32]:
        """Return the counters with the log's last day in them, for what is popular."""
        settled, today, _ = self.counters().state()
        return settled + today

    def _instant(self, at: str | None) -> int:
        if at is None:
            return self.artifact.manifest.log_end_us
        return parse_instant(at)


def parse_instant(text: str) -> int:
    """Read an RFC 3339 instant as microseconds UTC.

    Raises:
        QueryError: it is none.
    """
    from datetime import UTC, datetime

    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryError(
            f"at must be an RFC 3339 instant such as 2026-11-24T19:00Z, got {text!r}."
        ) from error
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * 1_000_000)


def _check_limit(limit: int) -> None:
    if limit < 1:
        raise QueryError(f"limit must be 1 or more, got {limit}.")


def _hours(within: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", within.strip())
    if match is None or float(match[1]) <= 0:
        raise QueryError(f"within must be a time such as 30m, 12h, 7d or 2w, got {within!r}.")
    return float(match[1]) * HOURS[match[2]]


def _device(name: str) -> int:
    try:
        return int(Device[name.upper()])
    except KeyError:
        known = ", ".join(device.name.lower() for device in Device)
        raise QueryError(f"device must be one of {known}, got {name!r}.") from None
