"""`endcap demo`: a made-up shop lives, a model learns from its log, and policies compete."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import Json
from endcap.cli.screen import Screen, counted, figure
from endcap.errors import ConfigError, LogError, MissingExtraError

if TYPE_CHECKING:
    from endcap.api.comparison import PolicyResult
    from endcap.api.demo import Lesson
    from endcap.cli.progress import Report
    from endcap.simulate import WorldConfig

DAYS, QUICK_DAYS = 21, 10
TEST_DAYS, QUICK_TEST_DAYS = 2, 1
NUM_POLICIES = 5


def demo(
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same shop.")] = 7,
    days: Annotated[
        int | None,
        typer.Option("--days", help=f"Days of the log: {DAYS}, with --quick {QUICK_DAYS}."),
    ] = None,
    test_days: Annotated[
        int | None,
        typer.Option(
            "--test-days",
            help=f"Days on which policies compete: {TEST_DAYS}, with --quick {QUICK_TEST_DAYS}.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the shop and the model lie.")
    ] = Path("endcap-demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A shop of half the size: sooner done, wider intervals.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a made-up shop live, learn from its log, and see what each policy earns in it."""
    from endcap.api.fitting import check_out, require_train
    from endcap.api.worlds import check_world_out
    from endcap.cli.progress import progress

    screen = Screen(as_json)
    require_train()
    _require_evaluate()
    check_world_out(out / "world")
    check_out(out / "shop.model")
    days = _days("--days", days, QUICK_DAYS if quick else DAYS)
    test_days = _days("--test-days", test_days, QUICK_TEST_DAYS if quick else TEST_DAYS)
    with progress() as report:
        lesson = _learn(_config(seed, quick=quick), days, out, report)
        results = _compete(lesson, test_days, report)
    _show(screen, results, days=days, test_days=test_days)
    _say_where(screen, lesson, out)
    screen.finish(
        {
            "world": out / "world",
            "model": out / "shop.model",
            "decisions": out / "world" / "decisions.jsonl",
            "policies": results,
            "share_of_the_way": _share(results),
        }
    )


def _days(option: str, given: int | None, usual: int) -> int:
    if given is not None and given < 1:
        raise ConfigError(f"{option} must be 1 or more, got {given}.")
    return usual if given is None else given


def _require_evaluate() -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtraError(
            "The demo's logistic regression needs scikit-learn, which the default install leaves "
            "out; run: pip install 'endcap[evaluate]'."
        )


def _config(seed: int, *, quick: bool) -> "WorldConfig":
    from endcap.simulate import WorldConfig

    whole = WorldConfig(seed=seed)
    if not quick:
        return whole
    sizes = {name: getattr(whole, name) // 2 for name in ("shoppers", "items", "campaigns")}
    return replace(whole, **sizes)


def _learn(config: "WorldConfig", days: int, out: Path, report: "Report") -> "Lesson":
    from endcap.api.demo import learn, live

    folder = out / "world"
    report(f"living {counted(days, 'day')} with {config.shoppers:,} shoppers", 0, 1)
    world, run = live(config, days=days, folder=folder)
    lesson = learn(world, run, folder, out / "shop.model", report)
    left_out = lesson.model.artifact.manifest.left_out
    for task in ("click", "buy"):
        if task in left_out:
            lived = counted(days, "day")
            raise LogError(
                f"{lived} of {config.shoppers:,} shoppers teach too little for a contest: "
                f"{task} {left_out[task]}; give more --days."
            )
    return lesson


def _compete(lesson: "Lesson", days: int, report: "Report") -> list["PolicyResult"]:
    from endcap.api.demo import compete

    what, results = f"competing for {counted(days, 'day')}", list["PolicyResult"]()
    report(what, 0, NUM_POLICIES)
    for result in compete(lesson, days=days):
        results.append(result)
        report(what, len(results), NUM_POLICIES)
    return results


def _show(screen: Screen, results: list["PolicyResult"], *, days: int, test_days: int) -> None:
    rows = [
        [
            result.policy,
            figure(*result.value, digits=0),
            figure(*result.ads_add, digits=0),
            figure(result.clicks, digits=1),
            figure(result.dwell_seconds / 1_000, digits=1),
            figure(result.margin, digits=1),
            figure(result.ad_money, digits=1),
        ]
        for result in results
    ]
    columns = ["policy", "value", "ads add", "clicks", "dwell s", "margin", "ad money"]
    span = f"{counted(test_days, 'day')} after {counted(days, 'day')} of log"
    title = f"What {span} earned: per 1,000 pages, in EUR"
    screen.table(title, columns, rows)
    screen.say(
        f"Endcap is {_share(results):.0%} of the way from popularity to the oracle, which knows "
        f"the true chances of this shop.",
        "Brackets: 95 % intervals over shoppers. Ads add: value less that of the same policy "
        "without ads. Dwell: seconds per page.",
    )


def _share(results: list["PolicyResult"]) -> float:
    from endcap.api.comparison import share_of_the_way

    named = {result.policy: result for result in results}
    return share_of_the_way(named["endcap"], named["popularity"], named["oracle"])


def _say_where(screen: Screen, lesson: "Lesson", out: Path) -> None:
    screen.say(
        "",
        f"The shop's log lies in {out / 'world'}, the model in {out / 'shop.model'},",
        f"and every page's record in {out / 'world' / 'decisions.jsonl'}.",
    )
    decisions = lesson.run.decisions
    with_ad = (d for d in reversed(decisions) if any(c.campaign_id for c in d.chosen))
    decision = next(with_ad, decisions[-1])
    ad = next((c for c in decision.chosen if c.campaign_id), decision.chosen[0])
    words = ("--slot", str(ad.slot), "--placement", ad.placement)
    screen.propose("why", decision.decision_id, "--log", str(out / "world"), *words)
    user_id = lesson.model.artifact.user_ids[0]
    screen.propose("recommend", str(out / "shop.model"), "--user", user_id, "--explain")
    screen.propose("evaluate", str(out / "shop.model"))
