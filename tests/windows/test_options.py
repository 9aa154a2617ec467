"""Default windows and seasons, by the frequency, the rows and the columns of series."""

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster
from sklstm._series.history import History
from sklstm._windows.options import MOST_INPUTS


def window_of(n_rows, freq=None, n_columns=1, **parameters):
    """Return the default length, and how its windows are normalized."""
    index = None if freq is None else pd.date_range("2020", periods=n_rows, freq=freq)
    histories = {None: History(np.zeros((n_rows, n_columns)), None, index)}
    options = LSTMForecaster(**parameters)._window_options()
    seasons = options.seasons(histories)
    length = options.length(histories, seasons)
    return length, options.normalization(histories, seasons, length)


@pytest.mark.parametrize(
    "freq, length",
    [
        *[
            ("YS", 24),
            ("QE", 12),
            ("MS", 36),
            ("W", 104),
            ("D", 56),
            ("B", 40),
            ("h", 336),
            ("30min", 672),
        ],
        # Two weeks of these are too many numbers: a week, ten days, three days.
        *[("10min", 1008), ("15min", 960), ("5min", 864)],
        # Two seasons, whatever they take.
        ("min", 2880),
    ],
)
def test_default_windows_hold_whole_seasons(freq, length):
    assert window_of(9000, freq)[0] == length


def test_default_windows_of_many_columns_are_shorter():
    length, _ = window_of(9000, "h", n_columns=10)
    assert length == 96 and 10 * length <= MOST_INPUTS


def test_default_windows_leave_rows_to_learn_from():
    assert window_of(300, "h")[0] == 100
    # A third of the rows would leave no window whose targets are before the last 48.
    assert window_of(206, "30min", horizon=48)[0] == 206 - 3 * 48


def test_default_windows_hold_the_horizon():
    assert window_of(2000, "h", horizon=400)[0] == 400
    assert window_of(30, horizon=12)[0] == 10
    assert window_of(2000, horizon=30)[0] == 30


def test_days_alone_are_taken_off_short_windows():
    def seasons(n_rows, **parameters):
        return window_of(n_rows, "h", deseasonalize=True, **parameters)[1].seasons

    assert seasons(2000) == (24, 168)
    assert seasons(600) == seasons(2000, window_length=48) == (24,)
    with pytest.raises(ValueError, match="window_length=30 .* of 24 rows needs 48"):
        seasons(2000, window_length=30)
    given = {"seasonal_period": (24, 168), "window_length": 48}
    with pytest.raises(ValueError, match="window_length=48 .* of 168 rows needs 336"):
        seasons(2000, **given)


def adjusts(n_rows, freq=None, **parameters):
    """Return whether windows lose their seasonal pattern by default."""
    return window_of(n_rows, freq, **parameters)[1].deseasonalize


def test_seasons_of_a_year_are_taken_off_by_default():
    assert adjusts(40, "QE") and adjusts(120, "MS") and adjusts(400, "W")
    assert adjusts(120, seasonal_period=12)
    assert not adjusts(120, "MS", deseasonalize=False)


def test_seasons_stay_where_they_are_many_or_few_or_inputs_tell_them():
    assert not any(adjusts(2000, freq) for freq in ("YS", "D", "B", "h", "15min"))
    assert not adjusts(60, "MS") and not adjusts(120, "MS", window_length=36)
    assert not adjusts(120, seasonal_period=1) and not adjusts(120)
    assert not adjusts(120, "MS", calendar=("month",))
