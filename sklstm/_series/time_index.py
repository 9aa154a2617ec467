"""Time indexes: their order, step, season and continuation. pandas only."""

import warnings

import numpy as np
import pandas as pd

from sklstm._series.validation import is_pandas

# Rows between the history and those of X, each of which must be forecast first.
LONGEST_GAP = 100_000
TIME_INDEXES = (pd.DatetimeIndex, pd.PeriodIndex, pd.RangeIndex)
# Rows in one season, by the first letters of a pandas frequency.
SEASONS = {"h": 24, "D": 7, "B": 5, "W": 52, "M": 12, "Q": 4, "min": 60}


def time_index(data, name="X"):
    """The time index of `data`, None where it has none; raises where it is unusable."""
    if not is_pandas(data) or not isinstance(data.index, TIME_INDEXES):
        return None
    return check_order(data.index, name)


def check_order(index, name):
    """A time index, whose stamps must be there, unique and sorted."""
    if index.hasnans:
        raise ValueError(
            f"The index of {name} has a missing time stamp. Drop that row."
        )
    if index.has_duplicates:
        repeated = index[index.duplicated()][0]
        raise ValueError(
            f"The index of {name} has {repeated} more than once. Each time stamp "
            "must be unique: aggregate or drop the repeated rows."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"The index of {name} is not sorted by time. "
            f"Call sort_index() on {name} first."
        )
    return index


def step_of(index):
    """The frequency of an index: its own, the inferred one, or its commonest step."""
    if isinstance(index, pd.RangeIndex):
        return index.step
    if index.freq is not None:
        return index.freq
    with warnings.catch_warnings():
        # pandas 4 will return an offset, which to_offset takes as well.
        warnings.simplefilter("ignore")
        inferred = pd.infer_freq(index) if len(index) > 2 else None
    if inferred is not None:
        return pd.tseries.frequencies.to_offset(inferred)
    if len(index) < 2:
        raise ValueError(
            "The time index has no frequency and too few rows to infer one. Set it, "
            "for example with asfreq()."
        )
    return pd.tseries.frequencies.to_offset(pd.Series(index).diff().mode()[0])


def continued_index(index, steps, step=None):
    """The `steps` time stamps after an index; DST and time zones are kept."""
    step = step_of(index) if step is None else step
    if isinstance(index, pd.RangeIndex):
        first = index[-1] + step
        return pd.RangeIndex(first, first + steps * step, step, name=index.name)
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(
            index[-1] + 1, periods=steps, freq=index.freq, name=index.name
        )
    full = pd.date_range(index[-1], periods=steps + 1, freq=step, name=index.name)
    # date_range starts at the first stamp on the grid, which index[-1] may miss.
    return full[1:] if full[0] == index[-1] else full[:steps]


def index_until(index, stamp, n_given, step):
    """The time stamps after an index up to a later one, or a little beyond it.

    `n_given` of them are rows of X; those between may not be more than `LONGEST_GAP`.
    """
    steps, most = 1, n_given + LONGEST_GAP
    while True:
        try:
            ahead = continued_index(index, steps, step)
        except (ValueError, NotImplementedError, OverflowError):
            if steps == 1 or not isinstance(index, pd.DatetimeIndex):
                raise
            # Twice as far no calendar reaches, but the stamp is nearer than that.
            return pd.date_range(index[-1], stamp, freq=step)[1:]
        if ahead[-1] >= stamp:
            return ahead
        if steps == most:
            raise ValueError(
                f"X has a row at {stamp}, more than {most:,} steps of {step} "
                f"after the last row of the fitted series, {index[-1]}. At most "
                f"{LONGEST_GAP:,} rows may be missing between them, since each is "
                "forecast first. Check the index of X, give the rows between to "
                "update, or fit anew."
            )
        steps = min(2 * steps, most)


def check_same_kind(index, history):
    """Raise where rows have an index of another kind than the history."""
    if type(index) is not type(history):
        raise ValueError(
            f"X has a {type(index).__name__}, but the series was fitted with a "
            f"{type(history).__name__}. Convert one of them."
        )


def positions(index, history, n_history, step):
    """Where rows stand on the time axis of a history of so many rows, the first is 0.

    Parameters
    ----------
    history : Index
        Of the history's last rows, as far back as `index` goes.
    """
    inside = index <= history[-1]
    result = np.empty(len(index), dtype=int)
    found = history.get_indexer(index[inside])
    result[inside] = np.where(found < 0, -1, found + n_history - len(history))
    after = index[~inside]
    if len(after):
        found = index_until(history, after[-1], len(after), step).get_indexer(after)
        result[~inside] = np.where(found < 0, -1, found + n_history)
    if (result < 0).any():
        stamp = index[np.argmin(result)]
        raise ValueError(
            f"X has a row at {stamp}, which does not continue the index of the fitted "
            f"series (last row {history[-1]}, step {step}). Pass rows on that grid, or "
            "fit anew."
        )
    return result


def season_of(index):
    """Rows in one season by the frequency of a time index, or None."""
    if index is None or isinstance(index, pd.RangeIndex) or len(index) < 3:
        return None
    step = step_of(index)
    if step.n != 1:
        return None
    name = step.freqstr.split("-")[0]
    for prefix, length in SEASONS.items():
        if name == prefix or (prefix in "MQW" and name.startswith(prefix)):
            return length
    return None
