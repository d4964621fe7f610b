"""Forgetting a person: the key, the history and the events that hang on it."""

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

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
    records = select(func.count()).where(decision.c.subject == subject)
    events = connection.execute(delete(journal).where(journal.c.subject == subject)).rowcount
    connection.execute(delete(shopper).where(shopper.c.subject == subject))
    return Erased(events=events, history=True, records=connection.scalar(records) or 0)
