"""Events as they are sent, read one by one."""

import json

import pytest

from endcap.serve.events import parse
from endcap.serve.problems import RequestError

NOW_US = 1_764_000_000_000_000
VIEW = {"user_id": "u", "event_type": "view"}


def read(**fields):
    return parse(json.dumps(VIEW | fields).encode(), NOW_US)


@pytest.mark.parametrize(
    ("told", "instant_us"),
    [
        ("2025-11-24T15:00:00Z", 1_763_996_400_000_000),
        ("2025-11-24T16:00:00.25+01:00", 1_763_996_400_250_000),
        ("2025-11-24T15:00Z", 1_763_996_400_000_000),
        (1_763_996_400, 1_763_996_400_000_000),
        (1_763_996_400.5, 1_763_996_400_500_000),
        (1_763_996_400_123, 1_763_996_400_123_000),
        (1_763_996_400_123_456, 1_763_996_400_123_456),
        (None, NOW_US),
    ],
)
def test_an_instant_is_read_in_every_usual_form(told, instant_us):
    [event], rejected = read(timestamp=told)
    assert (event.timestamp_us, rejected) == (instant_us, [])


def test_every_field_reaches_the_event():
    fields = {
        "item_id": "i1",
        "event_id": "e1",
        "decision_id": "d1",
        "placement": "home",
        "slot": 3,
        "campaign_id": "c1",
        "dwell_ms": 1_200,
        "censored": True,
        "quantity": 2,
        "rating": 4.5,
    }
    [event], _ = read(**fields, price="12.345678")
    assert {name: getattr(event, name) for name in fields} == fields
    assert event.price_micros == 12_345_678


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"user_id": ""}, "user_id must be text of length >= 1."),
        ({"user_id": "a\nb"}, "user_id must be text without control characters."),
        ({"user_id": "x" * 10_000}, "user_id must be text of length <= 256."),
        ({"user_id": 7}, "user_id must be text, got a whole number."),
        ({"dwell_ms": 1.5}, "dwell_ms must be a whole number, got a number."),
        ({"dwell_ms": -1}, "dwell_ms must be a whole number >= 0."),
        ({"slot": 255}, "slot must be a whole number <= 254."),
        ({"quantity": 0}, "quantity must be a whole number >= 1."),
        ({"price": "cheap"}, "price must be a number such as 12.50."),
        ({"price": "NaN"}, "price must be a decimal amount such as 12.50, got 'NaN'; write it"),
        ({"price": 1e300}, "price must be below 1,000,000,000,000, got"),
        ({"price": "1e1000000"}, "price must be below 1,000,000,000,000, got"),
        ({"price": -3}, "price must not be below 0, got -3."),
        ({"timestamp": "yesterday"}, "timestamp must be RFC 3339 with an offset, such as 2026-1"),
        ({"timestamp": "2025-11-24T15:00"}, "timestamp must be RFC 3339 with an offset, such as"),
        ({"timestamp": 0}, "timestamp must lie between the year 2000 and tomorrow, got 0; set t"),
        ({"timestamp": NOW_US + 90_000_000_000}, "timestamp must lie between the year 2000 and"),
        ({"timestamp": True}, "timestamp must be a whole number or a number or text, got true o"),
        ({"itemid": "i1"}, "The field itemid is not known; the fields are user_id, event_type, "),
    ],
)
def test_what_an_event_must_not_say_is_told_by_its_field(fields, reason):
    events, [rejected] = read(**fields)
    assert events == []
    assert rejected.index == 0
    assert rejected.reason.startswith(reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[7]", "The event must be an object, got a whole number."),
        (b'[{"user_id": "\xff"}]', "The body must be UTF-8; send it as such."),
        (b'[{"event_type": "view"}]', "user_id is missing."),
    ],
)
def test_what_is_no_event_is_told(line, reason):
    _, [rejected] = parse(line, NOW_US)
    assert rejected.reason.startswith(reason)


def test_what_is_nested_ever_deeper_is_refused():
    with pytest.raises(RequestError, match=r"nested too deeply; send it flat\."):
        parse(b'[{"user_id": ' + b"[" * 20_000 + b"]" * 20_000 + b"}]", NOW_US)
