"""Errors of forecasts that scikit-learn does not have."""

import inspect
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import mean_pinball_loss
from sklearn.utils import check_consistent_length

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
    """Mean absolute error over that of the seasonal naive forecast in training.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,)
        In the same units as `y_train`.
    y_train : array-like of shape (n_timesteps,)
    seasonal_period : int, default=1
        1 compares with the last value.

    Returns
    -------
    float
        Below 1 is better than the naive forecast was on the training series.

    Raises
    ------
    ValueError
        If `y_train` is not longer than a season, or the naive forecast makes no error.

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
    """Root mean squared error over that of the seasonal naive forecast in training.

    Parameters and errors are those of `mean_absolute_scaled_error`.

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
    """Mean of ``200 |y_true - y_pred| / (|y_true| + |y_pred|)``, in percent.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,)
        Where both are 0, the error is 0.

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
    error = np.abs(differences(y_true, y_pred))
    size = np.abs(np.asarray(y_true, float)) + np.abs(np.asarray(y_pred, float))
    return float(200 * np.mean(error / np.where(size > 0, size, 1)))


def overall_weighted_average(smape, mase, *, naive_smape, naive_mase):
    """The mean of sMAPE and MASE, each over that of a naive forecast, as in M4.

    Parameters
    ----------
    smape, mase : float
        Means over all series.
    naive_smape, naive_mase : float
        The same of the naive forecast; in M4, of the seasonally adjusted last value.

    Returns
    -------
    float
        Below 1 is better than the naive forecast.

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
    """Twice the pinball loss over the size of the actual values, mean over quantiles.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,)
    y_quantiles : array-like of shape (n_timesteps, n_quantiles)
    quantiles : sequence of float
        The probability of each column.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are not as many columns as quantiles, or all actual values are 0.

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
    y_true = np.asarray(y_true, float)
    columns = np.asarray(y_quantiles, float).T
    if len(columns) != len(quantiles):
        raise ValueError(
            f"y_quantiles has {len(columns)} columns, but there are {len(quantiles)} "
            "quantiles. Pass one column for each."
        )
    size = np.abs(y_true).sum()
    if size == 0:
        raise ValueError(
            "All actual values are 0, so there is no size to measure by. Use "
            "sklearn.metrics.mean_pinball_loss instead."
        )
    losses = [
        mean_pinball_loss(y_true, column, alpha=quantile)
        for column, quantile in zip(columns, quantiles, strict=True)
    ]
    return float(2 * len(y_true) * np.mean(losses) / size)


def interval_coverage(y_true, lower, upper):
    """Share of actual values inside intervals, ends included.

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
    below = differences(y_true, lower) < 0
    above = differences(y_true, upper) > 0
    return float(1 - np.mean(below | above))


def interval_score(y_true, lower, upper, *, coverage):
    """Mean width of intervals, and a penalty for values outside; smaller is better.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_timesteps,)
    coverage : float
        What the intervals are said to hold, between 0 and 1.

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
    below = np.maximum(-differences(y_true, lower), 0)
    above = np.maximum(differences(y_true, upper), 0)
    width = differences(upper, lower)
    return float(np.mean(width + 2 / (1 - coverage) * (below + above)))


def make_backtest_scorer(metric, *, steps=None, stride=1, gap=0, **options):
    """A scorer for searches over a forecaster: an error of its `backtest`, negated.

    Unlike scorers of `predict` it counts all lead times, and it needs no `y` where the
    forecaster was fitted on a series alone.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **options)`` returns an error, the lower the better.
        If it takes `y_train`, it is given the rows known at the fit. Of many series
        and targets it is taken one by one, and averaged.
    steps : int, default=None
        Lead times of each origin; None means the forecaster's `horizon`.
    stride : int, default=1
        Rows between two origins.
    gap : int, default=0
        Rows between an origin and the first one forecast from it.
    **options
        For `metric`, such as `seasonal_period`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)`` returns a float, the higher the better.

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
    """What `make_backtest_scorer` returns; a class, so that workers can receive it."""

    metric: object
    steps: int | None
    stride: int
    gap: int
    options: dict

    def __call__(self, estimator, X, y=None):
        how = {"steps": self.steps, "stride": self.stride, "gap": self.gap}
        # As in `score`, in this process.
        table = estimator.backtest(X, y, **how, n_jobs=1)
        table = table.dropna(subset="y_true")
        needs_past = "y_train" in inspect.signature(self.metric).parameters
        past = estimator._state.values_by_target() if needs_past else {}
        errors = []
        for name, own in table.groupby("series", sort=False, dropna=False):
            # A series without a name comes back from groupby as NaN.
            own_past = past[name] if name in past else past.get(None)
            known = {"y_train": own_past} if needs_past else {}
            made = self.metric(own["y_true"], own["y_pred"], **known, **self.options)
            errors.append(made)
        return -float(np.mean(errors))


def differences(y_true, y_pred):
    check_consistent_length(y_true, y_pred)
    return np.asarray(y_true, float) - np.asarray(y_pred, float)


def naive_errors(y_train, seasonal_period):
    """What the seasonal naive forecast is off in training."""
    y_train = np.asarray(y_train, dtype=float)
    if len(y_train) <= seasonal_period:
        raise ValueError(
            f"y_train has {len(y_train)} values, but seasonal_period={seasonal_period} "
            f"needs at least {seasonal_period + 1}."
        )
    errors = y_train[seasonal_period:] - y_train[:-seasonal_period]
    if not errors.any():
        raise ValueError(
            "The naive forecast makes no error on y_train, so there is no scale to "
            "measure by. Use mean_absolute_error instead."
        )
    return errors


def lag(y_true, y_pred, max_lag=10):
    """The shift, in rows, at which forecasts correlate best with actual values."""
    best, found = -np.inf, 0
    for shift, correlation in enumerate(correlations(y_true, y_pred, max_lag)):
        if correlation > best + 1e-9:
            best, found = correlation, shift
    return found


def correlations(y_true, y_pred, max_lag=10):
    """Correlation of actual values with the forecasts so many rows later.

    Rows with a missing value are left out; NaN where nothing varies.
    """
    y_true, y_pred = np.asarray(y_true, float), np.asarray(y_pred, float)
    result = []
    for shift in range(min(max_lag, max(len(y_true) - 3, 0)) + 1):
        pair = np.stack([y_true[: len(y_true) - shift], y_pred[shift:]])
        pair = pair[:, ~np.isnan(pair).any(axis=0)]
        varies = pair.shape[1] > 1 and pair.std(axis=1).all()
        result.append(np.corrcoef(pair)[0, 1] if varies else np.nan)
    return np.array(result)
