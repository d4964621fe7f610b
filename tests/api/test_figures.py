"""What notebooks show: figures as rows, tables and pictures; reports; pages that explain."""

import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import endcap
from endcap.api.figures import PLOTS, Figures
from endcap.api.fit import evaluate_model
from endcap.api.measuring import all_figures
from endcap.api.model import load
from endcap.api.reports import pages_of, write_report
from endcap.artifact import load_artifact, write_metrics
from endcap.engine import Engine as BareEngine
from endcap.errors import FileError, MissingExtraError, QueryError
from endcap.evaluate import task_rows
from endcap.schema import Decision, MetricRow, decode_decision, encode_decision

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def figures(model_folder, fitted):
    """Return the small shop's figures."""
    rows = all_figures(load(model_folder), fitted.dataset, fitted.examples, fitted.plan)
    return Figures(rows)


@pytest.fixture
def folder(model_folder, figures, tmp_path):
    """Return a copy of the model, with its figures and pages."""
    import shutil

    copied = shutil.copytree(model_folder, tmp_path / "shop.model")
    write_metrics(copied, figures.rows, pages=pages_of(load_artifact(copied), figures.rows))
    return copied


def test_every_part_of_the_report_has_rows(figures):
    kinds = {(row.metric, row.group.partition("=")[0]) for row in figures}
    assert kinds >= {
        ("ndcg", ""), ("ndcg difference", ""), ("recall", "tenth"), ("exposure", "tenth"),
        ("recall", "events"), ("log_loss", ""), ("log_loss difference", ""), ("predicted", "bin"),
        ("examination", "slot"), ("share", "age"), ("gini", ""),
    }  # fmt: skip
    told = [(r.task, r.metric, r.model, r.k, r.group) for r in figures]
    assert len(told) == len(set(told))


def test_what_comes_later_is_asked_of_the_hours_that_are_left(figures, model_folder, fitted):
    predictor, plan = load(model_folder).predictor, fitted.plan
    month = np.full_like(plan.targets["purchase"].limit_hours, 720.0)
    targets = plan.targets | {"purchase": replace(plan.targets["purchase"], limit_hours=month)}
    whole = Figures(task_rows(predictor, fitted.examples, targets, plan.facts, fitted.dataset))

    def said(rows, task):
        bins = [row for row in rows.where(task=task, metric="predicted") if "bin" in row.group]
        return sum(row.value * row.n for row in bins) / sum(row.n for row in bins)

    assert said(figures, "purchase") < 0.8 * said(whole, "purchase")
    assert said(figures, "click") == pytest.approx(said(whole, "click"))


def test_shares_of_attention_add_up_to_one(figures):
    for part in ("age", "dimension"):
        for model in ("endcap", "even"):
            rows = figures.where(task="attention", metric="share", model=model)
            shares = [row.value for row in rows if row.group.startswith(f"{part}=")]
            assert sum(shares) == pytest.approx(1.0, abs=1e-5)


def test_rows_are_kept_by_their_fields(figures):
    kept = figures.where(metric="recall", k=10, group="", model="endcap")
    assert {row.task for row in kept} == {"next item (all)", "next item (new)"}
    assert isinstance(figures[:2], Figures) and isinstance(figures[0], MetricRow)
    with pytest.raises(QueryError, match="A figure has no 'metrics'; its fields are task"):
        figures.where(metrics="recall")


def test_figures_become_a_table(figures):
    frame = figures.to_polars()
    assert frame.height == len(figures)
    assert frame.columns == list(MetricRow.__struct_fields__)
    assert frame.filter(pl.col("metric") == "ndcg")["n"].min() > 0


def test_figures_show_models_side_by_side(figures):
    shown = figures._repr_html_()
    assert shown.index("<td>endcap</td>") and "<td>popularity</td>" in shown
    assert "<td>click</td>" in shown
    assert Figures([])._repr_html_() == "<p>0 figures of no task; lists by nobody</p>"


@pytest.mark.parametrize("kind", PLOTS)
def test_figures_draw_themselves(figures, kind):
    assert figures.plot(kind)._repr_svg_().startswith("<svg role")


def test_what_cannot_be_drawn_is_told(figures):
    with pytest.raises(QueryError, match="kind must be one of lists, calibration, popularity, got"):
        figures.plot("pie")
    with pytest.raises(QueryError, match="no figure of task 'none' to draw calibration from"):
        figures.plot("calibration", task="none")


def test_a_model_and_its_log_show_themselves(folder):
    model = load(folder)
    assert "Next item" in model._repr_html_()
    assert "memory" in model.report._repr_html_() and "trained" in model.report._repr_html_()


def test_the_report_and_the_card_are_part_of_the_folder(folder):
    model = load(folder)
    assert model.report.path == folder / "report.html"
    assert "<h1>shop</h1>" in model.report.path.read_text(encoding="utf-8")
    assert (folder / "card.md").read_text().startswith(f"# Model {model.version} of shop")
    (folder / "report.html").write_text("something else")
    with pytest.raises(endcap.EndcapError, match=r"report\.html is missing or not as it was"):
        load(folder)


def test_a_fit_without_the_extra_has_a_card_and_no_report(folder, figures, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    artifact = load_artifact(folder)
    assert list(pages_of(artifact, figures.rows)) == ["card.md"]
    with pytest.raises(MissingExtraError, match="pip install"):
        write_report(folder / "other.html", artifact, figures.rows)


def test_a_report_goes_where_it_is_wanted(folder, tmp_path):
    path = load(folder).report.save(tmp_path / "mine.html")
    assert path.read_text(encoding="utf-8") == (folder / "report.html").read_text(encoding="utf-8")


def test_without_room_nothing_is_left(folder, tmp_path, monkeypatch):
    def full(self, *_, **__):
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    model, before = load(folder), sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(FileError, match=r"no room left on the disk\. Free some room"):
        model.report.save(tmp_path / "mine.html")
    assert sorted(tmp_path.iterdir()) == before


def test_a_model_without_figures_has_nothing_to_report(model_folder, tmp_path):
    model = load(model_folder)
    assert model.report.path is None
    with pytest.raises(QueryError, match="no figures to report; `endcap evaluate MODEL LOG`"):
        model.report.save(tmp_path / "mine.html")


def test_groups_are_measured_on_a_log(model_folder):
    with pytest.raises(QueryError, match="Groups of shoppers are measured on a log"):
        evaluate_model(load(model_folder), groups={"city": {"u1": "Bonn"}})


def test_a_page_is_its_record_and_says_why(model_folder):
    model = load(model_folder)
    engine = endcap.Engine(model, secret=bytes(32))
    query = endcap.Query(user_id="u1", placements={"home": 4}, decision_id="d1")
    page = engine.decide(query)
    assert isinstance(page, Decision)
    assert encode_decision(page) == encode_decision(decode_decision(encode_decision(page)))
    assert str(page.why(slot=2)) == str(engine.why(page, slot=2))
    assert page.to_polars()["item_id"].to_list() == [c.item_id for c in page.items_of("home")]
    shown = page._repr_html_()
    assert all(chosen.item_id in shown for chosen in page.chosen)
    assert "stands in slot 2" in page.why(slot=2)._repr_html_()
    assert BareEngine.decide(engine, query).chosen == page.chosen


def test_figures_are_looked_at_without_torch(folder):
    code = (
        "import sys, endcap\n"
        f"model = endcap.load({str(folder)!r})\n"
        "model.metrics._repr_html_(); model.metrics.plot(); model.report.save(sys.argv[1])\n"
        "print('torch' in sys.modules)"
    )
    out = str(folder.parent / "mine.html")
    done = subprocess.run(
        [sys.executable, "-c", code, out], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
