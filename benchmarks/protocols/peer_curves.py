"""What both fits told as they ran: lines, stages, and validation NDCG against CPU seconds."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Lines:
    """What a script wrote, a line each."""

    def __init__(self, file: Path) -> None:
        told = file.read_text().splitlines() if file.is_file() else []
        self.all: list[Line] = [json.loads(line) for line in told]

    def of(self, kind: str) -> list[Line]:
        """Return the lines of a kind, in order."""
        return [line for line in self.all if line["kind"] == kind]

    def last(self, kind: str) -> Line:
        """Return the last line of a kind."""
        return self.of(kind)[-1]


def epochs_of(mine: Lines) -> list[Line]:
    """Put together what each epoch of ours took and what it was judged to be."""
    ends = {
        one["what"].split()[1]: after
        for one, after in pairwise(mine.of("began"))
        if one["what"].startswith("epoch")
    }
    return [
        {**line, **{name: ends[str(line["epoch"])][name] for name in ("cpu_s", "peak_mb")}}
        for line in mine.of("epoch")
    ]


def stages(mine: Lines) -> str:
    """Tell where our time and memory go; an epoch ends with its validation."""
    told = [*mine.of("began"), {"what": "", **mine.last("fitted")}]
    begun = told[0]["cpu_s"]
    lines = [
        f"| imports, reading and encoding the file | {begun:.0f} | {told[0]['peak_mb']:,.0f} |"
    ]
    lines += [
        f"| {one['what']} | {after['cpu_s'] - one['cpu_s']:.0f} | {after['peak_mb']:,.0f} |"
        for one, after in pairwise(told)
    ]
    head = ["## Where our fit goes", "", "| stage | CPU s | peak so far, MB |", "|---|---|---|"]
    return "\n".join([*head, *lines])


def curves(peer: Sequence[Line], mine: Sequence[Line]) -> str:
    """Tell validation NDCG@10 by epoch: all items ranked, seen ones filtered, all users."""
    lines = [
        "## Validation NDCG@10 by epoch",
        "",
        "All items ranked, seen ones filtered, all users, ties against the model. `mixed` adds the "
        "columns beside the network by the weights that the finished fit chose. `told` is what our "
        "trainer chooses its epoch by: 20,000 of the questions, seen items not filtered.",
        "",
        "| epoch | peer, CPU s | NDCG@10 | endcap, CPU s | network alone | mixed | told | MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row, theirs in enumerate(peer):
        own = "| | | | |"
        if row < len(mine):
            one = mine[row]
            own = (
                f"{one['cpu_s']:.0f} | {one['ndcg']:.4f} | {one['mixed_ndcg']:.4f} | "
                f"{one['told_ndcg']:.4f} | {one['peak_mb']:,.0f}"
            )
        lines.append(f"| {row + 1} | {theirs['cpu_s']:.0f} | {theirs['ndcg']:.4f} | {own} |")
    return "\n".join(lines)


def draw(peer: Sequence[Line], mine: Sequence[Line], level: float, file: Path) -> None:
    """Draw both curves, and the level that counts."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for told, name, label in (
        (peer, "ndcg", "RecTools SASRec, padding left out"),
        (mine, "ndcg", "endcap, network alone"),
        (mine, "mixed_ndcg", "endcap, mixed"),
    ):
        axis.plot([one["cpu_s"] for one in told], [one[name] for one in told], "o-", label=label)
    axis.axhline(level, color="k", linestyle=":", label="the peer's best")
    axis.set_xlabel("CPU seconds from the start of the process")
    axis.set_ylabel("validation NDCG@10")
    axis.set_ylim(bottom=0)
    axis.legend()
    figure.savefig(file, dpi=110)
    plt.close(figure)
