"""Explanations are taken from the answers themselves: each is checked against asking again."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.features import candidate_context
from endcap.predict import explain, explained_task, latest, log_odds_without
from endcap.schema import DIMENSIONS, NUM_CONTEXT, Question, empty_events

NOTHING = np.zeros(0, dtype=np.int64)


@pytest.fixture
def question(dataset, predictor):
    """Ask about a page of six items, one of them an ad."""
    user = int(np.argmax(np.diff(dataset.histories.offsets)))
    return Question(
        user_id=f"u{user}",
        history=dataset.histories.of(user),
        at_us=dataset.end_us,
        device=1,
        item=np.array([0, 4, 7, 11, 20, 29], dtype=np.int32),
        campaign=np.array([0, -1, -1, -1, -1, -1], dtype=np.int32),
        counters=predictor.artifact.arrays["counters_settled"],
    )


def asked_again(predictor, question, history):
    """Return the answer of the plain path."""
    context = candidate_context(
        history, question.at_us, question.item, predictor.items.columns, question.counters
    )
    state = predictor.state(history, question.at_us, question.device)
    answers, _ = predictor.answers(state, question.item, question.campaign, context)
    return predictor.readout.log_odds("click", answers)


def test_log_odds_are_those_of_the_prediction(predictor, question):
    explained = explain(predictor, question, task="click")
    q = predictor.predict(question).q
    np.testing.assert_allclose(explained.log_odds[1:], np.log(q / (1 - q))[1:], atol=1e-4)


def test_removing_an_event_is_asking_as_if_it_had_not_been(predictor, question):
    question = latest(predictor, question, 8)
    explained = explain(predictor, question, task="click", top_events=4)
    events = question.history
    for place in np.flatnonzero(~np.isnan(explained.event_effects[0])):
        without = asked_again(predictor, question, np.delete(events, place))
        fall = asked_again(predictor, question, events) - without
        assert np.abs(fall).max() > 0
        np.testing.assert_allclose(explained.event_effects[:, place], fall, atol=1e-4)


def test_the_events_with_most_attention_are_removed(predictor, question):
    explained = explain(predictor, question, task="click", top_events=3)
    removed = ~np.isnan(explained.event_effects).any(axis=0)
    attention = explained.event_attention[:, 1:].mean(axis=0)
    assert removed.sum() == 3
    assert attention[removed].min() >= attention[~removed].max()


def test_several_removals_at_once_equal_each_alone(predictor, question):
    removed = [NOTHING, np.array([0]), np.array([1, 3]), np.array([2])]
    for task in ("click", "next"):
        together = log_odds_without(predictor, question, task, removed)
        for row, places in enumerate(removed):
            alone = log_odds_without(predictor, question, task, [places])
            np.testing.assert_allclose(together[row], alone[0], atol=1e-4)


def test_parts_of_the_next_score_are_exact_beside_the_page(predictor, question):
    explained = explain(predictor, question)
    state = predictor.state(question.history, question.at_us, question.device)
    scores = predictor.items.vectors[question.item] @ state.user
    np.testing.assert_allclose(
        explained.next_parts.sum(axis=1), scores - scores.mean(), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(explained.next_parts.mean(axis=0), 0, atol=1e-9)


def test_candidates_that_are_alike_in_a_dimension_gain_nothing_by_it(predictor, question):
    # Items 0, 4 and 20 share a brand: made alike in it, they are what they were.
    alike = replace(question, item=question.item[[1, 1]], campaign=question.campaign[[1, 1]])
    np.testing.assert_allclose(explain(predictor, alike).dimension_effects, 0, atol=1e-5)
    page = replace(question, item=np.array([0, 4, 20], np.int32), campaign=question.campaign[1:4])
    effects = explain(predictor, page, task="click").dimension_effects
    assert np.abs(effects[:, DIMENSIONS.index("brand")]).max() < 1e-4
    assert np.abs(effects[:, DIMENSIONS.index("price")]).max() > 0


def test_attention_on_dimensions_and_events_adds_up(predictor, question):
    explained = explain(predictor, question)
    np.testing.assert_allclose(explained.dimension_attention.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(explained.event_attention.sum(axis=1), 1, atol=1e-5)
    assert explained.event_attention.shape[1] == 1 + len(explained.events)
    assert (explained.dimension_attention[:, DIMENSIONS.index("attribute")] == 0).all()


def test_a_dwell_is_explained_by_its_expected_time(predictor, question):
    explained = explain(predictor, question, task="dwell", top_events=0)
    told = np.log(predictor.predict(question).dwell_ms)
    np.testing.assert_allclose(explained.log_odds, told, atol=1e-5)


def test_the_shopper_alone_is_asked_with_no_dimension(predictor, question):
    state = predictor.state(question.history, question.at_us, question.device)
    nobody = np.array([[-1, 4]], dtype=np.int32)
    found = predictor.graphs.respond(
        state, nobody, np.full((1, 2), -1, np.int32), np.zeros((1, 2, NUM_CONTEXT), np.float32)
    )
    assert found.dimensions[0, 0].tolist() == [0] * len(DIMENSIONS)
    assert found.dimensions[0, 1].sum() == pytest.approx(1)
    assert explained_task(predictor, "any_purchase") == "next"  # says nothing of a candidate


@pytest.mark.parametrize("task", ["click", "next"])
def test_a_stranger_has_no_events_to_remove(predictor, question, task):
    explained = explain(predictor, replace(question, history=empty_events()), task=task)
    assert explained.event_effects.shape == (6, 0)
    assert np.isfinite(explained.log_odds).all()


def test_the_latest_events_alone(predictor, question):
    short = latest(predictor, question, 3)
    np.testing.assert_array_equal(
        predictor.graphs.window(short.history), predictor.graphs.window(question.history)[-3:]
    )
