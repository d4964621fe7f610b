"""What a server tells Prometheus: latency by stage, fallbacks, drops, freshness, queues."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from endcap.engine import Engine, Observed
from endcap.schema import Decision
from endcap.serve.callers import Callers
from endcap.serve.problems import examples
from endcap.store import Scope, Store

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
"""Upper edges of the buckets of what takes time."""


class Watching:
    """Counts and times of one process; they begin anew with it."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "endcap_request_seconds",
            "From a request's head to its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "endcap_page_stage_seconds",
            "Parts of making a page: read, find, value, choose, keep.",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._effect = Histogram(
            "endcap_event_effect_seconds",
            "From an event's arrival until the next page knows it; it is on disk by then.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._events = self._counter("events", "Events by what became of them.", "outcome")
        self._pages = self._counter("pages", "Pages, and whether anything fell back.", "degraded")
        self._slots = self._counter(
            "slots", "Filled slots by why the item was looked at.", "source"
        )
        self._dropped = self._counter(
            "candidates_dropped", "Candidates dropped before they were valued.", "filter"
        )
        self._valued = self._counter("candidates_valued", "Candidates that were valued.")
        self._watch_store(store)
        engine.settings.timed.append(self._time_stage)

    def page(self, decision: Decision) -> None:
        """Count a page."""
        self._pages.labels(str(bool(decision.degraded)).lower()).inc()
        self._valued.inc(decision.valued)
        for name, count in decision.dropped.items():
            self._dropped.labels(name).inc(count)
        for chosen in decision.chosen:
            self._slots.labels(chosen.source).inc()

    def events(self, observed: Observed, rejected: int, *, took_s: float) -> None:
        """Count a batch of events that took so long to reach the state."""
        outcomes = {
            "accepted": observed.accepted,
            "duplicate": observed.repeated,
            "rejected": rejected,
            "unknown_item": observed.unknown_items,
        }
        for outcome, count in outcomes.items():
            self._events.labels(outcome).inc(count)
        if observed.accepted:
            self._effect.observe(took_s)

    @contextmanager
    def time(self, route: str) -> Iterator[None]:
        """Time a request, answered or not."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(route).observe(time.perf_counter() - began)

    def _time_stage(self, stage: str, seconds: float) -> None:
        self._stages.labels(stage).observe(seconds)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"endcap_{name}", what, labels, registry=self.registry)

    def _watch_store(self, store: Store) -> None:
        told: dict[str, tuple[str, Callable[[], float]]] = {
            "unwritten_records": (
                "Records of pages that wait for the disk.",
                lambda: store.num_unwritten,
            ),
            "waiting_jobs": ("What waits for the next transaction.", lambda: store.num_waiting),
            "cached_shoppers": (
                "Shoppers whose history is in memory.",
                lambda: store.num_cached,
            ),
            "trouble": (
                "1 while the state could not be written the last time.",
                lambda: store.has_trouble,
            ),
        }
        for name, (what, ask) in told.items():
            Gauge(f"endcap_store_{name}", what, registry=self.registry).set_function(ask)


def routes(watching: Watching, callers: Callers) -> APIRouter:
    """Return the route that Prometheus reads."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        responses={200: {"description": "Prometheus' text format."}, **examples(401, 403)},
    )
    async def metrics(request: Request) -> Response:
        """Tell what there is to watch; nothing in it is personal."""
        callers.allow(request, Scope.METRICS)
        return Response(generate_latest(watching.registry), media_type=CONTENT_TYPE_LATEST)

    return router
