"""Eight threads that predict for a minute, and memory over a thousand small fits.

python benchmarks/load.py [seconds] [fits]
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers


def resident():
    """Resident memory of this process in MB; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def serve(forecaster, expected, seconds):
    """Forecasts made by eight threads; each must be the one expected."""

    def work(_):
        end, n = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            np.testing.assert_array_equal(forecaster.forecast(12), expected)
            n += 1
        return n

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(work, range(8)))


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    n_fits = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    series = load_air_passengers()
    forecaster = LSTMForecaster(12, 12, epochs=1, units=4, random_state=0).fit(series)
    n = serve(forecaster, forecaster.forecast(12), seconds)
    print(f"8 threads, {seconds:.0f} s: {n} forecasts, each as expected")
    for i in range(1, n_fits + 1):
        forecaster.fit(series)
        if i == 50:
            before = resident()
    print(
        f"resident memory after 50 fits {before:.0f} MB, after {n_fits}: "
        f"{resident():.0f} MB, {resident() - before:+.1f} MB (bar 10 MB)"
    )
