"""A page in a notebook: what stands where, and why."""

from typing import TYPE_CHECKING, Any

from endcap.engine import Explanation, explain
from endcap.schema import Decision, html_table

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("placement", "slot", "item_id", "campaign_id", "source", "propensity", "attention_ms")


class Page(Decision, frozen=True, kw_only=True):
    """A decision that explains and shows itself; the same record, to the byte."""

    def why(self, slot: int = 0, placement: str | None = None) -> Explanation:
        """Say why a slot holds what it holds; without a placement, in the page's first."""
        return explain(self, slot, placement)

    def __repr__(self) -> str:
        return f"Page {self.decision_id}: {len(self.chosen)} of {len(self.slots.slot)} slots filled"

    def to_polars(self) -> "pl.DataFrame":
        """Return what stands where as a table."""
        import polars as pl

        return pl.DataFrame(self._lines(), schema=list(COLUMNS), orient="row")

    def _lines(self) -> list[list[Any]]:
        order = list(dict.fromkeys(self.slots.placement))
        placed = sorted(self.chosen, key=lambda c: (order.index(c.placement), c.slot))
        return [[getattr(chosen, name) for name in COLUMNS] for chosen in placed]

    def _repr_html_(self) -> str:
        lines = [
            [*line[:3], line[3] or "", line[4], f"{line[5]:.3f}", f"{line[6]:,.0f}"]
            for line in self._lines()
        ]
        title = f"Page {self.decision_id[:12]}: {self.found} candidates found, {self.valued} valued"
        return html_table(title, COLUMNS, lines)


def page_of(decision: Decision) -> Page:
    """Return the same record as a page."""
    return Page(**{name: getattr(decision, name) for name in Decision.__struct_fields__})
