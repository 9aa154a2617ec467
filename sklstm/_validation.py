"""Checks of series and their time index. NumPy and pandas only."""

import warnings

import numpy as np
import pandas as pd

from sklstm._storage import blocks, in_file

LARGEST = 1e100
# Sums of weights must have digits left in single precision.
WEIGHTS = 1e-30, 1e30
# Rows between the history and those of X, each of which must be forecast first.
LONGEST_GAP = 100_000
TIME_INDEXES = (pd.DatetimeIndex, pd.PeriodIndex, pd.RangeIndex)
# Rows in one season, by the first letters of a pandas frequency.
SEASONS = {"h": 24, "D": 7, "B": 5, "W": 52, "M": 12, "Q": 4, "min": 60}


def is_pandas(data):
    return isinstance(data, (pd.Series, pd.DataFrame))


def n_dims(data):
    """Number of dimensions of anything that NumPy can read as an array."""
    if hasattr(data, "ndim"):
        return data.ndim
    try:
        return np.asarray(data).ndim
    except ValueError as error:
        raise TypeError(
            "The data must be rows of one length, but their lengths differ. Pass an "
            f"array or a frame. NumPy says: {error}"
        ) from error


def check_columns(data, name="X"):
    """Raise where two columns of a frame have one name."""
    columns = getattr(data, "columns", None)
    if isinstance(columns, pd.Index) and columns.has_duplicates:
        twice = columns[columns.duplicated()][0]
        raise ValueError(
            f"{name} has more than one column named {twice!r}. Rename or drop them."
        )


def check_numbers(data, name="X"):
    """Raise where values cannot be read as numbers; what scikit-learn checks, stays.

    Raises
    ------
    ValueError
        For a frame without columns.
    TypeError
        For text, dates, nested rows of unequal length and other objects; for frames of
        Dask, whose index has no levels and says of no row whose it is.
    """
    if hasattr(data, "divisions"):
        raise TypeError(
            f"{name} is a frame of Dask, which does not tell series apart. Pass "
            "panel_from_long(frame, series=..., time=...) of sklstm.preprocessing, "
            "which reads one partition after the other; or frame.compute(), if memory "
            "holds it."
        )
    if isinstance(data, pd.DataFrame) and not data.shape[1]:
        raise ValueError(f"{name} is a frame without columns. Pass at least one.")
    kind = getattr(getattr(data, "dtype", None), "kind", "O")
    if kind in "biufc" or hasattr(data, "toarray"):
        return
    if kind in "mM":
        raise TypeError(
            f"{name} must hold numbers, but it holds {data.dtype}. Turn dates into "
            "numbers first, or make them the index."
        )
    try:
        np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(
            f"{name} must hold numbers, but a value could not be read as one: {error}."
        ) from error


def check_size(values, name="X"):
    """Raise where values are so large that their squares overflow."""
    largest = max(
        (float(np.nanmax(np.abs(values[i]), initial=0.0)) for i in blocks(len(values))),
        default=0.0,
    )
    if largest > LARGEST:
        raise ValueError(
            f"{name} holds values as large as {largest:.3g}, whose squares overflow. "
            "Divide it by a power of ten first."
        )
    return values


def check_weight_size(weights):
    """Raise where weights other than 0 are too small or too large to be added up."""
    used = weights[weights > 0]
    if len(used) and not WEIGHTS[0] <= used.min() <= used.max() <= WEIGHTS[1]:
        raise ValueError(
            f"sample_weight, times the weight of classes, goes from {used.min():.3g} "
            f"to {used.max():.3g}, but must lie between {WEIGHTS[0]:g} and "
            f"{WEIGHTS[1]:g}, or be 0. Divide it by its mean."
        )
    return weights


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


def check_values(data, name="X", allow_nan=False):
    """`data` as a float64 array of shape (n_timesteps, n_columns), finite.

    An array in a file stays there, as it is.

    Raises
    ------
    TypeError
        For text and other columns that are not numbers.
    ValueError
        For infinity, NaN where it is not allowed, no rows, or more than two dimensions.
    """
    if isinstance(data, pd.DataFrame):
        check_columns(data, name)
        for column, dtype in data.dtypes.items():
            if not pd.api.types.is_numeric_dtype(dtype):
                raise TypeError(
                    f"Column {column!r} of {name} holds {dtype}, not numbers. Encode "
                    "it first, for example with sklearn.preprocessing.OneHotEncoder."
                )
    check_numbers(data, name)
    if np.iscomplexobj(data):
        raise ValueError(
            f"Complex data not supported: {name} must hold real numbers. Pass its real "
            "and imaginary parts as columns."
        )
    held = in_file(data) and data.dtype in (np.float32, np.float64)
    values = np.asarray(data, dtype=data.dtype if held else np.float64)
    if values.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have 1 or 2 dimensions, time steps first. Got {values.ndim}. "
            "Pass one series, or a table with a column for each."
        )
    if not values.size:
        raise ValueError(f"{name} is empty. Pass at least one time step.")
    values = values.reshape(len(values), -1)

    def is_bad(part):
        return np.isinf(part) if allow_nan else ~np.isfinite(part)

    if any(is_bad(values[rows]).any() for rows in blocks(len(values))):
        bad = np.argwhere(is_bad(values))
        row, column = bad[0]
        what = "NaN" if np.isnan(values[row, column]) else "infinity"
        raise ValueError(
            f"{name} contains {what}, first at row {row}, column {column} "
            f"({len(bad)} such values in all). Fill or drop them first, for example "
            "with interpolate()."
        )
    return check_size(values, name)


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
