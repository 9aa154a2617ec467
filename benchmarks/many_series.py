"""One model of many series: M4 hourly and M3 monthly, beside naive and published ones.

Window, scaler and norm are chosen by the linear model alone, which takes seconds, on
the last rows of the training part, as many as the horizon; the test part is read once,
with the settings that won. Needs the data folder named by SKLSTM_DATA (default
``../shared/data``). Prints a table and writes
``docs/benchmarks/many_series.md``::

    python benchmarks/many_series.py [--seeds 5]
"""

import argparse
import os
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.metrics import (
    mean_absolute_scaled_error,
    overall_weighted_average,
    symmetric_mean_absolute_percentage_error,
)

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/many_series.md")
SCALERS, NORMS, DESEASONALIZE = ("standard", "log"), ("last", "scale"), (False, True)
# name: file, ids, horizon, seasons, windows, stride
TASKS = {
    "M4 hourly": ("m4_hourly", None, 48, (24, 168), (336, 504), 2),
    "M3 monthly": ("m3", "monthly", 18, (12,), (24, 36, 48), 1),
}
NAMES = ("window_length", "scaler", "window_norm", "deseasonalize")
PUBLISHED = ["ES-RNN (winner)", "Theta", "Naive2", "MLP", "RNN"]


def load(file, period):
    frame = pd.read_csv(DATA / f"{file}.csv.xz").set_index(["id", "t"])
    if period is not None:
        info = pd.read_csv(DATA / f"{file}_info.csv", index_col="id")
        wanted = info.index[info["period"] == period]
        frame = frame[frame.index.get_level_values("id").isin(wanted)]
    return frame["y"][frame["split"] == "train"], frame["y"][frame["split"] == "test"]


def errors(train, test, forecast, season):
    """sMAPE and MASE, each the mean over series."""
    past = {key: part.to_numpy() for key, part in train.groupby(level=0)}
    smape, mase = [], []
    for key, actual in test.groupby(level=0):
        ahead = forecast.loc[[key]]
        smape.append(symmetric_mean_absolute_percentage_error(actual, ahead))
        mase.append(
            mean_absolute_scaled_error(
                actual, ahead, y_train=past[key], seasonal_period=season
            )
        )
    return np.mean(smape), np.mean(mase)


def seasonal_naive(train, test, season):
    parts = []
    for key, actual in test.groupby(level=0, sort=False):
        last = train[key].to_numpy()[-season:]
        parts.append(pd.Series(np.resize(last, len(actual)), actual.index))
    return pd.concat(parts)


def fitted(train, horizon, seasons, stride, settings, seed=0, **parameters):
    # The block for early stopping need hold no more than one horizon.
    fraction = horizon / train.groupby(level=0).size().median()
    return LSTMForecaster(
        horizon=horizon,
        seasonal_period=seasons,
        stride=stride,
        validation_fraction=min(0.2, fraction),
        random_state=seed,
        **settings,
        **parameters,
    ).fit(train)


def choose(train, horizon, seasons, windows, stride):
    """The settings with the smallest MASE on the end of the training part."""
    held_out = train.groupby(level=0, sort=False).tail(horizon)
    before = train.drop(held_out.index)
    table = {}
    for values in product(windows, SCALERS, NORMS, DESEASONALIZE):
        settings = dict(zip(NAMES, values, strict=True))
        f = fitted(before, horizon, seasons, stride, settings, epochs=0)
        found = errors(before, held_out, f.forecast(), seasons[0])
        table[values] = found
        print("  chosen among:", settings, *found, flush=True)
    best = min(table, key=lambda key: table[key][1])
    return dict(zip(NAMES, best, strict=True)), table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    lines, chosen = [], []
    for name, (file, period, horizon, seasons, windows, stride) in TASKS.items():
        train, test = load(file, period)
        best, table = choose(train, horizon, seasons, windows, stride)
        for settings, (smape, mase) in table.items():
            mark = "**chosen**" if settings == tuple(best.values()) else ""
            cells = (*settings, f"{smape:.2f}", f"{mase:.4f}", mark)
            chosen.append("| " + " | ".join(map(str, (name, *cells))) + " |")
        found, seconds, epochs = [], [], []
        for seed in range(seeds):
            start = time.perf_counter()
            f = fitted(train, horizon, seasons, stride, best, seed)
            seconds.append(time.perf_counter() - start)
            found.append(errors(train, test, f.forecast(), seasons[0]))
            epochs.append(str(f.best_epoch_))
        smape, mase = np.mean(found, axis=0)
        spread = np.std(found, axis=0, ddof=min(1, seeds - 1))
        notes = f"{spread[0]:.2f}, {spread[1]:.4f}", f"{np.median(seconds):.0f}"
        naive = seasonal_naive(train, test, seasons[0])
        naive = errors(train, test, naive, seasons[0])
        rows = [
            ("LSTMForecaster", smape, mase, *notes, ",".join(epochs)),
            ("seasonal naive", *naive, "", "", ""),
        ]
        if name == "M4 hourly":
            path = DATA / "m4_published_results.csv"
            published = pd.read_csv(path, index_col="method", dtype={"method": str})
            published = published.rename(index={"118": "ES-RNN (winner)"})
            published = published[["sMAPE_hourly", "MASE_hourly"]]
            for method in PUBLISHED:
                found = published.loc[method]
                rows.append((f"{method}, published", *found, "", "", ""))
            naive_smape, naive_mase = published.loc["Naive2"]
        for shown, smape, mase, *rest in rows:
            owa = ""
            if name == "M4 hourly":
                owa = overall_weighted_average(
                    smape, mase, naive_smape=naive_smape, naive_mase=naive_mase
                )
                owa = f"{owa:.4f}"
            cells = (name, shown, f"{smape:.2f}", f"{mase:.4f}", owa, *rest)
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    PAGE.write_text(PAGE_TEXT.format(seeds, "\n".join(lines), "\n".join(chosen)))


PAGE_TEXT = """# One model of many series

All series of a set train one network. Errors are means over series, on the official
test part, and over {} seeds; sMAPE is in per cent, OWA relative to the Naive2 of M4.
Made by `python benchmarks/many_series.py`.

| set | method | sMAPE | MASE | OWA | sd of sMAPE, MASE | fit s | best epochs |
|---|---|---|---|---|---|---|---|
{}

Best epoch 0 means that the network added nothing to its linear model. The settings were
chosen by the linear model's MASE on the last rows of the training part:

| set | window | scaler | norm | deseasonalized | sMAPE | MASE | |
|---|---|---|---|---|---|---|---|
{}
"""


if __name__ == "__main__":
    main()
