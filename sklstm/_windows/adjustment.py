"""Seasonal adjustment by classical decomposition, of many series at once.

The indices are means by phase over a centred moving average, in which late cycles count
more. They are shrunk by how well the cycles agree, because what few noisy cycles say
about a season is mostly noise; no test is needed then.
"""

import functools
from typing import NamedTuple

import numpy as np

# A season is estimated from as many late cycles, of more than LEAST_CYCLES.
LEAST_CYCLES, MOST_CYCLES = 2, 12
DECAY = 0.65
# Division by a smaller index would blow a value up.
SMALLEST_FACTOR = 0.02


def filled(values):
    """Return values without gaps: the last value fills a gap, the next a first one.

    Values that have no gap are returned themselves.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    last = np.where(known, np.arange(values.shape[1]), -1)
    last = np.maximum.accumulate(last, axis=1)
    first = np.argmax(known, axis=1)[:, None]
    return np.take_along_axis(values, np.where(last < 0, first, last), axis=1)


def moving_average(values, period):
    """Return the centred mean over one season, less the rows near both ends."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.add.accumulate(values, axis=1, out=sums[:, 1:])
    mean = (sums[:, period:] - sums[:, :-period]) / period
    # An even season has no middle row; the mean of two neighbours is centred.
    return mean if period % 2 else (mean[:, 1:] + mean[:, :-1]) / 2


class Counts(NamedTuple):
    """How much each value of some cycles counts.

    Parameters
    ----------
    known : ndarray of shape (n, n_cycles, period)
        1 for a value, 0 for a gap.
    weight : ndarray of the same shape
    total : ndarray of shape (n, period)
        Sum of the weights of each phase.
    degrees, n_cycles : ndarray of shape (n,)
        Degrees of freedom of the values about their means, and the number of equally
        weighted cycles that would make the mean of a phase as certain.
    """

    known: np.ndarray
    weight: np.ndarray
    total: np.ndarray
    degrees: np.ndarray
    n_cycles: np.ndarray

    @classmethod
    def of(cls, known: np.ndarray, decay: float) -> "Counts":
        _, n_cycles, period = known.shape
        weight = known * decay ** np.arange(n_cycles)[::-1, None]
        total = np.maximum(weight.sum(axis=1), 1e-12)
        # Each phase takes one degree of freedom for its mean.
        degrees = np.maximum(known.sum(axis=(1, 2)) - period, 1)
        by_phase = total**2 / np.maximum((weight**2).sum(axis=1), 1e-12)
        n_equal = np.maximum(by_phase.sum(axis=1) / period, 1)
        return cls(known.astype(float), weight, total, degrees, n_equal)


@functools.lru_cache(maxsize=8)  # long series have large counts
def counts_without_gaps(n_rows: int, start: int, period: int, decay: float) -> Counts:
    """Return the counts of series of `n_rows` rows without a gap."""
    known = np.ones((1, n_rows), bool)
    return Counts.of(in_cycles(known, start, period), decay)


def in_cycles(values, start, period):
    """Return values of shape (n, n_cycles, period), zeros before and after them."""
    n, n_rows = values.shape
    before = start % period
    rows = np.zeros((n, -(-(before + n_rows) // period) * period), values.dtype)
    rows[:, before : before + n_rows] = values
    return rows.reshape(n, -1, period)


def indices(detrended, start, period, decay):
    """Return the mean index of each phase, of mean 0, and its variance over noise's.

    Parameters
    ----------
    detrended : ndarray of shape (n, n_rows)
        Values less their moving average, or divided by it; may hold NaN.
    start : int
        Phase of the first row.
    decay : float
        Weight of a cycle relative to the cycle after it.
    """
    known = np.isfinite(detrended)
    if known.all():
        counts = counts_without_gaps(detrended.shape[1], start, period, decay)
    else:
        counts = Counts.of(in_cycles(known, start, period), decay)
        detrended = np.where(known, detrended, 0.0)
    cycles = in_cycles(detrended, start, period)
    mean = (cycles * counts.weight).sum(axis=1) / counts.total
    within = (((cycles - mean[:, None]) * counts.known) ** 2).sum(axis=(1, 2))
    error = within / counts.degrees / counts.n_cycles
    mean -= mean.sum(axis=1, keepdims=True) / period
    spread = (mean**2).sum(axis=1) / max(period - 1, 1)
    # Cycles that repeat exactly have no error, by which nothing can be divided.
    ratio = spread / np.maximum(error, 1e-9 * spread + 1e-300)
    # Noise alone makes up 1 / ratio of the variance of the means; the rest is season.
    share = np.maximum(1 - 1 / np.maximum(ratio, 1e-9), 0)
    return mean * share[:, None], ratio


def seasonal_indices(values, period, decay=DECAY):
    """Return seasonal indices of series, additive or multiplicative, whichever fits.

    Parameters
    ----------
    values : ndarray of shape (n, n_rows)
        At least two seasons of each series; may hold NaN. Rows before the first value
        tell nothing.
    decay : float
        Weight of a cycle relative to the cycle after it: seasons change.

    Returns
    -------
    index : ndarray of shape (n, period)
        Index of the rows 0, 1, … modulo the period.
    multiplicative : ndarray of shape (n,)
        Whether values are to be divided by the index; else it is subtracted.
    """
    whole = filled(values)
    mean = moving_average(whole, period)
    start = period // 2
    inside = values[:, start : start + mean.shape[1]]
    if whole is not values:
        first = np.argmax(np.isfinite(values), axis=1)
        inside = np.where(np.arange(inside.shape[1]) < first[:, None], np.nan, inside)
    positive = whole.min(axis=1) > 0
    safe = np.where(positive[:, None], mean, 1.0)
    # Both kinds at once, because a single forecast is many calls on few numbers.
    detrended = np.concatenate([inside - mean, inside / safe])
    index, ratio = indices(detrended, start, period, decay)
    n = len(values)
    added, factor = index[:n], 1 + index[n:]
    fits_better = (ratio[n:] > ratio[:n]) & (factor.min(axis=1) > SMALLEST_FACTOR)
    multiplicative = positive & fits_better
    return np.where(multiplicative[:, None], factor, added), multiplicative


def of_rows(index, first, n_rows):
    """Return the seasonal index of `n_rows` rows from the phase `first` on."""
    phases = (first + np.arange(n_rows)) % index.shape[1]
    return index.take(phases, axis=1)


def remove_season(values, index, multiplicative, first=0):
    """Return seasonally adjusted values; the first row has the phase `first`."""
    rows = of_rows(index, first, values.shape[1])
    divisor = np.where(multiplicative[:, None], rows, 1.0)
    return np.where(multiplicative[:, None], values / divisor, values - rows)


def add_season(values, index, multiplicative, first):
    """Return values with their season; the inverse of `remove_season`."""
    rows = of_rows(index, first, values.shape[1])
    return np.where(multiplicative[:, None], values * rows, values + rows)


def adjusted(values, periods):
    """Remove several seasons from series that end at the origins of forecasts.

    Parameters
    ----------
    values : ndarray of shape (n, n_rows)
        Series that begin late have NaN before their first row.
    periods : sequence of int
        Rows in each season, the shortest first.

    Returns
    -------
    values : ndarray of shape (n, n_rows)
    removed : list of tuple
        What `restored` takes.
    """
    removed = []
    lengths = values.shape[1] - np.argmax(np.isfinite(values), axis=1)
    for period in periods:
        n_rows = min(values.shape[1], MOST_CYCLES * period)
        enough = np.minimum(lengths, n_rows) > LEAST_CYCLES * period
        if period < 2 or not enough.any():
            continue
        index, multiplicative = seasonal_indices(values[:, -n_rows:], period)
        if not enough.all():
            # Series too short for this season get the index 0, which changes nothing.
            multiplicative &= enough
            neutral = multiplicative[:, None].astype(float)
            index = np.where(enough[:, None], index, neutral)
        first = (n_rows - values.shape[1]) % period
        values = remove_season(values, index, multiplicative, first)
        removed.append((index, multiplicative, n_rows % period))
    return values, removed


def adjusted_ahead(values, removed):
    """Return the rows after series, of shape (n, n_rows), without these seasons."""
    for index, multiplicative, phase in removed:
        values = remove_season(values, index, multiplicative, phase)
    return values


def restored(forecasts, removed):
    """Return forecasts, of shape (n, steps), with the seasons that were removed."""
    for index, multiplicative, phase in reversed(removed):
        forecasts = add_season(forecasts, index, multiplicative, phase)
    return forecasts
