"""Splits of many series by date."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from sklstm.model_selection import PanelTimeSeriesSplit


@pytest.fixture
def panel(passengers):
    """Series that start, or end, at other dates, and a late one."""
    parts = {
        "whole": passengers[:60],
        "late": passengers[20:60],
        "ended": passengers[:30],
        "new": passengers[57:60],
    }
    return pd.concat(parts, names=["series", "month"])


def dates(rows):
    return rows.index.get_level_values(-1)


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("test_size", [None, 5])
@pytest.mark.parametrize("max_train_size", [None, 12])
def test_no_row_of_the_future_is_trained_on(
    panel, by_time, gap, test_size, max_train_size
):
    if by_time:
        panel = panel.sort_index(level=1, sort_remaining=False)
    cv = PanelTimeSeriesSplit(
        4, test_size=test_size, gap=gap, max_train_size=max_train_size
    )
    months = dates(panel).unique().sort_values()
    splits = list(cv.split(panel))
    assert len(splits) == cv.get_n_splits() == 4
    for train, test in splits:
        train, test = panel.iloc[train], panel.iloc[test]
        last, first = months.get_indexer([dates(train).max(), dates(test).min()])
        assert first - last == gap + 1
        assert dates(test).nunique() == (test_size or 12)
        if max_train_size is not None:
            assert dates(train).nunique() == min(max_train_size, last + 1)
        # Every test row has a past, and each part is in order of time.
        assert set(test.index.unique(0)) <= set(train.index.unique(0))
        for part in (train, test):
            assert dates(part).is_monotonic_increasing
    assert dates(panel.iloc[splits[-1][1]]).max() == months[-1]


def test_series_without_a_past_are_not_tested(panel):
    ((train, test),) = PanelTimeSeriesSplit(1, test_size=3).split(panel)
    assert set(panel.iloc[test].index.unique(0)) == {"whole", "late"}
    assert "new" not in panel.iloc[train].index.unique(0)


@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("max_train_size", [None, 6])
def test_series_of_equal_dates_are_split_as_one(passengers, gap, max_train_size):
    panel = pd.concat({"a": passengers, "b": passengers})
    options = {"test_size": 4, "gap": gap, "max_train_size": max_train_size}
    cv, one = PanelTimeSeriesSplit(3, **options), TimeSeriesSplit(3, **options)
    for (train, test), (rows, tested) in zip(
        cv.split(panel), one.split(passengers), strict=True
    ):
        for positions, expected in [(train, rows), (test, tested)]:
            for key in "ab":
                part = panel.iloc[positions].loc[key]
                pd.testing.assert_series_equal(part, passengers.iloc[expected])


def test_periods_whole_numbers_and_several_keys_are_dates(passengers):
    values = passengers[:20]
    expected = None
    for index in (values.index, values.index.to_period("M"), pd.RangeIndex(20)):
        part = values.set_axis(index)
        panel = pd.concat({("x", 1): part, ("x", 2): part, ("y", 1): part})
        found = [
            np.concatenate(split) for split in PanelTimeSeriesSplit(2).split(panel)
        ]
        expected = expected or found
        for rows, others in zip(found, expected, strict=True):
            np.testing.assert_array_equal(rows, others)


def test_says_what_it_needs(panel, passengers):
    with pytest.raises(ValueError, match=r"Use TimeSeriesSplit for one series"):
        next(PanelTimeSeriesSplit().split(passengers))
    with pytest.raises(ValueError, match="is not sorted by time"):
        next(PanelTimeSeriesSplit().split(panel[::-1]))
    with pytest.raises(TypeError, match=r"pd.concat\(dict\(enumerate\(X\)\)\)"):
        next(PanelTimeSeriesSplit().split([passengers, passengers]))
    with pytest.raises(ValueError, match="60 dates.*n_splits=5.*at least 62"):
        next(PanelTimeSeriesSplit(5, test_size=12, gap=1).split(panel[:60]))
    with pytest.raises(ValueError, match="gap must be an int of 0 or more. Got -1"):
        next(PanelTimeSeriesSplit(gap=-1).split(panel))
    with pytest.raises(ValueError, match="test_size must be an int of 1 or more"):
        next(PanelTimeSeriesSplit(test_size=0).split(panel))
    with pytest.raises(TypeError, match="n_splits must be an int of 1 or more"):
        PanelTimeSeriesSplit("3").get_n_splits()
    assert repr(PanelTimeSeriesSplit(3, gap=1)) == (
        "PanelTimeSeriesSplit(gap=1, max_train_size=None, n_splits=3, test_size=None)"
    )
