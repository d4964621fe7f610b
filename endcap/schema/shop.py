"""A shop's configuration, `shop.toml`: how its log is written and what a page is worth to it."""

from math import inf
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct, field, structs

from endcap.errors import ConfigError
from endcap.schema.events import NUM_OWN, Action
from endcap.schema.tasks import ANY_EVENT, DEFAULT_TASKS, Binary, Count, Hazard, Task
from endcap.schema.training import TrainSettings

Resolution = Literal["microsecond", "millisecond", "second", "minute", "hour", "day", "order"]

RESOLUTION_US: dict[Resolution, int] = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "order": 1,
}
"""Length of an instant. `order`: only the order is known; timestamps then count 0, 1, 2, ..."""


class LogConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log is written: `columns` maps our names to its own, `event_types` its kinds to ours.

    For example `columns = { item_id = "StockCode" }` and `event_types = { "0" = "click" }`.
    """

    columns: dict[str, str] = {}
    event_types: dict[str, str] = {}
    default_event_type: str = "view"
    """What a row means in a log without an event-type column."""
    resolution: Resolution = "second"
    drop_duplicates: bool = False
    """Whether rows that repeat one another to the letter count once."""
    explode: str = ""
    """A column of lists; every element becomes a row, and `NAME.field` reads its fields."""
    shown: str = ""
    """A column that lists the items that were shown with the row's own; each is an impression."""
    missing: tuple[str, ...] = ()
    """Texts that mean that nothing is known, such as `(not set)`."""


class ItemsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the catalogue is written: `columns` maps our names to the file's."""

    columns: dict[str, str] = {}
    attributes: tuple[str, ...] = ()
    """Further columns of the file to be read as `name=value` attributes."""
    missing: tuple[str, ...] = ()
    """Texts that mean that nothing is known."""
    numbers: tuple[str, ...] = ()
    """Further columns that hold an amount (a weight, a duration): read in bands, as a price is."""
    embeddings: tuple[str, ...] = ()
    """Further columns of vectors (an image's, a text's), laid beside `embedding`."""
    relations: dict[str, str] = {}
    """Kinds of relation, and the columns that list the ids of the items so related."""


class SplitConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How days are kept aside: `time` takes the last shares of the log's time span."""

    kind: Literal["time", "leave_one_out"] = "time"
    validation_share: float = 0.1
    test_share: float = 0.1
    train_end: str | None = None
    """First instant of validation, RFC 3339; overrides the shares."""
    validation_end: str | None = None
    """First instant of test, RFC 3339."""


class ValueConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shop's exchange rates into money: what a click, a second of dwell, a purchase are worth.

    They stand in every explanation of a decision. Micros of the shop's currency.
    """

    click_micros: int = 50_000
    dwell_micros_per_second: int = 5_000
    purchase_margin_share: float = 0.3
    """Margin as a share of the price, where the catalogue has no `unit_cost`."""
    ad_harm_micros: int = 0
    """What an examined ad costs the shop in goodwill, whatever it pays."""


class PageConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page rule's settings (design section 5); defaults are those of the demo."""

    max_ads: int = 3
    min_ad_gap: int = 1
    """Products between two ads of one placement."""
    ad_free_slots: int = 0
    """First slots of each placement that hold products only."""
    max_per_category: int = 0
    """At most so many items of one category on a page; 0 means no limit."""
    max_per_seller: int = 0
    reserve_micros: int = 10_000
    """The least price of an ad's click."""
    temperature: float = 0.05
    """Exploration: standard of the Gumbel noise on the logarithm of the score; 0 is none."""
    epsilon: float = 0.02
    """Chance, per slot, that the pick ignores bids."""
    diversity: float = 0.1
    """0 to 1: how much of its value an item loses by being like what is already on the page."""
    candidates: int = 500
    """Products that are valued; a catalogue of at most so many is valued whole."""
    shortlist: int = 50
    """Products that the page rule looks at, the best by value; ads come on top."""
    seen_hours: float = 0.0
    """Bought items are not shown again for so long."""


class ShopConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `shop.toml`."""

    name: str = "shop"
    currency: str = ""
    """ISO 4217; empty when the log holds no money."""
    zone: str = "UTC"
    """IANA name; hours of the day, days and budgets follow it."""
    log: LogConfig = field(default_factory=LogConfig)
    items: ItemsConfig = field(default_factory=ItemsConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    value: ValueConfig = field(default_factory=ValueConfig)
    page: PageConfig = field(default_factory=PageConfig)
    train: TrainSettings = field(default_factory=TrainSettings)
    placements: tuple[str, ...] = ()
    """Named areas of the shop's pages, in the order of their numbers in `EVENT.placement`."""
    tasks: tuple[Task, ...] = DEFAULT_TASKS
    more_tasks: tuple[Task, ...] = ()
    """Added to `tasks` as the file is read; one of the same name takes the other's place."""

    def __post_init__(self) -> None:
        if self.zone not in available_timezones():
            raise ConfigError(
                f"zone must be an IANA name such as Europe/Berlin, got {self.zone!r}; "
                f"correct zone in shop.toml."
            )
        _check_relations(self.items)
        _check_shares(self.split)
        _check_page(self.page)
        _check_tasks(self.tasks)

    @property
    def resolution_us(self) -> int:
        """Length of the log's instant in microseconds."""
        return RESOLUTION_US[self.log.resolution]

    @property
    def clock_zone(self) -> ZoneInfo | None:
        """The shop's zone; None where timestamps are no times."""
        return self.tzinfo if self.has_clock else None

    @property
    def has_clock(self) -> bool:
        """Whether timestamps are times; an order-only log has none, and no horizons."""
        return self.log.resolution != "order"

    @property
    def times_shown(self) -> bool:
        """Whether dwell is asked of all that was shown: a feed, where a click is not needed."""
        return any(
            isinstance(task, Hazard) and (task.measures, task.space) == ("dwell", "impressions")
            for task in self.tasks
        )

    @property
    def tzinfo(self) -> ZoneInfo:
        """The shop's zone."""
        return ZoneInfo(self.zone)

    @property
    def own_types(self) -> tuple[str, ...]:
        """Return the shop's own event types that tasks ask for; each has a number of its own."""
        return _own_types(self.tasks)

    def action_of(self, event_type: str) -> int:
        """Return the number in `EVENT.action` of an event type; other own types share `OWN`."""
        if event_type in self.own_types:
            return Action.OWN + 1 + self.own_types.index(event_type)
        return int(Action.of(event_type))

    def event_type_of(self, action: int) -> str:
        """Name the event type of a number in `EVENT.action`."""
        if action > Action.OWN:
            return self.own_types[action - Action.OWN - 1]
        return Action(action).name.lower()


def _check_relations(items: ItemsConfig) -> None:
    for name in items.relations:
        if not name or "=" in name:
            raise ConfigError(
                f"items.relations names kinds of relation such as same_series, without =, "
                f"got {name!r}."
            )


def _check_shares(split: SplitConfig) -> None:
    for name in ("validation_share", "test_share"):
        share = getattr(split, name)
        if not 0 < share < 0.5:
            raise ConfigError(
                f"split.{name} must lie between 0 and 0.5, got {share}; 0.1 is the default."
            )


def _check_page(page: PageConfig) -> None:
    for name in ("epsilon", "diversity"):
        value = getattr(page, name)
        if not 0 <= value <= 1:
            raise ConfigError(f"page.{name} must lie between 0 and 1, got {value}.")
    for name, value in structs.asdict(page).items():
        least = 1 if name in ("candidates", "shortlist") else 0
        if value < least:
            raise ConfigError(f"page.{name} must be {least} or more, got {value}.")


def _own_types(tasks: tuple[Task, ...]) -> tuple[str, ...]:
    asked = [task.event_type for task in tasks if isinstance(task, Binary | Hazard | Count)]
    own = (kind for kind in asked if Action.of(kind) == Action.OWN and kind != ANY_EVENT)
    return tuple(dict.fromkeys(own))


def check_names(tasks: tuple[Task, ...]) -> None:
    """Check that no two tasks have one name."""
    names = [task.name for task in tasks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"tasks must have different names, got {twice[0]!r} twice; rename one.")


def _check_tasks(tasks: tuple[Task, ...]) -> None:
    check_names(tasks)
    if len(own := _own_types(tasks)) > NUM_OWN:
        raise ConfigError(
            f"tasks may ask for {NUM_OWN} event types of the shop's own, got {len(own)}: "
            f"{', '.join(own)}; leave some out."
        )
    for task in tasks:
        if not 0 <= task.weight < inf:
            raise ConfigError(
                f"The weight of task {task.name!r} must be 0 or more, got {task.weight}."
            )
        hours = getattr(task, "within_hours", 1.0)
        if not 0 < hours < inf:
            raise ConfigError(f"within_hours of task {task.name!r} must be above 0, got {hours}.")
        if isinstance(task, Binary) and task.positive_weight <= 0:
            raise ConfigError(
                f"positive_weight of task {task.name!r} must be above 0, "
                f"got {task.positive_weight}."
            )
        if isinstance(task, Hazard) and task.measures == "delay" and task.loss != "likelihood":
            raise ConfigError(
                f"Task {task.name!r} measures a delay, which may never come, so it has no squared "
                f'error; write loss = "likelihood" (squared is for dwell and for binary tasks).'
            )
        if isinstance(task, Hazard) and task.measures == "delay" and task.space == "impressions":
            raise ConfigError(
                f"Task {task.name!r} measures a delay, which starts at a click or at any instant; "
                f'write space = "clicks", "all" or "shoppers" (only dwell is asked of impressions).'
            )
        unshown = getattr(task, "space", "") in ("all", "shoppers")
        if isinstance(task, Hazard) and task.measures == "dwell" and unshown:
            raise ConfigError(
                f"Task {task.name!r} measures dwell, which needs something shown; "
                f'write space = "clicks" or "impressions".'
            )
    asked = [task for task in tasks if getattr(task, "event_type", "") == ANY_EVENT]
    for task in asked:
        if not (isinstance(task, Hazard) and task.space == "shoppers"):
            raise ConfigError(
                f"event_type of task {task.name!r} must name a type such as purchase; "
                f'"any" can be asked in the space "shoppers" alone.'
            )
