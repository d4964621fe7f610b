"""Shares of a page's attention as a model foresees them, against the true ones of a made-up shop.

    python -m benchmarks.attention_shares --seeds 101

A made-up shop lives some days and a model is fitted; then it makes the pages of two further days,
ads among them. A slot's expected attention is a = e (view_ms + q E[dwell]), its share is a over the
page's sum. The truth takes the shop's own e, q and dwell, and where ads take from their neighbours,
e is less beside them. A model that answers about each candidate alone cannot foresee that, so every
page is judged twice: by the truth without the ads' effect on neighbours, and with it. What an ad
takes is a product's share on the page less its share on the page without the ad. The baseline knows
the slots alone: the model's e, and nothing of shopper or item.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shops import heading, write_report
from endcap import metrics
from endcap.api.comparison import Contest, run_policy
from endcap.api.demo import Lesson, learn, live
from endcap.decide import attention_share, expected_attention, share_without
from endcap.metrics import Interval
from endcap.predict import NetworkPredictor
from endcap.schema import Predictions, Question
from endcap.simulate import World, WorldConfig, WorldRun
from endcap.simulate.attention import Layout, neighbour_factor
from endcap.simulate.truth import truth_of

Floats = NDArray[np.float64]
PRODUCT = ""


class Asked:
    """A predictor that keeps, of every page, its answers and the truth of that moment."""

    def __init__(self, world: World, maker: NetworkPredictor) -> None:
        self.world, self.maker = world, maker
        self.version = "asked"
        self.kept: dict[tuple[str, int], dict[tuple[str, str], tuple[float, ...]]] = {}

    def predict(self, question: Question) -> Predictions:
        """Answer, and look the truth up before the world moves on."""
        answer = self.maker.predict(question)
        who = np.array([self.world.shopper_of_user[question.user_id]])
        item, campaign = (
            rows[None].astype(np.int64) for rows in (question.item, question.campaign)
        )
        truth = truth_of(self.world.mind, who, np.array([question.at_us]), item, campaign)
        goods = self.world.catalogue().item_ids[question.item]
        rows = self.world.campaigns().rows
        ads = [rows[k].campaign_id if k >= 0 else PRODUCT for k in question.campaign]
        columns = (answer.q, answer.dwell_ms, truth.q[0], truth.dwell_ms[0])
        numbers = zip(*(column.tolist() for column in columns), strict=True)
        self.kept[question.user_id, question.at_us] = dict(
            zip(zip(goods, ads, strict=True), numbers, strict=True)
        )
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.maker, name)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Slots of all pages with an ad, a row each."""

    shopper: NDArray[np.int64]
    told: Floats
    by_slot: Floats
    true: Floats


def attention_of(
    page: list[tuple[float, ...]], examined: Floats, true_examined: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return a page's attention as told, by the slots alone, and in truth without neighbours."""
    q, dwell, true_q, true_dwell = np.array(page).T
    told = expected_attention(examined, q, dwell)
    return told, examined, expected_attention(true_examined, true_q, true_dwell)


def compare(lesson: Lesson, *, days: int) -> dict[str, Columns]:
    """Let the model make the pages of further days; return shares and what ads take, by truth."""
    kept: list[Asked] = []

    def make(world: World) -> Asked:
        kept.append(Asked(world, lesson.model.predictor))
        return kept[-1]

    seed = lesson.world.config.seed
    contest = Contest(world=lesson.world, model=lesson.model, days=days, seed=seed)
    run = run_policy(contest, make, policy="asked")
    names = [f"{what}, {where}" for what in ("share", "taken by an ad") for where in NEIGHBOURS]
    found: dict[str, list[list[Floats]]] = {name: [] for name in names}
    for row in range(len(run.pages)):
        for name, columns in of_page(lesson, kept[-1], run, row).items():
            found[name].append(columns)
    return {
        name: Columns(**dict(zip(("shopper", "told", "by_slot", "true"), parts, strict=True)))
        for name, pages in found.items()
        for parts in [[np.concatenate(column) for column in zip(*pages, strict=True)]]
    }


NEIGHBOURS = ("neighbours off", "neighbours on")


def of_page(lesson: Lesson, asked: Asked, run: WorldRun, row: int) -> dict[str, list[Any]]:
    """Return a page's columns, where it has an ad beside products."""
    shown, layout = run.shown, asked.world.layout
    slots = np.flatnonzero(shown.page_row == row)
    is_ad = shown.campaign_id[slots] != PRODUCT
    if not 0 < is_ad.sum() < len(slots):
        return {}
    answers = asked.kept[str(run.pages.user_id[row]), int(run.pages.at_us[row])]
    page = [answers[shown.item_id[k], shown.campaign_id[k]] for k in slots]
    place = _places(lesson, layout, shown.placement[slots], shown.slot[slots])
    device = int(run.pages.device[row])
    examined = _examined(lesson.model.predictor, lesson, device)[place]
    true_examined = layout.examination[device][place].astype(np.float64)
    told, by_slot, true = attention_of(page, examined, true_examined)
    ad = int(np.flatnonzero(is_ad)[0])
    others = ~is_ad
    found = {}
    for where in NEIGHBOURS:
        beside, alone = np.ones(len(slots)), np.ones(len(slots))
        if where == "neighbours on":
            beside = _beside(layout, place, is_ad)
            alone = _beside(layout, place, is_ad & (np.arange(len(slots)) != ad))
        shares = [attention_share(a) for a in (told, by_slot, true * beside)]
        rest = [share_without(a, ad) for a in (told, by_slot, true * alone)]
        taken = [(before - now)[others] for before, now in zip(rest, shares, strict=True)]
        shopper = np.full(len(slots), run.pages.shopper[row])
        found[f"share, {where}"] = [shopper, *shares]
        found[f"taken by an ad, {where}"] = [shopper[others], *taken]
    return found


def _places(
    lesson: Lesson, layout: Layout, placement: NDArray[Any], slot: NDArray[np.int64]
) -> NDArray[np.int64]:
    names = [each.name for each in lesson.world.config.placements]
    number = np.array([names.index(name) for name in placement])
    starts = np.array([np.flatnonzero(layout.placement == k)[0] for k in range(len(names))])
    places: NDArray[np.int64] = starts[number] + slot
    return places


def _examined(predictor: NetworkPredictor, lesson: Lesson, device: int) -> Floats:
    placements = lesson.world.config.placements
    told = [predictor.examination(p.name, p.slots, device) for p in placements]
    slots: Floats = np.concatenate(told)
    return slots


def _beside(layout: Layout, place: NDArray[np.int64], is_ad: NDArray[np.bool_]) -> Floats:
    whole = np.zeros((1, len(layout)), dtype=np.bool_)
    whole[0, place] = is_ad
    beside: Floats = neighbour_factor(layout, whole)[0, place].astype(np.float64)
    return beside


def _slope(x: Floats, y: Floats, weights: Floats) -> float:
    x, y = x - weights @ x / weights.sum(), y - weights @ y / weights.sum()
    return float((weights * x * y).sum() / max((weights * x * x).sum(), 1e-12))


def _correlation(x: Floats, y: Floats, weights: Floats) -> float:
    return _slope(x, y, weights) * (_spread(x, weights) / max(_spread(y, weights), 1e-12))


def _spread(x: Floats, weights: Floats) -> float:
    return float(np.sqrt(weights @ (x - weights @ x / weights.sum()) ** 2 / weights.sum()))


def _error(x: Floats, y: Floats, weights: Floats) -> float:
    return float(weights @ np.abs(x - y) / weights.sum())


def table(seed: int, found: dict[str, Columns]) -> str:
    """Write one world's figures in Markdown, with intervals by shopper."""
    head = "| of | n | told by | correlation | mean absolute error | slope of truth on it |"
    lines = [f"\n## World {seed}\n", head, "|---|---|---|---|---|---|"]
    for name, columns in found.items():
        for teller, told in (("model", columns.told), ("slots alone", columns.by_slot)):
            cells = [_bounded(measure, told, columns) for measure in (_correlation, _error, _slope)]
            lines.append(f"| {name} | {len(told):,} | {teller} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _bounded(
    measure: Callable[[Floats, Floats, Floats], float], told: Floats, columns: Columns
) -> str:
    def statistic(weights: Floats) -> float:
        return measure(told, columns.true, weights)

    found: Interval = metrics.cluster_interval(statistic, columns.shopper, resamples=200)
    return f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"


def main() -> None:
    """Run the worlds and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--days", type=int, default=21)
    given = parser.parse_args()
    report = [
        heading(
            "Shares of attention, told and true",
            "attention_shares",
            f"{given.days} days of log, one fit, pages of two further days that hold an ad;"
            " 95 % intervals over shoppers",
        )
    ]
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            world, log = live(WorldConfig(seed=seed), days=given.days, folder=folder / "shop")
            lesson = learn(world, log, folder / "shop", folder / "shop.model", None)
            report.append(table(seed, compare(lesson, days=2)))
        print(report[-1], flush=True)
    write_report("attention_shares", report)


if __name__ == "__main__":
    main()
