import numpy as np
import pytest
import torch

from endcap.model.dimensions import DimensionAttention, by_dimension, part_table
from endcap.model.items import look_up
from endcap.schema import DIMENSIONS, SHOPPER_COLUMNS, ContextColumn, FieldMatrix

ID, NEIGHBOURS, CATEGORY, BRAND, PRICE, TEXT, _ = range(7)
ITEMS = torch.arange(5)


def parted(network, vectors, wanted=ITEMS):
    return network.parts(network.items, vectors, wanted)


def table(*networks):
    return part_table([(each.items, each.parts, each.items().detach()) for each in networks])


def test_the_parts_of_an_item_add_up_to_its_vector(make_network):
    network = make_network()
    vectors = network.items()
    parts, present = parted(network, vectors)
    torch.testing.assert_close(parts.sum(1), vectors)
    # Of the table in conftest: 0 has a category; 1 a price and a brand; 2 a text; 4 a leaf alone.
    assert [row.nonzero().flatten().tolist() for row in present] == [
        [ID, NEIGHBOURS, CATEGORY],
        [ID, NEIGHBOURS, BRAND, PRICE],
        [ID, TEXT],
        [ID],
        [CATEGORY],
    ]
    torch.testing.assert_close(parts * (1 - present[..., None]), torch.zeros_like(parts))
    torch.testing.assert_close(parts[1, PRICE], 0.5 * network.items.fields[2])
    torch.testing.assert_close(parts[0, ID], network.items.ids[0])


def test_the_shops_own_vectors_are_of_the_text_and_related_items_of_the_neighbours(
    make_network, facts
):
    network = make_network(facts=facts, gate=3.0)
    items, vectors = network.items, network.items()
    parts, present = parted(network, vectors)
    torch.testing.assert_close(parts.sum(1), vectors)
    torch.testing.assert_close(parts[0, ID], 0.75 * items.ids[0])
    torch.testing.assert_close(parts[4, NEIGHBOURS], 0.25 * items.bases()[0])
    own = torch.from_numpy(facts.embeddings) @ items.embeddings.map
    torch.testing.assert_close(parts[2, TEXT], own[2] + items.fields[1])
    torch.testing.assert_close(parts[3, TEXT], own[3])
    assert present[4].nonzero().flatten().tolist() == [NEIGHBOURS, CATEGORY, TEXT]
    assert present[3].nonzero().flatten().tolist() == [ID, TEXT]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("gate", [0.0, 3.0])
def test_parts_add_up_whatever_items_are_made_of_for_all_and_for_some(
    make_network, facts, gate, training
):
    network, row = make_network(facts=facts, gate=gate, id_dropout=0.5).train(training), ITEMS[1:]
    for vectors in (network.items(), network.items.only(row)):
        parts, _ = parted(network, vectors, row)
        torch.testing.assert_close(parts.sum(1), look_up(vectors, row))


def test_parts_are_those_of_the_wanted_items_in_any_order(make_network):
    network = make_network()
    vectors, wanted = network.items(), torch.tensor([[3, 1], [1, 4]])
    parts, _ = parted(network, vectors, wanted)
    torch.testing.assert_close(parts, parted(network, vectors)[0][wanted])


def test_an_item_without_its_id_for_a_step_has_none_among_its_parts(make_network):
    network = make_network(id_dropout=1.0).train()
    parts, present = parted(network, network.items())
    torch.testing.assert_close(parts[:, ID], torch.zeros(5, 8))
    assert present[:, ID].max() == 0  # never learned, so nothing to look at


def test_no_item_has_no_dimension_and_is_looked_at_nowhere(make_network):
    network = make_network()
    parts, present = parted(network, network.items(), torch.tensor([[-1, 1]]))
    assert parts[0, 0].abs().max() == 0 == present[0, 0].max()
    torch.testing.assert_close(parts[:, 1], parted(network, network.items())[0][[1]])
    attention = network.candidates.dimensions
    beta = attention(torch.randn(1, 8), parts, present)
    item, counts = attention.mixed(beta, parts, present)
    assert beta[0, 0].abs().max() == 0 == item[0, 0].abs().max()
    torch.testing.assert_close(counts[0, 0], torch.ones(len(ContextColumn)))


def test_parts_of_some_items_have_sparse_ids_and_are_those_of_all(make_network, facts):
    network, wanted = make_network(facts=facts, gate=3.0), torch.tensor([[4, 1, 0], [1, 2, -1]])
    whole, some = network.items(), network.items.only(torch.tensor([0, 1, 2, 4]))
    parts, present = parted(network, some, wanted)
    of_all, present_of_all = parted(network, whole, wanted)
    torch.testing.assert_close(parts, of_all)
    torch.testing.assert_close(present, present_of_all)
    weights = torch.randn_like(parts)
    gradients = []
    for found in (of_all, parts):
        network.zero_grad()
        (found * weights).sum().backward()
        gradients.append({name: each.grad for name, each in network.items.named_parameters()})
    assert gradients[1]["ids"].is_sparse
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name].to_dense(), gradient)


def test_entries_of_a_row_are_ordered_by_dimension_and_stay_in_their_row():
    matrix = FieldMatrix(
        indptr=np.array([0, 4, 4, 6]),
        indices=np.arange(6),
        weights=np.arange(6, dtype=np.float32),
        fields=np.array(
            [6, 3, 0, 2, 4, 1], dtype=np.uint8
        ),  # text seller category brand; price leaf
        num_columns=6,
    )
    ordered = by_dimension(matrix)
    assert ordered.indices.tolist() == [2, 3, 0, 1, 5, 4]
    assert ordered.weights.tolist() == [2, 3, 0, 1, 5, 4]
    assert ordered.fields.tolist() == [0, 2, 6, 3, 1, 4]
    assert by_dimension(ordered) is ordered


def test_all_of_an_items_parts_can_be_had_from_the_folders_table(make_network):
    network = make_network()
    parts, present = parted(network, network.items())
    numbers, vectors = table(network)
    torch.testing.assert_close(torch.from_numpy(vectors[numbers]), parts.detach())
    assert ((numbers > 0) == present.numpy()).all()
    assert numbers[0, CATEGORY] == numbers[4, CATEGORY] > 0  # one column, one vector


def test_parts_of_several_networks_stand_side_by_side(make_network, facts):
    networks = [make_network(seed, facts=facts) for seed in (0, 1)]
    numbers, vectors = table(*networks)
    beside = torch.cat([each.items() for each in networks], dim=-1)
    torch.testing.assert_close(torch.from_numpy(vectors[numbers]).sum(1), beside.detach())
    assert numbers[0, CATEGORY] == numbers[4, CATEGORY] > 0


def test_a_folders_table_is_the_same_however_many_items_are_parted_at_once(
    make_network, monkeypatch
):
    network = make_network()
    whole = table(network)
    monkeypatch.setattr("endcap.model.dimensions.CHUNK", 2)
    numbers, vectors = table(network)
    np.testing.assert_array_equal(vectors[numbers], whole[1][whole[0]])


def look(attention, shoppers=2):
    torch.manual_seed(1)
    parts, context = torch.randn(shoppers, 3, 7, 8), torch.randn(shoppers, 3, len(ContextColumn))
    present = torch.ones(shoppers, 3, 7)
    present[:, 1, PRICE] = 0
    parts = parts * present[..., None]
    beta = attention(torch.randn(shoppers, 8), parts, present)
    item, counts = attention.mixed(beta, parts, present)
    return beta, (item, context * counts), parts, context


def test_at_the_start_all_dimensions_are_alike_and_the_item_is_its_sum():
    beta, (item, read), parts, context = look(DimensionAttention(8))
    torch.testing.assert_close(beta[:, 0], torch.full((2, 7), 1 / 7))
    torch.testing.assert_close(item, parts.sum(2))
    torch.testing.assert_close(read, context)


def test_attention_on_dimensions_adds_up_to_one_over_those_there_are():
    attention = DimensionAttention(8)
    torch.nn.init.normal_(attention.to_query.weight)
    beta, (item, read), parts, context = look(attention)
    torch.testing.assert_close(beta.sum(-1), torch.ones(2, 3))
    assert (beta[:, 1, PRICE] == 0).all()
    assert not torch.allclose(beta[0], beta[1])  # shoppers differ
    torch.testing.assert_close(item[0, 0], (7 * beta[0, 0, :, None] * parts[0, 0]).sum(0))
    column = ContextColumn.BRAND_TASTE
    torch.testing.assert_close(read[0, 1, column], 6 * beta[0, 1, BRAND] * context[0, 1, column])
    for column in (ContextColumn.PRICE, ContextColumn.HISTORY_LENGTH):  # absent; of no dimension
        torch.testing.assert_close(read[0, 1, column], context[0, 1, column])


def test_every_column_speaks_of_the_shopper_or_of_one_dimension():
    columns = DimensionAttention(8).columns
    assert (columns.sum(0) == 0).nonzero().flatten().tolist() == sorted(SHOPPER_COLUMNS)
    assert columns.sum(0).max() == 1
    words = (("PRICE", "price"), ("BRAND", "brand"), ("LEAF", "category"), ("ITEM_", "id"))
    for column in ContextColumn:
        for name, word in (*words, ("NUMBER", "attribute")):
            if name in column.name:
                assert columns[DIMENSIONS.index(word), column] == 1, column
