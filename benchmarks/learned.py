"""What of the truth a model has learned: clicks mechanism by mechanism, and purchases after clicks.

    python -m benchmarks.learned --seeds 101 102

A made-up shop lives some days and a model is fitted. It then makes the pages of two further days,
and of every fourth page all candidates' predicted log-odds are regressed on the parts that add up
to the true ones. A part that is wholly known has slope 1. What was clicked or bought is thought to
be liked more than it is, by any model that learns from clicks: slopes of fatigue and satiation may
be below 0 without a bias of the answer. Beside them stands P(buy | click) of products and of ads:
its mean, its slope, and how far it is from the truth, by the chance of a click.
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
from endcap.simulate import Oracle, World, WorldConfig
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
        return log_odds(q)

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
        self.truth = Oracle(world)
        self.told: dict[str, list[NDArray[np.float64]]] = {name: [] for name in policies}
        self.bought: dict[str, list[NDArray[np.float64]]] = {name: [] for name in policies}
        self.true: list[NDArray[np.float64]] = []
        """Of every candidate, [C, 3]: whether it is an ad, q, P(buy | click)."""
        self.parts: list[NDArray[np.float64]] = []
        self.names: list[str] = []

    def predict(self, question: Question) -> Predictions:
        """Answer, and look at some pages."""
        self.pages += 1
        answer: Predictions = self.maker.predict(question)
        if self.pages % EVERY == 0:
            others = {k: v for k, v in self.policies.items() if v is not self.maker}
            told = {name: policy.predict(question) for name, policy in others.items()}
            self._look(question, {"endcap": answer} | told)
        return answer

    def _look(self, question: Question, answers: dict[str, Predictions]) -> None:
        """Compare what is told of a page's candidates with what is true of them."""
        is_ad, true = question.campaign >= 0, self.truth.predict(question)
        parts = parts_of(self.world, question)
        self.names = list(parts)
        columns = np.stack(list(parts.values()), axis=1)[~is_ad]
        self.parts.append(columns - columns.mean(axis=0))
        self.true.append(np.column_stack([is_ad, true.q, true.buy]))
        for name, answer in answers.items():
            told = log_odds(answer.q[~is_ad])
            self.told[name].append(told - told.mean())
            self.bought[name].append(answer.buy)

    def learn_items(self, catalogue: Any) -> None:
        """Let all of them take in the catalogue."""
        for policy in self.policies.values():
            policy.learn_items(catalogue)

    def learn_campaigns(self, campaigns: Any) -> None:
        """Let all of them take in the campaigns."""
        for policy in self.policies.values():
            policy.learn_campaigns(campaigns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.maker, name)


def watch(lesson: Lesson, *, days: int) -> Watched:
    """Let the model make the pages of further days."""
    seed, watched = lesson.world.config.seed, []
    makers = usual_policies(lesson.model, lesson.fitted, seed=seed)

    def make(world: World) -> Watched:
        policies = {name: makers[name](world) for name in ("endcap", "logistic regression")}
        watched.append(Watched(world, policies))
        return watched[-1]

    contest = Contest(world=lesson.world, model=lesson.model, days=days, seed=seed)
    run_policy(contest, make, policy="watched", ads=True)
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
    return "\n".join([*lines, *purchases(watched)])


def log_odds(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of chances, finite."""
    odds: NDArray[np.float64] = logit(np.clip(chance, LEAST, 1 - LEAST))
    return odds


def purchases(watched: Watched) -> list[str]:
    """Write in Markdown how P(buy | click) compares with the truth, weighed by chances of a click.

    The slope is that of the true log-odds on those told; the divergence is Kullback and Leibler's.
    """
    is_ad, q, true = np.concatenate(watched.true).T
    lines = [
        "\n| P(buy given click) | truth | told | slope | divergence, nats |\n|---|---|---|---|---|"
    ]
    for kind, rows in (("products", is_ad == 0), ("ads", is_ad == 1)):
        weight, t = q[rows] / q[rows].sum(), np.clip(true[rows], LEAST, 1 - LEAST)
        for name, values in watched.bought.items():
            said = np.clip(np.concatenate(values)[rows], LEAST, 1 - LEAST)
            slope = np.polyfit(log_odds(said), log_odds(t), 1, w=np.sqrt(weight))[0]
            apart = t * np.log(t / said) + (1 - t) * np.log((1 - t) / (1 - said))
            lines.append(
                f"| {kind}, {name} | {weight @ t:.4f} | {weight @ said:.4f} | {slope:.2f} |"
                f" {weight @ apart:.4f} |"
            )
    return lines


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
            f"{given.days} days of log, one fit, two days of its pages; slopes of predicted on true"
            " log-odds of a product's click, within pages",
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
