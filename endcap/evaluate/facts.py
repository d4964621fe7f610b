"""What a report says of a model beside its figures: its log, its training, what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from endcap.artifact import Artifact
from endcap.schema import Count, CurveRow, MetricRow, NextCategory, NextItem, Task, group_of

TASK_WORDS = {
    "next": "which item comes next",
    "all": "whether and when an item is bought",
    "impressions": "what is clicked in a shown slot",
    "clicks": "what follows a click",
    "shoppers": "whether and when a shopper does it, whatever the item",
    "count": "how often a shopper will do it",
    "category": "of which {of} the next event is",
}

RETURN_WORDS = (
    "instants it was met at, log(1 + n)",
    "events, log(1 + n)",
    "days, log(1 + n)",
    "days that count half after 7 days, log(1 + n)",
    "days that count half after 30 days, log(1 + n)",
    "days since the last time, log(n + 1/2)",
    "its popularity, log(1 + n)",
    "that it was met at all",
)
"""Of each `features.ReturnColumn`, in order."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A model in words and counts; made from its folder alone."""

    shop: str
    version: str
    created_at: str
    endcap: str
    fingerprint: str
    shoppers: int
    items: int
    campaigns: int
    events: dict[str, int]
    """Kind of event -> how many."""
    first_at: str
    last_at: str
    split: str
    currency: str
    zone: str
    tasks: list[tuple[str, str, str]]
    """Name, group, what is asked."""
    left_out: dict[str, str]
    curves: list[CurveRow]
    best_epoch: int
    training: dict[str, Any]
    mixes: dict[str, dict[str, float]]
    mix_ends: dict[str, tuple[float, float]]
    returns: dict[str, float]
    """What brings a shopper back to an item, in words, and its weight in nats."""
    examines: bool
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    """Each task alone against all together, as the fit compared them on validation days."""
    apart: list[str] = field(default_factory=list)
    """Tasks that are answered by a network of their own."""
    measured_on: str = "its own log"


def facts_of(artifact: Artifact, *, measured_on: str = "its own log") -> Facts:
    """Gather what a model folder tells of itself."""
    manifest, histories = artifact.manifest, artifact.histories
    training = dict(manifest.training)
    actions, counts = np.unique(histories.events["action"], return_counts=True)
    first, last = _span(artifact)
    return Facts(
        shop=manifest.shop.name,
        version=manifest.version,
        created_at=manifest.created_at,
        endcap=manifest.endcap,
        fingerprint=manifest.fingerprint,
        shoppers=len(artifact.user_ids),
        items=artifact.catalogue.num_items,
        campaigns=len(artifact.campaigns),
        events={
            manifest.shop.event_type_of(int(action)): int(count)
            for action, count in zip(actions, counts, strict=True)
        },
        first_at=first,
        last_at=last,
        split=manifest.shop.split.kind,
        currency=manifest.shop.currency,
        zone=manifest.shop.zone,
        tasks=[(task.name, group_of(task), _asks(task)) for task in manifest.tasks],
        left_out=manifest.left_out,
        curves=manifest.curves,
        best_epoch=int(training.pop("best_epoch", 0)),
        mixes={"lists": manifest.mix, "lists of unseen items": manifest.mix_unseen},
        mix_ends=dict(training.pop("mix_ends", {})),
        returns=dict(zip(RETURN_WORDS, manifest.returns, strict=True)),
        comparisons=list(training.pop("task_comparisons", [])),
        apart=list(training.get("apart", ())),
        examines=bool(artifact.arrays["examination"].size),
        training={
            name: value for name, value in training.items() if name not in ("model", "epochs_run")
        },
        measured_on=measured_on,
    )


def curves_of(curves: Sequence[CurveRow]) -> dict[str, list[tuple[float, float]]]:
    """Return by task the figure on validation days after each epoch, as (epoch, figure)."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in curves:
        if row.split == "validation":
            name = f"{row.task} loss" if row.metric == "loss" else f"{row.task} {row.metric}"
            found.setdefault(name, []).append((row.epoch, row.value))
    return {name: points for name, points in found.items() if len(points) > 1}


def not_better(rows: Sequence[MetricRow]) -> list[str]:
    """Say, in a sentence each, where the model is not shown to beat what it is compared with."""
    found = []
    for row in rows:
        if row.group or row.low is None or row.high is None:
            continue
        bounds = f"[{row.low:+.4f}, {row.high:+.4f}]"
        rival = row.model.partition(" - ")[2]
        if row.metric == "log_loss difference" and row.high >= 0:
            found.append(
                f"{row.task}: the log-loss is not shown to be below that of {rival} "
                f"({row.value:+.4f} {bounds})."
            )
        if row.metric in ("ndcg difference", "recall difference") and row.low <= 0:
            word = row.metric.removesuffix(" difference")
            found.append(
                f"{row.task}: {word}@{row.k} is not shown to be above that of {rival!r}, the best "
                f"rule on these days ({row.value:+.4f} {bounds})."
            )
    return found


def at_the_ends(facts: Facts) -> list[str]:
    """Say which weights of a mix stand at an end of what was tried; 0 means unused."""
    return [
        f"{name}: the weight of {part}, {value:g}, is the {'least' if value == low else 'most'} "
        f"that was tried."
        for name, mix in facts.mixes.items()
        for part, (low, high) in facts.mix_ends.items()
        if (value := mix.get(part, 0.0)) in (low, high) and value
    ]


def _asks(task: Task) -> str:
    match task:
        case NextItem():
            return TASK_WORDS["next"]
        case Count():
            return TASK_WORDS["count"]
        case NextCategory():
            return TASK_WORDS["category"].format(of=task.of)
        case _:
            return TASK_WORDS[task.space]


def _span(artifact: Artifact) -> tuple[str, str]:
    times = artifact.histories.events["timestamp_us"]
    if not artifact.manifest.shop.has_clock or not len(times):
        return "", ""
    ends = [datetime.fromtimestamp(int(at) / 1e6, tz=UTC) for at in (times.min(), times.max())]
    return ends[0].strftime("%Y-%m-%d"), ends[1].strftime("%Y-%m-%d")
