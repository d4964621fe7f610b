"""Events in, pages out, as a shop's engineer tries it with curl."""

import json

import pytest

PAGE = {"user_id": "anna", "placements": {"home": 4}, "explore": False}


def click(item, number, user="anna"):
    return {"user_id": user, "event_type": "click", "item_id": item, "event_id": f"{user}{number}"}


def test_a_click_changes_the_next_page(server):
    before = server.post("/v1/page", PAGE).json()
    shown = [slot["item_id"] for slot in before["placements"]["home"]]
    assert [slot["slot"] for slot in before["placements"]["home"]] == [0, 1, 2, 3]
    receipt = server.post("/v1/events", [click("i9", k) for k in range(12)]).json()
    assert (receipt["accepted"], receipt["duplicate"], receipt["rejected"]) == (12, 0, [])
    after = server.post("/v1/page", PAGE).json()
    assert [slot["item_id"] for slot in after["placements"]["home"]] != shown
    assert after["decision_id"] != before["decision_id"]
    assert after["model_version"] == server.http.get("/health/live").json()["model_version"]


def test_a_page_has_all_its_placements_and_tells_ads_and_no_money(server):
    page = server.post("/v1/page", {"user_id": "u3", "placements": {"home": 3, "cart": 2}})
    told = page.json()
    assert {name: len(slots) for name, slots in told["placements"].items()} == {
        "home": 3,
        "cart": 2,
    }
    for slots in told["placements"].values():
        for slot in slots:
            assert set(slot) == {"slot", "item_id", "source", "is_ad", "campaign_id", "token"}
            assert slot["is_ad"] == (slot["campaign_id"] is not None) == (slot["token"] is not None)
    assert "micros" not in page.text and "price" not in page.text


def test_the_same_decision_id_gets_the_same_page(server):
    asked = {"user_id": "u3", "placements": {"home": 4}, "decision_id": "mine-1"}
    first, again = (server.post("/v1/page", asked).json() for _ in range(2))
    assert first["placements"] == again["placements"]
    other = server.post("/v1/page", asked | {"user_id": "u4"})
    assert other.status_code == 422
    assert "decision_id 'mine-1' was given to another request" in other.json()["detail"]


def test_one_event_needs_no_list_and_a_strange_item_is_counted(server):
    receipt = server.post("/v1/events", click("no such item", 1, user="ben")).json()
    assert (receipt["accepted"], receipt["unknown_items"]) == (1, 1)
    assert server.post("/v1/events", click("no such item", 1, user="ben")).json()["duplicate"] == 1


def test_what_cannot_be_read_is_told_and_the_rest_is_taken(server):
    told = [click("i1", 1, user="cleo"), {"user_id": "cleo"}, click("i2", 2, user="cleo")]
    receipt = server.post("/v1/events", told).json()
    assert receipt["accepted"] == 2
    assert receipt["rejected"] == [{"index": 1, "reason": "event_type is missing."}]


def test_an_item_left_out_and_a_category_are_heard(server):
    asked = {"user_id": "u3", "placements": {"home": 5}, "explore": False, "ads": False}
    first = server.post("/v1/page", asked).json()["placements"]["home"][0]["item_id"]
    left = server.post("/v1/page", asked | {"exclude": [first]}).json()["placements"]["home"]
    assert first not in [slot["item_id"] for slot in left]
    none = server.post("/v1/page", asked | {"categories": ["No such"]}).json()
    assert none["placements"]["home"] == []
    assert "none of" in none["degraded"][-1]


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("/v1/page", b'{"user_id":', 400, "The body must be JSON: Input data was truncated."),
        ("/v1/page", b"", 400, "The body must be JSON: Input data was truncated."),
        ("/v1/page", b"[" * 50_000, 422, "The body must be an object, got a list."),
        ("/v1/events", b"[" * 50_000, 422, "The body is nested too deeply; send it flat."),
        ("/v1/page", {"placements": {"home": 1}}, 422, "user_id is missing."),
        ("/v1/page", {"user_id": "u", "placements": {}}, 422, "placements must name at least one"),
        ("/v1/page", {"user_id": "u", "placements": {"h": 201}}, 422, "whole number <= 200."),
        (
            "/v1/page",
            {"user_id": "u", "placements": {"a": 150, "b": 51}},
            422,
            "200 slots together",
        ),
        ("/v1/page", {"user_id": "u", "placements": {"": 1}}, 422, "A name in placements must be"),
        ("/v1/page", {"user_id": "u", "slots": 3}, 422, "The field slots is not known; the fiel"),
        ("/v1/events", b"[" + b"{}," * 10_000 + b"{}]", 413, "may hold 10,000 events, got 10,001"),
        ("/v1/events", b" " * (4 * 2**20 + 1), 413, "A body may have 4,194,304 bytes; send it in"),
        ("/v1/nothing", {}, 404, "There is no /v1/nothing; /openapi.json lists what there is."),
    ],
)
def test_a_request_that_cannot_be_answered_gets_one_sentence(server, path, body, status, detail):
    answer = server.post(path, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]
    assert answer.json()["status"] == status


def test_a_method_that_is_not_there_is_told(server):
    answer = server.http.get("/v1/page")
    assert (answer.status_code, answer.json()["status"]) == (405, 405)
    assert answer.json()["detail"] == "/v1/page does not take GET; see /openapi.json."
    assert answer.headers["allow"] == "POST"


def test_a_record_says_why_why_not_and_replays_after_further_events(server):
    asked = {"user_id": "u5", "placements": {"home": 3}}
    pages = [server.post("/v1/page", asked | {"decision_id": f"r{k}"}).json() for k in range(40)]
    server.post("/v1/events", [click("i4", k, user="u5") for k in range(50)])
    kept = 0
    for page in pages:
        at = f"/v1/decisions/{page['decision_id']}"
        record = server.http.get(at).json()
        assert record["decision_id"] == page["decision_id"]
        told = server.http.get(f"{at}/replay").json()
        assert told["page_is_same"]
        kept += told["predictions_are_same"] is not None
        assert told["predictions_are_same"] is not False
        assert (told["note"] == "") == (record["inputs"] is not None)
    slot = pages[0]["placements"]["home"][1]
    why = server.http.get("/v1/decisions/r0/why", params={"slot": 1}).json()
    assert why["headline"].startswith(f"{slot['item_id']} stands in slot 1 of 'home', chosen by")
    listed = server.http.get("/v1/decisions/r0").json()["shortlist"]["item_id"]
    absent = next(item for item in listed if item not in str(pages[0]["placements"]))
    told = server.http.get("/v1/decisions/r0/why-not", params={"item_id": absent}).json()
    assert not told["is_shown"] and f"{absent} was valued: q = " in told["lines"][0]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/v1/decisions/none", 404, "The log holds no decision 'none'; the answer to a page"),
        ("/v1/decisions/w0/why?slot=9", 422, "Nothing stands in slot 9 of 'home' of decision w0"),
        ("/v1/decisions/w0/why?slot=-1", 422, "slot: input should be greater than or equal to 0."),
        ("/v1/decisions/w0/why?slot=x", 422, "slot: input should be a valid integer"),
        ("/v1/decisions/w0/why-not", 422, "item_id: field required."),
    ],
)
def test_a_record_that_cannot_be_told_gets_one_sentence(server, path, status, detail):
    server.post("/v1/page", {"user_id": "u5", "placements": {"home": 3}, "decision_id": "w0"})
    answer = server.http.get(path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["detail"].startswith(detail)


def test_the_document_describes_every_route_and_its_examples_are_answered(server):
    told = server.http.get("/openapi.json").json()
    assert set(told["paths"]) == {
        "/v1/events",
        "/v1/page",
        "/v1/decisions/{decision_id}",
        "/v1/decisions/{decision_id}/why",
        "/v1/decisions/{decision_id}/why-not",
        "/v1/decisions/{decision_id}/replay",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/v1/users",
    }
    server.post("/v1/page", {"user_id": "u5", "placements": {"home": 3}, "decision_id": "w0"})
    for path, methods in told["paths"].items():
        for method, route in methods.items():
            content = route.get("requestBody", {}).get("content", {}).get("application/json", {})
            answer = server.http.request(
                method,
                path.format(decision_id="w0"),
                json=content.get("example"),
                params={"item_id": "i1"} if path.endswith("why-not") else {},
            )
            assert answer.status_code == 200, answer.text
            shown = route["responses"]["200"].get("content", {}).get("application/json", {})
            if "example" in shown:
                name = shown["schema"]["$ref"].rsplit("/", 1)[-1]
                fields = told["components"]["schemas"][name]["properties"]
                assert set(answer.json()) == set(fields) == set(shown["example"])
    named = set(json.dumps(told).split("#/components/schemas/")[1:])
    assert {each.split('"', 1)[0] for each in named} <= set(told["components"]["schemas"])
