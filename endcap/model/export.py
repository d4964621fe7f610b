"""The network as two ONNX graphs that need no torch: read a history, answer about candidates.

Where some networks answer nothing that is asked of an item, a page does not run them: then there
are two graphs for pages and lists, and two of all networks for what is asked of shoppers.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from endcap.model.network import Network
from endcap.model.served import (
    Reader,
    ReadInputs,
    ReadTogether,
    Responder,
    RespondInputs,
    RespondTogether,
)
from endcap.schema import DIMENSIONS, NUM_CONTEXT, NUM_PHASES, is_of_shopper

SIZES = {"B": 2, "T": 3, "C": 4}
"""Batch, events and candidates of the example that is traced; a graph takes any others."""


@dataclass(frozen=True)
class Size:
    """The shape of one input or output: axes that stay free, then fixed ones."""

    free: str
    fixed: tuple[int, ...] = ()
    whole: bool = False
    """Whole numbers: indices, lengths, buckets."""

    def example(self, events: int) -> Tensor:
        """Return a tensor of its own: the exporter takes one object twice for one input."""
        sizes = SIZES | {"T": min(events, SIZES["T"])}
        shape = [*(sizes[axis] for axis in self.free), *self.fixed]
        return torch.zeros(shape, dtype=torch.long) if self.whole else torch.rand(shape)

    def axes(self) -> dict[int, str]:
        """Return the free axes as the exporter wants them."""
        return dict(enumerate(self.free))


def _index(free: str) -> Size:
    return Size(free, whole=True)


def _read_sizes(dim: int) -> dict[str, Size]:
    of_events = {name: _index("BT") for name in ("action", "gap", "dwell", "is_ad")}
    asked = {name: _index("B") for name in ("length", "since", "device", "target_action")}
    return {
        **of_events,
        **asked,
        "item": Size("BT", (dim,)),
        "clock": Size("BT", (NUM_PHASES,)),
        "question_clock": Size("B", (NUM_PHASES,)),
    }


def _respond_sizes(dim: int, num_effects: int, num_kinds: int) -> dict[str, Size]:
    asked = ("since", "device", "length", "ad_campaign", "ad_group")
    return {
        **{name: _index("B") for name in asked},
        **{name: _index("BC") for name in ("campaign", "item_group")},
        **{name: _index("BT") for name in ("age", "event_group", "action")},
        "event_kind": Size("BT", (num_kinds,), whole=True),
        "parts": Size("BC", (len(DIMENSIONS), dim)),
        "present": Size("BC", (len(DIMENSIONS),)),
        "of_item": Size("BC", (num_effects,)),
        "context": Size("BC", (NUM_CONTEXT,)),
        "states": Size("BT", (dim,)),
        "last": Size("B", (dim,)),
        "question_clock": Size("B", (NUM_PHASES,)),
        "ad_item": Size("B", (dim,)),
        "is_ads_own": Size("BC"),
    }


READ_FREE = {"states": {0: "B", 1: "T"}, "last": {0: "B"}, "user": {0: "B"}}
RESPOND_FREE = {
    "answers": {0: "B", 1: "C"},
    "attention": {0: "B", 1: "C", 2: "1 + T"},
    "dimensions": {0: "B", 1: "C"},
}
"""The free axes of the outputs."""


def export_onnx(
    network: Network, folder: Path, *, apart: Mapping[str, Network] | None = None
) -> None:
    """Write `read.onnx` and `respond.onnx`; sizes of batch, history and candidates stay free.

    With networks that pages do not ask come `read_shopper.onnx` and `respond_shopper.onnx`.

    Args:
        apart: networks of the tasks that do not share the first one, those of shoppers last.
    """
    own = dict(apart or {})
    of_items = {name: each for name, each in own.items() if answers_items(each)}
    assert list(own)[: len(of_items)] == list(of_items), "networks of shoppers come last"
    _export_graphs(network, of_items, folder)
    if len(of_items) < len(own):
        _export_graphs(network, own, folder, suffix="_shopper")


def answers_items(network: Network) -> bool:
    """Tell whether any task of a network asks of an item."""
    return not all(is_of_shopper(task) for task in network.tasks)


def _export_graphs(
    network: Network, own: Mapping[str, Network], folder: Path, *, suffix: str = ""
) -> None:
    """Write the two graphs of the shared network and of some others beside it."""
    networks = [each.to("cpu").eval() for each in (network, *own.values())]
    reader: nn.Module = Reader(network)
    responder: nn.Module = Responder(network)
    if own:
        reader = ReadTogether(networks)
        responder = RespondTogether(networks, [network.slices[name] for name in own])
    dim = network.config.dim * len(networks)
    num_effects = sum(len(each.effects.moved) for each in networks)
    num_kinds = sum(len(each.profiles.tasks) for each in networks)
    events = network.config.max_history
    reads, responds = _read_sizes(dim), _respond_sizes(dim, num_effects, num_kinds)
    reads = {name: reads[name] for name in ReadInputs._fields}  # in the order of the graph
    responds = {name: responds[name] for name in RespondInputs._fields}
    _export(reader, reads, READ_FREE, folder / f"read{suffix}.onnx", events)
    _export(responder, responds, RESPOND_FREE, folder / f"respond{suffix}.onnx", events)


def _export(
    module: nn.Module,
    inputs: dict[str, Size],
    outputs: dict[str, dict[int, str]],
    path: Path,
    events: int,
) -> None:
    """Trace a module and write its graph.

    torch calls this exporter the old one. The new one takes some 20 CPU seconds for these two
    graphs, more than the fit of a small shop; the old one half a second, for the same answers.
    """
    examples = tuple(size.example(events) for size in inputs.values())
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of its age, and of sizes that tracing holds for fixed
        answers = module.eval()(*examples)
        torch.onnx.export(
            module,
            examples,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: size.axes() for name, size in inputs.items()} | outputs,
            opset_version=18,
            dynamo=False,
        )
    _note_sizes(path, outputs, dict(zip(outputs, answers, strict=True)))


def _note_sizes(path: Path, free: dict[str, dict[int, str]], examples: dict[str, Tensor]) -> None:
    """Note the sizes of the outputs, which tracing loses behind some of the operators."""
    graph = onnx.load(path)
    for value in graph.graph.output:
        for k, dim in enumerate(value.type.tensor_type.shape.dim):
            if k in free[value.name]:
                dim.dim_param = free[value.name][k]
            else:
                dim.dim_value = examples[value.name].shape[k]
    onnx.save(graph, path)
