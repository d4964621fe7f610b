"""Boosted trees on a task's own rows: a constant is calibrated too, and this it must beat."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from endcap.errors import MissingExtraError
from endcap.evaluate.asking import question_of, sampled
from endcap.evaluate.classifiers import boosted_trees

if TYPE_CHECKING:  # torch is not needed to look at figures
    from endcap.train.examples import Examples

Floats = NDArray[np.float64]

MAX_ROWS = 50_000
"""Rows of training days that trees are grown on; more are sampled."""
LEAST_HITS = 10


def tree_answers(
    examples: "Examples",
    label: Floats,
    hours: Floats | None,
    training: NDArray[np.int64],
    chosen: NDArray[np.int64],
) -> Floats | None:
    """Grow trees on training rows of a task, and answer of the chosen ones.

    They read what the candidate head reads beside vectors and histories (the context's columns,
    slot, placement, device, campaign), and how long a row was watched, as labels are.

    Args:
        label: of all candidates; `hours`: how long each is watched, where that differs.

    Returns:
        None without scikit-learn, or where training days hold labels of one kind alone.
    """
    training = sampled(training, MAX_ROWS)
    hits = label[training].sum()
    if min(hits, len(training) - hits) < LEAST_HITS:
        return None
    try:
        trees = boosted_trees()
    except MissingExtraError:
        return None
    trees.fit(_read(examples, hours, training), label[training])
    found: Floats = trees.predict_proba(_read(examples, hours, chosen))[:, 1]
    return found


def _read(
    examples: "Examples", hours: Floats | None, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    table = examples.candidates
    question = question_of(table, rows)
    columns: list[NDArray[Any]] = [
        table.slot[rows],
        table.placement[rows],
        examples.device[question],
        table.campaign[rows],
        np.zeros(len(rows)) if hours is None else hours[rows],
    ]
    found: NDArray[np.float32] = np.column_stack([table.context[rows], *columns])
    return found.astype(np.float32)
