"""Seconds and bytes moved of a search and a backtest on one and two workers.

python benchmarks/workers.py [--write] [loky] [dask] [ray]

Nothing else may run or use the network during a run, because bytes are counted on the
loopback device, between workers and scheduler. Data that pass through shared memory are
not counted.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from joblib import parallel_config
from pages import provenance, said_below
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "workers.md"
HEAD = """# Workers

With two workers of joblib (loky) instead of one, a search and a backtest take a third
less time; with Dask they take a tenth less, and with Ray longer. The table shows a
search of eight fits, and a backtest of eight blocks with a new fit for each, on a
series of {size:.2f} MB and on one machine. Written by `make bench-workers`.

The second of two runs is timed. In it the workers of Dask have already imported Keras
and compiled the network, while Ray starts new workers for each run, which import and
compile again. The last column counts the bytes on the loopback device, between workers
and scheduler; data in shared memory (loky, and in part Ray) are not counted. One worker
means the process itself, because joblib starts no engine for one worker. Threads are
those of XLA in each process: one for each core, or a single one with `NPROC=1`.

Measured at {about}.

| engine | work | threads | workers | seconds | MB moved |
|---|---|---|---|---|---|
"""


@contextlib.contextmanager
def dask(n_workers, shared):
    """Run joblib on workers of Dask, each of which holds the shared data."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster),
        parallel_config(backend="dask", scatter=shared),
    ):
        yield


@contextlib.contextmanager
def loky(n_workers, shared):
    """Run joblib on its own workers."""
    with parallel_config(backend="loky", n_jobs=n_workers):
        yield


@contextlib.contextmanager
def ray(n_workers, shared):
    """Run joblib on workers of Ray."""
    import ray
    from ray.util.joblib import register_ray

    ray.init(num_cpus=n_workers, include_dashboard=False, log_to_driver=False)
    register_ray()
    try:
        with parallel_config(backend="ray", n_jobs=n_workers):
            yield
    finally:
        ray.shutdown()


ENGINES = {"loky": loky, "dask": dask, "ray": ray}


def moved():
    """Return the bytes that the loopback device has received so far."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    (line,) = (line for line in lines if line.split(":")[0].strip() == "lo")
    return int(line.split(":")[1].split()[0])


def measured(run):
    """Return seconds and bytes of the second of two runs."""
    run()
    before, start = moved(), time.perf_counter()
    run()
    return time.perf_counter() - start, moved() - before


def works():
    """Return a series, and the timed calls on it: {name: (shared data, call)}."""
    rng = np.random.default_rng(0)
    rows = np.arange(20_000)
    series = np.sin(rows * np.pi / 12) + rng.normal(scale=0.3, size=len(rows))
    f = LSTMForecaster(48, 24, units=16, epochs=3, random_state=0)
    grid = {"learning_rate": [0.001, 0.002, 0.004, 0.008]}
    search = GridSearchCV(f, grid, cv=TimeSeriesSplit(2), refit=False)
    fitted = LSTMForecaster(**f.get_params()).fit(series[:18_000])
    ahead = series[18_000:]
    return series, {
        "search": ([series], lambda: search.fit(series)),
        "backtest": (
            [fitted, ahead],
            lambda: fitted.backtest(ahead, stride=24, refit=11),
        ),
    }


def rows(engines):
    """Yield lines of the table as they are measured."""
    _, runs = works()
    threads = os.environ.get("NPROC", "all")
    for name, (shared, run) in runs.items():
        seconds, _ = measured(run)
        yield f"| none | {name} | {threads} | 1 | {seconds:.1f} | 0 |"
        for engine in engines:
            with ENGINES[engine](2, shared):
                seconds, size = measured(run)
            yield (
                f"| {engine} | {name} | {threads} | 2 | {seconds:.1f} "
                f"| {size / 1e6:.2f} |"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("engines", nargs="*", default=["loky"], metavar="ENGINE")
    arguments = parser.parse_args()
    about, lines = provenance(), []
    for line in rows(arguments.engines):
        print(line, flush=True)
        lines.append(line)
    if "loky" in arguments.engines and "NPROC" not in os.environ:
        # NPROC counts before Python starts, so one thread needs another process.
        output = subprocess.run(
            [sys.executable, __file__, "loky"],
            env=os.environ | {"NPROC": "1"},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        print(output, end="", flush=True)
        lines += output.splitlines()
    if arguments.write:
        series, _ = works()
        head = HEAD.format(size=series.nbytes / 1e6, about=about)
        PAGE.write_text(head + "\n".join(lines) + "\n" + said_below(PAGE), "utf-8")
