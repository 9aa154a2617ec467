"""Many series: one table of rows, a list, or the long form of other libraries."""

import datetime
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from numbers import Number

import numpy as np
import pandas as pd

from sklstm._series.time_index import (
    date_format,
    grid_of_stamps,
    holds_whole_numbers,
    plain_index,
    time_index,
)
from sklstm._series.validation import (
    check_columns,
    check_positive_int,
    columns_in_order,
    holds_dates,
    is_pandas,
    n_dims,
    names_of_columns,
    unmasked,
)
from sklstm._utils.warn import warn_user

# The key of a series that stands alone.
SINGLE_SERIES = None
WHOLE_DATE = re.compile(r"\d[-/.]\d+[-/.]\d")
# Names of levels and columns that hold the time.
TIME_WORDS = frozenset(
    "time date datetime timestamp ds t step period year quarter month week day hour "
    "minute second".split()
)


@contextmanager
def errors_naming(key: Hashable) -> Iterator[None]:
    """Begin an error in the rows of one of many series with the name of that series."""
    try:
        yield
    except ValueError as error:
        if key is SINGLE_SERIES:
            raise
        raise ValueError(f"Series {key!r}: {error}") from error


def is_list_of_series(data) -> bool:
    """Return whether data are a list of series; a list of numbers is one series."""
    return (
        isinstance(data, (list, tuple))
        and len(data) > 0
        and all(hasattr(part, "__array__") and n_dims(part) > 0 for part in data)
    )


def is_panel(data) -> bool:
    """Return whether data hold many series."""
    return has_levels(data) or is_list_of_series(data)


def has_levels(data) -> bool:
    return is_pandas(data) and isinstance(data.index, pd.MultiIndex)


def concatenate_series(data):
    """Return a list of series as one table; anything else as it is."""
    if not is_list_of_series(data):
        return unmasked(data)
    shapes = sorted({np.shape(part)[1:] for part in data})
    if len(shapes) > 1:
        raise ValueError(
            "The parts of a list of series must have the same columns, but their rows "
            f"have shapes {shapes[0]} and {shapes[1]}. Pass parts of one kind."
        )
    parts = parts_in_order(data)
    if all(is_pandas(part) for part in parts):
        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)


def parts_in_order(data) -> list:
    """Return frames of a list with their columns in the order of the first one."""
    names, parts = names_of_columns(data[0]), []
    for number, part in enumerate(data):
        ordered = unmasked(part)
        if names is not None and names_of_columns(part) is not None:
            ordered = columns_in_order(part, names)
        if ordered is None:
            raise ValueError(
                f"Part {number} of a list of series has the columns "
                f"{names_of_columns(part)}, but part 0 has {names}. Pass parts of the "
                "same columns, in any order."
            )
        parts.append(ordered)
    return parts


def check_no_dict(data, name: str = "X") -> None:
    """Raise for many series in a dict, or in groups of pandas."""
    if isinstance(data, dict):
        raise TypeError(
            f"{name} is a dict. Pass many series as one frame, pd.concat({name}), "
            "whose index has the levels (series, time)."
        )
    if hasattr(data, "ngroups"):
        raise TypeError(
            f"{name} is a groupby of pandas. Pass the frame itself, indexed by "
            "(series, time), as sklstm.preprocessing.panel_from_long makes it."
        )


def rows_by_series(data, name: str = "X") -> dict:
    """Return which rows of the data, as one table, belong to which series.

    Returns
    -------
    dict of key to (rows, index)
        `rows` indexes what `concatenate_series` gives; `index` is the time index of
        these rows, or None.
    """
    check_no_dict(data, name)
    if is_list_of_series(data):
        result, first = {}, 0
        for number, part in enumerate(data):
            rows = np.arange(first, first + len(part))
            result[number] = rows, time_index(part, f"{name}[{number}]")
            first += len(part)
        return result
    if not has_levels(data):
        return {SINGLE_SERIES: (slice(None), time_index(data, name))}
    index = data.index
    check_time_is_last(index, name)
    times = index.get_level_values(-1)
    keys = index.droplevel(-1)
    if not len(index):
        raise ValueError(f"{name} is empty. Pass at least one time step.")
    codes, unique = pd.factorize(keys)
    if (codes < 0).any():
        raise ValueError(f"The index of {name} has a row without a series. Drop it.")
    check_keys(unique, f"The index of {name}")
    # Stable, so that the rows of a series keep their order.
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return {
        key: (rows, axis_of(times[rows], f"{name} at {key!r}"))
        for key, rows in zip(unique, parts, strict=True)
    }


def check_keys(keys, where: str) -> None:
    """Raise where keys of series differ in their type alone, as 1 and "1" do."""
    if not isinstance(keys, pd.MultiIndex):
        if pd.api.types.infer_dtype(keys) in ("string", "integer"):
            return
    known: dict = {}
    for key in keys:
        text = tuple(map(str, key)) if isinstance(key, tuple) else str(key)
        other = known.setdefault(text, key)
        if other != key:
            raise ValueError(
                f"{where} has the series {other!r} and {key!r}, which differ in their "
                "type alone. Convert the keys to one type, for example with "
                "astype(str), before the rows are indexed by them."
            )


def check_time_is_last(index, name):
    """Raise where time stamps stand before the level of the series, or are alone."""
    if index.nlevels == 1:
        raise ValueError(
            f"The index of {name} is a MultiIndex of one level, which names no series. "
            f"For one series write {name}.index = {name}.index.get_level_values(0)."
        )
    timed = [holds_times(level) for level in index.levels]
    if any(timed[:-1]) and not timed[-1]:
        number = timed.index(True)
        order = [i for i in range(index.nlevels) if i != number] + [number]
        way = "swaplevel()" if len(order) == 2 else f"reorder_levels({order})"
        raise ValueError(
            f"The index of {name} has the time stamps in level {number} of "
            f"{list(index.names)}, but the last level must hold the time. Swap them: "
            f"{name} = {name}.{way}.sort_index()."
        )
    names = [str(level).lower() for level in index.names]
    if TIME_WORDS.issuperset(names):
        warn_user(
            f"All levels of the index of {name}, {list(index.names)}, have names of "
            f"times, and rows of one {index.names[0]!r} are taken for a series. If "
            "they are parts of one time, make it the index, for example a PeriodIndex.",
            UserWarning,
        )
    elif TIME_WORDS.isdisjoint(names[-1:]) and not TIME_WORDS.isdisjoint(names[:-1]):
        warn_user(
            f"The last level of the index of {name}, {index.names[-1]!r}, is taken for "
            f"the time, and {index.names[:-1]} for the series. If it is not, move the "
            "level of the time to the end with reorder_levels.",
            UserWarning,
        )


def holds_times(level) -> bool:
    """Return whether an index level holds dates or periods, also as objects or text."""
    level = plain_index(level)
    if isinstance(level, (pd.DatetimeIndex, pd.PeriodIndex)):
        return True
    if level.dtype != object and not pd.api.types.is_string_dtype(level.dtype):
        return False
    kind = pd.api.types.infer_dtype(level, skipna=True)
    if kind != "string" or not len(level):
        return kind in ("date", "datetime", "period")
    # Numbers of stores, such as "1001", could be read as years.
    return bool(WHOLE_DATE.search(str(level[0]))) and holds_dates(level)


def axis_of(times: pd.Index, name: str) -> pd.Index:
    """Return the time index of one of many series."""
    index = time_index(pd.Series(0, times), name)
    if index is None:
        raise ValueError(
            f"The last level of the index of {name} holds {times.dtype}, which is no "
            "time. Use time stamps, periods or whole numbers."
        )
    return index


def unpack_history(history) -> tuple:
    """Return X and y of the history of a forecaster with inputs."""
    if isinstance(history, tuple) and len(history) == 2:
        return history
    raise ValueError(
        "The forecaster was fitted with inputs X, so history must be a tuple (X, y). "
        f"Got {type(history).__name__}."
    )


def panel_from_long(frame, *, series="unique_id", time="ds", freq=None):
    """Index a long table by (series, time), as `LSTMForecaster` takes many series.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        One row for each time stamp of each series, in any order. One of Dask, such as
        that of a Parquet data set, may be larger than memory.
    series : str or list of str, default="unique_id"
        Column, or columns, that tell series apart.
    time : str, default="ds"
        Column of time stamps, periods, whole numbers, or dates as text such as
        "2026-12-25".
    freq : str or pandas offset, default=None
        With it, time stamps that a series leaves out between its first and its last
        get a row of missing values. None leaves the rows as they are.

    Returns
    -------
    Series, DataFrame or iterator of them
        Sorted by series, in order of their first row, and by time. A Series where one
        column is left besides those of the index. Of a frame of Dask its partitions,
        one by one, as `fit` takes them.

    Raises
    ------
    ValueError
        If a column is not there, no column or no row is left, a series or a time stamp
        is missing, text is no date of the form "2026-12-25", time stamps are of several
        kinds or zones, or a series has two rows of one time stamp.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklstm.preprocessing import panel_from_long
    >>> long = pd.DataFrame(
    ...     {"unique_id": ["b", "b", "a"], "ds": [1, 0, 0], "y": [3.0, 2.0, 1.0]}
    ... )
    >>> panel_from_long(long)
    unique_id  ds
    b          0     2.0
               1     3.0
    a          0     1.0
    Name: y, dtype: float64
    """
    keys = list(series) if pd.api.types.is_list_like(series) else [series]
    if hasattr(frame, "to_pandas"):  # of polars or Arrow
        frame = frame.to_pandas()
    check_long(frame, keys, time)
    if hasattr(frame, "partitions"):
        computed = (part.compute() for part in frame.partitions)
        return (
            panel_from_long(part, series=series, time=time, freq=freq)
            for part in computed
            if len(part)
        )
    frame = with_times(check_rows(frame), keys, time)
    repeated = frame.duplicated([*keys, time])
    if repeated.any():
        row = frame.loc[repeated, [*keys, time]].iloc[0].to_list()
        raise ValueError(
            f"The frame has two rows of {row[:-1]} at {row[-1]}. Aggregate them first."
        )
    parts = {}
    # Columns that partitions were named by are categories, those of others among them.
    for key, part in frame.groupby(keys, sort=False, dropna=False, observed=True):
        own = part.drop(columns=keys).set_index(time).sort_index()
        parts[key] = own if freq is None else on_grid(own, freq, key)
    panel = pd.concat(parts, names=[*keys, time])
    check_keys(panel.index.droplevel(-1).unique(), "The frame")
    panel.index = panel.index.remove_unused_levels()
    return panel.iloc[:, 0] if panel.shape[1] == 1 else panel


def check_long(frame, keys: list, time) -> None:
    """Raise where a long table is no frame, or lacks a column."""
    if not hasattr(frame, "columns") or type(frame).__name__ == "LazyFrame":
        raise TypeError(
            f"The long table must be a frame, but it is a {type(frame).__name__}. Pass "
            "pd.DataFrame(table), or collect() a lazy frame of polars."
        )
    check_columns(frame, "The frame")
    if not keys or time in keys:
        raise ValueError(
            f"series={keys} must name the columns that tell series apart, and not "
            f"that of time={time!r}. For one series call set_index({time!r}) instead."
        )
    missing = [name for name in (*keys, time) if name not in frame.columns]
    if missing:
        raise ValueError(
            f"The frame has no column {missing[0]!r}; its columns are "
            f"{list(frame.columns)}. Say by series= and time= which hold what."
        )
    if len(frame.columns) == len(keys) + 1:
        raise ValueError(
            f"The frame has no column besides {[*keys, time]}, so no values of series."
        )


def check_rows(frame):
    """Return a frame, and raise where it has no row."""
    if not len(frame):
        raise ValueError(
            "The frame has no rows, so it holds no series. Pass at least one row."
        )
    return frame


def on_grid(part, freq, key):
    """Return the rows of one series with a row for each step of a frequency.

    Raises
    ------
    ValueError
        If a time stamp is not on the grid, so that its values would be dropped.
    """
    key = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    index = as_times(part.index, key)
    is_dated = isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))
    if is_dated == isinstance(freq, (int, np.integer)):
        raise TypeError(
            f"freq={freq!r} is no step of the time stamps of series {key!r}, which "
            f"are {'dates' if is_dated else 'whole numbers'}, first {index[0]}. "
            + (
                "Pass a frequency of pandas, such as 'D'."
                if is_dated
                else "Pass an int, or convert them: pd.to_datetime(column.astype(str), "
                f"format={date_format(np.asarray(index)) or '%Y'!r})."
            )
        )
    if isinstance(index, pd.PeriodIndex):
        grid = pd.period_range(index[0], index[-1], freq=freq)
    elif is_dated:
        grid = grid_of_stamps(index, offset_of_name(freq))
    else:
        check_positive_int("freq", freq)
        grid = pd.RangeIndex(index[0], index[-1] + 1, freq)
    off = ~index.isin(grid)
    if off.any():
        way = ", or round them, for example with .dt.floor('D')."
        if not isinstance(index, pd.DatetimeIndex):
            way = ", which is that of periods." if is_dated else "."
        raise ValueError(
            f"Series {key!r} has {off.sum()} of {len(off)} time stamps that are not on "
            f"the grid of freq={freq!r}, first {index[np.argmax(off)]}, and its values "
            f"would be lost. Pass the frequency of the time stamps{way}"
        )
    return part.set_axis(index).reindex(grid.rename(index.name))


def offset_of_name(freq):
    """Return the offset of a frequency, and raise where pandas knows none."""
    try:
        return pd.tseries.frequencies.to_offset(freq)
    except ValueError as error:
        raise ValueError(
            f"freq={freq!r} is no frequency of pandas. Pass one such as 'D', 'B', "
            "'W-SUN', 'MS' or 'h', or an offset of pandas.tseries.offsets."
        ) from error


ISO = {"format": "ISO8601"}


def with_times(frame, keys, time):
    """Return the frame with dates as text converted.

    Raises
    ------
    ValueError
        If a series or a time stamp is missing, or text is no ISO date: in others, day
        and month could be taken for each other.
    """
    for name in (*keys, time):
        missing = frame[name].isna()
        if missing.any():
            raise ValueError(
                f"Column {name!r} of the frame has no value in {missing.sum()} of "
                f"{len(frame)} rows, first in row {np.argmax(missing)}. Fill it, or "
                "drop these rows."
            )
    times = frame[time]
    if isinstance(times.dtype, pd.CategoricalDtype):
        times = times.astype(times.cat.categories.dtype)
    check_one_kind(times, time)
    if pd.api.types.infer_dtype(times) != "string":
        return frame
    frame = frame.copy(deep=False)
    try:
        frame[time] = pd.to_datetime(times, **ISO)
        return frame
    except ValueError as error:
        if pd.to_datetime(times, **ISO, errors="coerce", utc=True).notna().all():
            raise ValueError(
                f"Column {time!r} of the frame holds text with several distances from "
                "UTC, as clocks change. Convert it first, with your time zone: "
                f"pd.to_datetime(frame[{time!r}], utc=True).dt.tz_convert("
                "'Europe/Berlin')."
            ) from error
        raise ValueError(
            f"Column {time!r} of the frame holds text, such as "
            f"{frame[time].iloc[0]!r}, which is no date of the form '2026-12-25'. "
            f"Convert it first, for example by pd.to_datetime(frame[{time!r}], "
            "dayfirst=True)."
        ) from error


def check_one_kind(times, time) -> None:
    """Raise where time stamps are of several types or zones, which have no order."""
    if times.dtype != object:
        return
    kinds = sorted({name_of_type(stamp) for stamp in times})
    numbers = all(isinstance(stamp, Number) for stamp in times)
    if len(kinds) > 1 and not numbers:
        raise ValueError(
            f"Column {time!r} of the frame holds values of several types: "
            f"{', '.join(kinds)}. Convert it first, for example by pd.to_datetime("
            f"frame[{time!r}].astype(str), format='ISO8601')."
        )
    zones = {str(getattr(stamp, "tzinfo", None) or "no zone") for stamp in times}
    if len(zones) > 1:
        raise ValueError(
            f"Column {time!r} of the frame holds time stamps of several zones, such as "
            f"{' and '.join(sorted(zones)[:2])}. Convert it first, with your time "
            f"zone: pd.to_datetime(frame[{time!r}], utc=True).dt.tz_convert("
            "'Europe/Berlin')."
        )


def name_of_type(value) -> str:
    """Return the name of a type, of time stamps and texts of NumPy that of Python."""
    plain = (own for own in (str, datetime.datetime) if isinstance(value, own))
    return next(plain, type(value)).__name__


def as_times(index, key):
    """Return time stamps, periods or whole numbers; dates among objects as stamps."""
    index = plain_index(index)
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return index
    if holds_whole_numbers(index):
        return index.astype(np.int64)
    if pd.api.types.infer_dtype(index) in ("date", "datetime"):
        return pd.DatetimeIndex(index)
    raise ValueError(
        f"Series {key!r} has time stamps of {index.dtype}, which are neither dates, "
        "periods nor whole numbers. Convert the column with pd.to_datetime, or leave "
        "freq out."
    )
