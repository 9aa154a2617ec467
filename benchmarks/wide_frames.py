"""Seconds and memory of the linear model of wide frames, beside scikit-learn's RidgeCV.

Both choose among the same penalties, on the same windows, each in a process of its own
that has fitted 60 rows before. Seconds are those of the processor with one thread
of BLAS, which other work on the machine moves least. Prints a table and writes
``docs/benchmarks/wide_frames.md``::

    python benchmarks/wide_frames.py [--columns 10 20]
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from pages import line_of, provenance, write_table

PAGE = Path("docs/benchmarks/wide_frames.md")
N_COLUMNS = (10, 20, 40, 60, 100, 160)
N_ROWS, WINDOW, HORIZON = 1000, 24, 12
NAMES = ("columns", "LSTMForecaster s", "MB", "RidgeCV s", "MB", "times RidgeCV")


def fit_forecaster(series):
    from sklstm import LSTMForecaster

    LSTMForecaster(WINDOW, HORIZON, epochs=0, random_state=0).fit(series)


def fit_ridge_cv(series):
    from sklearn.linear_model import RidgeCV

    from sklstm import make_windows
    from sklstm._networks.ridge import PENALTIES

    X, y = make_windows(series, WINDOW, HORIZON)
    RidgeCV(PENALTIES).fit(X.reshape(len(X), -1), y.reshape(len(y), -1))


FITS = {"forecaster": fit_forecaster, "ridge": fit_ridge_cv}


def peak():
    """Return the peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(model, n_columns):
    """Return seconds and MB of a fit in this process."""
    rng = np.random.default_rng(0)
    fit = FITS[model]
    fit(rng.normal(size=(100, 2)).cumsum(axis=0))
    before = peak()
    # What is made once for a width is no part of the fit.
    fit(rng.normal(size=(60, n_columns)).cumsum(axis=0))
    series = rng.normal(size=(N_ROWS, n_columns)).cumsum(axis=0)
    start = time.process_time()
    fit(series)
    return time.process_time() - start, peak() - before


def measure_apart(model, n_columns):
    """Return `measure` of a fresh process."""
    command = [sys.executable, __file__, "--one", model, "--columns", str(n_columns)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    return map(float, done.stdout.split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, nargs="+", default=N_COLUMNS)
    parser.add_argument("--one", choices=FITS)
    arguments = parser.parse_args()
    if arguments.one:
        print(*measure(arguments.one, *arguments.columns))
        return
    provenance()
    rows = []
    for n_columns in arguments.columns:
        seconds, size = measure_apart("forecaster", n_columns)
        other_seconds, other_size = measure_apart("ridge", n_columns)
        cells = [f"{seconds:.1f}", f"{size:.0f}", f"{other_seconds:.1f}"]
        cells += [f"{other_size:.0f}", f"{seconds / other_seconds:.2f}"]
        rows.append([n_columns, *cells])
        print(line_of(rows[-1]), flush=True)
    write_table(PAGE, HEAD, NAMES, rows, [(str(n),) for n in N_COLUMNS])


HEAD = f"""# Wide frames

The table shows the processor seconds of one fit of the linear model,
`LSTMForecaster({WINDOW}, {HORIZON}, epochs=0)`, on a frame of {N_ROWS} rows. The fit
chooses the penalty and whether columns read each other on the validation block, and
fits all rows again. `RidgeCV` chooses one of the same 25 penalties on the same windows.
Both use one thread of BLAS. Each process first fits 60 rows, so that imports and
compilation do not count. The memory is the peak above that of a fit of two columns.
Written by `python benchmarks/wide_frames.py`.
"""


if __name__ == "__main__":
    main()
