"""Forecasts of 43 series of many kinds with all settings at their defaults.

Only `horizon` is set. The score of a method is its mean absolute scaled error on a
series over that of the seasonal naive forecast; tables hold geometric means over
series. Forecasts are refitted at each origin where a series has at most 1,100 rows, and
go on from one fit where it has more. Those of other methods are stored with the series.
The data folder is named by SKLSTM_DATA (default ``../shared/data``). Prints a table and
writes ``docs/benchmarks/contest.md``; with parameters it prints alone::

    python benchmarks/series_contest.py [--parameters '{"epochs": 0}'] [--only PREFIX]
"""

import argparse
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from contest_series import KINDS, contest, relative_error, stored_errors
from pages import provenance, write_table

from sklstm import LSTMForecaster

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
PAGE = Path("docs/benchmarks/contest.md")
MAX_REFITTED = 1100
SHORT = 120
COVERAGES = {0.8: (0.1, 0.9), 0.95: (0.025, 0.975)}
STORED = ("default", "ets", "theta", "arima", "ridge_refit", "lgbm")
TOTALS = ("all", f"at most {SHORT} rows", f"above {SHORT} rows")


def forecasts(y, line, parameters):
    """Yield actual values, forecasts and quantiles at each origin."""
    probabilities = sorted(sum(COVERAGES.values(), ()))
    model, steps = None, int(line.horizon)
    for origin in line.n_train + line.stride * np.arange(line.origins):
        past, history = y[:origin], None
        if model is None or len(y) <= MAX_REFITTED:
            model = LSTMForecaster(horizon=steps, random_state=0, **parameters)
            model.fit(past)
        else:
            history = past[-2 * MAX_REFITTED :]
        forecast = model.forecast(steps, history=history)
        try:
            quantiles = model.forecast_quantiles(
                steps, history=history, quantiles=probabilities
            )
        except ValueError:  # without a validation block
            quantiles = pd.DataFrame(np.nan, forecast.index, probabilities)
        yield y[origin : origin + steps], forecast, quantiles


def measured(y, line, parameters):
    """Return errors over the seasonal naive forecast's, and coverages of intervals."""
    errors, inside = [], {coverage: [] for coverage in COVERAGES}
    for actual, forecast, quantiles in forecasts(y, line, parameters):
        known = actual.notna()
        errors.append(np.abs(actual - forecast)[known].mean())
        for coverage, (low, high) in COVERAGES.items():
            within = actual.between(quantiles[low], quantiles[high])[known].mean()
            inside[coverage].append(within if quantiles.notna().all(None) else np.nan)
    row = {"id": line.name, "kind": KINDS[line.freq], "n": line.n_train}
    row["ours"] = relative_error(np.mean(errors), y, line)
    row |= stored_errors(line, STORED)
    return row | {c: pd.Series(values).mean() for c, values in inside.items()}


def summary(table, name):
    """Return a row of the page: geometric means of errors, and mean coverages."""
    methods = np.log(table[["ours", *STORED]].astype(float))
    # A method that did not run on all series of a kind has no mean there.
    means = np.exp(methods.mean(skipna=False))
    covered = table[list(COVERAGES)].mean()
    shown = [f"{v:.3f}" if np.isfinite(v) else "–" for v in [*means, *covered]]
    return [name, len(table), *shown]


def main(parameters, prefix):
    provenance()
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for y, line in contest(DATA):
            if not line.name.startswith(prefix):
                continue
            rows.append(measured(y, line, parameters))
            ours, ets = rows[-1]["ours"], rows[-1]["ets"]
            print(f"{line.name:16} {ours:.3f}  AutoETS {ets:.3f}", flush=True)
    table = pd.DataFrame(rows)
    short = table["n"] <= SHORT
    parts = dict(list(table.groupby("kind", sort=False)))
    parts |= dict(zip(TOTALS, (table, table[short], table[~short]), strict=True))
    found = [summary(part, name) for name, part in parts.items() if len(part)]
    for row in found:
        print(*row)
    if not parameters and not prefix:
        order = [(kind,) for kind in [*dict.fromkeys(KINDS.values()), *TOTALS]]
        write_table(PAGE, HEAD, COLUMNS, found, order)


COLUMNS = [
    "kind",
    "series",
    "LSTMForecaster",
    "before",
    "AutoETS",
    "AutoTheta",
    "AutoARIMA",
    "ridge",
    "LightGBM",
    "inside 80 %",
    "inside 95 %",
]

HEAD = """# Forecasts of many kinds of series by default

With default settings sklstm has the lowest error of all methods on each kind of series
in the table, except on one hourly series, where it is level with LightGBM. The table
shows errors on 43 series, yearly to quarter-hourly and of 42 to 16,000 rows. Only
`horizon` is set. Each figure is the mean absolute scaled error over several origins,
divided by that of the seasonal naive forecast (of the last value if there is no
season); figures are geometric means over series. If a series has at most 1,100 rows,
the forecaster is fitted again at each origin. The column "before" shows the defaults at
commit `e524f22`. This column and the other methods were measured once, and their
forecasts are stored with the series. A dash marks a method that did not run on all
series. The last columns show the shares of values inside prediction intervals of 80 and
95 %. The defaults were chosen on these series, so the figures are no estimate for new
ones. Written by `python benchmarks/series_contest.py`.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    main(arguments.parameters, arguments.only)
