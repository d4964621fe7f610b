"""The made-up shop's size, and a switch for every mechanism in it."""

from dataclasses import dataclass, fields

from endcap.errors import ConfigError

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A named area of the page; `attention` is the examination of its first slot."""

    name: str
    slots: int
    attention: float = 1.0


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """Everything that makes a world; equal configurations make equal worlds.

    A boolean switches one mechanism off and leaves the luck of all others as it was.
    """

    seed: int = 7
    shoppers: int = 250
    new_shoppers_per_day: int = 2
    items: int = 400
    new_items_per_day: int = 3
    campaigns: int = 30
    sessions_per_day: float = 1.0
    """Mean visits of a shopper a day, as long as it is small: at most two visits are drawn, so 1.0
    gives 0.82."""
    placements: tuple[Placement, ...] = (
        Placement(name="home", slots=6),
        Placement(name="aside", slots=4, attention=0.6),
    )
    start_us: int = 20_759 * DAY_US
    """Midnight, UTC, of the first day; a Monday by default (2026-11-02)."""
    slice_minutes: int = 30
    """Sessions move in rounds inside slices of the day: the clock runs back less than this."""
    max_pages: int = 20
    """A session never has more pages."""
    base_logit: float = -1.9
    """Log-odds of a click on an average item by an indifferent shopper, if examined."""
    taste_strength: float = 1.0
    """With 1.0 a logistic regression tells clicked slots from others with an AUC of .75, about as
    in a real log with impressions (.77 in the KuaiRand sample)."""
    quality_strength: float = 0.42
    dwell_mean_ms: float = 25_000.0
    cart_logit: float = -1.0

    tastes: bool = True
    """Shoppers differ in the categories, brands, styles and prices they like."""
    examination: bool = True
    """Attention falls by slot, placement and device; off: every slot is examined."""
    cascade: bool = False
    """After a click, the rest of the placement is looked at less. Off by default: the one
    mechanism that a factor per slot cannot learn, kept to see what a model makes of it."""
    neighbours: bool = True
    """An ad takes attention from the slots beside it."""
    complements: bool = True
    """After a click or purchase, what goes with it is wanted for some days."""
    satiation: bool = True
    """What was bought, and others of its kind, are wanted less."""
    repeats: bool = True
    """Beauty and food are bought again."""
    fatigue: bool = True
    """An item looked at is less worth a second look for some hours."""
    drift: bool = True
    """Favourite categories change, now and then."""
    category_hours: bool = True
    """Categories have hours of the day at which they are liked more."""
    ad_hours: bool = True
    """An ad works twice as well at its good hours, and worse outside."""
    promotions: bool = True
    """Some items are cheaper for some days."""
    censoring: bool = True
    """Lost tabs and idle shoppers cut the observed dwell short."""
    delays: bool = True
    """Purchases come hours or days after the click; off: at once."""
    page_value: bool = True
    """A shopper who saw much of interest looks at more pages, and comes back sooner."""
    ad_aversion: bool = True
    """Ads end sessions earlier, and make shoppers come back later."""
    daily_cycle: bool = True
    """Visits follow the hours of the day, the shopper's favourite hour, and the week."""
    new_items: bool = True
    new_shoppers: bool = True
    stock_limits: bool = True
    """Stock falls with purchases, and nothing is bought that is not there."""
    anonymous: bool = True
    """Some shoppers are visitors whose id may change between sessions."""
    ratings: bool = True
    """Some purchases are rated some days later."""

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check_placements(self.placements)

    @property
    def slots(self) -> int:
        """Count the slots of a page, over all placements."""
        return sum(placement.slots for placement in self.placements)

    def wanted(self) -> dict[str, int]:
        """Return the slots that a query asks for, by placement."""
        return {placement.name: placement.slots for placement in self.placements}

    @staticmethod
    def switches() -> tuple[str, ...]:
        """List the names of all mechanisms that can be switched off."""
        return tuple(field.name for field in fields(WorldConfig) if field.type in (bool, "bool"))


def _check_sizes(config: WorldConfig) -> None:
    least = {"shoppers": 1, "items": 1, "campaigns": 0, "max_pages": 1, "slice_minutes": 1}
    least |= {"new_shoppers_per_day": 0, "new_items_per_day": 0, "start_us": 0}
    for name, minimum in least.items():
        value = getattr(config, name)
        if value < minimum:
            raise ConfigError(f"WorldConfig.{name} must be {minimum} or more, got {value}.")
    if not 0 < config.sessions_per_day <= 1:
        raise ConfigError(
            f"WorldConfig.sessions_per_day must lie between 0 and 1, got "
            f"{config.sessions_per_day}; for more pages a day, add shoppers."
        )
    if config.start_us % DAY_US:
        raise ConfigError(
            f"WorldConfig.start_us must be midnight UTC, a multiple of {DAY_US}, "
            f"got {config.start_us}."
        )
    if config.dwell_mean_ms <= 0:
        raise ConfigError(
            f"WorldConfig.dwell_mean_ms must be more than 0, got {config.dwell_mean_ms}."
        )


def _check_placements(placements: tuple[Placement, ...]) -> None:
    names = [placement.name for placement in placements]
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"WorldConfig.placements must name each placement once, and at least one; got {names}."
        )
    if any(placement.slots < 1 for placement in placements):
        raise ConfigError("Every placement of WorldConfig.placements must have 1 or more slots.")
    attention = [placement.attention for placement in placements]
    if max(attention) != 1 or min(attention) <= 0:
        raise ConfigError(
            f"WorldConfig.placements must have attention above 0, and 1 for the best placement; "
            f"got {attention}."
        )
