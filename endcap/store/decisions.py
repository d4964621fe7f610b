"""The records of pages, written with the next transaction whatever asks for one."""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from msgspec.structs import replace
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from endcap.schema import Decision, decode_decision, encode_decision
from endcap.store.database import Database, Reading
from endcap.store.tables import decision as table
from endcap.store.tables import shopper

RECENT = 2_000
"""Records that are kept in memory: a page's clicks come soon, or never."""

MAX_UNWRITTEN = 1_000
"""Records that wait for the disk at most, before a page waits for it too."""


class StoredDecisions:
    """A log of records; the newest are in memory and on their way to the disk."""

    def __init__(self, reading: Reading, *, position: int) -> None:
        self._reading = reading
        self._recent: OrderedDict[str, Decision] = OrderedDict()
        self._unwritten: dict[str, Decision] = {}
        self._writing: list[Decision] = []
        self.position = position
        """The number of a record whose page is counted, as are all before it."""
        self.newest: str | None = None
        """The id of the last record appended since."""
        self.on_change: Callable[[], None] = lambda: None

    def append(self, decision: Decision) -> None:
        """Keep a record; `written` of the store tells when it is on disk."""
        self._unwritten[decision.decision_id] = decision
        self._remember(decision)
        self.newest = decision.decision_id
        self.on_change()

    def get(self, decision_id: str) -> Decision | None:
        """Return a record, None when there is none."""
        known = self._recent.get(decision_id) or self._unwritten.get(decision_id)
        if known is not None:
            return known
        wanted = select(table.c.record).where(table.c.decision_id == decision_id)
        rows = self._reading.rows(wanted)
        if not rows:
            return None
        known = decode_decision(rows[0].record)
        self._remember(known)
        return known

    @property
    def num_unwritten(self) -> int:
        """Count the records that are not on disk."""
        return len(self._unwritten)

    def forget_inputs(self, subject: str) -> None:
        """Keep no history of a person in records; they stay without."""
        for held in (self._recent, self._unwritten):
            for decision_id, each in held.items():
                if each.subject == subject and each.inputs is not None:
                    held[decision_id] = replace(each, inputs=None)

    def choose(self) -> None:
        """Choose what is not on disk."""
        self._writing = list(self._unwritten.values())

    def write(self, connection: Connection) -> None:
        """Write the records, in order."""
        rows = [
            {
                "decision_id": each.decision_id,
                "subject": each.subject,
                "at_us": each.at_us,
                "record": encode_decision(each),
            }
            for each in self._writing
        ]
        if rows:
            connection.execute(insert(table).on_conflict_do_nothing(), rows)

    def written(self) -> None:
        """Forget what is on disk."""
        for each in self._writing:
            self._unwritten.pop(each.decision_id, None)

    def failed(self, error: Exception) -> None:
        """Leave what is not on disk for the next time."""

    def rest(self) -> Iterator[tuple[str, Decision]]:
        """Yield user id and record of the pages on disk that are not counted; move on with each."""
        wanted = (
            select(table.c.number, table.c.record, shopper.c.user_id)
            .join(shopper, shopper.c.subject == table.c.subject)
            .order_by(table.c.number)
            .limit(1)
        )
        while True:
            rows = self._reading.rows(wanted.where(table.c.number > self.position))
            if not rows:
                return
            yield rows[0].user_id, decode_decision(rows[0].record)
            self.position = rows[0].number

    def number_of(self, connection: Connection, newest: str | None) -> int:
        """Return the number of a record on disk; the position when none came since."""
        if newest is None:
            return self.position
        wanted = select(func.max(table.c.number)).where(table.c.decision_id == newest)
        return connection.scalar(wanted) or self.position

    def _remember(self, decision: Decision) -> None:
        self._recent[decision.decision_id] = decision
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)


def records_of(database: Database, start: str) -> dict[str, bytes]:
    """Return the records whose id begins so, by id; a server may write meanwhile."""
    wanted = select(table.c.decision_id, table.c.record).where(
        table.c.decision_id.startswith(start, autoescape=True)
    )
    return {row.decision_id: row.record for row in database.reading.rows(wanted)}
