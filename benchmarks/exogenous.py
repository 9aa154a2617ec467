"""Bike sharing with exogenous columns, beside gradient boosting on lags and the same.

One day ahead from eight weekly origins, and from every hour of these weeks. Settings of
both are chosen on the eight weeks before, which end the training part; then each is
fitted again on all of it. Needs the data folder named by SKLSTM_DATA (default
``../shared/data``). Prints a table and writes ``docs/benchmarks/exogenous.md``::

    python benchmarks/exogenous.py [SEEDS]
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pages import said_below
from sklearn.ensemble import HistGradientBoostingRegressor

from sklstm import LSTMForecaster

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/exogenous.md")
HORIZON, WEEK, N_TEST = 24, 168, 8 * 168
CALENDAR = ("hour", "dayofweek", "month")
LOSSES = {"mse": "squared_error", "mae": "absolute_error"}
BOOSTED = [(n, loss) for n in (24, 48, 168) for loss in LOSSES.values()]
OURS = [
    {"window_length": 48},
    *(
        {"window_length": n, "scaler": "log", "loss": loss}
        for n in (48, 168)
        for loss in LOSSES
    ),
    {"window_length": 48, "scaler": "log", "loss": "mae", "units": 64},
    {"window_length": 48, "scaler": "log", "loss": "mae", "n_members": 3},
]


def boosted(y, X, n_train, settings, _seed):
    """Forecasts of one model a step ahead, which goes on from its own."""
    n_lags, loss = settings
    rows, lags = np.arange(n_lags, n_train), np.arange(1, n_lags + 1)
    model = HistGradientBoostingRegressor(loss=loss, random_state=0)
    model.fit(np.c_[y[rows[:, None] - lags], X[rows]], y[rows])
    origins = origins_of(n_train)
    past, steps = y[origins[:, None] - lags], []
    for step in range(HORIZON):
        steps.append(model.predict(np.c_[past, X[origins + step]]))
        past = np.c_[steps[-1], past[:, :-1]]
    return np.stack(steps, axis=1)


def ours(y, X, n_train, settings, seed):
    f = LSTMForecaster(
        horizon=HORIZON, calendar=CALENDAR, random_state=seed, **settings
    )
    end = n_train + N_TEST
    table = f.fit(X[:n_train], y[:n_train]).backtest(X[n_train:end], y[n_train:end])
    return table["y_pred"].to_numpy().reshape(-1, HORIZON)


def origins_of(n_train):
    return np.arange(n_train, n_train + N_TEST - HORIZON + 1)


def errors(y, n_train, forecasts):
    """Mean absolute error from the weekly origins, and from all."""
    actual = y[origins_of(n_train)[:, None] + np.arange(HORIZON)]
    each = np.abs(forecasts - actual).mean(axis=1)
    return each[::WEEK].mean(), each.mean()


def main(n_seeds):
    path = DATA / "bike_sharing_hourly.csv.xz"
    frame = pd.read_csv(path, parse_dates=["date"], index_col="date").asfreq("h")
    y = frame.pop("users").astype(float)
    codes = frame.assign(weather=frame["weather"].astype("category").cat.codes)
    # Trees read the calendar as it is given, ours as `calendar`.
    inputs = frame.drop(columns=["month", "hour", "weekday"])
    inputs = pd.get_dummies(inputs, columns=["weather"]).astype(float)
    values, n_train = y.to_numpy(), len(y) - N_TEST
    contenders = {
        "HistGradientBoostingRegressor": (
            boosted,
            values,
            codes.to_numpy(float),
            BOOSTED,
            1,
        ),
        "LSTMForecaster": (ours, y, inputs, OURS, n_seeds),
    }
    rows, chosen = [], []
    for name, (run, target, X, candidates, n_runs) in contenders.items():
        before = n_train - N_TEST
        found = []
        for settings in candidates:
            forecasts = run(target, X, before, settings, 0)
            found.append(errors(values, before, forecasts))
            print(name, settings, *found[-1], flush=True)
        best = int(np.argmin([of_all for _, of_all in found]))
        for i, (settings, (weekly, of_all)) in enumerate(
            zip(candidates, found, strict=True)
        ):
            mark = "**chosen**" if i == best else ""
            chosen.append(
                f"| {name} | {settings} | {weekly:.2f} | {of_all:.2f} | {mark} |"
            )
        tested = np.array(
            [
                errors(values, n_train, run(target, X, n_train, candidates[best], seed))
                for seed in range(n_runs)
            ]
        )
        rows.append((name, *tested.mean(axis=0), *np.ptp(tested, axis=0)))
        print(*rows[-1], flush=True)
    lines = [
        f"| {n} | {w:.2f} | {a:.2f} | {p:.2f}, {q:.2f} |" for n, w, a, p, q in rows
    ]
    ratios = [rows[1][i] / rows[0][i] for i in (1, 2)]
    made = PAGE_TEXT.format(n_seeds, "\n".join(lines), *ratios, "\n".join(chosen))
    PAGE.write_text(made + said_below(PAGE))


PAGE_TEXT = """# Inputs known ahead, beside gradient boosting

Hourly bike sharing with weather and calendar, 24 hours ahead, last eight weeks: mean
absolute error in users from the first hour of each week, and from every hour; {} seeds.
Boosting forecasts one step from lags and the same columns, and goes on from its own
forecasts. Made by `python benchmarks/exogenous.py`.

| method | 8 weekly origins | every hour | range over seeds |
|---|---|---|---|
{}

Ours over boosting: {:.2f} from the weekly origins, {:.2f} from every hour. Settings
were chosen on the eight weeks before, by the error from every hour; boosting has its
number of lags and its loss:

| method | settings | 8 weekly origins | every hour | |
|---|---|---|---|---|
{}
"""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
