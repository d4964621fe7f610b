import numpy as np

from endcap.features import FieldVocabulary, group_names, item_groups, kinds_of
from endcap.schema import Binary, Catalogue, NextCategory


def priced(*prices):
    catalogue = Catalogue.of_ids([f"i{n}" for n in range(len(prices))])
    catalogue.price_micros[:] = [round(price * 1e6) for price in prices]
    return catalogue


def test_items_are_grouped_by_bands_of_price_in_order_and_named_by_their_ends():
    catalogue = priced(40, 0, *range(1, 11))
    known = np.ones(catalogue.num_items, dtype=bool)
    vocabulary = FieldVocabulary.fit(catalogue, known)
    groups, names = item_groups(catalogue, vocabulary, "price"), group_names(vocabulary, "price")
    assert groups[1] == 0  # no price is told
    order = np.argsort(catalogue.price_micros)[1:]
    assert (np.diff(groups[order]) >= 0).all() and groups[order[0]] == 1
    assert len(names) == groups.max() == 10
    assert (names[0], names[-1]) == ("up to 2", "over 10")
    for price, group in zip(catalogue.price_micros[order] / 1e6, groups[order], strict=True):
        low, _, high = names[group - 1].replace("up to", "0 to").partition(" to ")
        assert float(low.removeprefix("over ")) <= price * 1.0001
        assert not high or price <= float(high) * 1.0001


def test_a_number_is_grouped_by_its_bands_and_unknown_ones_by_none():
    catalogue = Catalogue.of_ids(["a", "b", "c", "d"])
    for row, attributes in enumerate((("rating=1.5",), ("rating=4.5",), (), ("rating=3",))):
        catalogue.attributes[row] = attributes
    vocabulary = FieldVocabulary.fit(catalogue, np.ones(4, dtype=bool), ["rating"])
    groups = item_groups(catalogue, vocabulary, "rating")
    assert groups[2] == 0
    assert groups[0] < groups[3] < groups[1]


def test_items_are_grouped_by_brand_and_by_an_attribute():
    catalogue = Catalogue.of_ids(["a", "b", "c"])
    catalogue.brands[:] = ["Acme", "", "Oro=1"]
    for row, attributes in enumerate((("colour=red",), ("colour=blue",), ("size=9",))):
        catalogue.attributes[row] = attributes
    vocabulary = FieldVocabulary.fit(catalogue, np.ones(3, dtype=bool))
    assert item_groups(catalogue, vocabulary, "brand").tolist() == [1, 0, 2]
    assert group_names(vocabulary, "brand") == ("Acme", "Oro=1")
    assert item_groups(catalogue, vocabulary, "colour").tolist() == [1, 2, 0]
    assert group_names(vocabulary, "colour") == ("red", "blue")
    assert group_names(vocabulary, "taste") == ()


def test_each_task_that_asks_of_kinds_has_a_column_and_each_field_is_read_once(monkeypatch):
    catalogue = Catalogue.of_ids(["a", "b", "c"])
    catalogue.categories[:] = ["Shoes", "", "Hats"]
    catalogue.brands[:] = ["Acme", "Acme", "Oro"]
    vocabulary = FieldVocabulary.fit(catalogue, np.ones(3, dtype=bool))
    groups, read = item_groups(catalogue, vocabulary), []

    def noted(catalogue, vocabulary, of):
        read.append(of)
        return item_groups(catalogue, vocabulary, of)

    monkeypatch.setattr("endcap.features.groups.item_groups", noted)
    asked = [NextCategory(name=f"next_{of}", of=of) for of in ("brand", "category", "brand")]
    tasks = [Binary(name="click", event_type="click"), *asked]
    kinds = kinds_of(catalogue, vocabulary, tasks, groups)
    assert kinds.T.tolist() == [[1, 1, 2], groups.tolist(), [1, 1, 2]]
    assert sorted(groups.tolist()) == [0, 1, 2]
    assert read == ["brand"]
    assert kinds_of(catalogue, vocabulary, tasks[:1], groups).shape == (3, 0)
