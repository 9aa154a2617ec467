"""What a fit learns from: scaled windows, their split, and their simple rivals."""

import numpy as np

from sklstm._forecasting.conformal import Spread, restless
from sklstm._networks import quantiles
from sklstm._series.missing import (
    any_missing,
    bridged,
    bridged_parts,
    last_seen_parts,
    row_means,
    without_nan,
)
from sklstm._utils.disk_arrays import (
    BLOCK,
    blocks,
    in_file,
    in_memory,
    on_disk,
    sampled,
)
from sklstm._windows import scaling
from sklstm._windows.dataset import CHUNK, ReadyWindows, SeriesWindows, check_length
from sklstm._windows.splits import split_chronological, split_shuffled

# A sum of squares of many such values still fits single precision.
LARGEST_SCALED = 1e16
# Rows that a scaler is learned from; more of them move nothing.
MAX_LEARNED = 2**20
# What the targets of the validation block may take; of more, some windows are drawn.
MAX_VALIDATION_BYTES = 2**25


class SeriesProblem:
    """Rows are time steps; `y` is forecast from its past and, with X, from X.

    Each of many series is scaled by itself and has a validation block of its own; X is
    scaled over all of them. Every series counts the same, however long it is. Where a
    series lies in a file, so does all that is made of it here and grows with it.

    Parameters
    ----------
    histories : list of History
    weights : list of ndarray of shape (n_timesteps,), or None
    past : ndarray of bool of shape (n_features,) or None
        Columns of X that are not known ahead.
    """

    def __init__(
        self,
        histories,
        weights,
        *,
        window_length,
        horizon,
        stride,
        scaler,
        norm,
        past=None,
    ):
        check_length(max(map(len, histories)), window_length, horizon)
        self.histories, self.weights = histories, weights
        self.window_length, self.horizon = window_length, horizon
        self.scaler, self.norm, self.past = scaler, norm, past
        self.firsts = np.cumsum([0, *map(len, histories[:-1])])
        self.joined = on_disk if in_file(histories[0].y) else in_memory
        self.lengths = np.zeros(len(histories), int)
        self.starts = self.joined(self._starts(stride))
        if not self.lengths.any() and weights is None:
            raise ValueError(
                "No value of the series follows a window that ends in one, so there is "
                "nothing to train on. Fill gaps, or pass a longer series."
            )
        if not self.lengths.any():
            raise ValueError(
                "sample_weight is zero for every row that can be forecast, so no "
                "weight is left to train on."
            )
        static, n_targets = histories[0].static, histories[0].y.shape[1]
        self.n_static = 0 if static is None else len(static)
        n_features = 0 if histories[0].X is None else histories[0].X.shape[1]
        n_known = n_features - (0 if past is None else past.sum())
        self.window_shape = (window_length, n_targets + n_features)
        self.n_levels = n_targets if norm.shows_level else 0
        self.n_context = int(horizon * n_known + self.n_levels) + self.n_static
        self.output_shape = (horizon, n_targets)
        # A network of no output then says that nothing changes.
        self.anchored = norm.kind is not None

    def _starts(self, stride):
        """First rows of windows, in parts; counts them in `lengths`."""
        length, horizon = self.window_length, self.horizon
        yield np.arange(0)
        for i, history in enumerate(self.histories):
            n_starts = len(history) - length - horizon + 1
            for part in blocks(n_starts, max(BLOCK // stride, 1) * stride):
                own = np.arange(part.start, part.stop, stride)
                # Forecasts stand at the last value seen; so do windows to learn from.
                first = part.start + length - 1
                seen = history.y[first : own[-1] + length + horizon]
                seen = ~np.isnan(seen).all(axis=1)
                n_seen = np.concatenate([[0], np.cumsum(seen)])
                at = own - part.start
                own = own[seen[at] & (n_seen[at + 1 + horizon] > n_seen[at + 1])]
                if self.weights is not None:
                    ahead = own[:, None] + length + np.arange(horizon)
                    own = own[self.weights[i][ahead].sum(axis=1) > 0]
                self.lengths[i] += len(own)
                yield self.firsts[i] + own

    def split(self, fraction, rng):
        # One series needs enough windows to learn from; of many each gives its own.
        n_needed = max(8, self.horizon) if len(self.histories) == 1 else 1
        train, validation, cuts, first = [], [], [], 0
        for history, row, n in zip(
            self.histories, self.firsts, self.lengths, strict=True
        ):
            own = self.starts[first : first + n]
            *parts, cut = split_chronological(
                own - row if row else own,
                self.window_length,
                self.horizon,
                len(history),
                fraction,
                n_needed,
            )
            train.append((first, parts[0]))
            validation.append((first, parts[1]))
            cuts.append(cut)
            first += n
        self.cuts = cuts
        validation = self.joined(counted(validation))
        most = MAX_VALIDATION_BYTES // (8 * int(np.prod(self.output_shape)))
        validation = validation[sampled(len(validation), max(most, 1))]
        return self.joined(counted(train)), validation

    def all_rows(self):
        self.cuts = [len(history) for history in self.histories]
        return self.joined(counted([(0, range(len(self.starts)))]))

    def learn_scalers(self, rows, kept=None):
        """A scaler for the target of each series and one for X.

        They are learned from rows before the cut. Of kept ones those of many series are
        learned again, since they belong to series and not to the network.
        """
        if kept is not None and len(self.histories) == len(kept[0]) == 1:
            return kept
        y_scalers = []
        weights = self.weights or [None] * len(self.histories)
        for history, w, cut in zip(self.histories, weights, self.cuts, strict=True):
            rows = sampled(cut, MAX_LEARNED)
            w = None if w is None else w[:cut][rows]
            values = np.asarray(history.y[:cut][rows], np.float64)
            y_scalers.append(scaling.learn(values, self.scaler, w))
        if kept is not None or self.histories[0].X is None:
            return y_scalers, None if kept is None else kept[1]
        X = sampled_of([history.X for history in self.histories], self.cuts)
        w = None if self.weights is None else sampled_of(self.weights, self.cuts)
        # Inputs need not be positive where the target is.
        kind = "standard" if self.scaler == "log" else self.scaler
        return y_scalers, scaling.learn(np.asarray(X, np.float64), kind, w)

    def data(self, scalers):
        y_scalers, X_scaler = scalers
        y = self.joined(
            scaled(part, scaler)
            for history, scaler in zip(self.histories, y_scalers, strict=True)
            for part in bridged_parts(history.y)
        )
        missing, seen = None, None
        if any(any_missing(history.y) for history in self.histories):
            missing = self.joined(
                np.isnan(history.y[rows])
                for history in self.histories
                for rows in blocks(len(history))
            )
            seen = self.last_seen([history.y for history in self.histories])
        X, X_seen = None, None
        if X_scaler is not None:
            inputs = [history.X for history in self.histories]
            if any(map(any_missing, inputs)):
                X_seen = self.last_seen(inputs)
            X = self.joined(
                without_nan(scaled(part, X_scaler))
                for own in inputs
                for part in bridged_parts(own, before_first=np.nan)
            )
        return SeriesWindows(
            y,
            X,
            self.starts,
            self.window_length,
            self.horizon,
            self.norm,
            self.past,
            self.row_weights(),
            missing,
            seen,
            X_seen,
            self.static(),
        )

    def last_seen(self, values):
        """For each value of the series, the row of the last one not missing."""
        return self.joined(
            first + part
            for first, own in zip(self.firsts, values, strict=True)
            for part in last_seen_parts(own)
        )

    def static(self):
        """Static features of series, and whose each window is."""
        if not self.n_static:
            return None
        owner = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return np.stack([history.static for history in self.histories]), owner

    def row_weights(self):
        """Weights of rows as targets, under which all series count the same."""
        n_timesteps = [len(history) for history in self.histories]
        given = None if self.weights is None else np.concatenate(self.weights)
        used = self.lengths[self.lengths > 0]
        if (used == used[0]).all():
            return given
        share = np.where(self.lengths > 0, used.mean() / np.maximum(self.lengths, 1), 0)
        parts = zip(n_timesteps, share, strict=True)
        share = self.joined(np.full(n, own, float) for n, own in parts)
        return share if given is None else share * given

    def spread(self, output, rows, data, fan=None, levels=()):
        """How far outputs are off the rows' targets, scaled: a `Spread` of each pair.

        Parameters
        ----------
        fan : ndarray of shape (n_windows, n_levels, horizon, n_targets), default=None
            Outputs of a network of quantiles, and `levels` what they are of.
        """
        _, scale = data.measures(rows)
        errors = (data.targets(rows) - output) * scale
        # Longer series have more windows in the block, and count no more for it.
        owner = np.searchsorted(self.firsts, self.starts[rows], side="right")
        weights = 1 / np.bincount(owner)[owner]
        pairs = quantiles.level_pairs(levels)
        if not pairs:
            parts = data.batches(rows, CHUNK)
            unit = in_memory(restless(data.windows(part)) for part in parts)[:, None]
            return (Spread.learn(errors, unit, weights),)
        fan = np.moveaxis(fan, 1, 2) * np.expand_dims(scale, -1)
        sides = {
            c: quantiles.half_widths(fan, levels, pair) for c, pair in pairs.items()
        }
        return tuple(
            Spread.learn(errors, np.where(errors > 0, *sides[c][::-1]), weights, c)
            for c in pairs
        )

    def naive_error(self, rows, data, measure):
        """Mean error of last value and seasonal naive, scaled."""
        length, season = self.window_length, self.norm.season
        names = {"last_value": np.zeros(self.horizon, int) + length - 1}
        if season is not None and season <= length:
            step = np.arange(self.horizon) % season
            names["seasonal_naive"] = length - season + step
        total, weight_sum = dict.fromkeys(names, 0.0), 0.0
        for part in data.batches(rows, CHUNK):
            actual, weights = data.targets(part), data.weights(part)
            weight_sum += weights.sum()
            for name, steps in names.items():
                past = data.measured(part, steps[0], steps.max() - steps[0] + 1)
                differences = actual - past[:, steps - steps[0]]
                total[name] += weights @ row_means(measure(differences))
        return {name: float(total[name] / weight_sum) for name in names}


def counted(parts):
    """Numbers of ranges, each from its first on, in parts."""
    yield np.arange(0)
    for first, numbers in parts:
        for part in blocks(len(numbers)):
            yield first + numbers.start + np.arange(part.start, part.stop)


def sampled_of(arrays, cuts):
    """Rows before the cuts of arrays, one after the other; some where they are many."""
    rows = sampled(sum(cuts), MAX_LEARNED)
    if isinstance(rows, slice):
        return np.concatenate(
            [own[:cut] for own, cut in zip(arrays, cuts, strict=True)]
        )
    ends = np.cumsum(cuts)
    parts = np.split(rows, np.searchsorted(rows, ends[:-1]))
    firsts = ends - cuts
    return np.concatenate(
        [
            own[part - first]
            for own, part, first in zip(arrays, parts, firsts, strict=True)
        ]
    )


class WindowsProblem:
    """Rows are ready-made windows, independent of each other.

    Parameters
    ----------
    X : ndarray of shape (n_windows, window_length, n_features)
    y : ndarray of shape (n_windows, horizon, n_targets)
    """

    anchored, n_static = False, 0

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
            learned.append(scaling.learn(flat, self.scaler, weights))
        return tuple(learned)

    def data(self, scalers):
        y_scaler, X_scaler = scalers
        return ReadyWindows(
            bridged_windows(scaled(self.X, X_scaler)),
            scaled(self.y, y_scaler),
            self.row_weights,
        )

    def spread(self, output, rows, data, fan=None, levels=()):
        return None  # what a window is made of is not known

    def naive_error(self, rows, data, measure):
        mean = data.y.mean(axis=0)
        return {"mean": float(np.mean(measure(data.y[rows] - mean)))}


def scaled(values, scaler):
    """Values as networks are trained on, which compute in single precision."""
    result = scaling.apply(values, scaler)
    largest = np.nanmax(np.abs(result), initial=0)
    if largest > LARGEST_SCALED:
        raise ValueError(
            f"After scaling there are values as large as {largest:.3g}, whose squares "
            "overflow in the single precision that networks compute in. Choose "
            "scaler='standard', or divide the data by a power of ten."
        )
    return result.astype(np.float32)


def bridged_windows(X):
    """Scaled ready-made windows without gaps."""
    if np.isnan(X).any():
        X = np.array([bridged(window) for window in X])
    return X.astype(np.float32)
