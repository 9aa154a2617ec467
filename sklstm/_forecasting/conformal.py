"""Spread of forecasts, step by step, from the errors made on a validation block.

Split-conformal prediction (Vovk et al., 2005; Lei et al., 2018), where a quantile of
past errors is the half width of an interval. Each error is measured by a unit: by how
much its window moves, or, where the network has quantiles, by how far the one on the
error's side lies from the median (Romano, Patterson and Candès, 2019). Then those of
each step are measured by their mean size, which grows with the step, and pooled: a
validation block of a few windows has too few errors of any one step to tell its tails.
Only sizes are kept: in so few windows all errors may have one sign, which is gone when
the network is fitted again on all rows.

The future may be calmer or wilder than the validation block: once rows after the fit
are known, `Spread.tracked` follows how many of them were missed.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from sklstm._networks.quantiles import half_widths, level_pairs
from sklstm._training.window_fit import ValidationBlock
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import in_memory
from sklstm._windows.dataset import CHUNK

# Enough for any quantile that a pooled block can tell.
MAX_KEPT = 2000
# Enough for paths to differ.
MAX_PATHS = 500
# Of the mean distance: errors over one that happens to be tiny must not rule the rest.
MIN_SHARE = 0.2
# Of the logarithm of widths, for each value missed.
MAX_RATE = 0.05


@storable
@dataclass
class Spread:
    """How large errors were.

    Parameters
    ----------
    scale : ndarray of shape (horizon, n_targets)
        Mean size of errors at each step, never falling, over their units.
    sizes : ndarray of shape (n_kept, n_targets)
        Sorted sizes of errors, each over its step's and its unit.
    paths : ndarray of shape (n_paths, horizon, n_targets)
        The same of whole windows, not sorted, with their signs; 0 where the actual
        value is missing.
    floor : ndarray of shape (horizon, n_targets)
        Smallest unit of each step, where units are distances of quantiles.
    coverage : float, default=None
        That of the pair of quantiles which are the unit; None where windows are.
    """

    scale: np.ndarray
    sizes: np.ndarray
    paths: np.ndarray
    floor: np.ndarray
    coverage: float | None = None

    @classmethod
    def learn(
        cls,
        residuals: np.ndarray,
        unit: np.ndarray,
        weights: np.ndarray,
        coverage: float | None = None,
    ) -> "Spread":
        """Learn from the validation block.

        Parameters
        ----------
        residuals : ndarray of shape (n_windows, horizon, n_targets)
            Actual less forecast values, scaled; NaN where the actual value is missing.
        unit : ndarray of shape (n_windows, horizon or 1, n_targets)
        weights : ndarray of shape (n_windows,)
            How often each window counts.
        """
        unit = np.broadcast_to(unit, residuals.shape)
        floor = (0 if coverage is None else MIN_SHARE) * unit.mean(axis=0)
        unit = np.maximum(unit, floor)
        sizes = np.abs(residuals) / unit
        weights = np.where(np.isnan(sizes), 0, weights[:, None, None])
        total = weights.sum(axis=0)
        mean = np.nansum(weights * sizes, axis=0) / np.where(total > 0, total, 1)
        scale = np.column_stack([isotonic_regression(column) for column in mean.T])
        sizes = sizes / np.where(scale > 0, scale, 1)
        n_kept = np.clip((weights > 0).sum(axis=(0, 1)).min(), 1, MAX_KEPT)
        columns = [
            spread_evenly(own[w > 0], w[w > 0], n_kept)
            for own, w in zip(sizes.T, weights.T, strict=True)
        ]
        paths = np.nan_to_num(residuals / unit)
        share = np.cumsum(weights.sum(axis=(1, 2)))
        n_paths = min(len(paths), MAX_PATHS)
        at = (np.arange(n_paths) + 0.5) / n_paths * share[-1]
        kept = np.minimum(np.searchsorted(share, at), len(paths) - 1)
        paths = paths[kept] / np.where(scale > 0, scale, 1)
        return cls(scale, np.column_stack(columns), paths, floor, coverage)

    def size(self, coverage: float) -> np.ndarray:
        """What a share `coverage` of sizes does not exceed, of each target.

        The rank is that of n + 1 errors, of which the one to come is one.
        """
        n = len(self.sizes)
        return self.sizes[int(np.clip(np.ceil((n + 1) * coverage), 1, n)) - 1]

    def half_width(
        self, coverage: float, unit: np.ndarray, factor: np.ndarray
    ) -> np.ndarray:
        """Half width of intervals that hold a share `coverage` of values.

        Beyond the horizon a block starts from forecasts, so that errors add up: the
        variance of the last step is added once for each block before.

        Parameters
        ----------
        unit : ndarray of shape (n_origins, steps, n_targets)
        factor : ndarray of shape (n_origins, horizon, n_targets)
            What `tracked` gave; ones where nothing is known since the fit.

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets)
        """
        steps, horizon = np.arange(unit.shape[1]), len(self.scale)
        step, block = steps % horizon, steps // horizon
        width = np.maximum(unit, self.floor[step]) * self.scale[step]
        last = width[:, min(horizon, len(steps)) - 1, None]
        total = np.sqrt(width**2 + block[:, None] * last**2)
        return self.size(coverage) * total * factor[:, step]

    def sampled(
        self, n_samples: int, n_blocks: int, rng: np.random.RandomState
    ) -> np.ndarray:
        """Errors of whole blocks as they came together in one window, with either sign.

        Signs are drawn, since in so few windows all errors may have one.

        Returns
        -------
        ndarray of shape (n_samples, n_blocks, horizon, n_targets)
            Over the unit.
        """
        shape = n_samples, n_blocks
        drawn = self.paths[rng.randint(len(self.paths), size=shape)] * self.scale
        return drawn * rng.choice([-1, 1], size=shape)[:, :, None, None]

    def tracked(
        self, errors: np.ndarray, unit: np.ndarray, coverage: float
    ) -> np.ndarray:
        """By what widths have to be multiplied so that they hold what they should.

        At each step ahead, a value that was missed widens the intervals of later
        origins, and one inside narrows them, so that over time the share inside is
        `coverage`, whatever the errors are: a quantile tracker (Angelopoulos, Candès
        and Tibshirani, 2023, "Conformal PID control for time series prediction"), here
        of the width's logarithm. It is slower the longer a miss takes to show.

        Parameters
        ----------
        errors : ndarray of shape (n_origins, horizon, n_targets)
            Of origins one row apart, scaled; NaN where the actual value is not known.
        unit : ndarray of shape (n_origins, horizon, n_targets)

        Returns
        -------
        ndarray of shape (n_origins, horizon, n_targets)
            Of each origin, from what was known before it.
        """
        horizon = errors.shape[1]
        ones = np.ones_like(errors)
        width = self.half_width(coverage, unit, ones)
        rate, steps = min(MAX_RATE, 1 / horizon), np.arange(horizon)
        factor = ones
        for origin in range(1, len(errors)):
            # The row before this origin was so many steps ahead of these.
            earlier = np.maximum(origin - 1 - steps, 0)
            known = (steps < origin)[:, None]
            error = np.where(known, errors[earlier, steps], np.nan)
            missed = np.abs(error) > width[earlier, steps] * factor[earlier, steps]
            moved = np.where(np.isnan(error), 0, rate * (missed - (1 - coverage)))
            factor[origin] = factor[origin - 1] * np.exp(moved)
        return factor


def conformal_errors(block: ValidationBlock) -> tuple[Spread, ...] | None:
    """Return the errors on a validation block, for intervals.

    Returns
    -------
    tuple of Spread or None
        One for each pair of quantiles of the network, or one where it has none; None
        for ready-made windows, because how much these move is not known.
    """
    if block.weights is None:
        return None
    _, scale = block.data.level_and_scale(block.rows)
    errors = (block.data.targets(block.rows) - block.outputs) * scale
    units = error_units(block, errors, scale)
    return tuple(
        Spread.learn(errors, unit, block.weights, coverage)
        for coverage, unit in units.items()
    )


def error_units(block, errors, scale):
    """Return {coverage of a pair of quantiles, or None: units of errors}."""
    pairs = level_pairs(block.levels)
    if not pairs:
        parts = block.data.batches(block.rows, CHUNK)
        movement = in_memory(movement_scale(block.data.windows(part)) for part in parts)
        return {None: movement[:, None]}
    quantiles = np.moveaxis(block.quantiles, 1, 2) * np.expand_dims(scale, -1)
    units = {}
    for coverage, pair in pairs.items():
        below, above = half_widths(quantiles, block.levels, pair)
        units[coverage] = np.where(errors > 0, above, below)
    return units


def nearest(spreads, coverage: float) -> Spread:
    """The spread whose pair of quantiles is the nearest to a coverage."""
    return min(spreads, key=lambda spread: abs((spread.coverage or 0) - coverage))


def spread_evenly(values, weights, n_kept):
    """So many values, sorted, with the quantiles of weighted ones.

    As many of equal weight are the values themselves.
    """
    if not len(values):
        return np.zeros(n_kept)
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    below = np.cumsum(weights) - weights
    share = below / below[-1] if below[-1] > 0 else below
    return np.interp(np.linspace(0, 1, n_kept), share, values)


def movement_scale(windows: np.ndarray) -> np.ndarray:
    """The root of the mean size of changes within scaled windows.

    Errors are larger where a series moves more, but less than in proportion, for what
    one window shows of that is itself an estimate: hence the root.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window_length, n_targets)

    Returns
    -------
    ndarray of shape (n_windows, n_targets)
        1 where a window does not move.
    """
    moves = np.abs(np.diff(windows, axis=1)).sum(axis=1) / windows.shape[1]
    return np.where(moves > 0, np.sqrt(moves), 1.0)
