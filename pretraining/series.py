"""Synthetic series: sums of components, transformed, disturbed and mixed.

No real series enters. A seed and a number of series fix every value.
"""

import numpy as np

from pretraining import events, seasons, transforms, trends
from pretraining.noise import noise

SEASONAL_SHARE = 0.55


def sizes(rng, n, chance, centre, width):
    """Return log-normal sizes of a component, zero where the component is absent."""
    present = rng.random((n, 1)) < chance
    return present * np.exp(rng.normal(centre, width, (n, 1)))


def make_series(n, length, seed):
    """Return synthetic series.

    Parameters
    ----------
    n, length : int
        Number of series and of rows.
    seed : int or sequence of int
        Seed of NumPy's default generator.

    Returns
    -------
    values : ndarray of shape (n, length)
        In float64; missing values are NaN.
    periods : ndarray of shape (n,)
        Rows of a season; 0 where the series has none.
    """
    rng = np.random.default_rng(seed)
    periods = seasons.draw_periods(rng, n, length)
    values = add_components(rng, periods, length)
    seasonal = rng.random(n) < SEASONAL_SHARE
    add_seasons(rng, values, np.flatnonzero(seasonal), periods)
    values = transforms.standardized(values)
    values = transforms.transform(rng, values)
    values = events.level_shifts(rng, values)
    values = events.pulses(rng, values)
    values = events.outliers(rng, values)
    values = events.regime_changes(rng, values)
    values = transforms.mix_up(rng, transforms.scaled(values))
    values = transforms.turn(rng, values)
    values = events.missing_runs(rng, values)
    return values, np.where(seasonal, periods, 0)


def add_components(rng, periods, length):
    """Return the sum of trend, smooth curve, cycle and noise."""
    n = len(periods)
    plan = (
        (lambda m, rows: trends.trends(rng, m, length), 0.8, 0.0, 1.0),
        (lambda m, rows: trends.smooth(rng, m, length), 0.3, -0.5, 0.8),
        (lambda m, rows: trends.cycle(rng, m, length), 0.2, -0.3, 0.8),
        (lambda m, rows: noise(rng, m, length, periods[rows]), 0.97, -0.9, 1.1),
    )
    values = np.zeros((n, length))
    for make, chance, centre, width in plan:
        size = sizes(rng, n, chance, centre, width)
        rows = np.flatnonzero(size[:, 0])
        part = transforms.standardized(make(len(rows), rows))
        values[rows] += size[rows] * part
    return values


def add_seasons(rng, values, rows, periods):
    """Add seasons to some rows, sized against what is there."""
    size = sizes(rng, len(rows), 1.0, -0.2, 0.9)
    deviation = np.maximum(values[rows].std(axis=1, keepdims=True), 1e-3)
    season = seasons.seasons(rng, periods[rows], values.shape[1])
    values[rows] += size * deviation * season
