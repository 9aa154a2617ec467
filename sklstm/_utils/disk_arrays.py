"""Arrays in memory or in unnamed temporary files. NumPy only."""

import mmap
import tempfile
from collections.abc import Callable, Iterable, Iterator

import numpy as np

# Rows of one block in arithmetic over a long series: 8 MB a column in float64.
BLOCK = 2**20


def blocks(n_rows: int, size: int = BLOCK) -> Iterator[slice]:
    """Yield slices of at most `size` rows."""
    return (slice(i, min(i + size, n_rows)) for i in range(0, n_rows, size))


def groups(parts: Iterable, size: Callable, most: int) -> Iterator[list]:
    """Yield parts in lists, each of which ends where its sizes add up to `most`."""
    group, total = [], 0
    for part in parts:
        group.append(part)
        total += size(part)
        if total >= most:
            yield group
            group, total = [], 0
    if group:
        yield group


def in_file(values: object) -> bool:
    """Tell whether an array is a view of a memory-mapped file."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap):
            return True
        values = values.base
    return isinstance(values, mmap.mmap)


def in_memory(parts: Iterable[np.ndarray]):
    """Concatenate a non-empty sequence of arrays."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def on_disk(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Concatenate a non-empty sequence of arrays in a temporary file."""
    file = Growing()
    for part in parts:
        file.append(part)
    return file.array()


def taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return values at `rows`; those of a mapped file are written to a file again."""
    if not in_file(values):
        return values[rows]
    return on_disk(values[rows[block]] for block in blocks(len(rows)))


def row_type(n_rows: int) -> type[np.signedinteger]:
    """Return the smallest integer type that holds all row numbers."""
    return np.int32 if n_rows <= 2**31 else np.int64


class Growing:
    """Array that grows in an unnamed file, which vanishes with its last map."""

    def __init__(self):
        self.file, self.n_rows = tempfile.TemporaryFile(), 0
        self.like: np.ndarray | None = None  # no rows, of the type of the first

    def append(self, values: np.ndarray) -> None:
        if self.like is None:
            self.like = np.array(values[:0])
        try:
            self.file.write(np.ascontiguousarray(values, self.like.dtype).data)
        except OSError as error:
            raise OSError(
                error.errno,
                "A series that memory does not hold is written to "
                f"{tempfile.gettempdir()}, which is full: {error.strerror}. Free space "
                "there, or set the environment variable TMPDIR to another folder",
            ) from error
        self.n_rows += len(values)

    def array(self) -> np.ndarray:
        """Return the appended rows as an array that is read from the file on access."""
        like = self.like
        assert like is not None, "the first part gives the type and the columns"
        shape = self.n_rows, *like.shape[1:]
        if 0 in shape:  # An empty file cannot be mapped.
            return np.empty(shape, like.dtype)
        self.file.flush()
        return np.asarray(np.memmap(self.file, like.dtype, "r", shape=shape))

    def __del__(self):
        self.file.close()  # Arrays that map the file stay valid.


def unloaded(data):
    """Copy chunked data, such as a zarr array, to a file; return other data as is."""
    chunked = getattr(data, "chunks", None) is not None and hasattr(data, "shape")
    if not chunked or isinstance(data, np.ndarray):
        return data
    return np.asarray(on_disk(np.asarray(data[rows]) for rows in blocks(data.shape[0])))


def sampled(n_rows: int, most: int) -> slice | np.ndarray:
    """Return the rows to fit on: all rows, or `most` of them drawn with replacement."""
    if n_rows <= most:
        return slice(None)
    # A fixed seed: scalers must not depend on `random_state`.
    return np.sort(np.random.RandomState(0).randint(n_rows, size=most))
