"""The pages say what the program does: every command, every option, every page, the README."""

import re
from pathlib import Path

import pytest
import typer

import endcap as package
from endcap.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands


def section_of(command):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## endcap (\w+)[^\n]*\n(.*?)(?=^## |\Z)", page, flags=re.M | re.S)
    )
    return sections[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_and_each_of_its_options_is_described(command):
    told = set(re.findall(r"^\| `(--[\w-]+)", section_of(command), flags=re.M))
    options = {
        name
        for parameter in COMMANDS[command].params
        for name in parameter.opts
        if name.startswith("--") and name != "--help"
    }
    assert told == options


def test_no_command_is_described_that_is_not_there():
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^## endcap (\w+)", page, flags=re.M) == list(COMMANDS)


def test_the_index_links_every_page():
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} - {"index.md"}
    assert pages == set(re.findall(r"\]\(([\w/-]+\.md)\)", index))


PAGES = [
    "README.md",
    "README.zh.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere_and_nothing_is_called_simple(name):
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (page.parent / link).exists(), link
    assert not re.search(r"\b(simply|just)\b", text, flags=re.I)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_a_readme_has_the_block_of_the_demo_and_every_room(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.search(r"<!-- demo-table -->\n.*\n<!-- /demo-table -->", text, flags=re.S)
    rooms = {path.parent.name for path in (ROOT / "endcap").glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if f"`{room}`" not in text] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", "docs/quickstart.md"])
def test_the_python_of_a_page_runs(name, model_folder, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), flags=re.S)
    model = package.load(model_folder)
    monkeypatch.setattr(package, "read", lambda path, items: (path, items), raising=False)
    monkeypatch.setattr(package, "fit", lambda log, out: model, raising=False)
    monkeypatch.setattr(package, "load", lambda folder: model, raising=False)
    exec(compile(code, name, "exec"), {})
    assert "stands in slot" in capsys.readouterr().out
