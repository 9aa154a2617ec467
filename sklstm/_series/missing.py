"""Missing values: linear interpolation of gaps, and means over observed values.

A gap is interpolated between the values beside it. If it reaches the end of a window,
the value before it is repeated instead, because the value after it is not yet known
there. NumPy only.
"""

import numpy as np

from sklstm._utils.disk_arrays import BLOCK, blocks


def interpolate_gaps(
    values: np.ndarray, before_first: float | None = None
) -> np.ndarray:
    """Interpolate gaps linearly; repeat the first and the last value beyond them.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    before_first : float, default=None
        Value before the first observation, instead of repeating it.

    Returns
    -------
    ndarray of the same shape
        `values` itself if no value is missing. Columns without any value hold
        `before_first`, or 0.
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    result, row = values.copy(), np.arange(len(values))
    for column, gone in zip(result.T, missing.T, strict=True):
        seen = ~gone
        if seen.any():
            known = row[seen], column[seen]
            column[gone] = np.interp(row[gone], *known, left=before_first)
        else:
            column[gone] = before_first or 0.0
    return result


def any_missing(values) -> bool:
    """Tell whether a value is missing; rows may exceed memory, so go by blocks."""
    return any(np.isnan(values[rows]).any() for rows in blocks(len(values)))


def columns_seen(values: np.ndarray) -> np.ndarray:
    """Return a mask of the columns that have at least one value."""
    seen = [(~np.isnan(values[rows])).any(axis=0) for rows in blocks(len(values))]
    return np.any(seen, axis=0)


def independent_parts(values, size=BLOCK):
    """Split rows into blocks that no gap crosses, so that each is filled by itself.

    Yields
    ------
    before, rows : slice
        `rows` are the rows of the block; `before` adds the complete row that precedes
        them, from which interpolation starts.
    """
    first = 0
    while first < len(values):
        last = min(first + size, len(values))
        # Lengthen the block until it ends in a row where no column is missing.
        while last < len(values) and np.isnan(values[last - 1]).any():
            last += 1
        yield slice(max(first - 1, 0), last), slice(first, last)
        first = last


def interpolate_parts(values, size=BLOCK, *, before_first=None):
    """Yield the result of `interpolate_gaps` in blocks."""
    for before, rows in independent_parts(values, size):
        yield interpolate_gaps(values[before], before_first)[
            rows.start - before.start :
        ]


def last_seen_parts(values, size=BLOCK):
    """Yield the result of `last_seen` in blocks."""
    for before, rows in independent_parts(values, size):
        own = last_seen(values[before])[rows.start - before.start :]
        yield before.start + own


def without_nan(scaled: np.ndarray) -> np.ndarray:
    """Replace NaN before the first observation by 0, the mean of scaled values."""
    return np.where(np.isnan(scaled), scaled.dtype.type(0), scaled)


def last_seen(values):
    """Return for each row the last row with a value; before the first, the row itself.

    Returns
    -------
    ndarray of int of shape (n_timesteps, n_columns)
    """
    row = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
    seen = np.maximum.accumulate(np.where(np.isnan(values), -1, row), axis=0)
    return np.where(seen < 0, row, seen)


def known_at(
    values: np.ndarray, seen: np.ndarray, rows: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Return interpolated values as far as they are known at the end of each window.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
        The result of `interpolate_gaps`.
    seen : ndarray of shape (n_timesteps, n_columns)
        The result of `last_seen`.
    rows : ndarray of shape (n_windows, n_rows)
    ends : ndarray of shape (n_windows,)
        The last row of each window.
    """
    # Later rows of an open gap repeat its last value: a line would leak the future.
    rows = np.minimum(rows[..., None], seen[ends][:, None])
    return values[rows, np.arange(values.shape[1])]


def windows_of(
    values: np.ndarray, rows: np.ndarray, before_first: float | None = None
) -> np.ndarray:
    """Return windows with gaps filled from what is known at their last rows.

    Only the rows on which the windows depend are read, because a history can be long.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
    rows : ndarray of shape (n_windows, window_length)
    before_first : float, default=None
        As for `interpolate_gaps`.
    """
    windows = values[rows]
    if not np.isnan(windows).any():
        return windows
    first, last = last_seen_by(values, rows.min()), rows.max() + 1
    if first == 0 and before_first is None:
        last = len(values)  # The first value, which fills rows before it, may be late.
    part, rows = values[first:last], rows - first
    whole = interpolate_gaps(part, before_first)
    return known_at(whole, last_seen(part), rows, rows[:, -1])


def last_seen_by(values, row, enough=np.all):
    """Return a row such that all columns, or any, have a value from it up to `row`.

    The result is 0 if they have none. The search doubles its reach at each step, so its
    time is in proportion to the gap.
    """
    n_back = 1
    while n_back <= row:
        part = values[row + 1 - n_back : row + 1]
        if enough(~np.isnan(part).all(axis=0)):
            return row + 1 - n_back
        n_back *= 2
    return 0


def known_by(values: np.ndarray, row: int) -> int:
    """Apply `last_seen_by` to the columns that have any value up to `row`."""
    seen = columns_seen(values[: row + 1])
    return last_seen_by(values, row, lambda has_value: has_value[seen].all())


def rows_since_seen(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Count the rows without any value directly before each row."""
    before = np.maximum(rows - 1, 0)
    gone = np.isnan(values[before])
    if not gone.any() or not gone.all(axis=1).any():
        return np.zeros(len(rows), int)
    first = last_seen_by(values, before.min(), np.any)
    nothing = np.isnan(values[first : before.max() + 1]).all(axis=1)
    seen = last_seen(np.where(nothing, np.nan, 0.0)[:, None])[:, 0]
    return before - first - seen[before - first]


def row_means(errors: np.ndarray) -> np.ndarray:
    """Return the mean of each row's observed errors; 0 for rows without one."""
    flat = errors.reshape(len(errors), -1)
    n_seen = (~np.isnan(flat)).sum(axis=1)
    return np.nansum(flat, axis=1) / np.maximum(n_seen, 1)
