import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklstm._missing import carried, row_means

NAN = np.nan


def test_the_last_value_seen_is_carried_on():
    values = np.array([[NAN, 1.0], [2.0, NAN], [NAN, NAN], [4.0, 3.0]])
    assert_array_equal(carried(values), [[3, 1], [2, 1], [2, 1], [4, 3]])
    assert_array_equal(carried(values, start=0.0)[0], [0, 1])
    whole = np.ones((3, 2))
    assert carried(whole) is whole


def test_windows_are_completed_one_by_one():
    values = np.array([[[1.0], [NAN]], [[NAN], [5.0]], [[NAN], [NAN]]])
    assert_array_equal(carried(values, start=0.0)[..., 0], [[1, 1], [0, 5], [0, 0]])


def test_means_are_of_what_is_there():
    errors = np.array([[[1.0], [3.0]], [[NAN], [5.0]], [[NAN], [NAN]]])
    assert_array_equal(row_means(errors), [2, 5, 0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 3)])
def test_one_row(shape):
    assert_array_equal(carried(np.full(shape, NAN), start=0.0), np.zeros(shape))
