"""Missing values: what stands in for them, and means over what is there. NumPy only.

Gaps are bridged by a line between the values beside them. Of a gap that reaches the end
of a window only the value before it is known there, and is carried on instead.
"""

import numpy as np

from sklstm._utils.disk_arrays import BLOCK, blocks


def bridged(values, before_first=None):
    """Values with lines over gaps; before the first and after the last, that value.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    before_first : float, default=None
        What stands before the first value instead of it.

    Returns
    -------
    ndarray of the same shape
        `values` itself where nothing is missing. Columns without a value hold
        `before_first`, or 0.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    result, row = values.copy(), np.arange(len(values))
    for column, gone in zip(result.T, missing.T, strict=True):
        there = ~gone
        if there.any():
            known = row[there], column[there]
            column[gone] = np.interp(row[gone], *known, left=before_first)
        else:
            column[gone] = before_first or 0.0
    return result


def any_missing(values):
    """Whether a value is missing, of rows that need not fit into memory."""
    return any(np.isnan(values[rows]).any() for rows in blocks(len(values)))


def columns_seen(values):
    """Which columns have a value at all."""
    seen = [(~np.isnan(values[rows])).any(axis=0) for rows in blocks(len(values))]
    return np.any(seen, axis=0)


def independent_parts(values, size=BLOCK):
    """Parts of rows whose gaps end inside of them, but for the last.

    Yields
    ------
    before, rows : slice
        The rows, and the same with the one before them, which is not missing.
    """
    first = 0
    while first < len(values):
        last = min(first + size, len(values))
        while last < len(values) and np.isnan(values[last - 1]).any():
            last += 1
        yield slice(max(first - 1, 0), last), slice(first, last)
        first = last


def bridged_parts(values, size=BLOCK, *, before_first=None):
    """What `bridged` gives, in parts."""
    for before, rows in independent_parts(values, size):
        yield bridged(values[before], before_first)[rows.start - before.start :]


def last_seen_parts(values, size=BLOCK):
    """What `last_seen` gives, in parts."""
    for before, rows in independent_parts(values, size):
        own = last_seen(values[before])[rows.start - before.start :]
        yield before.start + own


def without_nan(scaled):
    """Scaled values with the mean, 0, where nothing had been seen yet."""
    return np.where(np.isnan(scaled), scaled.dtype.type(0), scaled)


def last_seen(values):
    """The row of the last value not missing, up to each row; its own before the first.

    Returns
    -------
    ndarray of int of shape (n_timesteps, n_columns)
    """
    row = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
    seen = np.maximum.accumulate(np.where(np.isnan(values), -1, row), axis=0)
    return np.where(seen < 0, row, seen)


def known_at(values, seen, rows, ends):
    """Bridged values of rows as they are known at the end of their windows.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    seen : ndarray of shape (n_timesteps, n_columns)
        What `last_seen` gave.
    rows : ndarray of shape (n_windows, n_rows)
    ends : ndarray of shape (n_windows,)
        The last row of each window.
    """
    rows = np.minimum(rows[..., None], seen[ends][:, None])
    return values[rows, np.arange(values.shape[1])]


def windows_of(values, rows, before_first=None):
    """Values of rows without gaps, as they are known at the last row of each window.

    Only rows that these depend on are looked at, however many come before them.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    rows : ndarray of shape (n_windows, window_length)
    before_first : float, default=None
        As for `bridged`.
    """
    windows = values[rows]
    if not np.isnan(windows).any():
        return windows
    first, last = last_seen_by(values, rows.min()), rows.max() + 1
    if first == 0 and before_first is None:
        last = len(values)  # what stands before the first value is that value
    part, rows = values[first:last], rows - first
    whole = bridged(part, before_first)
    return known_at(whole, last_seen(part), rows, rows[:, -1])


def last_seen_by(values, row, enough=np.all):
    """A row from which on all columns, or any, have a value by `row`; 0 without one.

    Looks back twice as far each time, so that it takes as long as the gap.
    """
    n_back = 1
    while n_back <= row:
        part = values[row + 1 - n_back : row + 1]
        if enough(~np.isnan(part).all(axis=0)):
            return row + 1 - n_back
        n_back *= 2
    return 0


def known_by(values, row):
    """As `last_seen_by`, of the columns that have a value by `row` at all."""
    seen = columns_seen(values[: row + 1])
    return last_seen_by(values, row, lambda there: there[seen].all())


def rows_since_seen(values, rows):
    """How many rows without any value are right before each row."""
    before = np.maximum(rows - 1, 0)
    if not np.isnan(values[before]).all(axis=1).any():
        return np.zeros(len(rows), int)
    first = last_seen_by(values, before.min(), np.any)
    nothing = np.isnan(values[first : before.max() + 1]).all(axis=1)
    seen = last_seen(np.where(nothing, np.nan, 0.0)[:, None])[:, 0]
    return before - first - seen[before - first]


def row_means(errors):
    """Mean of each row's errors that are there; 0 where none is."""
    flat = errors.reshape(len(errors), -1)
    n_there = (~np.isnan(flat)).sum(axis=1)
    return np.nansum(flat, axis=1) / np.maximum(n_there, 1)
