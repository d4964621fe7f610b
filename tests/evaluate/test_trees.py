"""Boosted trees on a task's rows: they learn what a context tells, and need both kinds of label."""

import numpy as np

from endcap.evaluate.trees import tree_answers
from endcap.metrics import auc
from endcap.schema import Split


def test_trees_order_what_they_were_not_grown_on(fitted):
    examples, target, facts = fitted.examples, fitted.plan.targets["click"], fitted.plan.facts
    label = target.label.astype(np.float64)
    training = np.flatnonzero(target.asked & (facts.split == Split.TRAIN))
    chosen = np.flatnonzero(target.asked & (facts.split != Split.TRAIN))
    found = tree_answers(examples, label, None, training, chosen)
    assert found.min() > 0 and found.max() < 1
    assert auc(label[chosen], found) > 0.6


def test_trees_know_how_long_a_row_was_watched(fitted):
    examples, hours = fitted.examples, np.random.default_rng(0).uniform(0, 10, 10_000)
    hours = hours[: len(examples.candidates.item)]
    rows = np.arange(len(hours))
    label = (hours > 5).astype(np.float64)
    found = tree_answers(examples, label, hours, rows, rows)
    assert auc(label, found) > 0.99


def test_without_both_kinds_of_label_there_are_none(fitted):
    rows, nothing = np.arange(200), np.zeros(len(fitted.examples.candidates.item))
    assert tree_answers(fitted.examples, nothing, None, rows, rows) is None
