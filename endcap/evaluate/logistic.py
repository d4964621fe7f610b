"""A logistic regression on the features that the model reads: the strongest simple rival."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from endcap.errors import LogError
from endcap.evaluate.policies import CataloguePredictor, Examination
from endcap.features import ItemColumns, candidate_context
from endcap.metrics import log_loss
from endcap.schema import CLOCK_COLUMNS, Catalogue, Predictions, Question, ShopConfig, Split
from endcap.train import Fitted
from endcap.train.targets import HazardTarget

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse regularisations tried; the one with the least log-loss on validation days is kept."""


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Candidates as a design matrix needs them."""

    item: NDArray[np.int64]
    campaign: NDArray[np.int64]
    context: NDArray[np.float32]
    place: NDArray[np.int64]
    """Placement and slot in one number; 0 where it is asked without a slot."""


class LogisticPredictor(CataloguePredictor):
    """Clicks and purchases by logistic regression, dwell by ridge, on one-hot and dense columns.

    Columns: the candidate context, item, leaf category, brand, ad and campaign (of an ad with its
    hour and weekday), and the slot at training time, which is left out when it answers.
    """

    version = "logistic"

    def __init__(self, examination: Examination, fitted: Fitted) -> None:
        super().__init__(examination)
        self._shop: ShopConfig = fitted.dataset.shop
        self._scales = fitted.scales
        self._num_campaigns = len(fitted.dataset.campaigns)
        self._fit_catalogue(fitted.dataset.catalogue)
        self._widths = (
            fitted.dataset.catalogue.num_items,
            int(self._columns.leaf.max(initial=0)) + 1,
            int(self._columns.brand.max(initial=0)) + 1,
            self._num_campaigns + 1,
            _place(fitted.examples.candidates.placement, fitted.examples.candidates.slot).max() + 1,
        )
        self._learn(fitted)

    def learn_items(self, catalogue: Catalogue) -> None:
        """Take in the catalogue; a new item answers by its category, brand and context."""
        super().learn_items(catalogue)
        self._fit_catalogue(catalogue)

    def predict(self, question: Question) -> Predictions:
        """Answer for every candidate, without a slot."""
        context = candidate_context(
            question.history,
            question.at_us,
            question.item,
            self._columns,
            question.counters,
            zone=self._shop.clock_zone,
        )
        design = self._design(
            _Rows(
                item=question.item.astype(np.int64),
                campaign=question.campaign.astype(np.int64),
                context=context,
                place=np.zeros(len(question.item), dtype=np.int64),
            )
        )
        return Predictions(
            q=_chance(self._click, design),
            dwell_ms=np.maximum(self._dwell.predict(design), 100.0),
            buy=_chance(self._buy, design),
        )

    def _fit_catalogue(self, catalogue: Catalogue) -> None:
        self._columns = ItemColumns.of(catalogue, self._scales)

    def _learn(self, fitted: Fitted) -> None:
        facts, candidates = fitted.plan.facts, fitted.examples.candidates
        shown = candidates.impression >= 0
        design = self._design(
            _Rows(
                item=candidates.item.astype(np.int64),
                campaign=candidates.campaign.astype(np.int64),
                context=candidates.context,
                place=_place(candidates.placement, candidates.slot),
            )
        )
        train = facts.split == Split.TRAIN
        validation = facts.split == Split.VALIDATION
        clicked = facts.clicked
        self._click = _best(design, clicked, shown & train, shown & validation)
        bought = np.zeros(len(clicked), dtype=np.bool_)
        asked = np.zeros(len(clicked), dtype=np.bool_)
        for name in ("buy", "ad_buy"):
            if name in fitted.plan.targets:
                target = fitted.plan.targets[name]
                assert isinstance(target, HazardTarget)
                asked |= target.asked
                bought |= target.asked & target.observed
        self._buy = _best(design, bought, asked & train, asked & validation)
        timed = clicked & (facts.dwell_ms >= 0) & train
        self._dwell = Ridge(alpha=10.0).fit(design[timed], facts.dwell_ms[timed])

    def _design(self, rows: _Rows) -> sp.csr_matrix:
        items, leaves, brands, campaigns, places = self._widths
        leaf, brand = self._columns.leaf[rows.item], self._columns.brand[rows.item]
        is_ad = (rows.campaign >= 0).astype(np.float32)[:, None]
        hours = is_ad * rows.context[:, CLOCK_COLUMNS]
        of_campaign = _one_hot(rows.campaign + 1, campaigns)
        return sp.hstack(
            [
                sp.csr_matrix(np.hstack([rows.context, is_ad, hours])),
                _one_hot(rows.item, items),
                _one_hot(leaf, leaves),
                _one_hot(brand, brands),
                of_campaign,
                *[of_campaign.multiply(wave[:, None]) for wave in hours.T],
                _one_hot(rows.place, places),
            ],
            format="csr",
        )


def _place(placement: NDArray[np.uint8], slot: NDArray[np.uint8]) -> NDArray[np.int64]:
    shown = slot < 255
    place = placement.astype(np.int64) * 64 + np.minimum(slot, 63).astype(np.int64)
    return np.where(shown, place, 0)


def _one_hot(codes: NDArray[np.int64], width: int) -> sp.csr_matrix:
    inside = (codes >= 0) & (codes < width)
    rows = np.flatnonzero(inside)
    ones = np.ones(len(rows), dtype=np.float32)
    return sp.csr_matrix((ones, (rows, codes[inside])), shape=(len(codes), width))


def _best(
    design: sp.csr_matrix,
    label: NDArray[np.bool_],
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
) -> LogisticRegression:
    if label[train].all() or not label[train].any():
        raise LogError(
            "The logistic regression needs rows with and without the event on training days; "
            "let the log run some days longer."
        )
    fits = [
        LogisticRegression(C=strength, max_iter=2_000).fit(design[train], label[train])
        for strength in STRENGTHS
    ]
    losses = [
        log_loss(label[validation].astype(np.float64), _chance(fit, design[validation]))
        for fit in fits
    ]
    return fits[int(np.argmin(losses))]


def _chance(fit: LogisticRegression, design: sp.csr_matrix) -> NDArray[np.float64]:
    out: NDArray[np.float64] = fit.predict_proba(design)[:, 1]
    return out
