"""Global models of many series: M4 hourly and M3 monthly, beside published results.

Windows, scaler, norm and loss are chosen on the last rows of the training part, as many
rows as the horizon, by the metric of the competition. The linear model alone makes this
choice, because it takes seconds. The test part is read once, with the chosen settings.
A setting with several windows forecasts the mean of one forecaster a window. If series
differ in length, the network then chooses the length of the validation block in the
same way: a horizon of the median series, or of the shortest one. The data folder is
named by SKLSTM_DATA (default ``../shared/data``). Prints a table and writes
``docs/benchmarks/many_series.md``::

    python benchmarks/many_series.py [--seeds 5] [--sets "M3 monthly"]
"""

import argparse
import os
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from pages import line_of, provenance
from sklearn.preprocessing import FunctionTransformer

from sklstm import LSTMForecaster
from sklstm.metrics import (
    mean_absolute_scaled_error,
    overall_weighted_average,
    symmetric_mean_absolute_percentage_error,
)

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/many_series.md")
SCALERS = {
    "standard": "standard",
    "log": "log",
    "log alone": FunctionTransformer(np.log, np.exp),
}
# The validation share of all series is one horizon of a series of this length.
BLOCKS = {"median": np.median, "shortest": np.min}
# name: file, ids, horizon, seasons, windows, losses, stride, blocks
TASKS = {
    "M4 hourly": (
        "m4_hourly",
        None,
        48,
        (24, 168),
        ((336,), (504,)),
        ("mse",),
        2,
        ("median", "shortest"),
    ),
    "M3 monthly": (
        "m3",
        "monthly",
        18,
        (12,),
        ((24,), (36,), (48,), (24, 36, 48)),
        ("mse", "mae"),
        1,
        ("median",),
    ),
}
NAMES = ("windows", "scaler", "window_norm", "deseasonalize", "loss")
N_SHOWN = 12
PUBLISHED = ["ES-RNN (winner)", "Theta", "Naive2", "MLP", "RNN"]


def load(file, period):
    frame = pd.read_csv(DATA / f"{file}.csv.xz").set_index(["id", "t"])
    if period is not None:
        info = pd.read_csv(DATA / f"{file}_info.csv", index_col="id")
        wanted = info.index[info["period"] == period]
        frame = frame[frame.index.get_level_values("id").isin(wanted)]
    return frame["y"][frame["split"] == "train"], frame["y"][frame["split"] == "test"]


def errors(train, test, forecast, season):
    """Return the means of sMAPE and MASE over series."""
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


def forecast(train, horizon, seasons, stride, settings, block, **parameters):
    """Return the mean forecast of one forecaster a window, and the forecasters."""
    settings = dict(settings)
    windows = settings.pop("windows")
    settings["scaler"] = SCALERS[settings["scaler"]]
    fraction = horizon / BLOCKS[block](train.groupby(level=0).size())
    fitted = [
        LSTMForecaster(
            window,
            horizon,
            seasonal_period=seasons,
            stride=stride,
            validation_fraction=min(0.2, fraction),
            **settings,
            **parameters,
        ).fit(train)
        for window in windows
    ]
    return sum(f.forecast() for f in fitted) / len(fitted), fitted


def choose(name, train, horizon, seasons, windows, losses, stride, blocks):
    """Choose the settings with the least error on the end of the training part.

    Returns
    -------
    settings : dict
    table : dict of tuple to tuple
        (sMAPE, MASE, criterion) of each of the settings, the best first.
    tried : dict of str to tuple
        (sMAPE, MASE, criterion) of each validation block; empty if there is only one.
    """
    held_out = train.groupby(level=0, sort=False).tail(horizon)
    before = train.drop(held_out.index)
    naive = seasonal_naive(before, held_out, seasons[0])
    naive = errors(before, held_out, naive, seasons[0])
    table, made, tried = {}, {}, {}

    def figures(ahead):
        smape, mase = errors(before, held_out, ahead, seasons[0])
        both = (smape / naive[0] + mase / naive[1]) / 2
        return smape, mase, both if name == "M4 hourly" else smape

    for values in product(windows, SCALERS, ("last", "scale"), (False, True), losses):
        settings = dict(zip(NAMES, values, strict=True))
        for window in settings["windows"]:
            key = (window, *values[1:])
            if key not in made:
                one = settings | {"windows": (window,)}
                task = before, horizon, seasons, stride, one, blocks[0]
                made[key], _ = forecast(*task, epochs=0, random_state=0)
        each = [made[window, *values[1:]] for window in settings["windows"]]
        table[values] = figures(sum(each) / len(each))
        print("  chosen among:", settings, *table[values], flush=True)
    ranks = sorted(table, key=lambda key: table[key][2])
    best = dict(zip(NAMES, ranks[0], strict=True))
    for block in blocks if len(blocks) > 1 else ():
        task = before, horizon, seasons, stride, best, block
        ahead, _ = forecast(*task, random_state=0)
        tried[block] = figures(ahead)
        print("  block:", block, *tried[block], flush=True)
    return best, {k: table[k] for k in ranks}, tried


def defaults(train, test, horizon, seasons):
    """Return rows of forecasters of which only horizon and seasons are set."""
    rows = []
    for name, options in {
        "all defaults": {},
        "without training": {"epochs": 0},
    }.items():
        start = time.perf_counter()
        f = LSTMForecaster(
            horizon=horizon, seasonal_period=seasons, random_state=0, **options
        ).fit(train)
        seconds = f"{time.perf_counter() - start:.0f}"
        tested = errors(train, test, f.forecast(), seasons[0])
        rows.append((f"LSTMForecaster, {name}", *tested, "", seconds, f.best_epoch_))
        print(" ", *rows[-1], flush=True)
    return rows


def section_of(name, n_seeds):
    """Return the page's section on one data set."""
    file, period, horizon, seasons, windows, losses, stride, blocks = TASKS[name]
    train, test = load(file, period)
    best, table, tried = choose(
        name, train, horizon, seasons, windows, losses, stride, blocks
    )
    block = min(tried, key=lambda kind: tried[kind][2]) if tried else blocks[0]
    lines, chosen = [], []
    for settings, (smape, mase, _) in list(table.items())[:N_SHOWN]:
        mark = "**yes**" if settings == tuple(best.values()) else ""
        used = ", ".join(map(str, settings[0]))
        cells = (used, *settings[1:], f"{smape:.2f}", f"{mase:.4f}", mark)
        chosen.append(line_of(cells))
    tested, seconds, epochs = [], [], []
    for seed in range(n_seeds):
        start = time.perf_counter()
        ahead, fitted = forecast(
            train, horizon, seasons, stride, best, block, random_state=seed
        )
        seconds.append(time.perf_counter() - start)
        tested.append(errors(train, test, ahead, seasons[0]))
        epochs.append("+".join(str(f.best_epoch_) for f in fitted))
        print(" ", seed, *tested[-1], epochs[-1], seconds[-1], flush=True)
    by_default = defaults(train, test, horizon, seasons)
    smape, mase = np.mean(tested, axis=0)
    deviation = np.std(tested, axis=0, ddof=min(1, n_seeds - 1))
    notes = f"{deviation[0]:.2f}, {deviation[1]:.4f}", f"{np.median(seconds):.0f}"
    naive = seasonal_naive(train, test, seasons[0])
    naive = errors(train, test, naive, seasons[0])
    rows = [
        ("LSTMForecaster", smape, mase, *notes, ",".join(epochs)),
        *by_default,
        ("seasonal naive", *naive, "", "", ""),
    ]
    if name == "M4 hourly":
        path = DATA / "m4_published_results.csv"
        published = pd.read_csv(path, index_col="method", dtype={"method": str})
        published = published.rename(index={"118": "ES-RNN (winner)"})
        published = published[["sMAPE_hourly", "MASE_hourly"]]
        for method in PUBLISHED:
            rows.append((f"{method}, published", *published.loc[method], "", "", ""))
        naive_smape, naive_mase = published.loc["Naive2"]
    for shown, smape, mase, *rest in rows:
        owa = ""
        if name == "M4 hourly":
            owa = overall_weighted_average(
                smape, mase, naive_smape=naive_smape, naive_mase=naive_mase
            )
            owa = f"{owa:.4f}"
        cells = (shown, f"{smape:.2f}", f"{mase:.4f}", owa, *rest)
        lines.append(line_of(cells))
        print(lines[-1], flush=True)
    figures = [f"{s:.2f} and {m:.4f} ({kind})" for kind, (s, m, _) in tried.items()]
    return SECTION.format(
        name=name,
        about=provenance(),
        blocks=BLOCKS_TRIED.format("; ".join(figures)) if tried else "",
        rows="\n".join(lines),
        n_shown=len(chosen),
        n_tried=len(table),
        measure="OWA (relative to seasonal naive)" if name == "M4 hourly" else "sMAPE",
        seeds=n_seeds,
        chosen="\n".join(chosen),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="+", choices=TASKS, default=list(TASKS))
    arguments = parser.parse_args()
    provenance()
    for name in arguments.sets:
        section = section_of(name, arguments.seeds)
        # Sections of other data sets stay as they are.
        kept = PAGE.read_text().split("\n## ")[1:]
        sections = {part.split("\n")[0]: part for part in kept} | {name: section}
        parts = [INTRODUCTION, *(sections[n] for n in TASKS if n in sections)]
        PAGE.write_text("\n## ".join(part.strip("\n") + "\n" for part in parts))


INTRODUCTION = """# Global models of many series

One network is trained on all series of a data set. With settings that were chosen on
training rows, its OWA on M4 hourly is level with that of the winner of the competition,
and on both data sets its errors are far below those of the seasonal naive forecast.
Errors are means over series, on the official test part; sMAPE is in per cent, and OWA
is relative to the Naive2 of M4. A best epoch of 0 means that the network was left out,
and the linear model forecasts alone. If a setting has several windows, one forecaster
is fitted for each window, and their mean is the forecast. Written by `python
benchmarks/many_series.py`.
"""

SECTION = """{name}

Measured at {about}.

Means over {seeds} seeds, and "all defaults" of one:

| method | sMAPE | MASE | OWA | sd of sMAPE, MASE | fit s | best epochs |
|---|---|---|---|---|---|---|
{rows}

The table shows the {n_shown} best of {n_tried} settings, by the {measure} of the linear
model on the last rows of the training part. The scaler "log alone" takes logarithms
without scaling each series.

| window | scaler | norm | deseasonalized | loss | sMAPE | MASE | selected |
|---|---|---|---|---|---|---|---|
{chosen}
{blocks}"""

BLOCKS_TRIED = """
The chosen settings were then fitted with their network, for each series whose horizon
sets the length of the validation block. On the same rows, sMAPE and MASE are {}.
"""


if __name__ == "__main__":
    main()
