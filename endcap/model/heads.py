"""What is asked of a state: the next item, and what comes of a candidate."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from endcap.model.config import ModelConfig
from endcap.model.dimensions import DimensionAttention
from endcap.model.dropout import Dropout
from endcap.model.outputs import count_outputs
from endcap.schema import NUM_ACTIONS, NUM_CONTEXT, NUM_GAPS, NUM_PHASES, Device, Task


class QuestionInputs(nn.Module):
    """The question itself: hour and weekday, time since the last event, device."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.clock = nn.Linear(NUM_PHASES, config.dim, bias=False)
        self.since = nn.Embedding(NUM_GAPS, config.dim)
        self.device = nn.Embedding(len(Device), config.dim)
        for layer in (self.since, self.device):
            nn.init.zeros_(layer.weight)

    def forward(
        self,
        clock: Float[Tensor, "B F"],
        since: Int[Tensor, " B"],
        device: Int[Tensor, " B"],
    ) -> Float[Tensor, "B D"]:
        """Return one vector per question; zero for a question without a clock or device."""
        out: Tensor = self.clock(clock) + self.since(since) + self.device(device)
        return out


class NextHead(nn.Module):
    """The shopper's vector for the kind of event that is asked: next view, cart or purchase."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.action = nn.Embedding(NUM_ACTIONS, config.dim)
        nn.init.zeros_(self.action.weight)

    def forward(
        self,
        last: Float[Tensor, "B D"],
        question: Float[Tensor, "B D"],
        action: Int[Tensor, " B"],
    ) -> Float[Tensor, "B D"]:
        """Return u; the score of item i is u . v_i."""
        out: Tensor = last + question + self.action(action)
        return out


class CandidateHead(nn.Module):
    """A candidate reads the shopper's events: what that adds to the plain head's answers.

    It comes as its dimensions, mixed by the shopper's attention on them. Each candidate has a
    query of its own and no key, so none sees another (model.md R3c). Keys get a bias by the event's
    age, one per head, and a learned event "nothing" stands for no history.
    """

    def __init__(self, config: ModelConfig, tasks: tuple[Task, ...], num_campaigns: int) -> None:
        super().__init__()
        dim, self.num_heads = config.dim, config.num_heads
        self.dimensions = DimensionAttention(dim)
        self.context = nn.Linear(NUM_CONTEXT, dim)
        self.is_ad = nn.Embedding(2, dim)
        # Row 0 is a product, the last row an ad of a campaign that training never met.
        self.campaign = nn.Embedding(num_campaigns + 2, dim, padding_idx=0)
        self.norm_in = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_kv = nn.Linear(dim, 2 * dim, bias=False)
        self.nothing = nn.Parameter(torch.randn(dim) * 0.02)
        self.age = nn.Embedding(NUM_GAPS, config.num_heads)
        self.to_out = nn.Linear(dim, dim, bias=False)
        self.mix = nn.Linear(5 * dim + NUM_CONTEXT, config.hidden)
        self.mix2 = nn.Linear(config.hidden, config.hidden)
        self.dropout = Dropout(config.dropout)
        num_outputs = count_outputs(tasks)
        if config.context_bands:
            width = NUM_CONTEXT * config.context_bands
            self.mix_bands = nn.Linear(width, config.hidden, bias=False)
        self.answers = nn.Linear(config.hidden, num_outputs)
        nn.init.zeros_(self.answers.weight)
        nn.init.zeros_(self.answers.bias)
        self.wide = nn.Linear(dim, num_outputs, bias=False)
        nn.init.zeros_(self.wide.weight)
        nn.init.zeros_(self.age.weight)
        nn.init.normal_(self.campaign.weight, std=0.02)
        with torch.no_grad():
            self.campaign.weight[[0, -1]] = 0

    def forward(
        self,
        parts: Float[Tensor, "B C F D"],
        present: Float[Tensor, "B C F"],
        campaign: Int[Tensor, "B C"],
        context: Float[Tensor, "B C X"],
        bands: Float[Tensor, "B C Y"] | None,
        states: Float[Tensor, "B T D"],
        last: Float[Tensor, "B D"],
        question: Float[Tensor, "B D"],
        age: Int[Tensor, "B T"],
        length: Int[Tensor, " B"],
    ) -> tuple[Float[Tensor, "B C O"], Float[Tensor, "B C T+1"], Float[Tensor, "B C F"]]:
        """Return what is added to all outputs, and the attention on events and on dimensions.

        The first of the events is "nothing". Context and bands count as the shopper looks at them.

        Args:
            parts: vectors of the candidate's dimensions.
            present: 1 where the candidate has the dimension, else 0.
            campaign: 0 for a product, else the campaign's row + 1.
            bands: the context, as it is, by `Pieces`, where the model has any.
            age: bucket of the time between each event and the question.
        """
        beta = self.dimensions(last + question, parts, present)
        item, counts = self.dimensions.mixed(beta, parts, present)
        read = context * counts
        is_ad = (campaign > 0).long()
        asked = self.context(read) + self.is_ad(is_ad) + self.campaign(campaign)
        c = self.norm_in(item + asked + question[:, None])
        attended, weights = self._attend(c, states, age, length)
        whom = last[:, None].expand_as(c)
        joint = torch.cat([c, attended, c * attended, item * whom, whom, read], dim=-1)
        mixed = self.mix(joint)
        if bands is not None:
            counted = bands.reshape(*counts.shape, -1) * counts[..., None]
            mixed = mixed + self.mix_bands(counted.flatten(-2))
        z = self.dropout(F.gelu(mixed))
        z = z + F.gelu(self.mix2(z))
        answers: Tensor = self.answers(z) + self.wide(item)
        return answers, weights, beta

    def _attend(
        self,
        c: Float[Tensor, "B C D"],
        states: Float[Tensor, "B T D"],
        age: Int[Tensor, "B T"],
        length: Int[Tensor, " B"],
    ) -> tuple[Float[Tensor, "B C D"], Float[Tensor, "B C T+1"]]:
        nothing = self.nothing.expand(states.shape[0], 1, -1)
        read = torch.cat([nothing, states], dim=1)
        keys, values = self.to_kv(read).unflatten(-1, (2, self.num_heads, -1)).unbind(2)
        queries = self.to_q(c).unflatten(-1, (self.num_heads, -1))  # [B, C, H, K]
        scores = torch.einsum("bchk,bthk->bhct", queries, keys) * queries.shape[-1] ** -0.5
        places = torch.arange(states.shape[1], device=states.device)
        hidden = torch.where(places < length[:, None], 0.0, -1e4)  # [B, T]
        bias = self.age(age).permute(0, 2, 1) + hidden[:, None]  # [B, H, T]
        bias = F.pad(bias, (1, 0))
        weights = (scores + bias[:, :, None]).softmax(-1)
        mixed = torch.einsum("bhct,bthk->bchk", weights, values).flatten(2)
        return self.to_out(mixed), weights.mean(1)


class Examination(nn.Module):
    """The chance that a slot is looked at, by placement and device: monotone, at most 1.

    log e falls by a positive step from slot to slot, so a later slot is never looked at more than
    an earlier one. On each device the first slot of the best placement is 1, by convention: only
    the product with q can be seen in a log.
    """

    def __init__(self, num_placements: int, num_slots: int) -> None:
        super().__init__()
        shape = (max(num_placements, 1), len(Device), max(num_slots, 1))
        self.steps = nn.Parameter(torch.full(shape, -2.0))

    def log(self) -> Float[Tensor, "P E L"]:
        """Return log e for every placement, device and slot."""
        log_e = -F.softplus(self.steps).cumsum(-1)
        return log_e - log_e[:, :, :1].amax(dim=0, keepdim=True)

    def forward(
        self,
        placement: Int[Tensor, " N"],
        device: Int[Tensor, " N"],
        slot: Int[Tensor, " N"],
    ) -> Float[Tensor, " N"]:
        """Return log e of shown slots."""
        return self.log()[placement, device, slot.clamp(max=self.steps.shape[-1] - 1)]
