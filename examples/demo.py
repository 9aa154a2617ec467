"""Program of `make demo`: the LSTM beside simple models on two real series."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from sklstm import LSTMForecaster, make_windows
from sklstm.datasets import load_air_passengers, load_sunspots
from sklstm.metrics import mean_absolute_scaled_error
from sklstm.plotting import PredictionDisplay, TrainingHistoryDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

OUTPUT = Path("demo_output")
SERIES = {
    # name: (series, rows held out, window length, season, unit)
    "air passengers": (load_air_passengers(), 24, 24, 12, "thousand passengers"),
    "sunspots": (load_sunspots(), 60, 33, 11, "sunspot number"),
}


def one_step_baselines(series, n_test, window_length, season):
    """Forecast the held-out rows one step ahead with models that need no network."""
    values = series.to_numpy()
    first = len(values) - n_test
    windows, following = make_windows(values, window_length)
    ridge = RidgeCV(alphas=np.logspace(-3, 4, 15))
    ridge.fit(windows[:-n_test], following[:-n_test, 0])
    return {
        "last value": values[first - 1 : -1],
        "seasonal naive": values[first - season : -season],
        "ridge on lags": ridge.predict(windows[-n_test:]),
    }


def run(name, series, n_test, window_length, season, unit):
    """Fit, print the errors of one series, and return the data of the picture."""
    train, test = series.iloc[:-n_test], series.iloc[-n_test:]
    forecasts = one_step_baselines(series, n_test, window_length, season)
    networks = {}
    for label, parameters in {
        "simple RNN": {"cell": "rnn", "linear_skip": False},
        "LSTM alone": {"linear_skip": False},
        "LSTM (default)": {},
    }.items():
        print(f"{name}: fitting {label}")
        networks[label] = LSTMForecaster(
            window_length,
            # A network without the linear model needs more and larger steps.
            epochs=300 if parameters else 100,
            learning_rate=0.005 if parameters else 0.001,
            random_state=0,
            verbose=1,
            **parameters,
        ).fit(train)
        forecasts[label] = networks[label].predict(test).to_numpy()
    rows = {}
    for label, forecast in forecasts.items():
        error = test.to_numpy() - forecast
        rows[label] = {
            "MSE": np.mean(error**2),
            "RMSE": np.sqrt(np.mean(error**2)),
            "MASE": mean_absolute_scaled_error(
                test, forecast, y_train=train, seasonal_period=season
            ),
        }
    print(f"\n{name}, last {n_test} rows, one step ahead, in {unit}")
    print(pd.DataFrame(rows).T.round(3).to_string(), "\n")
    return test, forecasts, networks


def draw(name, unit, test, forecasts, networks):
    """Draw predictions on actual values, and loss by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    lstm = forecasts["LSTM (default)"]
    display = PredictionDisplay.from_predictions(test, lstm, ax=left)
    rnn = forecasts["simple RNN"]
    at = display.lines_["actual"].get_xdata()
    left.plot(at, rnn, ":", color="#E69F00", label="simple RNN")
    left.set(title=f"{name}: one step ahead", ylabel=unit)
    left.legend()
    TrainingHistoryDisplay.from_estimator(networks["LSTM alone"], ax=right)
    right.set(title="LSTM alone: training", ylabel="MSE, scaled", yscale="log")
    path = OUTPUT / f"{name.replace(' ', '_')}.png"
    figure.savefig(path, dpi=100)
    plt.close(figure)
    print(f"Picture saved to {path.resolve()}\n")


if __name__ == "__main__":
    OUTPUT.mkdir(exist_ok=True)
    for name, (series, n_test, window_length, season, unit) in SERIES.items():
        result = run(name, series, n_test, window_length, season, unit)
        draw(name, unit, *result)
