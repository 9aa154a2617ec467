"""Single-threaded BLAS, which gives the same sums in every process."""

import contextlib
import functools
import os
import threading

from threadpoolctl import ThreadpoolController


@functools.cache
def blas() -> list:
    """Return all BLAS of this process; the search takes milliseconds, so cache it."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


class OneThread(contextlib.ContextDecorator):
    """Limit BLAS to one thread while any caller is inside.

    The last caller that leaves restores the limit. Sums of two threads differ from
    those of one thread in their last bits, and a worker of joblib has one thread where
    its parent has many. The limit belongs to the process, so all callers share it.

    `__enter__` returns the number of threads that the caller may start itself: for the
    first caller the threads that BLAS had, and 1 for the others.
    """

    def __init__(self):
        self._reset()

    def _reset(self):
        self._lock, self._users = threading.Lock(), 0

    def __enter__(self) -> int:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return 1
            # Not by threadpoolctl's own limit, which takes longer than a forecast may.
            self._limits = [(library, library.num_threads) for library in blas()]
            for library, _ in self._limits:
                library.set_num_threads(1)
            return max((n_threads for _, n_threads in self._limits), default=1)

    def __exit__(self, *error) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                for library, n_threads in self._limits:
                    library.set_num_threads(n_threads)


one_thread = OneThread()
if hasattr(os, "register_at_fork"):
    # A fork copies the count of users and the lock, but not the threads that hold them.
    os.register_at_fork(after_in_child=one_thread._reset)
