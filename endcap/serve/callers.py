"""Who calls: keys and their scopes, and what a key that lies in every browser may do."""

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from http import HTTPStatus

from fastapi import Request
from msgspec.structs import replace

from endcap.engine import Engine
from endcap.schema import Chosen, Decision, ShopEvent, translate
from endcap.schema.events import UNKNOWN
from endcap.serve.problems import RequestError
from endcap.store import Key, Scope, Store

BROWSER_EVENTS = ("impression", "view", "click")
MAX_BROWSER_EVENTS = 100
"""Of one request; each is held against the record of its page."""


class Callers:
    """Tells who may do what; until there is a key, whoever reaches the port may do all."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store
        self._is_open = not store.keys
        self._token_key = sha256(b"slot tokens" + store.secret).digest()

    def allow(self, request: Request, *scopes: Scope) -> Key | None:
        """Return whose key a request bears, None where no key is needed.

        Raises:
            RequestError: it bears none, or one that allows none of the scopes.
        """
        # Once there was a key there must be one: none left opens nothing.
        self._is_open = self._is_open and not self._store.keys
        if self._is_open:
            return None
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        key = self._store.keys.find(told.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise RequestError(
                HTTPStatus.UNAUTHORIZED,
                "The header authorization must be: Bearer KEY, with a key of this store; "
                "endcap keys makes one.",
            )
        if not key.scopes & set(scopes):
            raise RequestError(
                HTTPStatus.FORBIDDEN,
                f"The key {key.name} allows {', '.join(sorted(key.scopes))}; this needs "
                f"{' or '.join(scopes)}.",
            )
        return key

    def of_browser(self, event: ShopEvent) -> ShopEvent:
        """Keep a browser's ids apart from the shop's own, which it could otherwise use up."""
        own = f"{event.decision_id}/{event.event_id}"
        return event if event.event_id is None else replace(event, event_id=own)

    def token(self, decision_id: str, placement: str, slot: int) -> str:
        """Return what a click on an ad in a slot must bear to come from a browser."""
        told = f"{decision_id}/{placement}/{slot}".encode()
        return hmac(self._token_key, told, "sha256").hex()[:32]

    def refuse(self, event: ShopEvent, token: str | None) -> str | None:
        """Say why a browser may not send an event, None if it may.

        It may tell what became of a page that was made for its shopper. It sets no money, and what
        an advertiser pays for bears the token that came with the ad.
        """
        kind = translate(event.event_type, self._engine.shop.log.event_types)
        if kind not in BROWSER_EVENTS:
            return f"event_type must be {', '.join(BROWSER_EVENTS)} with a key of a browser."
        if event.price_micros != UNKNOWN or event.campaign_id or event.quantity != 1:
            return "price, campaign_id and quantity are not for a key of a browser."
        decision = self._engine.state.decisions.get(event.decision_id or "")
        if decision is None or decision.subject != self._store.subjects.known(event.user_id):
            return "decision_id must name a page that was made for this user_id."
        chosen = _slot_of(decision.chosen, event)
        if chosen is None:
            return "item_id, placement and slot must be those of a slot of the page."
        if kind == "click" and chosen.campaign_id is not None:
            return self._refuse_token(decision, chosen, token)
        return None

    def _refuse_token(self, decision: Decision, chosen: Chosen, token: str | None) -> str | None:
        wanted = self.token(decision.decision_id, chosen.placement, chosen.slot)
        if token is not None and compare_digest(token.encode(), wanted.encode()):
            return None
        return "A click on an ad needs the token that the page gave to its slot."


def _slot_of(chosen: Sequence[Chosen], event: ShopEvent) -> Chosen | None:
    for each in chosen:
        told = (event.item_id, event.placement, event.slot)
        if told == (each.item_id, each.placement, each.slot):
            return each
    return None
