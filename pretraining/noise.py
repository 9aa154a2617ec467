"""Noise: independent and autoregressive, heavy-tailed, of changing size."""

import numpy as np

from pretraining.trends import autoregression


def innovations(rng, n, length):
    """Return independent noise, normal or heavy-tailed, of unit variance."""
    result = rng.normal(size=(n, length))
    heavy = np.flatnonzero(rng.random(n) < 0.3)
    freedom = rng.uniform(2.2, 8, (len(heavy), 1))
    chi = rng.gamma(freedom / 2, 2.0, (len(heavy), length)) / freedom
    result[heavy] /= np.sqrt(chi)
    skewed = np.flatnonzero(rng.random(n) < 0.12)
    shape = rng.uniform(0.5, 4, (len(skewed), 1))
    draws = rng.gamma(shape, 1.0, (len(skewed), length))
    result[skewed] = (draws - shape) / np.sqrt(shape)
    return result


def changing_size(rng, n, length, periods):
    """Return the size of the noise by row: constant, wandering, seasonal, in bursts."""
    kinds = rng.choice(4, n, p=[0.6, 0.2, 0.1, 0.1])
    result = np.ones((n, length))
    t = np.arange(length)
    rows = np.flatnonzero(kinds == 1)
    walk = np.cumsum(rng.normal(size=(len(rows), length)), axis=1) / np.sqrt(length)
    result[rows] = np.exp(rng.uniform(0.3, 1.5, (len(rows), 1)) * walk)
    rows = np.flatnonzero(kinds == 2)
    turns = 2 * np.pi * t / np.maximum(periods[rows], 2)[:, None]
    turns = turns + rng.uniform(0, 2 * np.pi, (len(rows), 1))
    result[rows] = np.exp(rng.uniform(0.2, 1.2, (len(rows), 1)) * np.sin(turns))
    rows = np.flatnonzero(kinds == 3)
    draws = np.abs(rng.normal(size=(len(rows), length)))
    memory = rng.uniform(0.7, 0.97, len(rows))
    result[rows] = 0.3 + autoregression(draws, memory, 0) * (1 - memory)[:, None]
    return result


def noise(rng, n, length, periods):
    """Return noise, more than half of it autoregressive."""
    result = innovations(rng, n, length) * changing_size(rng, n, length, periods)
    dependent = np.flatnonzero(rng.random(n) < 0.6)
    m = len(dependent)
    first = np.clip(rng.normal(0.4, 0.4, m), -0.9, 0.98)
    second = rng.uniform(-0.4, 0.4, m) * (1 - np.abs(first)) * (rng.random(m) < 0.5)
    moving = rng.uniform(-0.8, 0.8, m) * (rng.random(m) < 0.3)
    result[dependent] = autoregression(result[dependent], first, second, moving)
    return result
