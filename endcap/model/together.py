"""Several networks as one pair of graphs: a shared one, and those of tasks that stand apart.

Vectors and states of all networks stand side by side, so who serves them need not know how many
there are. A list's scores come of the network that answers what is next: the others' part of the
shopper's vector is zero.
"""

import torch
from torch import Tensor, nn

from endcap.model.network import Network
from endcap.schema import NextItem


def answers_next(network: Network) -> bool:
    """Tell whether a network was trained to say which item comes next."""
    return any(isinstance(task, NextItem) for task in network.tasks)


class ReadTogether(nn.Module):
    """Read a history by every network."""

    def __init__(self, readers: list[nn.Module], owner: int) -> None:
        super().__init__()
        self.readers, self.owner = nn.ModuleList(readers), owner

    def forward(
        self,
        item: Tensor,
        action: Tensor,
        gap: Tensor,
        dwell: Tensor,
        is_ad: Tensor,
        clock: Tensor,
        length: Tensor,
        question_clock: Tensor,
        since: Tensor,
        device: Tensor,
        target_action: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return states, last states and the shopper's vector, side by side."""
        rest = (action, gap, dwell, is_ad, clock, length, question_clock, since, device)
        parts = item.chunk(len(self.readers), dim=-1)
        found = [
            reader(part, *rest, target_action)
            for reader, part in zip(self.readers, parts, strict=True)
        ]
        user = [u if k == self.owner else torch.zeros_like(u) for k, (_, _, u) in enumerate(found)]
        states, last = (torch.cat([each[k] for each in found], dim=-1) for k in (0, 1))
        return states, last, torch.cat(user, dim=-1)


class RespondTogether(nn.Module):
    """Answer about candidates by every network; each task by the one that it belongs to."""

    def __init__(self, responders: list[nn.Module], widths: list[int], owned: list[slice]) -> None:
        """Take the networks' graphs, the shared one first.

        Args:
            widths: how many of `of_item`'s columns are each network's.
            owned: where the answers of each further network stand among all.
        """
        super().__init__()
        self.responders, self.widths, self.owned = nn.ModuleList(responders), widths, owned

    def forward(
        self,
        parts: Tensor,
        present: Tensor,
        of_item: Tensor,
        campaign: Tensor,
        context: Tensor,
        states: Tensor,
        last: Tensor,
        question_clock: Tensor,
        since: Tensor,
        device: Tensor,
        age: Tensor,
        length: Tensor,
        item_group: Tensor,
        event_group: Tensor,
        action: Tensor,
        ad_item: Tensor,
        ad_campaign: Tensor,
        ad_group: Tensor,
        is_ads_own: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return all answers, and the shared network's attention on events and on dimensions."""
        count = len(self.responders)
        inputs = zip(
            parts.chunk(count, dim=-1),
            torch.split(of_item, self.widths, dim=-1),
            states.chunk(count, dim=-1),
            last.chunk(count, dim=-1),
            ad_item.chunk(count, dim=-1),
            strict=True,
        )
        asked = (question_clock, since, device, age, length, item_group, event_group, action)
        ad = (ad_campaign, ad_group, is_ads_own)
        found = [
            responder(parts, present, effect, campaign, context, states, last, *asked, own_ad, *ad)
            for responder, (parts, effect, states, last, own_ad) in zip(
                self.responders, inputs, strict=True
            )
        ]
        answers, attention, dimensions = found[0]
        for (own, _, _), place in zip(found[1:], self.owned, strict=True):
            if place.stop > place.start:  # what comes next has no answer of a candidate
                before, after = answers[..., : place.start], answers[..., place.stop :]
                answers = torch.cat([before, own[..., : place.stop - place.start], after], dim=-1)
        return answers, attention, dimensions
