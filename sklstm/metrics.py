"""Forecast metrics that scikit-learn does not have."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import mean_pinball_loss
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length

from sklstm._series.alignment import (
    check_regular_index,
    check_same_dates,
)
from sklstm._series.time_index import check_order, plain_index
from sklstm._series.validation import (
    as_numbers,
    check_positive_int,
    check_probabilities,
    check_values,
    columns_in_order,
    is_pandas,
    match_columns,
    names_of_columns,
    stamp_in_words,
)

__all__ = [
    "interval_coverage",
    "interval_score",
    "make_backtest_scorer",
    "mean_absolute_scaled_error",
    "overall_weighted_average",
    "root_mean_squared_scaled_error",
    "symmetric_mean_absolute_percentage_error",
    "weighted_quantile_loss",
]


def mean_absolute_scaled_error(y_true, y_pred, *, y_train, seasonal_period=1):
    """Compute the mean absolute scaled error (MASE).

    MASE is the mean absolute error of the forecast, divided by the mean absolute error
    of the seasonal naive forecast on the training series. Rows whose actual value is
    missing are left out; a missing forecast is an error.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,)
        In the same units as `y_train`.
    y_train : array-like of shape (n_timesteps,)
    seasonal_period : int, default=1
        Rows in one season; 1 compares with the last value.

    Returns
    -------
    float
        Below 1, the forecast is better than the naive forecast was in training.

    Raises
    ------
    ValueError
        If `y_train` is no longer than one season or holds many series, if the naive
        forecast makes no error on it, if a forecast is missing, or all actual values.

    References
    ----------
    Hyndman and Koehler (2006), "Another look at measures of forecast accuracy",
    International Journal of Forecasting 22(4).

    Examples
    --------
    >>> from sklstm.metrics import mean_absolute_scaled_error
    >>> mean_absolute_scaled_error([4, 5], [4, 4], y_train=[1, 2, 3])
    0.5
    """
    error = np.abs(differences(y_true, y_pred)).mean()
    return float(error / np.abs(naive_errors(y_train, seasonal_period)).mean())


def root_mean_squared_scaled_error(y_true, y_pred, *, y_train, seasonal_period=1):
    """Compute the root mean squared scaled error (RMSSE).

    RMSSE is the root mean squared error of the forecast, divided by that of the
    seasonal naive forecast on the training series. Parameters, exceptions and what
    happens to missing values are those of `mean_absolute_scaled_error`.

    Returns
    -------
    float

    References
    ----------
    Makridakis, Spiliotis and Assimakopoulos (2022), "M5 accuracy competition",
    International Journal of Forecasting 38(4).

    Examples
    --------
    >>> from sklstm.metrics import root_mean_squared_scaled_error
    >>> root_mean_squared_scaled_error([4, 6], [4, 4], y_train=[1, 3, 5])
    0.707...
    """
    error = np.mean(differences(y_true, y_pred) ** 2)
    return float(np.sqrt(error / np.mean(naive_errors(y_train, seasonal_period) ** 2)))


def symmetric_mean_absolute_percentage_error(y_true, y_pred):
    """Compute the symmetric mean absolute percentage error (sMAPE).

    sMAPE is the mean of ``200 |y_true - y_pred| / (|y_true| + |y_pred|)``, in percent.
    Rows whose actual value is missing are left out; a missing forecast is an error.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,)
        Rows where both values are 0 count as an error of 0.

    Returns
    -------
    float
        Between 0 and 200.

    References
    ----------
    Makridakis and Hibon (2000), "The M3-Competition", International Journal of
    Forecasting 16(4).

    Examples
    --------
    >>> from sklstm.metrics import symmetric_mean_absolute_percentage_error
    >>> symmetric_mean_absolute_percentage_error([100, 0], [300, 0])
    50.0
    """
    y_true, y_pred = matched(y_true, y_pred)
    error, size = np.abs(y_true - y_pred), np.abs(y_true) + np.abs(y_pred)
    return float(200 * np.mean(error / np.where(size > 0, size, 1)))


def overall_weighted_average(smape, mase, *, naive_smape, naive_mase):
    """Compute the overall weighted average (OWA) of the M4 competition.

    OWA is the mean of two ratios: sMAPE and MASE of the forecast, each divided by that
    of a naive forecast.

    Parameters
    ----------
    smape, mase : float
        Means of the forecast's errors over all series.
    naive_smape, naive_mase : float
        Means of the naive forecast's errors over all series. M4 takes Naive2, the
        seasonally adjusted last value.

    Returns
    -------
    float
        Below 1, the forecast is better than the naive forecast.

    References
    ----------
    Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition",
    International Journal of Forecasting 36(1).

    Examples
    --------
    >>> from sklstm.metrics import overall_weighted_average
    >>> overall_weighted_average(9, 1, naive_smape=18, naive_mase=2)
    0.5
    """
    return float((smape / naive_smape + mase / naive_mase) / 2)


def weighted_quantile_loss(y_true, y_quantiles, *, quantiles):
    """Compute the weighted quantile loss.

    The loss is twice the sum of pinball losses, divided by the sum of absolute actual
    values, averaged over quantiles. Rows whose actual value is missing are left out; a
    missing forecast is an error.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,)
    y_quantiles : array-like of shape (n_timesteps, n_quantiles)
        A frame whose columns are named by the quantiles may have them in any order.
    quantiles : sequence of float
        The probability of each column.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the number of columns differs from the number of quantiles, or if all actual
        values are 0.

    References
    ----------
    Salinas, Flunkert, Gasthaus and Januschowski (2020), "DeepAR", International
    Journal of Forecasting 36(3).

    Examples
    --------
    >>> from sklstm.metrics import weighted_quantile_loss
    >>> weighted_quantile_loss([10, 10], [[8, 12], [8, 12]], quantiles=[0.25, 0.75])
    0.1
    """
    columns = quantile_columns(y_quantiles, quantiles)
    if len(columns) != len(quantiles):
        raise ValueError(
            f"y_quantiles has {len(columns)} columns, but there are {len(quantiles)} "
            "quantiles. Pass one column for each quantile."
        )
    check_probabilities("quantiles", quantiles)
    y_true, *columns = matched(y_true, *columns)
    size = np.abs(y_true).sum()
    if size == 0:
        raise ValueError(
            "All actual values are 0, but the loss is divided by the sum of their "
            "sizes. Use sklearn.metrics.mean_pinball_loss instead."
        )
    losses = [
        mean_pinball_loss(y_true, column, alpha=quantile)
        for column, quantile in zip(columns, quantiles, strict=True)
    ]
    return float(2 * len(y_true) * np.mean(losses) / size)


def interval_coverage(y_true, lower, upper):
    """Compute the share of actual values inside their intervals, bounds included.

    Rows whose actual value is missing are left out; a missing bound is an error.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_timesteps,)

    Returns
    -------
    float

    Examples
    --------
    >>> from sklstm.metrics import interval_coverage
    >>> interval_coverage([1, 5], [0, 0], [2, 2])
    0.5
    """
    y_true, lower, upper = matched(y_true, lower, upper)
    return float(np.mean((lower <= y_true) & (y_true <= upper)))


def interval_score(y_true, lower, upper, *, coverage):
    """Compute the mean interval score (Winkler score); lower is better.

    The score of one row is the width of its interval, plus a penalty in proportion to
    the distance of a value outside it. Rows whose actual value is missing are left out;
    a missing bound is an error.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_timesteps,)
    coverage : float
        Nominal coverage of the intervals, between 0 and 1.

    Returns
    -------
    float
        In the units of `y_true`.

    References
    ----------
    Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and
    estimation", JASA 102.

    Examples
    --------
    >>> from sklstm.metrics import interval_score
    >>> interval_score([1, 5], [0, 0], [2, 4], coverage=0.5)
    5.0
    """
    check_probabilities("coverage", (coverage,))
    y_true, lower, upper = matched(y_true, lower, upper)
    outside = np.maximum(lower - y_true, 0) + np.maximum(y_true - upper, 0)
    return float(np.mean(upper - lower + 2 / (1 - coverage) * outside))


def make_backtest_scorer(metric, *, steps=None, stride=1, gap=0, **options):
    """Make a scorer from an error of `LSTMForecaster.backtest`, for use in searches.

    Scorers of `predict` measure forecasts one step ahead. This scorer measures all lead
    times, and needs no `y` if the forecaster was fitted without one.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **options)`` returns an error; lower is better. If
        `metric` has a parameter `y_train`, it receives the rows known at the fit.
        The errors of several series and targets are averaged.
    steps : int, default=None
        Steps to forecast from each origin; None means the forecaster's `horizon`.
    stride : int, default=1
        Rows between two origins.
    gap : int, default=0
        Rows between an origin and the first row forecast from it.
    **options
        Keyword arguments of `metric`, such as `seasonal_period`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)`` returns the negated error; higher is better.
        The estimator is a forecaster, or a pipeline that ends in one.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.metrics import make_backtest_scorer, mean_absolute_scaled_error
    >>> mase = make_backtest_scorer(mean_absolute_scaled_error, seasonal_period=12)
    >>> search = GridSearchCV(
    ...     LSTMForecaster(horizon=12),
    ...     {"window_length": [12, 24]},
    ...     scoring=mase,
    ...     cv=TimeSeriesSplit(3),
    ... )
    """
    return BacktestScorer(metric, steps, stride, gap, options)


@dataclass(frozen=True)
class BacktestScorer:
    """Scorer of `make_backtest_scorer`; a class, because workers receive it pickled."""

    metric: Callable[..., float]
    steps: int | None
    stride: int
    gap: int
    options: dict

    def __call__(self, estimator, X, y=None):
        plan = {"steps": self.steps, "stride": self.stride, "gap": self.gap}
        while isinstance(estimator, Pipeline):
            X = X if len(estimator) == 1 else estimator[:-1].transform(X)
            estimator = estimator[-1]
        # One process, because the search around this scorer already uses the workers.
        table = estimator.backtest(X, y, **plan, n_jobs=1)
        table = table.dropna(subset="y_true")
        needs_past = "y_train" in inspect.signature(self.metric).parameters
        past = estimator._state.values_by_target() if needs_past else {}
        errors = []
        for name, rows in table.groupby("series", sort=False, dropna=False):
            # groupby turns the name of an unnamed series, None, into NaN.
            y_train = past[name] if name in past else past.get(None)
            training = {"y_train": y_train} if needs_past else {}
            error = self.metric(
                rows["y_true"], rows["y_pred"], **training, **self.options
            )
            errors.append(error)
        return -float(np.mean(errors))


def differences(y_true, y_pred):
    """Return actual less forecast values; see `matched`."""
    y_true, y_pred = matched(y_true, y_pred)
    return y_true - y_pred


def matched(y_true, *others):
    """Return the actual values that are known, and forecasts or bounds of them, flat.

    Raises
    ------
    ValueError
        If they differ in length, in columns or in their dates, if no actual value is
        known, or a forecast is missing. Other indexes are not compared, because splits
        leave numbers of rows behind.
    """
    names, actual = names_of_columns(y_true), check_values(y_true, "y_true", True)
    known, result = ~np.isnan(actual), []
    if not known.any():
        raise ValueError(
            "No row has an actual value, so there is nothing to compare forecasts "
            "with. Pass rows whose values are known."
        )
    for other in others:
        check_consistent_length(y_true, other)
        check_same_dates(y_true, other)
        values = match_columns(other, names, "y_pred")
        values = check_values(values, "y_pred", True)
        if actual.shape != values.shape:
            raise ValueError(
                f"The values have the shapes {np.shape(y_true)} and {np.shape(other)}, "
                "which are not compared row by row. Pass as many columns in both."
            )
        if np.isnan(values).any():
            row = int(np.argmax(np.isnan(values).any(axis=1)))
            raise ValueError(
                f"A forecast is missing in {np.isnan(values).sum()} places, first in "
                f"row {row}{stamp_in_words(other, row)}. Pass forecasts of all rows."
            )
        result.append(values[known])
    return actual[known], *result


def quantile_columns(y_quantiles, quantiles) -> list:
    """Return the columns of a table of quantiles, by their names if these are them."""
    names = names_of_columns(y_quantiles)
    if names is not None and set(names) == set(quantiles):
        y_quantiles = columns_in_order(y_quantiles, list(quantiles))
    if is_pandas(y_quantiles):
        frame = pd.DataFrame(y_quantiles)
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    return list(np.atleast_2d(as_numbers(y_quantiles).T))


def as_column(values):
    """Return values as floats, a table of one column without its axis."""
    values = as_numbers(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def naive_errors(y_train, seasonal_period):
    """Return the errors of the seasonal naive forecast on the training series."""
    check_positive_int("seasonal_period", seasonal_period)
    check_seasons(y_train, seasonal_period)
    y_train = as_column(y_train)
    if len(y_train) <= seasonal_period:
        raise ValueError(
            f"y_train has {len(y_train)} values, but seasonal_period={seasonal_period} "
            f"needs at least {seasonal_period + 1}. Pass a longer y_train or a shorter "
            "seasonal_period."
        )
    errors = y_train[seasonal_period:] - y_train[:-seasonal_period]
    # A missing value leaves out its own differences, and keeps the others in season.
    errors = errors[~np.isnan(errors)]
    if not errors.any():
        raise ValueError(
            "The naive forecast makes no error on y_train, but the error is divided by "
            "it. Use sklearn.metrics.mean_absolute_error instead."
        )
    return errors


def check_seasons(y_train, seasonal_period):
    """Raise where rows of a season are not so many apart, by their index."""
    if not is_pandas(y_train):
        return
    if isinstance(y_train.index, pd.MultiIndex):
        raise ValueError(
            "y_train holds many series, and the naive forecast would go from one into "
            "the next. Compute the error of each series, and average them."
        )
    index = plain_index(y_train.index)
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)) and len(index) > 2:
        check_order(index, "y_train")
        if seasonal_period > 1:
            check_regular_index(index, "y_train")


def lag(y_true, y_pred):
    """Return the shift, in rows, at which forecasts correlate best with values."""
    best, best_shift = -np.inf, 0
    for shift, correlation in enumerate(correlations(y_true, y_pred)):
        # The margin gives ties to the smaller shift: rounding must not report a lag.
        if correlation > best + 1e-9:
            best, best_shift = correlation, shift
    return best_shift


def correlations(y_true, y_pred):
    """Return the correlation of actual values with forecasts 0 to 10 rows later.

    Rows with a missing value are left out. A constant series gives NaN.
    """
    y_true, y_pred = as_column(y_true), as_column(y_pred)
    result = []
    # Fewer than three pairs of rows correlate perfectly by chance.
    for shift in range(min(10, max(len(y_true) - 3, 0)) + 1):
        pair = np.stack([y_true[: len(y_true) - shift], y_pred[shift:]])
        pair = pair[:, ~np.isnan(pair).any(axis=0)]
        varies = pair.shape[1] > 1 and pair.std(axis=1).all()
        result.append(np.corrcoef(pair)[0, 1] if varies else np.nan)
    return np.array(result)
