"""The best that a predictor can be: the true probabilities behind the same page rule."""

import numpy as np
from numpy.typing import NDArray

from endcap.errors import QueryError
from endcap.schema import Campaigns, Catalogue, Predictions, Question, ValueConfig
from endcap.simulate.attention import examination_of
from endcap.simulate.noise import F64, I64
from endcap.simulate.state import ShopState
from endcap.simulate.truth import Truth


class Oracle:
    """Answers an engine's questions from a world's truth, without neighbours.

    It reads the world that it is given: make a new one for a copy of the world. Rows of the
    engine's catalogue and campaigns are those of the world.
    """

    def __init__(self, world: ShopState, value: ValueConfig | None = None) -> None:
        self.world = world
        self.value = value or ValueConfig()
        self.version = f"oracle-{world.config.seed}"

    def predict(self, question: Question) -> Predictions:
        """Answer with what is true of each candidate, for the shopper behind the user id."""
        truth = self._truth(question, question.item.astype(np.int64), question.campaign)
        context = np.stack([truth.q, truth.dwell_ms, truth.buy], axis=1)
        return self.repeat(question, context)

    def repeat(self, question: Question, context: NDArray[np.float32]) -> Predictions:
        """Answer as a record kept it: the world has moved on, so the truth of then is the record.

        Args:
            context: [C, 3] the truth itself: q, dwell in milliseconds, buy.
        """
        q, dwell_ms, buy = context.T.astype(np.float64)
        return Predictions(q=q, dwell_ms=dwell_ms, buy=buy, context=context)

    def retrieve(self, question: Question, limit: int) -> NDArray[np.int32]:
        """Return the rows of the items that are worth most to the shop, the best first."""
        rows = np.arange(len(self.world.goods))
        truth = self._truth(question, rows, np.full(len(rows), -1))
        order = np.argsort(-worth_of(self.world, truth, rows, self.value), kind="stable")
        return order[:limit].astype(np.int32)

    def examination(self, placement: str, slots: int, device: int) -> F64:
        """Return the true examination of the first slots of a placement."""
        return examination_of(self.world.config, placement, slots, device)

    def learn_items(self, catalogue: Catalogue) -> None:
        """Do nothing: the world knows its items."""

    def learn_campaigns(self, campaigns: Campaigns) -> None:
        """Do nothing: the world knows its campaigns."""

    def _truth(self, question: Question, item: I64, campaign: NDArray[np.integer]) -> Truth:
        shopper = self.world.shopper_of_user.get(question.user_id)
        if shopper is None:
            raise QueryError(
                f"user_id must be a shopper of this world, got {question.user_id!r}; "
                f"World.user_id_of names them."
            )
        return self.world.truth(shopper, question.at_us, item, campaign)


def worth_of(world: ShopState, truth: Truth, item: I64, value: ValueConfig) -> F64:
    """Return what an examined view of items is worth to the shop, in micros: design 5's `h`."""
    margin = world.price_micros[item] - world.goods.unit_cost_micros[item]
    per_click = (
        value.click_micros
        + value.dwell_micros_per_second * truth.dwell_ms.astype(np.float64) / 1000
        + truth.buy.astype(np.float64) * margin
    )
    result: F64 = truth.q.astype(np.float64) * per_click
    return result
