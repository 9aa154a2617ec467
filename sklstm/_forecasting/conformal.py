"""Errors of a validation block, from which prediction intervals are made.

Split-conformal prediction (Vovk et al., 2005; Lei et al., 2018): the half width of an
interval is a quantile of past errors. Each error is divided by a unit: the movement of
its window, or, where the network has quantiles, the distance of the median to the
quantile on the error's side (Romano, Patterson and Candès, 2019). The errors of each
step are then divided by their mean size, which grows with the step, and pooled, because
a validation block of a few windows has too few errors of one step to tell its tails.
Signs are dropped, because in so few windows all errors may have one sign, and a network
fitted again on all rows does not keep it. A block of a few horizons misses the tails
all the same, so that its quantiles are widened as those of Student's t distribution.

The future may move less or more than the validation block. Once rows after the fit are
known, `ConformalErrors.coverage_correction` follows the share of them that was missed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit
from sklearn.isotonic import isotonic_regression

from sklstm._networks.quantiles import half_widths, level_pairs
from sklstm._training.window_fit import ValidationBlock
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import in_memory
from sklstm._windows.dataset import CHUNK

# Sizes that are kept: more would not move a quantile of a pooled block.
MAX_KEPT = 2000
# Errors of whole windows that are kept, from which paths are drawn.
MAX_PATHS = 500
# Smallest distance of quantiles, as a share of the mean one, because errors divided by
# a distance that happens to be tiny would rule all others.
MIN_SHARE = 0.2
# Largest change of the logarithm of a width for one missed value.
MAX_RATE = 0.05
# Degrees of freedom for each horizon that errors span, because windows overlap and the
# model was chosen on the same block: simulated for eight kinds of series.
DEGREES_A_BLOCK = 2


@storable
@dataclass
class ConformalErrors:
    """Sizes of errors on a validation block.

    Parameters
    ----------
    scale : ndarray of shape (horizon, n_targets)
        Mean size of errors at each step, in their units; it never falls.
    sizes : ndarray of shape (n_kept, n_targets)
        Sorted sizes of errors, divided by their unit and by the scale of their step.
    paths : ndarray of shape (n_paths, horizon, n_targets)
        Errors of whole windows with their signs, divided alike; 0 where the actual
        value is missing.
    floor : ndarray of shape (horizon, n_targets)
        Smallest unit of each step, where units are distances of quantiles.
    coverage : float, default=None
        Coverage of the pair of quantiles whose distances are the units; None where the
        movement of windows is the unit.
    n_blocks : float, default=inf
        Rows that the errors span, over the horizon: so many windows do not overlap.
    """

    _former_names = ("Spread",)

    scale: np.ndarray
    sizes: np.ndarray
    paths: np.ndarray
    floor: np.ndarray
    coverage: float | None = None
    n_blocks: float = np.inf

    @classmethod
    def learn(
        cls,
        residuals: np.ndarray,
        unit: np.ndarray,
        weights: np.ndarray,
        coverage: float | None = None,
        n_blocks: float = np.inf,
    ) -> "ConformalErrors":
        """Learn from errors on the validation block.

        Parameters
        ----------
        residuals : ndarray of shape (n_windows, horizon, n_targets)
            Actual less forecast values, scaled; NaN where the actual value is missing.
        unit : ndarray of shape (n_windows, horizon or 1, n_targets)
        weights : ndarray of shape (n_windows,)
            Weight of each window.
        coverage, n_blocks : float
            See the class.
        """
        unit = np.broadcast_to(unit, residuals.shape)
        floor = (0 if coverage is None else MIN_SHARE) * unit.mean(axis=0)
        unit = np.maximum(unit, floor)
        sizes = np.abs(residuals) / unit
        weights = np.where(np.isnan(sizes), 0, weights[:, None, None])
        total = weights.sum(axis=0)
        mean = np.nansum(weights * sizes, axis=0) / np.where(total > 0, total, 1)
        # Mean errors of few windows may fall with the step, but only by chance.
        scale = np.column_stack([isotonic_regression(column) for column in mean.T])
        sizes = sizes / np.where(scale > 0, scale, 1)
        n_kept = np.clip((weights > 0).sum(axis=(0, 1)).min(), 1, MAX_KEPT)
        columns = [
            weighted_sizes(size[w > 0], w[w > 0], n_kept)
            for size, w in zip(sizes.T, weights.T, strict=True)
        ]
        paths = np.nan_to_num(residuals / unit)
        share = np.cumsum(weights.sum(axis=(1, 2)))
        n_paths = min(len(paths), MAX_PATHS)
        shares = (np.arange(n_paths) + 0.5) / n_paths * share[-1]
        # Evenly by weight, so that each kept window may be drawn as often as others.
        kept = np.minimum(np.searchsorted(share, shares), len(paths) - 1)
        paths = paths[kept] / np.where(scale > 0, scale, 1)
        return cls(scale, np.column_stack(columns), paths, floor, coverage, n_blocks)

    def quantile(self, coverage: float) -> np.ndarray:
        """Return the size that a share `coverage` of errors does not exceed.

        The rank is among n + 1 errors, because the error to come is one of them.

        Returns
        -------
        ndarray of shape (n_targets,)
        """
        n = len(self.sizes)
        return self.sizes[int(np.clip(np.ceil((n + 1) * coverage), 1, n)) - 1]

    def small_block_factor(self, coverage: float) -> float:
        """Return the share by which errors of a small block must be widened.

        Few errors that come together miss the tails: the factor is that of Student's t
        over the normal distribution. Where fewer errors are kept than reach the rank
        of a quantile, the largest one is extrapolated as a normal quantile.
        """
        if np.isinf(self.n_blocks) or not coverage:
            return 1.0
        degrees = DEGREES_A_BLOCK * self.n_blocks
        tail, n = (1 + coverage) / 2, len(self.sizes)
        reached = min(coverage, n / (n + 1))
        return float(stdtrit(degrees, tail) / ndtri((1 + reached) / 2))

    def half_width(
        self, coverage: float, unit: np.ndarray, factor: np.ndarray
    ) -> np.ndarray:
        """Return the half width of intervals that hold a share `coverage` of values.

        Beyond the horizon a block starts from forecasts, so its errors add to those of
        the blocks before: the variance of the last step is added once for each block.

        Parameters
        ----------
        unit : ndarray of shape (n_origins, steps, n_targets)
        factor : ndarray of shape (n_origins, horizon, n_targets)
            Result of `coverage_correction`; ones where no row came after the fit.

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets)
        """
        steps, horizon = np.arange(unit.shape[1]), len(self.scale)
        step, block = steps % horizon, steps // horizon
        width = np.maximum(unit, self.floor[step]) * self.scale[step]
        last = width[:, min(horizon, len(steps)) - 1, None]
        total = np.sqrt(width**2 + block[:, None] * last**2)
        size = self.quantile(coverage) * self.small_block_factor(coverage)
        return size * total * factor[:, step]

    def sample(
        self, n_samples: int, n_blocks: int, rng: np.random.RandomState
    ) -> np.ndarray:
        """Draw errors of whole blocks as they came together in one window.

        The sign of a block is drawn as well, because in so few windows all errors may
        have one sign.

        Returns
        -------
        ndarray of shape (n_samples, n_blocks, horizon, n_targets)
            Errors divided by their unit.
        """
        shape = n_samples, n_blocks
        drawn = self.paths[rng.randint(len(self.paths), size=shape)] * self.scale
        return drawn * rng.choice([-1, 1], size=shape)[:, :, None, None]

    def coverage_correction(
        self,
        errors: np.ndarray,
        unit: np.ndarray,
        coverage: float,
        other: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return factors of widths that restore the nominal coverage.

        At each step ahead, a value outside its interval widens the intervals of later
        origins, and a value inside narrows them, so that over time the share inside is
        `coverage`, whatever the errors are. It is the quantile tracker of Angelopoulos,
        Candès and Tibshirani (2023, "Conformal PID control for time series
        prediction"), applied to the logarithm of the width, and it is slower for a
        longer horizon, because a miss at the last step is known later.

        Parameters
        ----------
        errors : ndarray of shape (n_origins, horizon, n_targets)
            Scaled, of origins one row apart; NaN where the actual value is not known.
        unit : ndarray of shape (n_origins, horizon, n_targets)
        other : ndarray of shape (n_origins, horizon, n_targets), default=None
            Half widths of other intervals, if the mean of both is corrected.

        Returns
        -------
        ndarray of shape (n_origins, horizon, n_targets)
            Factors of each origin, from the values known before it.
        """
        horizon = errors.shape[1]
        ones = np.ones_like(errors)
        width = mean_width(self.half_width(coverage, unit, ones), other)
        rate, steps = min(MAX_RATE, 1 / horizon), np.arange(horizon)
        factor = ones
        for origin in range(1, len(errors)):
            # The last known row was 0, 1, 2, … steps ahead of these origins.
            earlier = np.maximum(origin - 1 - steps, 0)
            known = (steps < origin)[:, None]
            error = np.where(known, errors[earlier, steps], np.nan)
            missed = np.abs(error) > width[earlier, steps] * factor[earlier, steps]
            moved = np.where(np.isnan(error), 0, rate * (missed - (1 - coverage)))
            factor[origin] = factor[origin - 1] * np.exp(moved)
        return factor


def mean_width(width: np.ndarray, other: np.ndarray | None) -> np.ndarray:
    """Return the mean of two half widths; the first where there is no other."""
    return width if other is None else (width + other) / 2


def conformal_errors(block: ValidationBlock) -> tuple[ConformalErrors, ...] | None:
    """Return the errors on a validation block, for intervals.

    Returns
    -------
    tuple of ConformalErrors or None
        One for each pair of quantiles of the network, or one where it has none; None
        for ready-made windows, because how much these move is not known.
    """
    if block.weights is None:
        return None
    _, scale = block.data.level_and_scale(block.rows)
    errors = (block.data.targets(block.rows) - block.outputs) * scale
    units, n_blocks = error_units(block, errors, scale), blocks_spanned(block)
    return tuple(
        ConformalErrors.learn(errors, unit, block.weights, coverage, n_blocks)
        for coverage, unit in units.items()
    )


def blocks_spanned(block: ValidationBlock) -> float:
    """Return the rows that targets of the block cover, over the horizon."""
    data = block.data
    steps = np.diff(data.starts[block.rows])
    return 1 + np.minimum(steps, data.horizon).sum() / data.horizon


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


def nearest(calibration, coverage: float) -> ConformalErrors:
    """Return the errors of the pair of quantiles nearest to a coverage."""
    return min(calibration, key=lambda errors: abs((errors.coverage or 0) - coverage))


def weighted_sizes(values, weights, n_kept):
    """Return sorted values, whose quantiles are those of weighted ones.

    With equal weights and `n_kept` values, these are the values themselves.
    """
    if not len(values):
        return np.zeros(n_kept)
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    below = np.cumsum(weights) - weights
    share = below / below[-1] if below[-1] > 0 else below
    return np.interp(np.linspace(0, 1, n_kept), share, values)


def movement_scale(windows: np.ndarray) -> np.ndarray:
    """Return the root of the mean size of changes within scaled windows.

    Errors are larger where a series moves more. They grow less than in proportion,
    because the movement of one window is itself an estimate: hence the root.

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
