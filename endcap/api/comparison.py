"""Several policies in one made-up shop: the same shoppers, the same luck, other predictions."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from endcap import metrics
from endcap.api.engine import Engine
from endcap.api.model import Model
from endcap.engine import Settings
from endcap.metrics import Interval
from endcap.schema import MICROS, ValueConfig
from endcap.simulate import Oracle, World, WorldRun, value_of

THOUSAND = 1_000.0

ByPage = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Micros of each page, and whose page it is."""


class PolicyResult(Struct, frozen=True, kw_only=True):
    """What a policy earned per 1,000 pages, in units of currency, with 95 % intervals by shopper.

    `value` is expected by the world's truth for the pages that were shown, neighbours included; it
    has the mean of what was earned and less noise. `earned` is what happened.
    """

    policy: str
    pages: int
    value: tuple[float, float, float]
    earned: tuple[float, float, float]
    without_ads: tuple[float, float, float]
    """The same policy's value where no ad is allowed."""
    ads_add: tuple[float, float, float]
    """`value` less `without_ads`; its interval draws the same shoppers on both sides."""
    clicks: float
    dwell_seconds: float
    margin: float
    ad_money: float


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What every policy of a comparison shares."""

    world: World
    model: Model
    days: int
    seed: int


def compare_policies(
    contest: Contest,
    policies: dict[str, Callable[[World], Any]],
    *,
    workers: int = 2,
) -> Iterator[PolicyResult]:
    """Run each policy with and without ads from the same state; yield results as they come.

    Args:
        policies: name -> a function from the policy's own copy of the world to a predictor.
    """
    jobs = [(name, ads) for name in policies for ads in (True, False)]
    found: dict[str, dict[bool, tuple[WorldRun, ValueConfig]]] = {}
    # Forked workers see the model and the world as they are; nothing is sent but the results.
    _SHARED.update(contest=contest, policies=policies)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for (name, ads), run in zip(jobs, pool.map(_run, jobs), strict=True):
            found.setdefault(name, {})[ads] = (run, contest.model.artifact.manifest.shop.value)
            if len(found[name]) == 2:
                yield _result(name, found.pop(name))


_SHARED: dict[str, Any] = {}


def _run(job: tuple[str, bool]) -> WorldRun:
    name, ads = job
    make_predictor = _SHARED["policies"][name]
    return run_policy(_SHARED["contest"], make_predictor, policy=name, ads=ads)


def secret_of(seed: int) -> bytes:
    """Return the key of exploration in a made-up shop: luck that can be repeated."""
    return seed.to_bytes(32, "big", signed=True)


def run_policy(
    contest: Contest, make_predictor: Callable[[World], Any], *, policy: str, ads: bool = True
) -> WorldRun:
    """Let the contest's days pass in a copy of its world, pages made with one predictor."""
    world = contest.world.copy()
    engine = Engine(
        contest.model,
        catalogue=world.catalogue(),
        campaigns=world.campaigns(),
        predictor=make_predictor(world),
        secret=secret_of(contest.seed),
        settings=Settings(policy=policy),
    )
    return world.run(engine, contest.days, ads=ads, explore=False, keep_decisions=False)


def _result(name: str, runs: dict[bool, tuple[WorldRun, ValueConfig]]) -> PolicyResult:
    (run, value), (bare, _) = runs[True], runs[False]
    pages, values, bare_values = run.pages, value_of(run, value), value_of(bare, value)
    return PolicyResult(
        policy=name,
        pages=len(pages),
        value=per_thousand(values.expected, pages.shopper),
        earned=per_thousand(values.realised, pages.shopper),
        without_ads=per_thousand(bare_values.expected, bare.pages.shopper),
        ads_add=more_per_thousand(
            (values.expected, pages.shopper), (bare_values.expected, bare.pages.shopper)
        ),
        clicks=float(pages.expected_clicks.mean()) * THOUSAND,
        dwell_seconds=float(pages.expected_dwell_ms.mean()),
        margin=float(pages.expected_margin_micros.mean()) * THOUSAND / MICROS,
        ad_money=float(pages.expected_ad_micros.mean()) * THOUSAND / MICROS,
    )


def per_thousand(
    micros: NDArray[np.float64], shopper: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return the value per 1,000 pages with its interval; shoppers are drawn whole."""
    found: Interval = metrics.cluster_interval(lambda weights: _mean(micros, weights), shopper)
    return found.value, found.low, found.high


def more_per_thousand(ours: ByPage, theirs: ByPage) -> tuple[float, float, float]:
    """Return how much more value per 1,000 pages one run has than another of the same shoppers.

    A shopper who is drawn brings the pages of both runs, so what they have in common falls out.
    """
    micros, shopper = (np.concatenate(columns) for columns in zip(ours, theirs, strict=True))
    is_ours = np.arange(len(micros)) < len(ours[0])

    def difference(weights: NDArray[np.float64]) -> float:
        one, other = (_mean(micros[rows], weights[rows]) for rows in (is_ours, ~is_ours))
        return one - other

    found = metrics.cluster_interval(difference, shopper)
    return found.value, found.low, found.high


def _mean(micros: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ micros / weights.sum()) * THOUSAND / MICROS


def share_of_the_way(ours: PolicyResult, low: PolicyResult, high: PolicyResult) -> float:
    """Return how far a policy comes from one mark to another, 0 to 1."""
    return (ours.value[0] - low.value[0]) / (high.value[0] - low.value[0])


def usual_policies(model: Model, fitted: Any, *, seed: int) -> dict[str, Callable[[World], Any]]:
    """Return random, popularity, logistic regression, Endcap and the oracle, worst first."""
    from endcap.evaluate.logistic import LogisticPredictor
    from endcap.evaluate.policies import PopularityPredictor, RandomPredictor

    examination = model.predictor.examination
    logistic = LogisticPredictor(examination, fitted)
    dwell_ms = float(np.mean(model.artifact.manifest.dwell_means_ms))
    return {
        "random": lambda world: RandomPredictor(examination, seed=seed),
        "popularity": lambda world: PopularityPredictor(examination, dwell_ms=dwell_ms),
        "logistic regression": lambda world: logistic,
        "endcap": lambda world: model.predictor,
        "oracle": Oracle,
    }
