"""Missing values: what stands in for them, and means over what is there. NumPy only.

Gaps are bridged by a line between the values beside them. Of a gap that reaches the end
of a window only the value before it is known there, and is carried on instead.
"""

import numpy as np

from sklstm._storage import BLOCK, blocks


def bridged(values):
    """Values with lines over gaps; before the first and after the last, that value.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)

    Returns
    -------
    ndarray of the same shape
        `values` itself where nothing is missing; 0 in columns without a value.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    result, row = values.copy(), np.arange(len(values))
    for column, gone in zip(result.T, missing.T, strict=True):
        there = ~gone
        column[gone] = (
            np.interp(row[gone], row[there], column[there]) if there.any() else 0.0
        )
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


def bridged_parts(values, size=BLOCK):
    """What `bridged` gives, in parts."""
    for before, rows in independent_parts(values, size):
        yield bridged(values[before])[rows.start - before.start :]


def last_seen_parts(values, size=BLOCK):
    """What `last_seen` gives, in parts."""
    for before, rows in independent_parts(values, size):
        own = last_seen(values[before])[rows.start - before.start :]
        yield before.start + own


def since_complete(values, first):
    """The last row up to `first` of which nothing is missing; 0 where there is none."""
    size = 16
    while first >= 0:
        start = max(first - size, 0)
        complete = np.flatnonzero(~np.isnan(values[start : first + 1]).any(axis=1))
        if len(complete):
            return start + int(complete[-1])
        first, size = start - 1, 2 * size
    return 0


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


def windows_of(values, rows):
    """Values of rows without gaps, as they are known at the last row of each window.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    rows : ndarray of shape (n_windows, window_length)
    """
    # What comes before is of no account; so one forecast costs the same after any past.
    first = since_complete(values, int(rows.min()))
    last = len(values) if np.isnan(values[first]).any() else rows.max() + 1
    values, rows = values[first:last], rows - first
    whole = bridged(values)
    if whole is values:
        return values[rows]
    return known_at(whole, last_seen(values), rows, rows[:, -1])


def rows_since_seen(values, rows):
    """How many rows without any value are right before each row."""
    before = np.maximum(rows - 1, 0)
    first = since_complete(values, int(before.min()))
    nothing = np.isnan(values[first : before.max() + 1]).all(axis=1)
    if not nothing.any():
        return np.zeros(len(rows), int)
    seen = first + last_seen(np.where(nothing, np.nan, 0.0)[:, None])[:, 0]
    return before - seen[before - first]


def row_means(errors):
    """Mean of each row's errors that are there; 0 where none is."""
    flat = errors.reshape(len(errors), -1)
    n_there = (~np.isnan(flat)).sum(axis=1)
    return np.nansum(flat, axis=1) / np.maximum(n_there, 1)
