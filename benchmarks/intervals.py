"""Coverage of prediction intervals on held-out rows.

All settings but `window_length` and `horizon` are the defaults. The data folder is
named by SKLSTM_DATA (default ``../shared/data``). Prints a table and writes
``docs/benchmarks/intervals.md``::

    python benchmarks/intervals.py ["ETTh1 OT, 24" ...]
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pages import line_of, provenance, write_table

from sklstm import LSTMForecaster
from sklstm.metrics import weighted_quantile_loss

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/intervals.md")
QUANTILES = (0.025, 0.1, 0.9, 0.975)
# The network learns the mean, with intervals from its errors; or it learns quantiles.
KINDS = {"–": {}, "trained": {"quantiles": QUANTILES}}
INSIDE = {"80 %": (0.1, 0.9), "95 %": (0.025, 0.975)}


def read(name, column):
    return pd.read_csv(DATA / name)[column].astype(float)


def tasks():
    """Yield name, y, X or None, rows held out, window length, horizon, stride.

    Strides of 5 and 7 share no factor with 24, so origins cover all hours of the day.
    """
    etth1 = read("etth1.csv.xz", "OT")[:14400]
    for horizon in (24, 48, 168):
        yield f"ETTh1 OT, {horizon}", etth1, None, 2880, 168, horizon, 7
    etth2 = read("etth2.csv.xz", "OT")[:14400]
    yield "ETTh2 OT, 24", etth2, None, 2880, 168, 24, 7
    bikes = pd.read_csv(DATA / "bike_sharing_hourly.csv.xz")
    numbers = bikes.select_dtypes("number").astype(float)
    y, X = numbers.pop("users"), numbers
    yield "bike sharing, 24", y, None, 28 * 24, 168, 24, 5
    yield "bike sharing with exogenous columns, 24", y, X, 28 * 24, 168, 24, 5
    cold = pd.read_csv(DATA / "daily_min_temperatures.csv").iloc[:, -1].astype(float)
    yield "daily minimum temperatures, 7", cold, None, 365, 28, 7, 1
    spots = pd.read_csv(DATA / "sunspots_monthly.csv").iloc[:, -1].astype(float)
    yield "monthly sunspots, 12", spots, None, 264, 132, 12, 1
    air = pd.read_csv(DATA / "airline.csv").iloc[:, -1].astype(float)
    yield "air passengers, 12", air, None, 24, 24, 12, 1


def shares(table):
    """Return coverages by third of the horizon, mean width and quantile loss."""
    third = (table["step"] - 1) * 3 // table["step"].max() + 1
    row = {}
    for name, (low, high) in INSIDE.items():
        inside = (table[low] <= table["y_true"]) & (table["y_true"] <= table[high])
        share = inside.groupby(third).mean()
        row |= {f"{name}, third {i}": share[i] for i in share.index}
    error = np.abs(table["y_true"] - table["y_pred"]).mean()
    row["width 80 % / mean error"] = (table[0.9] - table[0.1]).mean() / error
    row["quantile loss"] = weighted_quantile_loss(
        table["y_true"], table[list(QUANTILES)], quantiles=QUANTILES
    )
    return row


def m4_hourly(**settings):
    """Measure M4 hourly: 414 series, one origin each."""
    frame = pd.read_csv(DATA / "m4_hourly.csv.xz").set_index(["id", "t"])
    train = frame["y"][frame["split"] == "train"]
    test = frame["y"][frame["split"] == "test"]
    f = LSTMForecaster(
        336,
        48,
        stride=2,
        scaler="log",
        window_norm="scale",
        seasonal_period=(24, 168),
        deseasonalize=True,
        random_state=0,
        **settings,
    ).fit(train)
    return shares(f.backtest(test, quantiles=QUANTILES))


def covered(y, X, n_test, length, horizon, stride, **settings):
    """Measure rolling origins of one series."""
    f = LSTMForecaster(length, horizon, random_state=0, **settings)
    if X is None:
        f.fit(y.to_numpy()[:-n_test])
        new = (y.to_numpy()[-n_test:],)
    else:
        f.fit(X.to_numpy()[:-n_test], y.to_numpy()[:-n_test])
        new = X.to_numpy()[-n_test:], y.to_numpy()[-n_test:]
    table = f.backtest(*new, stride=stride, quantiles=QUANTILES)
    return shares(table)


def cells_of(row):
    return [v if isinstance(v, str) else f"{v:.3f}" for v in row.values()]


def write(rows):
    names = [*(name for name, *_ in tasks()), M4]
    order = [(name, kind) for name in names for kind in KINDS]
    write_table(PAGE, HEAD, list(rows[0]), map(cells_of, rows), order, n_keys=2)


def main(only):
    provenance()
    rows = []
    for name, *task in [*tasks(), (M4,)]:
        if only and name not in only:
            continue
        for kind, settings in KINDS.items():
            label = {"series and horizon": name, "quantiles": kind}
            run = covered if task else m4_hourly
            rows.append(label | run(*task, **settings))
            print(line_of(cells_of(rows[-1])), flush=True)
            write(rows)


M4 = "M4 hourly, 48"
HEAD = """# Coverage of intervals

On long series the intervals contain about the share of values that they promise. The
table shows the share of held-out values inside intervals of 80 % and 95 %, by third of
the horizon, over rolling origins without refits. All settings except `window_length`
and `horizon` are the defaults, with seed 0. M4 has the settings of [](many_series.md)
with the default validation block, and one origin for each series. Each series has two
rows: intervals from validation errors (–), and trained `quantiles`. The width is that
of 80 % intervals, divided by the mean absolute error. The quantile loss is that of the
four bounds, divided by the size of the values. Written by `python
benchmarks/intervals.py`.
"""

if __name__ == "__main__":
    main(sys.argv[1:])
