import torch

from endcap.model.dimensions import DimensionAttention, distinct_parts
from endcap.schema import DIMENSIONS, ContextColumn

ID, NEIGHBOURS, CATEGORY, BRAND, PRICE, TEXT, _ = range(7)
ITEMS = torch.arange(5)


def test_the_parts_of_an_item_add_up_to_its_vector(make_network):
    network = make_network()
    vectors = network.items()
    parts, present = network.parts(vectors, ITEMS)
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


def test_parts_are_those_of_the_wanted_items_in_any_order(make_network):
    network = make_network()
    vectors, wanted = network.items(), torch.tensor([[3, 1], [1, 4]])
    parts, _ = network.parts(vectors[wanted], wanted)
    torch.testing.assert_close(parts, network.parts(vectors, ITEMS)[0][wanted])


def test_an_item_without_its_id_for_a_step_has_none_among_its_parts(make_network):
    network = make_network(id_dropout=1.0).train()
    parts, _ = network.parts(network.items(), ITEMS)
    torch.testing.assert_close(parts[:, ID], torch.zeros(5, 8))


def test_all_of_an_items_parts_can_be_had_from_the_folders_table(make_network):
    network = make_network()
    parts, present = network.parts(network.items(), ITEMS)
    numbers, vectors = distinct_parts(parts.detach(), present)
    torch.testing.assert_close(torch.from_numpy(vectors[numbers]), parts.detach())
    assert ((numbers > 0) == present.numpy()).all()
    assert numbers[0, CATEGORY] == numbers[4, CATEGORY] > 0  # one column, one vector


def look(attention, shoppers=2):
    torch.manual_seed(1)
    parts, context = torch.randn(shoppers, 3, 7, 8), torch.randn(shoppers, 3, len(ContextColumn))
    present = torch.ones(shoppers, 3, 7)
    present[:, 1, PRICE] = 0
    parts = parts * present[..., None]
    beta = attention(torch.randn(shoppers, 8), parts, present)
    return beta, attention.mixed(beta, parts, present, context), parts, context


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


def test_every_column_that_speaks_of_the_candidate_has_its_dimension():
    columns = DimensionAttention(8).columns
    alone = {ContextColumn.HISTORY_LENGTH, ContextColumn.SINCE_LAST, ContextColumn.SHOPPER_RATE}
    assert set((columns.sum(0) == 0).nonzero().flatten().tolist()) == alone
    assert columns.sum(0).max() == 1
    for column in ContextColumn:
        for name, word in (("PRICE", "price"), ("BRAND", "brand"), ("LEAF", "category")):
            if name in column.name:
                assert columns[DIMENSIONS.index(word), column] == 1, column
