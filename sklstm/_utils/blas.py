"""BLAS of one thread, in which sums come out the same wherever they are made."""

import contextlib
import functools
import os
import threading

from threadpoolctl import ThreadpoolController


@functools.cache
def blas():
    """BLAS of this process; finding it takes milliseconds, and setting it none."""
    return ThreadpoolController().select(user_api="blas")


class OneThread(contextlib.ContextDecorator):
    """BLAS of one thread as long as anybody is inside, and as it was before after that.

    Sums of two threads differ in their last bits from those of one, and a worker of
    joblib has one where its parent has many. The number is the process's, so those
    inside share it. Entering gives how many threads there may be beside each other
    instead: as many as BLAS had for the first, and one for others.
    """

    def __init__(self):
        self._anew()

    def _anew(self):
        self._lock, self._users = threading.Lock(), 0

    def __enter__(self):
        with self._lock:
            self._users += 1
            if self._users > 1:
                return 1
            info = blas().info()
            self._limits = blas().limit(limits=1)
            return max((one["num_threads"] for one in info), default=1)

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if not self._users:
                self._limits.restore_original_limits()


one_thread = OneThread()
if hasattr(os, "register_at_fork"):  # whoever was inside did not come along
    os.register_at_fork(after_in_child=one_thread._anew)
