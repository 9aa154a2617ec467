"""Events: level shifts, outliers, changes of regime, and missing runs."""

import numpy as np


def level_shifts(rng, values):
    """Add one to three lasting shifts of the level to a tenth of the series."""
    rows = np.flatnonzero(rng.random(len(values)) < 0.1)
    length = values.shape[1]
    for _ in range(3):
        rows = rows[rng.random(len(rows)) < 0.6]
        size = rng.normal(0, 1.5, (len(rows), 1)) * values[rows].std(axis=1)[:, None]
        start = rng.integers(0, length, (len(rows), 1))
        values[rows] += size * (np.arange(length) >= start)
    return values


def pulses(rng, values):
    """Add events that fade away, such as strikes, to a twelfth of the series."""
    rows = np.flatnonzero(rng.random(len(values)) < 0.08)
    length = values.shape[1]
    t = np.arange(length) - rng.integers(0, length, (len(rows), 1))
    fade = np.exp(-np.maximum(t, 0) / rng.uniform(1, 20, (len(rows), 1))) * (t >= 0)
    size = rng.normal(0, 3, (len(rows), 1)) * values[rows].std(axis=1)[:, None]
    values[rows] += size * fade
    return values


def outliers(rng, values):
    """Add single outliers to a tenth of the series."""
    rows = np.flatnonzero(rng.random(len(values)) < 0.1)
    hit = rng.random((len(rows), values.shape[1])) < rng.uniform(
        0.002, 0.04, (len(rows), 1)
    )
    size = rng.normal(0, 4, hit.shape) * values[rows].std(axis=1)[:, None]
    values[rows] += hit * size
    return values


def regime_changes(rng, values):
    """Let some series go on as another one from a random row."""
    rows = np.flatnonzero(rng.random(len(values)) < 0.05)
    other = rng.integers(0, len(values), len(rows))
    length = values.shape[1]
    after = np.arange(length) >= rng.integers(0, length, (len(rows), 1))
    scale = values[rows].std(axis=1) / np.maximum(values[other].std(axis=1), 1e-6)
    moved = (values[other] - values[other].mean(axis=1)[:, None]) * scale[:, None]
    moved += values[rows].mean(axis=1)[:, None]
    values[rows] = np.where(after, moved, values[rows])
    return values


def missing_runs(rng, values):
    """Remove single values from some series, and runs of values from others."""
    n, length = values.shape
    rows = np.flatnonzero(rng.random(n) < 0.06)
    gone = rng.random((len(rows), length)) < rng.uniform(0.01, 0.3, (len(rows), 1))
    values[rows] = np.where(gone, np.nan, values[rows])
    rows = np.flatnonzero(rng.random(n) < 0.04)
    start = rng.integers(0, length, (len(rows), 1))
    t = np.arange(length)
    gone = (t >= start) & (t < start + rng.integers(2, length // 5, (len(rows), 1)))
    values[rows] = np.where(gone, np.nan, values[rows])
    return values
