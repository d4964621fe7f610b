"""One stream, one state, three questions: the whole network and what it is fed."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from endcap.model.config import ModelConfig
from endcap.model.content import ItemFacts
from endcap.model.dimensions import ItemParts, by_dimension
from endcap.model.effects import EffectInputs, Effects
from endcap.model.encoder import Encoder
from endcap.model.heads import CandidateHead, Examination, NextHead, QuestionInputs
from endcap.model.items import ItemRows, ItemTable, look_up
from endcap.model.leans import Leans
from endcap.model.outputs import count_outputs, slices_of
from endcap.model.pieces import Pieces
from endcap.model.plain import Answers, PlainHead
from endcap.model.profiles import Profiles
from endcap.model.shown_ad import AdInputs
from endcap.schema import NUM_CONTEXT, FieldMatrix, NextItem, Task


@dataclass(kw_only=True)
class HistoryBatch:
    """Windows of events on the right device; see `features.HistoryInputs`.

    Questions between two events of a shopper share a window, and it is read once.
    """

    item: Tensor  # [W, T] rows, -1 for none
    action: Tensor
    gap: Tensor
    dwell: Tensor
    is_ad: Tensor
    clock: Tensor  # [W, T, 4]
    length: Tensor  # [W]


@dataclass(kw_only=True)
class QuestionBatch:
    """When and where it is asked, [B]."""

    window: Tensor  # row of the history batch
    clock: Tensor  # [B, 4]
    since: Tensor
    device: Tensor


@dataclass(kw_only=True)
class CandidateBatch:
    """Candidates of the Q questions that have any, padded to one count, [Q, C]."""

    question: Tensor  # [Q] row of the question batch
    age: Tensor  # [Q, T] bucket of the time between each event and the question
    item: Tensor
    campaign: Tensor  # 0 for a product, else row + 1
    context: Tensor  # [Q, C, X]
    ad_item: Tensor  # [Q] row of an ad that the question names, -1 for none
    ad_campaign: Tensor  # [Q] 0 for none, else row + 1


class Network(nn.Module):
    """Item table, encoder, heads. `forward` lives in `train.losses`: a fit asks, a server asks."""

    def __init__(
        self,
        config: ModelConfig,
        tasks: tuple[Task, ...],
        *,
        fields: FieldMatrix,
        neighbours: FieldMatrix,
        is_known: NDArray[np.bool_],
        groups: NDArray[np.int64],
        kinds: NDArray[np.int64],
        num_campaigns: int,
        num_placements: int,
        num_slots: int,
        facts: ItemFacts | None = None,
    ) -> None:
        super().__init__()
        self.config, self.tasks = config, tasks
        fields = by_dimension(fields)
        self.items = ItemTable(
            fields,
            neighbours,
            is_known,
            dim=config.dim,
            smoothing=config.smoothing,
            id_dropout=config.id_dropout,
            gate=config.gate,
            facts=facts,
        )
        self.parts = ItemParts(fields, self.items)
        self.encoder = Encoder(config)
        self.question = QuestionInputs(config)
        self.next = NextHead(config)
        width = count_outputs(tasks)
        self.pieces = Pieces(NUM_CONTEXT, config.context_bands) if config.context_bands else None
        self.plain = PlainHead(config, width)
        self.profiles = Profiles(tasks)
        self.candidates = CandidateHead(config, tasks, num_campaigns)
        self.is_deep: Tensor
        self.register_buffer("is_deep", torch.ones(width))
        self.trust: Tensor  # in the deep answers, chosen on validation days
        self.register_buffer("trust", torch.full((width,), 0.5))
        self.effects = Effects(
            tasks,
            is_known=is_known,
            num_campaigns=num_campaigns,
            num_groups=int(groups.max(initial=0)),
            dim=config.dim,
        )
        self.leans = Leans(tasks)
        self.groups: Tensor  # by item row + 1: row -1 is no item, and of no group
        padded = torch.from_numpy(np.concatenate([[0], groups]))
        self.register_buffer("groups", padded, persistent=False)
        self.kinds: Tensor  # [V + 1, K] in the same way, for each task that asks of kinds
        padded = torch.from_numpy(np.pad(kinds, ((1, 0), (0, 0))))
        self.register_buffer("kinds", padded, persistent=False)
        self.examination = Examination(num_placements, num_slots)
        self.encoder.apply(_initialise)
        self.question.apply(_initialise)

    @property
    def slices(self) -> dict[str, slice]:
        """Tell where each task's outputs stand in the candidate head's answer."""
        return slices_of(self.tasks)

    @property
    def answers_next(self) -> bool:
        """Whether it was trained to say which item comes next."""
        return any(isinstance(task, NextItem) for task in self.tasks)

    def start_at(self, outputs: dict[str, list[float]]) -> None:
        """Set the constant answers by task, so that training need not find them."""
        bias = self.plain.linear.bias
        with torch.no_grad():
            for name, values in outputs.items():
                bias[self.slices[name]] = torch.tensor(values)
            for child, parent in self.leans.pairs:
                bias[child] -= bias[parent]

    def keep_plain(self, names: list[str]) -> None:
        """Let tasks answer by the context, their effects and what they lean on alone.

        A deep answer to few events remembers their rows: its inputs were trained on the same ones.
        """
        for name in names:
            self.is_deep[self.slices[name]] = 0.0

    def by_pace(self) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
        """Part what steps move: slots' examination, effects, and all that layers share."""
        slots, effects = list(self.examination.parameters()), list(self.effects.parameters())
        solved = (*self.plain.parameters(), *self.profiles.parameters())
        apart = {id(each) for each in (*slots, *effects, *solved)}
        return slots, effects, [each for each in self.parameters() if id(each) not in apart]

    def ridge(self, strength: dict[str, float]) -> Tensor:
        """Return sum over tasks of strength times the squares of the task's own weights."""
        head = self.candidates
        total = head.answers.weight.new_zeros(())
        for name, amount in strength.items():
            rows = self.slices[name]
            for own in (head.answers.weight[rows], head.wide.weight[rows]):
                total = total + amount * own.square().sum()
            total = total + amount * self.effects.penalty(rows)
        return total

    def read(
        self, vectors: Float[Tensor, "V D"] | ItemRows, history: HistoryBatch
    ) -> tuple[Float[Tensor, "W T D"], Float[Tensor, "W D"]]:
        """Encode histories; return the states and the last state (zero for no history)."""
        has_item = (history.item >= 0).unsqueeze(-1)
        item = look_up(vectors, history.item.clamp(min=0)) * has_item
        states = self.encoder(
            item,
            history.action,
            history.gap,
            history.dwell,
            history.is_ad,
            history.clock,
            history.length,
        )
        return states, last_state(states, history.length)

    def respond(
        self,
        vectors: Float[Tensor, "V D"] | ItemRows,
        states: Float[Tensor, "W T D"],
        last: Float[Tensor, "W D"],
        history: HistoryBatch,
        question: QuestionBatch,
        candidates: CandidateBatch,
    ) -> Answers:
        """Answer every task about every candidate."""
        asked = candidates.question
        window = question.window[asked]
        item = candidates.item.clamp(min=0)
        parts, present = self.parts(self.items, vectors, candidates.item)
        # What is asked of a shopper alone has no item: no dimension, and no effect.
        has_item = (candidates.item >= 0).to(states.dtype).unsqueeze(-1)
        effects = EffectInputs(
            of_item=F.embedding(item, self.effects.of_items()) * has_item,
            campaign=candidates.campaign,
            clock=question.clock[asked],
            item_group=self.groups[candidates.item + 1],
            event_group=self.groups[history.item[window] + 1],
            action=history.action[window],
            age=candidates.age,
            ad=self._ad(vectors, candidates, parts),
        )
        return self.answer(
            parts,
            present,
            candidates.context,
            states[window],
            last[window],
            self.question(question.clock[asked], question.since[asked], question.device[asked]),
            history.length[window],
            self.kinds[history.item[window] + 1],
            effects,
        )[0]

    def answer(
        self,
        parts: Float[Tensor, "Q C F D"],
        present: Float[Tensor, "Q C F"],
        context: Float[Tensor, "Q C X"],
        states: Float[Tensor, "Q T D"],
        last: Float[Tensor, "Q D"],
        question: Float[Tensor, "Q D"],
        length: Int[Tensor, " Q"],
        kinds: Int[Tensor, "Q T K"],
        effects: EffectInputs,
    ) -> tuple[Answers, Float[Tensor, "Q C T+1"], Float[Tensor, "Q C F"]]:
        """Return both answers, and the attention on events ("nothing" first) and on dimensions.

        The plain answer reads the context as it is, the deep one as the shopper looks at it. An ad
        on the page is an input of the question and moves both: no trust takes from its effect.
        """
        bands = None if self.pieces is None else self.pieces(context)
        plain = self.plain(context, bands) + self.effects.of_ad(effects)
        if self.profiles.tasks:
            plain = plain + self.profiles(kinds)[:, None]
        shopper = (states, last, question, effects.age, length)
        added, attention, dimensions = self.candidates(
            parts, present, effects.campaign, context, bands, *shopper
        )
        deep = plain + self.effects(effects) + self.is_deep * added
        return Answers(plain=self.leans(plain), deep=self.leans(deep)), attention, dimensions

    def _ad(
        self, vectors: Tensor | ItemRows, candidates: CandidateBatch, parts: Tensor
    ) -> AdInputs | None:
        """Look up the ads that questions name; None where none does."""
        row = candidates.ad_item
        if not bool((candidates.ad_campaign > 0).any()):
            return None
        has_item = (row >= 0).to(parts.dtype)[:, None]
        return AdInputs(
            item=look_up(vectors, row.clamp(min=0)) * has_item,
            campaign=candidates.ad_campaign,
            group=self.groups[row + 1],
            candidate=parts.sum(-2),
            is_own=(candidates.item == row[:, None]).to(parts.dtype) * has_item,
        )


def last_state(states: Tensor, length: Tensor) -> Tensor:
    """Return [B, D] the state after the last event; zero for an empty history."""
    place = (length - 1).clamp(min=0)
    last = states.gather(1, place[:, None, None].expand(-1, 1, states.shape[-1]))[:, 0]
    return last * (length > 0).to(last.dtype)[:, None]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, Encoder):
        for table in (module.action, module.gap, module.dwell, module.is_ad, module.place):
            nn.init.normal_(table.weight, std=0.02)
