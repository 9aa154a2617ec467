"""Arrays to which rows are appended at a cost independent of their length."""

import threading

import numpy as np

# Two threads that append to copies of one estimator share its buffer.
_lock = threading.Lock()


class GrowableArray:
    """Buffer whose first `used` rows hold an array, and whose other rows are free.

    Earlier arrays are views of the first rows. Used rows are never written again, so
    these views stay valid.
    """

    def __init__(self, values: np.ndarray, n_rows: int, dtype: np.dtype):
        # Doubling keeps the average cost of an appended row constant.
        self.rows = np.empty((2 * n_rows, *values.shape[1:]), dtype)
        self.rows[: len(values)] = values
        self.used = len(values)


def appended(
    values: np.ndarray, buffer: GrowableArray | None, more: np.ndarray
) -> tuple[np.ndarray, GrowableArray]:
    """Append rows to values, and return the array and its buffer.

    Parameters
    ----------
    values : ndarray
    buffer : GrowableArray or None
        The buffer that an earlier call returned with `values`. The new rows are written
        into it if the rows after `values` are free; otherwise all rows are copied to a
        new buffer.
    more : ndarray
    """
    n_rows = len(values) + len(more)
    with _lock:
        if buffer is None or buffer.used != len(values) or n_rows > len(buffer.rows):
            # Values of a float32 file can continue with float64 rows.
            buffer = GrowableArray(values, n_rows, np.result_type(values, more))
        buffer.rows[len(values) : n_rows] = more
        buffer.used = n_rows
    return buffer.rows[:n_rows], buffer
