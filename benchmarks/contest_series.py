"""The series of the contest, and the scores of methods on them."""

from pathlib import Path

import numpy as np
import pandas as pd

KINDS = {
    "YS": "yearly",
    "QS": "quarterly",
    "MS": "monthly",
    "W-SUN": "weekly",
    "D": "daily",
    "B": "daily",
    "h": "hourly",
    "30min": "finer",
    "15min": "finer",
}


def contest(folder):
    """Yield each series and its line of the table of the contest."""
    table = pd.read_csv(Path(folder) / "contest_info.csv", index_col="id")
    values = pd.read_csv(Path(folder) / "contest.csv.xz")
    for name, group in values.groupby("id", sort=False):
        line = table.loc[name]
        index = pd.DatetimeIndex(group["t"], freq=line.freq)
        yield pd.Series(group["y"].to_numpy(float), index), line


def relative_error(error, y, line):
    """Return a mean absolute error as MASE over that of the seasonal naive forecast."""
    past = y[: line.n_train].to_numpy()
    scale = np.nanmean(np.abs(past[line.mase_period :] - past[: -line.mase_period]))
    return error / scale / line.mase_snaive


def stored_errors(line, methods):
    """Return the same of other methods, which are stored with the series, by name."""
    return {name: line[f"mase_{name}"] / line.mase_snaive for name in methods}
