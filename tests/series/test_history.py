import numpy as np
import pandas as pd
import pytest

from sklstm._series.history import History
from sklstm._series.panel import (
    SINGLE_SERIES,
    concatenate_series,
    rows_by_series,
)


def panel(index):
    return pd.Series(np.arange(float(len(index))), index)


def both(times):
    return pd.MultiIndex.from_product([["b", "a"], times], names=["id", "t"])


def test_one_series_stands_alone():
    for data in ([1.0, 2.0], np.zeros((3, 2)), [[1, 2], [3, 4]], pd.Series([1.0])):
        ((key, (rows, _)),) = rows_by_series(data).items()
        assert key is SINGLE_SERIES
        assert rows == slice(None)
        assert concatenate_series(data) is data


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024", periods=4, freq="D"),
        pd.period_range("2024", periods=4, freq="M"),
        np.arange(3, 7),
        np.arange(0, 8, 2),
    ],
)
def test_rows_of_a_frame_are_told_apart(times):
    index = both(times)
    shuffled = index[np.array([0, 4, 1, 5, 6, 2, 3, 7])]
    found = rows_by_series(panel(shuffled))
    assert list(found) == ["b", "a"]
    for key, (rows, axis) in found.items():
        assert (shuffled[rows].get_level_values(0) == key).all()
        assert list(axis) == list(times)


def test_keys_may_have_several_levels():
    index = pd.MultiIndex.from_product([["u"], [1, 2], range(3)])
    assert list(rows_by_series(panel(index))) == [("u", 1), ("u", 2)]


def test_lists_hold_arrays_or_frames():
    parts = [np.zeros(3), np.ones(2)]
    assert concatenate_series(parts).tolist() == [0, 0, 0, 1, 1]
    assert [list(rows) for rows, _ in rows_by_series(parts).values()] == [
        [0, 1, 2],
        [3, 4],
    ]
    frames = [pd.DataFrame({"a": part}) for part in parts]
    assert concatenate_series(frames)["a"].tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "index, match",
    [
        (both([1, 2, 4]), "X at 'b' have a gap in time"),
        (both([2, 1]), "X at 'b' are not in order"),
        (both([1, 1]), "or repeat one"),
        (both(["u", "v"]), "holds .*, which is no time"),
        (both(pd.to_datetime(["2024-01-02", "2024-01-01"])), "X at 'b' is not sorted"),
        (pd.MultiIndex.from_tuples([(None, 1), ("a", 1)]), "a row without a series"),
    ],
)
def test_axes_that_cannot_be_used(index, match):
    with pytest.raises(ValueError, match=match):
        rows_by_series(panel(index))


def test_a_history_goes_on():
    index = pd.date_range("2024", periods=3, freq="D")
    known = History(np.zeros((3, 1)), np.ones((3, 2)), index)
    assert known.after(2)[0] == pd.Timestamp("2024-01-04")
    longer = known.appended(np.ones((2, 1)), np.zeros((2, 2)), None)
    assert len(longer) == 5
    assert longer.after(3).equals(pd.date_range("2024-01-06", periods=3))
    assert known.after(1).equals(index[-1:] + index.freq)
    known.after(3).name = "renamed"
    assert known.after(3).name is None and known.after(3).freq == index.freq
    assert longer.stamps(0, 5)[-1] == pd.Timestamp("2024-01-05")
    assert longer.X.shape == (5, 2)
    assert len(known) == 3
    assert known.stamps(0, 2).equals(index[:2])
    with pytest.raises(ValueError, match="leave a gap or repeat rows"):
        known.appended(np.ones((1, 1)), None, index[-1:])
    with pytest.raises(ValueError, match="not in order of time"):
        known.where(index[::-1], 3)


def test_parts_of_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"rows have shapes \(\) and \(2,\)"):
        concatenate_series([np.zeros(3), np.zeros((3, 2))])
