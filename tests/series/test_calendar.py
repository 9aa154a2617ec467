import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import LSTMForecaster
from sklstm._series.calendar import CYCLES, calendar_features, is_holiday

HOURS = pd.date_range("2024-03-29", periods=96, freq="h", tz="Europe/Berlin")
QUICK = {"window_length": 3, "horizon": 2, "epochs": 1, "units": 2, "random_state": 0}
QUICK |= {"pretrained": False}


def daily(n_days=100):
    """Return a series of the day of the week, which windows of 3 do not show."""
    index = pd.date_range("2024-01-01", periods=n_days, freq="D")
    values = np.where(index.day_of_week == 6, 5.0, 1.0)
    return pd.Series(values + 0.1 * np.random.RandomState(0).normal(size=n_days), index)


@pytest.mark.parametrize("name", sorted(CYCLES))
def test_cycles_close_and_lie_on_the_circle(name):
    index = pd.date_range("2023-01-01", "2024-12-31 23:00", freq="h")
    sine, cosine = calendar_features(index, (name,)).T
    assert_allclose(sine**2 + cosine**2, 1)
    angle = np.unwrap(np.arctan2(sine, cosine))
    assert np.diff(angle).min() >= -1e-9 or name == "day"  # months differ in length


def test_local_time_counts_and_holidays_are_days():
    features = calendar_features(HOURS, ("hour", ["2024-03-31"]))
    assert_allclose(features[12, :2], [0, -1], atol=1e-12)
    assert_array_equal(features[:, 2], (HOURS.day == 31).astype(float))
    assert features[:, 2].sum() == 23  # clocks are put forward that day
    periods = pd.period_range("2024-01", periods=12, freq="M")
    stamps = periods.to_timestamp()
    assert_allclose(*(calendar_features(i, ("month",)) for i in (periods, stamps)))


def test_a_forecaster_that_sees_the_calendar_knows_the_day():
    y = daily()
    blind = LSTMForecaster(**QUICK).fit(y[:-14])
    seeing = LSTMForecaster(**QUICK, calendar=("dayofweek",)).fit(y[:-14])
    errors = [np.mean((f.predict(y[-14:]) - y[-14:]) ** 2) for f in (blind, seeing)]
    assert errors[1] < 0.7 * errors[0]
    assert seeing.n_features_in_ == 1


def test_all_ways_to_forecast_agree():
    y = daily()
    f = LSTMForecaster(**QUICK, calendar=("dayofweek", "month")).fit(y[:80])
    table = f.backtest(y[80:])
    later = LSTMForecaster(**QUICK, calendar=("dayofweek", "month")).fit(y[:80])
    later.update(y[80:85])
    assert_allclose(table["y_pred"][10:12], later.forecast(2))
    assert_allclose(f.forecast(2, history=y[:85]), later.forecast(2))
    assert_allclose(f.predict(y[80:]).iloc[5], later.forecast(1).iloc[0])


def test_beside_inputs_the_forecast_knows_both():
    y = daily()
    X = pd.DataFrame({"x": np.arange(100) % 2}, index=y.index)
    f = LSTMForecaster(**QUICK, calendar=("dayofweek",)).fit(X[:90], y[:90])
    assert f.n_features_in_ == 1
    assert len(f.forecast(X=X[90:])) == 10
    assert_allclose(f.predict(X[90:95]), f.forecast(X=X[90:95]))


@pytest.mark.parametrize(
    "calendar, data, match",
    [
        (
            ("hour",),
            daily().to_numpy(),
            "calendar needs rows with a DatetimeIndex.*none",
        ),
        (("hour",), daily().reset_index(drop=True), "Got RangeIndex"),
        (("decade",), daily(), "'decade', which is unknown. Pass names among"),
        ("hour", daily(), r"write \('hour',\)"),
        ((), daily(), "must be a non-empty tuple"),
        ((["someday"],), daily(), "not a list of dates"),
        ((["03.01.2023"],), daily(), "(?s)not a list of dates.*'2026-12-25'"),
        ((pd.Timestamp("2023-01-03"),), daily(), r"such as calendar=\(\['2026-12-25'"),
        (([3],), daily(), "not a list of dates: it holds values of the kind integer"),
    ],
)
def test_bad_calendars(calendar, data, match):
    with pytest.raises(ValueError, match=match):
        LSTMForecaster(**QUICK, calendar=calendar).fit(data)


def test_dates_of_any_kind_are_holidays():
    day = pd.Timestamp("2023-01-03")
    times = pd.date_range("2023-01-01", periods=5)
    for dates in (
        *([kind] for kind in (day, day.date(), str(day.date()), day.to_period("D"))),
        pd.DatetimeIndex([day]),
        pd.Series([day]),
        {day: "a name"},
    ):
        assert is_holiday(times, dates).tolist() == [False, False, True, False, False]


def test_a_history_without_index_cannot_have_a_calendar():
    f = LSTMForecaster(**QUICK, calendar=("month",)).fit(daily())
    with pytest.raises(ValueError, match="calendar needs rows"):
        f.forecast(2, history=daily().to_numpy())


@pytest.mark.parametrize(
    "freq, marked",
    [
        ("h", np.repeat([True, False], [24, 26])),
        ("D", [True, *[False] * 29, True, False]),
        ("2D", [True, *[False] * 14, True]),
        ("W-SUN", [True, False, False, False, True, False]),
        ("M", [True, True, False]),
        ("3M", [True, False]),
    ],
)
def test_periods_are_marked_by_the_dates_in_them(freq, marked):
    periods = pd.period_range("2024-01-02", periods=len(marked), freq=freq)
    dates = ["2024-01-02", "2024-02-01"]
    assert is_holiday(periods, dates).tolist() == list(marked)


def test_dates_between_rows_are_told():
    weeks = pd.date_range("2023-01-01", periods=60, freq="W")
    y = pd.Series(np.sin(np.arange(60.0)), weeks)
    f = LSTMForecaster(
        8, epochs=0, pretrained=False, calendar=(["2023-12-24", "2023-12-25"],)
    )
    with pytest.warns(UserWarning, match="1 lie between the rows.* 2023-12-25"):
        f.fit(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.fit(y.to_period())
        # Holidays at weekends are between working days as well, but mean no other row.
        days = pd.date_range("2023-12-01", periods=60, freq="B")
        f.fit(y.set_axis(days))
