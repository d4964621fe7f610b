"""`endcap why`: the reasons of a logged decision, from its record alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from endcap.cli.options import Json
from endcap.cli.screen import Screen
from endcap.errors import FileError, UnknownDecisionError

if TYPE_CHECKING:
    from endcap.schema import Decision

LOG = "decisions.jsonl"


def why(
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="A decision's id, or its first letters.")
    ],
    log: Annotated[
        Path,
        typer.Option(
            "--log", metavar="FILE", help=f"{LOG}, a folder that holds one, or a server's store."
        ),
    ],
    slot: Annotated[
        int | None,
        typer.Option("--slot", help="A place of the page, from 0; the first by default."),
    ] = None,
    placement: Annotated[
        str | None, typer.Option("--placement", help="The area of the page; the first by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain what stands in a slot of a logged page: value, choice, price, what was dropped."""
    from dataclasses import asdict

    from endcap.engine import explain

    screen = Screen(as_json)
    found = find_decision(decision, log)
    place = placement or found.slots.placement[0]
    held = found.items_of(place)
    asked = slot if slot is not None else (held[0].slot if held else 0)
    reasons = explain(found, asked, place)
    _show_page(screen, found)
    screen.say("", *reasons.lines)
    other = next((c for c in found.chosen if (c.placement, c.slot) != (place, asked)), None)
    if other is not None:
        words = ("--slot", str(other.slot), "--placement", other.placement)
        screen.propose("why", found.decision_id, "--log", str(log), *words)
    screen.finish(
        {
            "decision_id": found.decision_id,
            "placement": place,
            "slot": asked,
            "page": found.chosen,
            "why": asdict(reasons),
        }
    )


def find_decision(wanted: str, log: Path) -> "Decision":
    """Find a logged decision by its id, or by first letters that no other id has.

    Raises:
        FileError: there is no such log, or the record is damaged.
        UnknownDecisionError: no decision, or more than one, is meant.
    """
    path = log / LOG if log.is_dir() else log
    if not path.is_file():
        raise FileError(
            f"There is no {path}; --log takes a {LOG}, a folder that holds one, "
            f"or a server's store."
        )
    found = _records_of(wanted, path) if _is_store(path) else _lines_of(wanted, path)
    if wanted in found:
        return _decode(found[wanted], path)
    if not found:
        raise UnknownDecisionError(
            f"{path} holds no decision {wanted!r}; the answer to a page request names its own."
        )
    if len(found) > 1:
        raise UnknownDecisionError(
            f"{wanted!r} begins {len(found):,} decisions of {path}, among them "
            f"{', '.join(list(found)[:3])}; give more letters."
        )
    return _decode(next(iter(found.values())), path)


def _is_store(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(15) == b"SQLite format 3"


def _records_of(wanted: str, path: Path) -> dict[str, bytes]:
    """Return the records of a store whose id begins so, by id."""
    from endcap.store import Database, records_of

    with Database(f"sqlite:///{path}", is_shared=True) as database:
        return records_of(database, wanted)


def _lines_of(wanted: str, path: Path) -> dict[str, bytes]:
    """Return the lines of all decisions whose id begins so, by id; an id's last record holds."""
    import msgspec

    class Named(msgspec.Struct):
        decision_id: str

    named, start, found = msgspec.json.Decoder(Named), wanted.encode(), {}
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if start not in line:
                continue
            try:
                decision_id = named.decode(line).decision_id
            except msgspec.MsgspecError as error:
                raise _damaged(path, f"line {number}") from error
            if decision_id.startswith(wanted):
                found[decision_id] = line
    return found


def _decode(line: bytes, path: Path) -> "Decision":
    import msgspec

    from endcap.schema import decode_decision

    try:
        return decode_decision(line)
    except msgspec.MsgspecError as error:
        raise _damaged(path, "a record") from error


def _damaged(path: Path, where: str) -> FileError:
    return FileError(f"{where} of {path} is no decision of this Endcap's; copy the log again.")


def _show_page(screen: Screen, found: "Decision") -> None:
    rows = [
        [
            chosen.placement,
            chosen.slot,
            chosen.item_id,
            chosen.campaign_id or "",
            chosen.source.lower(),
            chosen.propensity,
            chosen.price_micros / 1e6 if chosen.campaign_id else None,
            chosen.attention_ms,
        ]
        for chosen in found.chosen
    ]
    columns = [
        "placement",
        "slot",
        "item",
        "ad of",
        "source",
        "propensity",
        "price",
        "attention ms",
    ]
    screen.table(f"Decision {found.decision_id}, by {found.policy}", columns, rows)
