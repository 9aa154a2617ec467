"""Arrays in memory, or in files that nobody else sees. NumPy only."""

import mmap
import tempfile

import numpy as np

# Rows that arithmetic on all of a long series takes at once.
BLOCK = 2**20


def blocks(n_rows, size=BLOCK):
    """Slices of at most so many rows."""
    return (slice(i, min(i + size, n_rows)) for i in range(0, n_rows, size))


def in_file(values):
    """Whether an array lies in a file that is mapped."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap):
            return True
        values = values.base
    return isinstance(values, mmap.mmap)


def in_memory(parts):
    """Arrays one after the other as one; there must be one."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def on_disk(parts):
    """As `in_memory`, in a file."""
    file = Growing()
    for part in parts:
        file.append(part)
    return file.array()


def taken(values, rows):
    """Values at `rows`, in a file where all of them lie in one."""
    if not in_file(values):
        return values[rows]
    return on_disk(values[rows[part]] for part in blocks(len(rows)))


def row_type(n_rows):
    """The type of row numbers that takes the least memory for each."""
    return np.int32 if n_rows <= 2**31 else np.int64


class Growing:
    """An array in a file without a name, which goes when nobody maps it any more."""

    def __init__(self):
        self.file, self.like, self.n_rows = tempfile.TemporaryFile(), None, 0

    def append(self, values):
        if self.like is None:
            self.like = np.array(values[:0])
        try:
            self.file.write(np.ascontiguousarray(values, self.like.dtype).data)
        except OSError as error:
            raise OSError(
                error.errno,
                "A series that memory does not hold is written to "
                f"{tempfile.gettempdir()}, which took no more: {error.strerror}. Make "
                "room there, or set the environment variable TMPDIR to another folder",
            ) from error
        self.n_rows += len(values)

    def array(self):
        """What was appended, read from the file where it is looked at."""
        shape = self.n_rows, *self.like.shape[1:]
        if 0 in shape:
            return np.empty(shape, self.like.dtype)
        self.file.flush()
        return np.asarray(np.memmap(self.file, self.like.dtype, "r", shape=shape))

    def __del__(self):
        self.file.close()  # what is mapped stays


def unloaded(data):
    """Data in chunks of their own, as those of zarr, in a file; anything else as is."""
    chunked = getattr(data, "chunks", None) is not None and hasattr(data, "shape")
    if not chunked or isinstance(data, np.ndarray):
        return data
    return np.asarray(on_disk(np.asarray(data[rows]) for rows in blocks(data.shape[0])))


def sampled(n_rows, most):
    """Rows to learn from: all, or where they are too many some, drawn the same way."""
    if n_rows <= most:
        return slice(None)
    return np.sort(np.random.RandomState(0).randint(n_rows, size=most))
