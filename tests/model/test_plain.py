import pytest
import torch

from endcap.model.effects import EffectInputs
from endcap.model.plain import Answers
from endcap.schema import MOMENT_COLUMNS, NUM_CONTEXT, SHOPPER_COLUMNS, ContextColumn


def answer(network, *, item=0, seed=3):
    """Answer about two candidates after three events; the items' parts by one seed alone."""
    torch.manual_seed(item)
    parts = torch.randn(1, 2, 7, 8)
    torch.manual_seed(seed)
    ones = torch.ones(1, 3, dtype=torch.long)
    effects = EffectInputs(
        of_item=torch.randn(1, 2, len(network.effects.moved)),
        campaign=torch.zeros(1, 2, dtype=torch.long),
        clock=torch.randn(1, 4),
        item_group=torch.ones(1, 2, dtype=torch.long),
        event_group=ones,
        action=ones,
        age=ones,
    )
    states, last, question = torch.randn(1, 3, 8), torch.randn(1, 8), torch.randn(1, 8)
    context, length = torch.randn(1, 2, NUM_CONTEXT), torch.tensor([3])
    kinds = torch.zeros(1, 3, 1, dtype=torch.long)
    shopper = (states, last, question, length, kinds, effects)
    return network.answer(parts, torch.ones(1, 2, 7), context, *shopper)[0]


@pytest.fixture(params=[0, 3])
def network(make_network, request):
    made = make_network(context_bands=request.param)
    with torch.no_grad():
        for weights in (*made.plain.parameters(), made.candidates.answers.weight):
            weights.normal_()
    if made.pieces is not None:
        made.pieces.learn(torch.randn(500, NUM_CONTEXT).numpy())
    return made


def test_the_plain_answer_reads_no_item_and_the_deep_one_does(network):
    one, other = answer(network, item=0), answer(network, item=1)
    torch.testing.assert_close(one.plain, other.plain)
    assert not torch.allclose(one.deep, other.deep)


def test_attention_on_dimensions_moves_the_deep_answer_alone(network):
    before = answer(network)
    torch.nn.init.normal_(network.candidates.dimensions.to_query.weight)
    after = answer(network)
    torch.testing.assert_close(before.plain, after.plain)
    assert not torch.allclose(before.deep, after.deep)


def test_the_deep_way_reads_a_columns_bands_as_often_as_the_shopper_looks_at_it(make_network):
    network = make_network(context_bands=2)
    network.pieces.learn(torch.randn(500, NUM_CONTEXT).numpy())
    head, read = network.candidates, []
    torch.nn.init.normal_(head.dimensions.to_query.weight)
    bands = torch.rand(1, 2, 2 * NUM_CONTEXT)
    head.mix_bands.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    torch.manual_seed(1)
    parts, present = torch.randn(1, 2, 7, 8), torch.ones(1, 2, 7)
    context, states, last = torch.randn(1, 2, NUM_CONTEXT), torch.randn(1, 3, 8), torch.randn(1, 8)
    ones, question = torch.ones(1, 3, dtype=torch.long), torch.zeros(1, 8)
    shopper = (states, last, question, ones, torch.tensor([3]))
    campaign = torch.zeros(1, 2, dtype=torch.long)
    beta = head(parts, present, campaign, context, bands, *shopper)[2]
    counts = head.dimensions.mixed(beta, parts, present)[1]
    assert (counts - 1).abs().max() > 0.1
    torch.testing.assert_close(read[0], bands * counts.repeat_interleave(2, dim=-1))


def test_steps_move_the_deep_answer_alone(network):
    found = answer(network)
    found.deep.sum().backward()
    assert network.candidates.answers.bias.grad.abs().sum() > 0
    assert all(weights.grad is None for weights in network.plain.parameters())


def test_what_the_shopper_met_has_weights_of_its_own(network):
    context = torch.zeros(2, NUM_CONTEXT)
    context[:, ContextColumn.POPULARITY] = 1.0
    context[1, ContextColumn.SAME_ITEM_CARTS] = 0.5
    columns = network.plain.columns(context, None)
    assert columns[0, NUM_CONTEXT:].abs().sum() == 0
    assert columns[1, NUM_CONTEXT] == 1
    torch.testing.assert_close(columns[1, NUM_CONTEXT + 1 : 2 * NUM_CONTEXT + 1], context[1])


@pytest.mark.parametrize(("days", "here"), [(0.0, True), (1.0, True), (2.0, False), (60.0, False)])
def test_a_shopper_who_is_here_has_weights_of_their_own(network, days, here):
    context = torch.zeros(1, NUM_CONTEXT)
    context[:, ContextColumn.POPULARITY] = 1.0
    context[:, ContextColumn.SINCE_LAST] = 1 / (1 + days)
    context[:, ContextColumn.BUY_DAYS] = 0.7
    columns = network.plain.columns(context, None)
    active, own = columns[0, 2 * NUM_CONTEXT + 1], columns[0, 2 * NUM_CONTEXT + 2 :]
    assert active == here
    torch.testing.assert_close(own, here * context[0, list(SHOPPER_COLUMNS)])


def test_before_the_first_step_the_deep_answer_adds_the_effects_alone(make_network):
    network = make_network()
    with torch.no_grad():
        network.plain.linear.weight.normal_()
        for weights in network.effects.parameters():
            weights.zero_()
    found = answer(network)
    added = found.deep - found.plain
    moved = network.effects.moved
    moved = {*moved, *(child for child, parent in network.leans.pairs if parent in moved)}
    assert added[..., sorted(moved)].abs().min() > 0  # of_item, which the test draws
    others = [k for k in range(added.shape[-1]) if k not in moved]
    assert added[..., others].abs().max() < 1e-5


def test_what_lies_between_moves_with_the_trust():
    answers = Answers(plain=torch.tensor([[1.0, 5.0]]), deep=torch.tensor([[3.0, 9.0]]))
    assert answers.mixed(torch.tensor([0.0, 1.0])).tolist() == [[1.0, 9.0]]
    assert answers.mixed(torch.tensor([0.25, 0.5])).tolist() == [[1.5, 7.0]]


def test_outputs_of_places_count_through_all_questions():
    plain = torch.arange(12.0).reshape(2, 2, 3)
    found = Answers(plain=plain, deep=-plain).of(torch.tensor([3, 0]), slice(1, 3))
    assert found.plain.tolist() == [[10.0, 11.0], [1.0, 2.0]]
    assert found.deep.tolist() == [[-10.0, -11.0], [-1.0, -2.0]]


def test_a_task_of_few_events_has_the_plain_answer_alone(network):
    cart, click = (network.slices[name] for name in ("cart", "click"))
    network.keep_plain(["cart"])
    one, other = answer(network, item=0), answer(network, item=1)
    torch.testing.assert_close(one.deep[..., cart], other.deep[..., cart])
    assert not torch.allclose(one.deep[..., click], other.deep[..., click])


def test_constant_answers_stand_at_their_task(make_network):
    network = make_network()
    network.start_at({"click": [-3.0], "dwell": [0.5] * 16})
    bias = network.plain.linear.bias
    assert bias[network.slices["click"]].tolist() == [-3.0]
    assert bias[network.slices["dwell"]].tolist() == [0.5] * 16


def test_columns_of_the_moment_are_found_wherever_they_stand(make_network):
    plain = make_network().plain
    context = torch.zeros(1, NUM_CONTEXT)
    context[:, [ContextColumn.SAME_ITEM_CARTS, ContextColumn.SINCE_LAST]] = 1.0  # met, and here now
    before = plain.columns(context, None)[0]
    context[:, list(MOMENT_COLUMNS)] = 0.5
    moved = plain.columns(context, None)[0] != before
    assert moved.nonzero().flatten().tolist() == sorted(plain.moment_columns())
