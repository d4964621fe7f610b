"""What the model is asked: a declaration of a task builds its head, its target and its figures."""

from typing import Literal

from msgspec import Struct

Space = Literal["all", "shoppers", "impressions", "clicks"]
"""Where a task has labels: every (shopper, item) pair, every shopper, what was shown, or what was
clicked."""

DAY_HOURS = 24.0

ANY_EVENT = "any"
"""As an event type: whatever the shopper does."""


class NextItem(Struct, frozen=True, kw_only=True, tag="next", forbid_unknown_fields=True):
    """Which item comes next, at the next instant (recommendation): full softmax over the items."""

    name: str = "next"
    weight: float = 1.0


class Binary(Struct, frozen=True, kw_only=True, tag="binary", forbid_unknown_fields=True):
    """Whether `event_type` follows within the window: click on a shown slot, cart after a click.

    A click on a shown slot is `examination(slot, placement, device) * sigmoid(logit)`; the product
    is in the likelihood, because prices need it.
    """

    name: str
    event_type: str
    space: Literal["impressions", "clicks"] = "impressions"
    ads: bool = False
    """True: labels come from ads alone; False: from products alone."""
    within_hours: float = DAY_HOURS
    weight: float = 1.0
    loss: Literal["likelihood", "squared"] = "likelihood"
    """`squared`: the squared error of the probability; calibration stays by likelihood."""
    positive_weight: float = 1.0
    """How much more a label of 1 counts in the squared error."""


class Hazard(Struct, frozen=True, kw_only=True, tag="hazard", forbid_unknown_fields=True):
    """How long, or until when: a discrete-time hazard, right-censored.

    `measures="dwell"`: milliseconds on a clicked item, or (space "impressions") on whatever was
    shown, clicked or not, where rows of kind impression tell them; 16 bins at quantiles.
    `measures="delay"`: time until `event_type`, 12 log-spaced bins up to `within_hours`, with the
    chance that it never comes (a cure model), so any shorter horizon can be asked. In the space
    "shoppers" the event may be of any item, and `event_type = "any"` is their return; in the other
    spaces it is of THIS item.
    """

    name: str
    measures: Literal["dwell", "delay"]
    space: Literal["all", "shoppers", "impressions", "clicks"]
    event_type: str = "purchase"
    ads: bool = False
    within_hours: float = 30 * DAY_HOURS
    weight: float = 1.0
    loss: Literal["likelihood", "squared"] = "likelihood"
    """Of dwell. `squared`: the squared error of the expected seconds; what it says beside them, its
    quantiles, is then not learned."""


class Count(Struct, frozen=True, kw_only=True, tag="count", forbid_unknown_fields=True):
    """How many events of a type a shopper will have within the window: negative binomial."""

    name: str
    event_type: str
    within_hours: float = 7 * DAY_HOURS
    weight: float = 0.25


class NextCategory(Struct, frozen=True, kw_only=True, tag="category", forbid_unknown_fields=True):
    """Of which category a shopper's next event will be: softmax over the shop's categories.

    Or of which band of price, brand, seller, or value of a column.
    """

    name: str = "next_category"
    of: str = "category"
    """`category`, `price`, `brand`, `seller`, or a column that `items.attributes` or
    `items.numbers` lists; amounts are read in bands."""
    weight: float = 0.25
    categories: tuple[str, ...] = ()
    """Filled in by the fit: what training days tell; of categories the leaves, or the top ones
    where leaves are many."""


Task = NextItem | Binary | Hazard | Count | NextCategory

DEFAULT_TASKS: tuple[Task, ...] = (
    NextItem(),
    Binary(name="click", event_type="click", space="impressions"),
    Binary(name="cart", event_type="add_to_cart", space="clicks", within_hours=2.0, weight=0.5),
    Hazard(name="dwell", measures="dwell", space="clicks", weight=0.5),
    Hazard(name="buy", measures="delay", space="clicks", within_hours=7 * DAY_HOURS),
    Hazard(name="purchase", measures="delay", space="all"),
    Hazard(name="any_purchase", measures="delay", space="shoppers", weight=0.5),
    Hazard(name="return", measures="delay", space="shoppers", event_type=ANY_EVENT, weight=0.25),
    Count(name="clicks", event_type="click"),
    NextCategory(),
    Binary(name="ad_click", event_type="click", space="impressions", ads=True),
    Hazard(name="ad_buy", measures="delay", space="clicks", ads=True, within_hours=7 * DAY_HOURS),
)
"""Behaviour, recommendation and ad tasks; a log trains those that its columns unlock."""


def group_of(task: Task) -> Literal["recommendation", "behaviour", "ad"]:
    """Name the group a task belongs to."""
    match task:
        case NextItem():
            return "recommendation"
        case Binary(ads=True) | Hazard(ads=True):
            return "ad"
        case _:
            return "behaviour"


def is_of_shopper(task: Task) -> bool:
    """Tell whether a task asks of a shopper, not of a shopper and an item."""
    return isinstance(task, Count | NextCategory) or (
        isinstance(task, Hazard) and task.space == "shoppers"
    )
