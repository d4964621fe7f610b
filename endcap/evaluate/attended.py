"""Where the candidates' attention lies: on events by age, on no event, on dimensions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.evaluate.asking import ask_question, sampled
from endcap.features import HOUR_US, split_history
from endcap.predict import NetworkPredictor, Response, State
from endcap.schema import DIMENSIONS, Dataset, Device, Events, MetricRow, Split

if TYPE_CHECKING:
    from endcap.train.examples import Examples

MAX_ASKED = 300
"""Questions whose attention is averaged; more move no share by a visible amount."""
NOTHING = "no event"
AGES = ((0, "under 1 hour"), (1, "1 to 24 hours"), (24, "1 to 3 days"), (72, "3 to 7 days"),
        (168, "7 to 30 days"), (720, "over 30 days"))  # fmt: skip
"""Hours at which each age begins."""
PLACES = ((1, "the last"), (2, "2nd last"), (3, "3rd to 5th last"), (6, "6th to 10th last"),
          (11, "11th to 20th last"), (21, "before"))  # fmt: skip
"""In a log without a clock, places counted from the question back."""
TASK, OURS, EVEN = "attention", "endcap", "even"


def attention_rows(
    predictor: NetworkPredictor, examples: "Examples", dataset: Dataset, split: Split = Split.TEST
) -> list[MetricRow]:
    """Return the shares of attention by age of the event and by dimension of the product.

    `even` gives every event that is read the same share of what is not left on "no event", and
    every dimension that a candidate has the same share.
    Shares are means over questions, and within one over its candidates.
    """
    table = examples.candidates
    asked = np.flatnonzero((examples.split == split) & (np.diff(table.offsets) > 0))
    asked = asked[examples.visible[asked] > dataset.histories.offsets[examples.user[asked]]]
    asked = sampled(asked, MAX_ASKED)
    bounds = AGES if dataset.shop.has_clock else PLACES
    total, even = np.zeros(len(bounds) + 1), np.zeros(len(bounds) + 1)
    on_dimensions: list[NDArray[np.float32]] = []
    on_present: list[NDArray[np.float32]] = []
    read = 0
    for k in asked:
        start = dataset.histories.offsets[examples.user[k]]
        history = dataset.histories.events[start : examples.visible[k]]
        state, found = ask_question(predictor, examples, dataset, int(k))
        shares = _on_events(state, found)
        item = table.item[slice(*table.offsets[k : k + 2])]
        item, looked = item[item >= 0], found.dimensions[0][item >= 0]
        if len(item):
            present = predictor.items.parts(item)[1]
            on_dimensions.append(looked.mean(axis=0))
            on_present.append((present / np.maximum(present.sum(1, keepdims=True), 1)).mean(axis=0))
        window = split_history(history)[0][-(len(shares) - 1) :]
        if not len(window):
            continue
        place = _place(window, int(examples.at_us[k]), dataset.shop.has_clock)
        total += np.append(_spread(place, shares[1:], len(bounds)), shares[0])
        flat = np.full(len(place), (1 - shares[0]) / len(place))
        even += np.append(_spread(place, flat, len(bounds)), shares[0])
        read += 1
    labels = [label for _, label in bounds] + [NOTHING]
    rows = [
        MetricRow(
            task=TASK,
            metric="share",
            model=model,
            value=float(value / read),
            group=f"age={label}",
            split=split.name.lower(),
            n=read,
        )
        for model, shares in ((OURS, total), (EVEN, even))
        for label, value in zip(labels, shares, strict=True)
        if read
    ]
    for model, spread in ((OURS, on_dimensions), (EVEN, on_present)):
        if spread:
            means = np.mean(spread, axis=0)
            shares_of = {name: float(x) for name, x in zip(DIMENSIONS, means, strict=True)}
            rows += dimension_rows(shares_of, split, model=model)
    return rows


def dimension_rows(
    shares: Mapping[str, float], split: Split = Split.TEST, *, model: str = OURS
) -> list[MetricRow]:
    """Write shares of attention on the dimensions of a product as rows, by name."""
    return [
        MetricRow(
            task=TASK,
            metric="share",
            model=model,
            value=share,
            group=f"dimension={name}",
            split=split.name.lower(),
        )
        for name, share in shares.items()
    ]


def examination_rows(predictor: NetworkPredictor) -> list[MetricRow]:
    """Return how often each slot is looked at, by device; nothing where no log could tell.

    As corrected on validation days, and as it was trained.
    """
    if not predictor.examines:
        return []
    arrays = predictor.artifact.arrays
    tables = {"examination": arrays["examination"]}
    if "examination_trained" in arrays:
        tables["examination trained"] = arrays["examination_trained"]
    return [
        MetricRow(
            task="examination",
            metric=metric,
            model=OURS,
            value=float(table[place, device, slot]),
            group=f"slot={name}/{slot}/{device.name.lower()}",
            split="validation" if metric == "examination" else "train",
        )
        for metric, table in tables.items()
        for place, name in enumerate(predictor.shop.placements)
        for device in Device
        for slot in range(table.shape[2])
    ]


def _on_events(state: State, found: Response) -> NDArray[np.float64]:
    """Return [1 + T]: attention on no event, and on each event that is read, oldest first."""
    shares: NDArray[np.float64] = found.events[0].mean(axis=0).astype(np.float64)
    return shares[: 1 + int(state.length[0])]


def _place(window: Events, at_us: int, has_clock: bool) -> NDArray[np.int64]:
    """Number the bucket of every event."""
    if has_clock:
        ages = (at_us - window["timestamp_us"]) // HOUR_US
        starts = [start for start, _ in AGES]
    else:
        ages = np.arange(len(window), 0, -1)
        starts = [start for start, _ in PLACES]
    return np.maximum(np.searchsorted(starts, ages, side="right") - 1, 0)


def _spread(
    place: NDArray[np.int64], shares: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    return np.bincount(place, weights=shares, minlength=count).astype(np.float64)
