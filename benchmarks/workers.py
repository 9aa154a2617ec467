"""Seconds, and bytes moved, of a search and a backtest on one and two Dask workers.

python benchmarks/workers.py
"""

import time

import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster


def received(dask_worker=None):
    """Bytes that a worker has been sent so far."""
    from pathlib import Path

    counted = Path("/proc/self/io").read_text().split()
    return int(counted[1])  # rchar: all that was read, of files and sockets


def timed(client, scatter, run):
    """Seconds of a run, the second of two, so that workers have compiled by then."""
    with parallel_config(backend="dask", scatter=scatter):
        run()
        before, start = sum(client.run(received).values()), time.perf_counter()
        run()
        seconds = time.perf_counter() - start
    return seconds, sum(client.run(received).values()) - before


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    rows = np.arange(20_000)
    series = np.sin(rows * np.pi / 12) + rng.normal(scale=0.3, size=len(rows))
    f = LSTMForecaster(48, 24, units=16, epochs=3, random_state=0)
    grid = {"learning_rate": [0.001, 0.002, 0.004, 0.008]}
    search = GridSearchCV(f, grid, cv=TimeSeriesSplit(2), refit=False)
    fitted = LSTMForecaster(**f.get_params()).fit(series[:18_000])
    ahead = series[18_000:]
    print(f"series of {series.nbytes / 1e6:.2f} MB; read by workers, in MB")
    for n_workers in (1, 2):
        with (
            LocalCluster(n_workers=n_workers, threads_per_worker=1) as cluster,
            Client(cluster) as client,
        ):
            runs = {
                "search, 8 fits": ([series], lambda: search.fit(series)),
                "backtest, 8 blocks": (
                    [fitted, ahead],
                    lambda: fitted.backtest(ahead, stride=24, refit=11),
                ),
            }
            for name, (scatter, run) in runs.items():
                seconds, moved = timed(client, scatter, run)
                print(
                    f"{name}, {n_workers} workers: {seconds:.1f} s, {moved / 1e6:.2f}"
                )
