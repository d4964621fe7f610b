import torch

from endcap.model.items import SparseProduct


def test_a_vector_is_the_sum_of_id_neighbours_and_fields(make_network):
    table = make_network().items
    ids, fields = table.ids.detach(), table.fields.detach()
    vectors = table().detach()
    expected = ids[0] + 0.5 * (0.25 * ids[1] + 0.75 * ids[2]) + fields[0]
    torch.testing.assert_close(vectors[0], expected)
    torch.testing.assert_close(vectors[1], ids[1] + 0.5 * ids[0] + 0.5 * (fields[1] + fields[2]))
    torch.testing.assert_close(vectors[3], ids[3])


def test_an_item_that_training_never_met_is_its_fields_alone(make_network):
    table = make_network().items
    torch.testing.assert_close(table()[4], table.fields[0])
    table().sum().backward()
    assert table.ids.grad[4].abs().sum() == 0


def test_the_sparse_products_gradient_is_that_of_the_dense_one(make_network):
    matrix, transposed = make_network().items._bags
    table = torch.randn(3, 8, requires_grad=True)
    weight = torch.randn(5, 8)
    (SparseProduct.apply(table, matrix, transposed) * weight).sum().backward()
    sparse, table.grad = table.grad.clone(), None
    ((matrix.to_dense() @ table) * weight).sum().backward()
    torch.testing.assert_close(sparse, table.grad)


def test_in_training_some_items_lean_on_neighbours_and_fields(make_network):
    table = make_network(id_dropout=0.5).items.train()
    torch.manual_seed(0)
    whole = table.eval()().detach()
    dropped = (whole - table.train()().detach()).abs().sum(1) > 0
    assert 0 < dropped[:4].sum() < 4
    assert not dropped[4]
