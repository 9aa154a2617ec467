"""Missing values: what stands in for them, and means over what is there. NumPy only."""

import numpy as np


def carried(values, start=None):
    """Values with the last one seen in place of each that is missing.

    A network that is told which ones these are can lean on them less.

    Parameters
    ----------
    values : ndarray of shape (..., n_timesteps, n_columns)
    start : float, default=None
        For what is missing before the first value; None means the column's mean.

    Returns
    -------
    ndarray of the same shape
        `values` itself where nothing is missing.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    row = np.arange(values.shape[-2])[:, None]
    last = np.maximum.accumulate(np.where(missing, 0, row), axis=-2)
    result = np.take_along_axis(values, last, axis=-2)
    if start is None:
        n_seen = np.maximum((~missing).sum(axis=-2, keepdims=True), 1)
        start = np.nansum(values, axis=-2, keepdims=True) / n_seen
    return np.where(np.isnan(result), start, result)


def row_means(errors):
    """Mean of each row's errors that are there; 0 where none is."""
    flat = errors.reshape(len(errors), -1)
    n_there = (~np.isnan(flat)).sum(axis=1)
    return np.nansum(flat, axis=1) / np.maximum(n_there, 1)
