"""Which rows of X, y and a history belong together: by index, by name, by position."""

from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from sklstm._series.history import History
from sklstm._series.panel import (
    SINGLE_SERIES,
    concatenate_series,
    has_levels,
    is_list_of_series,
    is_panel,
    rows_by_series,
)
from sklstm._series.time_index import (
    check_no_dates_in_numbers,
    check_same_kind,
    holds_whole_numbers,
    plain_index,
    step_of,
    tells_no_step,
    time_index,
    with_frequency,
    with_step,
)
from sklstm._series.validation import (
    is_pandas,
    match_columns,
    names_of_columns,
)


def match_target(y, names):
    """Return the target as one table with its columns in the order of `fit`.

    Raises
    ------
    ValueError
        If it is a frame of other columns, or of one column of another name.
    """
    y = match_columns(concatenate_series(y), names)
    columns = names_of_columns(y)
    if isinstance(names, list) and columns and len(columns) == len(names) == 1:
        if columns != names:
            raise ValueError(
                f"y has the column {columns[0]!r}, but the forecaster was fitted with "
                f"{names[0]!r}. Rename it, or pass the other."
            )
    return y


def rows_after_end(
    values: np.ndarray, index: pd.Index | None, history: History
) -> np.ndarray:
    """Return the rows that follow a history at once, by the time index if there is one.

    Raises
    ------
    ValueError
        If they start late, or leave a row out.
    """
    if index is None or history.index is None:
        return values
    check_same_kind(index, history.index)
    expected = history.after(1)[0]
    after = index >= expected
    if not after.any():
        raise ValueError(
            f"X ends at {index[-1]}, but forecasts need rows from {expected} on, the "
            "first after the end of the history. Pass inputs of the rows to forecast, "
            "or name other series by series=, if there are many."
        )
    values, index = values[after], index[after]
    where = history.where(index, len(index)) - len(history)
    if where[0] != 0:
        raise ValueError(
            f"X starts at {index[0]}, but the first row after the end of the "
            f"history is {expected}. Pass a row for each step, from that one on."
        )
    late = np.flatnonzero(np.diff(where) != 1)
    if len(late):
        row = int(late[0])
        raise ValueError(
            f"X goes from {index[row]} to {index[row + 1]} and leaves out rows between "
            "them. Pass a row for each step."
        )
    return values


def check_complete(values: np.ndarray, history: History, names: list) -> np.ndarray:
    """Raise where inputs ahead of a series are missing; `names` are their columns."""
    bad = np.argwhere(np.isnan(values))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"X contains NaN in the rows ahead, first in row {row} after the end of "
            f"the history, which is {history.after(row + 1)[row]}, column "
            f"{names[column]!r}. Fill it, for example with interpolate()."
        )
    return values


def check_regular(histories: dict[Hashable, History], name: str = "X") -> None:
    """Raise where the time steps of a series are not regular."""
    for key, history in histories.items():
        if history.index is None or len(history.index) < 2:
            continue
        check_regular_index(history.index, name_of_series(name, key))


def name_of_series(name: str, key: Hashable) -> str:
    """Return the name of data, with the series among many."""
    return name if key is SINGLE_SERIES else f"{name}, series {key!r}"


def with_common_step(
    histories: dict[Hashable, History],
    steps: Iterable | None = None,
    name: str = "X",
) -> dict[Hashable, History]:
    """Return histories; those too short to tell their step take that of the others.

    Parameters
    ----------
    histories : dict of series to History
    steps : iterable of steps or None
        Of the series that a forecaster knows; None reads those of the longer histories.

    Raises
    ------
    ValueError
        If two rows are further apart than this step.
    """
    short = [key for key, own in histories.items() if tells_no_step(own.index)]
    if not short:
        return histories
    if steps is None:
        longer = (own.index for key, own in histories.items() if key not in short)
        steps = [step_of(index) for index in longer if index is not None]
    known = set(steps)
    if len(known) != 1:
        return histories
    (step,) = known
    changed = {}
    for key in short:
        try:
            index = with_step(histories[key].index, step)
        except ValueError as error:
            raise ValueError(f"{name_of_series(name, key)}: {error}") from error
        changed[key] = replace(histories[key], index=index)
    return histories | changed


def with_known_step(
    histories: dict[Hashable, History], known: Iterable[History]
) -> dict[Hashable, History]:
    """Return histories of which stamps without a frequency have that of fitted ones.

    Appending drops the frequency, and holidays or opening hours cannot be inferred.
    """
    steps = {getattr(own.index, "freq", None) for own in known} - {None}
    if len(steps) != 1:
        return histories
    (step,) = steps
    return {
        key: replace(own, index=with_frequency(own.index, step))
        if getattr(own.index, "freq", step) is None
        else own
        for key, own in histories.items()
    }


def check_regular_index(index: pd.Index, name: str) -> None:
    """Raise where the steps of one time index are not regular, or none of time."""
    try:
        step_of(index)
        if isinstance(index, pd.RangeIndex):
            check_no_dates_in_numbers(index)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def histories_by_series(
    where: dict, y: np.ndarray, X: np.ndarray | None
) -> dict[Hashable, History]:
    """Return {series: `History`} of tables of rows."""
    return {
        key: History(y[rows], None if X is None else X[rows], index)
        for key, (rows, index) in where.items()
    }


def align_X_y(X, y, sample_weight=None) -> dict:
    """Return `rows_by_series` of X and y, whose rows must be the same."""
    check_weights_index(X, sample_weight, y)
    where, of_y = rows_by_series(X), rows_by_series(y, "y")
    timed = SINGLE_SERIES not in where or where[SINGLE_SERIES][1] is not None
    # Labels that are no axis do not order the rows, but tell which belong together.
    labelled = not timed and of_y.get(SINGLE_SERIES, (None, ()))[1] is None
    if (timed or labelled) and is_pandas(X) and is_pandas(y):
        check_same_index(X.index, y.index)
    if SINGLE_SERIES in where and SINGLE_SERIES in of_y:
        index = index_with_step(where[SINGLE_SERIES][1], of_y[SINGLE_SERIES][1])
        return {SINGLE_SERIES: (slice(None), index)}
    if has_levels(X) and not is_panel(y):
        return where
    if n_rows_of_many(where) != n_rows_of_many(of_y):
        raise ValueError(
            "X and y hold different series, or series of different lengths. Pass both "
            "as lists of equally long parts, or with the same index, which steps of a "
            "pipeline keep after set_output(transform='pandas')."
        )
    if is_list_of_series(X) and is_list_of_series(y):
        check_equal_indexes(where, of_y)
        return {
            key: (rows, index_with_step(index, of_y[key][1]))
            for key, (rows, index) in where.items()
        }
    return where


def index_with_step(of_X: pd.Index | None, of_y: pd.Index | None) -> pd.Index | None:
    """Return the time index of X, or of y where X has none or y alone a frequency."""
    if of_X is None:
        return of_y
    lacks_step = getattr(of_X, "freq", None) is None
    return of_y if lacks_step and getattr(of_y, "freq", None) is not None else of_X


def with_index_of(X, y):
    """Return inputs without an index with that of the target, where it has one.

    Lists of arrays take those of their targets.
    """
    if is_list_of_series(X) and is_list_of_series(y):
        return [with_index_of(*parts) for parts in zip(X, y, strict=True)]
    if is_pandas(X) or not is_pandas(y) or has_levels(y) or time_index(y, "y") is None:
        return X
    return pd.DataFrame(np.asarray(X), y.index, names_of_columns(X))


def aligned_test_rows(state, X, y, sample_weight=None) -> tuple:
    """Return X with the index of y where it has none, and y as numbers, by its names.

    Raises
    ------
    ValueError
        If X and y do not come as for `fit`, or differ in their rows.
    """
    if state.form == "series":
        return X, y
    if y is None:
        raise ValueError(
            "The forecaster was fitted with inputs X and a target y, so test rows need "
            "both. Pass X and y."
        )
    if state.form == "windows":
        check_same_labels(X, y)
        check_same_labels(X, sample_weight, "sample_weight")
        return X, match_target(y, state.output.names)
    align_X_y(X, y, sample_weight)
    X, y = with_index_of(X, y), match_target(y, state.output.names)
    check_same_length(concatenate_series(X), y)
    return X, y


def check_same_labels(X, y, name: str = "y") -> None:
    """Raise where rows of X and y have the same labels in another order."""
    if not (is_pandas(X) and is_pandas(y)) or X.index.equals(y.index):
        return
    if X.index.is_unique and len(X) == len(y) and X.index.isin(y.index).all():
        check_same_index(X.index, y.index, name)


def check_same_index(
    of_X: pd.Index, of_y: pd.Index, name: str = "y", X: str = "X"
) -> None:
    """Raise where y, or weights, have another index than X; name the first row."""
    one, other = (comparable(index) for index in (of_X, of_y))
    if one.equals(other):
        return
    n_rows = min(len(one), len(other))
    differs = np.asarray(one[:n_rows] != other[:n_rows])
    row = int(np.argmax(differs)) if differs.any() else n_rows
    stamps = [
        str(index[row]) if row < len(index) else "no row" for index in (one, other)
    ]
    raise ValueError(
        f"{X} and {name} have different indexes: row {row} is {stamps[0]} in {X}, and "
        f"{stamps[1]} in {name}. Align them first, for example "
        f"{name} = {name}.loc[{X}.index]."
    )


def check_same_dates(y_true, y_pred) -> None:
    """Raise where both have dates or periods, and these differ."""
    if not (is_pandas(y_true) and is_pandas(y_pred)):
        return
    one, other = (comparable(data.index) for data in (y_true, y_pred))
    timed = (pd.DatetimeIndex, pd.PeriodIndex)
    both = isinstance(one, timed) and isinstance(other, timed)
    if both or isinstance(one, pd.MultiIndex) and isinstance(other, pd.MultiIndex):
        check_same_index(one, other, "y_pred", "y_true")


def comparable(index: pd.Index) -> pd.Index:
    """Return an index in which dates are time stamps, and whole numbers have 64 bits.

    pandas calls indexes of other dtypes different, such as objects or those of Arrow.
    """
    index = plain_index(index)
    if isinstance(index, pd.MultiIndex):
        return index
    if holds_whole_numbers(index):
        return pd.Index(np.asarray(index, np.int64))
    if index.dtype == object and pd.api.types.infer_dtype(index) == "date":
        return pd.DatetimeIndex(index)
    return index


def check_weights_index(X, weights, y=None) -> None:
    """Raise where weights have another index than X or y; arrays go by position."""
    for name, data in ("X", X), ("y", y):
        parts = [(data, weights)]
        if is_list_of_series(data) and is_list_of_series(weights):
            parts = list(zip(data, weights, strict=False))
        for part, own in parts:
            if not is_pandas(part) or not is_pandas(own):
                continue
            if has_levels(part) or time_index(part, name) is not None:
                check_same_index(part.index, own.index, "sample_weight", name)


def check_equal_indexes(where: dict, of_y: dict) -> None:
    """Raise where a part of X and its part of y have different time indexes."""
    for key, (_, index) in where.items():
        other = of_y[key][1] if key in of_y else None
        if index is not None and other is not None:
            check_same_index(index, other, f"y[{key}]", f"X[{key}]")


def n_rows_of_many(where: dict) -> dict[Hashable, int]:
    """Return the number of rows of each series, where there are many."""
    return {
        key: len(rows) for key, (rows, _) in where.items() if key is not SINGLE_SERIES
    }


def check_same_length(X, y) -> None:
    if len(X) != len(y):
        raise ValueError(
            f"X has {len(X)} rows, but y has {len(y)}. Pass a row of X for each of y."
        )
