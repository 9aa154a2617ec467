"""Forecasters of other libraries with their defaults, on the same rows and window.

Each library runs in its own process, one after the other: sklstm in the environment of
this script, the others in the environment whose Python PEERS names (`make bench-peers`
prepares it). The data folder is named by SKLSTM_DATA (default ``../shared/data``).
Prints a table and writes ``docs/benchmarks/peers.md``; arguments choose tasks and
libraries. Seeds count from 0::

    PEERS=.venv-peers/bin/python python benchmarks/peers.py --tasks "bike sharing" \\
        --libraries sklstm darts --seeds 3
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from pages import commit, provenance

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/peers.md")
# Settings among which `sklstm_chosen` chooses.
SETTINGS = [
    {},
    {"learning_rate": 0.003},
    {"learning_rate": 0.003, "units": 64},
    {"learning_rate": 0.003, "units": 64, "dropout": 0},
]
# file, column, rows, held out, window length, horizon, rows between origins, frequency
TASKS = {
    "air passengers": ("airline.csv", -1, None, 24, 24, 12, 1, "MS"),
    "ETTh1 OT": ("etth1.csv.xz", "OT", 14400, 2880, 168, 24, 24, "h"),
    "bike sharing": ("bike_sharing_hourly.csv.xz", "users", None, 672, 48, 24, 1, "h"),
}


def load(task):
    file, column, n_rows, n_test, *rest, freq = TASKS[task]
    frame = pd.read_csv(DATA / file)
    y = frame.iloc[:, column] if isinstance(column, int) else frame[column]
    y = y.astype(float).to_numpy()[:n_rows]
    index = pd.date_range("2000-01-01", periods=len(y), freq=freq)
    return pd.Series(y, index, name="y"), n_test, *rest


def sklstm(y, n_test, length, horizon, stride, seed, settings=({},)):
    """Fit sklstm with the settings of least error on the validation block of `fit`."""
    from sklstm import LSTMForecaster

    start = time.perf_counter()
    fitted = [
        LSTMForecaster(length, horizon, random_state=seed, **setting).fit(y[:-n_test])
        for setting in settings
    ]
    best = int(np.argmax([f.skill_ for f in fitted]))
    seconds, f = time.perf_counter() - start, fitted[best]
    print([(setting, f.skill_) for setting, f in zip(settings, fitted, strict=True)])
    table = f.backtest(y[-n_test:], stride=stride)
    return table["y_pred"].to_numpy().reshape(-1, horizon), seconds, f.forecast


def sklstm_alone(*task):
    return sklstm(*task, [{"pretrained": False}])


def sklstm_chosen(*task):
    return sklstm(*task, SETTINGS)


def darts(y, n_test, length, horizon, stride, seed):
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel

    start = time.perf_counter()
    whole, scaler = TimeSeries.from_series(y), Scaler()
    train = scaler.fit_transform(whole[:-n_test])
    model = BlockRNNModel(
        length,
        horizon,
        model="LSTM",
        random_state=seed,
        pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
    )
    model.fit(train)
    seconds = time.perf_counter() - start
    parts = model.historical_forecasts(
        scaler.transform(whole),
        start=len(y) - n_test,
        start_format="position",
        forecast_horizon=horizon,
        stride=stride,
        retrain=False,
        last_points_only=False,
    )
    forecasts = [scaler.inverse_transform(part).values()[:, 0] for part in parts]
    return np.array(forecasts), seconds, lambda: model.predict(horizon, train)


def neuralforecast(y, n_test, length, horizon, stride, seed):
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    frame = pd.DataFrame({"unique_id": "y", "ds": y.index, "y": y.to_numpy()})
    start = time.perf_counter()
    model = LSTM(
        h=horizon,
        input_size=length,
        random_seed=seed,
        accelerator="cpu",
        enable_progress_bar=False,
    )
    f = NeuralForecast([model], freq=y.index.freqstr)
    f.fit(frame[:-n_test])
    seconds = time.perf_counter() - start

    def at(origin):
        return f.predict(frame[origin - length : origin])["LSTM"].to_numpy()

    origins = range(len(y) - n_test, len(y) - horizon + 1, stride)
    return np.array([at(o) for o in origins]), seconds, lambda: at(len(y) - n_test)


def skforecast(y, n_test, length, horizon, stride, seed):
    import keras
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    keras.utils.set_random_seed(seed)
    frame = y.to_frame()
    start = time.perf_counter()
    model = create_and_compile_model(
        frame[:-n_test], lags=length, steps=horizon, levels="y"
    )
    # The default of one epoch is too few to compare; skforecast's guides set more.
    options = {"epochs": 25, "verbose": 0}
    f = ForecasterRnn(model, levels="y", lags=length, fit_kwargs=options)
    f.fit(frame[:-n_test], suppress_warnings=True)
    seconds = time.perf_counter() - start

    def at(origin):
        window = frame[origin - length : origin]
        return f.predict(last_window=window, suppress_warnings=True)["pred"].to_numpy()

    origins = range(len(y) - n_test, len(y) - horizon + 1, stride)
    return np.array([at(o) for o in origins]), seconds, lambda: at(len(y) - n_test)


CONTENDERS = [sklstm, sklstm_alone, sklstm_chosen, darts, neuralforecast, skforecast]


def measured(contender, task, seed):
    """Return mean squared error, fit seconds, median milliseconds of one forecast."""
    y, n_test, length, horizon, stride = load(task)
    forecasts, seconds, once = contender(y, n_test, length, horizon, stride, seed)
    origins = np.arange(len(y) - n_test, len(y) - horizon + 1, stride)
    actual = y.to_numpy()[origins[:, None] + np.arange(horizon)]
    spent = []
    for _ in range(11):
        start = time.perf_counter()
        once()
        spent.append(time.perf_counter() - start)
    scale = y[:-n_test].std(ddof=0)
    each = np.mean(((actual - forecasts) / scale) ** 2, axis=1)
    error = each.mean()
    print(f"from the first origin of each horizon alone: {each[::horizon].mean():.4f}")
    return float(error), seconds, 1000 * float(np.median(spent))


def run_alone(name, task, seed):
    """Return the result of `measured` from a new process."""
    python = sys.executable if name.startswith("sklstm") else os.environ["PEERS"]
    command = [python, __file__, "measure", name, task, str(seed)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        print(run.stderr[-2000:])
        raise SystemExit(f"{name} failed on {task}.")
    *said, figures = run.stdout.splitlines()
    print(*said[-2:], figures, sep="\n", flush=True)
    return json.loads(figures)


def with_row(lines, task, name, cells):
    """Return the page's lines with a row replaced, or added below its task's rows."""
    row = f"| {task} | {name} |"
    matches = [i for i, line in enumerate(lines) if line.startswith(row)]
    if matches:
        start, end = matches[0], matches[0] + 1
    else:
        start = end = 1 + max(
            i for i, line in enumerate(lines) if line.startswith(f"| {task} ")
        )
    return [*lines[:start], f"{row} {' | '.join(cells)} |", *lines[end:]]


def main(tasks, contenders, n_seeds):
    """Measure, and put the rows into the page; the rest of the page stays as it is."""
    provenance()
    for task in tasks:
        for name in contenders:
            runs = np.array([run_alone(name, task, seed) for seed in range(n_seeds)])
            _, seconds, forecast = np.median(runs, axis=0)
            error = f"{runs[:, 0].mean():.4f}"
            if n_seeds > 1:
                error += f" ± {runs[:, 0].std(ddof=1):.4f}"
            cells = error, f"{n_seeds}", f"{seconds:.1f}", f"{forecast:.1f}", commit()
            lines = with_row(PAGE.read_text().splitlines(), task, name, cells)
            lines = [
                f"Last run: {provenance()}." if line.startswith("Last run: ") else line
                for line in lines
            ]
            PAGE.write_text("\n".join(lines) + "\n")
            print(task, name, *cells, flush=True)


if __name__ == "__main__":
    chosen = {contender.__name__: contender for contender in CONTENDERS}
    if sys.argv[1:2] == ["measure"]:
        _, _, name, task, seed = sys.argv
        print(json.dumps(measured(chosen[name], task, int(seed))))
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
        parser.add_argument("--libraries", nargs="+", choices=chosen, default=chosen)
        parser.add_argument("--seeds", type=int, default=1)
        arguments = parser.parse_args()
        main(arguments.tasks, arguments.libraries, arguments.seeds)
