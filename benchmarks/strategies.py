"""Multi-step strategies: direct, recursive, and encoder-decoder.

The direct strategy is the default: one head gives all steps of the horizon. The
recursive one is ``horizon=1``, whose forecasts are fed back. In the encoder-decoder a
second LSTM reads, at each step ahead, the last state of the first LSTM and the inputs
known at that step; one head turns each of its states into a forecast. It is written
below with ``network=``, beside the same linear model. All other settings are the
defaults, and epochs are chosen on the validation block. Writes
``docs/benchmarks/strategies.md``::

    python benchmarks/strategies.py [--seeds 5] [--only NAME ...]
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
from accuracy import read, tasks
from pages import provenance, write_table

from sklstm import LSTMForecaster

PAGE = Path("docs/benchmarks/strategies.md")
# Fits of the other tasks take minutes, so they have fewer seeds.
MANY_SEEDS, FEW_SEEDS = ("air passengers", "monthly sunspots"), 3
STRATEGIES = ("direct", "recursive", "decoder")
UNITS, DROPOUT, READ = 32, 0.1, 48
CALENDAR = ("hour", "dayofweek")
WEATHER = ["temp", "atemp", "hum", "windspeed", "holiday", "workingday"]


def encoder_decoder(n_levels, window_shape, n_context, output_shape):
    """Build an encoder-decoder beside the linear model.

    `network=` finds the linear model by the names of the layers "head" and "skip".
    """
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
    """Yield name, (y, X or None, n_test, window, horizon, fraction, calendar)."""
    for name, (y, _, n_test, length, horizon, _, fraction) in tasks():
        if name in (*MANY_SEEDS, "ETTh1 OT, 24", "ETTh1 OT, 48"):
            yield name, (y, None, n_test, length, horizon, fraction, None)
    bike = read("bike_sharing_hourly.csv.xz", "date").asfreq("h")
    X = bike[WEATHER].astype(float)
    yield "bike sharing", (bike[["users"]], X, 28 * 24, 48, 24, 0.2, CALENDAR)


def error_of(strategy, task, seed):
    """Return the mean squared error over all windows of the test rows."""
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
    seconds = f"{time.perf_counter() - start:.0f} s"
    table = f.backtest(*(part.iloc[-n_test:] for part in data), steps=horizon)
    error = np.mean((table["y_true"] - table["y_pred"]) ** 2)
    skill = f"{f.skill_:.4f}"
    print(strategy, seed, f"{error:.5g}", skill, f.best_epoch_, seconds, flush=True)
    return error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    provenance()
    rows, order = [], [(name,) for name, _ in contenders()]
    for name, task in contenders():
        if arguments.only and name not in arguments.only:
            continue
        few = name not in MANY_SEEDS
        n_seeds = min(arguments.seeds, FEW_SEEDS) if few else arguments.seeds
        row = [name, n_seeds]
        for strategy in STRATEGIES:
            errors = [error_of(strategy, task, seed) for seed in range(n_seeds)]
            deviation = np.std(errors, ddof=1) if n_seeds > 1 else 0
            row.append(f"{np.mean(errors):.4g} ± {deviation:.2g}")
        rows.append(row)
        print(row, flush=True)
        write_table(PAGE, HEAD, ["task", "seeds", *STRATEGIES], rows, order)


HEAD = """# Strategies for many steps

No strategy has the smallest error on every task; the direct strategy, which is the
default, is first or second on each. The table shows the mean squared error over all
windows of the held-out rows, in squared units of the series (ETTh1: scaled, as is
customary): mean ± standard deviation over seeds. *Direct* is the default: one head
returns all steps. *Recursive* is `horizon=1`, whose forecasts become inputs of the next
steps. *Decoder* is an encoder-decoder network added to the same linear model, built
with `network=`. Every strategy chooses its epochs on the validation block. `min_skill`,
which keeps the linear model unless the network is clearly better, does not apply to
`network=`. Bike sharing has weather and a calendar as inputs. Written by `python
benchmarks/strategies.py`.
"""


if __name__ == "__main__":
    main()
