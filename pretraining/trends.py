"""Slow movements: trends, random walks, smooth curves and cycles.

Each function returns an array of shape (n, length), which `series` brings to unit
variance.
"""

import numpy as np


def linear(rng, n, length):
    """Return straight lines."""
    return rng.choice([-1.0, 1.0], n)[:, None] * np.linspace(0, 1, length)


def damped(rng, n, length):
    """Return trends that flatten out, and trends that speed up."""
    rate = np.exp(rng.uniform(np.log(0.5), np.log(12), n))[:, None]
    curve = np.exp(-rate * np.linspace(0, 1, length))
    speeds_up = rng.random(n) < 0.3
    curve[speeds_up] = curve[speeds_up, ::-1]
    return rng.choice([-1.0, 1.0], n)[:, None] * curve


def piecewise(rng, n, length):
    """Return lines whose slope changes at a few random rows."""
    changes = rng.random((n, length)) < rng.uniform(1, 8, n)[:, None] / length
    changes[:, 0] = True
    slopes = np.cumsum(changes * rng.normal(size=(n, length)), axis=1)
    return np.cumsum(slopes, axis=1)


def logistic(rng, n, length):
    """Return a passage from one level to another."""
    t = np.linspace(0, 1, length)
    centre, width = rng.uniform(-0.2, 1.2, n), np.exp(rng.uniform(-4, -1, n))
    exponent = (t - centre[:, None]) / width[:, None]
    return 1 / (1 + np.exp(-np.clip(exponent, -30, 30)))


def random_walk(rng, n, length):
    """Return random walks, some with drift and some with rare, large steps."""
    steps = rng.normal(size=(n, length)) + rng.normal(0, 0.15, n)[:, None]
    jumpy = np.flatnonzero(rng.random(n) < 0.2)
    rare = (
        rng.random((len(jumpy), length)) < rng.uniform(0.02, 0.3, len(jumpy))[:, None]
    )
    steps[jumpy] *= rare
    return np.cumsum(steps, axis=1)


def local_trend(rng, n, length):
    """Return random walks whose slope is a slow, damped random walk."""
    damping = rng.uniform(0.8, 1.0, n)
    slope = autoregression(rng.normal(size=(n, length)), damping, 0 * damping)
    share = np.exp(rng.uniform(np.log(0.03), np.log(3), n))[:, None]
    return np.cumsum(slope * share + rng.normal(size=(n, length)), axis=1)


def smooth(rng, n, length, n_waves=10):
    """Return smooth curves: waves of random frequency, the slow ones larger.

    They stand for draws of a Gaussian process whose spectrum falls by a power law.
    """
    roughness = rng.uniform(0.8, 2.5, n)[:, None]
    shortest = np.exp(rng.uniform(np.log(6), np.log(length), n))[:, None]
    low, high = np.log(0.5 / length), np.log(1 / shortest)
    frequency = np.exp(low + (high - low) * rng.random((n, n_waves)))
    size = rng.normal(size=(n, n_waves)) * (frequency * length) ** -roughness
    t = np.arange(length, dtype=np.float32)
    result = np.zeros((n, length), np.float32)
    for k in range(n_waves):
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        angle = (2 * np.pi * frequency[:, k : k + 1] * t + phase).astype(np.float32)
        result += size[:, k : k + 1].astype(np.float32) * np.sin(angle)
    return result


def cycle(rng, n, length):
    """Return cycles without a fixed period: autoregressions with complex roots."""
    period = np.exp(rng.uniform(np.log(3.5), np.log(60), n))
    radius = 1 - np.exp(rng.uniform(np.log(0.003), np.log(0.2), n))
    first = 2 * radius * np.cos(2 * np.pi / period)
    return autoregression(rng.normal(size=(n, length)), first, -(radius**2))


def autoregression(noise, first, second, moving=0.0):
    """Filter noise by two autoregressive coefficients and one of a moving average."""
    steps = np.ascontiguousarray(noise.T)
    steps[1:] += moving * steps[:-1]
    for t in range(1, len(steps)):
        steps[t] += first * steps[t - 1]
        if t > 1:
            steps[t] += second * steps[t - 2]
    return steps.T


KINDS = (
    (linear, 0.14),
    (damped, 0.10),
    (piecewise, 0.16),
    (logistic, 0.05),
    (random_walk, 0.30),
    (local_trend, 0.25),
)


def trends(rng, n, length):
    """Return trends of all kinds, mixed."""
    kinds = rng.choice(len(KINDS), n, p=[share for _, share in KINDS])
    result = np.empty((n, length), np.float32)
    for k, (make, _) in enumerate(KINDS):
        rows = np.flatnonzero(kinds == k)
        result[rows] = make(rng, len(rows), length)
    return result
