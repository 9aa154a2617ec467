"""Forecasts from any origin of a history, as far ahead as asked."""

import numpy as np
import pandas as pd

from sklstm import _scaling
from sklstm._calendar import calendar_features, check_calendar
from sklstm._problems import scaled_series
from sklstm._validation import continued_index

ORIGINS_AT_ONCE = 2048
UNSCALED = ({"center": 0.0, "scale": 1.0}, {"center": 0.0, "scale": 1.0})


class Rolling:
    """How `LSTMForecaster` rolls its network over time."""

    def _check_inside(self, values, where, known):
        """Raise where rows inside the history differ from it."""
        inside = where < len(known)
        differs = ~np.isclose(values[inside], known[where[inside]], rtol=1e-6)
        if differs.any():
            row = int(np.argmax(differs.any(axis=1)))
            raise ValueError(
                f"Row {row} of X stands inside the fitted history by its index, but "
                "has other values. Give X an index that continues the history, or "
                "pass an array, which always does."
            )

    def _filled(self, values, where):
        """History and new rows as one series; gaps between them are forecast."""
        self._check_inside(values, where, self._history)
        n_history = len(self._history)
        y = np.full((max(n_history, where[-1] + 1), values.shape[1]), np.nan)
        y[:n_history] = self._history
        after = where >= n_history
        y[where[after]] = values[after]
        missing = np.isnan(y[:, 0])
        while missing.any():
            first = int(np.argmax(missing))
            length = int(np.argmin(missing[first:]))
            y[first : first + length] = self._roll(
                y[:first], None, np.array([first]), length
            )[0]
            missing[first : first + length] = False
        return y

    def _predict_regression(self, values, where):
        self._check_inside(values, where, self._X_history)
        n_history = len(self._history)
        inside = where < n_history
        forecast = np.empty((len(where), self._history.shape[1]))
        if inside.any():
            forecast[inside] = self._roll(
                self._history, self._X_history, where[inside], 1
            )[:, 0]
        if not inside.all():
            # X within a gap is not known: the row before it is held.
            ahead = where[~inside] - n_history
            source = np.searchsorted(ahead, np.arange(ahead[-1] + 1), side="right") - 1
            rows = np.concatenate([values[~inside], self._X_history[-1:]])
            X_full = np.concatenate([self._X_history, rows[source]])
            steps = ahead[-1] + 1
            forecast[~inside] = self._roll(
                self._history, X_full, np.array([n_history]), steps
            )[0][ahead]
        return forecast

    def _roll(self, y, X, origins, steps):
        """Forecasts from the rows before each origin, in the units of y.

        Rows before the first are taken as the training mean. X must reach the last
        step; blocks of the horizon beyond it hold its last row.

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets)
        """
        length, horizon = self.window_length_, self._spec_.output_shape[0]
        n_blocks = -(-steps // horizon)
        span = length + n_blocks * horizon
        if self.calendar is not None:
            n_rows = int(max(origins)) + n_blocks * horizon
            ahead = calendar_features(self._axis(n_rows), self.calendar)
            if X is not None:
                held = X[np.minimum(np.arange(n_rows), len(X) - 1)]
                ahead = np.concatenate([held, ahead], axis=1)
            X = ahead
        y_scaler, X_scaler = self._scalers
        result = np.empty((len(origins), steps, y.shape[1]))
        for first in range(0, len(origins), ORIGINS_AT_ONCE):
            part = origins[first : first + ORIGINS_AT_ONCE]
            rows = part[:, None] - length + np.arange(span)
            past = rows[:, :length]
            buffer = np.zeros((len(part), span, y.shape[1]))
            buffer[:, :length] = np.where(
                (past >= 0)[..., None],
                _scaling.apply(y[np.maximum(past, 0)], y_scaler),
                _scaling.apply(self._history.mean(axis=0)[None], y_scaler)[0],
            )
            inputs = None
            if X is not None:
                inputs = _scaling.apply(X[np.clip(rows, 0, len(X) - 1)], X_scaler)
            for block in range(n_blocks):
                data = scaled_series(
                    buffer.reshape(-1, y.shape[1]),
                    None if X is None else inputs.reshape(-1, X.shape[1]),
                    UNSCALED,
                    np.arange(len(part)) * span + block * horizon,
                    length,
                    horizon,
                    self.window_norm == "last",
                )
                everything = np.arange(len(part))
                output = self._outputs(self._spec_, self.weights_, data, everything)
                done = length + block * horizon
                buffer[:, done : done + horizon] = (
                    output + data.levels(everything)[:, None]
                )
            forecast = buffer[:, length : length + steps]
            result[first : first + len(part)] = _scaling.invert(forecast, y_scaler)
        return result

    def _axis(self, n_rows):
        """Time stamps of the first rows, which may go on beyond the history."""
        check_calendar(self.calendar, self._index)
        n_ahead = n_rows - len(self._index)
        if n_ahead <= 0:
            return self._index[:n_rows]
        return self._index.append(continued_index(self._index, n_ahead))

    def _in_container(self, values, index):
        """Values of shape (n, n_targets) in the container of the fitted target."""
        if self._one_d:
            values = values[:, 0]
        if self._container is None or index is None:
            return values
        if self._one_d:
            return pd.Series(values, index=index, name=self._names)
        return pd.DataFrame(values, index=index, columns=self._names)
