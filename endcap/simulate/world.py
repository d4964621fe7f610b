"""The made-up shop as its users meet it: run it with an engine, copy it, ask it for the truth."""

from copy import deepcopy

from endcap.errors import ConfigError
from endcap.simulate.day import DayRun
from endcap.simulate.engine import Engine
from endcap.simulate.record import Recorder, WorldRun
from endcap.simulate.state import ShopState


class World(ShopState):
    """A shop whose true probabilities are known.

    It stands at the opening of `day`. Running it moves it on; `copy()` first, to run another
    policy from the same state: both meet the same shoppers with the same luck.

    Example:
        >>> World(seed=7).catalogue().num_items
        400
    """

    def copy(self) -> "World":
        """Return a world in the same state, which then goes its own way."""
        return deepcopy(self)

    def run(
        self,
        engine: Engine,
        days: int = 14,
        *,
        ads: bool = True,
        explore: bool = True,
        keep_decisions: bool = True,
    ) -> WorldRun:
        """Let days pass with an engine that makes the pages.

        Args:
            engine: gets the catalogue and the campaigns at the start of every day.
            days: 1 or more.
            ads: whether queries allow ads.
            explore: whether queries allow exploration.
            keep_decisions: False spares the memory of long runs.
        """
        if days < 1:
            raise ConfigError(f"days must be 1 or more, got {days}.")
        recorder, first_day = Recorder(keep_decisions=keep_decisions), self.day
        for _ in range(days):
            DayRun(self, engine, recorder, ads=ads, explore=explore).play()
            self.open_next_day()
        return WorldRun(
            config=self.config,
            first_day=first_day,
            days=days,
            pages=recorder.all_pages(),
            shown=recorder.all_shown(),
            events=recorder.events,
            decisions=recorder.decisions,
            catalogue=self.catalogue(),
            campaigns=self.campaigns(),
            spent_micros=dict(self.spent_micros),
        )
