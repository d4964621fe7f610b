"""The house stands: floors, public names, pages, and what a fresh process carries."""

import importlib
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from endcap import schema
from endcap.artifact import Manifest

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.parent.name for path in (ROOT / "endcap").glob("*/__init__.py"))
ROOF = {"api", "cli"}
"""Composes rooms; its pages are those of the commands and of the public names."""

HEAVY = ("torch", "polars", "pyarrow", "pandas", "sklearn", "onnx")


def in_a_fresh_process(*command):
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_floors_hold_and_heavy_libraries_stay_in_their_rooms():
    run = in_a_fresh_process(
        "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"
    )
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", run.stdout, flags=re.M))
    floors = next(name for name in verdicts if name.startswith("Rooms import only from floors"))
    assert len(verdicts) >= 5, run.stdout + run.stderr
    broken = {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
    breaches = re.findall(r"^(\S+) is not allowed to import (\S+):$", run.stdout, flags=re.M)
    assert broken <= {floors}, run.stdout
    assert not breaches, run.stdout
    assert not broken, run.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_and_its_public_names_exist(room):
    module = importlib.import_module(f"endcap.{room}")
    assert module.__doc__
    assert room == "api" or module.__all__
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"endcap.{room}.__all__ names {name}, which is not there"


def test_the_public_names_of_endcap_exist():
    endcap = importlib.import_module("endcap")
    assert [name for name in endcap.__all__ if not hasattr(endcap, name)] == []
    assert len(set(endcap.__all__)) == len(endcap.__all__)


def test_every_room_has_a_page_and_every_page_a_room():
    pages = {path.stem for path in (ROOT / "docs" / "rooms").glob("*.md")}
    assert pages == set(ROOMS)


@pytest.mark.parametrize("room", ["schema", "decide", "engine", "store", "serve"])
def test_a_page_names_every_file_of_its_room(room):
    page = (ROOT / "docs" / "rooms" / f"{room}.md").read_text(encoding="utf-8")
    files = (ROOT / "endcap" / room).glob("[a-z]*.py")
    assert [file.name for file in files if f"`{file.name}`" not in page] == []


TYPES = (ROOT / "docs" / "types.md").read_text(encoding="utf-8")
STRUCTS = (
    schema.Decision,
    schema.Slots,
    schema.Shortlist,
    schema.Chosen,
    schema.ModelInputs,
    schema.MetricRow,
    schema.NextItem,
    schema.Binary,
    schema.Hazard,
    Manifest,
)
DATACLASSES = (schema.Catalogue, schema.Campaign, schema.Predictions, schema.Question)


@pytest.mark.parametrize("kind", [*STRUCTS, *DATACLASSES], ids=lambda kind: kind.__name__)
def test_the_page_of_types_names_every_field(kind):
    names = kind.__struct_fields__ if kind in STRUCTS else [f.name for f in fields(kind)]
    text = re.sub(r"```.*?```", "", TYPES, flags=re.S)
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", text))))
    assert sorted(set(names) - told - {"user_id"}) == []


@pytest.mark.parametrize("dtype", [schema.EVENT, schema.IMPRESSION], ids=["EVENT", "IMPRESSION"])
def test_the_page_of_types_gives_every_offset(dtype):
    kinds = {"<i8": "int64", "<i4": "int32", "<f4": "float32", "|u1": "uint8"}
    for name, (kind, at) in dtype.fields.items():
        assert f"| {at} | `{name}` | {kinds[kind.str]} |" in TYPES


def test_the_page_of_types_gives_every_action_its_number():
    assert [a.name for a in schema.Action if f"{a.value} {a.name.lower()}" not in TYPES] == ["OWN"]
    assert f"{schema.Action.OWN.value} the shop's own" in TYPES


@pytest.mark.parametrize(
    "statement",
    ["import endcap", "import endcap.engine, endcap.predict", "import endcap.engine, endcap.cli"],
)
def test_a_fresh_process_carries_nothing_heavy(statement):
    look = f"import sys\n{statement}\nprint(*sorted(set(sys.modules) & set({HEAVY})))"
    run = in_a_fresh_process("-c", look)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


MAKE_A_PAGE = """
import sys
from pathlib import Path
from endcap.artifact import load_artifact
from endcap.engine import Engine, State, explain
from endcap.features import Counters
from endcap.predict import NetworkPredictor
from endcap.schema import Query

artifact = load_artifact(Path(sys.argv[1]))
engine = Engine(
    NetworkPredictor(artifact),
    shop=artifact.manifest.shop,
    catalogue=artifact.catalogue,
    campaigns=artifact.campaigns,
    state=State(counters=Counters(artifact.catalogue.num_items)),
    secret=bytes(32),
)
page = engine.decide(Query(user_id="u1", placements={"home": 5}))
assert len(page.chosen) == 5 and page.degraded == [], page.degraded
print(explain(page, 0))
print("heavy:", *sorted(set(sys.modules) & set(sys.argv[2:])))
"""


STORE_A_PAGE = """
import sys
import endcap

with endcap.Engine(endcap.load(sys.argv[1]), store=sys.argv[2]) as engine:
    page = engine.decide(endcap.Query(user_id="u1", placements={"home": 5}))
assert len(page.chosen) == 5 and page.degraded == [], page.degraded
print("heavy:", *sorted(set(sys.modules) & set(sys.argv[3:])))
"""


SERVE_A_PAGE = """
import asyncio, sys
import endcap.cli, endcap.cli.serve
from endcap.api.engine import engine_on, start_of
from endcap.api.model import load
from endcap.serve import make_app
from endcap.store import Store

model = load(sys.argv[1])
store = Store(sys.argv[2], start_of(model))
app = make_app(engine_on(store, model), store, version="test")
sent, body = [], b'{"user_id": "u1", "placements": {"home": 5}}'

async def receive():
    return {"type": "http.request", "body": body, "more_body": False}

async def send(message):
    sent.append(message)

scope = {"type": "http", "method": "POST", "path": "/v1/page", "headers": [], "query_string": b"",
         "raw_path": b"/v1/page", "http_version": "1.1", "scheme": "http", "root_path": ""}
asyncio.run(app(scope, receive, send))
store.close()
assert sent[0]["status"] == 200, sent
print("heavy:", *sorted(set(sys.modules) & set(sys.argv[3:])))
"""


def test_a_page_is_served_without_anything_heavy(model_folder, tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    run = in_a_fresh_process("-c", SERVE_A_PAGE, str(model_folder), url, *HEAVY)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].strip() == "heavy:"


def test_a_page_is_made_and_stored_without_anything_heavy(model_folder, tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    run = in_a_fresh_process("-c", STORE_A_PAGE, str(model_folder), url, *HEAVY)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].strip() == "heavy:"


def test_a_page_is_made_and_explained_without_anything_heavy(model_folder):
    run = in_a_fresh_process("-c", MAKE_A_PAGE, str(model_folder), *HEAVY)
    assert run.returncode == 0, run.stderr
    assert "stands in slot 0 of 'home'" in run.stdout
    assert run.stdout.splitlines()[-1].strip() == "heavy:"
