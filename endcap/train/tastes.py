"""How far a shopper's tastes are held to the level above: learned from training days.

A click count is Poisson about taste times expectation, and a taste is Gamma about the level above
it, so the strength of each level has a marginal likelihood (empirical Bayes; the gamma-Poisson
shrinkage of DuMouchel 1999, https://doi.org/10.1080/00031305.1999.10474456).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from endcap.features import (
    DAY_US,
    ContextScales,
    CounterHistory,
    DwellScales,
    ItemColumns,
    TasteStrengths,
    clicked_items,
    expected_clicks,
    log_seconds,
    number_scales_of,
    price_scale_of,
)
from endcap.schema import Action, Dataset, Events, Split, empty_events, shown_by_user

GRID = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0, 128.0)

LEAST_CLICKS = 100
"""With fewer clicks of shoppers who were shown something the strengths stay as they are given."""

MAX_SHOPPERS = 2_000


def fit_scales(
    dataset: Dataset,
    counters: CounterHistory,
    is_known: NDArray[np.bool_],
    *,
    seed: int = 0,
) -> ContextScales:
    """Fit all that a context needs, on training days alone.

    Args:
        is_known: [V] the items that training days met.
    """
    mean, scale = price_scale_of(dataset.catalogue, is_known)
    scales = ContextScales(price_mean=mean, price_scale=scale)
    columns = ItemColumns.of(dataset.catalogue, scales)
    at_end = counters.as_of(dataset.train_end_us // DAY_US)
    strengths = learn_strengths(_shoppers(dataset, seed), columns, at_end)
    numbers = dataset.shop.items.numbers
    return ContextScales(
        price_mean=mean,
        price_scale=scale,
        tastes=strengths,
        number=number_scales_of(dataset.catalogue, is_known, numbers[0]) if numbers else None,
        dwell=_dwell_scales(dataset),
    )


def _dwell_scales(dataset: Dataset) -> DwellScales | None:
    """Return what is usual on training days; None where the dwell of what was shown is not told."""
    shown, events = dataset.impressions, dataset.histories.events
    in_training = dataset.impression_split == Split.TRAIN
    dwell_ms = shown["dwell_ms"][in_training & (shown["dwell_ms"] >= 0)]
    if not dataset.shop.times_shown or len(dwell_ms) == 0:
        return None
    logs = log_seconds(dwell_ms)
    clicks = (events["action"] == Action.CLICK) & (dataset.event_split == Split.TRAIN)
    rate = (clicks.sum() + 1.0) / (in_training.sum() + 20.0)
    return DwellScales(
        mean=float(logs.mean()),
        scale=max(float(logs.std()), 1e-3),
        click_rate=float(min(rate, 1.0)),
    )


def _shoppers(dataset: Dataset, seed: int) -> Iterable[tuple[Events, Events]]:
    """Yield what some shoppers did and were shown, up to the end of the training days."""
    shown = shown_by_user(dataset)
    users = np.unique(dataset.impressions["user"])
    if len(users) > MAX_SHOPPERS:
        users = np.random.default_rng(seed).choice(users, size=MAX_SHOPPERS, replace=False)
    for user in users:
        seen, rows = shown.of(user), slice(*dataset.histories.offsets[user : user + 2])
        done = dataset.histories.events[rows][dataset.event_split[rows] == Split.TRAIN]
        seen = seen[(seen["timestamp_us"] < dataset.train_end_us) & (seen["item"] >= 0)]
        yield done, seen


def learn_strengths(
    shoppers: Iterable[tuple[Events, Events]],
    columns: ItemColumns,
    counters: NDArray[np.float32],
) -> TasteStrengths:
    """Choose each level's strength by the marginal likelihood of shoppers' clicks.

    Args:
        shoppers: what each did and was shown, on training days alone.
        counters: [V, N] as of the end of the training days.
    """
    slots = _Slots.of(shoppers, counters)
    if len(slots.clicked) < LEAST_CLICKS:
        return columns.scales.tastes
    groups = columns.groups
    shopper = slots.level(np.ones_like(groups.top), lambda user, _: np.ones(len(user)))

    def of_shopper(user: Codes, _: Codes) -> NDArray[np.float64]:
        return shopper.rate(user, np.ones_like(user))

    top = slots.level(groups.top, of_shopper)
    leaf = slots.level(groups.leaf, lambda user, leaf: top.rate(user, groups.top_of_leaf[leaf]))
    return TasteStrengths(
        shopper=shopper.strength,
        top=top.strength,
        leaf=leaf.strength,
        brand=slots.level(groups.brand, of_shopper).strength,
        word=slots.level(columns.words, of_shopper).strength,
    )


Codes = NDArray[np.int64]
Prior = Callable[[Codes, Codes], NDArray[np.float64]]
"""(user, group) pairs -> the rate of the level above."""


@dataclass(frozen=True, kw_only=True)
class _Level:
    """Clicks and expectations of (user, group) pairs, sorted by `key`."""

    key: Codes
    size: int
    hits: NDArray[np.float64]
    hoped: NDArray[np.float64]
    prior: NDArray[np.float64]
    strength: float

    def rate(self, user: Codes, group: Codes) -> NDArray[np.float64]:
        """Return the held rate of pairs that are among the level's own."""
        row = np.searchsorted(self.key, user * self.size + group)
        held = self.strength
        out: NDArray[np.float64] = (self.hits + held * self.prior) / (self.hoped + held)
        return out[row]


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """Shown slots and clicks of many shoppers, flat."""

    seen: NDArray[np.int32]
    seen_user: Codes
    expected: NDArray[np.float64]
    clicked: NDArray[np.int32]
    clicked_user: Codes

    @staticmethod
    def of(shoppers: Iterable[tuple[Events, Events]], counters: NDArray[np.float32]) -> "_Slots":
        pairs = [(clicked_items(did), shown) for did, shown in shoppers if len(shown)]
        numbers = np.arange(len(pairs))
        clicked, shown = [done for done, _ in pairs], [seen for _, seen in pairs]
        every = np.concatenate([empty_events(), *shown])
        return _Slots(
            seen=every["item"],
            seen_user=np.repeat(numbers, [len(seen) for seen in shown]),
            expected=expected_clicks(every, counters),
            clicked=np.concatenate([np.zeros(0, dtype=np.int32), *clicked]),
            clicked_user=np.repeat(numbers, [len(done) for done in clicked]),
        )

    def level(self, of_item: Codes, prior: Prior) -> _Level:
        """Count the groups of items, [V] or [V, W], and choose the level's strength."""
        size = int(of_item.max(initial=0)) + 1
        seen, expected = self._keys(of_item, self.seen, self.seen_user, size), self.expected
        expected = np.repeat(expected, len(seen) // max(len(expected), 1))
        clicked = self._keys(of_item, self.clicked, self.clicked_user, size)
        key, place = np.unique(np.concatenate([seen, clicked]), return_inverse=True)
        hoped = np.zeros(len(key))
        np.add.at(hoped, place[: len(seen)], expected)
        hits = np.bincount(place[len(seen) :], minlength=len(key)).astype(np.float64)
        kept = (key % size > 0) & (hoped > 0)
        key, hits, hoped = key[kept], hits[kept], hoped[kept]
        above = prior(key // size, key % size)
        return _Level(
            key=key,
            size=size,
            hits=hits,
            hoped=hoped,
            prior=above,
            strength=_likeliest(hits, hoped, above),
        )

    @staticmethod
    def _keys(of_item: Codes, item: NDArray[np.int32], user: Codes, size: int) -> Codes:
        group = of_item[item].reshape(len(item), -1)
        return (user[:, None] * size + group).ravel()


def _likeliest(
    hits: NDArray[np.float64], hoped: NDArray[np.float64], prior: NDArray[np.float64]
) -> float:
    """Return the strength under which the counts are likeliest: they are negative binomial."""

    def log_likelihood(held: float) -> float:
        shape = held * prior
        each = gammaln(hits + shape) - gammaln(shape)
        each += shape * np.log(held / (held + hoped)) - hits * np.log(held + hoped)
        return float(each.sum())

    return max(GRID, key=log_likelihood)
