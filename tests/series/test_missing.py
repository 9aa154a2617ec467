import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklstm._series.missing import (
    interpolate_gaps,
    known_at,
    known_by,
    last_seen,
    last_seen_by,
    row_means,
    rows_since_seen,
    windows_of,
)

NAN = np.nan
VALUES = np.array([[NAN, 1.0], [2.0, NAN], [NAN, NAN], [4.0, NAN], [NAN, 5.0]])


def test_a_line_bridges_a_gap():
    assert_allclose(interpolate_gaps(VALUES), [[2, 1], [2, 2], [3, 3], [4, 4], [4, 5]])
    whole = np.ones((3, 2))
    assert interpolate_gaps(whole) is whole
    assert_array_equal(interpolate_gaps(np.full((2, 1), NAN)), 0)
    assert np.isnan(VALUES).any()


def test_the_last_value_seen():
    expected = [[0, 0], [1, 0], [1, 0], [3, 0], [3, 4]]
    assert_array_equal(last_seen(VALUES), expected)


def test_what_comes_after_a_window_is_not_known_in_it():
    rows = np.array([[0, 1, 2], [1, 2, 3]])
    known = known_at(interpolate_gaps(VALUES), last_seen(VALUES), rows, rows[:, -1])
    assert_allclose(known[0], [[2, 1], [2, 1], [2, 1]])
    assert_allclose(known[1], [[2, 1], [3, 1], [4, 1]])
    changed = VALUES.copy()
    changed[3:] = 100
    again = known_at(
        interpolate_gaps(changed), last_seen(changed), rows[:1], rows[:1, -1]
    )
    assert_allclose(again, known[:1])
    assert_allclose(windows_of(VALUES, rows), known)
    assert_array_equal(windows_of(np.ones((4, 2)), rows), np.ones((2, 3, 2)))


def test_rows_that_a_window_depends_on():
    values = np.full((100, 3), NAN)
    values[3, 0], values[40, 1] = 1.0, 2.0
    values[60:, 2] = 3.0
    assert 32 < last_seen_by(values[:, 1:2], 50) <= 40
    assert last_seen_by(values[:, :2], 50) <= 3
    assert 32 < last_seen_by(values[:, :2], 50, np.any) <= 40
    assert last_seen_by(values, 50) == 0  # nothing of the third by then
    assert known_by(values[:, 1:], 50) == last_seen_by(values[:, 1:2], 50)
    assert known_by(values[:, 2:], 50) == 50


def test_means_are_of_what_is_there():
    errors = np.array([[[1.0], [3.0]], [[NAN], [5.0]], [[NAN], [NAN]]])
    assert_array_equal(row_means(errors), [2, 5, 0])


def test_rows_since_any_value_was_seen():
    values = np.array([[1.0, NAN], [NAN, NAN], [NAN, NAN], [NAN, 2.0]])
    assert_array_equal(rows_since_seen(values, np.arange(5)), [0, 0, 1, 2, 0])
    assert_array_equal(rows_since_seen(np.ones((3, 1)), np.array([1, 3])), [0, 0])
