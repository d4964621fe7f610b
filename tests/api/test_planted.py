"""Logs with a planted truth: what is there is found, and what is not there is not."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.api.fitting import write_model
from endcap.artifact import load_artifact
from endcap.features import DAY_US, ContextScales, CounterHistory, ItemColumns, candidate_context
from endcap.metrics import auc
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import (
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    NextItem,
    ShopConfig,
    Split,
    empty_events,
    make_events,
)
from endcap.schema.dataset import merged_histories
from endcap.schema.shop import LogConfig
from endcap.train import TrainConfig, fit
from endcap.train.examples import make_examples

pytestmark = pytest.mark.slow

HOUR_US = DAY_US // 24
START_US = 20_000 * DAY_US
SMALL = ModelConfig(dim=16, max_history=8, hidden=16, num_blocks=1, dropout=0.1)
A, B = 0, 1


def planted(rows, *, num_items, num_days, tasks=None):
    """Make a dataset of (user, at_us, item, action) rows; days .7 and .85 part the splits."""
    user, at, item, action = (np.array(column) for column in zip(*rows, strict=True))
    order = np.lexsort((at, user))
    user, at = user[order], at[order]
    cuts = [START_US + round(share * num_days) * DAY_US for share in (0.7, 0.85)]
    config = ShopConfig(log=LogConfig(resolution="second"))
    if tasks is not None:
        config = ShopConfig(log=LogConfig(resolution="second"), tasks=tasks)
    num_users = int(user.max()) + 1
    return Dataset(
        shop=config,
        user_ids=[f"u{k}" for k in range(num_users)],
        catalogue=Catalogue.of_ids([f"i{k}" for k in range(num_items)]),
        campaigns=Campaigns(),
        histories=Histories(
            events=make_events(timestamp_us=at, item=item[order], action=action[order]),
            offsets=np.searchsorted(user, np.arange(num_users + 1)).astype(np.int64),
        ),
        event_split=np.searchsorted(cuts, at, side="right").astype(np.uint8),
        impressions=np.zeros(0, dtype=IMPRESSION),
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(len(at), -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=START_US + num_days * DAY_US,
    )


def serve(fitted, folder):
    write_model(fitted, folder, fingerprint="planted", metrics=[])
    return NetworkPredictor(load_artifact(folder))


def views_then_purchase(seed=0, num_users=200, num_items=20, num_days=40):
    """Whoever views A buys B a day later; other views and purchases mean nothing."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(num_users):
        for _ in range(6):
            at = START_US + int(random.integers(num_days * DAY_US))
            item = A if random.random() < 0.3 else int(random.integers(2, num_items))
            rows.append((user, at, item, Action.VIEW))
            if item == A:
                later = at + DAY_US + int(random.integers(-HOUR_US, HOUR_US))
                rows.append((user, later, B, Action.PURCHASE))
            elif random.random() < 0.05:
                bought = int(random.integers(2, num_items))
                rows.append((user, at + int(random.integers(5 * DAY_US)), bought, Action.PURCHASE))
    end = START_US + num_days * DAY_US
    rows = [row for row in rows if row[1] < end]
    return planted(rows, num_items=num_items, num_days=num_days)


def test_a_purchase_a_day_after_a_view_is_foreseen_within_the_week_and_not_the_hour(tmp_path):
    dataset = views_then_purchase()
    config = TrainConfig(model=SMALL, epochs=6, batch_size=64, learning_rate=5e-3)
    predictor = serve(fit(dataset, config=config), tmp_path / "planted.model")
    at_us = dataset.end_us
    history = make_events(
        timestamp_us=[at_us - 5 * DAY_US, at_us - 60_000_000],
        item=[7, A],
        action=[Action.VIEW, Action.VIEW],
    )
    item = np.arange(20, dtype=np.int32)
    counters = predictor.artifact.arrays["counters_settled"]
    week, hour = (
        predictor.within("purchase", history, at_us, item, counters, hours=h) for h in (168.0, 1.0)
    )
    assert week[B] > 0.5
    assert week[B] > 10 * np.delete(week, [A, B]).max()
    assert hour[B] < 0.1


def baskets(pause_us, seed=0, num_users=170, num_items=24):
    """Baskets hold a pair (2k, 2k + 1), drawn anew each time; `pause_us` parts the two items."""
    random = np.random.default_rng(seed)
    liking = np.arange(num_items // 2, 0, -1.0)
    rows = []
    for user in range(num_users):
        for at in START_US + np.sort(random.integers(30 * DAY_US, size=8)):
            pair = int(random.choice(len(liking), p=liking / liking.sum()))
            first = int(random.integers(2))  # in either order
            rows.append((user, at // 1_000_000 * 1_000_000, 2 * pair + first, Action.PURCHASE))
            rows.append((user, rows[-1][1] + pause_us, 2 * pair + 1 - first, Action.PURCHASE))
    return planted(rows, num_items=num_items, num_days=30, tasks=(NextItem(),))


def ndcg(scores, wanted):
    """Return NDCG@10 of distinct wanted items, by the book."""
    top = np.argsort(-scores, kind="stable")[:10]
    gain = 1 / np.log2(np.arange(10) + 2)
    return (gain * np.isin(top, wanted)).sum() / gain[: len(wanted)].sum()


def next_gains(predictor, dataset):
    """Return NDCG@10 of the model less that of popularity, at every basket of test days."""
    events, trained = dataset.histories.events, dataset.event_split == Split.TRAIN
    popular = np.bincount(events["item"][trained], minlength=dataset.catalogue.num_items)
    counters = CounterHistory(dataset)
    gains = []
    for user in range(dataset.histories.num_users):
        own = dataset.histories.of(user)
        for at_us in np.unique(
            own["timestamp_us"][own["timestamp_us"] >= dataset.validation_end_us]
        ):
            wanted = own["item"][own["timestamp_us"] == at_us]
            history = own[own["timestamp_us"] < at_us]
            scores = predictor.next_scores(history, int(at_us), counters.as_of(at_us // DAY_US))
            gains.append(ndcg(scores, wanted) - ndcg(popular.astype(float), wanted))
    return np.array(gains)


def test_items_of_one_basket_never_help_to_foresee_that_basket(tmp_path):
    config = TrainConfig(model=SMALL, epochs=3, batch_size=64, learning_rate=1e-2)
    together, parted = baskets(0), baskets(1_000_000)
    blind, sighted = fit(together, config=config), fit(parted, config=config)
    gains = next_gains(serve(blind, tmp_path / "baskets.model"), together)
    assert len(gains) > 150
    assert gains.mean() < 2 * gains.std() / np.sqrt(len(gains))
    # The test can see: where a second parts the pair, the second half is foreseen from the first.
    figures = [
        fitted.progress.history[-1].validation["next_ndcg@10"] for fitted in (blind, sighted)
    ]
    assert figures[0] < 0.4
    assert figures[1] > figures[0] + 0.15


def changed_after(dataset, at_us, seed=9):
    """Drop a third of all rows from an instant on, and make the others say something else."""
    random = np.random.default_rng(seed)
    events, shown = dataset.histories.events.copy(), dataset.impressions.copy()
    user = dataset.histories.user_of_event()
    kept = (events["timestamp_us"] < at_us) | (random.random(len(events)) < 0.67)
    kept_shown = (shown["timestamp_us"] < at_us) | (random.random(len(shown)) < 0.67)
    for rows in (events, shown):
        late = rows["timestamp_us"] >= at_us
        rows["item"][late] = random.integers(dataset.catalogue.num_items, size=late.sum())
    late = events["timestamp_us"] >= at_us
    events["action"][late] = random.choice([Action.CLICK, Action.PURCHASE], size=late.sum())
    events["dwell_ms"][late] = 77
    offsets = np.searchsorted(user[kept], np.arange(dataset.histories.num_users + 1))
    return replace(
        dataset,
        histories=Histories(events=events[kept], offsets=offsets.astype(np.int64)),
        event_split=dataset.event_split[kept],
        event_decision=dataset.event_decision[kept],
        impressions=shown[kept_shown],
        impression_split=dataset.impression_split[kept_shown],
    )


def examples_of(dataset):
    columns = ItemColumns.of(dataset.catalogue, ContextScales(price_mean=16.0))
    return make_examples(dataset, CounterHistory(dataset), columns, ask_later=False)


def by_user(examples, at_us, dataset):
    """Return every column of the questions before an instant, with the events that they read."""
    events, table, asked = dataset.histories.events, examples.candidates, examples.next_offsets
    found = []
    for row in np.flatnonzero(examples.at_us < at_us):
        start = dataset.histories.offsets[examples.user[row]]
        whole, next_ = slice(*table.offsets[row : row + 2]), slice(*asked[row : row + 2])
        columns = [getattr(examples, name)[row] for name in ("user", "at_us", "device", "split")]
        columns += [events[start : examples.visible[row]]]
        columns += [getattr(examples, name)[next_] for name in ("next_item", "next_weight")]
        columns += [getattr(table, name)[whole] for name in ("item", "campaign", "slot", "context")]
        found.append(b"".join(column.tobytes() for column in columns))
    return found


@pytest.mark.parametrize("day", [3, 6])
def test_what_comes_later_changes_no_feature_of_an_earlier_question(dataset, day):
    at_us = START_US + day * DAY_US
    later = changed_after(dataset, at_us)
    assert (later.histories.events["dwell_ms"] == 77).any()
    one, two = CounterHistory(dataset), CounterHistory(later)
    item = np.arange(dataset.catalogue.num_items, dtype=np.int32)
    columns = ItemColumns.of(dataset.catalogue, ContextScales(price_mean=16.0))
    contexts = []
    for log, counters in ((dataset, one), (later, two)):
        kept = merged_histories(log)
        for user in range(0, 60, 7):
            history = kept.of(user)[kept.of(user)["timestamp_us"] < at_us]
            snapshot = counters.as_of(at_us // DAY_US)
            contexts.append(candidate_context(history, at_us, item, columns, snapshot).tobytes())
    assert contexts[:9] == contexts[9:]
    found = [by_user(examples_of(log), at_us, log) for log in (dataset, later)]
    assert found[0] == found[1]


def test_what_comes_on_test_days_changes_no_weight(dataset):
    tasks = tuple(task for task in dataset.shop.tasks if task.name != "purchase")
    shop = ShopConfig(log=LogConfig(resolution="microsecond"), placements=("home",), tasks=tasks)
    dataset = replace(dataset, shop=shop)
    config = TrainConfig(model=SMALL, epochs=1, batch_size=64)
    one, two = (
        fit(log, config=config)
        for log in (dataset, changed_after(dataset, dataset.validation_end_us))
    )
    for (name, before), after in zip(
        one.network.state_dict().items(), two.network.state_dict().values(), strict=True
    ):
        assert before.equal(after), name
    assert (one.calibration, one.mix, one.mix_unseen) == (two.calibration, two.mix, two.mix_unseen)
    np.testing.assert_array_equal(
        one.remembered.memories["memory"].weights, two.remembered.memories["memory"].weights
    )


def shuffled(dataset, seed=3):
    """Deal the clicks out anew over all shown slots; carts and purchases leave the log."""
    random = np.random.default_rng(seed)
    shown = dataset.impressions
    clicked = np.flatnonzero(random.permutation(np.arange(len(shown)) < 0.2 * len(shown)))
    events = empty_events(len(clicked))
    events["timestamp_us"] = shown["timestamp_us"][clicked] + 1_000_000 + clicked % 5
    events["action"] = Action.CLICK
    for name in ("item", "campaign", "slot"):
        events[name] = shown[name][clicked]
    user = shown["user"][clicked]
    order = np.lexsort((events["timestamp_us"], user))
    cuts = [dataset.train_end_us, dataset.validation_end_us]
    offsets = np.searchsorted(user[order], np.arange(dataset.histories.num_users + 1))
    return replace(
        dataset,
        histories=Histories(events=events[order], offsets=offsets.astype(np.int64)),
        event_split=np.searchsorted(cuts, events["timestamp_us"][order], side="right").astype("u1"),
        event_decision=shown["decision"][clicked][order],
    ), np.isin(np.arange(len(shown)), clicked)


def test_clicks_dealt_out_at_random_teach_nothing_about_other_shoppers(make_dataset, tmp_path):
    dataset, label = shuffled(make_dataset(num_users=220))
    known = dataset.impressions["user"] < 110
    teaches = dataset.histories.user_of_event() < 110
    offsets = np.minimum(dataset.histories.offsets, int(teaches.sum()))
    half = replace(
        dataset,
        histories=Histories(events=dataset.histories.events[teaches], offsets=offsets),
        event_split=dataset.event_split[teaches],
        event_decision=dataset.event_decision[teaches],
        impressions=dataset.impressions[known],
        impression_split=dataset.impression_split[known],
    )
    config = TrainConfig(model=SMALL, epochs=2, batch_size=64)
    fitted = fit(half, config=config)
    assert "click" in fitted.plan.targets
    predictor = serve(fitted, tmp_path / "noise.model")
    examples, kept = examples_of(dataset), dataset.histories.events
    counters = predictor.artifact.arrays["counters_settled"]
    scores, labels = [], []
    for row in np.flatnonzero((examples.user >= 110) & (np.diff(examples.candidates.offsets) > 0)):
        part = slice(*examples.candidates.offsets[row : row + 2])
        history = kept[dataset.histories.offsets[examples.user[row]] : examples.visible[row]]
        item, campaign = examples.candidates.item[part], examples.candidates.campaign[part]
        at_us, device = int(examples.at_us[row]), int(examples.device[row])
        columns = predictor.items.columns
        context = candidate_context(history, at_us, item, columns, counters)
        state = predictor.state(history, at_us, device)
        scores.append(predictor.predict_with(state, item, campaign, context).q[campaign < 0])
        labels.append(label[examples.candidates.impression[part]][campaign < 0])
    found = auc(np.concatenate(labels), np.concatenate(scores))
    assert len(np.concatenate(labels)) > 2_500
    assert 0.45 < found < 0.55
