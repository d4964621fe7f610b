"""The network as two ONNX graphs that need no torch: read a history, answer about candidates."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from endcap.model.effects import EffectInputs
from endcap.model.network import Network, last_state
from endcap.model.shown_ad import AdInputs
from endcap.model.together import ReadTogether, RespondTogether, answers_next
from endcap.schema import DIMENSIONS, NUM_CONTEXT, NUM_PHASES

READ_INPUTS = (
    "item",
    "action",
    "gap",
    "dwell",
    "is_ad",
    "clock",
    "length",
    "question_clock",
    "since",
    "device",
    "target_action",
)
RESPOND_INPUTS = (
    "parts",
    "present",
    "of_item",
    "campaign",
    "context",
    "states",
    "last",
    "question_clock",
    "since",
    "device",
    "age",
    "length",
    "item_group",
    "event_group",
    "action",
    "ad_item",
    "ad_campaign",
    "ad_group",
    "is_ads_own",
)


READ_OUTPUTS = ("states", "last", "user")
RESPOND_OUTPUTS = ("answers", "attention", "dimensions")


class _Read(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

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
        net = self.network
        states = net.encoder(item, action, gap, dwell, is_ad, clock, length)
        last = last_state(states, length)
        user = net.next(last, net.question(question_clock, since, device), target_action)
        return states, last, user


class _Respond(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

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
        net = self.network
        question = net.question(question_clock, since, device)
        effects = EffectInputs(
            of_item=of_item,
            campaign=campaign,
            clock=question_clock,
            item_group=item_group,
            event_group=event_group,
            action=action,
            age=age,
            ad=AdInputs(
                item=ad_item,
                campaign=ad_campaign,
                group=ad_group,
                candidate=parts.sum(-2),
                is_own=is_ads_own,
            ),
        )
        answers, attention, dimensions = net.answer(
            parts, present, context, states, last, question, length, effects
        )
        return answers.mixed(net.trust), attention, dimensions


def export_onnx(
    network: Network, folder: Path, *, apart: Mapping[str, Network] | None = None
) -> None:
    """Write `read.onnx` and `respond.onnx`; sizes of batch, history and candidates stay free.

    Args:
        apart: networks of the tasks that do not share the first one.
    """
    own = apart or {}
    networks = [each.to("cpu").eval() for each in (network, *own.values())]
    widths = [len(each.effects.moved) for each in networks]
    reader: nn.Module = _Read(network)
    responder: nn.Module = _Respond(network)
    if own:
        owner = max(k for k, each in enumerate(networks) if k == 0 or answers_next(each))
        reader = ReadTogether([_Read(each) for each in networks], owner)
        owned = [network.slices[name] for name in own]
        responder = RespondTogether([_Respond(each) for each in networks], widths, owned)
    dim = network.config.dim * len(networks)
    batch, events, items = 2, min(3, network.config.max_history), 4
    # Each input is a tensor of its own: the exporter takes one object twice for one input.
    longs = torch.ones(batch, events, dtype=torch.long)
    each = torch.ones(batch, dtype=torch.long)
    read = (
        torch.randn(batch, events, dim),
        longs.clone(),
        longs.clone(),
        longs.clone(),
        longs.clone(),
        torch.randn(batch, events, NUM_PHASES),
        torch.tensor([events, 1]),
        torch.randn(batch, NUM_PHASES),
        each.clone(),
        each.clone(),
        each.clone(),
    )
    respond = (
        torch.randn(batch, items, len(DIMENSIONS), dim),
        torch.ones(batch, items, len(DIMENSIONS)),
        torch.randn(batch, items, sum(widths)),
        torch.zeros(batch, items, dtype=torch.long),
        torch.randn(batch, items, NUM_CONTEXT),
        torch.randn(batch, events, dim),
        torch.randn(batch, dim),
        torch.randn(batch, NUM_PHASES),
        each.clone(),
        each.clone(),
        longs.clone(),
        torch.tensor([events, 1]),
        torch.zeros(batch, items, dtype=torch.long),
        torch.zeros(batch, events, dtype=torch.long),
        longs.clone(),
        torch.randn(batch, dim),
        each.clone(),
        each.clone(),
        torch.zeros(batch, items),
    )
    by_event, by_candidate, by_question = {0: "B", 1: "T"}, {0: "B", 1: "C"}, {0: "B"}
    read_axes = [*[by_event] * 6, *[by_question] * 5]
    respond_axes = [
        *[by_candidate] * 5,
        by_event,
        *[by_question] * 4,
        by_event,
        by_question,
        by_candidate,
        by_event,
        by_event,
        *[by_question] * 3,
        by_candidate,
    ]
    reads = dict(zip(READ_INPUTS, read_axes, strict=True))
    reads |= {"states": by_event, "last": by_question, "user": by_question}
    responds = dict(zip(RESPOND_INPUTS, respond_axes, strict=True))
    responds |= {"answers": by_candidate, "attention": {**by_candidate, 2: "1 + T"}}
    responds |= {"dimensions": by_candidate}
    _export(reader, read, folder / "read.onnx", reads, READ_OUTPUTS)
    _export(responder, respond, folder / "respond.onnx", responds, RESPOND_OUTPUTS)


def _export(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    axes: dict[str, dict[int, str]],
    outputs: tuple[str, ...],
) -> None:
    """Trace a module and write its graph.

    torch calls this exporter the old one. The new one takes some 20 CPU seconds for these two
    graphs, more than the fit of a small shop; the old one half a second, for the same answers.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of its age, and of sizes that tracing holds for fixed
        examples = module.eval()(*inputs)
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=[name for name in axes if name not in outputs],
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=18,
            dynamo=False,
        )
    _note_sizes(path, axes, dict(zip(outputs, examples, strict=True)))


def _note_sizes(path: Path, axes: dict[str, dict[int, str]], examples: dict[str, Tensor]) -> None:
    """Note the sizes of the outputs, which tracing loses behind some of the operators."""
    graph = onnx.load(path)
    for value in graph.graph.output:
        for k, dim in enumerate(value.type.tensor_type.shape.dim):
            if k in axes[value.name]:
                dim.dim_param = axes[value.name][k]
            else:
                dim.dim_value = examples[value.name].shape[k]
    onnx.save(graph, path)
