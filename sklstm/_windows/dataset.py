"""Windows over series: views until a batch is made. NumPy only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklstm._series.alignment import check_regular_index
from sklstm._series.missing import known_at
from sklstm._series.panel import has_levels
from sklstm._series.time_index import time_index
from sklstm._series.validation import check_positive_int, is_pandas, unmasked
from sklstm._utils.disk_arrays import blocks
from sklstm._utils.row_weights import rows_and_weights
from sklstm._windows.normalization import SMALLEST_SCALE, WindowNorm
from sklstm._windows.seasonal import seasonal_part

# Windows that arithmetic on all of them takes at once.
CHUNK = 8192
# Rows that are shuffled at once; of more, in groups of so many neighbours.
SHUFFLED, NEIGHBOURS = 2**20, 2**12


def make_windows(series, window_length, horizon=1, *, stride=1):
    """Cut a series into input windows and the values that follow them.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,) or (n_timesteps, n_features)
        The series, with the oldest value first.
    window_length : int
        Number of steps in a window.
    horizon : int, default=1
        Number of steps to forecast after a window.
    stride : int, default=1
        Number of steps between the starts of two windows.

    Returns
    -------
    X : ndarray of shape (n_windows, window_length[, n_features])
        The windows: a read-only view of `series`, in the units of `series`.
    y : ndarray of shape (n_windows, horizon[, n_features])
        The values that follow each window: a read-only view of `series`.

    Raises
    ------
    ValueError
        If a length is not positive, `series` is shorter than one window with its
        horizon, its time index is not sorted or not regular, or it contains many
        series.

    Examples
    --------
    >>> from sklstm.preprocessing import make_windows
    >>> X, y = make_windows([1, 2, 3, 4, 5], window_length=3, horizon=1)
    >>> X
    array([[1, 2, 3],
           [2, 3, 4]])
    >>> y
    array([[4],
           [5]])
    """
    if is_pandas(series):
        check_one_series(series)
    values = np.asarray(unmasked(series))
    if values.ndim not in (1, 2):
        raise ValueError(
            f"series must have 1 or 2 dimensions, time steps first. Got "
            f"{values.ndim} dimensions."
        )
    for name, value in (
        ("window_length", window_length),
        ("horizon", horizon),
        ("stride", stride),
    ):
        check_positive_int(name, value)
    check_length(len(values), window_length, horizon)
    span = np.lib.stride_tricks.sliding_window_view(
        values, window_length + horizon, axis=0
    )[::stride]
    if values.ndim == 2:
        span = np.swapaxes(span, 1, 2)
    return span[:, :window_length], span[:, window_length:]


def check_one_series(series):
    """Raise where rows of a frame are no regular steps of one series."""
    if has_levels(series):
        raise ValueError(
            "series holds many series, and windows would reach from one into the next. "
            "Call make_windows for each: series.groupby(level=0)."
        )
    index = time_index(series, "series")
    if index is not None and len(index) > 2:
        check_regular_index(index, "series")


def check_length(n_timesteps, window_length, horizon):
    """Raise where a series has no room for one window and its horizon."""
    needed = window_length + horizon
    if n_timesteps < needed:
        raise ValueError(
            f"The series has {n_timesteps} time steps, but "
            f"window_length={window_length} with horizon={horizon} needs at least "
            f"{needed}. Shorten window_length or horizon, or pass a longer series."
        )


class FixedShapeBatches:
    """Batches of one shape, whatever rows they hold."""

    def batches(self, rows, batch_size, rng=None) -> Iterator[np.ndarray]:
        """Yield parts of at most `batch_size` rows, shuffled where `rng` is given."""
        if rng is not None and len(rows) > SHUFFLED:
            return batches_of_many(rows, batch_size, rng)
        if rng is not None:
            rows = rows[rng.permutation(len(rows))]
        return (rows[i : i + batch_size] for i in range(0, len(rows), batch_size))

    def shape_key(self, rows: np.ndarray) -> None:
        """Return None, because all batches have one shape."""


def batches_of_many(rows, batch_size, rng):
    """Yield shuffled batches of rows too many to be shuffled at once.

    Groups of neighbours come in a random order, and many of them are mixed.
    """
    order = rng.permutation(-(-len(rows) // NEIGHBOURS))
    rest = np.empty(0, int)
    for some in blocks(len(order), SHUFFLED // NEIGHBOURS):
        firsts = order[some] * NEIGHBOURS
        groups = [rows[first : first + NEIGHBOURS] for first in firsts]
        mixed = np.concatenate([rest, *groups])
        mixed = mixed[rng.permutation(len(mixed))]
        end = len(mixed) - len(mixed) % batch_size
        yield from (mixed[i : i + batch_size] for i in range(0, end, batch_size))
        # What fills no batch is mixed into the next groups.
        rest = mixed[end:]
    if len(rest):
        yield rest


@dataclass(eq=False)
class SeriesWindows(FixedShapeBatches):
    """Windows of scaled series, gathered when a batch asks for them.

    Parameters
    ----------
    y : ndarray of shape (n_timesteps, n_targets)
        Scaled targets, which may lie in a file; series stand one after the other.
    X : ndarray of shape (n_timesteps, n_features) or None
        Scaled inputs. May be longer than `y` for forecasting.
    starts : ndarray of shape (n_windows,)
        First row of each window.
    window_length, horizon : int
    norm : WindowNorm
    past_only : ndarray of bool of shape (n_features,) or None
        Columns of X whose values ahead are not shown.
    row_weights : ndarray of shape (n_timesteps,) or None
    missing : ndarray of bool of shape (n_timesteps, n_targets) or None
        Whether a target is missing and interpolated; None where none is.
    last_seen : ndarray of int of shape (n_timesteps, n_targets) or None
        Row of the last target that is not missing, where some are.
    x_last_seen : ndarray of int of shape (n_timesteps, n_features) or None
        The same of X.
    static : tuple of (ndarray of shape (n_series, n_static), ndarray), or None
        Static features of series, and the series of each window.
    """

    y: np.ndarray
    X: np.ndarray | None
    starts: np.ndarray
    window_length: int
    horizon: int
    norm: WindowNorm
    past_only: np.ndarray | None = None
    row_weights: np.ndarray | None = None
    missing: np.ndarray | None = None
    last_seen: np.ndarray | None = None
    x_last_seen: np.ndarray | None = None
    static: tuple[np.ndarray, np.ndarray] | None = None

    def __len__(self):
        return len(self.starts)

    @property
    def known_ahead(self):
        """Index of the columns of X that the context shows."""
        return slice(None) if self.past_only is None else ~self.past_only

    @property
    def owners(self) -> np.ndarray | None:
        """Target whose past each of `inputs`, laid flat, is; -1 where it is none's.

        None where there is one target.
        """
        n_targets = self.y.shape[1]
        if n_targets == 1:
            return None
        n_features, n_context = 0, n_targets * self.norm.shows_level
        if self.X is not None:
            n_features = self.X.shape[1]
            n_context += self.horizon * np.arange(n_features)[self.known_ahead].size
        if self.static is not None:
            n_context += self.static[0].shape[1]
        step = np.concatenate([np.arange(n_targets), np.full(n_features, -1)])
        context = np.full(n_context, -1)
        if self.norm.shows_level:
            context[:n_targets] = np.arange(n_targets)
        return np.concatenate([np.tile(step, self.window_length), context])

    def _rows(self, indices, first, length):
        return self.starts[indices][:, None] + np.arange(first, first + length)

    def _values(self, indices, first, length):
        """Return target values; in a window, as they are known at its end."""
        rows = self._rows(indices, first, length)
        if self.last_seen is None or first >= self.window_length:
            return self.y[rows]
        ends = self.starts[indices] + self.window_length - 1
        return known_at(self.y, self.last_seen, rows, ends)

    def _past_inputs(self, X, indices):
        rows = self._rows(indices, 0, self.window_length)
        if self.x_last_seen is None:
            return X[rows]
        return known_at(X, self.x_last_seen, rows, rows[:, -1])

    def windows(self, indices: np.ndarray) -> np.ndarray:
        """Return the windows on the scale of `y`, without gaps."""
        return self._values(indices, 0, self.window_length)

    def level_and_scale(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the level and scale that normalize windows and their targets.

        Each broadcasts to (n_windows, window_length + horizon, n_targets).
        """
        length, norm = self.window_length, self.norm
        if norm.kind != "scale" and not norm.deseasonalize:
            return self._level_and_scale_of(self._values(indices, length - 1, 1))
        return self._level_and_scale_of(self.windows(indices))

    def _level_and_scale_of(self, windows):
        """Return the same for windows, of which the last row may be enough."""
        length, norm = self.window_length, self.norm
        level = windows[:, -1:]
        one = np.ones(1, level.dtype)
        # A window shorter than a season has no change over one, so the longest counts.
        lag = min(norm.season or 1, length - 1)
        scaled = norm.kind == "scale" and lag > 0
        if not (scaled or norm.deseasonalize):
            return (np.zeros_like(level) if norm.kind is None else level), one
        moves = np.abs(windows[:, lag:] - windows[:, :-lag]).mean(axis=1, keepdims=True)
        scale = np.maximum(moves, SMALLEST_SCALE) if scaled else one
        if norm.deseasonalize:
            seasonal = seasonal_part(windows, norm.seasons, self.horizon)
            # The last value already holds the season of its row, so seasons are counted
            # from there.
            at_end = 0 if norm.kind is None else seasonal[:, length - 1 : length]
            level = level * (norm.kind is not None) + seasonal - at_end
        return level, scale

    def normalized(self, indices, first, length) -> np.ndarray:
        """Return normalized values of `y` from the `first` row of each window on."""
        level, scale = self.level_and_scale(indices)
        if level.shape[1] > 1:
            level = level[:, first : first + length]
        return (self._values(indices, first, length) - level) / scale

    def inputs(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return window and context of the network."""
        values = self.windows(indices)
        level, scale = self._level_and_scale_of(values)
        if level.shape[1] > 1:
            level = level[:, : self.window_length]
        window = (values - level) / scale
        context = []
        if self.norm.shows_level:
            context.append(values[:, -1])
        if self.X is not None:
            past = self._past_inputs(self.X, indices)
            window = np.concatenate([window, past], axis=2)
            ahead = self._rows(indices, self.window_length, self.horizon)
            known = self.X[ahead][:, :, self.known_ahead]
            context.append(known.reshape(len(indices), -1))
        if self.static is not None:
            table, series = self.static
            context.append(table[series[indices]].astype(window.dtype))
        if not context:
            return window, np.empty((len(indices), 0), window.dtype)
        return window, np.concatenate(context, axis=1)

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return normalized targets; NaN where they are missing."""
        targets = self.normalized(indices, self.window_length, self.horizon)
        if self.missing is None:
            return targets
        ahead = self._rows(indices, self.window_length, self.horizon)
        return np.where(self.missing[ahead], np.float32(np.nan), targets)

    def restored(self, output, indices) -> np.ndarray:
        """Return outputs of the network on the scale of `y`."""
        level, scale = self.level_and_scale(indices)
        # A level with seasons has a row for each step, of which the last are ahead.
        return output * scale + level[:, -output.shape[1] :]

    def weights(self, indices: np.ndarray) -> np.ndarray:
        """Return the weight of each window; missing targets have none."""
        weights = np.ones(len(indices), np.float32)
        ahead = self._rows(indices, self.window_length, self.horizon)
        if self.row_weights is not None:
            weights = self.row_weights[ahead].mean(axis=1).astype(np.float32)
        if self.missing is not None:
            weights = weights * (1 - self.missing[ahead].mean(axis=(1, 2)))
        return weights.astype(np.float32)


@dataclass(eq=False)
class ReadyWindows(FixedShapeBatches):
    """Ready-made windows, which are independent of each other.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
        Scaled, without gaps.
    y : ndarray of shape (n_windows, 1, n_targets), default=None
        Scaled; None where windows are only predicted.
    row_weights : ndarray of shape (n_windows,), default=None
    """

    missing = None
    owners = None

    X: np.ndarray
    y: Any = None
    row_weights: np.ndarray | None = None

    def __len__(self):
        return len(self.X)

    def inputs(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return windows, and a context without columns."""
        return self.X[indices], np.empty((len(indices), 0), self.X.dtype)

    def targets(self, indices: np.ndarray) -> np.ndarray:
        return self.y[indices]

    def weights(self, indices: np.ndarray) -> np.ndarray:
        if self.row_weights is None:
            return np.ones(len(indices), np.float32)
        return self.row_weights[indices].astype(np.float32)


def rows_in_order(X, y, sample_weight) -> tuple[np.ndarray, np.ndarray]:
    """Return rows in an order that their content fixes, repeated by whole weights.

    Repeated rows and weights then train the same network to the last byte, and an
    epoch takes as many steps as there are rows.

    Returns
    -------
    rows : ndarray of int
        Positions in X and y, without those of weight zero.
    weights : ndarray of shape (len(rows),)
        1 where whole weights became repeats; otherwise of mean 1.
    """
    n_repeats, weights = rows_and_weights(sample_weight)
    rows = np.concatenate([X.reshape(len(X), -1), y.reshape(len(y), -1)], axis=1)
    # NaN is not equal to itself, but a row with it is.
    missing = np.isnan(rows)
    rows = np.concatenate([np.where(missing, 0, rows), missing], axis=1)
    _, position = np.unique(rows, axis=0, return_inverse=True)
    # Weights order equal rows, so that the order in which rows came has no say.
    order = np.lexsort((weights, position.ravel()))
    order = np.repeat(order, n_repeats[order])
    return order, weights[order]
