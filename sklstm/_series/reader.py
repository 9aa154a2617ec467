"""The one door of data: containers, dtypes, indexes and alignment are known here.

`read_training` reads what `fit` gets, and `read_rows` what comes after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_sample_weight,
    _get_feature_names,
    validate_data,
)

from sklstm._series.calendar import n_calendar_features, with_calendar
from sklstm._series.history import History
from sklstm._series.out_of_core import SeriesBuffer
from sklstm._series.output_format import OutputFormat
from sklstm._series.panel import (
    SINGLE_SERIES,
    concatenate_series,
    has_levels,
    is_list_of_series,
    is_panel,
    rows_by_series,
    unpack_history,
)
from sklstm._series.static import StaticEncoder, with_static
from sklstm._series.time_index import check_same_kind, step_of
from sklstm._series.validation import (
    as_numbers,
    check_columns,
    check_numbers,
    check_size,
    check_values,
    check_weight_size,
    is_pandas,
    n_dims,
)
from sklstm._utils.disk_arrays import blocks, in_file, unloaded


@dataclass(frozen=True)
class TrainingSeries:
    """Series to train on.

    Parameters
    ----------
    form : {"series", "regression"}
    output : OutputFormat
    histories : dict of series to History
    weights : list of ndarray of shape (n_timesteps,), or None
        Of each series.
    past_only : ndarray of bool of shape (n_features,) or None
        Inputs, then calendar features, that are not known ahead.
    static_encoder : StaticEncoder or None
    in_files : bool
        Whether the series came part by part, so that files hold them, whose inputs end
        in calendar features.
    """

    form: str
    output: OutputFormat
    histories: dict
    weights: list | None = None
    past_only: np.ndarray | None = None
    static_encoder: StaticEncoder | None = None
    in_files: bool = False

    def histories_to_keep(self, window_length, n_inputs):
        """Return what forecasts go on from: of files the ends alone.

        Parameters
        ----------
        n_inputs : int
            Columns of X without calendar features.
        """
        if not self.in_files:
            return self.histories
        n_inputs = n_inputs if self.form == "regression" else None
        return {
            key: history.end(window_length, n_inputs)
            for key, history in self.histories.items()
        }


@dataclass(frozen=True)
class TrainingWindows:
    """Ready-made windows to train on.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
    y : ndarray of shape (n_windows,) or (n_windows, n_outputs)
    weights : ndarray of shape (n_windows,)
    target_shape : tuple of int
        Shape of the target of one window: (), (n_outputs,), or (horizon, n_targets).
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    target_shape: tuple = ()
    form: str = "windows"


class SeriesRows(NamedTuple):
    """Rows of one series or many, after `fit`.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    rows_by_series : dict of series to (rows, index)
        See `panel.rows_by_series`.
    target : ndarray of shape (n_rows, n_targets) or None
        In the regression form, where it came.
    """

    values: np.ndarray
    rows_by_series: dict
    target: np.ndarray | None = None

    def items(self):
        """Yield (series, values, time index) of each series."""
        for key, (rows, index) in self.rows_by_series.items():
            yield key, self.values[rows], index

    def histories(self):
        """Return {series: History} of these rows."""
        if self.target is None:
            return histories_by_series(self.rows_by_series, self.values, None)
        return histories_by_series(self.rows_by_series, self.target, self.values)


def read_training(estimator, X, y, sample_weight, static, *, reset, encoder=None):
    """Read what `fit` got.

    Parameters
    ----------
    estimator : LSTMForecaster
        Its parameters are read, and the names and number of features are set on it.
    reset : bool
        Whether the fit is a new one; else columns must be those of the last.
    encoder : StaticEncoder or None
        Of a fit that goes on.

    Returns
    -------
    TrainingSeries or TrainingWindows
    """
    if isinstance(X, Iterator):
        return read_parts(estimator, X, y, sample_weight, static, reset)
    X, y = unloaded(X), unloaded(y)
    if y is None:
        table = read_series(estimator, X, reset)
    elif estimator.window_length is None or (not is_panel(X) and n_dims(X) == 3):
        check_no_static(static)
        return read_windows(estimator, X, y, sample_weight, reset)
    else:
        table = read_inputs(estimator, X, y, reset)
    given = X if y is None else y
    histories = histories_by_series(*table[1:])
    check_regular(histories)
    histories, encoder = with_static(histories, static, encoder, given)
    return TrainingSeries(
        form="series" if y is None else "regression",
        output=OutputFormat.of(given, table.target),
        histories=histories,
        weights=read_weights(sample_weight, table),
        past_only=past_only_mask(estimator),
        static_encoder=encoder,
    )


class TrainingTable(NamedTuple):
    """One table of the rows of all series."""

    target: object  # the target as it came: a frame, a Series or an array
    rows_by_series: dict
    y: np.ndarray
    X: np.ndarray | None


def read_series(estimator, X, reset):
    """Read a series without inputs."""
    rows, table = rows_by_series(X), concatenate_series(X)
    y = check_values(table, allow_nan=True)
    if n_dims(table) == 2:
        validate_data(estimator, table, skip_check_array=True, reset=reset)
    else:
        estimator.n_features_in_ = 1
        vars(estimator).pop("feature_names_in_", None)
    if estimator.past_covariates is not None:
        raise ValueError(
            "past_covariates names columns of X, but the series came without any. "
            "Fit with fit(X, y), or put them into the series as more targets."
        )
    return TrainingTable(table, rows, y, None)


def read_inputs(estimator, X, y, reset):
    """Read a target and its inputs."""
    rows, target = align_X_y(X, y), concatenate_series(y)
    if not reset:
        target = match_columns(target, estimator._state.output.names)
    X = read_input_values(estimator, concatenate_series(X), reset)
    y = check_values(target, "y", allow_nan=True)
    check_same_length(X, y)
    for column in range(X.shape[1]):
        values = X[:, column][:, None]
        parts = blocks(len(values))
        if all((values[i] == y[i]).all(axis=0).any() for i in parts):
            raise ValueError(
                f"Column {column} of X equals y, which would leak the target. "
                "Remove it: past values of y are used already."
            )
    return TrainingTable(target, rows, y, X)


def read_weights(sample_weight, table):
    """Return the weights of rows by series, or None."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(
        concatenate_series(sample_weight),
        np.nan_to_num(table.y),
        dtype=np.float64,
        ensure_non_negative=True,
    )
    check_weight_size(weights)
    return [weights[rows] for rows, _ in table.rows_by_series.values()]


def read_parts(estimator, parts, y, sample_weight, static, reset):
    """Read frames, or series, that come one by one; see `SeriesBuffer`."""
    check_nothing_beside_parts(y, sample_weight, static)
    buffer, output = SeriesBuffer(), None
    for number, part in enumerate(parts):
        first = reset and output is None
        if isinstance(part, tuple):
            given, table = part[1], read_inputs(estimator, *part, first)
        else:
            given, table = part, read_series(estimator, part, first)
        form = "series" if table.X is None else "regression"
        kind = form, OutputFormat.of(given, table.target)
        if (output or kind) != kind:
            raise ValueError(
                f"Part {number} of X is not of the kind of those before it: it has "
                "another container, other columns or other levels of the index. "
                "Let all be like the first."
            )
        output = kind
        histories = histories_by_series(*table[1:])
        if SINGLE_SERIES in histories:  # as in a list of series
            histories = {number: histories[SINGLE_SERIES]}
        buffer.add(
            {k: with_calendar(own, estimator.calendar) for k, own in histories.items()}
        )
    if output is None:
        raise ValueError("X gave no part. Let it give frames or series to fit on.")
    histories = buffer.histories()
    check_regular(histories)
    mask = past_only_mask(estimator)
    return TrainingSeries(*output, histories, past_only=mask, in_files=True)


def check_nothing_beside_parts(y, sample_weight, static):
    if static is not None:
        raise ValueError(
            "X gives its parts one by one, and static_features cannot come beside "
            "it. Put them into the X of pairs (X, y), as columns that do not "
            "change within a series; or pass all series at once."
        )
    if y is not None or sample_weight is not None:
        raise ValueError(
            "X gives its parts one by one, so neither y nor sample_weight can come "
            "beside it. Let it give pairs (X, y) instead; weights it cannot have."
        )


def check_no_static(static):
    if static is not None:
        raise ValueError(
            "static_features are of series, but the rows of X are ready-made "
            "windows. Put them into X."
        )


def read_windows(estimator, X, y, sample_weight, reset):
    """Read ready-made windows with their targets and weights."""
    timed = is_pandas(X) and isinstance(X.index, (pd.DatetimeIndex, pd.PeriodIndex))
    if timed or is_panel(X) and is_panel(y):
        raise ValueError(
            "X has a time index or many series and comes with y, so its rows are "
            "time steps, but window_length is None, which means ready-made "
            "windows. Set window_length, or pass X.to_numpy()."
        )
    shape = np.shape(y)[1:]
    if len(shape) == 2:  # as `make_windows` gives it
        y = as_numbers(y).reshape(len(y), -1)
    X, y = read_window_values(estimator, X, y, reset=reset)
    weights = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    check_weight_size(weights)
    if not weights.any():
        raise ValueError(
            "sample_weight is zero for every row, so no weight is left to train on."
        )
    return TrainingWindows(X, y, weights, shape if len(shape) == 2 else y.shape[1:])


def read_window_values(estimator, X, y=None, *, reset=False):
    """Return windows of shape (n_windows, window_length, n_features), and y."""
    check_columns(X)
    three_d = n_dims(X) == 3
    check_numbers(X)
    if y is not None:
        check_numbers(y, "y")
    if three_d:
        return read_3d_windows(estimator, X, y, reset)
    target = {} if y is None else {"y": y, "multi_output": True, "y_numeric": True}
    checked = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        **target,
    )
    if y is None:
        check_size(checked)
        if not reset:
            check_window_shape(estimator, (checked.shape[1], 1))
        return checked[:, :, None], None
    X, y = checked
    return check_size(X)[:, :, None], check_size(y.astype(np.float64), "y")


def read_3d_windows(estimator, X, y, reset):
    finite = {"ensure_all_finite": "allow-nan"}
    X = check_array(X, dtype=np.float64, allow_nd=True, input_name="X", **finite)
    length = estimator.window_length
    if length is not None:
        if X.shape[1] < length:
            raise ValueError(
                f"X has windows of {X.shape[1]} steps, but window_length={length} "
                "needs at least as many. Pass longer windows or shorten window_length."
            )
        X = X[:, -length:]
    if not X.size:
        raise ValueError(
            f"X has windows of shape {X.shape[1:]}, which hold no value. Pass at "
            "least one step and one feature."
        )
    check_size(X)
    if not reset:
        check_window_shape(estimator, X.shape[1:])
    if y is not None:
        _, y = check_X_y(X[:, 0], y, multi_output=True, y_numeric=True, **finite)
        y = check_size(y.astype(np.float64), "y")
    if reset:
        estimator.n_features_in_ = X.shape[2]
        vars(estimator).pop("feature_names_in_", None)
    return X, y


def check_window_shape(estimator, shape):
    """Raise where windows have another shape than those of `fit`."""
    fitted = estimator._spec_.window_shape
    if shape != fitted:
        raise ValueError(
            f"X has windows of shape {shape}, but LSTMForecaster was fitted "
            f"with {fitted}. Pass windows of that shape, as an array of shape "
            f"{('n_windows', *fitted)}."
        )


def read_rows(estimator, X, *, ahead=False):
    """Read rows of series that `fit` got.

    Of rows ahead, `past_covariates` are not read.
    """
    state = estimator._state
    rows = read_row_values(estimator, X, ahead)
    check_one_or_many(state, rows.rows_by_series)
    unknown = [key for key in rows.rows_by_series if key not in state.series]
    if unknown:
        raise ValueError(
            f"X has rows of {unknown[0]!r}, a series that is not in the history. "
            "Give forecast its past by history=, or fit with it."
        )
    return rows


def read_observations(estimator, X, y, method="update"):
    """Read rows that came after `fit`: of the series, or inputs and target."""
    if (y is None) != (estimator._state.form == "series"):
        raise ValueError(
            f"{method} takes what fit took: {method}(series) after fit(series), "
            f"{method}(X, y) after fit(X, y)."
        )
    rows = read_rows(estimator, X)
    if y is None:
        return rows
    where = align_X_y(X, y)
    target = read_target(estimator._state, y)
    check_same_length(rows.values, target)
    return rows._replace(target=target, rows_by_series=where)


def read_target(state, y):
    """Return the target as numbers, its columns in the order of `fit`."""
    y = match_columns(concatenate_series(y), state.output.names)
    return check_values(y, "y", allow_nan=True)


def match_columns(y, names):
    """Return a frame of targets with its columns in the order of names.

    Raises
    ------
    ValueError
        If it has other columns.
    """
    if not isinstance(y, pd.DataFrame) or not isinstance(names, list):
        return y
    if len(names) < 2 or list(y.columns) == names:
        return y
    if y.columns.has_duplicates or set(y.columns) != set(names):
        raise ValueError(
            f"y has the columns {list(y.columns)}, but the forecaster was fitted with "
            f"{names}. Pass the same columns, in any order."
        )
    return y[names]


def read_inputs_ahead(estimator, state, X, chosen, steps=None):
    """Read inputs of the rows after the end of series.

    Rows before the end are left out; the first row after it must be there, and no row
    may be missing between the first and the last.

    Parameters
    ----------
    state : FittedForecaster
        Whose series are forecast.
    chosen : list
        Keys of the series.
    steps : int or None
        Rows that are needed of each.

    Returns
    -------
    dict of series to ndarray of shape (n_ahead, n_features)
    """
    rows = read_row_values(estimator, X, ahead=True)
    check_one_or_many(state, rows.rows_by_series)
    missing = [key for key in chosen if key not in rows.rows_by_series]
    if missing:
        raise ValueError(
            f"X has no rows of the series {missing[0]!r}, which needs them as "
            "all that are forecast. Add them, or name the others by series=."
        )
    ahead = {}
    for key in chosen:
        at, index = rows.rows_by_series[key]
        ahead[key] = rows_after_end(rows.values[at], index, state.series[key].history)
    n_rows = min(map(len, ahead.values()))
    if steps is not None and n_rows < steps:
        raise ValueError(
            f"X has {n_rows} rows after the end of the history, but steps={steps} "
            "needs as many. Pass more rows of X, or lower steps."
        )
    return ahead


def rows_after_end(values, index, history):
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
            "first after the end of the history. Pass inputs of the rows to forecast."
        )
    values, index = values[after], index[after]
    where = history.where(index, len(index)) - len(history)
    if where[0] != 0:
        raise ValueError(
            f"X starts at {index[0]}, but the first row after the end of the history "
            f"is {expected}. Pass a row for each step, from that one on."
        )
    late = np.flatnonzero(np.diff(where) != 1)
    if len(late):
        row = int(late[0])
        raise ValueError(
            f"X goes from {index[row]} to {index[row + 1]} and leaves out rows between "
            "them. Pass a row for each step."
        )
    return values


def read_history(estimator, history, static=None):
    """Return {series: History} of other data in the form that `fit` took."""
    state = estimator._state
    X, y = (history, None) if state.form == "series" else unpack_history(history)
    where = rows_by_series(X) if y is None else align_X_y(X, y)
    one = state.is_single
    if one != (SINGLE_SERIES in where):
        raise ValueError(
            "history must come in the form that fit took: "
            + ("one series, but it holds many." if one else "many series, but it ")
            + ("" if one else "holds one.")
            + " Pass "
            + ("that one alone." if one else "a list of series, or levels of keys.")
        )
    values = read_row_values(estimator, X).values
    if y is None:
        histories = histories_by_series(where, values, None)
    else:
        target = read_target(state, y)
        check_same_length(values, target)
        histories = histories_by_series(where, target, values)
    check_regular(histories, "history")
    return with_static_of(state, histories, static, X)


def with_static_of(state, histories, static, data):
    """Return histories with the static features given, or those of the same key."""
    encoder = state.static_encoder
    if encoder is None and static is not None:
        raise ValueError(
            "The forecaster was fitted without static_features, so it knows "
            "nothing to do with them. Leave them out, or fit with them."
        )
    if encoder is None or static is not None:
        return with_static(histories, static, encoder, data)[0]
    new = [key for key in histories if key not in state.series]
    if new or state.output.index_names is None:
        raise ValueError(
            "The forecaster was fitted with static_features, and those of the "
            f"series {(new or list(histories))[0]!r} are not known. Pass "
            "static_features= beside history=."
        )
    return {
        key: replace(history, static=state.series[key].history.static)
        for key, history in histories.items()
    }


def read_row_values(estimator, X, ahead=False):
    """Read rows like those passed to `fit`, of any series."""
    state = estimator._state
    where, table = rows_by_series(X), concatenate_series(X)
    if state.form == "regression":
        if ahead:
            table = without_past(estimator, table)
        return SeriesRows(read_input_values(estimator, table), where)
    values = check_values(table, allow_nan=True)
    if n_dims(table) == 2:
        validate_data(estimator, table, skip_check_array=True, reset=False)
    elif values.shape[1] != state.model.n_targets:
        raise ValueError(
            f"X has 1 column, but the fitted series has {state.model.n_targets}. Pass "
            "rows of shape (n_timesteps, n_columns)."
        )
    return SeriesRows(values, where)


def read_input_values(estimator, table, reset=False):
    """Return inputs as numbers; those that `past_covariates` names may be missing."""
    partly = estimator.past_covariates is not None
    if not reset:
        partly = estimator._state.model.past_only is not None
    if is_pandas(table):
        check_values(table, allow_nan=partly)
    else:
        check_numbers(table)
    finite = {"ensure_all_finite": "allow-nan" if partly else True}
    dtype = FLOAT_DTYPES if in_file(table) else np.float64
    X = validate_data(estimator, table, reset=reset, dtype=dtype, **finite)
    if partly:
        mask = past_only_mask(estimator) if reset else estimator._state.model.past_only
        past = mask[: X.shape[1]]
        if any(np.isnan(X[i][:, ~past]).any() for i in blocks(len(X))):
            check_values(np.where(past, 0.0, X))  # says where
    return check_size(X)


def past_only_mask(estimator):
    """Return which columns of X, then of the calendar, are not known ahead, or None."""
    past = estimator.past_covariates
    if past is None:
        return None
    numbers = range(estimator.n_features_in_)
    names = list(getattr(estimator, "feature_names_in_", numbers))
    unknown = [name for name in past if name not in names]
    if unknown:
        raise ValueError(
            f"past_covariates has {unknown}, but the columns of X are {names}. "
            "Name some of these."
        )
    known_ahead = n_calendar_features(estimator.calendar) * [False]
    return np.array([name in past for name in names] + known_ahead)


def without_past(estimator, X):
    """Return X with zeros for what is not known ahead."""
    past, n_columns = estimator._state.model.past_only, estimator.n_features_in_
    names = _get_feature_names(X)  # of polars and Arrow frames, too
    if past is not None and names is not None:
        X = with_past_columns(estimator, X, names)
        names = _get_feature_names(X)
    if past is None or np.shape(X)[1:] != (n_columns,):
        return X  # validate_data says what is wrong
    frame = pd.DataFrame(X if is_pandas(X) else np.asarray(X)).copy()
    if names is not None:
        frame.columns = names
    frame[frame.columns[past[:n_columns]]] = 0.0
    return frame if is_pandas(X) or names is not None else frame.to_numpy()


def with_past_columns(estimator, X, names):
    """Return X with columns for those that are not known ahead and were left out."""
    fitted = list(getattr(estimator, "feature_names_in_", names))
    past = set(estimator.past_covariates or ())
    left_out = [name for name in fitted if name not in names]
    if not left_out or not set(left_out) <= past or set(names) - set(fitted):
        return X
    frame = pd.DataFrame(np.asarray(X), columns=list(names))
    if is_pandas(X):
        frame = X.copy()
    frame[left_out] = 0.0
    return frame[fitted]


def check_one_or_many(state, where):
    """Raise where rows of one series come for many, or the other way round."""
    if state.is_single == (SINGLE_SERIES in where):
        return
    was, told = "many series", "X does not say whose its rows are"
    if state.is_single:
        was, told = "one series", "X holds many"
    raise ValueError(
        f"The forecaster was fitted with {was}, but {told}. Pass rows in the form "
        "that fit took."
    )


def check_regular(histories, name="X"):
    """Raise where the time steps of a series are not regular."""
    for key, history in histories.items():
        if history.index is None or len(history.index) < 2:
            continue
        try:
            step_of(history.index)
        except ValueError as error:
            whose = "" if key is SINGLE_SERIES else f", series {key!r}"
            raise ValueError(f"{name}{whose}: {error}") from error


def histories_by_series(where, y, X):
    """Return {series: `History`} of tables of rows."""
    return {
        key: History(y[rows], None if X is None else X[rows], index)
        for key, (rows, index) in where.items()
    }


def align_X_y(X, y):
    """Return `rows_by_series` of X and y, whose rows must be the same."""
    where, of_y = rows_by_series(X), rows_by_series(y, "y")
    timed = SINGLE_SERIES not in where or where[SINGLE_SERIES][1] is not None
    if timed and is_pandas(X) and is_pandas(y) and not y.index.equals(X.index):
        raise ValueError(
            "X and y have different indexes. Align them first, for example "
            "y = y.loc[X.index]."
        )
    if SINGLE_SERIES in where and SINGLE_SERIES in of_y:
        return where if timed else of_y
    if has_levels(X) and not is_panel(y):
        return where
    if n_rows_of_many(where) != n_rows_of_many(of_y):
        raise ValueError(
            "X and y hold other series, or series of other lengths. Pass both as lists "
            "of equally long parts, or with the same index."
        )
    if is_list_of_series(X) and is_list_of_series(y):
        check_equal_indexes(where, of_y)
    return where


def check_equal_indexes(where, of_y):
    """Raise where a part of X and its part of y have different time indexes."""
    for key, (_, index) in where.items():
        other = of_y[key][1] if key in of_y else None
        if index is not None and other is not None and not index.equals(other):
            raise ValueError(
                f"X[{key}] and y[{key}] have different indexes. Align them first, for "
                f"example y[{key}] = y[{key}].loc[X[{key}].index]."
            )


def n_rows_of_many(where):
    """Return the number of rows of each series, where there are many."""
    return {
        key: len(rows) for key, (rows, _) in where.items() if key is not SINGLE_SERIES
    }


def check_same_length(X, y):
    if len(X) != len(y):
        raise ValueError(
            f"X has {len(X)} rows, but y has {len(y)}. Pass a row of X for each of y."
        )
