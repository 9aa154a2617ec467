"""What missing values cost: ETTh1 oil temperature with a fifth of its values removed.

They are removed from training, validation and the windows of the test part; errors are
of the values as they were. Needs the data folder named by SKLSTM_DATA (default
``../shared/data``). Prints a table and writes ``docs/benchmarks/missing_values.md``::

    python benchmarks/missing_values.py
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from sklstm import LSTMForecaster

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/missing_values.md")
MONTH = 30 * 24
TRAIN, END = 16 * MONTH, 20 * MONTH
SHARE, BLOCK = 0.2, 24
PAGE_TEXT = """# What missing values cost

ETTh1 oil temperature, scaled, window 168, seed 0: mean squared error over all windows
of the test part, where a fifth of all values is removed, one by one or in blocks of a
day. Fresh origins stand right after a value that is there; others have to forecast
across the gap that they stand in. In brackets: over the error with none removed.
Made by `python benchmarks/missing_values.py`.

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
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    PAGE.write_text(PAGE_TEXT.format("\n".join(lines)))


if __name__ == "__main__":
    main()
