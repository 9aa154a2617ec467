"""Errors of forecasts that scikit-learn does not have."""

import numpy as np


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
    y_train = np.asarray(y_train, dtype=float)
    if len(y_train) <= seasonal_period:
        raise ValueError(
            f"y_train has {len(y_train)} values, but seasonal_period={seasonal_period} "
            f"needs at least {seasonal_period + 1}."
        )
    naive = np.abs(y_train[seasonal_period:] - y_train[:-seasonal_period]).mean()
    if naive == 0:
        raise ValueError(
            "The naive forecast makes no error on y_train, so there is no scale to "
            "measure by. Use mean_absolute_error instead."
        )
    error = np.abs(np.asarray(y_true, float) - np.asarray(y_pred, float)).mean()
    return float(error / naive)
