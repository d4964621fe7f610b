"""Where each task's answers stand among all answers, and which tasks are alike."""

import torch
from torch import Tensor

from endcap.schema import Binary, Count, Hazard, NextCategory, NextItem, Task

NUM_DWELL_BINS = 16
NUM_DELAY_BINS = 12


def outputs_of(task: Task) -> int:
    """Count the outputs that a task's head gives per candidate."""
    match task:
        case NextItem():
            return 0
        case Binary():
            return 1
        case Hazard(measures="dwell"):
            return NUM_DWELL_BINS
        case Hazard():
            return 1 + NUM_DELAY_BINS
        case Count():
            return 2
        case NextCategory():
            return len(task.categories)


def slices_of(tasks: tuple[Task, ...]) -> dict[str, slice]:
    """Tell by name where each task's outputs stand among all answers."""
    found, start = {}, 0
    for task in tasks:
        found[task.name] = slice(start, start + outputs_of(task))
        start = found[task.name].stop
    return found


def count_outputs(tasks: tuple[Task, ...]) -> int:
    """Count all outputs; at least one, since a layer of no width cannot be exported.

    A log of orders alone asks candidates nothing.
    """
    return max(1, sum(outputs_of(task) for task in tasks))


def kind_of(task: Task) -> str:
    """Name what a task asks, as far as tasks are alike."""
    match task:
        case Binary(space="impressions"):
            return "ad click" if task.ads else "click"
        case Binary(space="clicks", ads=False):
            return "cart"
        case Hazard(measures="delay", space="clicks"):
            return "ad purchase" if task.ads else "purchase"
        case Hazard(measures="delay", space="all"):
            return "any purchase"
        case _:
            return "another"


def first_outputs(tasks: tuple[Task, ...], kind: str) -> list[int]:
    """List where the first outputs of the tasks of a kind stand."""
    slices = slices_of(tasks)
    return [slices[task.name].start for task in tasks if kind_of(task) == kind]


def one_hot(places: list[int], width: int) -> Tensor:
    """Return float32 [len(places), width], a 1 in each row at its place."""
    out = torch.zeros(len(places), width)
    out[torch.arange(len(places)), places] = 1.0
    return out
