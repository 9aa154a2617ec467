"""Peak memory of one epoch on a long series, whose windows are views until batched.

python benchmarks/memory.py [rows]
"""

import resource
import sys
import time

import numpy as np
from pages import provenance

from sklstm import LSTMForecaster


def peak():
    """Return the peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(provenance())
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    f = LSTMForecaster(200, units=8, epochs=1, batch_size=4096, refit=False)
    f.fit(np.sin(np.arange(2000.0)))
    before = peak()
    series = np.random.default_rng(0).normal(size=rows)
    # The stride shortens the arithmetic; memory is still that of the whole series.
    start = time.perf_counter()
    f.set_params(stride=20).fit(series)
    print(
        f"{rows:,} rows ({series.nbytes / 2**20:.0f} MB), window 200: peak "
        f"{peak():.0f} MB, {peak() - before:.0f} MB above a small fit; windows as "
        f"copies would take {rows * 200 * 4 / 2**20:,.0f} MB; "
        f"{time.perf_counter() - start:.0f} s"
    )
