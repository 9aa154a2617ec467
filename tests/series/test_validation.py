import tracemalloc

import numpy as np
import pandas as pd
import pytest

from sklstm._series.time_index import (
    check_same_kind,
    continued_index,
    positions,
    step_of,
    time_index,
)
from sklstm._series.validation import check_numbers, check_values

INDEXES = [
    pd.date_range("2024-03-30 20:00", periods=30, freq="h", tz="Europe/Berlin"),
    pd.date_range("2024-01-31", periods=30, freq="ME"),
    pd.date_range("2024-01-01", periods=30, freq="B"),
    pd.period_range("2000", periods=30, freq="Q"),
    pd.RangeIndex(5, 65, 2),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda i: str(getattr(i, "freq", 2)))
def test_continued_index_is_the_rest_of_the_index(index):
    for cut in (3, 10, 29):
        following = continued_index(index[:cut], len(index) - cut)
        assert following.equals(index[cut:])
        found = positions(index[cut:], index[:cut], cut, step_of(index[:cut]))
        np.testing.assert_array_equal(found, np.arange(cut, len(index)))


def test_frequency_is_inferred():
    days = pd.date_range("2024-01-01", periods=10, freq="D")
    assert step_of(pd.DatetimeIndex(days.to_numpy())) == pd.offsets.Day()
    with pytest.raises(ValueError, match="too few rows to infer"):
        step_of(pd.DatetimeIndex(["2024-01-01"]))


@pytest.mark.parametrize(
    "index, match",
    [
        (["2024-01-02", "2024-01-01"], "is not sorted by time. Call sort_index"),
        (["2024-01-01", "2024-01-01"], "2024-01-01 00:00:00 more than once"),
        (["2024-01-01", None], "missing time stamp"),
    ],
)
def test_bad_indexes(index, match):
    with pytest.raises(ValueError, match=match):
        time_index(pd.Series([1.0, 2.0], index=pd.DatetimeIndex(index)))


def test_rows_off_the_grid():
    history = pd.date_range("2024-01-01", periods=5, freq="D")
    with pytest.raises(ValueError, match="does not continue the index"):
        positions(history[-1:] + pd.Timedelta("36h"), history, 5, step_of(history))
    with pytest.raises(ValueError, match="PeriodIndex, but .* DatetimeIndex"):
        check_same_kind(history.to_period(), history)


@pytest.mark.parametrize(
    "history, far",
    [
        (pd.RangeIndex(40), pd.RangeIndex(10**9, 10**9 + 3)),
        (pd.RangeIndex(40), pd.RangeIndex(10**18, 10**18 + 3)),
        (
            pd.date_range("2024", periods=40, freq="h", unit="s"),
            pd.DatetimeIndex(np.array(["12024", "12025"], "datetime64[s]")),
        ),
        (
            pd.date_range("2024", periods=40, freq="s", tz="Europe/Berlin"),
            pd.date_range("2224", periods=2, freq="s", tz="Europe/Berlin"),
        ),
        (
            pd.period_range("2024", periods=40, freq="h"),
            pd.period_range("9024", periods=3, freq="h"),
        ),
    ],
    ids=["rows", "more rows", "stamps", "zone", "periods"],
)
def test_rows_far_ahead_are_refused_in_bounded_memory(history, far):
    tracemalloc.start()
    try:
        with pytest.raises(
            ValueError, match="more than 100,00. steps .* give the rows"
        ):
            positions(far, history, 40, step_of(history))
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_rows_far_ahead_are_found_near_the_end_of_the_calendar():
    history = pd.date_range("2024", periods=40, freq="D", unit="ns")
    late = pd.date_range("2262-04-01", "2262-04-10", freq="D", unit="ns")
    found = positions(late, history, 40, step_of(history))
    assert found[0] == (late[0] - history[0]).days and (np.diff(found) == 1).all()
    many = pd.RangeIndex(40, 300_040)
    assert positions(many, pd.RangeIndex(40), 40, 1)[-1] == 300_039


@pytest.mark.parametrize(
    "data, error, match",
    [
        ([1.0, np.nan], ValueError, "contains NaN, first at row 1, column 0"),
        ([np.inf, 1.0], ValueError, "contains infinity, first at row 0"),
        (["a", "b"], TypeError, "must hold numbers"),
        (pd.DataFrame({"a": [1], "t": ["x"]}), TypeError, "Column 't' of X holds"),
        ([], ValueError, "X is empty"),
        (np.zeros((2, 2, 2)), ValueError, "must have 1 or 2 dimensions"),
    ],
)
def test_bad_values(data, error, match):
    with pytest.raises(error, match=match):
        check_values(data)


@pytest.mark.parametrize(
    "data, message",
    [
        (
            np.array(["2024"], "datetime64[D]"),
            "it holds datetime64.* make them the index",
        ),
        ([[1.0], [1.0, 2.0]], "X must hold numbers, .* inhomogeneous"),
        (np.array([1, {}], dtype=object), "X must hold numbers"),
        ("series", "X must hold numbers"),
    ],
)
def test_what_is_no_number_is_named(data, message):
    with pytest.raises(TypeError, match=message):
        check_numbers(data)


def test_odd_tables_are_named():
    with pytest.raises(ValueError, match="y is a frame without columns"):
        check_numbers(pd.DataFrame(index=range(3)), "y")
    with pytest.raises(ValueError, match="Complex data not supported: X must"):
        check_values(np.array([1 + 2j]))
    with pytest.raises(ValueError, match="Complex data not supported: y must"):
        check_numbers(pd.DataFrame({"a": [1.0], "b": [1j]}), "y")
