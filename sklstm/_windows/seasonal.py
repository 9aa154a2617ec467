"""Seasonal patterns of windows, each estimated from its window alone. NumPy only."""

import numpy as np


def seasonal_pattern(windows, season):
    """Return the pattern that each window repeats every `season` steps.

    The pattern is the mean over seasons of the values without level and trend, shrunk
    towards zero by the share of its variance that chance would give (James–Stein;
    Miller and Williams, 2003, "Shrinkage estimators of time series seasonal factors and
    their effect on forecasting accuracy", International Journal of Forecasting 19). A
    window without seasons therefore has no pattern.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window_length, n_targets)
    season : int
        At least 2; the window must hold two of them or more.

    Returns
    -------
    ndarray of shape (n_windows, season, n_targets)
        For each step after the window.
    """
    n_windows, length, n_targets = windows.shape
    n_seasons = length // season
    whole = windows[:, length - n_seasons * season :]
    seasons = whole.reshape(n_windows, n_seasons, season, n_targets)
    levels = seasons.mean(axis=2, keepdims=True)
    # The slope, per step, of a line through the levels of seasons.
    centered = (np.arange(n_seasons) - (n_seasons - 1) / 2)[:, None, None]
    slope = (levels * centered).sum(axis=1) / ((centered**2).sum() * season)
    step = (np.arange(season) - (season - 1) / 2)[:, None]
    swings = seasons - levels - (slope * step)[:, None]
    pattern = swings.mean(axis=1)
    n_free = season - 1
    noise = ((swings - pattern[:, None]) ** 2).sum(axis=(1, 2)) / (n_seasons - 1)
    noise = noise / n_free / n_seasons
    variance = (pattern**2).sum(axis=1) / n_free
    share = 1 - noise / np.where(variance > 0, variance, 1)
    return (pattern * np.maximum(share, 0)[:, None]).astype(windows.dtype)


def seasonal_part(windows, seasons, n_ahead):
    """Return the sum of the patterns of several seasons, in windows and ahead.

    Each season is estimated from what shorter seasons leave.

    Returns
    -------
    ndarray of shape (n_windows, window_length + n_ahead, n_targets)
    """
    length = windows.shape[1]
    after = np.arange(-length, n_ahead)
    total = 0
    for season in sorted(seasons):
        pattern = seasonal_pattern(windows, season)
        repeated = pattern[:, after % season]
        windows = windows - repeated[:, :length]
        total = total + repeated
    return total
