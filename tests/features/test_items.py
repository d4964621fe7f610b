import numpy as np
import pytest

from endcap.features import MAX_GROUPS, FieldVocabulary, codes, field_matrix, item_groups
from endcap.features.items import NUMBER_BANDS
from endcap.features.ngrams import text_buckets
from endcap.schema import FIELD_NAMES, Catalogue


@pytest.fixture
def catalogue():
    made = Catalogue.of_ids(["a", "b", "c"])
    made.categories[:] = ["Shoes > Running", "Shoes", ""]
    made.brands[:] = ["Acme", "", "Late"]
    made.titles[:] = ["Red shoe", "", ""]
    made.price_micros[:] = [10_000_000, 20_000_000, 10**12]
    made.attributes[0] = ("colour=red", "size=9", "width=D")
    return made


@pytest.fixture
def vocabulary(catalogue):
    return FieldVocabulary.fit(catalogue, np.array([True, True, False]))


def test_the_weights_of_a_field_add_up_to_one_per_item(catalogue, vocabulary):
    matrix = field_matrix(catalogue, vocabulary)
    row = slice(matrix.indptr[0], matrix.indptr[1])
    sums = np.bincount(matrix.fields[row], matrix.weights[row], minlength=len(FIELD_NAMES))
    expected = {"category": 1, "leaf": 1, "brand": 1, "seller": 0, "price": 1}
    np.testing.assert_allclose(sums, [*expected.values(), 1, 1], rtol=1e-6)
    assert (matrix.indices < matrix.num_columns).all()


def test_a_value_first_seen_after_training_has_no_column(catalogue, vocabulary):
    assert "brand=Acme" in vocabulary.columns
    assert "brand=Late" not in vocabulary.columns
    late = field_matrix(catalogue, vocabulary, np.array([2]))
    assert [FIELD_NAMES[f] for f in late.fields] == ["price"]  # the dearest band of training


def test_price_bands_are_fitted_on_training_items_alone(catalogue, vocabulary):
    edges = vocabulary.price_edges
    low, high = np.log(10_000_000), np.log(20_000_000)
    np.testing.assert_allclose(edges, np.linspace(low, high, 11)[1:-1])
    catalogue.price_micros[2] = 1
    again = FieldVocabulary.fit(catalogue, np.array([True, True, False]))
    assert again == vocabulary


def test_an_item_of_which_nothing_is_known_has_an_empty_row(vocabulary):
    matrix = field_matrix(Catalogue.of_ids(["x"]), vocabulary)
    assert matrix.indptr.tolist() == [0, 0]


def test_a_title_weighs_as_much_as_a_long_description(catalogue):
    catalogue.titles[2], catalogue.descriptions[2] = "紅茶", "very long words about many things"
    vocabulary = FieldVocabulary.fit(catalogue, np.array([True, True, False]))
    late = field_matrix(catalogue, vocabulary, np.array([2]))
    start = len(vocabulary.columns)
    weights = dict(zip(late.indices - start, late.weights, strict=True))
    np.testing.assert_allclose(sum(weights[b] for b in text_buckets("紅茶")), 0.5, rtol=1e-6)


def test_equal_texts_have_equal_codes_and_the_empty_text_has_none():
    assert codes(["b", "", "a", "b"]).tolist() == [0, -1, 1, 0]


def paths(*categories):
    catalogue = Catalogue.of_ids([f"i{n}" for n in range(len(categories))])
    catalogue.categories[:] = categories
    return catalogue, FieldVocabulary.fit(catalogue, np.ones(len(categories), dtype=bool))


def test_items_are_grouped_by_leaf_category_from_one():
    catalogue, vocabulary = paths("Shoes > Boots", "", "Shoes > Clogs", "Shoes > Boots")
    assert item_groups(catalogue, vocabulary).tolist() == [1, 0, 2, 1]


def test_a_category_that_training_never_met_is_no_group():
    _, vocabulary = paths("Shoes > Boots", "Hats")
    later, _ = paths("Bags", "Hats", "Shoes > Clogs")
    assert item_groups(later, vocabulary).tolist() == [0, 2, 0]


def test_where_leaves_are_many_items_are_grouped_by_top_category():
    many = [f"Shoes > {n}" for n in range(MAX_GROUPS)] + ["Hats > 1"]
    catalogue, vocabulary = paths(*many)
    assert item_groups(catalogue, vocabulary).tolist() == [1] * MAX_GROUPS + [2]


def test_where_even_top_categories_are_many_nothing_is_grouped():
    catalogue, vocabulary = paths(*[f"{n}" for n in range(MAX_GROUPS + 1)])
    assert not item_groups(catalogue, vocabulary).any()


def lengths(*values):
    made = Catalogue.of_ids([f"i{k}" for k in range(len(values))])
    for row, value in enumerate(values):
        made.attributes[row] = (f"length={value}",) if value else ()
    return made


def band_of(catalogue, vocabulary, row):
    matrix = field_matrix(catalogue, vocabulary, np.array([row]))
    return [name for name, column in vocabulary.columns.items() if column in matrix.indices]


def test_an_amount_is_read_in_bands_of_equal_training_items():
    catalogue = lengths(*range(1, 161), 10**9)
    known = np.arange(161) < 160
    vocabulary = FieldVocabulary.fit(catalogue, known, ["length"])
    assert len(vocabulary.columns) == NUMBER_BANDS
    bands = [band_of(catalogue, vocabulary, row)[0] for row in range(160)]
    assert {bands.count(band) for band in bands} == {10}
    assert band_of(catalogue, vocabulary, 160) == [bands[-1]]


def test_an_amount_that_is_not_told_is_a_band_of_its_own_and_other_attributes_stay():
    catalogue = lengths(5, 0, "", "long", 7)
    catalogue.attributes[4] = ("length=7", "colour=red")
    vocabulary = FieldVocabulary.fit(catalogue, np.ones(5, dtype=bool), ["length"])
    for row in (1, 2, 3):
        assert band_of(catalogue, vocabulary, row) == ["attribute=length=unknown"]
    assert "attribute=colour=red" in band_of(catalogue, vocabulary, 4)
    assert band_of(catalogue, vocabulary, 0) != band_of(catalogue, vocabulary, 4)
