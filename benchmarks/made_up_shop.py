"""What each policy earns in the made-up shop: the demo's table, for several worlds.

    python -m benchmarks.made_up_shop --seeds 7 8 9

Every policy goes through the same page rule, candidates, ads, prices and examination, meets the
same shoppers with the same luck, and differs in what it predicts of a candidate alone. Values are
expected by the world's truth for the pages that were shown. Intervals draw whole shoppers.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.shops import heading, span, write_report
from endcap.api.comparison import PolicyResult, share_of_the_way
from endcap.api.demo import compete, learn, live
from endcap.simulate import WorldConfig


def run(seed: int, days: int, test_days: int) -> tuple[list[PolicyResult], float]:
    """Live, learn and compete in one world; return the results and the seconds it took."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        world, log = live(WorldConfig(seed=seed), days=days, folder=folder / "shop")
        lesson = learn(world, log, folder / "shop", folder / "shop.model", None)
        results = list(compete(lesson, days=test_days))
    return results, time.perf_counter() - started


def table(seed: int, results: list[PolicyResult], seconds: float) -> str:
    """Write one world's table in Markdown."""
    by_name = {result.policy: result for result in results}
    low, high = by_name["popularity"], by_name["oracle"]
    lines = [
        f"\n## World {seed} ({seconds:.0f} s)\n",
        "| policy | pages | value per 1,000 pages | earned | ads add | clicks | dwell s |"
        " margin | ad money | of the way |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        spans = [span(bounds) for bounds in (r.value, r.earned, r.ads_add)]
        lines.append(
            f"| {r.policy} | {r.pages:,} | {' | '.join(spans)} | {r.clicks:,.0f} |"
            f" {r.dwell_seconds / 1000:.1f} | {r.margin:,.0f} | {r.ad_money:,.0f} |"
            f" {share_of_the_way(r, low, high):.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the worlds and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--test-days", type=int, default=2)
    given = parser.parse_args()
    parts = [
        heading(
            "The made-up shop",
            "made_up_shop",
            f"{given.days} days of log by popularity with exploration, one fit,"
            f" {given.test_days} days of contest; dwell per page",
        )
    ]
    found = {}
    for seed in given.seeds:
        results, seconds = run(seed, given.days, given.test_days)
        found[seed] = results
        parts.append(table(seed, results, seconds))
        print(parts[-1], flush=True)
    write_report("made_up_shop", parts, found)


if __name__ == "__main__":
    main()
