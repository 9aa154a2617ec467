"""Arrays to which rows are appended at a cost independent of their length."""

import threading

import numpy as np

# Two threads that append to copies of one estimator share its buffer.
_lock = threading.Lock()


class Room:
    """Buffer whose first `used` rows hold an array, and whose other rows are free.

    Earlier arrays are views of the first rows. Used rows are never written again, so
    these views stay valid.
    """

    def __init__(self, values: np.ndarray, n_rows: int, dtype: np.dtype):
        # Doubling keeps the average cost of an appended row constant.
        self.buffer = np.empty((2 * n_rows, *values.shape[1:]), dtype)
        self.buffer[: len(values)] = values
        self.used = len(values)


def appended(
    values: np.ndarray, room: Room | None, more: np.ndarray
) -> tuple[np.ndarray, Room]:
    """Append rows to values, and return the array and its buffer.

    Parameters
    ----------
    values : ndarray
    room : Room or None
        The buffer that an earlier call returned with `values`. The new rows are written
        into it if the rows after `values` are free; otherwise all rows are copied to a
        new buffer.
    more : ndarray
    """
    n_rows = len(values) + len(more)
    with _lock:
        free = 0 if room is None or room.used != len(values) else len(room.buffer)
        if room is None or n_rows > free:
            # Values of a float32 file can continue with float64 rows.
            room = Room(values, n_rows, np.result_type(values, more))
        room.buffer[len(values) : n_rows] = more
        room.used = n_rows
    return room.buffer[:n_rows], room
