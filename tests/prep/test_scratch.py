"""A read's temporary files go with it, and those of a killed read with the next one."""

import signal
import subprocess
import sys

import pytest

from endcap.prep import scratch
from endcap.prep.scratch import Scratch

pytest.importorskip("fcntl")

HOLD = """
import time
from endcap.prep.scratch import Scratch
held = Scratch()
(held.folder / "rows").write_text("many")
print(held.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return an empty folder for temporary files, this process's and its children's."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_read(place):
    held = Scratch()
    assert held.folder.parent == place
    held.remove()
    assert list(place.iterdir()) == []


def test_what_a_killed_read_left_goes_with_the_next(place):
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as other:
        folder = place / other.stdout.readline().strip().rsplit("/", maxsplit=1)[-1]
        first = Scratch()
        assert (folder / "rows").is_file()  # its read is alive
        other.send_signal(signal.SIGKILL)
        other.wait()
    second = Scratch()
    assert sorted(place.iterdir()) == sorted([first.folder, second.folder])
    first.remove()
    second.remove()


def test_a_folder_that_is_being_made_is_let_alone(place):
    (place / f"{scratch.PREFIX}new").mkdir()
    Scratch().remove()
    assert [each.name for each in place.iterdir()] == [f"{scratch.PREFIX}new"]
