"""Accuracy with missing values: ETTh1 oil temperature without a fifth of its values.

Values are removed from training, validation and the windows of the test part; errors
are measured against the original values. The data folder is named by SKLSTM_DATA
(default ``../shared/data``). Prints a table and writes
``docs/benchmarks/missing_values.md``::

    python benchmarks/missing_values.py
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from pages import line_of, provenance

from sklstm import LSTMForecaster

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/missing_values.md")
MONTH = 30 * 24
TRAIN, END = 16 * MONTH, 20 * MONTH
SHARE, BLOCK = 0.2, 24
PAGE_TEXT = """# Missing values

A fifth of all values missing one by one raises the error by 1 to 3 %, and missing in
blocks of a day by 4 to 10 %. The table shows the mean squared error over all windows of
the test part of ETTh1 oil temperature (scaled, window 168, seed 0). A fifth of all
values was removed, one by one or in blocks of a day. A fresh origin follows an observed
value; the other origins lie in a gap, and have to forecast across it. The ratio to the
error with no value removed is in brackets. Written by `python
benchmarks/missing_values.py`.

Measured at {}.

| horizon | removed | all origins | fresh origins |
|---|---|---|---|
{}
"""


def removed(kind):
    rng = np.random.RandomState(0)
    gone = np.zeros(END, bool)
    if kind == "one by one":
        gone = rng.uniform(size=END) < SHARE
    while kind == "in blocks" and gone.mean() < SHARE:
        first = rng.randint(END - BLOCK)
        gone[first : first + BLOCK] = True
    return gone


def main():
    provenance()
    frame = pd.read_csv(
        DATA / "etth1.csv.xz", parse_dates=["date"], index_col="date"
    ).asfreq("h")
    series = frame["OT"][:END]
    past = series[: 12 * MONTH]
    series = (series - past.mean()) / past.std(ddof=0)
    lines = []
    for horizon in (24, 48):
        whole = None
        for kind in ("none", "one by one", "in blocks"):
            gone = removed(kind)
            seen = series.mask(gone)
            f = LSTMForecaster(168, horizon, validation_fraction=0.25, random_state=0)
            f.fit(seen[:TRAIN])
            table = f.backtest(seen[TRAIN:])
            forecast = table["y_pred"].to_numpy().reshape(-1, horizon)
            origins = TRAIN + np.arange(len(forecast))
            actual = series.to_numpy()[origins[:, None] + np.arange(horizon)]
            errors = ((forecast - actual) ** 2).mean(axis=1)
            whole = errors if whole is None else whole
            fresh = ~gone[origins - 1]
            cells = [str(horizon), kind]
            for rows in (np.ones_like(fresh), fresh):
                error = errors[rows].mean()
                cells.append(f"{error:.4f} ({error / whole[rows].mean():.3f})")
            lines.append(line_of(cells))
            print(lines[-1], flush=True)
    PAGE.write_text(PAGE_TEXT.format(provenance(), "\n".join(lines)))


if __name__ == "__main__":
    main()
