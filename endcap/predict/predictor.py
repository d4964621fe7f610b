"""The model at work: an artifact and a question in, calibrated answers out. No torch here."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import (
    ItemMemory,
    Mix,
    candidate_context,
    delay_edges_hours,
    gap_bucket,
    history_inputs,
    memory_scores,
    phases,
    popularity_scores,
    repeat_scores,
    split_history,
)
from endcap.predict.hazards import (
    chance,
    chance_within,
    expected_time,
    quantile_time,
    softmax,
)
from endcap.predict.state import Response, State
from endcap.predict.vectors import ItemVectors
from endcap.schema import (
    NO_ITEM,
    Ad,
    Binary,
    Campaigns,
    Catalogue,
    Events,
    Hazard,
    Predictions,
    Question,
    Task,
)

DEFAULT_EXAMINATION = 0.85
"""How much less each further slot is looked at, where a log cannot tell."""


class NetworkPredictor:
    """Answers the engine's questions from a model folder, in fp32 on one thread."""

    def __init__(self, artifact: Artifact, *, threads: int = 1) -> None:
        if artifact.folder is None:
            raise AssertionError("an artifact must be on disk before it can predict")
        self.artifact = artifact
        self.version = artifact.manifest.version
        self.shop = artifact.manifest.shop
        self.items = ItemVectors(artifact)
        self._read = _session(artifact.folder / "read.onnx", threads)
        self._respond = _session(artifact.folder / "respond.onnx", threads)
        arrays = artifact.arrays
        self._memory = ItemMemory(
            indptr=arrays["memory_indptr"],
            indices=arrays["memory_indices"],
            weights=arrays["memory_weights"],
        )
        self._mix = msgspec.convert(artifact.manifest.mix, Mix)
        self._mix_unseen = msgspec.convert(artifact.manifest.mix_unseen, Mix)
        self._tasks: dict[str, Task] = {task.name: task for task in artifact.manifest.tasks}
        self._num_campaigns = int(arrays["num_campaigns"][0])
        self._max_history = int(artifact.manifest.model["max_history"])

    def learn_items(self, catalogue: Catalogue) -> None:
        """Take in a live catalogue: fitted rows first, in order, then new ones."""
        self.items.learn(catalogue)

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        """Take in live campaigns; one that came after the fit answers by its item alone."""

    def state(self, history: Events, at_us: int, device: int, action: int | None = None) -> State:
        """Read a history; `action` is the kind of next event that a list asks for."""
        return self.read([self.window(history)], at_us, device, action)

    def window(self, history: Events) -> Events:
        """Return the events that are read: the latest that are no impressions."""
        return split_history(history)[0][-self._max_history :]

    def read(
        self, windows: list[Events], at_us: int, device: int, action: int | None = None
    ) -> State:
        """Read windows of events at once, all asked at one instant."""
        shop = self.shop
        inputs = history_inputs(windows, zone=shop.tzinfo, has_clock=shop.has_clock)
        age = np.zeros(inputs.item.shape, dtype=np.int64)
        clock = np.zeros((len(windows), 4), dtype=np.float32)
        since = np.zeros(len(windows), dtype=np.int64)
        if shop.has_clock:
            clock[:] = phases(np.array([at_us], dtype=np.int64), shop.tzinfo)
            for row, window in enumerate(windows):
                if len(window):
                    age[row, : len(window)] = gap_bucket(at_us - window["timestamp_us"])
                    since[row] = age[row, len(window) - 1]
        item = self._gather(inputs.item)
        asked = self.artifact.manifest.next_action if action is None else action
        device_ = np.full(len(windows), device, dtype=np.int64)
        states, last, users = self._read.run(
            None,
            {
                "item": item,
                "action": inputs.action,
                "gap": inputs.gap,
                "dwell": inputs.dwell,
                "is_ad": inputs.is_ad,
                "clock": inputs.clock,
                "length": inputs.length,
                "question_clock": clock,
                "since": since,
                "device": device_,
                "target_action": np.full(len(windows), asked, dtype=np.int64),
            },
        )
        return State(
            states=states,
            last=last,
            users=users,
            age=age,
            group=np.where(inputs.item >= 0, self.items.groups[inputs.item], 0),
            action=inputs.action,
            length=inputs.length,
            clock=clock,
            since=since,
            device=device_,
        )

    def predict(self, question: Question) -> Predictions:
        """Answer click, dwell and purchase for every candidate; none sees another."""
        context = candidate_context(
            question.history,
            question.at_us,
            question.item,
            self.items.columns,
            question.counters,
            has_clock=self.shop.has_clock,
        )
        return self.repeat(question, context)

    def repeat(self, question: Question, context: NDArray[np.float32]) -> Predictions:
        """Answer again from the context columns that a record kept (tier 2)."""
        state = self.state(question.history, question.at_us, question.device)
        return self.predict_with(state, question.item, question.campaign, context)

    def predict_with(
        self,
        state: State,
        item: NDArray[np.int32],
        campaign: NDArray[np.int32],
        context: NDArray[np.float32],
    ) -> Predictions:
        """Answer from a state and the dense columns at hand (a replay has them on record)."""
        answers, _ = self.answers(state, item, campaign, context)
        is_ad = campaign >= 0
        q = self._click(answers, is_ad, state, item)
        dwell_ms = self._dwell(answers)
        if self.shop.times_shown:
            dwell_ms = dwell_ms / np.maximum(q, 1e-3)  # so that q x dwell is the time per look
        return Predictions(
            q=q,
            dwell_ms=dwell_ms,
            buy=self._buy(answers, is_ad),
            context=context,
        )

    def answers(
        self,
        state: State,
        item: NDArray[np.int32],
        campaign: NDArray[np.int32],
        context: NDArray[np.float32],
        ad: Ad | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return raw outputs [C, O], and attention on "nothing" and each event [C, 1 + T].

        Args:
            item: rows; -1 asks of the shopper alone.
            ad: an ad on the page, an input of the purchase question; it is no candidate.
        """
        found = self.respond(state, item[None], campaign[None], context[None], ad)
        return found.answers[0], found.events[0]

    def respond(
        self,
        state: State,
        item: NDArray[np.int32],
        campaign: NDArray[np.int32],
        context: NDArray[np.float32],
        ad: Ad | None = None,
        changed: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> Response:
        """Ask candidates [B, C] of B histories; an item of -1 asks of the shopper alone.

        Args:
            ad: an ad on the page of all.
            changed: inputs of the graph, by name, that stand in for the candidates' own.
        """
        parts, present = self.items.parts(item)
        is_item = item >= 0
        answers, events, dimensions = self._respond.run(
            None,
            {
                "parts": parts,
                "present": present,
                "of_item": self.items.effects[item] * is_item[..., None].astype(np.float32),
                "campaign": self._known_campaigns(campaign),
                "context": context,
                "states": state.states,
                "last": state.last,
                "question_clock": state.clock,
                "since": state.since,
                "device": state.device,
                "age": state.age,
                "length": state.length,
                "item_group": self.items.groups[item] * is_item.astype(np.int64),
                "event_group": state.group,
                "action": state.action,
            }
            | self._ad_inputs(ad, item)
            | dict(changed or {}),
        )
        return Response(answers=answers.astype(np.float64), events=events, dimensions=dimensions)

    def _known_campaigns(self, campaign: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return rows + 1, 0 for a product.

        An ad of a campaign that the fit never met is an ad all the same, of an average campaign.
        """
        return np.minimum(campaign.astype(np.int64), self._num_campaigns) + 1

    def _ad_inputs(self, ad: Ad | None, item: NDArray[np.int32]) -> dict[str, NDArray[np.generic]]:
        row = -1 if ad is None else ad.item
        campaign = np.full(len(item), -1 if ad is None else ad.campaign, dtype=np.int32)
        rows = np.full(len(item), row, dtype=np.int64)
        return {
            "ad_item": self._gather(rows),
            "ad_campaign": self._known_campaigns(campaign),
            "ad_group": np.where(rows >= 0, self.items.groups[np.maximum(rows, 0)], 0),
            "is_ads_own": ((item == row) & (row >= 0)).astype(np.float32),
        }

    def chance_of(
        self, name: str, answers: NDArray[np.float64], hours: float | NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return the calibrated probability of a yes-or-no task or a delay, [C].

        Args:
            hours: of a delay, until when, for all or for each; its whole horizon when absent.
        """
        if isinstance(self._tasks[name], Binary):
            return chance(self._slice(name, answers)[:, 0], self._calibration(name))
        return self._delay(name, answers, hours)

    def expected_count(
        self, name: str, answers: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how many events a task of counts expects, and the size of its distribution, [C].

        The variance is mean + mean^2 / size.
        """
        slope, shift = self._calibration(name)
        outputs = self._slice(name, answers)
        size: NDArray[np.float64] = np.exp(np.clip(outputs[:, 1], -5.0, 8.0))
        return np.exp(slope * outputs[:, 0] + shift), size

    def category_shares(self, name: str, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance of each category of a task of categories, [C, K]."""
        return softmax(self._slice(name, answers))

    def dwell_quantile(
        self, answers: NDArray[np.float64], share: float = 0.5
    ) -> NDArray[np.float64]:
        """Return [C] the ms below which a dwell stays with chance `share`, from raw outputs."""
        manifest = self.artifact.manifest
        edges, means = np.array(manifest.dwell_edges_ms), np.array(manifest.dwell_means_ms)
        return quantile_time(self._slice("dwell", answers), edges, means, share)

    def within(
        self,
        name: str,
        history: Events,
        at_us: int,
        item: NDArray[np.int32] | None,
        counters: NDArray[np.float32],
        *,
        hours: float,
        device: int = 0,
        ad: Ad | None = None,
    ) -> NDArray[np.float64]:
        """Return [C] the chance of a delay task within `hours`, any time up to its horizon.

        Args:
            ad: an ad that stands on the page.
            name: such as `purchase`, of items, or `any_purchase`, of the shopper alone.
            item: rows; None asks of the shopper alone, and gives one chance.
        """
        answers = self.ask(history, at_us, item, counters, device=device, ad=ad)
        return self._delay(name, answers, hours)

    def ask(
        self,
        history: Events,
        at_us: int,
        item: NDArray[np.int32] | None,
        counters: NDArray[np.float32],
        *,
        device: int = 0,
        ad: Ad | None = None,
    ) -> NDArray[np.float64]:
        """Return raw outputs [C, O] about items, or (None) about the shopper alone."""
        rows = np.array([NO_ITEM], dtype=np.int32) if item is None else item
        state = self.state(history, at_us, device)
        context = candidate_context(
            history, at_us, rows, self.items.columns, counters, has_clock=self.shop.has_clock
        )
        no_campaign = np.full(len(rows), -1, dtype=np.int32)
        answers, _ = self.answers(state, rows, no_campaign, context, ad)
        return answers

    def next_scores(
        self,
        history: Events,
        at_us: int,
        counters: NDArray[np.float32],
        *,
        unseen: bool = False,
        device: int = 0,
        action: int | None = None,
    ) -> NDArray[np.float32]:
        """Return the score of every item as the next one, [V]; log-odds up to a constant."""
        parts = self.next_parts(
            history, at_us, counters, unseen=unseen, device=device, action=action
        )
        total = parts.pop("network").copy()
        for part in parts.values():
            total += part
        return total

    def next_parts(
        self,
        history: Events,
        at_us: int,
        counters: NDArray[np.float32],
        *,
        unseen: bool = False,
        device: int = 0,
        action: int | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Return what adds up to `next_scores`, by name: network, memory, repeat, popularity."""
        user = self.state(history, at_us, device, action).user
        return self.next_parts_of(user, history, counters, unseen=unseen)

    def next_parts_of(
        self,
        user: NDArray[np.float32],
        history: Events,
        counters: NDArray[np.float32],
        *,
        unseen: bool = False,
    ) -> dict[str, NDArray[np.float32]]:
        """Return the same for a shopper whose vector [D] was read."""
        mix = self._mix_unseen if unseen else self._mix
        size, resolution_us = self.items.num_items, self.shop.resolution_us
        parts: dict[str, NDArray[np.float32]] = {"network": self.items.vectors @ user}
        if mix.memory:
            parts["memory"] = np.float32(mix.memory) * memory_scores(
                history, self._memory, decay=mix.decay, resolution_us=resolution_us, num_items=size
            )
        if mix.repeat:
            times = repeat_scores(history, resolution_us=resolution_us, num_items=size)
            parts["repeat"] = np.float32(mix.repeat) * times
        if mix.popularity:
            popularity = np.zeros(size, dtype=np.float32)
            popularity[: len(counters)] = popularity_scores(counters)[:size]
            parts["popularity"] = np.float32(mix.popularity) * popularity
        return parts

    def retrieve(self, question: Question, limit: int) -> NDArray[np.int32]:
        """Return the rows of the `limit` best items by `next_scores`, best first."""
        scores = self.next_scores(
            question.history, question.at_us, question.counters, device=question.device
        )
        return best_rows(scores, limit)

    def similar(self, row: int, limit: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the items whose vectors point the same way, best first, with the cosine."""
        vectors = self.items.vectors
        norms = np.linalg.norm(vectors, axis=1)
        cosine = vectors @ vectors[row] / np.maximum(norms * norms[row], 1e-9)
        cosine[row] = -np.inf
        rows = best_rows(cosine, min(limit, len(cosine) - 1))
        return rows, cosine[rows]

    def examination(self, placement: str, slots: int, device: int) -> NDArray[np.float64]:
        """Return e of a placement's slots; a stated default where the log could not tell.

        Beyond the slots of the log, and for placements that it did not hold, each slot is looked
        at 0.85 times as often as the one before.
        """
        table = self.artifact.arrays["examination"]
        if placement not in self.shop.placements or not table.size:
            return DEFAULT_EXAMINATION ** np.arange(slots, dtype=np.float64)
        known = table[self.shop.placements.index(placement), device].astype(np.float64)
        beyond = known[-1] * DEFAULT_EXAMINATION ** np.arange(1, max(slots - len(known), 0) + 1)
        return np.concatenate([known[:slots], beyond])

    @property
    def examines(self) -> bool:
        """Whether examination was learned from the log (positions varied in it)."""
        return bool(self.artifact.arrays["examination"].size)

    def _gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.items.vectors[np.maximum(rows, 0)] * (rows >= 0)[..., None].astype(np.float32)

    def _slice(self, name: str, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        start, stop = self.artifact.manifest.slices[name]
        return answers[:, start:stop]

    def log_odds(self, name: str, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a task's calibrated log-odds [..., C].

        Of a delay they are those that it ever comes; a dwell has its expected time's logarithm.
        """
        task = self._tasks[name]
        if isinstance(task, Hazard) and task.measures == "dwell":
            start, stop = self.artifact.manifest.slices[name]
            means = np.array(self.artifact.manifest.dwell_means_ms)
            return np.log(np.maximum(expected_time(answers[..., start:stop], means), 1e-3))
        slope, shift = self._calibration(name)
        logit = answers[..., self.artifact.manifest.slices[name][0]]
        out: NDArray[np.float64] = slope * logit + shift
        return out

    def _calibration(self, name: str) -> tuple[float, float]:
        return self.artifact.manifest.calibration.get(name, (1.0, 0.0))

    def _click(
        self,
        answers: NDArray[np.float64],
        is_ad: NDArray[np.bool_],
        state: State,
        item: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        if "click" not in self._tasks:
            return self._next_chance(state, item)
        q = chance(self._slice("click", answers)[:, 0], self._calibration("click"))
        if "ad_click" in self._tasks:
            of_ads = chance(self._slice("ad_click", answers)[:, 0], self._calibration("ad_click"))
            q = np.where(is_ad, of_ads, q)
        return q

    def _next_chance(self, state: State, item: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return P(next item = i): what stands for a click where a log shows no impressions."""
        scores = (self.items.vectors @ state.user).astype(np.float64)
        weights = np.exp(scores - scores.max())
        out: NDArray[np.float64] = weights[item] / weights.sum()
        return out

    def _dwell(self, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        if "dwell" not in self._tasks:
            return np.zeros(len(answers))
        means = np.array(self.artifact.manifest.dwell_means_ms)
        return expected_time(self._slice("dwell", answers), means)

    def _buy(self, answers: NDArray[np.float64], is_ad: NDArray[np.bool_]) -> NDArray[np.float64]:
        if "buy" in self._tasks:
            buy = self._delay("buy", answers)
        elif "purchase" in self._tasks:
            buy = self._delay("purchase", answers)
        else:
            return np.zeros(len(answers))
        if "ad_buy" in self._tasks:
            buy = np.where(is_ad, self._delay("ad_buy", answers), buy)
        return buy

    def _delay(
        self,
        name: str,
        answers: NDArray[np.float64],
        hours: float | NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        task = self._tasks[name]
        assert isinstance(task, Hazard)
        outputs = self._slice(name, answers)
        return chance_within(
            outputs,
            task.within_hours if hours is None else hours,
            delay_edges_hours(task.within_hours, outputs.shape[1] - 1),
            self._calibration(name),
        )


def best_rows(scores: NDArray[np.float32], limit: int) -> NDArray[np.int32]:
    """Return the rows of the largest scores, best first; ties go to the smaller row."""
    if 0 < limit < len(scores):
        threshold = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        rows = np.flatnonzero(scores >= threshold)
    else:
        rows = np.arange(len(scores))
    order = np.argsort(-scores[rows], kind="stable")
    return rows[order][:limit].astype(np.int32)


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
