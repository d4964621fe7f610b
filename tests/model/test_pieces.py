import numpy as np
import torch

from endcap.model.pieces import Pieces


def encode(pieces, *rows):
    context = torch.tensor([rows])
    return pieces(context, torch.ones_like(context))[0].tolist()


def test_a_number_goes_through_its_bands_by_hand():
    pieces = Pieces(1, 2)
    pieces.learn(np.array([[0.0], [1.0], [2.0], [6.0], [10.0]], dtype=np.float32))  # edges 0, 2, 10
    found = encode(pieces, [-1.0], [1.0], [2.0], [6.0], [99.0])
    assert found == [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]]


def test_a_column_that_never_varies_gives_zeros_and_others_keep_their_places():
    pieces = Pieces(2, 4)
    rows = np.zeros((9, 2), dtype=np.float32)
    rows[:, 1] = np.arange(9)
    pieces.learn(rows)
    assert encode(pieces, [7.0, 5.0]) == [[0, 0, 0, 0, 1, 1, 0.5, 0]]


def test_edges_are_part_of_the_weights():
    pieces, again = Pieces(1, 2), Pieces(1, 2)
    pieces.learn(np.arange(5, dtype=np.float32)[:, None])
    again.load_state_dict(pieces.state_dict())
    assert encode(again, [3.0]) == encode(pieces, [3.0]) == [[1, 0.5]]
