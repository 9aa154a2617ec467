"""Problems that a fit solves: scaled windows, their split, and naive forecasts."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklstm._series.history import History
from sklstm._series.missing import (
    any_missing,
    interpolate_gaps,
    interpolate_parts,
    last_seen_parts,
    row_means,
    without_nan,
)
from sklstm._series.panel import errors_naming
from sklstm._utils.disk_arrays import (
    BLOCK,
    blocks,
    in_file,
    in_memory,
    on_disk,
    sampled,
)
from sklstm._windows.dataset import CHUNK, ReadyWindows, SeriesWindows, check_length
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.scaling import Scaler, check_scaled, fit_input_scaler, fit_scaler
from sklstm._windows.splits import Split, split_chronological, split_shuffled

# Rows that a scaler is fitted on; more of them change its statistics by nothing.
MAX_SCALER_ROWS = 2**20
# Bytes of the targets of the validation block; of more, some windows are drawn.
MAX_VALIDATION_BYTES = 2**25
# Training windows that one series needs beside a validation block.
MIN_WINDOWS = 8


@dataclass(eq=False)
class SeriesForecastProblem:
    """Rows are time steps; `y` is forecast from its past and, with X, from X.

    Each of many series is scaled by itself and has a validation block of its own; X is
    scaled over all of them. Every series counts the same, however long it is. Where a
    series lies in a file, so does everything here that grows with its length.

    Parameters
    ----------
    histories : list of History
    weights : list of ndarray of shape (n_timesteps,), or None
    window_length, horizon, stride : int
    scaler : str, transformer or None
        See `fit_scaler`.
    norm : WindowNorm
    past_only : ndarray of bool of shape (n_features,) or None
        Columns of X that are not known ahead.
    n_calendar : int
        Last columns of X, which are calendar features.
    keys : sequence of keys or None
        Of the series, which errors name; None means their numbers.

    Attributes
    ----------
    first_rows : ndarray of shape (n_series,)
        Row of each series' first step, where all stand one after the other.
    starts : ndarray of shape (n_windows,)
        First row of each window.
    n_windows : ndarray of shape (n_series,)
    row_weights : ndarray of shape (n_timesteps,) or None
        Weights of rows as targets, under which all series count the same.
    """

    histories: list[History]
    weights: list[np.ndarray] | None
    window_length: int
    horizon: int
    stride: int
    scaler: object
    norm: WindowNorm
    past_only: np.ndarray | None = None
    n_calendar: int = 0
    keys: Sequence[Hashable] | None = None

    def __post_init__(self):
        check_length(max(map(len, self.histories)), self.window_length, self.horizon)
        self.concatenate = on_disk if in_file(self.histories[0].y) else in_memory
        self.first_rows = np.cumsum([0, *map(len, self.histories[:-1])])
        self.n_windows = np.zeros(len(self.histories), int)
        self.starts = self.concatenate(self._starts())
        self._check_any_window()
        self.row_weights = self._row_weights()

    @property
    def n_static(self) -> int:
        static = self.histories[0].static
        return 0 if static is None else len(static)

    @property
    def n_targets(self) -> int:
        return self.histories[0].y.shape[1]

    @property
    def n_features(self) -> int:
        X = self.histories[0].X
        return 0 if X is None else X.shape[1]

    @property
    def window_shape(self) -> tuple:
        return self.window_length, self.n_targets + self.n_features

    @property
    def n_last_values(self) -> int:
        return self.n_targets if self.norm.shows_level else 0

    @property
    def n_context(self) -> int:
        n_hidden = 0 if self.past_only is None else self.past_only.sum()
        n_ahead = int(self.horizon * (self.n_features - n_hidden))
        return self.n_last_values + n_ahead + self.n_static

    @property
    def output_shape(self) -> tuple:
        return self.horizon, self.n_targets

    @property
    def has_many_series(self) -> bool:
        return len(self.histories) > 1

    @property
    def n_windows_needed(self) -> int:
        """Windows that a series must leave to train on beside a validation block.

        One series needs enough of them to learn from; of many each gives its own.
        """
        return 1 if self.has_many_series else max(MIN_WINDOWS, self.horizon)

    @property
    def zero_is_last_value(self) -> bool:
        return self.norm.kind is not None

    def _starts(self):
        """Yield first rows of windows, in parts; count them in `n_windows`."""
        yield np.arange(0)
        stride, needed = self.stride, self.window_length + self.horizon
        for i, history in enumerate(self.histories):
            n_starts = len(history) - needed + 1
            for part in blocks(n_starts, max(BLOCK // stride, 1) * stride):
                starts = np.arange(part.start, part.stop, stride)
                starts = starts[self._can_be_forecast(i, starts)]
                self.n_windows[i] += len(starts)
                yield self.first_rows[i] + starts

    def _can_be_forecast(self, i, starts):
        """Tell which windows of a series end in a value, with a target to learn after.

        Forecasts stand at the last value seen, so windows to learn from do as well.
        """
        length, horizon = self.window_length, self.horizon
        rows = slice(starts[0] + length - 1, starts[-1] + length + horizon)
        seen = ~np.isnan(self.histories[i].y[rows]).all(axis=1)
        n_seen = np.concatenate([[0], np.cumsum(seen)])
        last = starts - starts[0]
        usable = seen[last] & (n_seen[last + 1 + horizon] > n_seen[last + 1])
        if self.weights is not None:
            ahead = starts[usable, None] + length + np.arange(horizon)
            usable[usable] = self.weights[i][ahead].sum(axis=1) > 0
        return usable

    def _check_any_window(self):
        if self.n_windows.any():
            return
        if self.weights is None:
            raise ValueError(
                "No observed value follows a window that ends in an observed value, so "
                "there is nothing to train on. Fill gaps, or pass a longer series."
            )
        raise ValueError(
            "sample_weight is zero for every row that can be forecast, so no "
            "weight is left to train on."
        )

    def _row_weights(self):
        weights = None if self.weights is None else np.concatenate(self.weights)
        counts = self.n_windows
        used = counts[counts > 0]
        if (used == used[0]).all():
            return weights
        # The mean weight of all windows stays 1, so that the loss keeps its size.
        shares = np.where(counts > 0, used.mean() / np.maximum(counts, 1), 0)
        rows = self.concatenate(
            np.full(len(history), share, float)
            for history, share in zip(self.histories, shares, strict=True)
        )
        return rows if weights is None else rows * weights

    def split(self, fraction: float, rng: np.random.RandomState) -> Split:
        """Hold out the last share of the rows of each series."""
        train, validation, cuts, first = [], [], [], 0
        for history, row, n in zip(
            self.histories, self.first_rows, self.n_windows, strict=True
        ):
            starts = self.starts[first : first + n]
            *parts, cut = split_chronological(
                # The first series, often the only one, may have its windows in a file;
                # subtracting 0 would copy them into memory.
                starts - row if row else starts,
                self.window_length,
                self.horizon,
                len(history),
                fraction,
                self.n_windows_needed,
            )
            train.append((first, parts[0]))
            validation.append((first, parts[1]))
            cuts.append(cut)
            first += n
        held_out = self.concatenate(shifted_ranges(validation))
        most = MAX_VALIDATION_BYTES // (8 * int(np.prod(self.output_shape)))
        held_out = held_out[sampled(len(held_out), max(most, 1))]
        return Split(self.concatenate(shifted_ranges(train)), held_out, tuple(cuts))

    def all_rows(self) -> Split:
        """Return all windows as training windows."""
        rows = self.concatenate(shifted_ranges([(0, range(len(self.starts)))]))
        return Split(rows, rows[:0], tuple(map(len, self.histories)))

    def fit_scalers(self, split: Split, kept: Any = None) -> Any:
        """Return a scaler for the target of each series, and one for X or None.

        Of `kept` scalers those of many series are fitted again, because they belong to
        the series and not to the network.
        """
        if kept is not None and len(self.histories) == len(kept[0]) == 1:
            return kept
        y_scalers, keys = [], self.keys or range(len(self.histories))
        weights: Sequence[np.ndarray | None] = [None] * len(self.histories)
        if self.weights is not None:
            weights = self.weights
        parts = zip(keys, self.histories, weights, split.cuts, strict=True)
        for key, history, w, cut in parts:
            rows = sampled(cut, MAX_SCALER_ROWS)
            w = None if w is None else w[:cut][rows]
            values = np.asarray(history.y[:cut][rows], np.float64)
            with errors_naming(key):
                y_scalers.append(fit_scaler(values, self.scaler, w))
        if kept is not None or self.histories[0].X is None:
            return y_scalers, None if kept is None else kept[1]
        X = sampled_rows([history.X for history in self.histories], split.cuts)
        w = None if self.weights is None else sampled_rows(self.weights, split.cuts)
        X = np.asarray(X, np.float64)
        return y_scalers, fit_input_scaler(X, self.scaler, self.n_calendar, w)

    def data(self, scalers: Any) -> SeriesWindows:
        """Return the scaled windows of all series."""
        y_scalers, x_scaler = scalers
        targets = [history.y for history in self.histories]
        y = self.concatenate(
            scale_values(part, scaler)
            for values, scaler in zip(targets, y_scalers, strict=True)
            for part in interpolate_parts(values)
        )
        missing, last_seen = None, None
        if any(map(any_missing, targets)):
            missing = self.concatenate(
                np.isnan(values[rows])
                for values in targets
                for rows in blocks(len(values))
            )
            last_seen = self._last_seen(targets)
        X, x_last_seen = self._scaled_inputs(x_scaler)
        return SeriesWindows(
            y,
            X,
            self.starts,
            self.window_length,
            self.horizon,
            self.norm,
            self.past_only,
            self.row_weights,
            missing,
            last_seen,
            x_last_seen,
            self._static(),
        )

    def _scaled_inputs(self, scaler):
        """Return X of all series, and the rows of the last inputs not missing."""
        if scaler is None:
            return None, None
        inputs = [history.X for history in self.histories]
        X = self.concatenate(
            without_nan(scale_values(part, scaler))
            for values in inputs
            for part in interpolate_parts(values, before_first=np.nan)
        )
        return X, self._last_seen(inputs) if any(map(any_missing, inputs)) else None

    def _last_seen(self, values):
        """Return, for each value of the series, the row of the last one not missing."""
        return self.concatenate(
            first + part
            for first, array in zip(self.first_rows, values, strict=True)
            for part in last_seen_parts(array)
        )

    def _static(self):
        """Return static features of series, and the series of each window, or None."""
        if not self.n_static:
            return None
        series = np.repeat(np.arange(len(self.n_windows)), self.n_windows)
        values = [np.asarray(history.static) for history in self.histories]
        return np.stack(values), series

    def weights_by_series(self, rows: np.ndarray) -> np.ndarray:
        """Return weights of windows under which every series counts the same."""
        series = np.searchsorted(self.first_rows, self.starts[rows], side="right")
        return 1 / np.bincount(series)[series]

    def naive_errors(
        self, data: Any, rows: np.ndarray, metric: Callable
    ) -> dict[str, float]:
        """Return the mean error of last value and seasonal naive, scaled."""
        length, season = self.window_length, self.norm.season
        sources = {"last_value": np.zeros(self.horizon, int) + length - 1}
        # Windows hold no row that is a longer season back.
        if season is not None and season <= length:
            step = np.arange(self.horizon) % season
            sources["seasonal_naive"] = length - season + step
        total, weight_sum = dict.fromkeys(sources, 0.0), 0.0
        for part in data.batches(rows, CHUNK):
            actual, weights = data.targets(part), data.weights(part)
            weight_sum += weights.sum()
            for name, steps in sources.items():
                past = data.normalized(part, steps[0], steps.max() - steps[0] + 1)
                differences = actual - past[:, steps - steps[0]]
                total[name] += weights @ row_means(metric(differences))
        return {name: float(total[name] / weight_sum) for name in sources}


@dataclass(eq=False)
class WindowForecastProblem:
    """Rows are ready-made windows, independent of each other.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
    y : ndarray of shape (n_windows, 1, n_targets)
    row_weights : ndarray of shape (n_windows,)
    scaler : str, transformer or None
        See `fit_scaler`.
    """

    n_context = n_last_values = n_static = 0
    zero_is_last_value = has_many_series = False

    X: np.ndarray
    y: np.ndarray
    row_weights: np.ndarray
    scaler: object

    @property
    def window_shape(self) -> tuple:
        return self.X.shape[1:]

    @property
    def output_shape(self) -> tuple:
        return self.y.shape[1:]

    def split(self, fraction: float, rng: np.random.RandomState) -> Split:
        """Hold out a random share of the windows."""
        return split_shuffled(len(self.X), fraction, rng)

    def all_rows(self) -> Split:
        """Return all windows as training windows."""
        rows = np.arange(len(self.X))
        return Split(rows, rows[:0])

    def fit_scalers(self, split: Split, kept: Any = None) -> Any:
        """Return a scaler of the target and one of the windows' values."""
        if kept is not None:
            return kept
        scalers = []
        for values in (self.y, self.X):
            values = values[split.train]
            weights = np.repeat(self.row_weights[split.train], values.shape[1])
            flat = values.reshape(-1, values.shape[-1])
            scalers.append(fit_scaler(flat, self.scaler, weights))
        return tuple(scalers)

    def data(self, scalers: Any) -> ReadyWindows:
        """Return the scaled windows."""
        y_scaler, x_scaler = scalers
        return ReadyWindows(
            interpolate_windows(scale_values(self.X, x_scaler)),
            scale_values(self.y, y_scaler),
            self.row_weights,
        )

    def weights_by_series(self, rows: np.ndarray) -> None:
        """Return None, because the series of ready-made windows are not known."""

    def naive_errors(
        self, data: Any, rows: np.ndarray, metric: Callable
    ) -> dict[str, float]:
        """Return the mean error of the targets' mean, scaled."""
        mean = data.y.mean(axis=0)
        return {"mean": float(np.mean(metric(data.y[rows] - mean)))}


def shifted_ranges(ranges):
    """Yield the numbers of ranges, each shifted by its first one, in parts.

    Parameters
    ----------
    ranges : list of tuple (int, range)
    """
    yield np.arange(0)
    for first, numbers in ranges:
        for part in blocks(len(numbers)):
            yield first + numbers.start + np.arange(part.start, part.stop)


def sampled_rows(arrays, cuts):
    """Return the rows of arrays before the cuts, or some of them where they are many.

    Parameters
    ----------
    arrays : list of ndarray
    cuts : sequence of int
        For each array the number of rows that may be taken.
    """
    rows = sampled(sum(cuts), MAX_SCALER_ROWS)
    pairs = list(zip(arrays, cuts, strict=True))
    if isinstance(rows, slice):
        return np.concatenate([values[:cut] for values, cut in pairs])
    ends = np.cumsum(cuts)
    parts = np.split(rows, np.searchsorted(rows, ends[:-1]))
    return np.concatenate(
        [
            values[part - (end - cut)]
            for (values, cut), end, part in zip(pairs, ends, parts, strict=True)
        ]
    )


def scale_values(values: Any, scaler: Scaler) -> np.ndarray:
    """Return scaled values in the single precision that networks compute in."""
    return check_scaled(scaler.apply(values)).astype(np.float32)


def interpolate_windows(X):
    """Return scaled ready-made windows without gaps."""
    if np.isnan(X).any():
        X = np.array([interpolate_gaps(window) for window in X])
    return X.astype(np.float32)
