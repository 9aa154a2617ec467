"""What a fit learns from: scaled windows, their split, and their simple rivals."""

import numpy as np

from sklstm import _scaling
from sklstm._conformal import Spread, restless
from sklstm._windows import (
    ReadyWindows,
    SeriesWindows,
    check_length,
    split_chronological,
    split_shuffled,
)


class SeriesProblem:
    """Rows are time steps; `y` is forecast from its past and, with `X`, from X.

    Parameters
    ----------
    y : ndarray of shape (n_timesteps, n_targets), in the units of y
    X : ndarray of shape (n_timesteps, n_features) or None
    """

    def __init__(self, y, X, weights, window_length, horizon, stride, scaler, anchored):
        check_length(len(y), window_length, horizon)
        self.y, self.X, self.row_weights = y, X, weights
        self.window_length, self.horizon = window_length, horizon
        self.scaler, self.anchored = scaler, anchored
        self.starts = np.arange(0, len(y) - window_length - horizon + 1, stride)
        if weights is not None:
            ahead = self.starts[:, None] + window_length + np.arange(horizon)
            self.starts = self.starts[weights[ahead].sum(axis=1) > 0]
            if not len(self.starts):
                raise ValueError(
                    "sample_weight is zero for every row that can be forecast, so no "
                    "weight is left to train on."
                )
        n_features = 0 if X is None else X.shape[1]
        n_targets = y.shape[1]
        self.window_shape = (window_length, n_targets + n_features)
        self.n_levels = n_targets if anchored else 0
        self.n_context = horizon * n_features + self.n_levels
        self.output_shape = (horizon, n_targets)

    def split(self, fraction, rng):
        train, validation, self.cut = split_chronological(
            self.starts, self.window_length, self.horizon, len(self.y), fraction
        )
        return train, validation

    def all_rows(self):
        self.cut = len(self.y)
        return np.arange(len(self.starts))

    def learn_scalers(self, rows, kept=None):
        """Scalers from the rows before the cut."""
        if kept is not None:
            return kept
        weights = None if self.row_weights is None else self.row_weights[: self.cut]
        y = _scaling.learn(self.y[: self.cut], self.scaler, weights)
        if self.X is None:
            return y, None
        return y, _scaling.learn(self.X[: self.cut], self.scaler, weights)

    def data(self, scalers):
        return scaled_series(
            self.y,
            self.X,
            scalers,
            self.starts,
            self.window_length,
            self.horizon,
            self.anchored,
            self.row_weights,
        )

    def spread(self, output, rows, data, scalers):
        """How far scaled outputs are off the rows' targets, in the units of y."""
        forecast = _scaling.invert(output + data.levels(rows)[:, None], scalers[0])
        first = self.starts[rows][:, None]
        windows = self.y[first + np.arange(self.window_length)]
        actual = self.y[first + self.window_length + np.arange(self.horizon)]
        return Spread.learn(actual - forecast, restless(windows))

    def naive_error(self, rows, data, season):
        """Mean squared error of last value and seasonal naive, scaled."""
        steps = np.arange(self.horizon)
        first = data.starts[rows] + self.window_length
        actual = data.y[first[:, None] + steps]
        errors = {"last_value": np.mean((actual - data.y[first - 1][:, None]) ** 2)}
        if season is not None and season <= self.window_length:
            last_season = data.y[first[:, None] - season + steps % season]
            errors["seasonal_naive"] = np.mean((actual - last_season) ** 2)
        return {name: float(error) for name, error in errors.items()}


class WindowsProblem:
    """Rows are ready-made windows, independent of each other.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
    y : ndarray of shape (n_windows, horizon, n_targets)
    """

    anchored = False

    def __init__(self, X, y, weights, scaler):
        self.X, self.y, self.row_weights, self.scaler = X, y, weights, scaler
        self.window_shape, self.n_context, self.n_levels = X.shape[1:], 0, 0
        self.output_shape = y.shape[1:]

    def split(self, fraction, rng):
        return split_shuffled(len(self.X), fraction, rng)

    def all_rows(self):
        return np.arange(len(self.X))

    def learn_scalers(self, rows, kept=None):
        if kept is not None:
            return kept
        learned = []
        for values in (self.y, self.X):
            values = values[rows]
            weights = np.repeat(self.row_weights[rows], values.shape[1])
            flat = values.reshape(-1, values.shape[-1])
            learned.append(_scaling.learn(flat, self.scaler, weights))
        return tuple(learned)

    def data(self, scalers):
        y_scaler, X_scaler = scalers
        return ReadyWindows(
            _scaling.apply(self.X, X_scaler).astype(np.float32),
            _scaling.apply(self.y, y_scaler).astype(np.float32),
            self.row_weights,
        )

    def spread(self, output, rows, data, scalers):
        return None  # what a window is made of is not known

    def naive_error(self, rows, data, season):
        mean = data.y.mean(axis=0)
        return {"mean": float(np.mean((data.y[rows] - mean) ** 2))}


def scaled_series(
    y, X, scalers, starts, window_length, horizon, anchored, row_weights=None
):
    """`SeriesWindows` over scaled float32 copies of y and X."""
    y_scaler, X_scaler = scalers
    return SeriesWindows(
        _scaling.apply(y, y_scaler).astype(np.float32),
        None if X is None else _scaling.apply(X, X_scaler).astype(np.float32),
        starts,
        window_length,
        horizon,
        anchored=anchored,
        row_weights=row_weights,
    )
