"""Steps, seasons and continuation of time indexes, regular or not."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import BusinessHour, CustomBusinessDay, CustomBusinessHour

from sklstm._series.alignment import check_regular
from sklstm._series.history import History
from sklstm._series.time_index import continued_index, seasons_of, step_of, time_index

DAYS = pd.date_range("2024-01-01", periods=10)


def bare(index):
    """The same stamps without a frequency, as a file has them."""
    return pd.DatetimeIndex(index.to_numpy())


def dated(index):
    return pd.Series(np.arange(len(index), dtype=float), index)


@pytest.mark.parametrize(
    "freq, seasons",
    [
        *[(freq, (12,)) for freq in ("MS", "ME", "BME", "BMS", "WOM-1MON", "LWOM-FRI")],
        *[(freq, (4,)) for freq in ("QE", "QS", "BQE", "BQS", "3MS")],
        ("s", (3600,)),
        ("300s", (288, 2016)),
        ("min", (1440, 10080)),
        ("15min", (96, 672)),
        ("30min", (48, 336)),
        ("h", (24, 168)),
        ("2h", (12, 84)),
        ("12h", (2, 14)),
        ("24h", (7,)),
        ("D", (7,)),
        ("7D", (52,)),
        ("W", (52,)),
        ("2W", (26,)),
        ("B", (5,)),
        ("SMS", (24,)),
        ("bh", (8, 40)),
        ("2MS", (6,)),
        ("YE", ()),
        ("2D", ()),
        ("5h", ()),
    ],
)
def test_seasons_of_frequencies(freq, seasons):
    try:
        index = pd.date_range("2015-01-05", periods=60, freq=freq)
    except ValueError:
        pytest.skip("this pandas has no such frequency")
    assert seasons_of(index) == seasons


@pytest.mark.parametrize(
    "arguments, season", [({"months": 1}, 12), ({"months": 3}, 4), ({"days": 1}, 7)]
)
def test_seasons_of_date_offsets(arguments, season):
    index = pd.date_range("2015-01-05", periods=9, freq=pd.DateOffset(**arguments))
    assert seasons_of(index) == (season,)


@pytest.mark.parametrize(
    "freq, seasons",
    [
        (CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat"), (6,)),
        (CustomBusinessDay(weekmask="Tue Thu"), (2,)),
        (BusinessHour(start="10:00", end="15:00"), (5, 25)),
        (CustomBusinessHour(weekmask="1111110", start="09:00", end="18:00"), (9, 54)),
        (BusinessHour(start=["08:00", "13:00"], end=["12:00", "15:00"]), (6, 30)),
        (BusinessHour(start="08:30", end="12:00"), ()),
    ],
)
def test_seasons_are_those_of_the_working_week(freq, seasons):
    index = pd.date_range("2015-01-05", periods=9, freq=freq)
    assert seasons_of(index) == seasons


def test_seasons_of_business_calendars():
    freq = CustomBusinessDay(holidays=["2015-01-06"])
    assert seasons_of(pd.date_range("2015-01-05", periods=9, freq=freq)) == (5,)


@pytest.mark.parametrize(
    "months, seasons", [(1, (12,)), (3, (4,)), (6, (2,)), (12, ())]
)
@pytest.mark.parametrize("day", [2, 15, 28])
def test_months_dated_on_any_day_are_regular(months, seasons, day):
    first = pd.Timestamp(2010, 1, day)
    stamps = [first + pd.DateOffset(months=months * i) for i in range(30)]
    index = pd.DatetimeIndex(stamps)
    following = continued_index(index[:24], 6)
    assert list(following) == stamps[24:]
    assert seasons_of(index) == seasons


def test_months_of_day_30_come_back_to_it_after_february():
    stamps = [pd.Timestamp(2022, 9, 30) + pd.DateOffset(months=i) for i in range(9)]
    following = continued_index(pd.DatetimeIndex(stamps[:6]), 3)
    assert list(following) == stamps[6:]


@pytest.mark.parametrize(
    "index, words",
    [
        (bare(DAYS.delete(4)), "2024-01-04 00:00:00 to 2024-01-06.*asfreq\\('D'\\)"),
        (
            bare(pd.date_range("2024-01-01", periods=90, freq="B").delete(40)),
            "from 2024-02-23 00:00:00 to 2024-02-27.*asfreq\\('B'\\)",
        ),
        (
            bare(pd.date_range("2010-01-01", periods=120, freq="MS").delete(60)),
            "from 2014-12-01 00:00:00 to 2015-02-01.*asfreq\\('MS'\\)",
        ),
        (
            bare(pd.date_range("2010-01-31", periods=120, freq="ME").delete(60)),
            "from 2014-12-31 00:00:00 to 2015-02-28.*asfreq\\('ME'\\)",
        ),
        (
            bare(pd.date_range("2000-03-31", periods=40, freq="QE").delete(9)),
            "from 2002-03-31 00:00:00 to 2002-09-30.*asfreq\\('3ME'\\)",
        ),
        (
            bare(pd.date_range("1950", periods=60, freq="YS").delete(9)),
            "from 1958-01-01 00:00:00 to 1960-01-01.*asfreq\\('12MS'\\)",
        ),
        (
            pd.DatetimeIndex([f"2020-{month:02d}-15" for month in (1, 2, 3, 5, 6)]),
            "to 2020-05-15.*'1 months'.*asfreq\\(pd.DateOffset\\(months=1\\)\\)",
        ),
        (
            pd.to_datetime(np.arange(0, 6000, 60) ** 1.01, unit="s", origin="2024"),
            "of 1% of them. Round the time stamps",
        ),
        (
            pd.period_range("2010-01", periods=9, freq="M").delete(3),
            "from 2010-03 to 2010-05.*reindex",
        ),
        (
            bare(pd.date_range("2024-01-01", periods=99, freq="h").delete(8)),
            "asfreq\\('h'\\)",
        ),
    ],
)
def test_steps_that_are_not_regular_name_the_first_gap(index, words):
    with pytest.raises(ValueError, match=f"not regular.*{words}"):
        step_of(index)


@pytest.mark.parametrize("freq", ["ME", "QE-JAN", "QS-FEB", "YE-JUN", "YS", "B"])
def test_the_way_out_of_a_gap_keeps_all_values(freq):
    index = pd.date_range("2001-02-03", periods=30, freq=freq)
    gappy = pd.Series(np.arange(29.0), bare(index.delete(9)))
    with pytest.raises(ValueError, match="not regular") as raised:
        step_of(gappy.index)
    way = re.search(r"asfreq\('(.*?)'\)", str(raised.value))[1]
    mended = gappy.asfreq(way)
    assert mended.index.equals(index.set_names(None)) and mended.count() == 29


HOURS = pd.date_range("2024-01-01", periods=900, freq="h")


@pytest.mark.parametrize(
    "index, words",
    [
        (
            HOURS[(HOURS.hour >= 9) & (HOURS.hour < 18) & (HOURS.day_of_week < 6)],
            "01 17:00:00 to 2024-01-02 09:00:00.*'h'",
        ),
        (HOURS[(HOURS.hour == 0) & (HOURS.day_of_week < 6)], "06 00.*to 2024-01-08"),
        (HOURS[(HOURS.hour == 0) & (HOURS.day_of_week % 2 == 1)], "'2D'"),
        (HOURS[(HOURS.hour == 0) & ((HOURS.day == 1) | (HOURS.day == 15))], "SMS"),
        (pd.date_range("2010", periods=50, freq="BME").delete(9), "'BME'"),
    ],
)
def test_the_way_out_of_closed_hours_and_days_keeps_all_values(index, words):
    closed = pd.Series(1.0, bare(index))
    with pytest.raises(ValueError, match=f"not regular.*{words}") as raised:
        step_of(closed.index)
    way = re.search(r"asfreq\((.*)\), for many", str(raised.value))[1]
    mended = closed.asfreq(eval(way, {"pd": pd}))
    assert mended.count() == len(closed) and len(mended) < len(closed) + 3
    step_of(mended.index)


def test_stamps_off_any_grid_are_rounded_to_their_usual_step():
    late = HOURS[:90] + pd.to_timedelta(np.arange(90) * 7 % 50, "s")
    with pytest.raises(ValueError, match=r"index.round\('h'\)"):
        step_of(bare(late))


@pytest.mark.parametrize(
    "zone, freq, first",
    [("America/Santiago", "W", "2023-06-04"), ("Africa/Cairo", "D", "2024-04-01")],
)
def test_a_midnight_that_the_clocks_skip_shifts_no_later_step(zone, freq, first):
    local = pd.date_range(first, periods=40, freq=freq)
    index = local.tz_localize(zone, nonexistent="shift_forward")
    assert (index.hour > 0).any()
    for known in range(4, 39):
        assert continued_index(bare(index[:known]), 1)[0] == index[known]


def test_local_days_are_regular_across_the_change_of_clocks():
    index = pd.date_range("2024-03-25", periods=12, tz="Europe/Berlin")
    index = pd.DatetimeIndex(index.tz_localize(None)).tz_localize("Europe/Berlin")
    index.freq = None
    assert continued_index(index, 1)[0] == index[-1] + pd.DateOffset(days=1)


def test_whole_numbers_are_a_range():
    years = time_index(dated(pd.Index([1900, 1910, 1920], name="year")))
    assert years.equals(pd.RangeIndex(1900, 1930, 10)) and years.name == "year"
    with pytest.raises(ValueError, match="not in order of time, or repeat one"):
        time_index(dated(pd.Index([2, 1, 3])))
    with pytest.raises(ValueError, match=r"from 2 to 4, but its step is 1.*reindex"):
        time_index(dated(pd.Index([1, 2, 4])))


def test_whole_numbers_among_floats_are_a_range():
    years = time_index(dated(pd.Index([1900.0, 1905.0, 1910.0])))
    assert years.equals(pd.RangeIndex(1900, 1915, 5))
    assert time_index(dated(pd.Index([0.0, 0.5, 1.0]))) is None


def test_indexes_of_arrow_and_categories_are_read():
    pa = pytest.importorskip("pyarrow")
    kinds = pd.ArrowDtype(pa.timestamp("us")), pd.ArrowDtype(pa.date32()), "category"
    for kind in kinds:
        days = pd.Index(pd.Series(DAYS, name="day").astype(kind))
        assert (time_index(dated(days)) == DAYS).all(), kind
    years = pd.Index(range(1900, 1910), dtype=pd.ArrowDtype(pa.int64()))
    assert time_index(dated(years)).equals(pd.RangeIndex(1900, 1910))


def test_time_spans_are_refused_with_a_way_out():
    spans = pd.timedelta_range("0s", periods=5, freq="15min")
    with pytest.raises(ValueError, match=r"time spans.*pd.Timestamp\("):
        time_index(dated(spans))


def test_dates_among_objects_are_read_and_as_text_refused():
    dates = [datetime.date(2024, 1, day) for day in (1, 2, 3)]
    assert time_index(dated(pd.Index(dates))).equals(pd.DatetimeIndex(dates))
    with pytest.raises(ValueError, match="dates as text.*pd.to_datetime"):
        time_index(dated(pd.Index(["2024-01-01", "2024-01-02"])))
    with pytest.raises(ValueError, match="dates as text.*pd.to_datetime"):
        time_index(dated(pd.Index(["30/12/2023", "31/12/2023", "01/01/2024"])))
    assert time_index(dated(pd.Index(["a", "b"]))) is None


@pytest.mark.parametrize("every, season", [(2, 6), (3, 4), (12, None)])
def test_every_so_many_periods_are_regular(every, season):
    months = pd.period_range("2001-02", periods=12 * every, freq="M")[::every]
    assert list(continued_index(months[:6], 6)) == list(months[6:])
    assert seasons_of(months) == (() if season is None else (season,))
    words = f"'{every} \\* M'.*\\[::{every}\\]"
    with pytest.raises(ValueError, match=f"from {months[2]} to {months[4]}.*{words}"):
        step_of(months.delete(3))


@pytest.mark.parametrize("freq", ["SMS-10", "SMS", "SME", "SME-20"])
def test_half_months_are_regular_without_a_frequency(freq):
    stamps = pd.date_range("2024-01-01", periods=20, freq=freq)
    assert list(continued_index(bare(stamps[:12]), 8)) == list(stamps[12:])
    assert seasons_of(bare(stamps)) == (24,)
    with pytest.raises(ValueError, match=f"asfreq\\('{stamps.freqstr}'\\)"):
        step_of(bare(stamps.delete(7)))


def test_business_days_are_regular_where_the_clocks_skip_a_midnight():
    days = pd.date_range("2023-04-20", periods=20, freq="B")
    index = days.tz_localize("Africa/Cairo", nonexistent="shift_forward")
    assert (index.hour > 0).sum() == 1
    assert list(continued_index(bare(index[:12]), 8)) == list(index[12:])


def test_stamps_of_no_step_are_not_rounded_where_they_are_whole():
    days = pd.DatetimeIndex(
        [f"2024-{m:02d}-{d}" for m in range(3, 8) for d in (8, 9, 28)]
    )
    with pytest.raises(ValueError, match="commonest.*Average.*resample"):
        step_of(pd.DatetimeIndex(days))


@pytest.mark.parametrize(
    "freq, season",
    [
        (pd.offsets.BusinessHour(start="22:00", end="06:00"), (8, 40)),
        (pd.offsets.BDay(5), (52,)),
        (pd.offsets.FY5253Quarter(weekday=5, startingMonth=1), (4,)),
    ],
)
def test_seasons_of_nights_weeks_and_retail_quarters(freq, season):
    assert seasons_of(pd.date_range("2024-01-01", periods=9, freq=freq)) == season


@pytest.mark.parametrize("name", ["HalfYearEnd", "BHalfYearBegin"])
def test_seasons_of_half_years(name):
    offset = getattr(pd.offsets, name, None)  # of pandas 3
    if offset is not None:
        assert seasons_of(pd.date_range("2024", periods=9, freq=offset())) == (2,)


def test_infinite_row_numbers_are_no_axis():
    assert time_index(pd.Series(1.0, [0.0, 1.0, np.inf])) is None


MONTHS = [100 * year + month for year in (2023, 2024) for month in range(1, 13)]
WEEKS = [100 * year + week for year in (2023, 2024) for week in range(1, 53)]
QUARTERS = [10 * year + part for year in range(2015, 2025) for part in range(1, 5)]


@pytest.mark.parametrize("dtype", [int, float, str])
@pytest.mark.parametrize(
    "numbers, what, call",
    [
        (MONTHS, "months", r"format='%Y%m'\)"),
        (WEEKS, "weeks", "'%G%V%u'"),
        (QUARTERS, "quarters", "PeriodIndex"),
        ([20240130, 20240131, 20240201], "dates", "'%Y%m%d'"),
    ],
)
def test_numbers_that_look_like_dates_say_how_to_convert_them(
    numbers, what, call, dtype
):
    found = "text, such as" if dtype is str else "a gap in time"
    with pytest.raises(ValueError, match=f"(?s){found}.*{what}.*onvert.*{call}"):
        time_index(dated(pd.Index(numbers).astype(dtype)))


def test_numbers_of_months_convert_as_the_message_says():
    index = pd.Index(MONTHS, dtype=float)
    months = pd.to_datetime(index.astype(int).astype(str), format="%Y%m")
    assert step_of(months) == pd.offsets.MonthBegin()
    index = pd.Index(WEEKS)
    weeks = pd.to_datetime(index.astype(int).astype(str) + "1", format="%G%V%u")
    assert step_of(weeks) == pd.offsets.Week(weekday=0)
    index = pd.Index(QUARTERS)
    quarters = pd.PeriodIndex(
        [f"{number // 10}Q{number % 10}" for number in index.astype(int)], freq="Q"
    )
    assert step_of(quarters).n == 1


@pytest.mark.parametrize(
    "numbers, match",
    [
        (range(202401, 202413), "years and months, but would be .* 202413"),
        (range(202401, 202412, 2), "years and months, but would be .* 202413"),
        (range(20240101, 20240132), "dates, but would be continued with 20240132"),
        (range(200001, 200101, 100), None),  # each January
        (range(120, 150), None),
        (range(1990, 2020), None),
        (range(202401, 202413 + 60), None),
    ],
)
def test_dates_as_numbers_within_one_year_are_no_step_of_time(numbers, match):
    series = dated(pd.Index(list(numbers)))
    histories = {None: History(series.to_numpy()[:, None], None, time_index(series))}
    if match is None:
        check_regular(histories)
    else:
        with pytest.raises(ValueError, match=match):
            check_regular(histories)
