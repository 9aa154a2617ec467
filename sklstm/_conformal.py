"""Spread of forecasts, step by step, from the errors made on a validation block.

Split-conformal prediction (Vovk et al., 2005; Lei et al., 2018), where a quantile of
past errors is the half width of an interval. The errors of each step are measured by
their mean size, which grows with the step, and by how much their window moves, and then
pooled: a validation block of a few windows has too few errors of any one step to tell
its tails. Only sizes are kept: in so few windows all errors may have one sign, which is
gone when the network is fitted again on all rows.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from sklstm._archive import storable

# Enough for any quantile that a pooled block can tell.
MAX_KEPT = 2000


@storable
@dataclass
class Spread:
    """How large errors were.

    Parameters
    ----------
    scale : ndarray of shape (horizon, n_targets)
        Mean size of errors at each step, never falling, over that of their window.
    sizes : ndarray of shape (n_kept, n_targets)
        Sorted sizes of errors, each over its step's and its window's.
    """

    scale: np.ndarray
    sizes: np.ndarray

    @classmethod
    def learn(cls, residuals, restlessness):
        """Learn from the validation block.

        Parameters
        ----------
        residuals : ndarray of shape (n_windows, horizon, n_targets)
            Actual less forecast values, in the units of the target; NaN where the
            actual value is missing.
        restlessness : ndarray of shape (n_windows, n_targets)
            See `restless`.
        """
        sizes = np.abs(residuals) / restlessness[:, None]
        there = ~np.isnan(sizes)
        mean = np.nansum(sizes, axis=0) / np.maximum(there.sum(axis=0), 1)
        scale = np.column_stack([isotonic_regression(column) for column in mean.T])
        sizes = sizes / np.where(scale > 0, scale, 1)
        sizes = np.sort(sizes.reshape(-1, sizes.shape[2]), axis=0)  # NaN last
        n_kept = max(1, there.sum(axis=(0, 1)).min())
        if n_kept > MAX_KEPT or n_kept < len(sizes):
            shares = np.linspace(0, 1, min(n_kept, MAX_KEPT))
            sizes = np.nanquantile(sizes, shares, axis=0)
        return cls(scale, sizes)

    def half_width(self, coverage, steps, restlessness):
        """Half width of intervals that hold a share `coverage` of values.

        The rank is that of n + 1 errors, of which the one to come is one. Beyond the
        horizon a block starts from forecasts, so that errors add up: the variance of
        the last step is added once for each block before.

        Parameters
        ----------
        restlessness : ndarray of shape (n_origins, n_targets)

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets)
        """
        n, horizon = len(self.sizes), len(self.scale)
        rank = int(np.clip(np.ceil((n + 1) * coverage), 1, n))
        step, block = np.arange(steps) % horizon, np.arange(steps) // horizon
        variance = self.scale[step] ** 2 + block[:, None] * self.scale[-1] ** 2
        return restlessness[:, None] * self.sizes[rank - 1] * np.sqrt(variance)


def restless(windows):
    """The root of the mean size of changes within windows, in the units of errors.

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
