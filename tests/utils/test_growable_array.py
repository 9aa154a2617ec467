import copy
import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster
from sklstm._utils.growable_array import appended


def test_earlier_arrays_stay_as_they_are():
    first = np.arange(3.0)[:, None]
    a, buffer = appended(first, None, np.ones((1, 1)))
    b, same = appended(a, buffer, np.full((2, 1), 2.0))
    assert same is buffer and np.shares_memory(a, b)
    # A second road from `a` must not write over the first.
    c, other = appended(a, buffer, np.full((2, 1), 3.0))
    assert other is not buffer
    assert a.ravel().tolist() == [0, 1, 2, 1]
    assert b.ravel().tolist() == [0, 1, 2, 1, 2, 2]
    assert c.ravel().tolist() == [0, 1, 2, 1, 3, 3]
    assert first.ravel().tolist() == [0, 1, 2]


def test_rows_move_seldom():
    values, buffer, arrays = np.zeros((1, 1)), None, set()
    for _ in range(1000):
        values, buffer = appended(values, buffer, np.ones((1, 1)))
        arrays.add(id(buffer.rows))
    assert len(values) == 1001
    assert len(arrays) <= 12


@pytest.fixture(scope="module")
def fitted():
    index = pd.date_range("2020", periods=200, freq="h")
    y = pd.Series(np.sin(np.arange(200) / 4), index, name="y")
    X = pd.DataFrame({"a": np.cos(np.arange(200) / 5), "b": 0.0}, index)
    f = LSTMForecaster(
        12,
        3,
        units=3,
        epochs=1,
        calendar=("hour",),
        past_covariates=["b"],
        random_state=0,
    )
    return f.fit(X, y)


def rows_after(f, n):
    index = f._state.series[None].history.after(n)
    X = pd.DataFrame({"a": np.arange(n) % 7 / 7, "b": np.arange(n) % 5 / 5}, index)
    return X, pd.Series(np.arange(n) % 11 / 11, index)


def test_copies_taken_before_an_update_do_not_change(fitted):
    f = copy.copy(fitted)
    f.update(*rows_after(f, 5))
    ahead = rows_after(f, 3)[0]
    before = f.forecast(3, ahead)
    others = [copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))]
    f.update(*rows_after(f, 2))
    for other in others:
        pd.testing.assert_series_equal(other.forecast(3, ahead), before)
        X, y = rows_after(other, 2)
        other.update(X, -y)  # and goes a way of its own
    pd.testing.assert_series_equal(
        others[0].forecast(3, rows_after(f, 3)[0]),
        others[2].forecast(3, rows_after(f, 3)[0]),
    )
    assert (
        f._state.series[None].history.y[-1]
        != others[0]._state.series[None].history.y[-1]
    ).all()


def test_many_updates_are_one(fitted):
    one, many = copy.copy(fitted), copy.copy(fitted)
    X, y = rows_after(fitted, 40)
    one.update(X, y)
    for row in range(40):
        many.update(X[row : row + 1], y[row : row + 1])
    ahead = rows_after(one, 3)[0]
    expected = one.forecast(3, ahead)
    pd.testing.assert_series_equal(many.forecast(3, ahead), expected)
    again = pickle.loads(pickle.dumps(many))
    pd.testing.assert_series_equal(again.forecast(3, ahead), expected)
    pd.testing.assert_series_equal(many.predict(X), one.predict(X))
    assert len(pickle.dumps(many)) < 1.1 * len(pickle.dumps(one))


def memory_of(f, action):
    """Return the peak memory of a call, in bytes."""
    action()  # what is made once
    tracemalloc.start()
    action()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("intervals", [False, True])
def test_streaming_takes_no_more_for_a_longer_past(fitted, missing, intervals):
    """A copy or comparison of all rows would need memory in proportion to them."""
    most = []
    for n_rows in (5_000, 400_000):
        f = copy.copy(fitted)
        f.update(*rows_after(f, n_rows))

        def stream(f=f):
            X, y = rows_after(f, 2)
            if missing:
                y.iloc[-1], X.iloc[0, 1] = np.nan, np.nan
            f.update(X, y)
            f.observe(*rows_after(f, 1))
            ahead = rows_after(f, 4)[0]
            f.forecast_interval(4, ahead) if intervals else f.forecast(4, ahead)

        most.append(memory_of(f, stream))
    assert most[1] < most[0] + 50_000
