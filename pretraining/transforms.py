"""Transformations of finished series: positive, counted, bounded, rounded, mixed."""

import numpy as np


def deviation(values):
    """Return the deviation of each row, and one where a row does not move."""
    spread = values.std(axis=1, keepdims=True)
    return np.where(spread > 1e-6, spread, 1.0)


def standardized(values):
    """Return values with a mean of zero and a deviation of one in each row."""
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / deviation(centred)


def scaled(values):
    """Return values with a deviation of one in each row; signs stay."""
    return values / deviation(values)


def exponential(rng, values):
    """Return log-normal series, whose season and noise grow with the level."""
    size = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (len(values), 1)))
    return np.exp(np.clip(size * values, -8, 8))


def power(rng, values):
    """Return series between additive and multiplicative: powers of positive values."""
    lift = rng.uniform(2, 6, (len(values), 1))
    return np.maximum(values + lift, 0.0) ** rng.uniform(0.5, 3, (len(values), 1))


def counts(rng, values):
    """Return Poisson or overdispersed counts around a positive mean."""
    mean = np.exp(rng.uniform(np.log(0.3), np.log(200), (len(values), 1)))
    rate = mean * np.exp(
        np.clip(rng.uniform(0.1, 0.8, (len(values), 1)) * values, -5, 5)
    )
    over = rng.random(len(values)) < 0.5
    shape = np.exp(rng.uniform(np.log(1), np.log(30), (int(over.sum()), 1)))
    rate[over] *= rng.gamma(shape, 1 / shape, (int(over.sum()), values.shape[1]))
    return rng.poisson(np.minimum(rate, 1e6)).astype(float)


def intermittent(rng, values):
    """Return demand that is zero on most rows."""
    chance = rng.uniform(-1.5, 1.0, (len(values), 1)) + 0.7 * values
    happens = rng.random(values.shape) < 1 / (1 + np.exp(-chance))
    size = 1 + rng.poisson(np.exp(rng.uniform(-1, 2.5, (len(values), 1))), values.shape)
    return (happens * size).astype(float)


def bounded(rng, values):
    """Return series that saturate at one or both ends, some of them softly."""
    low = np.where(rng.random(len(values)) < 0.6, rng.uniform(-1.5, -0.2), -np.inf)
    high = np.where(rng.random(len(values)) < 0.4, rng.uniform(0.5, 1.8), np.inf)
    clipped = np.clip(values, low[:, None], high[:, None])
    soft = rng.random((len(values), 1)) < 0.4
    return np.where(soft, np.tanh(values * rng.uniform(0.4, 1.5)), clipped)


def rounded(rng, values):
    """Return series measured in coarse units."""
    return np.round(
        values * np.exp(rng.uniform(np.log(0.7), np.log(20), (len(values), 1)))
    )


KINDS = (
    (exponential, 0.28),
    (power, 0.12),
    (counts, 0.06),
    (intermittent, 0.025),
    (bounded, 0.035),
    (rounded, 0.06),
)


def transform(rng, values):
    """Return the series, more than half of them transformed."""
    shares = [share for _, share in KINDS]
    kinds = rng.choice(len(KINDS) + 1, len(values), p=[*shares, 1 - sum(shares)])
    for k, (change, _) in enumerate(KINDS):
        rows = np.flatnonzero(kinds == k)
        values[rows] = change(rng, values[rows])
    return values


def mix_up(rng, values):
    """Replace an eighth of the series by convex sums of two or three."""
    rows = np.flatnonzero(rng.random(len(values)) < 0.12)
    shares = rng.dirichlet(np.ones(3), len(rows))
    others = rng.integers(0, len(values), (2, len(rows)))
    parts = (rows, *others)
    values[rows] = sum(shares[:, k : k + 1] * values[parts[k]] for k in range(3))
    return values


def turn(rng, values):
    """Reverse an eighth of the series in time, and flip the sign of another."""
    rows = rng.random(len(values)) < 0.12
    values[rows] = values[rows, ::-1]
    rows = rng.random(len(values)) < 0.12
    values[rows] *= -1
    return values
