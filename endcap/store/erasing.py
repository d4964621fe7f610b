"""Forgetting a person: the key, the history and the events that hang on it."""

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, select, update

from endcap.schema import decode_decision, encode_decision
from endcap.store.tables import decision, journal, shopper


class Erased(Struct, frozen=True, kw_only=True):
    """What a store forgot."""

    events: int
    """Events that the journal held of the person."""
    history: bool
    """Whether the person was known at all."""
    records: int
    """Records of pages that stay, under a key that is nobody's now."""


def erase_person(connection: Connection, user_id: str) -> Erased:
    """Delete a person; what is deleted is overwritten, and counters of items stay."""
    wanted = select(shopper.c.subject).where(shopper.c.user_id == user_id)
    subject = connection.scalar(wanted)
    if subject is None:
        return Erased(events=0, history=False, records=0)
    records = _without_inputs(connection, subject)
    events = connection.execute(delete(journal).where(journal.c.subject == subject)).rowcount
    connection.execute(delete(shopper).where(shopper.c.subject == subject))
    return Erased(events=events, history=True, records=records)


def _without_inputs(connection: Connection, subject: str) -> int:
    """Drop the history that sampled records hold; return how many records there are."""
    wanted = select(decision.c.number, decision.c.record).where(decision.c.subject == subject)
    changed, count = [], 0
    for row in connection.execute(wanted):
        count += 1
        record = decode_decision(row.record)
        if record.inputs is not None:
            line = encode_decision(replace(record, inputs=None))
            changed.append({"row": row.number, "line": line})
    if changed:
        put = update(decision).where(decision.c.number == bindparam("row"))
        connection.execute(put.values(record=bindparam("line")), changed)
    return count
