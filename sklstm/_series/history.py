"""The rows of one series known so far, and its time axis."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from sklstm._series.missing import known_by, rows_since_seen, windows_of
from sklstm._series.time_index import (
    check_same_kind,
    continued_index,
    name_of_step,
    positions,
    step_of,
    with_frequency,
)
from sklstm._utils.archive import storable
from sklstm._utils.growable_array import appended

# Rows whose time stamps are at hand, however many came before them.
N_KEPT = 4096


@storable
@dataclass
class History:
    """The rows of one series known so far.

    Callers ask for the rows that they need, and appended rows share memory with the
    history before them, so that neither costs more for a longer past.

    Parameters
    ----------
    y : ndarray of shape (n_timesteps, n_targets)
    X : ndarray of shape (n_timesteps, n_features) or None
        Inputs.
    index : DatetimeIndex, PeriodIndex, RangeIndex or None
        Of the first rows of `y`; later ones continue it.
    ahead : ndarray of shape (n_ahead, n_features) or None
        Inputs at the rows after these, where they are known ahead.
    static : ndarray of shape (n_static,) or None
        Static features as numbers.
    """

    y: np.ndarray
    X: np.ndarray | None
    index: pd.Index | None
    ahead: np.ndarray | None = None
    static: np.ndarray | None = None
    # No data: the buffers that hold y and X, the end of the index with its step, and
    # the stamps after it, whose calendar takes longer than a forecast's arithmetic.
    _buffers: tuple = field(default=(None, None), repr=False, compare=False)
    _end: tuple | None = field(default=None, repr=False, compare=False)
    _stamps_ahead: pd.Index | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.y)

    def stored(self) -> dict:
        """Return the attributes that files and pickles hold."""
        index = self.stamps(0, len(self))
        if isinstance(index, pd.DatetimeIndex) and index.freq is None:
            index = with_frequency(index, self.recent()[1])
        state = {"y": self.y, "X": self.X, "index": index}
        return state if self.static is None else state | {"static": self.static}

    __getstate__ = stored

    def recent(self) -> tuple:
        """Return the index of some last rows, and its step."""
        if self._end is None:
            whole = self.stamps(0, len(self))
            self._end = whole[-N_KEPT:], step_of(whole)
        return self._end

    def stamps(self, first: int, last: int):
        """Return time stamps of rows, which may lie ahead; None without an index."""
        if self.index is None:
            return None
        n_given, step = len(self.index), None
        if last <= n_given:
            return self.index[first:last]
        given, start = self.index, 0
        if self._end is not None:
            recent, step = self._end
            if first >= len(self) - len(recent):
                given, start = recent, len(self) - len(recent)
        n_ahead = last - start - len(given)
        if n_ahead > 0:
            given = given.append(continued_index(given, n_ahead, step))
        return given[first - start : last - start]

    def stamps_at(self, rows: np.ndarray):
        """Return the time stamps of some rows, or their numbers."""
        if self.index is None:
            return rows
        first = rows.min()
        return self.stamps(first, rows.max() + 1)[rows - first]

    def after(self, steps: int) -> pd.Index:
        """Return the time stamps of the rows after the last one."""
        if self.index is None:
            return pd.RangeIndex(len(self), len(self) + steps)
        if self._stamps_ahead is None or len(self._stamps_ahead) < steps:
            self._stamps_ahead = self._continued(steps)
        ahead = self._stamps_ahead
        # A view, which users may rename, takes a tenth of a slice's time.
        return ahead.view() if len(ahead) == steps else ahead[:steps]

    def _continued(self, steps):
        known, step = self.recent()
        try:
            return continued_index(known, steps, step)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"The calendar of the index, which ends at {known[-1]}, does not reach "
                f"{steps} steps of {name_of_step(step)} further. Ask for fewer steps, "
                "or fit on an index of a coarser unit, such as index.as_unit('s'). "
                f"{error}"
            ) from error

    def where(self, index: pd.Index | None, n_rows: int) -> np.ndarray:
        """Return where other rows stand on this axis, whose first row is 0."""
        if index is None or self.index is None:
            return len(self) + np.arange(n_rows)
        check_same_kind(index, self.index)
        known, step = self.recent()
        # Stamps of older rows are made only where rows reach back to them.
        if n_rows and index[0] < known[0]:
            known = self.stamps(0, len(self))
        result = positions(index, known, len(self), step)
        if (np.diff(result) <= 0).any():
            raise ValueError("The rows of X are not in order of time. Sort them.")
        return result

    def appended(
        self, y: np.ndarray, X: np.ndarray | None, index: pd.Index | None
    ) -> "History":
        """Return a history that goes on with rows that follow it at once."""
        where = self.where(index, len(y))
        if not np.array_equal(where, len(self) + np.arange(len(y))):
            assert index is not None, "rows without an index follow at once"
            (following,) = self.stamps(len(self), len(self) + 1)
            raise ValueError(
                "The rows do not follow the history at once, so appending them would "
                f"leave a gap or repeat rows: they go from {index[0]} to {index[-1]} "
                f"in {len(y)} rows, and the row after the history is {following}. Pass "
                "every row from that one on."
            )
        own, inputs = self._buffers
        y, own = appended(self.y, own, y)
        if X is not None:
            assert self.X is not None, "inputs follow earlier ones"
            X, inputs = appended(self.X, inputs, X)
        result = replace(self, y=y, X=X, _buffers=(own, inputs), _stamps_ahead=None)
        if self.index is not None:
            known, step = self.recent()
            known = known.append(continued_index(known, len(where), step))
            # Cut seldom, so that an update of one row hardly ever copies many stamps.
            known = known if len(known) < 2 * N_KEPT else known[-N_KEPT:]
            result._end = known, step
        return result

    def cut(self, first: int, last: int) -> "History":
        """Return the history of the rows from `first` to before `last`."""
        first = max(first, 0)
        return History(
            self.y[first:last],
            None if self.X is None else self.X[first:last],
            self.stamps(first, last),
            static=self.static,
        )

    def end(self, n_rows: int, n_features: int | None) -> "History":
        """Return a copy of the last rows, whose last window is the same.

        Parameters
        ----------
        n_rows : int
            In a window.
        n_features : int or None
            Inputs to keep, which stand first.

        Returns
        -------
        History
            Whose index tells how many rows came before.
        """
        age = int(rows_since_seen(self.y, np.array([len(self)]))[0])
        row = max(len(self) - age - n_rows, 0)
        X = None
        if self.X is not None and n_features is not None:
            X = self.X[:, :n_features]
        first = min(known_by(own, row) for own in (self.y, X) if own is not None)
        index = self.stamps(0, len(self))
        if index is None:
            index = pd.RangeIndex(len(self))
        return History(
            # Copies, because views would keep the whole series alive.
            np.array(self.y[first:], np.float64),
            None if X is None else np.array(X[first:]),
            index[first:].copy(deep=True),
        )

    def with_inputs(self, X: np.ndarray) -> "History":
        """Return a history with inputs known ahead."""
        return replace(self, ahead=X)

    def windows(self, rows: np.ndarray) -> np.ndarray:
        """Return values of `y` without gaps, as known at the end of each window.

        Parameters
        ----------
        rows : ndarray of int of shape (n_windows, window_length)
        """
        return windows_of(self.y, rows)

    def past_inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return inputs without gaps, NaN before the first value; see `windows`."""
        assert self.X is not None, "a series without inputs has no past ones"
        return windows_of(self.X, rows, before_first=np.nan)

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return inputs at rows; beyond the known ones, those of the last."""
        assert self.X is not None, "a series without inputs has none at any row"
        X = self.X[np.minimum(rows, len(self.X) - 1)]
        if self.ahead is not None:
            beyond = rows >= len(self.X)
            ahead = rows[beyond] - len(self.X)
            X[beyond] = self.ahead[np.minimum(ahead, len(self.ahead) - 1)]
        return X
