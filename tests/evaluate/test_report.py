"""The report: one file without a network, every figure a row, every gap told."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from endcap.errors import MissingExtraError
from endcap.evaluate import (
    attention_rows,
    card_markdown,
    dimension_rows,
    facts_of,
    plots,
    report_html,
    tables,
)
from endcap.evaluate.facts import RETURN_WORDS, at_the_ends, curves_of, not_better
from endcap.features import ReturnColumn
from endcap.schema import CurveRow, MetricRow

pytest.importorskip("matplotlib")


def row(metric, model="endcap", value=0.5, *, task="next item (all)", **rest):
    return MetricRow(task=task, metric=metric, model=model, value=value, **rest)


def rows_of_a_fit():
    found = []
    for model, value in (("endcap", 0.3), ("popularity", 0.2)):
        found += [row("ndcg", model, value, k=10, low=value - 0.1, high=value + 0.1, n=40)]
        found += [row("recall", model, value, k=10, low=value - 0.1, high=value + 0.1, n=40)]
        found += [row("coverage", model, 0.4, k=10), row("tail_exposure", model, 0.25, k=10)]
        for tenth in (1, 5):
            found.append(row("recall", model, 0.4, k=10, group=f"tenth={tenth}"))
            found.append(row("exposure", model, 0.5, k=10, group=f"tenth={tenth}"))
        found.append(row("recall", model, 0.3, k=10, group="events=1 to 2", n=4))
        found.append(row("tail_exposure", model, 0.3, k=10, group="events=1 to 2", n=4))
    found.append(row("ndcg difference", "endcap - popularity", 0.1, k=10, low=0.05, high=0.2))
    for model, value in (("endcap", 0.31), ("base rate", 0.33)):
        found.append(row("log_loss", model, value, task="click", n=90))
    found.append(
        row("log_loss difference", "endcap - base rate", -0.02, task="click", low=-0.05, high=0.01)
    )
    for number in (1, 2):
        found.append(row("predicted", value=0.1 * number, task="click", group=f"bin={number}"))
        found.append(row("happened", value=0.12 * number, task="click", group=f"bin={number}"))
    for slot in range(3):
        place = f"slot=home/{slot}/mobile"
        found.append(row("examination", value=1 - slot / 4, task="examination", group=place))
    return found


@pytest.fixture(scope="module")
def facts(predictor):
    """Return what the small shop's model tells of itself."""
    return facts_of(predictor.artifact)


def text_of(page, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', page, flags=re.S)[1]


class Reader(HTMLParser):
    """Notes what a browser would fetch or run, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open = [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        link = named.get("src") or named.get("href") or named.get("xlink:href") or ""
        if tag == "script" or (link and not link.startswith(("#", "data:"))):
            self.fetched.append((tag, link))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_fetches_nothing_runs_nothing_and_is_whole(facts):
    reader = Reader()
    page = report_html(facts, rows_of_a_fit())
    reader.feed(page)
    assert reader.fetched == [] and reader.open == []
    assert not re.search(r"url\((?!#)", page) and "@import" not in page


def test_figures_are_shown_beside_baselines(facts):
    section = text_of(report_html(facts, rows_of_a_fit()), "figures")
    assert "0.300 [0.200, 0.400]" in section and "0.200 [0.100, 0.300]" in section
    assert "0.3100" in section and "0.3300" in section


def test_dark_pages_have_dark_charts(facts):
    page = report_html(facts, rows_of_a_fit())
    drawn = "".join(re.findall(r"<figure>(.*?)</figure>", page, flags=re.S))
    assert "var(--ink)" in drawn and "var(--series-1)" in drawn
    assert not re.search(r"(fill|stroke): #(?!fff\b)", drawn)
    assert "prefers-color-scheme: dark" in page


def test_the_same_figures_give_the_same_page(facts):
    assert report_html(facts, rows_of_a_fit()) == report_html(facts, rows_of_a_fit())


def test_names_from_the_log_are_text_and_not_markup(facts):
    evil = replace(facts, shop="<script>alert(1)</script>", left_out={"x": "<b>"})
    page = report_html(evil, rows_of_a_fit())
    assert "<script" not in page and "&lt;b&gt;" in page


def test_what_is_not_known_is_told(facts):
    page = report_html(replace(facts, curves=[]), [])
    assert "Not kept by this model." in text_of(page, "curves")
    assert "Not identifiable from this log" in text_of(page, "slots")
    assert "no candidate attends to events" in text_of(page, "attention")
    assert "Nobody came back" in text_of(page, "figures")


def test_shares_of_dimensions_have_their_place(facts):
    rows = [*rows_of_a_fit(), *dimension_rows({"price": 0.6, "brand": 0.4})]
    section = text_of(report_html(facts, rows), "attention")
    assert "Not measured" not in section and "price" in section and "brand" in section


def test_reasons_stand_beside_an_order_drawn_by_lot(facts):
    task = "faithfulness (click)"
    rows = [
        row("comprehensiveness", "attention", 0.31, task=task, k=1),
        row("comprehensiveness", "attention", 0.77, task=task, k=3),
        row("deletion_auc", "random", 0.12, task=task),
    ]
    section = text_of(report_html(facts, [*rows_of_a_fit(), *rows]), "attention")
    assert "Faithfulness (click)" in section and "random" in section
    assert "0.31" in section and "0.12" in section and "0.77" not in section


def test_attention_on_dimensions_adds_up_and_stands_beside_an_even_one(dataset, fitted, predictor):
    rows = attention_rows(predictor, fitted.examples, dataset)
    for model in ("endcap", "even"):
        shares = {r.group: r.value for r in tables.where(rows, model=model, part="dimension")}
        assert len(shares) == 7 and sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert shares["dimension=attribute"] == 0  # no item of this shop has one


def test_what_did_not_work_is_told_with_its_interval(facts):
    told = replace(facts, mixes={"lists": {"memory": 30.0, "repeat": 0.0}},
                   mix_ends={"memory": (0.0, 30.0), "repeat": (-8.0, 32.0)})  # fmt: skip
    section = text_of(report_html(told, rows_of_a_fit()), "failures")
    assert "click: the log-loss is not shown to be below that of base rate (" in section
    assert "-0.0500, +0.0100" in section
    assert "ndcg@10" not in section  # its interval is above 0
    assert "the weight of memory, 30, is the most that was tried" in section
    assert at_the_ends(told) == ["lists: the weight of memory, 30, is the most that was tried."]
    worse = row("ndcg difference", "endcap - popularity", -0.1, k=10, low=-0.2, high=0.1)
    assert "not shown to be above that of 'popularity'" in not_better([worse])[0]


def test_what_brings_shoppers_back_is_told_by_its_weights(facts):
    told = replace(facts, returns=dict.fromkeys(facts.returns, 0.0) | {RETURN_WORDS[5]: -0.456})
    section = text_of(report_html(told, rows_of_a_fit()), "made")
    assert len(facts.returns) == len(ReturnColumn)
    assert "days since the last time, log(n + 1/2)" in section and "-0.46" in section


def test_curves_are_those_of_validation_days():
    rows = [
        CurveRow(epoch=epoch, task="click", split=split, metric="loss", value=value / epoch)
        for epoch in (1, 2)
        for split, value in (("train", 9.0), ("validation", 0.5))
    ]
    assert curves_of(rows) == {"click loss": [(1, 0.5), (2, 0.25)]}
    assert curves_of(rows[:2]) == {} and curves_of([]) == {}


def test_without_the_extra_the_page_says_what_to_install(facts, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"need matplotlib and jinja2.*endcap\[evaluate\]"):
        report_html(facts, rows_of_a_fit())


def test_the_card_says_what_it_is_for_its_figures_and_its_limits(facts):
    card = card_markdown(facts, rows_of_a_fit())
    for heading in ("What it is for", "Data", "Tasks", "Figures", "Limits", "How to make it again"):
        assert f"## {heading}\n" in card
    assert "| endcap | 0.300 [0.200, 0.400] |" in card
    assert "Lists are measured on 40 shoppers: intervals are wide." in card
    assert f"fingerprint `{facts.fingerprint}`" in card
    bare = card_markdown(replace(facts, first_at="", events={"view": 3}), [])
    assert "Without times there are no horizons" in bare
    assert "does not tell what was shown" in bare and "None: too little happened" in bare


def test_a_table_has_its_best_first_and_knows_which_line_is_ours():
    found = tables.ranking_table(rows_of_a_fit(), "next item (all)")
    assert [line[0] for line in found.lines] == ["endcap", "popularity"]
    assert found.ours == (True, False)
    assert plots.lists([]) is None and plots.calibration([], "none") is None


COMPARED = [
    {
        "task": "buy", "alone": 0.41, "together": 0.5, "gain": -0.09, "low": -0.1, "high": -0.08,
        "shoppers": 1234, 
    }
]  # fmt: skip


def test_a_comparison_of_tasks_is_told_in_report_and_card(facts):
    compared = replace(facts, comparisons=COMPARED, apart=["buy"])
    told = text_of(report_html(compared, rows_of_a_fit()), "sharing")
    for page in (told, card_markdown(compared, rows_of_a_fit())):
        assert "-0.0900 [-0.1000, -0.0800]" in page
        assert "1,234" in page
        assert "a network of its own" in page


def test_a_fit_that_compared_nothing_says_how(facts):
    told = text_of(report_html(facts, rows_of_a_fit()), "sharing")
    assert "endcap fit --compare-tasks" in told
    kept = text_of(report_html(replace(facts, apart=["buy"]), rows_of_a_fit()), "sharing")
    assert "By its recipe these have a network of their own: buy." in kept
    assert "Tasks alone and together" not in card_markdown(facts, rows_of_a_fit())
