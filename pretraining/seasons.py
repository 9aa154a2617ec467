"""Seasons: profiles that repeat, change slowly, and come in pairs."""

import numpy as np

PERIODS = np.array([12, 4, 7, 24, 52, 5, 48, 96, 6, 3, 10, 13, 20, 30])
SHARES = np.array([27, 17, 15, 11, 8, 5, 5, 2, 3, 2, 1.5, 1, 1, 1])
LONGEST_RANDOM = 60
RANDOM_SHARE = 0.08
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def draw_periods(rng, n, length):
    """Return a period for each series, at most a third of its length."""
    periods = rng.choice(PERIODS, n, p=SHARES / SHARES.sum())
    random = rng.random(n) < RANDOM_SHARE
    periods[random] = rng.integers(2, LONGEST_RANDOM + 1, random.sum())
    too_long = periods > length // 3
    periods[too_long] = rng.choice([4, 7, 12], too_long.sum())
    return periods


def harmonic(rng, n, period):
    """Return smooth profiles: a few sine waves."""
    angle = 2 * np.pi * np.arange(period) / period
    result = np.zeros((n, period))
    decay = rng.uniform(0.3, 2, n)
    for k in range(1, min(period // 2, 5) + 1):
        size = rng.normal(size=n) * k**-decay
        phase = rng.uniform(0, 2 * np.pi, n)
        result += size[:, None] * np.sin(k * angle + phase[:, None])
    return result


def irregular(rng, n, period):
    """Return profiles with a value of their own for each row of the period."""
    return rng.normal(size=(n, period))


def spikes(rng, n, period):
    """Return profiles that are flat but for a few rows, such as December."""
    high = rng.random((n, period)) < np.maximum(1.5 / period, 0.04)
    high[np.arange(n), rng.integers(0, period, n)] = True
    return high * rng.exponential(1.0, (n, period)) * rng.choice([-1, 1], (n, 1))


def blocks(rng, n, period):
    """Return profiles of two levels, such as working days and weekends."""
    length = np.maximum(rng.uniform(0.15, 0.6, n) * period, 1).astype(int)[:, None]
    return (np.arange(period) < length) + 0.15 * rng.normal(size=(n, period))


def bumps(rng, n, period):
    """Return profiles of one or two smooth peaks over a flat floor."""
    t = np.arange(period) / period
    result = np.zeros((n, period))
    for _ in range(2):
        centre, width = rng.random((n, 1)), rng.uniform(0.05, 0.25, (n, 1))
        distance = np.abs((t - centre + 0.5) % 1 - 0.5)
        result += rng.normal(1, 0.7, (n, 1)) * np.exp(-0.5 * (distance / width) ** 2)
    return result


KINDS = (
    (harmonic, 0.35),
    (irregular, 0.25),
    (spikes, 0.12),
    (blocks, 0.1),
    (bumps, 0.18),
)


def profiles(rng, n, period):
    """Return profiles of all kinds, each of unit variance, turned at random."""
    kinds = rng.choice(len(KINDS), n, p=[share for _, share in KINDS])
    result = np.empty((n, period))
    for k, (make, _) in enumerate(KINDS):
        rows = np.flatnonzero(kinds == k)
        result[rows] = make(rng, len(rows), period)
    result -= result.mean(axis=1, keepdims=True)
    result /= np.maximum(result.std(axis=1, keepdims=True), 1e-6)
    turns = (np.arange(period) + rng.integers(0, period, (n, 1))) % period
    return np.take_along_axis(result, turns, axis=1)


def repeat(rng, periods, length):
    """Return profiles repeated over the rows of their series."""
    result = np.empty((len(periods), length), np.float32)
    t = np.arange(length)
    for period in np.unique(periods):
        rows = np.flatnonzero(periods == period)
        result[rows] = profiles(rng, len(rows), period)[:, t % period]
    return result


def evolving_size(rng, n, length):
    """Return factors of a season that grow, shrink or wander; most stay at one."""
    kinds = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    result = np.ones((n, length), np.float32)
    t = np.linspace(-0.5, 0.5, length)
    rows = np.flatnonzero(kinds == 1)
    result[rows] = np.exp(rng.normal(0, 1, (len(rows), 1)) * t)
    rows = np.flatnonzero(kinds == 2)
    walk = np.cumsum(rng.normal(size=(len(rows), length)), axis=1) / np.sqrt(length)
    result[rows] = np.exp(rng.uniform(0.1, 0.7, (len(rows), 1)) * walk)
    return result


def calendar_effect(rng, periods, length):
    """Return lengths of months for the series of twelve rows a year, else nothing."""
    first = rng.integers(0, 12, len(periods))[:, None]
    days = DAYS[(first + np.arange(length)) % 12]
    # Every month holds four weeks and the first weekdays of a fifth.
    weekday = rng.integers(0, 7, len(periods))[:, None]
    weekday = weekday + np.cumsum(days, axis=1).astype(int)
    weights = rng.normal(size=(len(periods), 7))
    trading = np.take_along_axis(weights, weekday % 7, axis=1)
    effect = (days - DAYS.mean()) * rng.uniform(0, 1, (len(periods), 1)) + trading
    return np.where((periods == 12)[:, None], effect, 0.0)


def seasons(rng, periods, length):
    """Return one or two seasons for each series, of about unit variance."""
    n = len(periods)
    result = repeat(rng, periods, length) * evolving_size(rng, n, length)
    changing = np.flatnonzero(rng.random(n) < 0.25)
    share = np.linspace(0, 1, length) * rng.uniform(0.2, 1, (len(changing), 1))
    other = repeat(rng, periods[changing], length)
    result[changing] = (1 - share) * result[changing] + share * other
    second = np.flatnonzero((rng.random(n) < 0.2) & (periods * 7 <= length))
    factor = np.where(rng.random(len(second)) < 0.5, 7, rng.integers(2, 8, len(second)))
    size = rng.uniform(0.2, 1, (len(second), 1))
    result[second] += size * repeat(rng, periods[second] * factor, length)
    calendar = np.flatnonzero((rng.random(n) < 0.2) & (periods == 12))
    size = rng.uniform(0.05, 0.3, (len(calendar), 1))
    result[calendar] += size * calendar_effect(rng, periods[calendar], length)
    return result
