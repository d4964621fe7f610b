"""What a server tells Prometheus, held against what was asked of it."""

from collections import defaultdict

import pytest
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
def told(make_server, tmp_path):
    """Return a new server, and a function that reads its figures by name and label."""
    server = make_server(f"sqlite:///{tmp_path / 'shop.db'}")

    def read():
        found = defaultdict(dict)
        for family in text_string_to_metric_families(server.http.get("/metrics").text):
            for sample in family.samples:
                label = next((v for k, v in sample.labels.items() if k != "le"), "")
                found[sample.name][label] = sample.value
        return found

    return server, read


def test_figures_are_those_of_what_was_asked(told):
    server, read = told
    click = {"user_id": "u1", "event_type": "click", "item_id": "i3", "event_id": "1"}
    records = []
    for number in range(6):
        asked = {"user_id": f"u{number}", "placements": {"home": 3}, "exclude": ["i1", "i2"]}
        page = server.post("/v1/page", asked).json()
        records.append(server.http.get(f"/v1/decisions/{page['decision_id']}").json())
    server.post("/v1/events", [click, click, {"user_id": "u1"}, click | {"event_id": "2"}])
    server.post("/v1/events", click | {"event_id": "3", "item_id": "strange"})
    server.post("/v1/page", {"user_id": "u", "placements": {"h": 2}, "categories": ["None such"]})
    found = read()
    assert found["endcap_pages_total"] == {"false": 6, "true": 1}
    assert found["endcap_events_total"] == {
        "accepted": 3,
        "duplicate": 1,
        "rejected": 1,
        "unknown_item": 1,
    }
    excluded = sum(record["dropped"]["excluded"] for record in records)
    assert found["endcap_candidates_dropped_total"]["excluded"] == excluded >= 12
    valued = sum(record["valued"] for record in records)
    assert found["endcap_candidates_valued_total"][""] == valued
    assert sum(found["endcap_slots_total"].values()) == 6 * 3
    assert found["endcap_event_effect_seconds_count"][""] == 2
    assert found["endcap_request_seconds_count"] == {"events": 2, "page": 7}
    stages = found["endcap_page_stage_seconds_count"]
    assert stages == dict.fromkeys(("read", "find", "value", "choose", "keep"), 7)
    assert found["endcap_store_trouble"][""] == 0
    assert found["endcap_store_cached_shoppers"][""] >= 6
    in_all = found["endcap_request_seconds_sum"]["page"]
    assert 0 < sum(found["endcap_page_stage_seconds_sum"].values()) <= in_all


def test_no_figure_names_a_person_or_an_item(told):
    server, _ = told
    server.post("/v1/page", {"user_id": "anna@example.org", "placements": {"home": 3}})
    text = server.http.get("/metrics").text
    assert "anna" not in text
    assert 'item="' not in text and "i1" not in text.split()
