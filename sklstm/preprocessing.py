"""Windowing and scaling as public parts, usable without the forecaster."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_feature_names_in,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from sklstm import _scaling
from sklstm._base import POSITIVE_INT
from sklstm._windows import make_windows

__all__ = ["SeriesScaler", "SlidingWindowTransformer", "make_windows"]


class SeriesScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each column of a series; the scaler inside `LSTMForecaster`.

    Parameters
    ----------
    method : {"standard", "robust", "minmax"} or None, default="standard"
        Center and scale: mean and standard deviation, median and interquartile range,
        or minimum and range. None leaves values as they are.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_features,)
        In the units of X. The scale of a constant column is 1.

    Examples
    --------
    >>> from sklstm.preprocessing import SeriesScaler
    >>> SeriesScaler("minmax").fit_transform([[10.0], [15.0], [20.0]]).ravel()
    array([0. , 0.5, 1. ])
    """

    _parameter_constraints = {
        "method": [StrOptions({"standard", "robust", "minmax"}), None]
    }

    def __init__(self, method="standard"):
        self.method = method

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn center and scale.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features)
        y : None
        sample_weight : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For missing or infinite values.
        """
        X = validate_data(self, X, dtype=FLOAT_DTYPES)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, ensure_non_negative=True
            )
        learned = _scaling.learn(X.astype(np.float64), self.method, sample_weight)
        self.center_, self.scale_ = learned["center"], learned["scale"]
        return self

    def _statistics(self):
        return {"center": self.center_, "scale": self.scale_}

    def transform(self, X):
        """X of shape (n_timesteps, n_features), scaled."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        return _scaling.apply(X, self._statistics())

    def inverse_transform(self, X):
        """Scaled X back in its own units."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        return _scaling.invert(X, self._statistics())


class SlidingWindowTransformer(TransformerMixin, BaseEstimator):
    """Give each row the rows before it as further columns; the rows are kept.

    Row t of the result is rows t - window_length + 1 ... t of X, oldest first. Rows
    before the first are filled with the first row.

    A row's result depends on the rows before it, so that scikit-learn's checks of
    order and subset invariance cannot hold.

    Parameters
    ----------
    window_length : int, default=2

    Examples
    --------
    >>> from sklstm.preprocessing import SlidingWindowTransformer
    >>> SlidingWindowTransformer(window_length=2).fit_transform([[1.0], [2.0], [3.0]])
    array([[1., 1.],
           [1., 2.],
           [2., 3.]])
    """

    _parameter_constraints = {"window_length": [POSITIVE_INT]}

    def __init__(self, window_length=2):
        self.window_length = window_length

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Note the columns of X of shape (n_timesteps, n_features).

        Returns
        -------
        self
        """
        validate_data(self, X, dtype=FLOAT_DTYPES)
        return self

    def transform(self, X):
        """Array of shape (n_timesteps, window_length * n_features)."""
        check_is_fitted(self, "n_features_in_")
        X = validate_data(self, X, dtype=FLOAT_DTYPES, reset=False)
        head = np.repeat(X[:1], self.window_length - 1, axis=0)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([head, X]), self.window_length, axis=0
        )
        return np.swapaxes(windows, 1, 2).reshape(len(X), -1)

    def get_feature_names_out(self, input_features=None):
        """Names ``<column>_lag<k>``, oldest first."""
        check_is_fitted(self, "n_features_in_")
        names = _check_feature_names_in(self, input_features)
        lags = range(self.window_length - 1, -1, -1)
        return np.array([f"{name}_lag{k}" for k in lags for name in names], object)
