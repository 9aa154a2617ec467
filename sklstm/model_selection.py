"""Cross-validation in order of time for many series."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from sklstm._series.panel import has_levels, is_list_of_series, rows_by_series
from sklstm._series.validation import check_positive_int

__all__ = ["PanelTimeSeriesSplit"]


class PanelTimeSeriesSplit(BaseCrossValidator):
    """Split many series by date, as `TimeSeriesSplit` splits one series by row.

    Each split splits all series at the same date: training rows lie before the date,
    and test rows at or after it. The next split tests the dates that follow. Every time
    stamp at which any series has a row is a date, so sizes do not depend on the number
    of series, and series may start and end at different dates. A series without a
    training row has no test row, because it has no past rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits.
    test_size : int, default=None
        Number of dates in each test part; None means ``n_dates // (n_splits + 1)``.
    gap : int, default=0
        Number of dates left out between the training part and the test part.
    max_train_size : int, default=None
        Largest number of dates in a training part (a sliding window); None means all
        dates before the test part (an expanding window).

    Examples
    --------
    >>> import pandas as pd
    >>> from sklstm.model_selection import PanelTimeSeriesSplit
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(6)])
    >>> panel = pd.Series(range(12), index)
    >>> for train, test in PanelTimeSeriesSplit(2).split(panel):
    ...     print(train, test)
    [0 6 1 7] [2 8 3 9]
    [0 6 1 7 2 8 3 9] [ 4 10  5 11]
    """

    def __init__(self, n_splits=5, test_size=None, gap=0, max_train_size=None):
        self.n_splits = n_splits
        self.test_size = test_size
        self.gap = gap
        self.max_train_size = max_train_size

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
        """
        check_positive_int("n_splits", self.n_splits)
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Generate positions of the training rows and of the test rows.

        Parameters
        ----------
        X : Series or DataFrame
            Many series, with an index of the levels (series, time).
        y, groups : object
            Ignored.

        Yields
        ------
        train, test : ndarray of int
            Positions in order of time, so that ``learning_curve`` takes the earliest
            rows of all series.

        Raises
        ------
        TypeError
            If X is a list of series, whose rows have no positions.
        ValueError
            If X holds one series, or too few dates.
        """
        dates, series = dates_and_series(X)
        order = np.argsort(dates, kind="stable")
        dates, series = dates[order], series[order]
        for first, cut, last in self._bounds(dates[-1] + 1):
            train = slice(*np.searchsorted(dates, (first, cut - self.gap)))
            test = slice(*np.searchsorted(dates, (cut, last)))
            known = np.isin(series[test], series[train])
            yield order[train], order[test][known]

    def _bounds(self, n_dates):
        """Return first training date, first test date and end of each split."""
        n_splits, size = self.get_n_splits(), self.test_size
        for name in ("test_size", "max_train_size"):
            if getattr(self, name) is not None:
                check_positive_int(name, getattr(self, name))
        if not isinstance(self.gap, Integral) or self.gap < 0:
            raise ValueError(f"gap must be an int of 0 or more. Got {self.gap!r}.")
        size = n_dates // (n_splits + 1) if size is None else size
        n_needed = n_splits * max(size, 1) + self.gap + 1
        if n_dates < n_needed:
            raise ValueError(
                f"X has {n_dates} dates, but n_splits={n_splits} with test parts of "
                f"{max(size, 1)} and gap={self.gap} need at least {n_needed}. Lower "
                "one of them, or pass longer series."
            )
        # The last split tests the last dates, as that of TimeSeriesSplit does.
        cuts = range(n_dates - n_splits * size, n_dates, size)
        longest = self.max_train_size or n_dates
        return [(max(c - self.gap - longest, 0), c, c + size) for c in cuts]


def dates_and_series(X):
    """Return the number of its date and of its series for each row."""
    if is_list_of_series(X):
        raise TypeError(
            "PanelTimeSeriesSplit needs one frame indexed by (series, time), because "
            "scikit-learn splits a list into whole series. Pass "
            "pd.concat(dict(enumerate(X)))."
        )
    if not has_levels(X):
        raise ValueError(
            "PanelTimeSeriesSplit cuts many series by date, but the index of X does "
            "not have the levels (series, time). Use TimeSeriesSplit for one series, "
            "or sklstm.preprocessing.panel_from_long for a long table."
        )
    series = np.empty(len(X), int)
    for number, (rows, _) in enumerate(rows_by_series(X).values()):
        series[rows] = number
    _, dates = np.unique(X.index.get_level_values(-1), return_inverse=True)
    return dates, series
