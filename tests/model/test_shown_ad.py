"""What an ad on the page adds to a purchase, worked out by hand."""

import torch

from endcap.model.shown_ad import AdInputs, ShownAd
from endcap.schema import Hazard

TASKS = (
    Hazard(name="buy", measures="delay", space="clicks"),
    Hazard(name="purchase", measures="delay", space="all"),
)


def made():
    shown = ShownAd(TASKS, dim=2, num_campaigns=1)
    with torch.no_grad():
        shown.near[:, 0] = torch.tensor([1.0, 10.0, 100.0])
        shown.near[1, 3] = 5.0  # its own item comes sooner
        shown.campaigns[:, 0] = torch.tensor([9.0, 0.25, 0.0])
        shown.likeness[:, 0] = torch.tensor([2.0, 0.0])
    return shown


def inputs(campaign):
    """Ask of the ad's item, one of its group, one of another, and one of no group."""
    return AdInputs(
        item=torch.tensor([[0.5, 7.0]]),
        campaign=torch.tensor([campaign]),
        group=torch.tensor([4]),
        candidate=torch.tensor([[[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]]),
        is_own=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
    )


def test_an_ad_moves_its_own_item_its_group_and_what_is_like_it():
    told = made()(inputs(1), torch.tensor([[4, 4, 3, 0]]))[0]
    assert told[:, 13].tolist() == [111 + 0.25 + 1.0, 101.25, 1.25, 1.25]
    assert told[:, 16].tolist() == [5.0, 0.0, 0.0, 0.0]
    assert told[:, :13].abs().max() == 0  # after a click nothing is added


def test_without_an_ad_nothing_is_added_to_the_bit():
    told = made()(inputs(0), torch.tensor([[4, 4, 3, 0]]))
    assert torch.equal(told, torch.zeros_like(told))


def test_it_is_held_by_a_prior_of_the_purchase_alone():
    shown = made()
    assert shown.penalty(slice(13, 26)).item() > 100**2
    assert shown.penalty(slice(0, 13)).item() == 0


def test_a_log_without_purchases_has_nothing_to_move():
    shown = ShownAd(TASKS[:1], dim=2, num_campaigns=1)
    assert shown(inputs(1), torch.zeros(1, 4, dtype=torch.long)).abs().max() == 0
