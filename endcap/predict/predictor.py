"""The model at work: an artifact and a question in, calibrated answers out. No torch here."""

import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import candidate_context
from endcap.predict.graphs import Graphs
from endcap.predict.next_item import NextItemScorer, best_rows
from endcap.predict.readout import Readout
from endcap.predict.state import State
from endcap.predict.vectors import ItemVectors
from endcap.schema import NO_ITEM, Ad, Campaigns, Catalogue, Events, Predictions, Question

DEFAULT_EXAMINATION = 0.85
"""How much less each further slot is looked at, where a log cannot tell."""


class NetworkPredictor:
    """Answers the engine's questions from a model folder, in fp32 on one thread.

    Attributes:
        items: the vectors of fitted and of later items.
        graphs: reads histories and asks raw outputs of items: for pages and lists.
        shopper_graphs: the same for what is asked of shoppers too; not the same graphs where a
            network answers that alone.
        readout: tells what raw outputs mean, task by task.
        scorer: scores every item as the next one.
    """

    def __init__(self, artifact: Artifact, *, threads: int = 1) -> None:
        self.artifact = artifact
        self.version = artifact.manifest.version
        self.shop = artifact.manifest.shop
        self.items = ItemVectors(artifact)
        self.graphs = self.shopper_graphs = Graphs(artifact, self.items, threads=threads)
        if "respond_shopper.onnx" in artifact.manifest.files:
            self.shopper_graphs = Graphs(artifact, self.items, threads=threads, suffix="_shopper")
        self.readout = Readout(artifact.manifest)
        self.scorer = NextItemScorer(artifact, self.items)

    def learn_items(self, catalogue: Catalogue) -> None:
        """Take in a live catalogue: fitted rows first, in order, then new ones."""
        self.items.learn(catalogue)

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        """Take in live campaigns; one that came after the fit answers by its item alone."""

    def state(self, history: Events, at_us: int, device: int, action: int | None = None) -> State:
        """Read a history; `action` is the kind of next event that a list asks for."""
        return self.graphs.read_one(history, at_us, device, action)

    def predict(self, question: Question) -> Predictions:
        """Answer click, dwell and purchase for every candidate; none sees another."""
        context = self.context(question.history, question.at_us, question.item, question.counters)
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
        q = self.readout.click(answers, is_ad)
        if q is None:
            q = self.scorer.chance(state.user, item)
        dwell_ms = self.readout.dwell_ms(answers)
        if self.shop.times_shown:
            dwell_ms = dwell_ms / np.maximum(q, 1e-3)  # so that q x dwell is the time per look
        buy = self.readout.buy(answers, is_ad)
        return Predictions(q=q, dwell_ms=dwell_ms, buy=buy, context=context)

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
        found = self.graphs.respond(state, item[None], campaign[None], context[None], ad)
        return found.answers[0], found.events[0]

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
        """Return raw outputs [C, O] about items, or (None) about the shopper alone.

        Args:
            history: what was done and what was shown, as in `merged_histories`: a shopper who was
                shown nothing is a new one.
            ad: an ad that stands on the page; without one the answer is over all instants.
        """
        rows = np.array([NO_ITEM], dtype=np.int32) if item is None else item
        graphs = self.graphs if item is not None else self.shopper_graphs
        state = graphs.read_one(history, at_us, device)
        context = self.context(history, at_us, rows, counters)
        no_campaign = np.full(len(rows), -1, dtype=np.int32)
        found = graphs.respond(state, rows[None], no_campaign[None], context[None], ad)
        answers: NDArray[np.float64] = found.answers[0]
        return answers

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
            ad: an ad that stands on the page; see `ask`.
            name: such as `purchase`, of items, or `any_purchase`, of the shopper alone.
            item: rows; None asks of the shopper alone, and gives one chance.
        """
        answers = self.ask(history, at_us, item, counters, device=device, ad=ad)
        return self.readout.chance_of(name, answers, hours)

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
        """Return what adds up to `next_scores`, by name: network, memories, repeat, popularity."""
        user = self.state(history, at_us, device, action).user
        return self.scorer.parts(user, history, at_us, counters, unseen=unseen)

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

    def retrieve(self, question: Question, limit: int) -> NDArray[np.int32]:
        """Return the rows of the `limit` best items by `next_scores`, best first."""
        scores = self.next_scores(
            question.history, question.at_us, question.counters, device=question.device
        )
        return best_rows(scores, limit)

    def similar(self, row: int, limit: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the items whose vectors point the same way, best first, with the cosine."""
        vectors = self.items.vectors[:, : self.graphs.width]
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

    def context(
        self,
        history: Events,
        at_us: int,
        item: NDArray[np.int32],
        counters: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Build the context columns [C, X] of items for one shopper at one instant."""
        columns, zone = self.items.columns, self.shop.clock_zone
        return candidate_context(history, at_us, item, columns, counters, zone=zone)
