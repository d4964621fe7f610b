"""What shoppers will do, whatever the item: buy anything, come back, click so often, look where."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from endcap.schema import Count, Hazard, NextCategory, Task, is_of_shopper

if TYPE_CHECKING:
    from endcap.api.model import Model


def shopper_tasks(model: "Model") -> list[Task]:
    """List the trained tasks that ask of a shopper without an item."""
    return [task for task in model.artifact.manifest.tasks if is_of_shopper(task)]


def shopper_rows(
    model: "Model", users: Sequence[str], at_us: int, hours: float
) -> list[dict[str, Any]]:
    """Answer every task of shoppers, a row per shopper.

    A delay is answered within `hours`, at most its horizon; a count within its own window; of
    categories the likeliest is named, with its chance.
    """
    counters = model.counters_at(at_us)
    rows = []
    for user_id in users:
        history = model.history_before(user_id, at_us)
        answers = model.predictor.ask(history, at_us, None, counters)
        told = {name: value for task in shopper_tasks(model)
                for name, value in _told(model, task, answers, hours)}  # fmt: skip
        rows.append({"user_id": user_id, **told})
    return rows


def _told(
    model: "Model", task: Task, answers: NDArray[np.float64], hours: float
) -> Iterator[tuple[str, Any]]:
    predictor = model.predictor
    match task:
        case Hazard():
            chance = predictor.readout.chance_of(task.name, answers, min(hours, task.within_hours))
            yield task.name, float(chance[0])
        case Count():
            yield task.name, float(predictor.readout.expected_count(task.name, answers)[0][0])
        case NextCategory():
            shares = predictor.readout.category_shares(task.name, answers)[0]
            best = int(shares.argmax())
            yield task.name, task.categories[best]
            yield f"{task.name}_chance", float(shares[best])
