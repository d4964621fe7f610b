"""The value-weighted objective: dwell and purchase learned first where attention and money are.

`max sum_i alpha_i C_i` over the samples of a batch. alpha_i is the sample's share of the attention
that the model itself expects, `a = e (1 s + q E[dwell])`, and no gradient flows through it. C_i
is the log-likelihood of what the sample did: of its dwell and of its purchase, each weighted by the
money that such outcomes brought on training days. alpha depends on the question and never on its
answer, so chances stay those of the log; weights by what came of a row would raise them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from endcap.model import Network
from endcap.schema import Action, Binary, Dataset, Hazard, Split, Task
from endcap.train.targets import HazardTarget
from endcap.train.tasks import TaskPlan

VIEW_SECONDS = 1.0
"""Time that an examined slot holds a shopper who does not click, as `decide.attention` has it."""


@dataclass(frozen=True, kw_only=True)
class ValueWeights:
    """What weighs dwell and purchase, and the heads that say where attention is."""

    lambdas: dict[str, float]
    """Of all tasks; those of dwell and purchase share out what they were given by money."""
    tasks: frozenset[str]
    """The tasks of dwell and purchase: their rows are weighted by attention."""
    click: str | None
    dwell: str | None
    bin_seconds: Tensor
    """Mean time of each bin of the dwell; empty without such a task."""

    def attention(self, network: Network, task: Task, answers: Tensor, log_e: Tensor) -> Tensor:
        """Return alpha of a task's asked rows, times their number so that its mean is 1.

        Args:
            answers: [N, O] of those rows, all tasks side by side.
            log_e: of their slots; a sampled pair stands in none, and is taken as looked at.
        """
        with torch.no_grad():
            q = torch.ones_like(log_e)
            if self.click is not None:
                q = answers[:, network.slices[self.click].start].sigmoid()
            held = torch.zeros_like(log_e)
            if self.dwell is not None:
                held = answers[:, network.slices[self.dwell]].softmax(-1) @ self.bin_seconds
            in_slot = not (isinstance(task, Hazard) and task.space == "all")
            e = log_e.exp() if in_slot else torch.ones_like(log_e)
            expected = e * (VIEW_SECONDS + q * held)
            return len(expected) * expected / expected.sum()


def value_weights(
    dataset: Dataset, plan: TaskPlan, lambdas: dict[str, float], device: torch.device
) -> ValueWeights:
    """Share out the lambdas of dwell and purchase by what their outcomes were worth."""
    counted = [task for task in plan.tasks if isinstance(task, Hazard) and _counts(task)]
    worth = {task.name: _worth_micros(dataset, plan, task) for task in counted}
    total, given = sum(worth.values()), sum(lambdas[name] for name in worth)
    # A log without prices says nothing of money: the declared lambdas stand.
    by_money = {name: given * micros / total for name, micros in worth.items() if total > 0}
    names = {_role(task): task.name for task in reversed(plan.tasks)}
    dwell = plan.targets.get(names.get("dwell", ""))
    held = dwell.bin_seconds if isinstance(dwell, HazardTarget) else None
    return ValueWeights(
        lambdas=lambdas | (by_money if all(worth.values()) else {}),
        tasks=frozenset(worth),
        click=names.get("click"),
        dwell=names.get("dwell"),
        bin_seconds=torch.zeros(0) if held is None else torch.from_numpy(held).to(device),
    )


def _counts(task: Hazard) -> bool:
    """Tell whether a task is of the dwell on, or the purchase of, an item."""
    return task.space != "shoppers" and (task.measures == "dwell" or task.event_type == "purchase")


def _role(task: Task) -> str:
    if isinstance(task, Binary) and (task.space, task.ads) == ("impressions", False):
        return "click"
    is_dwell = isinstance(task, Hazard) and (task.measures, task.ads) == ("dwell", False)
    return "dwell" if is_dwell else "another"


def _worth_micros(dataset: Dataset, plan: TaskPlan, task: Hazard) -> float:
    """Return the money of a task's outcomes on training days, by the shop's exchange rates."""
    target, value = plan.targets[task.name], dataset.shop.value
    assert isinstance(target, HazardTarget)
    came = target.asked & target.observed & (plan.facts.split == Split.TRAIN)
    if target.seconds is not None:
        return value.dwell_micros_per_second * float(target.seconds[came].sum())
    events = dataset.histories.events
    bought = (events["action"] == Action.PURCHASE) & (dataset.event_split == Split.TRAIN)
    prices = events["price_micros"][bought & (events["price_micros"] > 0)]
    margin = value.purchase_margin_share * float(prices.mean()) if len(prices) else 0.0
    # Snapshots ask of one purchase again and again; it brings its money once.
    return margin * float(bought.sum() if task.space == "all" else came.sum())
