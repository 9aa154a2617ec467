"""Program of `make demo`: compare LSTMs with simple models on two real series.

Monthly sunspots have cycles without a fixed length, and hourly bike rentals depend on
weather and calendar. On both, a network is more accurate than linear models.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import RidgeCV

from sklstm import LSTMForecaster
from sklstm.datasets import load_bike_sharing, load_monthly_sunspots
from sklstm.plotting import TrainingHistoryDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.dates import ConciseDateFormatter  # noqa: E402

OUTPUT = Path("demo_output")
N_DRAWN = 168  # rows: all months of the sunspots, a week of hours
OWN, RIDGE = "LSTMForecaster", "ridge on the same window"


def ridge_forecasts(f, y, n_test, X=None):
    """Forecast the test rows by ridge regression on the windows of a forecaster."""
    length, values = f.window_length, y.to_numpy()
    rows = sliding_window_view(np.arange(len(y)), length + f.horizon)
    windows, following = values[rows[:, :length]], values[rows[:, length:]]
    if X is not None:  # inputs are known for the hours that are forecast, too
        inputs = X.to_numpy()[rows].reshape(len(rows), -1)
        windows = np.concatenate([windows, inputs], axis=1)
    ridge = RidgeCV(alphas=np.logspace(-3, 5, 17))
    ridge.fit(windows[:-n_test], following[:-n_test])
    return ridge.predict(windows[f.horizon - 1 - n_test :])


def actual_rows(y, n_test, horizon):
    """Return the rows that follow each origin in the test part."""
    values = y.to_numpy()[-n_test:]
    return sliding_window_view(values, horizon)


def repeated(y, n_test, horizon, period):
    """Forecast by the rows one period before; a period of 1 is the last value."""
    values, first = y.to_numpy(), len(y) - n_test
    ahead = np.arange(n_test - horizon + 1)[:, None] + np.arange(horizon)
    return values[first + ahead - period * (np.arange(horizon) // period + 1)]


def forecasts_of(f, rows, y=None):
    """Return the forecasts from all origins, one row for each."""
    table = f.backtest(rows) if y is None else f.backtest(rows, y)
    return table.pivot(index="origin", columns="step", values="y_pred").to_numpy()


def told(name, unit, actual, forecasts):
    """Print errors and a verdict."""
    mse = {label: np.mean((actual - made) ** 2) for label, made in forecasts.items()}
    table = pd.DataFrame({"MSE": mse}).assign(RMSE=lambda t: np.sqrt(t["MSE"]))
    print(f"\n{name}, {actual.shape[1]} steps ahead, errors in {unit}")
    print(table.sort_values("MSE").round(1).to_string())
    best = min(mse, key=mse.get)
    change = 1 - mse[OWN] / mse[RIDGE]
    word = "below" if change >= 0 else "above"
    print(
        f"{best} has the smallest error. The MSE of {OWN} is {abs(change):.0%} {word} "
        f"that of {RIDGE}.\n"
    )


def sunspots():
    """Train LSTM and simple RNN by themselves, and an LSTM beside the linear model."""
    y, n_test = load_monthly_sunspots(), 132
    train, test = y[:-n_test], y[-n_test:]
    networks = {}
    for label, parameters in {
        "simple RNN alone": {"cell": "rnn", "linear_skip": False},
        "LSTM alone": {"linear_skip": False},
        OWN: {},
    }.items():
        print(f"monthly sunspots: fitting {label}")
        networks[label] = LSTMForecaster(
            window_length=132, horizon=12, random_state=0, verbose=1, **parameters
        ).fit(train)
    forecasts = {
        "last value": repeated(y, n_test, 12, 1),
        RIDGE: ridge_forecasts(networks[OWN], y, n_test),
    } | {label: forecasts_of(f, test) for label, f in networks.items()}
    told("Monthly sunspots", "sunspot numbers", actual_rows(y, n_test, 12), forecasts)
    draw("sunspots", "sunspot number", test, forecasts, networks)


def bikes():
    """Forecast the rentals of the next day from weather and calendar."""
    X, y = load_bike_sharing(return_X_y=True)
    X = X.assign(hour=X.index.hour, weekday=X.index.day_of_week)
    X = pd.get_dummies(X, columns=["weather", "hour", "weekday"]).astype(float)
    n_test = 28 * 24
    print("bike sharing: fitting LSTMForecaster")
    f = LSTMForecaster(window_length=48, horizon=24, random_state=0, verbose=1)
    f.fit(X[:-n_test], y[:-n_test])
    forecasts = {
        "the same hour of the last day": repeated(y, n_test, 24, 24),
        RIDGE: ridge_forecasts(f, y, n_test, X),
        OWN: forecasts_of(f, X[-n_test:], y[-n_test:]),
    }
    told("Bike sharing", "users an hour", actual_rows(y, n_test, 24), forecasts)
    draw("bike_sharing", "users an hour", y[-n_test:], forecasts, {OWN: f})


def draw(name, unit, test, forecasts, networks):
    """Draw forecasts that follow each other on actual values, and loss by epoch."""
    test = test[:N_DRAWN]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, 4), width_ratios=[2, 1], layout="constrained"
    )
    left.plot(test.index, test, color="black", label="actual")
    colours = {RIDGE: "#999999", "LSTM alone": "#E69F00", OWN: "#0072B2"}
    for label, colour in colours.items():
        if label in forecasts:
            made = forecasts[label]
            values = made[:: made.shape[1]].ravel()[: len(test)]
            left.plot(test.index[: len(values)], values, color=colour, label=label)
    left.set(title=f"Forecasts of {made.shape[1]} steps, end to end", ylabel=unit)
    left.xaxis.set_major_formatter(ConciseDateFormatter(left.xaxis.get_major_locator()))
    left.spines[["top", "right"]].set_visible(False)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4, frameon=False)
    label, network = next(reversed(networks.items()))
    TrainingHistoryDisplay.from_estimator(network, ax=right)
    right.set(title=f"{label}: training", ylabel="MSE, scaled")
    path = OUTPUT / f"{name}.png"
    figure.savefig(path, dpi=100)
    plt.close(figure)
    print(f"Picture saved to {path.resolve()}\n")


if __name__ == "__main__":
    OUTPUT.mkdir(exist_ok=True)
    sunspots()
    bikes()
