"""A decision x the later events -> what came of it: one join for training, evaluation, billing."""

from endcap.outcomes.join import NextEvent, Outcomes, join_outcomes

__all__ = ["NextEvent", "Outcomes", "join_outcomes"]
