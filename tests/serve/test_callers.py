"""Who may call, and what a browser's key may not."""

import asyncio

import httpx
import pytest
from msgspec.structs import replace

from endcap.api.engine import engine_on, start_of
from endcap.api.model import load
from endcap.errors import ConfigError
from endcap.serve import check_host, make_app
from endcap.serve.callers import Callers
from endcap.store import Database, Scope, Store, make_key, remove_key

PAGE = {"user_id": "u1", "placements": {"home": 4}}
EVENT = {"user_id": "u1", "event_type": "click", "item_id": "i3", "quantity": 2}


class Shop:
    """An application with a key of each scope."""

    def __init__(self, model_folder, url):
        model = load(model_folder)
        self.store = Store(url, start_of(model))
        self.engine = engine_on(self.store, model)
        self.app = make_app(
            self.engine, self.store, version="test", origins=["https://shop.example"]
        )
        self.url = url
        self.keys = {}

    def make_keys(self):
        with Database(self.url, is_shared=True) as database:
            self.keys = {scope: make_key(database, scope, [scope]) for scope in Scope}
        self.store.keys.read()

    def ask(self, path, body, key=None, *, method="POST", **headers):
        async def send():
            transport = httpx.ASGITransport(self.app)
            bearer = {"authorization": f"Bearer {key}"} if key else {}
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                return await http.request(method, path, json=body, headers=bearer | headers)

        return asyncio.run(send())

    def told(self, event):
        """Send an event with the browser's key; return the reason of its refusal, or None."""
        receipt = self.ask("/v1/events", event, self.keys[Scope.BROWSER]).json()
        assert receipt["accepted"] + len(receipt["rejected"]) == 1
        return receipt["rejected"][0]["reason"] if receipt["rejected"] else None


@pytest.fixture
def shop(model_folder, tmp_path):
    made = Shop(model_folder, f"sqlite:///{tmp_path / 'shop.db'}")
    yield made
    made.store.close()


def test_without_keys_all_may_call_and_with_them_only_their_owners(shop):
    assert shop.ask("/v1/page", PAGE).status_code == 200
    shop.make_keys()
    for key in (None, "endcap_00000000_x", "what"):
        answer = shop.ask("/v1/page", PAGE, key)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "must be: Bearer KEY, with a key of this store" in answer.json()["detail"]
    assert shop.ask("/health/live", None, method="GET").status_code == 200


def test_no_key_left_opens_nothing(shop):
    shop.make_keys()
    assert shop.ask("/v1/page", PAGE).status_code == 401
    with Database(shop.url, is_shared=True) as database:
        for scope in Scope:
            remove_key(database, scope)
    shop.store.keys.read()
    assert not shop.store.keys
    for key in (None, shop.keys[Scope.DECIDE]):
        assert shop.ask("/v1/page", PAGE, key).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "scopes"),
    [
        ("/v1/page", PAGE, {Scope.DECIDE}),
        ("/v1/events", EVENT, {Scope.EVENTS, Scope.BROWSER}),
        ("/v1/decisions/mine", None, {Scope.EXPLAIN}),
        ("/v1/decisions/mine/why", None, {Scope.EXPLAIN}),
        ("/v1/decisions/mine/why-not?item_id=i1", None, {Scope.EXPLAIN}),
        ("/v1/decisions/mine/replay", None, {Scope.EXPLAIN}),
        ("/metrics", None, {Scope.METRICS}),
        ("/v1/users", {"user_id": "u1"}, {Scope.ADMIN}),
    ],
)
def test_a_key_opens_what_its_scope_says(shop, path, body, scopes):
    shop.ask("/v1/page", PAGE | {"decision_id": "mine"})
    method = "DELETE" if path == "/v1/users" else "POST" if body else "GET"
    shop.make_keys()
    for scope, key in shop.keys.items():
        answer = shop.ask(path, body, key, method=method)
        assert answer.status_code == (200 if scope in scopes else 403)
        if scope not in scopes:
            assert f"The key {scope} allows {scope}; this needs" in answer.json()["detail"]


def test_a_browser_may_tell_of_its_page_and_of_nothing_else(shop):
    shop.make_keys()
    page = shop.ask("/v1/page", PAGE | {"ads": False}, shop.keys[Scope.DECIDE]).json()
    first, second = page["placements"]["home"][:2]
    event = {
        "user_id": "u1",
        "event_type": "view",
        "item_id": first["item_id"],
        "decision_id": page["decision_id"],
        "placement": "home",
        "slot": first["slot"],
        "dwell_ms": 900,
    }
    assert shop.told(event) is None
    of_page = "decision_id must name a page that was made for this user_id."
    of_slot = "item_id, placement and slot must be those of a slot of the page."
    no_money = "price, campaign_id and quantity are not for a key of a browser."
    assert shop.told(event | {"event_type": "purchase"}).startswith("event_type must be impression")
    assert shop.told(event | {"price": 3}) == no_money
    assert shop.told(event | {"quantity": 3}) == no_money
    assert shop.told(event | {"campaign_id": "c0"}) == no_money
    assert shop.told(event | {"decision_id": "none"}) == of_page
    assert shop.told(event | {"user_id": "u2"}) == of_page
    assert shop.told(event | {"user_id": "a stranger"}) == of_page
    assert shop.told(event | {"item_id": second["item_id"]}) == of_slot
    assert shop.told(event | {"slot": second["slot"]}) == of_slot
    assert shop.store.subjects.known("a stranger") is None


def test_a_click_of_a_browser_on_an_ad_bears_the_token_of_its_slot(shop):
    shop.make_keys()
    decision = shop.engine.decide(query_of_u1())
    chosen = replace(decision.chosen[0], campaign_id="c0", price_micros=5)
    shop.store.decisions.append(replace(decision, decision_id="with-ad", chosen=[chosen]))
    click = {
        "user_id": "u1",
        "event_type": "click",
        "item_id": chosen.item_id,
        "decision_id": "with-ad",
        "placement": chosen.placement,
        "slot": chosen.slot,
    }
    token = Callers(shop.engine, shop.store).token("with-ad", chosen.placement, chosen.slot)
    other = Callers(shop.engine, shop.store).token("with-ad", chosen.placement, chosen.slot + 1)
    for wrong in ({}, {"token": other}, {"token": "ü"}):
        assert shop.told(click | wrong) == (
            "A click on an ad needs the token that the page gave to its slot."
        )
    assert shop.told(click | {"event_type": "view"}) is None
    assert shop.told(click | {"token": token}) is None


def test_a_browser_cannot_use_up_an_id_of_the_shop(shop):
    shop.make_keys()
    page = shop.ask("/v1/page", PAGE | {"ads": False}, shop.keys[Scope.DECIDE]).json()
    slot = page["placements"]["home"][0]
    view = {
        "user_id": "u1",
        "event_type": "view",
        "item_id": slot["item_id"],
        "decision_id": page["decision_id"],
        "placement": "home",
        "slot": slot["slot"],
        "event_id": "order-1001",
    }
    assert shop.told(view) is None
    order = {"user_id": "u2", "event_type": "purchase", "item_id": "i3", "event_id": "order-1001"}
    receipt = shop.ask("/v1/events", order, shop.keys[Scope.EVENTS]).json()
    assert (receipt["accepted"], receipt["duplicate"]) == (1, 0)
    again = shop.ask("/v1/events", view, shop.keys[Scope.BROWSER]).json()
    assert (again["accepted"], again["duplicate"]) == (0, 1)


def test_a_browsers_word_for_a_click_is_a_click(shop):
    shop.make_keys()
    log = replace(shop.engine.shop.log, event_types={"view": "click", "look": "purchase"})
    shop.engine.shop = replace(shop.engine.shop, log=log)
    decision = shop.engine.decide(query_of_u1())
    chosen = replace(decision.chosen[0], campaign_id="c0", price_micros=5)
    shop.store.decisions.append(replace(decision, decision_id="with-ad", chosen=[chosen]))
    event = {
        "user_id": "u1",
        "item_id": chosen.item_id,
        "decision_id": "with-ad",
        "placement": chosen.placement,
        "slot": chosen.slot,
    }
    assert shop.told(event | {"event_type": "view"}).startswith("A click on an ad needs the token")
    assert shop.told(event | {"event_type": "look"}).startswith("event_type must be impression")


def test_a_browser_sends_few_events_at_once(shop):
    shop.make_keys()
    answer = shop.ask("/v1/events", [EVENT] * 101, shop.keys[Scope.BROWSER])
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("A request may hold 100 events, got 101;")


def query_of_u1():
    from endcap.schema import Query

    return Query(user_id="u1", placements={"home": 2}, ads=False)


def test_a_browser_of_a_known_origin_may_call_and_no_other(shop):
    asked = {"access-control-request-method": "POST"}
    ours = shop.ask("/v1/events", None, method="OPTIONS", origin="https://shop.example", **asked)
    assert ours.headers["access-control-allow-origin"] == "https://shop.example"
    other = shop.ask("/v1/events", None, method="OPTIONS", origin="https://else.example", **asked)
    assert "access-control-allow-origin" not in other.headers
    assert ours.headers["x-content-type-options"] == "nosniff"


def test_every_answer_bears_the_headers_that_keep_a_browser_from_more(shop):
    for answer in (shop.ask("/v1/page", PAGE), shop.ask("/v1/none", {})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "shop.example", "::"])
def test_other_machines_are_heard_only_once_there_is_a_key(shop, host):
    for own in ("127.0.0.1", "localhost", "::1"):
        check_host(own, shop.store)
    with pytest.raises(ConfigError, match=r"holds no key; make one first: endcap keys sqlite:///"):
        check_host(host, shop.store)
    shop.make_keys()
    check_host(host, shop.store)
