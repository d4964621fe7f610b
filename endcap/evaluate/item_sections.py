"""Sections on whom lists serve and what they show: the long tail, little-known items, groups."""

from endcap.evaluate import plots
from endcap.evaluate.panels import Panel, Rows, Section, capital, drawn_ones
from endcap.evaluate.tables import OURS, Table, ranked_tasks, where, written


def popularity_section(rows: Rows) -> Section:
    """Tell whether lists serve the long tail, and whom little is known of."""
    panels = []
    for task in ranked_tasks(rows):
        drawn = drawn_ones(plots.popularity(rows, task), plots.exposure(rows, task))
        if drawn:
            panels.append(Panel(title=capital(task), charts=drawn, table=_tail(rows, task)))
        cold = _little_known(rows, task)
        if cold.lines:
            note = (
                "Shoppers as if only their latest events were known; new items have no event on "
                "training days, and stand in lists of all items."
            )
            panels.append(Panel(title=f"{capital(task)}, little known", note=note, table=cold))
    if not panels:
        panels.append(Panel(note="No list is measured, so no item is known to be shown or missed."))
    says = (
        "Most shoppers want few items. Tenth 1 holds the items that most people had on training "
        f"days; {plots.LOG!r} is what shoppers did then. Tenths 3 to 10 are the last 80 %."
    )
    return Section(
        name="popularity", title="Does it serve the long tail?", says=says, panels=panels
    )


def _little_known(rows: Rows, task: str) -> Table:
    """Set ours beside popularity where little is known."""
    parts = {"known": "shoppers of {} events", "items": "{} items"}
    lines = []
    for part, text in parts.items():
        for metric in ("recall", "exposure"):
            found = where(rows, task=task, metric=metric, part=part)
            by_group = {(row.group, row.model): row for row in found}
            for group in dict.fromkeys(row.group for row in found if row.model == OURS):
                ours, theirs = by_group[group, OURS], by_group.get((group, "popularity"))
                name = text.format(group.partition("=")[2])
                lines.append(
                    (f"{name}: {metric}@10", f"{ours.n:,}", written(ours), written(theirs))
                )
    columns = ("", "shoppers", OURS, "popularity")
    return Table(columns=columns, lines=tuple(lines))


def _tail(rows: Rows, task: str) -> Table:
    shares = {row.model: row for row in where(rows, task=task, metric="tail_exposure")}
    lines = tuple(
        (model, *(f"{_alone(rows, task, metric, model)}" for metric in ("coverage", "gini")),
         written(row, bare=True))
        for model, row in shares.items()
    )  # fmt: skip
    columns = ("", "coverage", "Gini", "places of the last 80 % of items")
    return Table(columns=columns, lines=lines, ours=tuple(line[0] == OURS for line in lines))


def _alone(rows: Rows, task: str, metric: str, model: str) -> str:
    found = where(rows, task=task, metric=metric, model=model)
    return written(found[0], bare=True) if found else "-"


def fairness_section(rows: Rows) -> Section:
    """Set groups of shoppers, and sellers, side by side."""
    panels = []
    kinds = dict.fromkeys(
        row.group.partition("=")[0] for row in rows if row.group and row.metric == "tail_exposure"
    )
    for task in ranked_tasks(rows)[:1]:
        panels += [
            Panel(
                title=f"Shoppers by {kind}", table=_group_table(rows, task, kind, "tail_exposure")
            )
            for kind in kinds
        ]
        sellers = _group_table(rows, task, "seller", "exposure")
        if sellers.lines:
            panels.append(Panel(title="Sellers", table=sellers))
        else:
            panels.append(Panel(title="Sellers", note="The catalogue names no seller."))
    says = (
        "Whether some are served worse: recall by group of shoppers with the share of the last "
        "80 % of items in their lists, and by seller with the share of list places beside what "
        f"shoppers did ({plots.LOG!r})."
    )
    if not panels:
        panels.append(Panel(note="No list is measured."))
    return Section(name="fairness", title="Whom does it serve?", says=says, panels=panels)


def _group_table(rows: Rows, task: str, kind: str, exposure: str) -> Table:
    models = [OURS, "popularity"]
    if exposure == "exposure":
        models.append(plots.LOG)
    recall = {(r.group, r.model): r for r in where(rows, task=task, metric="recall", part=kind)}
    shares = {(r.group, r.model): r for r in where(rows, task=task, metric=exposure, part=kind)}
    lines = []
    for group in dict.fromkeys(group for group, model in shares if model == OURS):
        ours = recall.get((group, OURS))
        cells = [written(recall.get((group, model))) for model in models[:2]]
        cells += [written(shares.get((group, model)), bare=True) for model in models]
        lines.append((group.partition("=")[2], f"{ours.n:,}" if ours else "-", *cells))
    what = "places" if exposure == "exposure" else "last 80 %"
    columns = ("", "shoppers", "recall@10", "popularity's", f"{what}, endcap", "popularity")
    return Table(columns=columns + ((plots.LOG,) if len(models) == 3 else ()), lines=tuple(lines))
