"""Whom the lists serve: recall and exposure by popularity, by seller and by group of shoppers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap import metrics
from endcap.evaluate.baselines import fit_tables
from endcap.evaluate.ranking import LISTED, RankingTask, RankReport, metric_row
from endcap.metrics import TargetRanks
from endcap.schema import Dataset, MetricRow, Split

TAIL = 3
"""The first tenth of the last 80 % of items."""
MOST_SELLERS = 10
"""So many sellers stand by themselves, the busiest first; the rest is one group."""
EVENTS = ((1, "1 to 2"), (3, "3 to 10"), (11, "over 10"))
THE_LOG = "the log"
"""Stands as a model for what shoppers did: what exposure is compared with."""

Names = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The parts by which lists are measured, fitted on training days."""

    tenth: NDArray[np.int64]
    """[V] tenth of popularity; 0 for items that no list can hold."""
    sellers: Names
    """[V] group of the item's seller; all empty where the catalogue names none."""
    shoppers: dict[str, Names]
    """Kind of group -> [U] group of every user; empty is none."""
    demand: NDArray[np.int64]
    """[V] shoppers of each item on training days."""


def groups_of(
    dataset: Dataset,
    split: Split = Split.TEST,
    *,
    shopper_groups: Mapping[str, Mapping[str, str]] | None = None,
) -> Groups:
    """Sort items by popularity and seller, and shoppers by events and by any declared group.

    Args:
        shopper_groups: further groups, such as `{"city": {"u1": "Berlin"}}`.
    """
    training, history = fit_tables(dataset, split)
    demand = training.users_per_item()
    known = demand > 0
    tenth = np.zeros(len(demand), dtype=np.int64)
    tenth[known] = metrics.popularity_tenths(demand[known])
    events = np.bincount(history.user, minlength=history.num_users)
    shoppers = {"events": _by_events(events)}
    for kind, group_of in (shopper_groups or {}).items():
        named = [group_of.get(user_id, "") for user_id in dataset.user_ids]
        shoppers[kind] = np.array(named, dtype=object)
    return Groups(
        tenth=tenth,
        sellers=_busiest(dataset.catalogue.seller_ids, demand),
        shoppers=shoppers,
        demand=demand,
    )


def spread_rows(
    report: RankReport, task: RankingTask, groups: Groups, split: Split = Split.TEST
) -> list[MetricRow]:
    """Measure a report's lists part by part; reports of ranks alone have none."""
    if report.ranks is None or report.lists is None:
        return []
    rows = _Rows(task=report.task, model=report.model, split=split.name.lower())
    held = metrics.exposure(report.lists, len(groups.tenth))
    ranks = report.ranks
    target_tenth = groups.tenth[task.target_item]
    found = [
        rows.alone("coverage", float((held[groups.tenth > 0] > 0).mean())),
        rows.alone("gini", metrics.gini(held[groups.tenth > 0]) if held.sum() else 0.0),
        rows.alone("tail_exposure", _share(held, groups.tenth >= TAIL)),
    ]
    found += rows.recall(ranks, target_tenth >= TAIL, "items=last 80 %")
    for tenth in range(1, 11):
        found += rows.recall(ranks, target_tenth == tenth, f"tenth={tenth}")
        found.append(rows.alone("exposure", _share(held, groups.tenth == tenth), f"tenth={tenth}"))
    for seller in _in_order(groups.sellers):
        of_seller = groups.sellers == seller
        found += rows.recall(ranks, of_seller[task.target_item], f"seller={seller}")
        found.append(rows.alone("exposure", _share(held, of_seller), f"seller={seller}"))
    for kind, group_of_user in groups.shoppers.items():
        found += list(_of_shoppers(rows, report, task, groups, kind, group_of_user[task.users]))
    return found


def demand_rows(task: RankingTask, groups: Groups, split: Split = Split.TEST) -> list[MetricRow]:
    """Return the shares of what shoppers wanted on training days: exposure's measure."""
    rows = _Rows(task=task.name, model=THE_LOG, split=split.name.lower())
    found = [rows.alone("tail_exposure", _share(groups.demand, groups.tenth >= TAIL))]
    for tenth in range(1, 11):
        share = _share(groups.demand, groups.tenth == tenth)
        found.append(rows.alone("exposure", share, f"tenth={tenth}"))
    for seller in _in_order(groups.sellers):
        share = _share(groups.demand, groups.sellers == seller)
        found.append(rows.alone("exposure", share, f"seller={seller}"))
    return found


@dataclass(frozen=True, kw_only=True)
class _Rows:
    task: str
    model: str
    split: str

    def alone(self, metric: str, value: float, group: str = "", n: int = 0) -> MetricRow:
        return MetricRow(
            task=self.task,
            metric=metric,
            model=self.model,
            value=value,
            k=LISTED,
            group=group,
            split=self.split,
            n=n,
        )

    def recall(
        self, ranks: TargetRanks, chosen: NDArray[np.bool_], group: str
    ) -> Iterator[MetricRow]:
        """Measure the share of some targets that stand in the lists; none when there are none."""
        if not chosen.any():
            return
        hits = ranks.per_user(((ranks.rank <= LISTED) & chosen).astype(np.float64))
        found = metrics.ratio_interval(hits, ranks.per_user(chosen.astype(np.float64)))
        yield metric_row(self.task, "recall", self.model, found, LISTED, self.split, group)


def _of_shoppers(
    rows: _Rows,
    report: RankReport,
    task: RankingTask,
    groups: Groups,
    kind: str,
    group_of_user: Names,
) -> Iterator[MetricRow]:
    assert report.lists is not None
    for group in _in_order(group_of_user):
        of_group, name = group_of_user == group, f"{kind}={group}"
        values = report.values["recall", LISTED][of_group]
        found = metrics.interval(values)
        yield metric_row(rows.task, "recall", rows.model, found, LISTED, rows.split, name)
        held = metrics.exposure(report.lists[of_group], len(groups.tenth))
        share = _share(held, groups.tenth >= TAIL)
        yield rows.alone("tail_exposure", share, name, int(of_group.sum()))


def _share(held: NDArray[np.int64], chosen: NDArray[np.bool_]) -> float:
    return float(held[chosen].sum() / max(held.sum(), 1))


def _in_order(names: Names) -> list[str]:
    """List the groups: by events upwards, others by name, the rest last; "" is none."""
    return sorted({str(name) for name in names if name}, key=_natural)


def _natural(name: str) -> tuple[int, str]:
    places = {label: place for place, (_, label) in enumerate(EVENTS)}
    return places.get(name, len(places) + name.startswith("the other")), name


def _by_events(counts: NDArray[np.int64]) -> Names:
    names = np.full(len(counts), "", dtype=object)
    for least, label in EVENTS:
        names[counts >= least] = label
    return names


def _busiest(sellers: Names, demand: NDArray[np.int64]) -> Names:
    total: dict[str, int] = {}
    for seller, count in zip(sellers, demand, strict=True):
        if seller:
            total[str(seller)] = total.get(str(seller), 0) + int(count)
    busiest = sorted(total, key=lambda seller: (-total[seller], seller))[:MOST_SELLERS]
    rest = f"the other {len(total) - len(busiest)}"
    names: Sequence[str] = [
        str(seller) if seller in busiest or not seller else rest for seller in sellers
    ]
    return np.array(names, dtype=object)
