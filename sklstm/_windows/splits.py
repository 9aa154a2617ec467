"""Training and validation rows of windows."""

import numpy as np


def split_chronological(
    starts, window_length, horizon, n_timesteps, fraction, n_needed
):
    """Training and validation windows of one series, and the cut between them.

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


def split_shuffled(n_windows, fraction, rng):
    """Training and validation windows where rows are independent."""
    order = rng.permutation(n_windows)
    n_validation = int(round(fraction * n_windows))
    if n_validation < 2 or n_windows - n_validation < 8:
        return np.sort(order), order[:0]
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])
