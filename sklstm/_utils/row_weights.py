"""Sample weights as rows that were repeated, and as relative weights of these rows."""

import numpy as np

# Whole weights repeat rows unless that makes an epoch longer than by this factor.
MOST_REPEATS = 16
TOLERANCE = 1e-9


def rows_and_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many rows each row stands for, and the weight of each of these.

    Weights are relative: a factor on all of them changes nothing. Whole numbers, also
    after a common factor, count as that many repeated rows, as long as they are
    small. Other weights count one row each, with weights whose mean is 1.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
        Some positive, none negative.

    Returns
    -------
    n_repeats : ndarray of int of shape (n_rows,)
        0 for rows of weight zero.
    weights : ndarray of shape (n_rows,)
    """
    used = weights > 0
    weights = weights / weights.max()
    unit = common_unit(np.unique(weights[used]), np.mean(weights[used]))
    if unit is not None:
        return np.rint(weights / unit).astype(np.int32), used.astype(np.float64)
    return used.astype(np.int32), weights / np.mean(weights[used])


def common_unit(values, mean):
    """Return the largest number of which all values are multiples, or None."""
    for divisor in range(1, MOST_REPEATS + 1):
        unit = values[0] / divisor
        if mean > MOST_REPEATS * unit:
            return None
        multiples = values / unit
        if (np.abs(multiples - np.rint(multiples)) <= TOLERANCE * multiples).all():
            return unit
    return None


def mean_one(weights: np.ndarray, n_repeats: np.ndarray) -> np.ndarray:
    """Return weights divided by their mean over all repeated rows."""
    return weights * (n_repeats.sum() / (n_repeats * weights).sum())
