import numpy as np
import pytest
import torch

from endcap.model.campaigns import CampaignEffects
from endcap.model.effects import EffectInputs
from endcap.model.excitation import Excitation
from endcap.schema import DEFAULT_TASKS, Action

HOUR = 3_600.0


def excited(made, *, events, candidates, action=Action.CLICK, age=12):
    """Return what one window of events adds to candidates, by group."""
    groups = torch.tensor([events])
    return made(
        groups,
        torch.full_like(groups, int(action)),
        torch.full_like(groups, age),
        torch.tensor([candidates]),
    )[0].detach()


@pytest.fixture
def pairs():
    """Three groups; an event of the first lifts the second, an event of the second stills it."""
    made = Excitation(3, 1)
    with torch.no_grad():
        made.left.fill_(1.0)
        made.right[0, 0, 1], made.right[0, 1, 1] = 2.0, -1.0
    return made


def test_an_event_moves_the_groups_that_it_is_paired_with(pairs):
    moved = excited(pairs, events=[1], candidates=[1, 2, 3, 0])[:, 0]
    assert moved[1] == pytest.approx(2 * np.log(2), rel=0.05)  # w f is near 1 after half an hour
    assert moved[[0, 2, 3]].abs().max() == 0


def test_events_add_up_and_an_event_of_no_group_says_nothing(pairs):
    one, both = (excited(pairs, events=e, candidates=[2]) for e in ([1, 0], [1, 2]))
    alone = excited(pairs, events=[2, 0], candidates=[2])
    torch.testing.assert_close(both, one + alone)
    assert excited(pairs, events=[0, 0], candidates=[2]).abs().max() == 0


def test_an_older_event_moves_less(pairs):
    ages = [excited(pairs, events=[1], candidates=[2], age=age).item() for age in (1, 17, 20, 31)]
    assert ages == sorted(ages, reverse=True)
    assert ages[-1] == pytest.approx(0, abs=1e-6)


def test_a_campaigns_clicks_move_with_the_hour_and_a_products_do_not():
    made = CampaignEffects(2, DEFAULT_TASKS)
    with torch.no_grad():
        made.waves.weight[1:] = torch.tensor([0.5, 1.0, 1.0, 1.0, 1.0])
    angle = 2 * np.pi * torch.tensor([0.0, 6.0, 12.0]) / 24
    clock = torch.stack([angle.sin(), angle.cos(), angle, angle], dim=1)
    moved = made(torch.tensor([[0, 1, 3]]).expand(3, -1), clock).detach()
    assert moved[:, 0].abs().max() == 0
    torch.testing.assert_close(moved[:, 1, made.moved[0]], torch.tensor([2.5, 0.5, 0.5]))
    torch.testing.assert_close(moved[:, 2], moved[:, 1])  # of a campaign that training never met
    others = [output for output in range(moved.shape[-1]) if output not in made.moved]
    assert moved[..., others].abs().max() == 0


def test_an_items_own_effect_is_that_of_items_that_training_met(make_network):
    effects = make_network().effects
    with torch.no_grad():
        effects.items.fill_(0.7)
    assert effects.of_items()[:, 0].tolist() == pytest.approx([0.7] * 4 + [0.0])


def test_effects_reach_clicks_and_purchases_of_any_item_alone(make_network):
    network = make_network()
    rows = torch.ones(1, 1, dtype=torch.long)
    told = network.effects(
        EffectInputs(
            of_item=torch.full((1, 1, len(network.effects.moved)), 0.7),
            campaign=rows * 0,
            clock=torch.zeros(1, 4),
            item_group=rows,
            event_group=rows,
            action=rows,
            age=rows,
        )
    )[0, 0].detach()
    names = {part.start: name for name, part in network.slices.items()}
    moved = {names[k]: told[k].item() for k in told.nonzero().flatten().tolist()}
    assert moved == pytest.approx({"click": 0.7, "purchase": 0.7})


def test_every_effect_is_held_by_a_prior(make_network):
    network = make_network()
    with torch.no_grad():
        for weights in network.effects.parameters():
            weights.fill_(1.0)
    for name in ("click", "ad_click", "purchase"):
        assert network.effects.penalty(network.slices[name]).item() > 0, name


def test_every_weight_has_one_pace(make_network):
    network = make_network()
    names = {id(weights): name for name, weights in network.named_parameters()}
    slots, effects, rest = ([names[id(w)] for w in part] for part in network.by_pace())
    solved = [
        "plain.linear.weight",
        "plain.linear.bias",
        "profiles.weight",
    ]  # by a solver, not by steps
    assert sorted(slots + effects + rest + solved) == sorted(names.values())
    assert slots == ["examination.steps"]
    assert all(name.startswith("effects.") for name in effects)
    assert not any(name.startswith(("effects.", "examination.")) for name in rest)
