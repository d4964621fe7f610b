"""Folders for a read's temporary files: they go with the read, even with one that was killed."""

import shutil
import tempfile
from io import BufferedRandom
from pathlib import Path
from types import ModuleType

try:
    import fcntl
except ImportError:  # no such locks on Windows: what a killed read left must go by hand
    flock: ModuleType | None = None
else:
    flock = fcntl

PREFIX, HELD = "endcap-read-", "held"


class Scratch:
    """A folder of one read.

    Its file `held` is locked while the read lives. The system lets go of a killed process's locks,
    so the next read knows whose folders nobody needs, and removes them.
    """

    def __init__(self) -> None:
        if flock is not None:
            _remove_forsaken()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held = _lock(self.folder)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._held is not None:
            self._held.close()


def _lock(folder: Path) -> BufferedRandom | None:
    """Lock a folder until the file is closed; None where somebody else holds it."""
    held = (folder / HELD).open("a+b")
    if flock is not None:
        try:
            flock.flock(held, flock.LOCK_EX | flock.LOCK_NB)
        except OSError:
            held.close()
            return None
    return held


def _remove_forsaken() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            # A folder without the file is one that is being made just now.
            held = _lock(folder) if (folder / HELD).is_file() else None
        except OSError:
            continue  # somebody else's, or gone meanwhile
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            held.close()
