"""The demo: a made-up shop lives some days, a model learns from its log, and policies compete."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap.api.comparison import (
    Contest,
    PolicyResult,
    compare_policies,
    secret_of,
    usual_policies,
)
from endcap.api.engine import Engine as ModelEngine
from endcap.api.fitting import Report, fit_dataset, require_train
from endcap.api.measuring import ranking_figures
from endcap.api.model import Model, load
from endcap.api.worlds import write_world
from endcap.artifact import write_metrics
from endcap.engine import Engine, Settings, State
from endcap.features import Counters
from endcap.prep import encode, read
from endcap.schema import PageConfig, ShopConfig, SubjectKeys
from endcap.simulate import World, WorldConfig, WorldRun

if TYPE_CHECKING:
    from endcap.train import Fitted

LOGGING_TEMPERATURE = 1.0
"""How much the first policy explores: a shop that shows the same to all learns little."""
FIRST_GUESS = 0.85
"""Examination of a slot against the one before, until a log can tell."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A world after some days, the model that learned from its log, and where both lie."""

    world: World
    run: WorldRun
    model: Model
    fitted: "Fitted"


def live(
    config: WorldConfig, *, days: int, folder: Path, sample_inputs: float = 0.01
) -> tuple[World, WorldRun]:
    """Let a new shop live some days with popularity and exploration, and write its folder."""
    from endcap.evaluate.policies import PopularityPredictor

    world, shop = World(config), shop_of(config)
    # What the shortlist cuts off is never shown, and no log tells what nobody saw.
    exploring = msgspec.structs.replace(
        shop.page, temperature=LOGGING_TEMPERATURE, shortlist=shop.page.candidates
    )
    logging = msgspec.structs.replace(shop, page=exploring)
    keys = np.random.default_rng(config.seed)
    engine = Engine(
        PopularityPredictor(_first_guess),
        shop=logging,
        catalogue=world.catalogue(),
        campaigns=world.campaigns(),
        state=State(
            counters=Counters(world.catalogue().num_items),
            subjects=SubjectKeys(lambda: keys.bytes(12).hex()),
        ),
        secret=secret_of(config.seed),
        settings=Settings(policy="popularity", sample_inputs=sample_inputs),
    )
    run = world.run(engine, days)
    write_world(run, folder, shop=shop)
    return world, run


def live_on(lesson: Lesson, *, days: int, folder: Path) -> tuple[World, WorldRun]:
    """Let the shop live on with pages of its model, and write the log from its first day on."""
    world = lesson.world.copy()
    engine = ModelEngine(
        lesson.model,
        catalogue=world.catalogue(),
        campaigns=world.campaigns(),
        secret=secret_of(world.config.seed),
    )
    run = lesson.run.followed_by(world.run(engine, days))
    write_world(run, folder, shop=shop_of(world.config))
    return world, run


def _first_guess(placement: str, slots: int, device: int) -> NDArray[np.float64]:
    return np.power(FIRST_GUESS, np.arange(slots, dtype=np.float64))


def shop_of(config: WorldConfig) -> ShopConfig:
    """Return the made-up shop's configuration."""
    return ShopConfig(
        name=f"made-up shop {config.seed}",
        currency="EUR",
        placements=tuple(config.wanted()),
        page=PageConfig(),
    )


def learn(world: World, run: WorldRun, folder: Path, out: Path, report: Report | None) -> Lesson:
    """Fit a model on a world's folder, as on any shop's."""
    require_train()
    seed = world.config.seed
    dataset = encode(read(folder))
    fitted = fit_dataset(dataset, out, seed=seed, report=report)
    model = load(out)
    write_metrics(out, ranking_figures(model, dataset))
    return Lesson(world=world, run=run, model=model, fitted=fitted)


def compete(lesson: Lesson, *, days: int, workers: int = 2) -> Iterator[PolicyResult]:
    """Let random, popularity, logistic regression, Endcap and the oracle run the same days."""
    seed = lesson.world.config.seed
    contest = Contest(world=lesson.world, model=lesson.model, days=days, seed=seed)
    policies = usual_policies(lesson.model, lesson.fitted, seed=seed)
    return compare_policies(contest, policies, workers=workers)
