"""Accuracy with default settings beside simple models, on real series.

Only `window_length` and `horizon` are set. Every model gets the same windows and the
same training rows. The data folder is named by SKLSTM_DATA (default
``../shared/data``). Prints a table and writes ``docs/benchmarks/accuracy.md``::

    python benchmarks/accuracy.py [--seeds 5] [--only NAME ...]
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from pages import provenance, write_table
from sklearn.linear_model import Ridge

from sklstm import LSTMForecaster

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PENALTIES = np.logspace(-3, 5, 17)
PAGE = Path("docs/benchmarks/accuracy.md")


def read(name, column):
    return pd.read_csv(DATA / name, parse_dates=[column], index_col=column)


def tasks():
    """Yield name, (y, X or None, n_test, window_length, horizon, season, fraction)."""
    air = read("airline.csv", "month").asfreq("MS")
    yield "air passengers", (air, None, 24, 24, 12, 12, 0.2)
    sunspots = read("sunspots_monthly.csv", "month").asfreq("MS")
    yield "monthly sunspots", (sunspots, None, 132, 132, 12, None, 0.2)
    # Without its dates, because the two last days of leap years are missing.
    temp = read("daily_min_temperatures.csv", "date").reset_index(drop=True)
    yield "min temperatures", (temp, None, 365, 28, 7, 7, 0.2)
    exchange = pd.read_csv(DATA / "exchange_rate.csv.xz")
    n_test = len(exchange) // 5
    yield "exchange rate", (exchange, None, n_test, 48, 24, None, 0.2)
    bike = read("bike_sharing_hourly.csv.xz", "date").asfreq("h")
    X = pd.get_dummies(
        bike.drop(columns="users"), columns=["weather", "hour", "weekday"]
    ).astype(float)
    yield "bike sharing", (bike[["users"]], X, 28 * 24, 48, 24, 24, 0.2)
    month = 30 * 24
    ett = read("etth1.csv.xz", "date").iloc[: 20 * month]
    # Scaled by the first twelve months, as published results on ETTh1 are.
    ett = (ett - ett[: 12 * month].mean()) / ett[: 12 * month].std(ddof=0)
    for name, columns in (("OT", ["OT"]), ("7 columns", list(ett))):
        for horizon in (24, 48, 168):
            task = (ett[columns], None, 4 * month, 168, horizon, 24, 0.25)
            yield f"ETTh1 {name}, {horizon}", task


def windows_of(y, X, starts, length, horizon):
    past = starts[:, None] + np.arange(length)
    ahead = past[:, -1:] + 1 + np.arange(horizon)
    inputs = [y[past].reshape(len(starts), -1)]
    if X is not None:
        inputs += [X[rows].reshape(len(starts), -1) for rows in (past, ahead)]
    return np.concatenate(inputs, axis=1), y[ahead].reshape(len(starts), -1)


def baselines(y, X, n_test, length, horizon, season, fraction):
    """Return the MSE of simple models over all windows with targets in the test rows.

    The ridge regression is scikit-learn's, on scaled rows. Its penalty is chosen on the
    validation block, and it is then fitted again on all training rows, as sklstm is.
    """
    n_train = len(y) - n_test
    origins = np.arange(n_train, len(y) - horizon + 1)
    ahead = origins[:, None] + np.arange(horizon)
    result = {"last value": np.mean((y[ahead] - y[origins - 1][:, None]) ** 2)}
    result["seasonal naive"] = np.nan
    if season:
        back = origins[:, None] - season + np.arange(horizon) % season
        result["seasonal naive"] = np.mean((y[ahead] - y[back]) ** 2)
    mean, scale = y[:n_train].mean(axis=0), y[:n_train].std(axis=0)
    scaled = (y - mean) / scale
    if X is not None:
        X_scale = X[:n_train].std(axis=0)
        X = (X - X[:n_train].mean(axis=0)) / np.where(X_scale > 0, X_scale, 1)
    starts = np.arange(n_train - length - horizon + 1)
    inputs, targets = windows_of(scaled, X, starts, length, horizon)
    cut = int(n_train * (1 - fraction)) - length
    # A gap of one horizon: targets of the fitted windows end before the cut.
    fit_on, check_on = slice(0, max(cut - horizon, 8)), slice(cut, None)
    errors = []
    for alpha in PENALTIES:
        model = Ridge(alpha).fit(inputs[fit_on], targets[fit_on])
        errors.append(
            np.mean((model.predict(inputs[check_on]) - targets[check_on]) ** 2)
        )
    ridge = Ridge(PENALTIES[int(np.argmin(errors))]).fit(inputs, targets)
    inputs, targets = windows_of(scaled, X, origins - length, length, horizon)
    error = (ridge.predict(inputs) - targets).reshape(-1, horizon, y.shape[1]) * scale
    result["ridge"] = np.mean(error**2)
    return result


def ours(y, X, n_test, length, horizon, fraction, seed, **settings):
    """Return MSE over the same windows, fit seconds, and the fitted forecaster."""
    f = LSTMForecaster(
        length,
        horizon,
        validation_fraction=fraction,
        random_state=seed,
        **settings,
    )
    start = time.perf_counter()
    if X is None:
        f.fit(y.iloc[:-n_test])
        seconds = time.perf_counter() - start
        table = f.backtest(y.iloc[-n_test:])
    else:
        f.fit(X.iloc[:-n_test], y.iloc[:-n_test])
        seconds = time.perf_counter() - start
        table = f.backtest(X.iloc[-n_test:], y.iloc[-n_test:])
    mse = np.mean((table["y_true"] - table["y_pred"]) ** 2)
    return mse, seconds, f


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    provenance()
    rows = []
    for name, (y, X, n_test, length, horizon, season, fraction) in tasks():
        if arguments.only and name not in arguments.only:
            continue
        arrays = y.to_numpy(float), None if X is None else X.to_numpy(float)
        row = {"task": name, "window": length, "horizon": horizon}
        row |= baselines(*arrays, n_test, length, horizon, season, fraction)
        seeds, options = range(arguments.seeds), (n_test, length, horizon, fraction)
        runs = [ours(y, X, *options, seed) for seed in seeds]
        alone = [ours(y, X, *options, seed, pretrained=False) for seed in seeds]
        errors = np.array([run[0] for run in runs])
        row["LSTMForecaster"] = errors.mean()
        row["± sd"] = errors.std(ddof=1) if len(errors) > 1 else np.nan
        row["/ ridge"] = errors.mean() / row["ridge"]
        row["alone"] = np.mean([run[0] for run in alone])
        row["fit s"] = np.median([run[1] for run in runs])
        row["best epochs"] = ",".join(str(run[2].best_epoch_) for run in runs)
        rows.append(row)
        print(pd.DataFrame([row]).to_string(index=False), flush=True)
        write(rows, arguments.seeds)


HEAD = """# Accuracy with default settings

With default settings the error of sklstm is below that of ridge regression on every
task except air passengers. The table shows the mean squared error over all windows of
the held-out rows, in squared units of the series. ETTh1 is standardized by the mean and
the standard deviation of its first twelve months. Only `window_length` and `horizon`
are set. Errors are means and standard deviations over {} seeds. "Alone" is
`pretrained=False`, with the same seeds. Ridge regression has the same window and
training rows; its penalty is chosen on the same validation block. Written by `python
benchmarks/accuracy.py`.
"""


def write(rows, n_seeds):
    cells = [
        [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()]
        for row in rows
    ]
    cells = [["–" if cell == "nan" else cell for cell in row] for row in cells]
    order = [(name,) for name, _ in tasks()]
    write_table(PAGE, HEAD.format(n_seeds), list(rows[0]), cells, order)


if __name__ == "__main__":
    main()
