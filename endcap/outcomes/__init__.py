"""A decision x the later events -> what came of it: one join for training, evaluation, billing."""

from endcap.outcomes.credit import credited_after
from endcap.outcomes.join import CLICK_WINDOW_US, NextEvent, Outcomes, join_outcomes

__all__ = ["CLICK_WINDOW_US", "NextEvent", "Outcomes", "credited_after", "join_outcomes"]
