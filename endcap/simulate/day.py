"""One day in the shop: sessions move page by page, and an engine makes every page."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Decision, Device, Query, ShopEvent
from endcap.simulate.config import DAY_US, SECOND_US
from endcap.simulate.engine import Engine
from endcap.simulate.events import ClickLog, click_events, later_event
from endcap.simulate.later import Due, rating_after
from endcap.simulate.noise import I64, Stream, keys_of
from endcap.simulate.outcomes import PageReader, Shown, charge, outcomes_of, shown_slots
from endcap.simulate.record import Recorder
from endcap.simulate.responses import Pages, Responses, page_keys
from endcap.simulate.state import ShopState
from endcap.simulate.timeline import Timeline, timeline_of
from endcap.simulate.traffic import Sessions, goodwill_change, stays


class DayRun:
    """Plays the day at hand of a shop; the shop's state changes, the recorder takes notes."""

    def __init__(
        self, state: ShopState, engine: Engine, recorder: Recorder, *, ads: bool, explore: bool
    ) -> None:
        self._state = state
        self._engine = engine
        self._recorder = recorder
        self._ads = ads
        self._explore = explore
        self._reader = PageReader(state)
        self._sessions = state.plan()
        self._user_ids = np.full(len(self._sessions), "", dtype=object)
        self._held: list[ShopEvent] = []
        self._is_over = False

    def play(self) -> None:
        """Play the day in slices; inside a slice, in rounds of one page per shopper."""
        state = self._state
        self._engine.put_items(state.catalogue())
        self._engine.put_campaigns(state.campaigns())
        step_us = state.config.slice_minutes * 60 * SECOND_US
        midnight_us = state.opening_us + DAY_US
        for start_us in range(state.opening_us, midnight_us, step_us):
            end_us = min(start_us + step_us, midnight_us)
            self._play_pages(end_us)
            self._deliver_until(end_us)
        self._is_over = True
        self._tell([])
        self._play_pages(None)

    def _play_pages(self, end_us: int | None) -> None:
        while len(rows := self._sessions.ready(end_us)):
            self._play_round(self._sessions, rows)

    def _play_round(self, sessions: Sessions, rows: I64) -> None:
        state = self._state
        self._deliver_before(sessions.shopper[rows], sessions.next_us[rows])
        decisions = self._decide(sessions, rows)
        shown = self._reader.read(decisions)
        pages = _pages_of(sessions, rows, shown)
        responses = state.respond(pages)
        keys = page_keys(state.config.seed, pages)
        timeline = timeline_of(keys, pages, responses)
        ads = self._record(decisions, pages, responses, shown, rows)
        self._remember(pages, responses, timeline, ads)
        self._observe_clicks(pages, responses, timeline, decisions, rows)
        clicks = responses.chance.sum(axis=1, dtype=np.float64)
        stay = stays(state.config, keys, pages.page, clicks, ads)
        sessions.advance(rows, timeline.next_us, stay)

    def _decide(self, sessions: Sessions, rows: I64) -> list[Decision]:
        shopper, number, page = (
            a[rows] for a in (sessions.shopper, sessions.number, sessions.page)
        )
        for row in rows[page == 0]:
            self._user_ids[row] = self._state.greet(
                int(sessions.shopper[row]), int(sessions.number[row])
            )
        seed = self._state.config.seed
        keys = keys_of(seed, Stream.DECISION, shopper, sessions.day, number, page)
        wanted = self._state.config.wanted()
        return [
            self._engine.decide(
                Query(
                    user_id=self._user_ids[row],
                    placements=wanted,
                    at_us=int(sessions.next_us[row]),
                    device=Device(sessions.device[row]).name.lower(),
                    ads=self._ads,
                    explore=self._explore,
                    decision_id=f"{int(key):016x}",
                )
            )
            for row, key in zip(rows, keys, strict=True)
        ]

    def _record(
        self,
        decisions: list[Decision],
        pages: Pages,
        responses: Responses,
        shown: Shown,
        rows: I64,
    ) -> NDArray[np.float64]:
        """Note pages and slots, charge ads; return the number of ads on each page."""
        recorder = self._recorder
        decision_ids = np.array([decision.decision_id for decision in decisions], dtype=object)
        names = (decision_ids, self._user_ids[rows])
        charged = charge(self._state, pages, responses, shown)
        outcomes = outcomes_of(self._state.mind, pages, responses, shown, charged, names)
        slots = shown_slots(self._reader, pages, responses, shown, outcomes, recorder.num_pages)
        recorder.add(outcomes, slots, decisions)
        return outcomes.ads.astype(np.float64)

    def _remember(
        self, pages: Pages, responses: Responses, timeline: Timeline, ads: NDArray[np.float64]
    ) -> None:
        state, row = self._state, responses.row
        days = state.days_of(timeline.click_us)
        item = pages.item[row, responses.place]
        state.memory.click(pages.shopper[row], item, days, state.goods, state.goes_with)
        clicks = responses.chance.sum(axis=1, dtype=np.float64)
        state.memory.please(pages.shopper, goodwill_change(state.config, clicks, ads))
        state.memory.free_at_us[pages.shopper] = timeline.end_us

    def _observe_clicks(
        self,
        pages: Pages,
        responses: Responses,
        timeline: Timeline,
        decisions: list[Decision],
        rows: I64,
    ) -> None:
        log = ClickLog(pages, responses, timeline, decisions, self._user_ids[rows])
        events, dues = click_events(self._state, self._reader, log)
        for due in dues:
            self._state.later.add(due)
        self._tell(events)

    def _deliver_before(self, shopper: I64, at_us: I64) -> None:
        """Let shoppers do what was due before their next page."""
        later = self._state.later
        dues: list[Due] = []
        for who, when in zip(shopper.tolist(), at_us.tolist(), strict=True):
            dues += later.take(who, when - SECOND_US)
        self._deliver(dues)

    def _deliver_until(self, end_us: int) -> None:
        """Let everybody do what was due before the end of a slice."""
        later = self._state.later
        self._deliver(
            due for who in later.shoppers(end_us - 1) for due in later.take(who, end_us - 1)
        )

    def _deliver(self, dues: Iterable[Due]) -> None:
        events: list[ShopEvent] = []
        state = self._state
        for due in dues:
            event = later_event(state, due)
            if event is None:
                continue
            events.append(event)
            state.memory.free_at_us[due.shopper] = event.timestamp_us
            if due.kind == "purchase":
                state.sell(due.shopper, due.item, event.timestamp_us)
                rating = rating_after(state.mind, due, event.timestamp_us)
                if rating is not None:
                    state.later.add(rating)
        self._tell(events)

    def _tell(self, events: list[ShopEvent]) -> None:
        """Hand events on; those after midnight wait until every page before it is made."""
        midnight_us = self._state.opening_us + DAY_US
        waiting = self._held + events
        self._held = []
        if not self._is_over:
            self._held = [event for event in waiting if event.timestamp_us >= midnight_us]
        events = [event for event in waiting if self._is_over or event.timestamp_us < midnight_us]
        if events:
            events.sort(key=lambda event: event.timestamp_us)
            self._recorder.events.extend(events)
            self._engine.observe(events)


def _pages_of(sessions: Sessions, rows: I64, shown: Shown) -> Pages:
    return Pages(
        shopper=sessions.shopper[rows],
        day=np.full(len(rows), sessions.day),
        session=sessions.number[rows],
        page=sessions.page[rows],
        at_us=sessions.next_us[rows],
        device=sessions.device[rows],
        item=shown.item,
        campaign=shown.campaign,
    )
