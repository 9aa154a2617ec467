"""The one door of data: containers, dtypes, indexes and alignment are known here.

`read_training` reads what `fit` gets, and `read_rows` what comes after it.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.validation import FLOAT_DTYPES, validate_data

from sklstm._series.alignment import (
    align_X_y,
    check_complete,
    check_regular,
    check_same_length,
    check_weights_index,
    histories_by_series,
    match_target,
    rows_after_end,
    with_common_step,
    with_known_step,
)
from sklstm._series.calendar import (
    check_holidays,
    n_calendar_features,
    with_calendar,
)
from sklstm._series.history import History
from sklstm._series.out_of_core import SeriesBuffer
from sklstm._series.output_format import OutputFormat
from sklstm._series.panel import (
    SINGLE_SERIES,
    concatenate_series,
    errors_naming,
    is_list_of_series,
    is_panel,
    rows_by_series,
    unpack_history,
)
from sklstm._series.static import StaticEncoder, with_static, with_static_of
from sklstm._series.validation import (
    as_numbers,
    check_frame,
    check_numbers,
    check_positive_int,
    check_size,
    check_values,
    check_weight_size,
    check_weights,
    is_pandas,
    match_other_names,
    n_dims,
    names_of_columns,
)
from sklstm._series.window_reader import (
    TrainingWindows,
    check_no_static,
    read_windows,
)
from sklstm._utils.disk_arrays import blocks, in_file, unloaded
from sklstm._utils.warn import warn_user


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
    calendar : sequence or None
        See `calendar_features`.
    n_inputs : int
        Columns of X, without calendar features.
    """

    form: str
    output: OutputFormat
    histories: dict[Hashable, History]
    weights: list[np.ndarray] | None = None
    past_only: np.ndarray | None = None
    static_encoder: StaticEncoder | None = None
    in_files: bool = False
    calendar: object = None
    n_inputs: int = 0

    def histories_to_keep(self, window_length: int) -> dict[Hashable, History]:
        """Return the rows that forecasts continue, the ends of series in files."""
        if not self.in_files:
            return self.histories
        n_inputs = self.n_inputs if self.form == "regression" else None
        return {
            key: history.end(window_length, n_inputs)
            for key, history in self.histories.items()
        }


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

    def items(self) -> Iterator[tuple[Hashable, np.ndarray, pd.Index | None]]:
        """Yield (series, values, time index) of each series."""
        for key, (rows, index) in self.rows_by_series.items():
            yield key, self.values[rows], index

    def histories(self) -> dict[Hashable, History]:
        """Return {series: History} of these rows."""
        if self.target is None:
            return histories_by_series(self.rows_by_series, self.values, None)
        return histories_by_series(self.rows_by_series, self.target, self.values)


def read_training(
    estimator,
    X,
    y,
    sample_weight,
    static,
    *,
    reset: bool,
    encoder: StaticEncoder | None = None,
) -> TrainingSeries | TrainingWindows:
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
    known = None if reset else estimator._state.output
    if y is None:
        table = read_series(estimator, X, known)
    elif estimator.window_length is None or (not is_panel(X) and n_dims(X) == 3):
        check_no_static(static)
        return read_windows(estimator, X, y, sample_weight, reset)
    else:
        table = read_inputs(estimator, X, y, known)
    given = X if y is None else y
    warn_of_other_index(given, table.rows_by_series)
    histories = histories_by_series(*table[1:4])
    if not reset:
        fitted = (own.history for own in estimator._state.series.values())
        histories = with_known_step(histories, fitted)
    histories = with_common_step(histories)
    check_regular(histories)
    check_holidays(estimator.calendar, histories.values())
    histories, encoder = with_static(histories, static, encoder, given)
    return TrainingSeries(
        form="series" if y is None else "regression",
        output=OutputFormat.of(given, table.target, table.inputs),
        histories=histories,
        weights=read_weights(sample_weight, table, X, y),
        past_only=past_only_mask(estimator, table.inputs),
        static_encoder=encoder,
        calendar=estimator.calendar,
        n_inputs=0 if y is None else estimator.n_features_in_,
    )


def warn_of_other_index(data, rows_by_series: dict) -> None:
    """Warn where a series has an index that holds neither dates nor whole numbers."""
    _, index = rows_by_series.get(SINGLE_SERIES, (None, pd.RangeIndex(0)))
    if index is None and is_pandas(data):
        warn_user(
            f"The index of the series holds {data.index.dtype}, neither dates, periods "
            "nor whole numbers, so rows go by their position, and forecasts are "
            "numbered. Give the series an index of dates, or reset_index(drop=True).",
            UserWarning,
        )


class TrainingTable(NamedTuple):
    """One table of the rows of all series."""

    target: object  # the target as it came: a frame, a Series or an array
    rows_by_series: dict
    y: np.ndarray
    X: np.ndarray | None
    inputs: object = None  # X as it came


def read_series(estimator, X, known: OutputFormat | None) -> TrainingTable:
    """Read a series without inputs; `known` is the format of rows that were read."""
    check_frame(X)
    rows, table = rows_by_series(X), concatenate_series(X)
    if known is not None:
        table = match_other_names(estimator, table, known.names)
    y = check_values(table, allow_nan=True)
    if n_dims(table) == 2:
        # Values are checked already; scikit-learn notes names and number of columns.
        validate_data(estimator, table, skip_check_array=True, reset=known is None)
    else:
        estimator.n_features_in_ = 1
        # A series without columns must not keep the names of the last fit.
        vars(estimator).pop("feature_names_in_", None)
    if estimator.past_covariates is not None:
        raise ValueError(
            "past_covariates names columns of X, but the series came without any. "
            "Fit with fit(X, y), or put them into the series as more targets."
        )
    return TrainingTable(table, rows, y, None)


def read_inputs(estimator, X, y, known: OutputFormat | None) -> TrainingTable:
    """Read a target and its inputs; `known` as for `read_series`."""
    check_frame(X)
    rows, target = align_X_y(X, y), concatenate_series(y)
    inputs = concatenate_series(X)
    if known is not None:
        target = match_target(target, known.names)
        inputs = match_other_names(estimator, inputs, known.input_names)
    partly = estimator.past_covariates is not None
    X = input_numbers(estimator, inputs, partly, reset=known is None)
    check_known_ahead(X, past_only_mask(estimator, inputs), inputs)
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
    return TrainingTable(target, rows, y, X, inputs)


def read_weights(sample_weight, table: TrainingTable, X, y) -> list[np.ndarray] | None:
    """Return the weights of rows by series, or None; X and y tell the rows."""
    if sample_weight is None:
        return None
    check_weights_index(X, sample_weight, y)
    weights = check_weights(concatenate_series(sample_weight), np.nan_to_num(table.y))
    check_weight_size(weights)
    if (weights == weights[0]).all() and weights[0]:
        return None  # Equal weights say nothing, and some models take none.
    # Relative weights, because the penalty of coefficients knows the size of one.
    weights = weights / weights[weights > 0].mean()
    return [weights[rows] for rows, _ in table.rows_by_series.values()]


def read_parts(
    estimator, parts: Iterator, y, sample_weight, static, reset: bool
) -> TrainingSeries:
    """Read frames, or series, that come one by one; see `SeriesBuffer`."""
    check_nothing_beside_parts(y, sample_weight, static)
    buffer, output = SeriesBuffer(), None
    known = None if reset else estimator._state.output
    for number, part in enumerate(parts):
        if isinstance(part, tuple):
            inputs, given = part
            table = read_inputs(estimator, inputs, given, known)
        else:
            given, table = part, read_series(estimator, part, known)
        form = "series" if table.X is None else "regression"
        kind = form, OutputFormat.of(given, table.target, table.inputs)
        if (output or kind) != kind:
            raise ValueError(
                f"Part {number} of X differs from the parts before it in container, "
                "columns or index levels. Pass parts of one kind."
            )
        output, known = kind, kind[1]
        histories = histories_by_series(*table[1:4])
        if SINGLE_SERIES in histories:  # as in a list of series
            histories = {number: histories[SINGLE_SERIES]}
        buffer.add(
            {k: with_calendar(own, estimator.calendar) for k, own in histories.items()}
        )
    if output is None:
        raise ValueError("X gave no part. Let it give frames or series to fit on.")
    histories = with_common_step(buffer.histories())
    check_regular(histories)
    return TrainingSeries(
        *output,
        histories,
        past_only=past_only_mask(estimator, table.inputs),
        in_files=True,
        calendar=estimator.calendar,
        n_inputs=estimator.n_features_in_ if output[0] == "regression" else 0,
    )


def check_nothing_beside_parts(y, sample_weight, static) -> None:
    if static is not None:
        raise ValueError(
            "X gives its parts one by one, and static_features cannot come beside "
            "it. Put them into the X of pairs (X, y), as columns that do not "
            "change within a series; or pass all series at once."
        )
    if y is not None or sample_weight is not None:
        raise ValueError(
            "X gives its parts one by one, so neither y nor sample_weight can come "
            "beside it. Let it give pairs (X, y) instead, without weights."
        )


def read_rows(estimator, X, *, ahead: bool = False) -> SeriesRows:
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


def check_no_steps(X) -> None:
    """Raise where `predict` gets a number of steps, or their dates."""
    if isinstance(X, Integral):
        raise TypeError(
            f"predict forecasts the rows of X, but got the number {X}. Use "
            f"forecast({X}) for the {X} steps after the history."
        )
    if isinstance(X, (pd.DatetimeIndex, pd.PeriodIndex)):
        raise TypeError(
            f"predict forecasts the rows of X, but got {len(X)} time stamps without "
            f"values. Use forecast({len(X)}) for so many steps after the history."
        )


def check_one_or_many(state, where: dict) -> None:
    """Raise where rows of one series come for many, or the other way round."""
    if state.is_single == (SINGLE_SERIES in where):
        return
    was, fault = "many series", "X does not say whose its rows are"
    if state.is_single:
        was, fault = "one series", "X holds many"
    raise ValueError(
        f"The forecaster was fitted with {was}, but {fault}. Pass rows in the form "
        "that fit took."
    )


def read_observations(estimator, X, y, method: str) -> SeriesRows:
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


def read_target(state, y) -> np.ndarray:
    """Return the target as numbers, its columns in the order of `fit`."""
    y = match_target(y, state.output.names)
    return check_values(y, "y", allow_nan=True)


def read_ahead(
    estimator, state, steps: int | None, X, chosen: list
) -> tuple[int, dict[Hashable, np.ndarray] | None]:
    """Read how many steps to forecast, and the inputs of the rows ahead.

    Without `steps` there are as many as rows of X, or as the horizon has. Parameters
    are those of `read_inputs_ahead`.
    """
    check_steps(steps)
    ahead = read_inputs_ahead(estimator, state, X, chosen, steps)
    if steps is None and X is not None and ahead is not None:
        steps = min(map(len, ahead.values()))
    return estimator.horizon if steps is None else steps, ahead


def check_steps(steps) -> None:
    """Raise unless `steps` is a positive integer or None."""
    if np.ndim(steps) or isinstance(steps, (str, pd.Timestamp, pd.Period)):
        raise TypeError(
            f"steps must be an int of 1 or more, but it is a {type(steps).__name__}. "
            "Pass inputs ahead by name, forecast(X=...). For later dates, pass the "
            "number of steps up to them."
        )
    if steps is not None:
        check_positive_int("steps", steps)


def read_inputs_ahead(
    estimator, state, X, chosen: list, steps: int | None = None
) -> dict[Hashable, np.ndarray] | None:
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
    dict of series to ndarray of shape (n_ahead, n_features), or None
        None where `fit` got no inputs.
    """
    if state.form == "series":
        if X is not None:
            raise ValueError(
                "The forecaster was fitted on a series alone, so forecast takes no "
                "X. Fit with fit(X, y) and window_length to use inputs."
            )
        return None
    if X is None and state.model.only_past:
        return {key: np.full((1, state.model.n_inputs), np.nan) for key in chosen}
    if X is None:
        raise ValueError(
            "The forecaster was fitted with inputs X, so forecast needs X for "
            f"the {steps or state.model.horizon} steps ahead. Pass X= with a row for "
            "each."
        )
    rows = read_row_values(estimator, X, ahead=True, allow_nan=True)
    check_one_or_many(state, rows.rows_by_series)
    check_series_ahead(X, rows.rows_by_series, len(state.series), chosen)
    ahead = {}
    for key in chosen:
        at, index = rows.rows_by_series[key]
        history = state.series[key].history
        with errors_naming(key):
            after = rows_after_end(rows.values[at], index, history)
            if steps is not None and len(after) < steps:
                raise ValueError(
                    f"X has {len(after)} rows after the end of the history, but "
                    f"steps={steps} needs as many. Pass more rows of X, or lower steps."
                )
            used = after[: n_used(state, steps)]
            ahead[key] = check_complete(used, history, input_names_of(estimator))
    return ahead


def check_series_ahead(X, where: dict, n_series: int, chosen: list) -> None:
    """Raise where inputs ahead lack a series, or a list has more parts than series."""
    if is_list_of_series(X) and len(X) > n_series:
        raise ValueError(
            f"X has {len(X)} parts, but the history has {n_series} series. Pass one "
            "part for each, in the order of the series."
        )
    missing = [key for key in chosen if key not in where]
    if missing:
        raise ValueError(
            f"X has no rows of the series {missing[0]!r}, but each series that is "
            "forecast needs some. Add them, or name the other series by series=."
        )


def n_used(state, steps: int | None) -> int | None:
    """Return how many rows of inputs a forecast reads; None means all of them."""
    if steps is None:
        return None
    return state.model.n_blocks(steps) * state.model.horizon


def read_history(estimator, history, static=None) -> dict[Hashable, History]:
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
    known = [own.history for own in state.series.values()]
    steps = (own.recent()[1] for own in known if own.index is not None)
    histories = with_common_step(histories, steps, "history")
    histories = with_known_step(histories, known)
    check_regular(histories, "history")
    return with_static_of(state, histories, static, X)


def read_row_values(
    estimator, X, ahead: bool = False, allow_nan: bool = False
) -> SeriesRows:
    """Read rows like those passed to `fit`, of any series.

    With `allow_nan` any input may be missing, because not all rows will be used.
    """
    state = estimator._state
    if not is_pandas(X):  # other frames are read as arrays
        check_frame(X)
    where, table = rows_by_series(X), concatenate_series(X)
    if state.form == "regression":
        if ahead:
            table = without_past(estimator, table)
        return SeriesRows(read_input_values(estimator, table, allow_nan), where)
    table = match_other_names(estimator, table, state.output.names)
    values = check_values(table, allow_nan=True)
    if n_dims(table) == 2:
        validate_data(estimator, table, skip_check_array=True, reset=False)
    elif values.shape[1] != state.model.n_targets:
        raise ValueError(
            f"X has 1 column, but the fitted series has {state.model.n_targets}. Pass "
            "rows of shape (n_timesteps, n_columns)."
        )
    return SeriesRows(values, where)


def read_input_values(estimator, table, allow_nan: bool = False) -> np.ndarray:
    """Return inputs after `fit`; those that `past_covariates` names may be missing."""
    past_only = estimator._state.model.past_only
    if n_dims(table) < 2:
        raise ValueError(
            f"X has the shape {np.shape(table)}, but the forecaster was fitted with "
            f"the inputs {input_names_of(estimator)}. Pass rows of these columns, as a "
            "frame or an array of two dimensions."
        )
    table = match_other_names(estimator, table, estimator._state.output.input_names)
    X = input_numbers(estimator, table, allow_nan or past_only is not None)
    if not allow_nan:
        check_known_ahead(X, past_only, table)
    return X


def input_numbers(estimator, table, partly: bool, reset: bool = False) -> np.ndarray:
    """Return inputs as numbers; with `partly`, some may be missing."""
    if is_pandas(table):
        values = check_values(table, allow_nan=partly)
        if isinstance(table, pd.DataFrame):  # scikit-learn cannot read all dtypes
            table = pd.DataFrame(values, table.index, table.columns)
    else:
        check_numbers(table)
        if getattr(table, "dtype", None) == np.dtype(object):
            table = as_numbers(table)
    finite = {"ensure_all_finite": "allow-nan" if partly else True}
    dtype = FLOAT_DTYPES if in_file(table) else np.float64
    return check_size(
        validate_data(estimator, table, reset=reset, dtype=dtype, **finite)
    )


def check_known_ahead(X: np.ndarray, past_only: np.ndarray | None, table) -> None:
    """Raise if an input is missing that is not among those of `past_covariates`.

    `table` is X as it came, whose rows and columns the error names.
    """
    if past_only is None:
        return
    past = past_only[: X.shape[1]]
    if any(np.isnan(X[i][:, ~past]).any() for i in blocks(len(X))):
        known = np.where(past, 0.0, X)
        index = table.index if is_pandas(table) else None
        check_values(pd.DataFrame(known, index, names_of_columns(table)))


def past_only_mask(estimator, inputs) -> np.ndarray | None:
    """Return which columns of X, then of the calendar, are not known ahead, or None."""
    past = estimator.past_covariates
    if past is None:
        return None
    numbers = list(range(estimator.n_features_in_))
    names = names_of_columns(inputs) or numbers
    unknown = [name for name in past if name not in names]
    if unknown:
        raise ValueError(
            f"past_covariates has {unknown}, but the columns of X are {names}. "
            "Name some of these."
        )
    known_ahead = n_calendar_features(estimator.calendar) * [False]
    return np.array([name in past for name in names] + known_ahead)


def without_past(estimator, X):
    """Return X with zeros in columns that are not known ahead, also if X lacks them."""
    past, n_columns = estimator._state.model.past_only, estimator.n_features_in_
    fitted = input_names_of(estimator)
    if past is None:
        return X
    hidden = [name for name, own in zip(fitted, past, strict=False) if own]
    names = names_of_columns(X)
    if names is not None:
        X = with_columns_of_past(X, names, fitted, hidden)
        names = names_of_columns(X)
    if np.shape(X)[1:] != (n_columns,):
        return X  # validate_data says what is wrong
    frame = pd.DataFrame(X if is_pandas(X) else np.asarray(X)).copy()
    if names is not None and not is_pandas(X):
        frame.columns = names
    if names is None or not set(hidden) <= set(names):
        hidden = list(frame.columns[past[:n_columns]])
    frame[hidden] = 0.0
    return frame if is_pandas(X) or names is not None else frame.to_numpy()


def input_names_of(estimator) -> list:
    """Return the names of the columns of X at `fit`, or their numbers."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = estimator._state.output.input_names
    return list(range(estimator.n_features_in_) if names is None else names)


def with_columns_of_past(X, names: list, fitted: list, hidden: list):
    """Return X with columns for those that are not known ahead and were left out."""
    left_out = [name for name in fitted if name not in names]
    if not left_out or not set(left_out) <= set(hidden) or set(names) - set(fitted):
        return X
    frame = X.copy() if is_pandas(X) else pd.DataFrame(np.asarray(X), columns=names)
    for name in left_out:
        frame[name] = 0.0
    return frame[fitted]
