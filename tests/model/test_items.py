import numpy as np
import pytest
import torch

from endcap.model.items import SparseProduct, look_up
from endcap.schema import FieldMatrix


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


def test_an_item_gains_its_embedding_and_what_it_is_related_to(make_network, facts):
    table = make_network(facts=facts, gate=3.0).items
    gate = torch.tensor([0.75, 0.5, 0.25, 0.4, 0.0])
    ids = table.ids.detach() * gate[:, None]
    bags = torch.stack([table.fields[k] for k in (0, 1, 1, 0, 0)]).detach()
    bags[1], bags[3] = (table.fields[1] + table.fields[2]).detach() / 2, 0.0
    base = ids + bags + torch.from_numpy(facts.embeddings) @ table.embeddings.map.detach()
    torch.testing.assert_close(table.bases().detach(), base)
    vectors = table().detach()
    torch.testing.assert_close(vectors[4], base[4] + 0.25 * base[0])
    smoothed = 0.5 * (0.25 * ids[1] + 0.75 * ids[2])
    torch.testing.assert_close(vectors[0], base[0] + smoothed + 0.25 * (base[2] + base[4]) / 2)


def test_a_column_that_no_training_item_has_says_nothing(make_network):
    from endcap.model.items import _start_fields

    bags = FieldMatrix(
        indptr=np.array([0, 1, 3]),
        indices=np.array([0, 0, 1]),
        weights=np.ones(3, dtype=np.float32),
        fields=np.zeros(3, dtype=np.uint8),
        num_columns=3,
    )
    start = _start_fields(bags, np.array([True, False]), dim=4)
    assert start[0].all() and not start[1:].any()


def test_every_part_of_some_rows_is_that_of_all_and_so_are_the_gradients(make_network, facts):
    table = make_network(facts=facts, gate=3.0, id_dropout=0.0).items.train()
    row, weight = torch.tensor([0, 1, 4]), torch.randn(3, 8)
    (table()[row] * weight).sum().backward()
    whole = {name: each.grad.clone() for name, each in table.named_parameters()}
    assert set(whole) == {"ids", "fields", "relation_weights", "gate.log_half", "embeddings.map"}
    vectors = table()[row].detach()
    table.zero_grad()
    some = table.only(row)
    torch.testing.assert_close(some.vectors, vectors)
    (some.vectors * weight).sum().backward()
    for name, each in table.named_parameters():
        torch.testing.assert_close(each.grad.to_dense(), whole[name])


@pytest.mark.parametrize("training", [False, True])
def test_some_rows_are_those_of_all_and_their_gradients_too(make_network, training):
    table = make_network(id_dropout=0.0).items.train(training)
    row, weight = torch.tensor([1, 3, 4]), torch.randn(3, 8)
    (table()[row] * weight).sum().backward()
    whole = {name: each.grad.clone() for name, each in table.named_parameters()}
    vectors = table()[row].detach()
    table.zero_grad()
    some = table.only(row)
    torch.testing.assert_close(some.vectors, vectors)
    (some.vectors * weight).sum().backward()
    assert table.ids.grad.is_sparse
    assert set(table.ids.grad.coalesce().indices()[0].tolist()) == {0, 1, 3, 4}  # and a neighbour
    torch.testing.assert_close(table.ids.grad.to_dense(), whole["ids"])
    torch.testing.assert_close(table.fields.grad, whole["fields"])


def test_ids_are_dropped_in_some_rows_as_in_all(make_network):
    table = make_network(id_dropout=0.5).items
    row = torch.tensor([0, 1, 2, 3])
    whole = table.eval().only(row).vectors.detach()
    torch.manual_seed(0)
    dropped = torch.stack([table.train().only(row).vectors.detach() for _ in range(400)])
    share = ((dropped - whole).abs().sum(-1) > 0).float().mean(0)
    torch.testing.assert_close(share, torch.full((4,), 0.5), atol=0.1, rtol=0)


def test_looking_up_finds_an_item_in_all_or_in_some(make_network):
    table = make_network().items
    item = torch.tensor([[4, 1], [1, 3]])
    torch.testing.assert_close(
        look_up(table.only(torch.tensor([1, 3, 4])), item), look_up(table(), item)
    )
