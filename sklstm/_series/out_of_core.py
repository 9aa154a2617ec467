"""Out-of-core training: rows of many series that arrive in parts, kept in files."""

from collections.abc import Hashable

import numpy as np
import pandas as pd

from sklstm._series.history import History
from sklstm._series.panel import axis_of
from sklstm._series.time_index import check_order
from sklstm._utils.disk_arrays import Growing, on_disk


class SeriesBuffer:
    """Buffer of series on disk, for series that exceed memory.

    Parts hold rows of any series. A series may continue in a later part, with rows that
    follow its earlier rows.
    """

    def __init__(self):
        self.y, self.X, self.times = Growing(), Growing(), Growing()
        # Slices of rows in the files, by series.
        self.spans: dict[Hashable, list[slice]] = {}
        self.like: History | None = None
        self.n_rows = 0

    def add(self, histories: dict[Hashable, History]) -> None:
        """Append rows, given as a dict of key to `History`."""
        for key, history in histories.items():
            if self.like is None:
                # One row suffices to compare columns and index with later parts.
                self.like = history.cut(0, 1)
            self._check_alike(history)
            self.y.append(history.y)
            if history.X is not None:
                self.X.append(history.X)
            if history.index is not None:
                self.times.append(numbers_of(history.index))
            span = slice(self.n_rows, self.n_rows + len(history))
            self.spans.setdefault(key, []).append(span)
            self.n_rows = span.stop

    def _check_alike(self, history):
        was, now = kind_of(self.like), kind_of(history)
        if was != now:
            raise ValueError(
                "Parts must have the same number of columns and indexes of one kind. "
                f"Got {now} after {was}."
            )

    def histories(self) -> dict[Hashable, History]:
        """Return histories by key, whose values are mapped from files."""
        like = self.like
        assert like is not None, "a part has been added"
        y = self.y.array()
        X = None if like.X is None else self.X.array()
        times = None if like.index is None else self.times.array()
        # Only scattered series need the rows written again, in order of the series.
        if any(len(spans) > 1 for spans in self.spans.values()):
            y = self._gathered(y)
            X = None if X is None else self._gathered(X)
            times = None if times is None else self._gathered(times)
        result, first = {}, 0
        for key, spans in self.spans.items():
            rows = slice(first, first + sum(span.stop - span.start for span in spans))
            index = None
            if times is not None:
                index = index_of(times[rows], like.index, f"X at {key!r}")
            result[key] = History(y[rows], None if X is None else X[rows], index)
            first = rows.stop
        return result

    def _gathered(self, values: np.ndarray) -> np.ndarray:
        """Write rows again, with the rows of each series contiguous."""
        return on_disk(values[span] for spans in self.spans.values() for span in spans)


def kind_of(history):
    """Return numbers of columns and the type of the index, which all parts share."""
    index = history.index
    return (
        history.y.shape[1],
        None if history.X is None else history.X.shape[1],
        None if index is None else f"{type(index).__name__} of {index.dtype}",
    )


def numbers_of(index):
    """Return time stamps as integers, because files hold numbers only."""
    return np.asarray(index, np.int64) if is_range(index) else index.asi8


def is_range(index):
    return isinstance(index, pd.RangeIndex)


def index_of(numbers, like, name):
    """Return a time index of integers, of the same type as the index `like`."""
    if is_range(like):
        return axis_of(pd.Index(numbers, name=like.name), name)
    if isinstance(like, pd.PeriodIndex):
        index = pd.PeriodIndex.from_ordinals(numbers, freq=like.freq, name=like.name)
    else:
        stamps = numbers.view(f"M8[{like.unit}]")
        index = pd.DatetimeIndex(stamps, name=like.name, copy=False)
        if like.tz is not None:
            index = index.tz_localize("UTC").tz_convert(like.tz)
    return check_order(index, name)
