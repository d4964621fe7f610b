"""Why a prediction is what it is: what the model looked at, and what changes the answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.predict.predictor import NetworkPredictor
from endcap.predict.removal import NEXT, log_odds_without, respond_without
from endcap.predict.state import State
from endcap.schema import (
    COLUMNS_OF_DIMENSION,
    DIMENSIONS,
    Events,
    NextItem,
    Question,
    is_of_shopper,
)

Floats = NDArray[np.float64]

TOP_EVENTS = 10
"""Events that are removed one by one: those with the most attention."""

_PREFERRED = ("click", "purchase")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What stands behind the answers about a page's candidates, C of them.

    Attention says where the model looked, an effect by how much an answer moves. In a log that
    teaches the next item alone, no candidate is asked: attention is empty then.
    """

    task: str
    """Whose log-odds are explained; for the next item, log P(next)."""
    log_odds: Floats  # [C]
    events: Events  # [T] the window that was read, oldest first
    event_attention: Floats  # [C, 1 + T] on "nothing" and on each event
    event_effects: Floats  # [C, T] by how much log-odds fall without the event; nan: not asked
    dimension_attention: Floats  # [C, F]
    dimension_effects: Floats  # [C, F] beside the page's average, centred over the page
    next_parts: Floats  # [C, F] of the next item's score: exact, centred over the page


def explained_task(predictor: NetworkPredictor, wanted: str | None = None) -> str:
    """Name the task that is explained: click, else purchase, else another, else the next item."""
    tasks = predictor.artifact.manifest.tasks
    # What is asked of the shopper alone says nothing of a candidate.
    asked = [t.name for t in tasks if not isinstance(t, NextItem) and not is_of_shopper(t)]
    names = [wanted] if wanted else [*_PREFERRED, *asked]
    return next((name for name in names if name in asked), NEXT)


def explain(
    predictor: NetworkPredictor,
    question: Question,
    *,
    task: str | None = None,
    top_events: int = TOP_EVENTS,
) -> Explanation:
    """Explain the answers about a question's candidates, taken as one page."""
    name = explained_task(predictor, task)
    window = predictor.graphs.window(question.history)
    state = predictor.state(question.history, question.at_us, question.device)
    count, width = len(question.item), len(window)
    parts = predictor.items.parts(question.item)[0].astype(np.float64)
    attention = on_dimensions = alike = np.zeros((count, 0))
    chosen = np.arange(width)[::-1][:top_events]  # the latest, for want of attention
    if name != NEXT:
        response = respond_without(predictor, question, [_places()])
        attention = response.events[0, :, : 1 + width].astype(np.float64)
        on_dimensions = response.dimensions[0].astype(np.float64)
        alike = _alike_in_each(predictor, question, state, name)
        chosen = np.argsort(-attention[:, 1:].mean(axis=0), kind="stable")[:top_events]
    removed = [_places(), *(_places(place) for place in chosen)]
    base, *without = log_odds_without(predictor, question, name, removed)
    effects = np.full((count, width), np.nan)
    for place, changed in zip(chosen, without, strict=True):
        effects[:, place] = base - changed
    return Explanation(
        task=name,
        log_odds=base,
        events=window,
        event_attention=attention,
        event_effects=effects,
        dimension_attention=on_dimensions,
        dimension_effects=_centred(base[:, None] - alike),
        next_parts=_centred(parts @ state.user.astype(np.float64)),
    )


def _places(*places: int) -> NDArray[np.int64]:
    return np.array(places, dtype=np.int64)


def _alike_in_each(
    predictor: NetworkPredictor, question: Question, state: State, name: str
) -> Floats:
    """Return a task's log-odds [C, F] as if the page's candidates were alike in a dimension.

    They are made alike by giving all candidates the page's mean of its vector and its context
    columns, and no number of their own (id) and no group (category). Each candidate is asked once
    per dimension, all in one call.
    """
    item, size = question.item, len(DIMENSIONS)
    parts, _ = predictor.items.parts(item)
    context = predictor.context(question.history, question.at_us, item, question.counters)
    parts = np.repeat(parts[None], size, axis=0)  # [F, C, F, D]: the first says which is taken out
    context = np.repeat(context[None], size, axis=0)
    effects = np.repeat(predictor.items.effects[item][None], size, axis=0)
    groups = np.repeat(predictor.items.groups[item][None], size, axis=0)
    for place, dimension in enumerate(DIMENSIONS):
        columns = list(COLUMNS_OF_DIMENSION.get(dimension, ()))
        parts[place, :, place] = parts[place, :, place].mean(axis=0)
        context[place][:, columns] = context[place][:, columns].mean(axis=0)
    effects[DIMENSIONS.index("id")] = 0
    groups[DIMENSIONS.index("category")] = 0
    flat = (1, size * len(item))
    changed = {
        "parts": parts.reshape(*flat, *parts.shape[2:]),
        "of_item": effects.reshape(*flat, -1),
        "item_group": groups.reshape(flat),
    }
    asked = predictor.graphs.respond(
        state,
        np.tile(item, size)[None],
        np.tile(question.campaign, size)[None],
        context.reshape(*flat, -1),
        changed=changed,
    )
    return predictor.readout.log_odds(name, asked.answers).reshape(size, len(item)).T


def _centred(values: Floats) -> Floats:
    """Take the page's mean off: a sum of parts is identified only up to what all have in common."""
    out: Floats = values - values.mean(axis=0, keepdims=True)
    return out
