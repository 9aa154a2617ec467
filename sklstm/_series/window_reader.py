"""Ready-made windows as they come to `fit` and `predict`."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import validate_data

from sklstm._series.alignment import check_same_labels, match_target
from sklstm._series.output_format import OutputFormat
from sklstm._series.panel import is_panel
from sklstm._series.validation import (
    as_numbers,
    check_columns,
    check_numbers,
    check_size,
    check_weight_size,
    check_weights,
    is_pandas,
    match_other_names,
    n_dims,
    unmasked,
)


@dataclass(frozen=True)
class TrainingWindows:
    """Ready-made windows to train on.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
    y : ndarray of shape (n_windows,) or (n_windows, n_outputs)
    weights : ndarray of shape (n_windows,)
    output : OutputFormat
        With the names of columns of both.
    target_shape : tuple of int
        Shape of the target of one window: (), (n_outputs,), or (horizon, n_targets).
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    output: OutputFormat
    target_shape: tuple = ()
    form: str = "windows"


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
    check_same_labels(X, y)
    check_same_labels(X, sample_weight, "sample_weight")
    output = replace(OutputFormat.of(y, y, X), container=None)
    if not reset and estimator._state.form == "windows":
        y = match_target(y, estimator._state.output.names)
    shape = None
    if n_dims(y) == 3:  # as `make_windows` gives it
        y = as_numbers(y)
        shape, y = y.shape[1:], y.reshape(len(y), -1)
    check_numbers(y, "y")
    y = as_numbers(y)
    missing = np.isnan(y)
    X, y = read_window_values(estimator, X, np.where(missing, 0, y), reset=reset)
    known = ~missing.reshape(len(y), -1).any(axis=1)
    weights = check_weights(sample_weight, X)
    check_weight_size(weights)
    if not known.any() or not weights[known].any():
        fault = "y is missing in every row"
        if known.any():
            fault = "sample_weight is zero for every row whose y is known"
        raise ValueError(f"{fault}, so no weight is left to train on.")
    shape = y.shape[1:] if shape is None else shape
    return TrainingWindows(X[known], y[known], weights[known], output, shape)


def read_window_values(estimator, X, y=None, *, reset=False):
    """Return windows of shape (n_windows, window_length, n_features), and y."""
    check_columns(X)
    if not reset and estimator._state.form == "windows":
        X = match_other_names(estimator, X, estimator._state.output.input_names)
    X, y = unmasked(X), unmasked(y)
    three_d = n_dims(X) == 3
    check_numbers(X)
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
        # X has three axes and is checked; two of them suffice to check y beside it.
        _, y = check_X_y(X[:, 0], y, multi_output=True, y_numeric=True, **finite)
        y = check_size(y.astype(np.float64), "y")
    if reset:
        # validate_data would count the steps of windows as features.
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
