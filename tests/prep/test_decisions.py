import pytest

from endcap.errors import SchemaError
from endcap.prep import encode, read
from endcap.schema import (
    Chosen,
    Decision,
    PageConfig,
    Shortlist,
    Slots,
    ValueConfig,
    encode_decision,
)

COLUMNS = ("item", "item_id", "campaign_id", "source", "q", "dwell_ms", "buy", "margin_micros",
           "harm_micros", "h_micros", "bid_micros", "kappa", "category", "brand", "seller",
           "allowed")  # fmt: skip
NOON = 1_772_366_400_000_000


def decision(decision_id, subject, *shown, at_us=NOON):
    chosen = [
        Chosen(placement="home", slot=slot, row=slot, item_id=item_id, campaign_id=campaign_id,
               source="RETRIEVED", propensity=0.5, price_micros=0, attention_ms=0.0)
        for slot, (item_id, campaign_id) in enumerate(shown)
    ]  # fmt: skip
    return encode_decision(Decision(
        decision_id=decision_id, subject=subject, at_us=at_us, model_version="m", policy="p",
        page=PageConfig(), value=ValueConfig(), device="mobile", ads=True, explore=True,
        slots=Slots(placement=[], slot=[], examination=[]),
        shortlist=Shortlist(**{name: [] for name in COLUMNS}), chosen=chosen, found=0, dropped={},
        valued=0)).decode()  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,event_type,timestamp,decision_id,slot\n"
        "u1,i1,click,2026-03-01T12:01:00Z,d1,\n"
        "u2,i2,impression,2026-03-01T13:00:00Z,d2,0\n"
        "u2,i2,click,2026-03-01T13:01:00Z,d2,\n"
        "u1,i1,purchase,2026-03-02T12:00:00Z,,\n"
    )
    (tmp_path / "subjects.csv").write_text("user_id,subject\nu1,s1\nu2,s2\nu3,s3\n")
    lines = [
        decision("d1", "s1", ("i1", None), ("i3", "c1")),
        decision("d2", "s2", ("i2", None)),
        decision("d3", "erased", ("i1", None)),
        "{not a decision",
        decision("d1", "s1", ("i1", None)),
        decision("d4", "s3", ("i1", None), at_us=NOON - 1),
    ]
    (tmp_path / "decisions.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_pages_become_impressions_once(folder):
    log = read(folder)
    shown = log.events.filter(log.events["event_type"] == "impression")
    assert shown.select("user_id", "item_id", "decision_id", "slot", "campaign_id").rows() == [
        ("u2", "i2", "d2", 0, None),
        ("u1", "i1", "d1", 0, None),
        ("u1", "i3", "d1", 1, "c1"),
        ("u3", "i1", "d4", 0, None),
    ]
    assert log.report.event_types["impression"] == 4


def test_broken_lines_are_rejected_and_erased_people_counted(folder):
    log = read(folder)
    assert log.rejected.select("file", "row").rows() == [("decisions.jsonl", 4)]
    assert "1 logged pages are of nobody in subjects and are left out." in log.report.notes


def test_events_know_the_page_they_answered(folder):
    dataset = encode(read(folder))
    assert dataset.user_ids == ["u3", "u1", "u2"]
    assert dataset.impressions["decision"].tolist() == [0, 1, 1, 2]  # d4, d1, d2 by time
    assert dataset.impressions["device"].tolist() == [2, 2, 2, 0]
    assert dataset.event_decision.tolist() == [1, -1, 2]
    assert dataset.campaigns.row_of == {"c1": 0}
    assert dataset.shop.placements == ("home",)


def test_decisions_without_subjects_are_left_with_a_note(folder):
    (folder / "subjects.csv").unlink()
    log = read(folder)
    assert log.report.event_types["impression"] == 1
    assert "no subjects file" in log.report.notes[0]


def test_a_subjects_file_of_other_columns_is_named(folder):
    (folder / "subjects.csv").write_text("a\n1\n")
    with pytest.raises(
        SchemaError, match=r"subjects\.csv must have the columns user_id and subject"
    ):
        read(folder)
