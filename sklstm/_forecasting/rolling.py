"""Forecasts from any origin of a history, as far ahead as asked."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sklstm._series.history import History
from sklstm._series.missing import bridged, rows_since_seen, without_nan
from sklstm._series.panel import ALONE, is_list_of_series
from sklstm._series.validation import is_pandas
from sklstm._utils import memory_limits
from sklstm._windows import scaling
from sklstm._windows.dataset import SeriesWindows

ORIGINS_AT_ONCE = 2048


class Origins(NamedTuple):
    """Rows of one series before which forecasts stand.

    Parameters
    ----------
    history : History
    rows : ndarray of int of shape (n_origins,)
    scaler : dict or transformer
        Of the target.
    """

    history: History
    rows: np.ndarray
    scaler: object


class Rolling:
    """How `LSTMForecaster` rolls its network over time."""

    @property
    def scaler_(self):
        """Scaler of the target; for many series a dict of them by series."""
        y_scalers, _ = self._scalers
        if self._form == "windows":
            return y_scalers
        if ALONE in self._histories:
            return y_scalers[0]
        return dict(zip(self._histories, y_scalers, strict=True))

    @property
    def _n_targets(self):
        return self._spec_.output_shape[1]

    def _origins(self, histories, rows):
        """`Origins` of each series by key: the given rows."""
        scalers = dict(zip(self._histories, self._scalers[0], strict=True))
        return {
            key: Origins(history, np.asarray(rows[key]), scalers[key])
            for key, history in histories.items()
        }

    def _check_inside(self, values, where, known):
        """Raise where rows inside the history differ from it."""
        inside = where < len(known)
        known = known[where[inside]]
        differs = ~np.isclose(values[inside], known, rtol=1e-6, equal_nan=True)
        if self._form == "regression" and self._past is not None:
            differs[:, self._past[: differs.shape[1]]] = False
        if differs.any():
            row = int(np.argmax(differs.any(axis=1)))
            raise ValueError(
                f"Row {row} of X stands inside the fitted history by its index, but "
                "has other values. Give X an index that continues the history, or "
                "pass an array, which always does."
            )

    def _one_step(self, history, values, where, scaler):
        """Forecasts of rows of the series, each from all rows before it."""
        self._check_inside(values, where, history.y)
        filled = self._filled(history, values, where, scaler)
        return self._roll([Origins(filled, where, scaler)], 1)[:, 0]

    def _filled(self, history, values, where, scaler):
        """History and new rows as one series; gaps between them are forecast."""
        n_history = len(history)
        y = np.full((max(n_history, where[-1] + 1), values.shape[1]), np.nan)
        y[:n_history] = history.y
        after = where >= n_history
        y[where[after]] = values[after]
        missing = np.arange(len(y)) >= n_history
        missing[where[after]] = False
        index = history.stamps(0, len(y))
        while missing.any():
            first = int(np.argmax(missing))
            length = int(np.argmin(missing[first:]))
            known = History(y[:first], None, None if index is None else index[:first])
            origins = [Origins(known, np.array([first]), scaler)]
            y[first : first + length] = self._roll(origins, length)[0]
            missing[first : first + length] = False
        return History(y, None, index)

    def _steps_ahead(self, history, values, where, scaler):
        """Forecasts of rows of inputs, standing at the end of the history."""
        self._check_inside(values, where, history.X)
        n_history = len(history)
        inside = where < n_history
        forecast = np.empty((len(where), history.y.shape[1]))
        if inside.any():
            origins = [Origins(history, where[inside], scaler)]
            forecast[inside] = self._roll(origins, 1)[:, 0]
        if not inside.all():
            # X within a gap is not known: the row before it is held.
            ahead = where[~inside] - n_history
            source = np.searchsorted(ahead, np.arange(ahead[-1] + 1), side="right") - 1
            rows = np.concatenate([values[~inside], history.X[-1:]])
            known = history.with_inputs(rows[source])
            origins = [Origins(known, np.array([n_history]), scaler)]
            forecast[~inside] = self._roll(origins, ahead[-1] + 1)[0][ahead]
        return forecast

    def _roll(self, origins, steps, *, fan=False):
        """Forecasts from the rows before each origin, in the units of y.

        Where these end in missing values, it is forecast from the last value seen.

        Parameters
        ----------
        origins : list of Origins
        fan : bool
            All quantiles of the network, from windows that go on with the median.

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets), or with `fan` \
                (n_origins, steps, n_levels, n_targets)
        """
        self._check_reach(sum(len(rows) for _, rows, _ in origins), steps, fan)
        forecasts = self._roll_from(origins, steps, fan)
        ages = [rows_since_seen(history.y, rows) for history, rows, _ in origins]
        late = np.concatenate(ages)
        if late.any():
            earlier = [
                Origins(history, (rows - age)[age > 0], scaler)
                for (history, rows, scaler), age in zip(origins, ages, strict=True)
            ]
            longer = self._roll_from(earlier, steps + late.max(), fan)
            ahead = late[late > 0][:, None] + np.arange(steps)
            forecasts[late > 0] = longer[np.arange(len(longer))[:, None], ahead]
        return forecasts

    def _roll_from(self, origins, steps, fan):
        """Forecasts from windows that end at the row before each origin.

        Windows that reach before the first row hold its value. Inputs must reach the
        last step; blocks of the horizon beyond it hold their last row. Parameters and
        result are those of `_roll`.
        """
        parts, n_waiting, result = [], 0, []
        for history, rows, scaler in origins:
            for first in range(0, len(rows), ORIGINS_AT_ONCE):
                part = rows[first : first + ORIGINS_AT_ONCE]
                parts.append((self._spans(history, part, scaler, steps), scaler))
                n_waiting += len(part)
                if n_waiting >= ORIGINS_AT_ONCE:
                    result.append(self._roll_spans(parts, steps, fan=fan))
                    parts, n_waiting = [], 0
        if parts:
            result.append(self._roll_spans(parts, steps, fan=fan))
        return np.concatenate(result)

    def _check_reach(self, n_origins, steps, fan=False, at_once=ORIGINS_AT_ONCE):
        """Raise where so many forecasts would take too long, or too much memory."""
        steps = int(steps)
        n_blocks = self._n_blocks(steps)
        if n_blocks > memory_limits.MOST_BLOCKS:
            raise ValueError(
                f"{steps} steps at a horizon of {self._horizon} are {n_blocks} "
                "forecasts, one after the other, and "
                f"{memory_limits.MOST_BLOCKS:,} are the most. Ask for fewer steps, or "
                "fit with a longer horizon."
            )
        n_targets = self._n_targets
        n_features = 0 if self._scalers[1] is None else self._spec_.window_shape[1]
        n_results = n_origins * steps * n_targets
        if fan:
            n_results *= len(self._quantile_network.levels)
        n_at_once = min(n_origins, at_once) * (self.window_length_ + steps)
        n_numbers = 2 * n_results + n_at_once * (2 + 3 * n_targets + 2 * n_features)
        memory_limits.check_memory(
            8 * n_numbers,
            f"A forecast of {steps} steps from {n_origins} origins",
            "Ask for fewer at once.",
        )

    @property
    def _horizon(self):
        """Steps that the fitted network forecasts at once."""
        return self._spec_.output_shape[0]

    def _n_blocks(self, steps):
        return -(-steps // self._horizon)

    def _spans(self, history, origins, scaler, steps):
        """Scaled windows with room ahead, inputs and static features of each origin."""
        length, horizon = self.window_length_, self._horizon
        ahead = self._n_blocks(steps) * horizon
        rows = origins[:, None] - length + np.arange(length + ahead)
        y = np.zeros((*rows.shape, history.y.shape[1]))
        past = np.maximum(rows[:, :length], 0)
        y[:, :length] = scaling.apply(history.windows(past), scaler)
        if (origins == 0).any():  # no past at all, and its own value must not stand in
            mean = bridged(history.y).mean(axis=0, keepdims=True)
            y[origins == 0, :length] = scaling.apply(mean, scaler)
        static = history.static
        if static is not None:
            static = np.broadcast_to(static, (len(rows), len(static)))
        X = self._inputs_at(history, np.maximum(rows, 0))
        if X is None:
            return y, None, static
        if self._past is not None:
            own = self._past[: self.n_features_in_]
            X[:, :length, self._past] = history.past_inputs(past)[:, :, own]
            X[:, length:, self._past] = X[:, length - 1 : length, self._past]
        return y, without_nan(scaling.apply(X, self._scalers[1])), static

    def _roll_spans(self, parts, steps, noise=None, *, fan=False):
        length, horizon = self.window_length_, self._horizon
        y, X, static = (
            None if own[0] is None else np.concatenate(own)
            for own in zip(*(spans for spans, _ in parts), strict=True)
        )
        everything, fans = np.arange(len(y)), []

        def flat(values, first):
            """Rows that a block reads, window after window."""
            rows = values[:, first : first + length + horizon]
            return rows.reshape(-1, values.shape[-1]).astype(np.float32)

        for block in range(self._n_blocks(steps)):
            first = block * horizon
            data = SeriesWindows(
                flat(y, first),
                None if X is None else flat(X, first),
                everything * (length + horizon),
                length,
                horizon,
                self._norm,
                self._past,
                static=None if static is None else (static, everything),
            )
            output = self._outputs(self._spec_, self.weights_, data, everything)
            done = length + first
            y[:, done : done + horizon] = data.restored(output, everything)
            if noise is not None:
                y[:, done : done + horizon] += noise[:, block]
            if fan:
                levels = self._fan(self._quantile_network, data, everything)
                each = np.moveaxis(levels, 1, 0)
                restored = [data.restored(level, everything) for level in each]
                fans.append(np.stack(restored, axis=2))
        forecast = y[:, length:] if not fan else np.concatenate(fans, axis=1)
        forecast = forecast[:, :steps]
        ends = np.cumsum([len(spans[0]) for spans, _ in parts])[:-1]
        return np.concatenate(
            [
                scaling.invert(values, scaler)
                for values, (_, scaler) in zip(
                    np.split(forecast, ends), parts, strict=True
                )
            ]
        )

    def _in_container(self, values, index):
        """Values of shape (n, n_targets) in the container of the fitted target."""
        if self._one_d:
            values = values[:, 0]
        if self._container is None or index is None:
            return values
        if self._one_d:
            return pd.Series(values, index=index, name=self._names)
        return pd.DataFrame(values, index=index, columns=self._names)

    def _like(self, X, values, where):
        """Values of the rows of X in its form and on its index."""
        if is_list_of_series(X):
            parts = zip(X, where.values(), strict=True)
            return [self._like(part, values[rows], where) for part, (rows, _) in parts]
        return self._in_container(values, X.index if is_pandas(X) else None)

    def _gathered(self, parts, values_of):
        """What each series gives, in the form in which series came to `fit`.

        Parameters
        ----------
        parts : dict of key to what `values_of` takes
        """
        made = {key: values_of(part) for key, part in parts.items()}
        if ALONE in made:
            return made[ALONE]
        if self._levels is None:
            return list(made.values())
        keys = list(made)
        return pd.concat(list(made.values()), keys=keys, names=self._levels)
