"""Ask a model the questions of a split one by one, as a server would."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.predict import NetworkPredictor, Response, State
from endcap.schema import Ad, Binary, Dataset, Hazard, NextItem, Split

if TYPE_CHECKING:  # torch is not needed to look at figures
    from endcap.train.examples import Candidates, Examples

Floats = NDArray[np.float64]

MAX_QUESTIONS = 3_000
"""Questions of a split that are asked; a longer split is sampled."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A model's raw answers to candidates of a split; each method reads some of the rows."""

    predictor: NetworkPredictor
    candidates: "Candidates"
    rows: NDArray[np.int64]
    """Rows of the candidates, [N]."""
    answers: Floats
    examined: Floats
    """The chance that a row's slot is looked at; 1 for what was not shown."""

    @property
    def unmeasured(self) -> set[str]:
        """Tasks whose figures are told elsewhere: next items, and dwell."""
        return {
            task.name
            for task in self.predictor.artifact.manifest.tasks
            if isinstance(task, NextItem) or (isinstance(task, Hazard) and task.measures == "dwell")
        }

    def chance(self, name: str, kept: NDArray[np.bool_], hours: Floats | None = None) -> Floats:
        """Return the calibrated chance of a task, of a click in its own slot."""
        found = self.predictor.readout.chance_of(name, self.answers[kept], hours)
        task = next(t for t in self.predictor.artifact.manifest.tasks if t.name == name)
        shown = isinstance(task, Binary) and task.space == "impressions"
        return found * self.examined[kept] if shown else found

    def is_picked(self, name: str, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which of a page's rows promises most if looked at: the one that would win it."""
        looked = self.predictor.readout.chance_of(name, self.answers[kept], None)
        page = question_of(self.candidates, self.rows[kept])
        order = np.lexsort((-looked, page))
        picked = np.zeros(len(looked), dtype=np.bool_)
        picked[order[np.unique(page[order], return_index=True)[1]]] = True
        return picked

    def count(self, name: str, kept: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return mean and size of the negative binomial of a task of counts."""
        return self.predictor.readout.expected_count(name, self.answers[kept])

    def categories(self, name: str, kept: NDArray[np.bool_]) -> Floats:
        """Return the chance of each category, [N, K]."""
        return self.predictor.readout.category_shares(name, self.answers[kept])

    def log_offset(self, rows: NDArray[np.int64]) -> Floats:
        """Return the case-control offsets of some candidates."""
        return self.candidates.log_offset[rows].astype(np.float64)


def ask_split(
    predictor: NetworkPredictor, examples: "Examples", dataset: Dataset, split: Split
) -> Asked | None:
    """Ask every question of a split that has candidates; None where there is none."""
    asked = np.flatnonzero((examples.split == split) & (np.diff(examples.candidates.offsets) > 0))
    asked = sampled(asked, MAX_QUESTIONS)
    if len(asked) == 0:
        return None
    table = examples.candidates
    rows = [np.arange(table.offsets[k], table.offsets[k + 1]) for k in asked]
    answers, examined = [], []
    for k, of_question in zip(asked, rows, strict=True):
        _, found = ask_question(predictor, examples, dataset, int(k))
        answers.append(found.answers[0])
        place, slot = table.placement[of_question], table.slot[of_question]
        examined.append(_examined(predictor, place, slot, int(examples.device[k])))
    return Asked(
        predictor=predictor,
        candidates=table,
        rows=np.concatenate(rows),
        answers=np.concatenate(answers),
        examined=np.concatenate(examined),
    )


def question_of(candidates: "Candidates", rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the question that each of some candidates belongs to."""
    found: NDArray[np.int64] = np.searchsorted(candidates.offsets, rows, side="right") - 1
    return found


def sampled(questions: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Keep at most so many questions, the same ones every time, in order."""
    if len(questions) <= most:
        return questions
    return np.sort(np.random.default_rng(0).choice(questions, most, replace=False))


def ask_question(
    predictor: NetworkPredictor, examples: "Examples", dataset: Dataset, k: int
) -> tuple[State, Response]:
    """Ask every task about one question's candidates: the state, raw answers, and attention."""
    table = examples.candidates
    rows = slice(table.offsets[k], table.offsets[k + 1])
    start = dataset.histories.offsets[examples.user[k]]
    history = dataset.histories.events[start : examples.visible[k]]
    graphs = predictor.shopper_graphs
    state = graphs.read_one(history, int(examples.at_us[k]), int(examples.device[k]))
    return state, graphs.respond(
        state,
        table.item[rows][None],
        table.campaign[rows][None],
        table.context[rows][None],
        ad_of(examples, k),
    )


def ad_of(examples: "Examples", k: int) -> Ad | None:
    """Return the ad that a question names, if it names one."""
    if examples.ad_campaign[k] < 0:
        return None
    return Ad(item=int(examples.ad_item[k]), campaign=int(examples.ad_campaign[k]))


def _examined(
    predictor: NetworkPredictor,
    placement: NDArray[np.uint8],
    slot: NDArray[np.uint8],
    device: int,
) -> Floats:
    names = predictor.shop.placements
    if not predictor.examines or not names:
        return np.ones(len(slot))
    widest = int(slot[slot < 255].max(initial=0)) + 1
    tables = np.stack([predictor.examination(name, widest, device) for name in names])
    shown = slot < 255
    return np.where(shown, tables[placement, np.where(shown, slot, 0)], 1.0)
