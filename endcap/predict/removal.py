"""What an answer would be, had some of the shopper's events not been."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.features import context_of, split_history
from endcap.predict.predictor import NetworkPredictor
from endcap.predict.state import Response, State
from endcap.schema import Events, Question

NEXT = "next"
"""Stands for the score of the next item, which needs no candidate."""

Places = NDArray[np.int64]
"""Places of events in `Graphs.window`, from 0, the oldest."""


def respond_without(
    predictor: NetworkPredictor, question: Question, removed: list[Places]
) -> Response:
    """Ask a question's candidates once for every set of removed events, all at once."""
    did, shown = split_history(question.history)
    pasts = [_without(predictor, did, places) for places in removed]
    context = np.stack(
        [
            context_of(
                past,
                shown,
                question.at_us,
                question.item,
                predictor.items.columns,
                question.counters,
                zone=predictor.shop.clock_zone,
            )
            for past in pasts
        ]
    )
    shape = (len(removed), len(question.item))
    return predictor.graphs.respond(
        _read(predictor, question, removed),
        np.broadcast_to(question.item, shape),
        np.broadcast_to(question.campaign, shape),
        context,
    )


def next_without(
    predictor: NetworkPredictor, question: Question, removed: list[Places]
) -> NDArray[np.float64]:
    """Return log P(next item) [B, C] of a question's items for every set of removed events."""
    did, _ = split_history(question.history)
    users = _read(predictor, question, removed).users
    found = np.empty((len(removed), len(question.item)))
    for row, places in enumerate(removed):
        past = _without(predictor, did, places)
        parts = predictor.scorer.parts(users[row], past, question.at_us, question.counters)
        scores = np.stack(list(parts.values())).sum(axis=0, dtype=np.float64)
        top = scores.max()
        found[row] = scores[question.item] - top - np.log(np.exp(scores - top).sum())
    return found


def log_odds_without(
    predictor: NetworkPredictor, question: Question, task: str, removed: list[Places]
) -> NDArray[np.float64]:
    """Return a task's log-odds [B, C] (of `NEXT`, log P) for every set of removed events."""
    if not removed:
        return np.zeros((0, len(question.item)))
    if task == NEXT:
        return next_without(predictor, question, removed)
    return predictor.readout.log_odds(task, respond_without(predictor, question, removed).answers)


def _read(predictor: NetworkPredictor, question: Question, removed: list[Places]) -> State:
    window = predictor.graphs.window(question.history)
    windows = [np.delete(window, places) for places in removed]
    return predictor.graphs.read(windows, question.at_us, question.device)


def _without(predictor: NetworkPredictor, did: Events, places: Places) -> Events:
    start = len(did) - len(predictor.graphs.window(did))
    past: Events = np.delete(did, start + places)
    return past


def latest(predictor: NetworkPredictor, question: Question, count: int) -> Question:
    """Return the question as if the last `count` events were all that the shopper ever did."""
    did, shown = split_history(question.history)
    kept = np.concatenate([shown, predictor.graphs.window(did)[-count:]])
    kept = kept[np.argsort(kept["timestamp_us"], kind="stable")]
    return replace(question, history=kept)
