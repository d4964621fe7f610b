"""Items that came after the fit, told by one fact, reach the shoppers who want their kind."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.api.fitting import write_model
from endcap.artifact import load_artifact
from endcap.errors import SchemaError
from endcap.features import DAY_US
from endcap.model import ModelConfig
from endcap.predict import NetworkPredictor
from endcap.schema import (
    DIMENSIONS,
    IMPRESSION,
    Action,
    Campaigns,
    Catalogue,
    Dataset,
    Histories,
    NextItem,
    ShopConfig,
    make_events,
)
from endcap.train import TrainConfig, fit

pytestmark = pytest.mark.slow

START_US = 20_000 * DAY_US
KINDS = ("红茶", "绿茶", "leather boots", "summer sandals")
SAID = ("新品", "特级", "古树", "classic", "large", "2026")
PER_KIND, USERS, LENGTH = 12, 160, 4
NUM_ITEMS = PER_KIND * len(KINDS)
KIND_OF_ITEM = np.arange(NUM_ITEMS) % len(KINDS)
KIND_OF_USER = np.arange(USERS) % len(KINDS)


def catalogue_of(random):
    """Tell an item's kind three times: by its title, its vector, and what it is related to."""
    made = Catalogue.of_ids([f"i{k}" for k in range(NUM_ITEMS)])
    centres = 3.0 * np.eye(len(KINDS), LENGTH) + 10.0
    made = replace(
        made,
        embeddings=(centres[KIND_OF_ITEM] + random.normal(size=(NUM_ITEMS, LENGTH))).astype("f4"),
    )
    for row, kind in enumerate(KIND_OF_ITEM):
        first, last = random.choice(SAID, size=2)
        made.titles[row] = f"{first} {KINDS[kind]} {last}"
        others = random.choice(np.flatnonzero(kind == KIND_OF_ITEM), size=3, replace=False)
        made.relations[row] = tuple(f"same_series=i{other}" for other in others if other != row)
    return made


def shop_of_kinds(seed=0, num_days=40):
    """Whoever looks at one item of a kind looks at others of it."""
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(USERS), 12)
    at = np.sort(random.integers(num_days * DAY_US, size=(USERS, 12)), axis=1).ravel() + START_US
    item = KIND_OF_USER[user] + len(KINDS) * random.integers(PER_KIND, size=len(user))
    cuts = [START_US + round(share * num_days) * DAY_US for share in (0.7, 0.85)]
    views = make_events(timestamp_us=at, item=item, action=np.full(len(at), Action.VIEW))
    return Dataset(
        shop=ShopConfig(tasks=(NextItem(),)),
        user_ids=[f"u{k}" for k in range(USERS)],
        catalogue=catalogue_of(random),
        campaigns=Campaigns(),
        histories=Histories(events=views, offsets=np.arange(USERS + 1) * 12),
        event_split=np.searchsorted(cuts, at, side="right").astype(np.uint8),
        impressions=np.zeros(0, dtype=IMPRESSION),
        impression_split=np.zeros(0, dtype=np.uint8),
        event_decision=np.full(len(at), -1, dtype=np.int64),
        train_end_us=cuts[0],
        validation_end_us=cuts[1],
        end_us=START_US + num_days * DAY_US,
    )


@pytest.fixture(scope="module", params=["whole", "draws"])
def shop(request, tmp_path_factory):
    """Return a dataset and its predictor; items in full, and as of a catalogue of many."""
    dataset = shop_of_kinds()
    model = ModelConfig(
        dim=16, max_history=8, hidden=16, num_blocks=1, dropout=0.1, gate=2.0, id_dropout=0.5
    )
    many = {"many_items": 10, "negatives": 24} if request.param == "draws" else {}
    fitted = fit(
        dataset, config=TrainConfig(model=model, epochs=12, batch_size=64, warmup_steps=10, **many)
    )
    folder = tmp_path_factory.mktemp("cold") / "shop.model"
    write_model(fitted, folder, fingerprint="cold", metrics=[])
    return dataset, NetworkPredictor(load_artifact(folder))


def chosen(shop, new):
    """Return which of some new items each shopper is offered first, by the network alone."""
    dataset, predictor = shop
    predictor.learn_items(dataset.catalogue.followed_by(new))
    counters = predictor.artifact.arrays["counters_settled"]
    found = []
    for user in range(USERS):
        part = slice(*dataset.histories.offsets[user : user + 2])
        history = dataset.histories.events[part]
        scores = predictor.next_parts(history, dataset.end_us, counters)["network"]
        found.append(int(scores[NUM_ITEMS:].argmax()))
    return np.array(found)


def share_right(shop, new):
    """Return, for each kind, the share of its shoppers who are offered the new item of theirs."""
    right = chosen(shop, new) == KIND_OF_USER
    return np.array([right[kind == KIND_OF_USER].mean() for kind in range(len(KINDS))])


def new_items(titles=("",) * 4, vectors=None, relations=((),) * 4):
    """Make a new item of each kind, told by one fact."""
    new = Catalogue.of_ids([f"new{kind}" for kind in range(len(KINDS))])
    new.titles[:], new.relations[:] = titles, relations
    if vectors is not None:
        new = replace(new, embeddings=np.array(vectors, dtype=np.float32))
    return new


def test_titles_alone_in_chinese_and_english_reach_the_right_shoppers(shop):
    titles = ["正山小种红茶礼盒", "西湖龙井绿茶", "Black LEATHER boot, wide", "Sandals of straw"]
    assert share_right(shop, new_items(titles)).min() > 0.8


def test_vectors_alone_reach_the_right_shoppers(shop):
    assert share_right(shop, new_items(vectors=3.0 * np.eye(4) + 10.0)).min() > 0.8


def test_what_new_items_are_related_to_reaches_the_right_shoppers(shop):
    related = [(f"same_series=i{k}", f"same_series=i{k + 4}", "unheard_of=i1") for k in range(4)]
    assert share_right(shop, new_items(relations=related)).min() > 0.8


def test_new_items_of_which_nothing_is_known_reach_nobody_in_particular(shop):
    assert len(set(chosen(shop, new_items()).tolist())) == 1


def test_a_later_vector_of_another_length_names_the_item_and_both_lengths(shop):
    dataset, predictor = shop
    later = replace(dataset.catalogue, embeddings=np.ones((NUM_ITEMS, 3), dtype=np.float32))
    with pytest.raises(SchemaError, match=r"embeddings of 4 numbers, but i0 has 3; give later"):
        predictor.learn_items(later.followed_by(Catalogue.of_ids(["new"])))
    with pytest.raises(SchemaError, match=r"one length, got 4 numbers for i0 and 2 for new0"):
        dataset.catalogue.followed_by(new_items(vectors=np.ones((4, 2))))


def test_serving_and_training_make_the_same_vector_of_what_training_never_met(shop):
    dataset, predictor = shop
    row = 5
    copied = dataset.catalogue.chosen(np.array([row]))
    copied.item_ids[0] = "copy"
    predictor.learn_items(dataset.catalogue.followed_by(copied))
    artifact = predictor.artifact
    content = predictor.items.vectors[NUM_ITEMS]
    assert np.abs(content - predictor.items.vectors[row]).max() > 1e-3  # it has an id besides
    bases = artifact.arrays["item_bases"]
    others = [int(text.partition("=i")[2]) for text in copied.relations[0]]
    forward = artifact.arrays["relation_weights"][0] * bases[others].mean(axis=0)
    alone = copied.chosen(np.array([0]))
    alone.relations[0] = ()
    predictor.learn_items(dataset.catalogue.followed_by(alone))
    np.testing.assert_allclose(content, predictor.items.vectors[NUM_ITEMS] + forward, atol=1e-5)


def test_the_parts_of_every_item_add_up_to_its_vector_and_say_what_it_is_told_by(shop):
    dataset, predictor = shop
    related = [("same_series=i3",), (), (), ()]
    new = new_items(["绿茶", "", "", ""], vectors=np.eye(4) + 10.0, relations=related)
    predictor.learn_items(dataset.catalogue.followed_by(new))
    vectors = predictor.items.vectors
    parts, present = predictor.items.parts(np.arange(len(vectors), dtype=np.int32))
    np.testing.assert_allclose(parts.sum(axis=1), vectors, atol=1e-5)
    near, text = DIMENSIONS.index("neighbours"), DIMENSIONS.index("text")
    assert present[-4:, near].tolist() == [1, 0, 0, 0]
    assert present[-4:, text].all() and present[-4:].sum() == 5
    assert np.abs(parts[-4, near]).max() > 0
