"""What the model is asked: a declaration of a task builds its head, its target and its figures."""

from typing import Literal

from msgspec import Struct

Space = Literal["all", "impressions", "clicks"]
"""Where a task has labels: every (user, item) pair, what was shown, or what was clicked."""

DAY_HOURS = 24.0


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
    space: Literal["impressions", "clicks"]
    ads: bool = False
    """True: labels come from ads alone; False: from products alone."""
    within_hours: float = DAY_HOURS
    weight: float = 1.0


class Hazard(Struct, frozen=True, kw_only=True, tag="hazard", forbid_unknown_fields=True):
    """How long, or until when: a discrete-time hazard, right-censored.

    `measures="dwell"`: milliseconds on a clicked item, or (space "impressions") on whatever was
    shown, clicked or not, where rows of kind impression tell them; 16 bins at quantiles.
    `measures="delay"`: time until `event_type` of THIS item, 12 log-spaced bins up to
    `within_hours`, with the chance that it never comes (a cure model), so any shorter horizon
    can be asked.
    """

    name: str
    measures: Literal["dwell", "delay"]
    space: Literal["all", "impressions", "clicks"]
    event_type: str = "purchase"
    ads: bool = False
    within_hours: float = 30 * DAY_HOURS
    weight: float = 1.0


Task = NextItem | Binary | Hazard

DEFAULT_TASKS: tuple[Task, ...] = (
    NextItem(),
    Binary(name="click", event_type="click", space="impressions"),
    Binary(name="cart", event_type="add_to_cart", space="clicks", within_hours=2.0, weight=0.5),
    Hazard(name="dwell", measures="dwell", space="clicks", weight=0.5),
    Hazard(name="buy", measures="delay", space="clicks", within_hours=7 * DAY_HOURS),
    Hazard(name="purchase", measures="delay", space="all"),
    Binary(name="ad_click", event_type="click", space="impressions", ads=True),
    Hazard(name="ad_buy", measures="delay", space="clicks", ads=True, within_hours=7 * DAY_HOURS),
)
"""Behaviour, recommendation and ad tasks; a log trains those that its columns unlock."""


def group_of(task: Task) -> Literal["recommendation", "behaviour", "ad"]:
    """Name the group a task belongs to."""
    if isinstance(task, NextItem):
        return "recommendation"
    return "ad" if task.ads else "behaviour"
