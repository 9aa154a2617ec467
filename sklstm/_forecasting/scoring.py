"""Actual values beside forecasts of all lead times, for the score of a series."""

from dataclasses import replace

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils import check_consistent_length

from sklstm._forecasting.members import consecutive
from sklstm._forecasting.model import (
    ForecastModel,
    Origins,
    check_equal_inside,
    inputs_ahead,
)
from sklstm._forecasting.searches import rows_on_axis, scored_rows
from sklstm._series.history import History
from sklstm._series.panel import concatenate_series, errors_naming
from sklstm._series.reader import SeriesRows, read_observations
from sklstm._series.validation import as_numbers, check_weights


def values_and_forecasts(
    model: ForecastModel, fitted: dict, rows: SeriesRows
) -> tuple[np.ndarray, np.ndarray]:
    """Return actual values and forecasts of rows, from every origin before them.

    Parameters
    ----------
    model : ForecastModel
    fitted : dict of series to FittedSeries
    rows : SeriesRows
        Inside the history, where origins are inside as well, after it, or after a gap,
        across which they are forecast.

    Returns
    -------
    actual, forecasts : ndarray of shape (n_forecasts, n_targets)

    Raises
    ------
    ValueError
        If no row has one before it, or rows inside the history differ from it.
    """
    steps = min([model.horizon, *(len(v) for _, v, _ in rows.items())])
    origins, ahead = [], np.arange(steps)
    for key, values, index in rows.items():
        series = fitted[key]
        with errors_naming(key):
            where = positions_of(series.history, values, index)
            check_equal_inside(values, where, series.history, series.history.y)
        runs = where[: len(where) - steps + 1]
        # All lead times of an origin must be rows of X, and one row must come before.
        whole = (where[steps - 1 :] - runs == steps - 1) & (runs > 0)
        known = replace(
            series, history=extended(series.history, values, None, index, where)
        )
        if whole.any():
            origins.append(Origins(known, runs[whole]))
    if not origins:
        raise ValueError(
            f"X has no {steps} consecutive rows after a row of the history, so there "
            "is nothing to score. Pass rows that follow the history."
        )
    forecasts = model.forecast(origins, steps)
    actual = np.concatenate(
        [origin.series.history.y[origin.rows[:, None] + ahead] for origin in origins]
    )
    shape = (-1, model.n_targets)
    return actual.reshape(shape), forecasts.reshape(shape)


def errors_of_new_rows(
    model: ForecastModel, known: dict, extended: dict, rows: SeriesRows
) -> np.ndarray:
    """Return actual less forecast values of rows that were appended to histories.

    Each row is forecast one step ahead, from all rows before it.

    Parameters
    ----------
    model : ForecastModel
    known, extended : dict of series to FittedSeries
        Before and after the rows were appended.
    rows : SeriesRows

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        In the order of `rows`.
    """
    origins = []
    for key in rows.rows_by_series:
        ends = len(known[key].history), len(extended[key].history)
        origins.append(Origins(extended[key], np.arange(*ends)))
    forecasts = model.forecast(origins, 1)[:, 0]
    parts = consecutive(origin.rows for origin in origins)
    errors = np.empty_like(forecasts)
    positions = (position for position, _ in rows.rows_by_series.values())
    for position, origin, part in zip(positions, origins, parts, strict=True):
        errors[position] = origin.series.history.y[origin.rows] - forecasts[part]
    return errors


def one_step_ahead(forecaster, X, y=None) -> np.ndarray:
    """Forecast each row of one series one step ahead, from all rows before it.

    `predict` does so for a series. In the regression form it gets no targets of the
    rows, and forecasts all of them from the end of the history.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
    """
    state = forecaster._state
    if state.form != "regression":
        forecasts = as_numbers(forecaster.predict(X))
        return forecasts.reshape(len(forecasts), -1)
    rows, model = read_observations(forecaster, X, y, "observe"), state.series_model
    origins = []
    for key, new in rows.histories().items():
        series, history = state.series[key], state.series[key].history
        where = rows_on_axis(history, new.index, len(new))
        assert new.X is not None and history.X is not None, "the form with inputs"
        check_equal_inside(new.X, where, history, history.X, model.past_only)
        longer = extended(history, new.y, new.X, new.index, where)
        origins.append(Origins(replace(series, history=longer), where))
    return model.forecast(origins, 1)[:, 0]


def positions_of(history: History, values, index) -> np.ndarray:
    """Return where rows stand on the axis of a history.

    Rows without an index that equal the end of the history are that end, because
    training rows are scored as well.
    """
    n = len(values)
    if index is None and scored_rows() is None and n <= len(history):
        if np.array_equal(history.y[len(history) - n :], values, equal_nan=True):
            return np.arange(len(history) - n, len(history))
    return rows_on_axis(history, index, n)


def extended(history: History, values, X, index, where) -> History:
    """Return the history with rows after it.

    In a gap, values are missing, and inputs hold the row before it.
    """
    n_history = len(history)
    if where[-1] < n_history:
        return history
    if np.array_equal(where, n_history + np.arange(len(where))):
        return history.appended(values, X, index)
    y = np.full((where[-1] + 1, values.shape[1]), np.nan)
    y[:n_history] = history.y
    y[where] = values
    if X is not None:
        X = np.concatenate([history.X, inputs_ahead(history, X, where)])
    return History(y, X, history.stamps(0, len(y)), static=history.static)


def r2_of_known(y, forecasts, sample_weight=None) -> float:
    """Return R² over the rows whose actual values are known.

    Parameters
    ----------
    y, forecasts : array-like, or lists of them for many series
        Targets of two axes, as ready-made windows may have, count as many outputs.
    sample_weight : array-like or None

    Raises
    ------
    ValueError
        If no row has an actual value.
    """
    actual, forecasts = (
        as_numbers(concatenate_series(part)) for part in (y, forecasts)
    )
    check_consistent_length(actual, forecasts)
    actual, forecasts = (part.reshape(len(part), -1) for part in (actual, forecasts))
    known = ~np.isnan(actual).any(axis=1)
    if not known.any():
        raise ValueError(
            "No row has an actual value, so there is nothing to score "
            "against. Pass rows whose values are known."
        )
    weights = None
    if sample_weight is not None:
        weights = check_weights(concatenate_series(sample_weight), forecasts)[known]
    score = r2_score(actual[known], forecasts[known], sample_weight=weights)
    return float(score)
