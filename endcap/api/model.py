"""A fitted model as its users hold it: questions about shoppers and items in, tables out."""

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.api.ads import ad_named
from endcap.api.figures import Figures
from endcap.api.lists import ListQuestion, next_lists, similar_list
from endcap.api.pairs import PairQuestion, pair_rows
from endcap.api.reports import ModelReport
from endcap.api.shoppers import shopper_rows
from endcap.api.words import check_limit, parse_device, parse_hours, parse_instant
from endcap.artifact import Artifact, load_artifact
from endcap.errors import QueryError
from endcap.features import DAY_US, Counters, popularity_scores
from endcap.predict import NetworkPredictor
from endcap.schema import NO_CAMPAIGN, Catalogue, Events, empty_events, is_of_shopper

if TYPE_CHECKING:
    import polars as pl

    from endcap.api.explaining import Explained


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
        self._counted: tuple[int, NDArray[np.float32]] | None = None  # of the day last asked
        # One further row, of an item of which nothing is known: it stands for unknown ids.
        self.blank = artifact.catalogue.num_items
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

    def history_before(self, user_id: str, at_us: int) -> Events:
        """Return a shopper's events strictly before an instant."""
        history = self.history(user_id)
        return history[history["timestamp_us"] < at_us]

    def rows_of(self, items: Sequence[str]) -> NDArray[np.int32]:
        """Return the rows of items; an unknown id has the row of one without fields."""
        return np.array([self.row_of_item.get(i, self.blank) for i in items], dtype=np.int32)

    def ids(self, rows: NDArray[np.int32]) -> list[str]:
        """Return the ids of rows."""
        return [str(self.artifact.catalogue.item_ids[row]) for row in rows]

    def campaign_row(self, campaign_id: str | None) -> int:
        """Return a campaign's row, -1 for a product; one that came after the fit has no own."""
        unknown = 2**30  # an ad of an average campaign; see `Graphs.respond`
        if campaign_id is None:
            return NO_CAMPAIGN
        return self.artifact.campaigns.row_of.get(campaign_id, unknown)

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

        check_limit(limit)
        at_us = self.instant(at)
        asked = ListQuestion(
            at_us=at_us,
            counters=self.counters_at(at_us),
            limit=limit,
            exclude_seen=exclude_seen,
            explain=explain,
        )
        return next_lists(self, self._named(users), asked)

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

        at_us = self.instant(at)
        asked = PairQuestion(
            items=[items] if isinstance(items, str) else items,
            at_us=at_us,
            counters=self.counters_at(at_us),
            hours=parse_hours(within),
            examined=self._examined(slot, placement, parse_device(device)),
            device=parse_device(device),
            campaign=campaign,
            beside=None if ad is None else ad_named(self.artifact, self.row_of_item, ad),
        )
        users = [users] if isinstance(users, str) else users
        rows = [row for user_id in users for row in pair_rows(self, user_id, asked)]
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

        rows = shopper_rows(self, self._named(users), self.instant(at), parse_hours(within))
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
        from endcap.api.explaining import asked_page, check_asked, explained

        asked = [items] if isinstance(items, str) else list(items)
        tasks = [t.name for t in self.artifact.manifest.tasks if not is_of_shopper(t)]
        check_asked(asked, campaigns, task, tasks)
        page = asked_page(
            self, user, asked, campaigns, placement=placement, at=at, device=parse_device(device)
        )
        return explained(
            self.predictor, self.artifact.catalogue, page, task=task, top_events=top_events
        )

    def similar(self, item_id: str, *, limit: int = 10) -> "pl.DataFrame":
        """List the items most like one, by their vectors; for an unknown item, popular ones."""
        check_limit(limit)
        return similar_list(self, item_id, limit)

    def _examined(self, slot: int | None, placement: str | None, device: int) -> float:
        if slot is None:
            return 1.0
        if slot < 0:
            raise QueryError(f"slot must be 0 or more, counted from the first, got {slot}.")
        return float(self.slots(placement, slot + 1, device)[slot])

    def slots(self, placement: str | None, slots: int, device: int) -> NDArray[np.float64]:
        """Return the chance that each slot of a placement, or of the first, is looked at."""
        names = self.predictor.shop.placements
        if placement is not None and names and placement not in names:
            raise QueryError(f"placement must be one of {', '.join(names)}, got {placement!r}.")
        name = placement or (names[0] if names else "")
        return self.predictor.examination(name, slots, device)

    def _named(self, users: Sequence[str] | str) -> Sequence[str]:
        """List the shoppers that are asked for: one, some, or "all" of the log."""
        if isinstance(users, str):
            return self.artifact.user_ids if users == "all" else [users]
        return users

    def counters_at(self, at_us: int) -> NDArray[np.float32]:
        """Return the item counters as of the start of an instant's day."""
        day = at_us // DAY_US
        if self._counted is None or self._counted[0] != day:
            self._counted = day, self.counters().as_of(day)
        return self._counted[1]

    @cached_property
    def popularity(self) -> NDArray[np.float32]:
        """Return how popular every item is, the log's last day included."""
        settled, today, _ = self.counters().state()
        return popularity_scores(settled + today)

    def instant(self, at: str | None) -> int:
        """Return an instant in microseconds; the end of the log for none."""
        if at is None:
            return self.artifact.manifest.log_end_us
        return parse_instant(at)
