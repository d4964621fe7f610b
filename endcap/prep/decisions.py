"""Turn logged decisions into impressions: what each page showed, with its propensities."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from endcap.errors import SchemaError
from endcap.prep.canonical import EVENTS_SCHEMA
from endcap.prep.clock import to_local_days
from endcap.prep.rejected import REJECTED
from endcap.prep.tables import Table
from endcap.prep.values import read_text
from endcap.schema import Decision, ShopConfig, decode_decision


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Impressions in the columns of `Log.events`, and what of the file gave none."""

    events: pl.DataFrame
    rejected: pl.DataFrame
    notes: tuple[str, ...]


def read_subjects(table: Table, *, file: str) -> dict[str, str]:
    """Return the user behind each subject key.

    Raises:
        SchemaError: the columns `user_id` and `subject` are not both there.
    """
    if not {"user_id", "subject"} <= set(table.columns):
        raise SchemaError(
            f"{file} must have the columns user_id and subject, got {', '.join(table.columns)}."
        )
    users, subjects = (read_text(table.frame[name]) for name in ("user_id", "subject"))
    return {
        subject: user for subject, user in zip(subjects, users, strict=True) if subject and user
    }


def read_decisions(path: Path, users: dict[str, str], known: set[str], shop: ShopConfig) -> Shown:
    """Read what was shown on pages whose impressions the events do not tell.

    Args:
        users: the user behind each subject; a page of an erased person is left out.
        known: decision ids that have impressions among the events.
    """
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    broken: list[tuple[str, int, str, str]] = []
    erased = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                decision = decode_decision(line)
            except msgspec.DecodeError as error:
                text = line.decode("utf-8", errors="replace").rstrip("\n")[:200]
                broken.append((path.name, number, f"broken line: no decision ({error})", text))
                continue
            if decision.decision_id in known:
                continue
            known.add(decision.decision_id)
            user = users.get(decision.subject)
            erased += user is None
            if user is not None:
                _append(columns, decision, user)
    return Shown(
        events=_to_events(columns, shop),
        rejected=pl.DataFrame(broken, schema=REJECTED, orient="row"),
        notes=(f"{erased} logged pages are of nobody in subjects and are left out.",)
        * (erased > 0),
    )


COLUMNS = ("user_id", "item_id", "timestamp_us", "placement", "slot", "device", "decision_id",
           "campaign_id", "propensity")  # fmt: skip


def _append(columns: dict[str, list[object]], decision: Decision, user: str) -> None:
    for one in decision.chosen:
        row = (user, one.item_id, decision.at_us, one.placement, one.slot, decision.device,
               decision.decision_id, one.campaign_id, one.propensity)  # fmt: skip
        for name, value in zip(COLUMNS, row, strict=True):
            columns[name].append(value)


def _to_events(columns: dict[str, list[object]], shop: ShopConfig) -> pl.DataFrame:
    frame = pl.DataFrame(columns, schema={name: EVENTS_SCHEMA[name] for name in COLUMNS})
    if shop.log.resolution == "day":
        frame = frame.with_columns(to_local_days(frame["timestamp_us"], shop.zone))
    absent = {name: dtype for name, dtype in EVENTS_SCHEMA.items() if name not in COLUMNS}
    frame = frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items()
    )
    return frame.with_columns(pl.lit("impression").alias("event_type")).select(*EVENTS_SCHEMA)
