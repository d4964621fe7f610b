"""`Engine.decide(query) -> Decision`: the only way a page is made."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from endcap.decide import count_reasons, noise_key
from endcap.engine.campaigns import LiveCampaigns
from endcap.engine.catalogue import LiveCatalogue
from endcap.engine.filtering import Judged, find_and_judge
from endcap.engine.live import LiveShop
from endcap.engine.memory import State
from endcap.engine.observe import DAY_US, Observed, Observer, count_impressions, placement_code
from endcap.engine.protocols import Predictor
from endcap.engine.record import Books, model_inputs, shortlist_columns, with_page
from endcap.engine.replaying import predictions_of, replay
from endcap.engine.request import Request, before, device_of, local_time, slots_of
from endcap.engine.stages import Stages, Timed
from endcap.engine.valuing import Valued, shortlist, value_candidates
from endcap.engine.why import Explanation, explain
from endcap.errors import QueryError, UnknownDecisionError
from endcap.schema import (
    Campaigns,
    Catalogue,
    Decision,
    Events,
    Predictions,
    Query,
    ShopConfig,
    ShopEvent,
    Slots,
    Taken,
    empty_events,
)


def _now_us() -> int:
    return time.time_ns() // 1_000


def _new_id() -> str:
    return secrets.token_hex(12)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an engine runs, beside the shop's configuration."""

    policy: str = "endcap"
    """Named in every record."""
    sample_inputs: float = 0.0
    """Share of decisions whose record keeps what the model read, by a hash of the id."""
    clock: Callable[[], int] = _now_us
    """Microseconds UTC."""
    make_id: Callable[[], str] = _new_id
    timed: list[Timed] = field(default_factory=list)
    """Told how many seconds each stage of a page took: read, find, value, choose, keep."""


class Engine:
    """Query -> decision, event -> state. One thread at a time.

    Args:
        predictor: the model; its failures degrade a page, and never prevent one.
        secret: makes every decision's noise key; a record keeps its own, so replays need none.
        state: what changes while the shop runs; in memory unless a store stands behind it.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        shop: ShopConfig,
        catalogue: Catalogue,
        campaigns: Campaigns,
        state: State,
        secret: bytes,
        settings: Settings | None = None,
    ) -> None:
        self.shop, self.state = shop, state
        self.settings = settings or Settings()
        for name in shop.placements:
            placement_code(state.placements, name)
        self._predictor, self._secret = predictor, secret
        self._catalogue = LiveCatalogue(catalogue)
        self._campaigns = LiveCampaigns(campaigns, self._catalogue.row_of)
        state.counters.grow(catalogue.num_items)
        state.shelves.put(catalogue)
        predictor.learn_items(catalogue)
        predictor.learn_campaigns(campaigns)

    @property
    def model_version(self) -> str:
        """Name the model that answers now."""
        return self._predictor.version

    def decide(self, query: Query) -> Decision:
        """Make one page, log it, and return its record.

        A decision id that was answered before gets the same record again.

        Raises:
            QueryError: the decision id belongs to another shopper's or another page's request.
        """
        if (logged := self._answered(query)) is not None:
            return logged
        stages = Stages(self.settings.timed)
        request = self._request(query)
        slots = slots_of(request, self._predictor)
        stages.end("read")
        judged = find_and_judge(
            request, list(dict.fromkeys(slots.placement)), self._predictor, self._live()
        )
        stages.end("find")
        draft = self._draft(request, slots, judged)
        stages.end("value")
        decision = with_page(draft)
        stages.end("choose")
        # First what it changes, then the record: a store that holds a record holds all of it.
        self.count_shown(query.user_id, decision)
        self.state.decisions.append(decision)
        stages.end("keep")
        return decision

    def count_shown(self, user_id: str, decision: Decision) -> None:
        """Count what a page shows, for its items and its shopper."""
        count_impressions(
            user_id,
            decision,
            self.state,
            campaigns=self._campaigns,
            placements=self.state.placements,
            times_shown=self.shop.times_shown,
        )

    def observe(self, events: Sequence[ShopEvent]) -> Observed:
        """Take in what shoppers did; an event that is known by its id changes nothing."""
        return self.apply(self.state.journal.take(events))

    def apply(self, taken: Taken) -> Observed:
        """Let events that the journal took change the state, in the journal's order."""
        observer = Observer(
            shop=self.shop,
            state=self.state,
            catalogue=self._catalogue,
            campaigns=self._campaigns,
            placements=self.state.placements,
        )
        observed = observer.apply(taken)
        self.state.journal.applied(taken)
        return observed

    def put_items(self, catalogue: Catalogue) -> None:
        """Replace the catalogue: known items in their rows, new ones appended."""
        succeeded = self._catalogue.succeeded_by(catalogue)
        self.state.shelves.put(catalogue)
        self._catalogue = succeeded
        self._campaigns = self._campaigns.succeeded_by(
            self._campaigns.campaigns, self._catalogue.row_of
        )
        self.state.counters.grow(catalogue.num_items)
        self._predictor.learn_items(catalogue)

    def put_campaigns(self, campaigns: Campaigns) -> None:
        """Replace the campaigns: known ones in their rows, new ones appended."""
        self._campaigns = self._campaigns.succeeded_by(campaigns, self._catalogue.row_of)
        self._predictor.learn_campaigns(campaigns)

    def put_pacing(self, kappa: Mapping[str, float]) -> None:
        """Set pacing factors in (0, 1] by campaign id; 1 until told otherwise."""
        self._campaigns.pace(kappa)

    def decision(self, decision_id: str) -> Decision:
        """Return a logged record.

        Raises:
            UnknownDecisionError: the log does not hold it.
        """
        logged = self.state.decisions.get(decision_id)
        if logged is None:
            raise UnknownDecisionError(
                f"The log holds no decision {decision_id!r}; "
                f"the answer to a page request names its own."
            )
        return logged

    def replay(self, decision: Decision) -> Decision:
        """Apply the page rule again: `endcap.engine.replay`, which needs no engine."""
        return replay(decision)

    def replay_predictions(self, decision: Decision) -> Predictions:
        """Ask the model again what it read then; one answer per row of the shortlist.

        Raises:
            QueryError: the record keeps no model inputs.
        """
        return predictions_of(decision, self._predictor)

    def why(self, decision: Decision, slot: int, placement: str | None = None) -> Explanation:
        """Explain what stands in a slot: `endcap.engine.explain`, which needs no engine."""
        return explain(decision, slot, placement)

    def _answered(self, query: Query) -> Decision | None:
        if query.decision_id is None:
            return None
        logged = self.state.decisions.get(query.decision_id)
        if logged is None:
            return None
        asked = {name: logged.slots.placement.count(name) for name in logged.slots.placement}
        if logged.subject != self.state.subjects.of(query.user_id) or asked != query.placements:
            raise QueryError(
                f"decision_id {query.decision_id!r} was given to another request; "
                f"send a new one for each page view."
            )
        return logged

    def _live(self) -> LiveShop:
        return LiveShop(
            catalogue=self._catalogue,
            shelves=self.state.shelves,
            campaigns=self._campaigns,
            ledger=self.state.ledger,
            page=self.shop.page,
        )

    def _request(self, query: Query) -> Request:
        for name in query.placements:
            placement_code(self.state.placements, name)
        at_us = self.settings.clock() if query.at_us is None else query.at_us
        day, hour = local_time(at_us, self.shop.tzinfo)
        return Request(
            query=query,
            decision_id=query.decision_id or self.settings.make_id(),
            at_us=at_us,
            local_day=day,
            hour=hour,
            device=device_of(query.device),
            history=self._history(query, at_us),
            counters=self.state.counters.as_of(at_us // DAY_US),
        )

    def _history(self, query: Query, at_us: int) -> Events:
        if not query.personal:
            return empty_events()
        return before(self.state.histories.of(query.user_id), at_us)

    def _value(self, request: Request, judged: Judged) -> tuple[Valued, int]:
        kept = judged.found.only(judged.kept)
        if len(kept.item) == 0:
            request.degraded.append(
                f"The page is empty: none of {len(judged.reasons)} candidates passed the filters."
            )
        valued = value_candidates(kept, request, self._predictor, self._catalogue, self.shop.value)
        limit = max(self.shop.page.shortlist, request.num_slots)
        return shortlist(valued, limit), len(kept.item)

    def _draft(self, request: Request, slots: Slots, judged: Judged) -> Decision:
        """Write down all that the page rule reads."""
        listed, num_valued = self._value(request, judged)
        books = Books(
            catalogue=self._catalogue,
            campaigns=self._campaigns,
            campaign_bits=judged.campaign_bits,
            num_placements=len(request.query.placements),
        )
        page, query = self.shop.page, request.query
        sampled = _share_of(request.decision_id) < self.settings.sample_inputs
        return Decision(
            decision_id=request.decision_id,
            subject=self.state.subjects.of(query.user_id),
            at_us=request.at_us,
            model_version=self._predictor.version,
            policy=self.settings.policy,
            page=page,
            value=self.shop.value,
            device=query.device,
            ads=query.ads,
            explore=query.explore,
            personal=query.personal,
            slots=slots,
            shortlist=shortlist_columns(listed, books, page),
            chosen=[],
            found=len(judged.reasons),
            dropped=count_reasons(judged.reasons),
            valued=num_valued,
            degraded=request.degraded,
            noise_key=noise_key(self._secret, request.decision_id).hex(),
            inputs=model_inputs(listed, request) if sampled else None,
        )


def _share_of(decision_id: str) -> float:
    """Place an id on [0, 1), the same for ever."""
    return int.from_bytes(sha256(decision_id.encode()).digest()[:8], "big") / 2**64
