import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster
from sklstm.preprocessing import panel_from_long

DAYS = pd.date_range("2024-01-01", periods=30, freq="D")


@pytest.fixture
def long():
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"unique_id": key, "ds": DAYS, "y": rng.normal(size=30), "x": 1.0})
        for key in "ba"
    ]
    return pd.concat(parts, ignore_index=True)


def test_rows_in_any_order_give_the_same_panel(long):
    panel = panel_from_long(long)
    assert panel.index.names == ["unique_id", "ds"] and list(panel) == ["y", "x"]
    np.testing.assert_array_equal(panel["y"], long["y"])
    shuffled = panel_from_long(long.sample(frac=1, random_state=0))
    assert set(shuffled.index.unique(0)) == {"a", "b"}
    for key in "ab":
        pd.testing.assert_frame_equal(shuffled.loc[key], panel.loc[key])


def test_a_forecaster_takes_it_with_gaps_made_plain(long):
    y = panel_from_long(long.drop(columns="x").drop(index=[5, 6, 40]), freq="D")
    assert len(y) == 60 and y.isna().sum() == 3
    f = LSTMForecaster(7, 2, epochs=1, units=2, random_state=0).fit(y)
    forecast = f.forecast()
    assert forecast.index.names == ["unique_id", "ds"] and len(forecast) == 4
    assert list(forecast.index.unique(0)) == ["b", "a"]


def test_series_told_apart_by_two_columns(long):
    long["shop"] = np.arange(60) % 2
    panel = panel_from_long(long, series=["unique_id", "shop"])
    assert panel.index.names == ["unique_id", "shop", "ds"]
    assert panel.groupby(["unique_id", "shop"]).size().tolist() == [15] * 4


def test_categories_that_no_row_has_are_no_series(long):
    some = long.astype({"unique_id": "category"}).iloc[:20]
    panel = panel_from_long(some, freq="D")
    assert panel.index.unique(0).tolist() == ["b"] and len(panel) == 20


def test_messages(long):
    with pytest.raises(ValueError, match="no column 'id'; its columns .* series="):
        panel_from_long(long, series="id")
    with pytest.raises(ValueError, match="no column besides"):
        panel_from_long(long[["unique_id", "ds"]])
    with pytest.raises(ValueError, match=r"two rows of \['b'\] at 2024-01-01"):
        panel_from_long(pd.concat([long, long[:1]]))
    with pytest.raises(ValueError, match="'ds' of the frame has no value in 1 of 60"):
        panel_from_long(long.assign(ds=long["ds"].where(long.index != 7)))
    with pytest.raises(ValueError, match="'unique_id' of the frame .*in row 3"):
        panel_from_long(long.assign(unique_id=long["unique_id"].mask(long.index == 3)))


@pytest.mark.parametrize("freq", [None, "D"])
def test_text_is_a_date_only_where_day_and_month_are_clear(long, freq):
    panel = panel_from_long(long, freq=freq)
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"):
        text = long.assign(ds=long["ds"].dt.strftime(form))
        pd.testing.assert_frame_equal(panel_from_long(text, freq=freq), panel)
    for form in ("%d.%m.%Y", "%m/%d/%Y"):
        text = long.assign(ds=long["ds"].dt.strftime(form))
        with pytest.raises(ValueError, match="no date of the form.*dayfirst=True"):
            panel_from_long(text, freq=freq)


@pytest.mark.parametrize("with_inputs", [False, True])
def test_parts_are_compared_with_the_first_part_and_with_no_earlier_fit(
    long, with_inputs
):
    panel = panel_from_long(long.assign(x=long["y"].cumsum()))
    y, X = panel["y"], panel[["x"]].set_axis([0], axis=1)
    f = LSTMForecaster(7, 2, epochs=0, units=2, pretrained=False)
    parts = [(X[:20], y[:20]), (X[20:], y[20:])] if with_inputs else [y[:20], y[20:]]
    f.fit(iter(parts))
    whole = LSTMForecaster(7, 2, epochs=0, units=2, pretrained=False)
    whole.fit(*([X, y] if with_inputs else [y]))
    ahead = X.groupby(level=0).head(2).set_axis(f_index(y), axis=0)
    known = {"X": ahead} if with_inputs else {}
    np.testing.assert_allclose(f.forecast(2, **known), whole.forecast(2, **known))
    wide = panel.set_axis([5, 7], axis=1)  # names that no earlier fit knows
    f.fit(iter([wide[:20], wide[20:]]))
    assert list(f.forecast(2)) == [5, 7]


def f_index(y):
    """Return the index of the two days after each series."""
    keys = y.index.unique(0)
    days = pd.date_range(DAYS[-1], periods=3, freq="D")[1:]
    return pd.MultiIndex.from_product([keys, days], names=y.index.names)


ZONES = ["UTC", "Europe/Berlin"]


@pytest.mark.parametrize("freq", [None, "D"])
@pytest.mark.parametrize(
    "change, match",
    [
        (lambda long: long[:0], "no rows, so it holds no series"),
        (
            lambda long: pd.concat([long, long[["x"]]], axis=1),
            "more than one column named",
        ),
        (
            lambda long: long.assign(
                ds=[str(day) if i else day for i, day in enumerate(long["ds"])]
            ),
            "types: datetime, str.*ISO8601",
        ),
        (
            lambda long: long.assign(
                ds=[day if i else day.date() for i, day in enumerate(long["ds"])]
            ),
            "types: date, datetime",
        ),
        (
            lambda long: long.assign(
                ds=[day.tz_localize(ZONES[i % 2]) for i, day in enumerate(long["ds"])]
            ),
            "zones, such as Europe.*utc=True",
        ),
        (
            lambda long: long.assign(
                ds=[
                    day.tz_localize("UTC" if i else None)
                    for i, day in enumerate(long["ds"])
                ]
            ),
            "such as UTC and no zone",
        ),
    ],
)
def test_odd_long_tables_say_what_is_wrong(long, freq, change, match):
    with pytest.raises(ValueError, match=match):
        panel_from_long(change(long), freq=freq)


@pytest.mark.parametrize("series", [[], "ds", ["unique_id", "ds"]])
def test_columns_of_series_are_not_that_of_time(long, series):
    with pytest.raises(ValueError, match="tell series apart"):
        panel_from_long(long, series=series)


def test_a_frequency_that_pandas_does_not_know(long):
    with pytest.raises(ValueError, match="freq='month' is no frequency of pandas"):
        panel_from_long(long, freq="month")
