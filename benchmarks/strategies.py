"""Three ways to forecast many steps: direct, recursive, and encoder-decoder.

Direct is the default: one head gives all steps of the horizon. Recursive is
``horizon=1``, whose forecasts are fed back. The encoder-decoder is a second LSTM that
reads, at each step ahead, what the first made of the window and the inputs known at
that step; one head turns each of its states into a forecast. It is written below with
``network=``, and stands beside the same linear model. Settings are otherwise the
defaults, and epochs are chosen on the validation block. Writes
``docs/benchmarks/strategies.md``::

    python benchmarks/strategies.py [--seeds 5] [--only NAME ...]
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import read, tasks

from sklstm import LSTMForecaster

PAGE = Path("docs/benchmarks/strategies.md")
# Fits of the others take minutes.
MANY_SEEDS, FEW_SEEDS = ("air passengers", "monthly sunspots"), 3
UNITS, DROPOUT, READ = 32, 0.1, 48
CALENDAR = ("hour", "dayofweek")
WEATHER = ["temp", "atemp", "hum", "windspeed", "holiday", "workingday"]


def encoder_decoder(n_levels, window_shape, n_context, output_shape):
    """A decoder beside the linear model, which is told by the names head and skip."""
    from keras import Input, Model, layers

    from sklstm.layers import LSTM

    length, (horizon, n_targets) = window_shape[0], output_shape
    window = Input(window_shape, name="window")
    context = Input((n_context,), name="context")
    recent = layers.Cropping1D((max(length - READ, 0), 0))(window)
    state = layers.Dropout(DROPOUT)(LSTM(UNITS, name="encoder")(recent))
    steps = layers.RepeatVector(horizon)(state)
    if n_context > n_levels:
        ahead = layers.Reshape((horizon, -1))(context[:, n_levels:])
        steps = layers.Concatenate()([steps, ahead])
    states = LSTM(UNITS, return_sequences=True, name="decoder")(steps)
    output = layers.Dense(n_targets, name="head")(layers.Dropout(DROPOUT)(states))
    flat = layers.Concatenate()([layers.Flatten()(window), context])
    skip = layers.Dense(horizon * n_targets, name="skip", trainable=False)(flat)
    forecast = layers.Add()([output, layers.Reshape(output_shape)(skip)])
    return Model([window, context], forecast)


def contenders():
    """name, (y, X or None, n_test, window_length, horizon, fraction, calendar)."""
    for name, (y, _, n_test, length, horizon, _, fraction) in tasks():
        if name in (*MANY_SEEDS, "ETTh1 OT, 24", "ETTh1 OT, 48"):
            yield name, (y, None, n_test, length, horizon, fraction, None)
    bike = read("bike_sharing_hourly.csv.xz", "date").asfreq("h")
    X = bike[WEATHER].astype(float)
    yield "bike sharing", (bike[["users"]], X, 28 * 24, 48, 24, 0.2, CALENDAR)


def error_of(strategy, task, seed):
    """Mean squared error over all windows of the test rows, and seconds of the fit."""
    y, X, n_test, length, horizon, fraction, calendar = task
    f = LSTMForecaster(
        length,
        1 if strategy == "recursive" else horizon,
        calendar=calendar,
        network=partial(encoder_decoder, 1) if strategy == "decoder" else None,
        validation_fraction=fraction,
        random_state=seed,
    )
    data = (y,) if X is None else (X, y)
    start = time.perf_counter()
    f.fit(*(part.iloc[:-n_test] for part in data))
    seconds = time.perf_counter() - start
    table = f.backtest(*(part.iloc[-n_test:] for part in data), steps=horizon)
    error = np.mean((table["y_true"] - table["y_pred"]) ** 2)
    print(strategy, seed, f"{error:.5g}", f"{f.skill_:.4f}", f.best_epoch_, flush=True)
    return error, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    rows = []
    for name, task in contenders():
        if arguments.only and name not in arguments.only:
            continue
        few = name not in MANY_SEEDS
        n_seeds = min(arguments.seeds, FEW_SEEDS) if few else arguments.seeds
        row = {"task": name, "seeds": n_seeds}
        for strategy in ("direct", "recursive", "decoder"):
            runs = [error_of(strategy, task, seed) for seed in range(n_seeds)]
            errors = [error for error, _ in runs]
            spread = np.std(errors, ddof=1) if n_seeds > 1 else 0
            row[strategy] = f"{np.mean(errors):.4g} ± {spread:.2g}"
            row[f"{strategy}, fit s"] = f"{np.median([s for _, s in runs]):.0f}"
        rows.append(row)
        print(row, flush=True)
        write(pd.DataFrame(rows))


def write(table):
    columns = list(table.columns)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.to_numpy()]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")


HEAD = """# Strategies for many steps

Mean squared error over all windows of the held-out rows, in squared units of the series
(ETTh1: scaled, as is customary); mean ± standard deviation over seeds. *Direct* is the
default: one head gives all steps. *Recursive* is `horizon=1`, fed its own forecasts.
*Decoder* is an encoder-decoder beside the same linear model, made by `network=`. Each
chose its epochs on its validation block; `min_skill`, which keeps the linear model
unless the network is clearly better, does not apply to `network=`. Bike sharing has
weather and a calendar as inputs. Made by `python benchmarks/strategies.py`.

No strategy wins everywhere: recursion on air passengers, direct on sunspots, and the
decoder on bike sharing, where inputs are known ahead; on ETTh1 all are level. Direct
stays the default: it is first or second on every task. The decoder, first on one, is no
parameter but an example of `network=`, which the script has ready.

"""


if __name__ == "__main__":
    main()
