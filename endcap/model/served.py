"""The network as it is served: read a history, answer about candidates; one network or several.

Vectors and states of several networks stand side by side, so who serves them need not know how
many there are. A list's scores come of the network that answers what is next: the others' part of
the shopper's vector is zero.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from endcap.model.effects import EffectInputs
from endcap.model.network import Network, last_state
from endcap.model.shown_ad import AdInputs


class ReadInputs(NamedTuple):
    """What `read.onnx` takes, by name: B histories of T events, and when each is asked."""

    item: Tensor  # [B, T, D]
    action: Tensor  # [B, T], as the next four
    gap: Tensor
    dwell: Tensor
    is_ad: Tensor
    clock: Tensor  # [B, T, phases]
    length: Tensor  # [B]
    question_clock: Tensor  # [B, phases]
    since: Tensor  # [B], as the next two
    device: Tensor
    target_action: Tensor


class ReadOutputs(NamedTuple):
    """What `read.onnx` gives."""

    states: Tensor  # [B, T, D]
    last: Tensor  # [B, D]
    user: Tensor  # [B, D]


class RespondInputs(NamedTuple):
    """What `respond.onnx` takes, by name: C candidates of each of B histories."""

    parts: Tensor  # [B, C, F, D]
    present: Tensor  # [B, C, F]
    of_item: Tensor  # [B, C, effects]
    campaign: Tensor  # [B, C]
    context: Tensor  # [B, C, X]
    states: Tensor  # [B, T, D]
    last: Tensor  # [B, D]
    question_clock: Tensor  # [B, phases]
    since: Tensor  # [B]
    device: Tensor  # [B]
    age: Tensor  # [B, T]
    length: Tensor  # [B]
    event_kind: Tensor  # [B, T, K]
    item_group: Tensor  # [B, C]
    event_group: Tensor  # [B, T]
    action: Tensor  # [B, T]
    ad_item: Tensor  # [B, D]
    ad_campaign: Tensor  # [B]
    ad_group: Tensor  # [B]
    is_ads_own: Tensor  # [B, C]


class RespondOutputs(NamedTuple):
    """What `respond.onnx` gives."""

    answers: Tensor  # [B, C, O]
    attention: Tensor  # [B, C, 1 + T]
    dimensions: Tensor  # [B, C, F]


class Reader(nn.Module):
    """Read a history by one network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> ReadOutputs:
        """Take `ReadInputs` one by one, as a graph does."""
        x, net = ReadInputs(*inputs), self.network
        states = net.encoder(x.item, x.action, x.gap, x.dwell, x.is_ad, x.clock, x.length)
        last = last_state(states, x.length)
        user = net.next(last, net.question(x.question_clock, x.since, x.device), x.target_action)
        return ReadOutputs(states, last, user)


class Responder(nn.Module):
    """Answer about candidates by one network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> RespondOutputs:
        """Take `RespondInputs` one by one, as a graph does."""
        x, net = RespondInputs(*inputs), self.network
        effects = EffectInputs(
            of_item=x.of_item,
            campaign=x.campaign,
            clock=x.question_clock,
            item_group=x.item_group,
            event_group=x.event_group,
            action=x.action,
            age=x.age,
            ad=AdInputs(
                item=x.ad_item,
                campaign=x.ad_campaign,
                group=x.ad_group,
                candidate=x.parts.sum(-2),
                is_own=x.is_ads_own,
            ),
        )
        question = net.question(x.question_clock, x.since, x.device)
        answers, attention, dimensions = net.answer(
            x.parts,
            x.present,
            x.context,
            x.states,
            x.last,
            question,
            x.length,
            x.event_kind,
            effects,
        )
        return RespondOutputs(answers.mixed(net.trust), attention, dimensions)


class ReadTogether(nn.Module):
    """Read a history by every network."""

    def __init__(self, networks: list[Network]) -> None:
        super().__init__()
        self.readers = nn.ModuleList(Reader(each) for each in networks)
        self.owner = max(k for k, each in enumerate(networks) if k == 0 or each.answers_next)

    def forward(self, *inputs: Tensor) -> ReadOutputs:
        """Return states, last states and the shopper's vector, side by side."""
        x = ReadInputs(*inputs)
        parts = x.item.chunk(len(self.readers), dim=-1)
        found: list[ReadOutputs] = [
            reader(*x._replace(item=part)) for reader, part in zip(self.readers, parts, strict=True)
        ]
        users = [
            each.user if k == self.owner else torch.zeros_like(each.user)
            for k, each in enumerate(found)
        ]
        return ReadOutputs(
            states=torch.cat([each.states for each in found], dim=-1),
            last=torch.cat([each.last for each in found], dim=-1),
            user=torch.cat(users, dim=-1),
        )


class RespondTogether(nn.Module):
    """Answer about candidates by every network; each task by the one that it belongs to."""

    def __init__(self, networks: list[Network], owned: list[slice]) -> None:
        """Take the networks, the shared one first.

        Args:
            owned: where the answers of each further network stand among all.
        """
        super().__init__()
        self.responders = nn.ModuleList(Responder(each) for each in networks)
        self.widths = [len(each.effects.moved) for each in networks]  # of `of_item`'s columns
        self.kinds = [len(each.profiles.tasks) for each in networks]  # of `event_kind`'s
        self.owned = owned

    def forward(self, *inputs: Tensor) -> RespondOutputs:
        """Return all answers, and the shared network's attention on events and on dimensions."""
        x = RespondInputs(*inputs)
        of_each = (x.parts, x.states, x.last, x.ad_item)
        columns = zip(
            *(each.chunk(len(self.responders), dim=-1) for each in of_each),
            torch.split(x.of_item, self.widths, dim=-1),
            torch.split(x.event_kind, self.kinds, dim=-1),
            strict=True,
        )
        found: list[RespondOutputs] = [
            responder(
                *x._replace(
                    parts=parts,
                    states=states,
                    last=last,
                    ad_item=ad,
                    of_item=effects,
                    event_kind=kinds,
                )
            )
            for responder, (parts, states, last, ad, effects, kinds) in zip(
                self.responders, columns, strict=True
            )
        ]
        answers = found[0].answers
        for own, place in zip(found[1:], self.owned, strict=True):
            if place.stop > place.start:  # what comes next has no answer of a candidate
                before, after = answers[..., : place.start], answers[..., place.stop :]
                mine = own.answers[..., : place.stop - place.start]
                answers = torch.cat([before, mine, after], dim=-1)
        return found[0]._replace(answers=answers)
