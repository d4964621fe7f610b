import numpy as np
import pytest
import torch

from endcap.model.heads import Examination
from endcap.schema import DEFAULT_TASKS, NUM_CONTEXT, Device


def ask(network, rows, length=3, seed=2):
    """Ask about some of five random candidates after one window of events."""
    torch.manual_seed(seed)
    parts, context = torch.randn(1, 5, 7, 8), torch.randn(1, 5, NUM_CONTEXT)
    present = (torch.rand(1, 5, 7) < 0.8).float()
    campaign = torch.tensor([[0, 1, 2, 3, 0]])
    states, last, question = torch.randn(1, 3, 8), torch.randn(1, 8), torch.randn(1, 8)
    age = torch.randint(1, 9, (1, 3))
    lengths = torch.tensor([length])
    shopper = (states, last, question, age, lengths)
    asked = (each[:, rows] for each in (parts, present, campaign, context))
    return network.candidates(*asked, None, *shopper)


def test_a_candidate_answers_the_same_alone_and_in_company(make_network):
    network = make_network()
    together, attention, _ = ask(network, [0, 1, 2, 3, 4])
    for row in range(5):
        alone, its_attention, _ = ask(network, [row])
        torch.testing.assert_close(alone[0, 0], together[0, row])
        torch.testing.assert_close(its_attention[0, 0], attention[0, row])


def test_order_of_candidates_means_nothing(make_network):
    network = make_network()
    torch.testing.assert_close(
        ask(network, [4, 2, 0])[0][0], ask(network, [0, 1, 2, 3, 4])[0][0][[4, 2, 0]]
    )


def test_attention_adds_up_to_one_and_reads_no_padding(make_network):
    _, attention, _ = ask(make_network(), [0, 1], length=2)
    torch.testing.assert_close(attention.sum(-1), torch.ones(1, 2))
    assert attention[..., 3].abs().max() == 0  # "nothing", two events, padding


def test_without_a_history_all_attention_lies_on_nothing(make_network):
    answers, attention, _ = ask(make_network(), [0], length=0)
    assert attention[0, 0].tolist() == [1, 0, 0, 0]
    assert answers.isfinite().all()


def test_each_task_has_its_outputs_side_by_side(make_network):
    network = make_network()
    widths = [part.stop - part.start for part in network.slices.values()]
    assert widths == [0, 1, 1, 16, 13, 13, 13, 13, 2, 0, 1, 13]
    starts = [part.start for part in network.slices.values()]
    assert starts == [0, *np.cumsum(widths)[:-1]]
    assert list(network.slices) == [task.name for task in DEFAULT_TASKS]
    assert ask(network, [0])[0].shape[-1] == sum(widths)


def examine():
    made = Examination(2, 4)
    torch.manual_seed(0)
    with torch.no_grad():
        made.steps.copy_(3 * torch.randn_like(made.steps))
    return made


def test_a_later_slot_is_never_examined_more():
    table = examine().log().exp()
    assert table.shape == (2, len(Device), 4)
    assert (table.diff(dim=-1) <= 0).all()
    assert (table <= 1).all()


def test_on_every_device_the_first_slot_of_the_best_placement_is_one():
    torch.testing.assert_close(examine().log()[:, :, 0].amax(0), torch.zeros(len(Device)))


def test_a_slot_beyond_the_table_is_examined_like_the_last():
    made, one = examine(), torch.tensor([1])
    torch.testing.assert_close(
        made(one, one, torch.tensor([255])), made(one, one, torch.tensor([3]))
    )


@pytest.mark.parametrize("slots", [1, 4])
def test_a_fresh_table_is_the_same_for_all_placements_and_devices(slots):
    table = Examination(3, slots).log().exp()
    torch.testing.assert_close(table, table[:1, :1].expand_as(table))
