"""Arrays that rows are appended to, at a cost that does not grow with their length."""

import threading

import numpy as np

# Whoever writes to a room must know that nobody else does.
_lock = threading.Lock()


class Room:
    """A buffer whose first rows are an array's, and whose others are free.

    Arrays that were made earlier are views of fewer rows, which nobody writes to again.
    """

    def __init__(self, values, n_rows, dtype):
        self.buffer = np.empty((2 * n_rows, *values.shape[1:]), dtype)
        self.buffer[: len(values)] = values
        self.used = len(values)


def appended(values, room, more):
    """Values with more rows after them, and the room that they are in.

    Parameters
    ----------
    values : ndarray
    room : Room or None
        What an earlier call gave with `values`. Where its next rows are free, they are
        written there; else all rows move to a new one.
    more : ndarray
    """
    n_rows = len(values) + len(more)
    with _lock:
        free = room is not None and room.used == len(values)
        if not free or n_rows > len(room.buffer):
            # Values of a file may have fewer digits than those that go on from there.
            room = Room(values, n_rows, np.result_type(values, more))
        room.buffer[len(values) : n_rows] = more
        room.used = n_rows
    return room.buffer[:n_rows], room
