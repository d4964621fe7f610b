from types import SimpleNamespace

import numpy as np
import pytest

from endcap.evaluate.asking import ask_split, question_of
from endcap.features import candidate_context
from endcap.predict import NetworkPredictor, best_rows
from endcap.schema import Action, Question, Split, make_events


@pytest.fixture
def asked(dataset, predictor):
    """Return one shopper's history, instant, all items and the counters."""
    history = dataset.histories.of(7)
    item = np.arange(dataset.catalogue.num_items, dtype=np.int32)
    return history, dataset.end_us, item, predictor.artifact.arrays["counters_settled"]


def examination_of(table, placement="home", slots=3, device=1):
    shop = SimpleNamespace(placements=("home", "cart"))
    room = SimpleNamespace(arrays={"examination": np.array(table)})
    return NetworkPredictor.examination(
        SimpleNamespace(shop=shop, artifact=room), placement, slots, device
    )


def test_slots_beyond_the_log_fall_by_a_stated_factor():
    table = [[[1, 1], [1, 0.5], [1, 1]], [[1, 1]] * 3]
    np.testing.assert_allclose(examination_of(table, slots=4), [1, 0.5, 0.425, 0.36125])
    assert examination_of(table, slots=1).tolist() == [1]


@pytest.mark.parametrize(
    ("table", "placement"), [(np.zeros((0, 3, 1)), "home"), ([[[1]] * 3], "new")]
)
def test_without_positions_a_stated_default_stands(table, placement):
    np.testing.assert_allclose(examination_of(table, placement), [1, 0.85, 0.7225])


def test_ties_go_to_the_smaller_row():
    scores = np.array([1, 3, 2, 3, 2, 2], dtype=np.float32)
    assert best_rows(scores, 2).tolist() == [1, 3]
    assert best_rows(scores, 4).tolist() == [1, 3, 2, 4]
    assert best_rows(scores, 99).tolist() == [1, 3, 2, 4, 5, 0]
    assert best_rows(scores, 0).tolist() == []


def test_a_purchase_is_likelier_the_longer_one_waits(predictor, asked):
    history, at_us, item, counters = asked
    found = [
        predictor.within("purchase", history, at_us, item, counters, hours=h)
        for h in (1, 24, 168, 720)
    ]
    assert (np.diff(found, axis=0) > 0).all()
    state = predictor.state(history, at_us, 0)
    context = candidate_context(history, at_us, item, predictor.items.columns, counters)
    answers, _ = predictor.answers(state, item, np.full_like(item, -1), context)
    np.testing.assert_allclose(predictor.readout.chance_of("purchase", answers, None), found[-1])


def test_the_parts_of_a_score_add_up_to_it(predictor, asked):
    history, at_us, _, counters = asked
    for unseen in (False, True):
        parts = predictor.next_parts(history, at_us, counters, unseen=unseen)
        total = predictor.next_scores(history, at_us, counters, unseen=unseen)
        np.testing.assert_allclose(sum(parts.values()), total, rtol=1e-5)
    met = np.unique(history["item"])
    assert (total[met] < -1e3).all()  # a list of unseen items holds none that was met


def test_the_retrieved_are_the_best_by_score(predictor, asked):
    history, at_us, item, counters = asked
    question = Question(
        user_id="u7",
        history=history,
        at_us=at_us,
        device=0,
        item=item[:0],
        campaign=item[:0],
        counters=counters,
    )
    scores = predictor.next_scores(history, at_us, counters)
    found = predictor.retrieve(question, 5)
    assert set(found) == set(np.argsort(-scores)[:5])
    assert (np.diff(scores[found]) <= 0).all()


def test_an_item_is_not_like_itself(predictor):
    rows, cosine = predictor.similar(3, 4)
    assert 3 not in rows
    assert ((cosine <= 1) & (np.diff(cosine, prepend=1) <= 0)).all()
    everything, _ = predictor.similar(3, 1_000)
    assert sorted([*everything, 3]) == list(range(predictor.items.num_items))


def test_an_ad_of_a_campaign_after_the_fit_is_an_ad(predictor, asked):
    history, at_us, item, counters = asked
    state = predictor.state(history, at_us, 1)
    context = candidate_context(history, at_us, item, predictor.items.columns, counters)
    late, later = (
        predictor.answers(state, item, np.full_like(item, campaign), context)[0]
        for campaign in (1, 77)
    )
    np.testing.assert_array_equal(late, later)


def test_a_state_reads_the_last_events_alone(predictor, dataset):
    long = make_events(
        timestamp_us=dataset.end_us - np.arange(40, 0, -1),
        item=np.arange(40) % 30,
        action=[Action.VIEW] * 40,
    )
    kept = long[-predictor.artifact.manifest.model["max_history"] :]
    whole, window = (predictor.state(h, dataset.end_us, 0) for h in (long, kept))
    np.testing.assert_array_equal(whole.user, window.user)


def test_an_artifact_in_memory_cannot_predict(fitted):
    from endcap.api.fitting import artifact_of

    with pytest.raises(AssertionError, match="on disk"):
        NetworkPredictor(artifact_of(fitted, fingerprint="x", metrics=[]))


def test_what_validation_days_say_of_slots_is_served_and_keeps_the_product(fitted, predictor):
    served, trained = (
        predictor.artifact.arrays[name] for name in ("examination", "examination_trained")
    )
    np.testing.assert_array_equal(served, fitted.examination)
    assert np.abs(served - trained).max() > 1e-3  # it corrected something
    assert (np.diff(served, axis=-1) <= 0).all()
    assert served[:, :, 0].max(axis=0).tolist() == [1.0] * served.shape[1]

    asked = ask_split(predictor, fitted.examples, fitted.dataset, Split.TEST)
    kept = fitted.plan.targets["click"].asked[asked.rows]
    chosen, table = asked.rows[kept], fitted.examples.candidates
    device = fitted.examples.device[question_of(table, chosen)]
    e = served[table.placement[chosen], device, table.slot[chosen]]
    q = predictor.readout.chance_of("click", asked.answers[kept], None)
    np.testing.assert_allclose(asked.chance("click", kept), e * q, rtol=1e-6)
    assert len(np.unique(table.slot[chosen])) == 5
