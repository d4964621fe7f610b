"""The made-up shop at one moment: its goods, its shoppers, and the truth about them."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike

from endcap.schema import NO_CAMPAIGN, Campaigns, Catalogue
from endcap.simulate.advertisers import bids_of, campaigns_of, make_advertisers
from endcap.simulate.attention import make_layout
from endcap.simulate.config import DAY_US, WorldConfig
from endcap.simulate.goods import F32, catalogue_of, goes_with, make_goods, price_today
from endcap.simulate.later import Later
from endcap.simulate.memory import Memory
from endcap.simulate.noise import I64, Stream, below, derive, keys_of
from endcap.simulate.responses import Pages, Responses, respond
from endcap.simulate.shoppers import drifted, make_shoppers
from endcap.simulate.traffic import Sessions, plan_sessions
from endcap.simulate.truth import Mind, Truth, truth_of


class ShopState:
    """All that a world is made of, at the opening of `day`.

    Rows of items, campaigns and shoppers keep their numbers for ever.
    """

    def __init__(self, config: WorldConfig | None = None, *, seed: int | None = None) -> None:
        config = config or WorldConfig()
        self.config = config if seed is None else replace(config, seed=seed)
        self.day = 0
        self.goods = make_goods(self.config, np.arange(self.config.items))
        self.shoppers = make_shoppers(self.config, np.arange(self.config.shoppers))
        self.first_day: I64 = np.zeros(self.config.shoppers, dtype=np.int64)
        self.advertisers = make_advertisers(self.config)
        self.layout = make_layout(self.config)
        self.goes_with = goes_with(self.config)
        self.memory = Memory()
        self.memory.grow(len(self.shoppers), len(self.goods))
        self.stock = self.goods.first_stock.copy()
        self.price_micros = price_today(self.config, self.goods, 0)
        self.later = Later()
        self.spent_micros: dict[tuple[int, int], int] = {}
        self.shopper_of_user: dict[str, int] = {}
        self.num_events = 0
        self._introduce(0)

    @property
    def opening_us(self) -> int:
        """The first instant of the day at hand."""
        return self.config.start_us + self.day * DAY_US

    @property
    def mind(self) -> Mind:
        """Everything that the truth depends on, as of now."""
        return Mind(
            config=self.config,
            goods=self.goods,
            shoppers=self.shoppers,
            advertisers=self.advertisers,
            memory=self.memory,
            price_micros=self.price_micros,
            stock=self.stock,
        )

    def catalogue(self) -> Catalogue:
        """Write today's catalogue."""
        return catalogue_of(self.goods, self.price_micros, self.stock)

    def campaigns(self) -> Campaigns:
        """Write today's campaigns, with today's bids."""
        item_ids = np.array([f"i{row:05d}" for row in range(len(self.goods))], dtype=object)
        return campaigns_of(self.config, self.advertisers, self.day, item_ids)

    def user_id_of(self, shopper: int) -> str:
        """Return the id by which the shop knows a shopper at the moment."""
        if self.shoppers.is_known[shopper]:
            user_id = f"u{shopper:06d}"
        else:
            visitor = self.memory.visitor[shopper]
            key = keys_of(self.config.seed, Stream.VISITOR, shopper, int(visitor), 1)
            user_id = f"v{int(key[0]):016x}"
        self.shopper_of_user[user_id] = shopper
        return user_id

    def truth(
        self, shopper: int, at_us: int, item: ArrayLike, campaign: ArrayLike = NO_CAMPAIGN
    ) -> Truth:
        """Return the truth about candidates for one shopper at an instant.

        Args:
            shopper: row; `shopper_of_user` has the row of a user id.
            item: [C] rows.
            campaign: [C] rows, or one for all; -1 for a product.

        Returns:
            Three float32 arrays [C]: no neighbours, no slot.
        """
        items = np.atleast_1d(np.asarray(item, dtype=np.int64))[None]
        campaigns = np.broadcast_to(np.asarray(campaign, dtype=np.int64), items.shape)
        who, when = np.array([shopper]), np.array([at_us])
        found = truth_of(self.mind, who, when, items, campaigns)
        return Truth(found.q[0], found.dwell_ms[0], found.buy[0])

    def respond(self, pages: Pages) -> Responses:
        """Let shoppers respond to given pages, without remembering anything."""
        return respond(self.config.seed, self.mind, self.layout, pages)

    def greet(self, shopper: int, session: int) -> str:
        """Begin a session: a visitor may come under a new id. Return the id."""
        if not self.shoppers.is_known[shopper]:
            keys = keys_of(self.config.seed, Stream.VISITOR, shopper, self.day, session)
            self.memory.visitor[shopper] += below(keys, 100)[0] < 30
        return self.user_id_of(shopper)

    def sell(self, shopper: int, item: int, at_us: int) -> None:
        """Take one item out of stock, and let the shopper remember it."""
        if self.config.stock_limits:
            self.stock[item] -= 1
        days = (at_us - self.config.start_us) / DAY_US
        self.memory.buy(shopper, item, days, self.goods, self.goes_with)

    def has_stock(self, item: int) -> bool:
        """Tell whether an item can be sold."""
        return not self.config.stock_limits or bool(self.stock[item] > 0)

    def next_event_id(self) -> str:
        """Number the events of this world."""
        self.num_events += 1
        return f"e{self.num_events:08d}"

    def day_of(self, at_us: int) -> int:
        """Return the day of an instant, counted from the world's first."""
        return (at_us - self.config.start_us) // DAY_US

    def days_of(self, at_us: I64) -> F32:
        """Return instants as days since the world began."""
        return ((at_us - self.config.start_us) / DAY_US).astype(np.float32)

    def plan(self) -> Sessions:
        """Draw the sessions of the day at hand."""
        return plan_sessions(self.config, self.shoppers, self.memory, self.day, self.first_day)

    def open_next_day(self) -> None:
        """Let a night pass: tastes drift, goods and shoppers arrive, prices change."""
        config = self.config
        self.day += 1
        self.shoppers = drifted(config, self.shoppers, self.day)
        self.memory.goodwill += 0.05 * (1 - self.memory.goodwill)
        self._restock()
        if config.new_items:
            self._add_items(config.new_items_per_day)
        if config.new_shoppers:
            self._add_shoppers(config.new_shoppers_per_day)
        known = len(self.memory.goodwill)
        self.memory.grow(len(self.shoppers), len(self.goods))
        self._introduce(known)
        self.price_micros = price_today(config, self.goods, self.day)

    def _restock(self) -> None:
        keys = keys_of(self.config.seed, Stream.RESTOCK, np.arange(len(self.stock)), self.day)
        arrives = (self.stock < 5) & (below(keys, 3) == 0)
        self.stock = self.stock + np.where(arrives, 20 + below(derive(keys, 1), 60), 0)

    def _add_items(self, count: int) -> None:
        rows = np.arange(len(self.goods), len(self.goods) + count)
        more = make_goods(self.config, rows, np.full(count, self.opening_us))
        self.goods = self.goods.extended(more)
        self.stock = np.concatenate([self.stock, more.first_stock])

    def _add_shoppers(self, count: int) -> None:
        rows = np.arange(len(self.shoppers), len(self.shoppers) + count)
        self.shoppers = self.shoppers.extended(make_shoppers(self.config, rows))
        self.first_day = np.concatenate([self.first_day, np.full(count, self.day)])

    def _introduce(self, first: int) -> None:
        """Give the shoppers from a row on the ids by which the shop will know them."""
        for shopper in range(first, len(self.shoppers)):
            self.user_id_of(shopper)

    def fingerprint(self) -> str:
        """Hash the integer columns that a seed decides: equal on every machine."""
        columns = (
            self.goods.price_micros,
            self.goods.leaf,
            self.goods.brand,
            self.shoppers.device,
            self.shoppers.favourite_hour,
            self.shoppers.favourites,
            self.advertisers.items,
            bids_of(self.config, self.advertisers, self.day),
        )
        digest = sha256()
        for column in columns:
            digest.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
        return digest.hexdigest()
