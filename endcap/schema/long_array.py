"""An array that is filled from the front, in memory or in a file that goes with it."""

import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class LongArray:
    """Rows of one dtype, of which the number is known.

    On disk they are written, not mapped, so that memory does not fill up with them; what `array`
    returns is mapped, and its file, which has no name, goes when nobody holds it any more.
    """

    def __init__(self, size: int, dtype: DTypeLike, *, on_disk: bool) -> None:
        self.filled, self._size, self._dtype = 0, size, np.dtype(dtype)
        self._file = (
            tempfile.TemporaryFile(prefix="endcap-")  # noqa: SIM115 (it lives with the array)
            if on_disk and size
            else None
        )
        self._rows = None if self._file else np.zeros(size, dtype=dtype)

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows."""
        if self._rows is not None:
            self._rows[self.filled : self.filled + len(rows)] = rows
        elif self._file is not None:
            self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.filled += len(rows)

    def array(self) -> NDArray[Any]:
        """Return all rows; ask once, when all are there."""
        if self._rows is not None:
            return self._rows
        assert self._file is not None
        with self._file as file:
            file.flush()
            return np.memmap(file, dtype=self._dtype, mode="r", shape=(self._size,))
