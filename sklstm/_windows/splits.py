"""Training and validation rows of windows."""

from dataclasses import dataclass

import numpy as np

# Fewer windows tell nothing: of the validation block, and of what is left to train on.
MIN_VALIDATION, MIN_TRAIN = 2, 8


@dataclass(frozen=True)
class Split:
    """Windows to train on, and windows held out to choose by.

    Parameters
    ----------
    train, validation : ndarray of int
        Positions of windows; without a validation block the second is empty.
    cuts : tuple of int
        For each series the number of rows before its validation block; empty where
        rows are independent of each other.
    """

    train: np.ndarray
    validation: np.ndarray
    cuts: tuple = ()

    @property
    def has_validation(self) -> bool:
        return len(self.validation) > 0


def split_chronological(
    starts, window_length, horizon, n_timesteps, fraction, n_needed
) -> tuple[range, range, int]:
    """Return training and validation windows of one series, and the cut between them.

    Validation targets lie in the last `fraction` of the rows. No training target lies
    within `horizon` rows before them, unless the series is too short for that gap.
    There is no validation block where less than `n_needed` training windows are left.

    Returns
    -------
    train, validation : range
        Positions in `starts`.
    cut : int
        First row of the validation block; `n_timesteps` where there is none.
    """
    cut = n_timesteps - max(int(round(fraction * n_timesteps)), horizon)
    first = int(np.searchsorted(starts, cut - window_length))
    validation = range(first, len(starts))
    for gap in (horizon, 0):
        last = cut - gap - horizon - window_length
        train = range(int(np.searchsorted(starts, last, side="right")))
        if fraction > 0 and len(validation) and len(train) >= n_needed:
            return train, validation, cut
    return range(len(starts)), range(0), n_timesteps


def split_shuffled(n_windows, fraction, rng) -> Split:
    """Return a random split of rows that are independent of each other."""
    order = rng.permutation(n_windows)
    n_validation = int(round(fraction * n_windows))
    if n_validation < MIN_VALIDATION or n_windows - n_validation < MIN_TRAIN:
        return Split(np.sort(order), order[:0])
    return Split(np.sort(order[n_validation:]), np.sort(order[:n_validation]))
