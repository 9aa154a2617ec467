"""Series and their time axes: one, or many told apart by a key. NumPy and pandas only.

Rows of many series come as a frame whose index has the levels (series, time), or as a
list of series. Inside they are one table of rows, and `Places` that say which rows are
whose.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklstm._archive import storable
from sklstm._missing import rows_since_seen, since_complete
from sklstm._validation import continued_index, is_pandas, n_dims, positions, time_index

# The key of a series that stands alone.
ALONE = None


@storable
@dataclass
class History:
    """The rows of one series known so far.

    Parameters
    ----------
    y : ndarray of shape (n_timesteps, n_targets)
    X : ndarray of shape (n_timesteps, n_features) or None
        Inputs, which may reach beyond `y` where they are known ahead.
    index : DatetimeIndex, PeriodIndex, RangeIndex or None
        Of the rows of `y`.
    """

    y: np.ndarray
    X: np.ndarray | None
    index: pd.Index | None

    def __len__(self):
        return len(self.y)

    def where(self, index, n_rows):
        """Rows of this axis, whose first is 0, at which other rows stand."""
        result = positions(index, self.index, len(self), n_rows)
        if len(result) > 1 and (np.diff(result) <= 0).any():
            raise ValueError("The rows of X are not in order of time. Sort them.")
        return result

    def axis(self, n_rows):
        """Time stamps of the first rows, which may go on beyond the history."""
        n_ahead = n_rows - len(self)
        if n_ahead <= 0 or self.index is None:
            return None if self.index is None else self.index[:n_rows]
        return self.index.append(continued_index(self.index, n_ahead))

    def appended(self, y, X, index):
        """A history that goes on with rows that follow it at once."""
        where = self.where(index, len(y))
        if not np.array_equal(where, len(self) + np.arange(len(y))):
            raise ValueError(
                "The rows do not follow the history at once, so appending them would "
                "leave a gap or repeat rows. Pass the rows that come next."
            )
        return History(
            np.concatenate([self.y, y]),
            None if X is None else np.concatenate([self.X, X]),
            self.axis(len(self) + len(y)),
        )

    def cut(self, first, last):
        """The history of the rows from `first` to before `last`."""
        rows = slice(max(first, 0), last)
        return History(
            self.y[rows],
            None if self.X is None else self.X[rows],
            None if self.index is None else self.index[rows],
        )

    def end(self, n_rows, n_features):
        """A copy of the last rows up to the last value, from one where none is missing.

        Its index tells how many came before. `n_features` of the inputs are kept.
        """
        age = int(rows_since_seen(self.y, np.array([len(self)]))[0])
        first = since_complete(self.y, max(len(self) - age - n_rows, 0))
        index = self.index
        if index is None:
            index = pd.RangeIndex(len(self))
        return History(
            np.array(self.y[first:], np.float64),
            None if n_features is None else np.array(self.X[first:, :n_features]),
            index[first:].copy(deep=True),
        )

    def with_inputs(self, X):
        """A history whose inputs reach further ahead."""
        return History(self.y, np.concatenate([self.X, X]), self.index)


def is_list_of_series(data):
    """Whether data are many series in a list; a list of numbers is one series."""
    return (
        isinstance(data, (list, tuple))
        and len(data) > 0
        and all(hasattr(part, "__array__") and n_dims(part) > 0 for part in data)
    )


def is_panel(data):
    """Whether data hold many series."""
    return has_levels(data) or is_list_of_series(data)


def has_levels(data):
    return is_pandas(data) and isinstance(data.index, pd.MultiIndex)


def joined(data):
    """A list of series as one table; anything else as it is."""
    if not is_list_of_series(data):
        return data
    shapes = sorted({np.shape(part)[1:] for part in data})
    if len(shapes) > 1:
        raise ValueError(
            "The parts of a list of series must have the same columns, but their rows "
            f"have shapes {shapes[0]} and {shapes[1]}. Pass parts of one kind."
        )
    if all(is_pandas(part) for part in data):
        return pd.concat(data, ignore_index=True)
    return np.concatenate(data)


def lengths(data):
    """Numbers of rows of each series."""
    if not is_panel(data):
        return [len(data)]
    return [len(rows) for rows, _ in places(data).values()]


def places(data, name="X"):
    """Which rows of the joined data are whose.

    Returns
    -------
    dict of key to (rows, index)
        `rows` indexes the joined data; `index` is the time index of these rows, or
        None.
    """
    if is_list_of_series(data):
        result, first = {}, 0
        for number, part in enumerate(data):
            rows = np.arange(first, first + len(part))
            result[number] = rows, time_index(part, f"{name}[{number}]")
            first += len(part)
        return result
    if not has_levels(data):
        return {ALONE: (slice(None), time_index(data, name))}
    index = data.index
    times = index.get_level_values(-1)
    keys = index.droplevel(-1)
    if not len(index):
        raise ValueError(f"{name} is empty. Pass at least one time step.")
    codes, unique = pd.factorize(keys)
    if (codes < 0).any():
        raise ValueError(f"The index of {name} has a row without a series. Drop it.")
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return {
        key: (rows, axis_of(times[rows], f"{name} at {key!r}"))
        for key, rows in zip(unique, parts, strict=True)
    }


def axis_of(times, name):
    """The time index of one series; whole numbers count as a RangeIndex."""
    if pd.api.types.is_integer_dtype(times.dtype):
        steps = np.diff(times)
        if len(steps) and (steps <= 0).any():
            raise ValueError(
                f"The rows of {name} are not in order of time, or repeat one. Sort "
                "them with sort_index() and aggregate repeated ones."
            )
        if len(steps) and (steps != steps[0]).any():
            raise ValueError(
                f"The rows of {name} have a gap in time. Give every step a row."
            )
        step = int(steps[0]) if len(steps) else 1
        first = int(times[0])
        return pd.RangeIndex(first, first + step * len(times), step, name=times.name)
    index = time_index(pd.Series(0, times), name)
    if index is None:
        raise ValueError(
            f"The last level of the index of {name} holds {times.dtype}, which is no "
            "time. Use time stamps, periods or whole numbers."
        )
    return index
