"""The record and the query: what survives JSON, and what is refused at the door."""

import msgspec
import pytest

from endcap.errors import QueryError
from endcap.schema import (
    Chosen,
    Decision,
    Dropped,
    ModelInputs,
    PageConfig,
    Query,
    Shortlist,
    Slots,
    Source,
    ValueConfig,
    decode_decision,
    encode_decision,
    make_events,
)


def chosen(item_id, placement, slot):
    return Chosen(
        placement=placement,
        slot=slot,
        row=0,
        item_id=item_id,
        campaign_id=None,
        source="catalogue",
        propensity=1 / 3,
        price_micros=0,
        attention_ms=1234.5678901234567,
    )


@pytest.fixture
def decision():
    return Decision(
        decision_id="d1",
        subject="s",
        at_us=2**60,
        model_version="m",
        policy="p",
        page=PageConfig(epsilon=0.1),
        value=ValueConfig(),
        device="mobile",
        ads=True,
        explore=True,
        slots=Slots(placement=["home"], slot=[0], examination=[0.1 + 0.2]),
        shortlist=Shortlist(
            item=[4],
            item_id=['連衣裙 \n"4"'],
            campaign_id=[None],
            source=[1],
            q=[5e-324],
            dwell_ms=[1e300],
            buy=[0.1],
            margin_micros=[2**53 + 1],
            harm_micros=[0],
            h_micros=[-1.5],
            bid_micros=[0],
            kappa=[1.0],
            category=[-1],
            brand=[0],
            seller=[0],
            allowed=[2**62],
        ),
        chosen=[chosen("b", "home", 1), chosen("c", "side", 0), chosen("a", "home", 0)],
        found=3,
        dropped={"stock": 2},
        valued=1,
        degraded=["why"],
        noise_key="0f" * 32,
        inputs=ModelInputs(
            history=make_events(timestamp_us=[1, 2]).tobytes(),
            candidate_item=[4],
            candidate_campaign=[-1],
            context=b"\x00\xff\n",
        ),
    )


def test_a_decision_survives_one_line_of_json_to_the_bit(decision):
    line = encode_decision(decision)
    assert b"\n" not in line
    assert decode_decision(line) == decision
    assert decode_decision(line.decode()) == decision
    assert encode_decision(decode_decision(line)) == line


def test_a_record_without_the_optional_parts_is_read(decision):
    fields = msgspec.json.decode(encode_decision(decision))
    for name in ("noise_key", "inputs", "degraded"):
        del fields[name]
    read = decode_decision(msgspec.json.encode(fields | {"a later field": 1}))
    assert (read.noise_key, read.inputs, read.degraded) == ("", None, [])
    assert read.chosen == decision.chosen


def test_a_record_without_a_required_part_is_refused(decision):
    fields = msgspec.json.decode(encode_decision(decision))
    del fields["shortlist"]
    with pytest.raises(msgspec.ValidationError, match="missing required field `shortlist`"):
        decode_decision(msgspec.json.encode(fields))


def test_a_placement_lists_its_slots_in_order(decision):
    assert [c.item_id for c in decision.items_of("home")] == ["a", "b"]
    assert [c.item_id for c in decision.items_of("side")] == ["c"]
    assert decision.items_of("nowhere") == []


@pytest.mark.parametrize("placements", [{}, {"home": 0}, {"home": 3, "side": -1}])
def test_a_query_without_slots_is_refused(placements):
    with pytest.raises(QueryError) as caught:
        Query(user_id="u", placements=placements)
    assert str(caught.value) == (
        f"placements must name at least one placement with 1 or more slots, got {placements}."
    )


def test_a_query_without_a_user_is_refused():
    message = r"^user_id must not be empty; send visitor ids for unknown shoppers\.$"
    with pytest.raises(QueryError, match=message):
        Query(user_id="", placements={"home": 1})


def test_more_placements_than_allowed_has_bits_for_are_refused():
    """Bit 62 is the sign's neighbour: 62 placements use bits 0 to 61."""
    Query(user_id="u", placements={f"p{n}": 1 for n in range(62)})
    with pytest.raises(
        QueryError, match="at most 62 placements, got 63; ask for the rest as anoth"
    ):
        Query(user_id="u", placements={f"p{n}": 1 for n in range(63)})


def test_codes_in_records_keep_their_numbers():
    assert [source.name for source in Source] == [
        "RETRIEVED", "CATALOGUE", "POPULAR", "BOUGHT_BEFORE", "NEW", "CAMPAIGN",
    ]  # fmt: skip
    assert [int(source) for source in Source] == list(range(6))
    assert Dropped.KEPT == 0
