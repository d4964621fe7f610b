"""What of the truth a model has learned: its log-odds of a click, mechanism by mechanism.

    python -m benchmarks.learned --seeds 101 102

A made-up shop lives some days and a model is fitted. It then makes the pages of two further days,
and of every fourth page all candidates' predicted log-odds are regressed on the parts that add up
to the true ones. A part that is wholly known has slope 1. What was clicked or bought is thought to
be liked more than it is, by any model that learns from clicks: slopes of fatigue and satiation may
be below 0 without a bias of the answer.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.shops import heading, write_report
from endcap.api.comparison import Contest, run_policy, usual_policies
from endcap.api.demo import Lesson, learn, live
from endcap.schema import Predictions, Question
from endcap.simulate import World, WorldConfig
from endcap.simulate.truth import match_of, truth_of

MECHANISMS = ("complements", "category_hours", "fatigue", "satiation", "repeats")
LEAST = 1e-6
"""Chances nearer to 0 or 1 are taken as this."""

EVERY = 4
"""Pages to one that is looked at."""


def parts_of(world: World, question: Question) -> dict[str, NDArray[np.float64]]:
    """Return what adds up to the true log-odds of a question's products, each [C]."""
    mind, item = world.mind, question.item[None].astype(np.int64)
    who = np.array([world.shopper_of_user[question.user_id]])
    at_us, nobody = np.array([question.at_us]), np.full_like(item, -1)

    def truth(**switched: Any) -> NDArray[np.float64]:
        changed = replace(mind, config=replace(mind.config, **switched))
        q = truth_of(changed, who, at_us, item, nobody).q[0].astype(np.float64)
        odds: NDArray[np.float64] = logit(np.clip(q, LEAST, 1 - LEAST))
        return odds

    whole = truth()
    parts = {name: whole - truth(**{name: False}) for name in MECHANISMS}
    taste = match_of(mind, who[:, None], item)[0].astype(np.float64)
    return {"appeal": mind.goods.appeal[item[0]].astype(np.float64), "taste": taste} | parts


class Watched:
    """A predictor that makes the pages, and others that are asked the same."""

    def __init__(self, world: World, policies: dict[str, Any]) -> None:
        self.world, self.policies = world, policies
        self.maker: Any = policies["endcap"]
        self.version = "watched"
        self.pages = 0
        self.told: dict[str, list[NDArray[np.float64]]] = {name: [] for name in policies}
        self.parts: list[NDArray[np.float64]] = []
        self.names: list[str] = []

    def predict(self, question: Question) -> Predictions:
        """Answer, and look at every fourth page."""
        self.pages += 1
        if self.pages % EVERY == 0:
            parts = parts_of(self.world, question)
            self.names = list(parts)
            columns = np.stack(list(parts.values()), axis=1)
            self.parts.append(columns - columns.mean(axis=0))
            for name, policy in self.policies.items():
                told = logit(np.clip(policy.predict(question).q, LEAST, 1 - LEAST))
                self.told[name].append(told - told.mean())
        answer: Predictions = self.maker.predict(question)
        return answer

    def learn_items(self, catalogue: Any) -> None:
        """Let all of them take in the catalogue."""
        for policy in self.policies.values():
            policy.learn_items(catalogue)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.maker, name)


def watch(lesson: Lesson, *, days: int) -> Watched:
    """Let the model make the pages of further days, without ads."""
    seed, watched = lesson.world.config.seed, []
    makers = usual_policies(lesson.model, lesson.fitted, seed=seed)

    def make(world: World) -> Watched:
        policies = {name: makers[name](world) for name in ("endcap", "logistic regression")}
        watched.append(Watched(world, policies))
        return watched[-1]

    contest = Contest(world=lesson.world, model=lesson.model, days=days, seed=seed)
    run_policy(contest, make, policy="watched", ads=False)
    return watched[-1]


def table(seed: int, watched: Watched) -> str:
    """Write one world's slopes in Markdown."""
    parts = np.concatenate(watched.parts)
    told = {name: np.concatenate(values) for name, values in watched.told.items()}
    slopes = {name: np.linalg.lstsq(parts, values, rcond=None)[0] for name, values in told.items()}
    lines = [
        f"\n## World {seed}\n",
        f"| part | spread of the truth | {' | '.join(told)} |",
        "|---|---|" + "---|" * len(told),
    ]
    for k, part in enumerate(watched.names):
        found = " | ".join(f"{slopes[name][k]:.2f}" for name in told)
        lines.append(f"| {part} | {parts[:, k].std():.2f} | {found} |")
    truth = parts.sum(axis=1)
    found = " | ".join(f"{np.corrcoef(values, truth)[0, 1]:.2f}" for values in told.values())
    lines.append(f"| correlation with the whole | {truth.std():.2f} | {found} |")
    return "\n".join(lines)


def main() -> None:
    """Run the worlds and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--days", type=int, default=21)
    given = parser.parse_args()
    report = [
        heading(
            "What of the truth a model has learned",
            "learned",
            f"{given.days} days of log, one fit, two days of its pages without ads; slopes of"
            " predicted on true log-odds of a click, within pages",
        )
    ]
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            world, log = live(WorldConfig(seed=seed), days=given.days, folder=folder / "shop")
            lesson = learn(world, log, folder / "shop", folder / "shop.model", None)
            report.append(table(seed, watch(lesson, days=2)))
        print(report[-1], flush=True)
    write_report("learned", report)


if __name__ == "__main__":
    main()
