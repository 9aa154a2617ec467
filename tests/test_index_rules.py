"""Data go by their index in every method, container and form.

Each section holds the kinds of faults that its heading numbers: a small input that once
gave a wrong answer without a word, and the right answer or error.
"""

import datetime
import pickle
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.tseries import offsets
from sklearn.metrics import r2_score
from sklearn.model_selection import TimeSeriesSplit, cross_val_score, cross_validate
from sklearn.preprocessing import FunctionTransformer

import sklstm
from sklstm import LSTMForecaster, make_windows
from sklstm.inspection import lag_attributions
from sklstm.metrics import (
    interval_coverage,
    interval_score,
    make_backtest_scorer,
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
    weighted_quantile_loss,
)
from sklstm.plotting import ForecastDisplay, PredictionDisplay
from sklstm.preprocessing import panel_from_long

DAYS = pd.date_range("2023-01-01", periods=120, freq="D")
RNG = np.random.default_rng(1)
X = pd.DataFrame({"promo": (RNG.random(120) < 0.2) * 1.0}, DAYS)
Y = (50 + 30 * X["promo"] + RNG.normal(0, 0.5, 120)).rename("sales")
TWO = pd.DataFrame({"a": np.sin(np.arange(120.0)), "b": 1000 + 100 * Y}, DAYS)
N = 100
AHEAD = X[:1].set_axis(DAYS[-1:] + DAYS.freq)


def small(window_length=14, horizon=7, **parameters):
    defaults = {"units": 2, "epochs": 1, "random_state": 0}
    return LSTMForecaster(window_length, horizon, **(defaults | parameters))


def bare(window_length=6, horizon=2, **parameters):
    """A forecaster whose fit takes no time: its linear model alone."""
    options = {"epochs": 0, "pretrained": False} | parameters
    return small(window_length, horizon, **options)


def panel(data):
    return pd.concat({"p": data, "q": data}, names=["series", "day"])


@pytest.fixture(scope="module")
def dated():
    return small().fit(X[:N], Y[:N])


@pytest.fixture(scope="module")
def many():
    return small().fit(panel(X[:N]), panel(Y[:N]))


# F1, F2: inputs ahead ---------------------------------------------------------

METHODS = {
    "forecast": lambda f, X: f.forecast(7, X),
    "interval": lambda f, X: f.forecast_interval(7, X),
    "quantiles": lambda f, X: f.forecast_quantiles(7, X),
    "paths": lambda f, X: f.sample_paths(3, 7, X, random_state=0),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["one", "many"])
def test_rows_of_X_before_the_end_are_left_out(method, form, dated, many):
    f, as_given = (dated, lambda x: x) if form == "one" else (many, panel)
    expected = METHODS[method](f, as_given(X[N : N + 7]))
    found = METHODS[method](f, as_given(X))
    (pd.testing.assert_series_equal if method == "forecast" else assert_allclose)(
        found, expected
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["one", "many"])
@pytest.mark.parametrize(
    "rows, words",
    [
        (slice(N + 1, N + 8), "X starts at 2023-04-12.*is 2023-04-11"),
        (slice(0, N), "X ends at 2023-04-10.*from 2023-04-11"),
        ("hole", "X goes from 2023-04-12.*to 2023-04-14"),
    ],
)
def test_late_or_missing_rows_of_X_are_errors_that_name_both_dates(
    method, form, rows, words, dated, many
):
    given = X[N:].drop(DAYS[N + 2]) if rows == "hole" else X[rows]
    f, given = (dated, given) if form == "one" else (many, panel(given))
    with pytest.raises(ValueError, match=words):
        METHODS[method](f, given)


def test_attributions_and_displays_read_the_index_of_X(dated):
    expected = lag_attributions(dated, 7, X[N : N + 7]).prediction
    assert_array_equal(lag_attributions(dated, 7, X).prediction, expected)
    drawn = ForecastDisplay.from_estimator(dated, 7, X, y_true=Y[N + 2 : N + 7])
    assert_array_equal(drawn.forecast, dated.forecast(7, X[N : N + 7]))
    assert drawn.y_true.index[0] == DAYS[N + 2]


def test_all_rows_ahead_that_are_given_are_used():
    before = Y + 2 * X["promo"].shift(-2, fill_value=0)
    f = small(12, 6).fit(X[:N], before[:N])
    six = f.forecast(6, X[N : N + 6])
    assert_array_equal(f.forecast(1, X[N : N + 6]), six[:1])
    table = f.backtest(X[N:], before[N:], steps=1)
    assert table["y_pred"].iloc[0] == six.iloc[0]
    assert_array_equal(f.forecast(7, X[N : N + 12]), f.forecast(12, X[N : N + 12])[:7])


def test_missing_inputs_count_where_they_are_read(dated):
    expected = dated.forecast(3, X[N : N + 7])
    for unread in (X.index[2], X.index[N + 7]):
        given = X.mask(np.outer(X.index == unread, True))
        assert_array_equal(dated.forecast(3, given), expected)
    given = X.mask(np.outer(X.index == X.index[N + 2], True))
    with pytest.raises(ValueError, match="NaN in the rows ahead, first in row 2"):
        dated.forecast(3, given)
    with pytest.raises(ValueError, match="X contains NaN, first at row 2"):
        dated.predict(given[N : N + 3])


def test_stamps_with_and_without_a_zone_are_told_apart(dated):
    with pytest.raises(ValueError, match="of the zone UTC.*with those without a zone"):
        dated.forecast(7, X.tz_localize("UTC"))


def test_arrays_go_by_position(dated):
    f = small().fit(X[:N].to_numpy(), Y[:N].to_numpy())
    assert_allclose(
        f.forecast(7, X[N : N + 7].to_numpy()), dated.forecast(7, X[N : N + 7])
    )


# F3, F4: X and y, and columns -------------------------------------------------

AFTER = {
    "update": lambda f, X, y: f.update(X, y),
    "observe": lambda f, X, y: f.observe(X, y),
    "backtest": lambda f, X, y: f.backtest(X, y),
    "score": lambda f, X, y: f.score(X, y),
    "partial_fit": lambda f, X, y: f.partial_fit(X, y),
    "history": lambda f, X, y: f.forecast(1, AHEAD, history=(X, y)),
}


def ten_days_early(index):
    if isinstance(index, pd.MultiIndex):
        return index.set_levels(ten_days_early(index.levels[1]), level=1)
    return index - pd.Timedelta("10D")


def test_a_list_of_inputs_ahead_has_no_more_parts_than_series():
    f = bare().fit([X[:N]] * 2, [Y[:N]] * 2)
    for options in {}, {"series": 0}, {"history": ([X[:N]] * 2, [Y[:N]] * 2)}:
        with pytest.raises(ValueError, match="X has 3 parts, but .* has 2 series"):
            f.forecast(2, [X[N:]] * 3, **options)
    with pytest.raises(ValueError, match="X has 2 parts, but .* has 1 series"):
        f.forecast(2, [X[N:]] * 2, history=([X[:N]], [Y[:N]]))


WRONG = {
    "ten days early": lambda y: y.set_axis(ten_days_early(y.index)),
    "reversed": lambda y: y.iloc[::-1],
    "one row less": lambda y: y.iloc[1:],
}


@pytest.mark.parametrize("method", AFTER)
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("form", ["one", "many", "list"])
def test_y_must_have_the_index_of_X(method, wrong, form, dated, many):
    X_new, y_new = X[N:], WRONG[wrong](Y[N:])
    f = dated
    if form == "many":
        f, X_new, y_new = many, panel(X_new), WRONG[wrong](panel(Y[N:]))
    elif form == "list":
        f = small().fit([X[:N]] * 2, [Y[:N]] * 2)
        X_new, y_new = [X_new] * 2, [Y[N:], y_new]
    f = pickle.loads(pickle.dumps(f))
    before = pickle.dumps(f)
    with pytest.raises(ValueError):
        AFTER[method](f, X_new, y_new)
    assert pickle.dumps(f) == before


@pytest.mark.parametrize("method", ["update", "backtest", "partial_fit", "history"])
def test_columns_of_targets_go_by_their_names(method):
    f = small(7, 2).fit(X[:N], TWO[:N])
    results = []
    for y in (TWO[N:], TWO[N:][["b", "a"]]):
        own = pickle.loads(pickle.dumps(f))
        result = AFTER[method](own, X[N:], y)
        if isinstance(result, LSTMForecaster):
            result = result.forecast(1, AHEAD)
        results.append(result)
    pd.testing.assert_frame_equal(*results)
    with pytest.raises(ValueError, match="y has the columns .*Pass the same columns"):
        AFTER[method](f, X[N:], TWO[N:].rename(columns={"a": "z"}))


def test_columns_whose_names_are_no_text_go_by_their_names(tmp_path):
    two = pd.DataFrame({0: np.sin(np.arange(80.0)), 1: 100 + np.cos(np.arange(80.0))})
    f = small(7, 2).fit(two[:60])
    assert_array_equal(f.predict(two[60:][[1, 0]]), f.predict(two[60:]))
    with pytest.raises(
        ValueError, match=r"columns \[2, 3\], but .* fitted with \[0, 1"
    ):
        f.update(two[60:].set_axis([2, 3], axis=1))
    g = small(7, 2).fit(two[:60], 2 * two[:60][0] + 1)
    g.save(tmp_path / "model")
    for own in (g, sklstm.load(tmp_path / "model")):
        swapped = own.forecast(2, X=two[60:62][[1, 0]])
        assert_array_equal(swapped, g.forecast(2, X=two[60:62]))
    own.partial_fit(two[60:][[1, 0]], 2 * two[60:][0] + 1)
    g.partial_fit(two[60:], 2 * two[60:][0] + 1)
    assert_array_equal(own.predict(two[70:]), g.predict(two[70:]))


@pytest.mark.parametrize("data", ["X", "y", "weights"])
def test_weights_go_by_the_index_of_X(data, dated):
    weights = pd.Series(np.arange(1.0, N + 1), DAYS[:N])
    ordered = small(epochs=0)
    arguments = {"y": (Y[:N],), "X": (X[:N], Y[:N])}.get(data, (X[:N], Y[:N]))
    ordered.fit(*arguments, sample_weight=weights)
    for wrong in (weights[::-1], weights.set_axis(DAYS[5 : N + 5])):
        with pytest.raises(ValueError, match="X and sample_weight have different"):
            small(epochs=0).fit(*arguments, sample_weight=wrong)
    if data == "weights":
        with pytest.raises(ValueError, match="row 0 is 2023-04-11.*2023-04-20"):
            dated.score(
                X[N:-10], Y[N:-10], weights[:10].set_axis(DAYS[N : N + 10])[::-1]
            )


def test_an_index_of_another_dtype_is_the_same(dated):
    f = pickle.loads(pickle.dumps(dated))
    for rows, index in (
        (slice(N, N + 2), pd.Index(list(DAYS[N : N + 2].date), dtype=object)),
        (slice(N + 2, N + 4), pd.CategoricalIndex(DAYS[N + 2 : N + 4])),
    ):
        f.update(X[rows], Y[rows].set_axis(index))
    assert f.forecast(1, X[N + 4 :]).index[0] == DAYS[N + 4]


def test_columns_of_targets_that_no_pandas_holds_go_by_their_names():
    pa = pytest.importorskip("pyarrow")

    def table(data):
        return pa.Table.from_pandas(data, preserve_index=False)

    results = []
    for columns in (["a", "b"], ["b", "a"]):
        f = small(epochs=0).fit(table(X[:N]), table(TWO[:N]))
        f.update(table(X[N:-9]), table(TWO[N:-9][columns]))
        results.append(f.forecast(1, table(X[-9:-8])))
    assert_array_equal(*results)
    with pytest.raises(ValueError, match=r"y has the columns \['a'\]"):
        f.update(table(X[-9:]), table(TWO[["a"]][-9:]))


def test_labels_that_are_no_axis_tell_which_rows_belong_together():
    names = [f"row {i}" for i in range(N)]
    inputs, target = X[:N].set_axis(names), Y[:N].set_axis(names)
    for wrong in (target[::-1], target.rename({"row 3": "another"})):
        with pytest.raises(ValueError, match="X and y have different indexes: row"):
            bare().fit(inputs, wrong)


def test_weights_go_by_the_index_of_y_beside_an_array():
    weights = pd.Series(1.0, DAYS[:N])
    with pytest.raises(ValueError, match="y and sample_weight have different indexes"):
        bare().fit(X[:N].to_numpy(), Y[:N], sample_weight=weights[::-1])


def test_scores_go_by_the_index_of_y_beside_an_array():
    f = bare().fit(X[:N].to_numpy(), Y[:N])
    g = bare().fit(X[:N], Y[:N])
    for rows in (slice(N - 9, N), slice(N + 3, N + 9)):
        assert f.score(X[rows].to_numpy(), Y[rows]) == g.score(X[rows], Y[rows])
    listed = bare().fit([X[:N].to_numpy()] * 2, [Y[:N]] * 2)
    rows = slice(N + 3, N + 9)
    score = listed.score([X[rows].to_numpy()] * 2, [Y[rows]] * 2)
    expected = bare().fit([X[:N]] * 2, [Y[:N]] * 2).score([X[rows]] * 2, [Y[rows]] * 2)
    assert score == expected
    assert listed.forecast(1, [X[N:].to_numpy()] * 2)[1].index[0] == DAYS[N]
    drawn = PredictionDisplay.from_estimator(f, X[rows].to_numpy(), Y[rows])
    dated = PredictionDisplay.from_estimator(g, X[rows], Y[rows])
    assert_array_equal(drawn.y_pred, dated.y_pred)


@pytest.mark.parametrize("first", [N - 9, N - 3, N, N + 3])
def test_rows_beside_inputs_are_drawn_one_step_ahead(first):
    """Training rows, rows after the history, and rows after a gap."""
    f, rows = bare().fit(X[:N], Y[:N]), slice(first, first + 6)
    drawn = PredictionDisplay.from_estimator(f, X[rows], Y[rows]).y_pred
    known, inputs = Y.copy(), X.copy()
    known[N:first], inputs[N:first] = np.nan, X.iloc[N - 1]
    for row in range(first, first + 6):
        history = (inputs[:row], known[:row])
        if row > first or first <= N:
            expected = f.forecast(1, X[row:], history=history).iloc[0]
            assert drawn.iloc[row - first] == pytest.approx(expected)
    if first >= N:
        assert drawn.iloc[0] == pytest.approx(f.predict(X[rows]).iloc[0])


def test_a_target_of_another_name_is_refused():
    f = bare().fit(X[:N], TWO[["a"]][:N])
    for call in (f.update, f.observe, f.backtest, f.score):
        with pytest.raises(ValueError, match="y has the column 'b', but.*with 'a'"):
            call(X[N:], TWO[["b"]][N:])
    assert f.update(X[N:], TWO["a"][N:]).forecast(1, AHEAD).shape == (1, 1)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_parts_of_a_list_go_by_their_names(library):
    frame = pytest.importorskip(library).DataFrame
    one, two = (frame(TWO[:N].to_dict("list")) for _ in range(2))
    expected = bare().fit([one, two]).forecast(2)
    found = bare().fit([one, two[["b", "a"]]]).forecast(2)
    assert_array_equal(found[1], expected[1])
    other = frame(TWO[:N].rename(columns={"b": "c"}).to_dict("list"))
    with pytest.raises(ValueError, match=r"Part 1 .* \['a', 'c'\], but part 0 has"):
        bare().fit([one, other])


@pytest.mark.parametrize("dtype", ["int32", "Int64", "float64"])
def test_whole_numbers_of_another_dtype_are_the_same_rows(dtype):
    numbers = pd.Index(np.arange(120), dtype=dtype)
    of_X, of_y = X.reset_index(drop=True), Y.set_axis(numbers)
    f = bare().fit(of_X[:N], of_y[:N])
    expected = bare().fit(X[:N].to_numpy(), Y[:N].to_numpy())
    assert_allclose(
        f.forecast(3, X=of_X.set_axis(numbers)[N - 5 :]),
        expected.forecast(3, X=X[N:].to_numpy()),
    )
    f.update(of_X[N : N + 2], of_y[N : N + 2])
    assert f.forecast(1, X=of_X).index[0] == N + 2


@pytest.mark.parametrize("method", ["forecast", "predict", "score", "history"])
def test_a_target_in_place_of_inputs_is_told_with_their_names(method, dated):
    calls = {
        "forecast": lambda: dated.forecast(7, X=X["promo"][N:]),
        "predict": lambda: dated.predict(Y[N:]),
        "score": lambda: dated.score(Y[N:], X[N:]),
        "history": lambda: dated.forecast(7, X[N:], history=(Y[:N], X[:N])),
    }
    with pytest.raises(ValueError, match=r"has the shape .* inputs \['promo'\]"):
        calls[method]()


@pytest.mark.parametrize("method", ["update", "observe", "backtest"])
def test_rows_without_their_target_are_told_with_the_method(method, dated):
    with pytest.raises(ValueError, match=rf"{method}\(X, y\) after fit\(X, y\)"):
        getattr(dated, method)(Y[N:])


def test_missing_inputs_are_told_with_the_name_of_their_column(dated):
    holes = X.copy()
    holes.iloc[N + 1] = np.nan
    with pytest.raises(ValueError, match="2023-04-12 .*column 'promo'"):
        dated.forecast(7, X=holes)
    with pytest.raises(ValueError, match="column 'promo', at 2023-04-12"):
        bare().fit(holes, Y)
    wide = holes.assign(past=holes["promo"])
    f = bare(past_covariates=("past",)).fit(wide[:N], Y[:N])
    with pytest.raises(ValueError, match="column 'promo', at 2023-04-12"):
        f.predict(wide[N:])


# F5: frequencies in files, pickles and workers --------------------------------

HOLIDAYS = ["2021-04-02", "2021-05-31"]
OFFSETS = [
    *["D", "B", "h", "15min", "s", "W", "W-WED", "2W", "MS", "ME", "BMS", "BME"],
    *["QS", "QE", "BQE", "YS", "YE", "BYE", "SMS", "SME", "bh", "WOM-2TUE", "3D"],
    offsets.CustomBusinessDay(holidays=HOLIDAYS),
    offsets.CustomBusinessDay(weekmask="Sun Mon Tue Wed Thu"),
    offsets.CustomBusinessMonthEnd(holidays=HOLIDAYS),
    offsets.CustomBusinessMonthBegin(holidays=HOLIDAYS),
    offsets.BusinessHour(start="08:00", end="12:00"),
    offsets.CustomBusinessHour(start="08:00", end="12:00", holidays=HOLIDAYS),
    offsets.DateOffset(months=1),
    offsets.DateOffset(days=2),
    offsets.DateOffset(weeks=1),
    offsets.DateOffset(months=1, day=15),
    offsets.DateOffset(weeks=1, weekday=2),
    offsets.DateOffset(microseconds=500),
    offsets.BDay(normalize=True),
    offsets.MonthEnd(normalize=True),
    offsets.Week(),
    offsets.LastWeekOfMonth(weekday=4),
    offsets.Easter(),
]


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
def test_what_forecasts_survives_files_and_pickles(offset, tmp_path):
    index = pd.date_range("2021-01-15", periods=80, freq=offset)
    y = pd.Series(np.sin(np.arange(80.0)), index)
    f = small(5, 3, epochs=0).fit(y[:60])
    assert_array_equal(f.forecast(20).index, index[60:])
    f.save(tmp_path / "model")
    for again in (sklstm.load(tmp_path / "model"), pickle.loads(pickle.dumps(f))):
        assert_array_equal(again.forecast(20).index, index[60:])
        updated = pickle.loads(pickle.dumps(again)).update(y[60:70])
        updated.save(tmp_path / "updated")
        loaded = sklstm.load(tmp_path / "updated")
        assert_array_equal(loaded.forecast(10).index, index[70:])
        pd.testing.assert_series_equal(again.update(y[60:]).forecast(2), f_after(f, y))


def f_after(f, y):
    return pickle.loads(pickle.dumps(f)).update(y[60:]).forecast(2)


@pytest.mark.parametrize(
    "offset",
    [
        offsets.CustomBusinessDay(holidays=["2023-02-13"]),
        offsets.BusinessHour(start="08:00", end="12:00"),
    ],
)
def test_stamps_that_lost_their_frequency_have_that_of_the_fit(offset):
    stamps = pd.date_range("2023-01-02", periods=60, freq=offset)
    y = pd.Series(np.sin(np.arange(60.0)), stamps)
    inputs = pd.DataFrame({"x": np.cos(np.arange(60.0))}, stamps)
    later = y[:50].set_axis(pd.DatetimeIndex(stamps[:50], freq=None))
    f = bare().fit(y[:40])
    assert f.forecast(5, history=later).index.equals(stamps[50:55])
    assert f.set_params(warm_start=True).fit(later).forecast(5).index[0] == stamps[50]
    assert f.partial_fit(later[:45]).forecast(5).index[0] == stamps[45]
    # Where one of X and y has kept it, both have it.
    for data in (inputs[:50].set_axis(later.index), y[:50]), (inputs[:50], later):
        f = bare().fit(*data)
        assert f.forecast(5, X=inputs[50:]).index.equals(stamps[50:55])
        lists = bare().fit(*([part, part] for part in data))
        ahead = lists.forecast(5, X=[inputs[50:], inputs[50:]])
        assert ahead[1].index.equals(stamps[50:55])


# F6, F8, F14, F17, F23: axes --------------------------------------------------

YEARS = pd.Series(10 + 2 * np.sin(np.arange(120) / 2), pd.Index(range(1900, 2020)))


def test_whole_numbers_are_an_axis():
    f = small(12, 3).fit(YEARS)
    assert list(f.forecast(3).index) == [2020, 2021, 2022]
    ranged = small(12, 3).fit(YEARS.set_axis(pd.RangeIndex(1900, 2020)))
    assert_array_equal(f.predict(YEARS.loc[1950:1952]), ranged.predict(YEARS)[50:53])
    told = "they go from 2050 to 2050 in 1 rows, and the row after the history is 2020"
    with pytest.raises(ValueError, match=told):
        f.update(pd.Series([10.0], [2050]))
    with pytest.raises(ValueError, match="not in order of time.*stands after"):
        f.fit(YEARS.sample(frac=1, random_state=0))
    with pytest.raises(ValueError, match="X and y have different indexes"):
        f.fit(YEARS.to_frame("x") + 1, YEARS.set_axis(YEARS.index + 40))


@pytest.mark.parametrize("kind", [int, Decimal])
def test_whole_numbers_among_objects_are_an_axis(kind):
    years = pd.Index([kind(year) for year in YEARS.index], dtype=object)
    f = small(12, 3, epochs=0).fit(YEARS.set_axis(years))
    assert list(f.forecast(2).index) == [2020, 2021]


def test_whole_numbers_that_look_like_dates_are_told():
    months = [
        100 * year + month for year in range(2010, 2020) for month in range(1, 13)
    ]
    with pytest.raises(ValueError, match=r"201012 to 201101.*format='%Y%m'\)"):
        small().fit(YEARS.set_axis(months))


def test_dates_among_objects_are_an_axis_and_text_is_refused():
    objects = [datetime.date(2023, 1, 1) + datetime.timedelta(i) for i in range(60)]
    f = small(7, 2).fit(pd.Series(np.arange(60.0), objects))
    assert f.forecast(1).index[0] == pd.Timestamp("2023-03-02")
    with pytest.raises(ValueError, match="dates as text"):
        f.fit(pd.Series(np.arange(60.0), [str(day) for day in objects]))


@pytest.mark.parametrize("form", ["series", "inputs"])
def test_an_index_that_is_no_axis_is_told(form):
    named = pd.Series(np.sin(np.arange(60.0)), [f"row {i}" for i in range(60)])
    given = (named,) if form == "series" else (named.to_frame("x") + 1, named)
    with pytest.warns(UserWarning, match="rows go by their position.*numbered"):
        f = small(7, 2).fit(*given)
    if form == "series":
        assert list(f.forecast(2).index) == [60, 61]


@pytest.mark.parametrize("form", ["series", "inputs", "many", "history"])
def test_gaps_in_time_are_an_error_at_fit(form):
    gappy = Y.drop(DAYS[[40, 41]])
    gappy.index = pd.DatetimeIndex(gappy.index.to_numpy())
    with pytest.raises(ValueError, match="not regular.*2023-02-09.*asfreq\\('D'\\)"):
        if form == "series":
            small().fit(gappy)
        elif form == "inputs":
            small().fit(gappy.to_frame("x") + 1, gappy)
        elif form == "many":
            small().fit(panel(gappy))
        else:
            small().fit(Y[:N]).forecast(history=gappy)


def test_months_dated_on_any_day_forecast_that_day():
    index = pd.DatetimeIndex(
        [f"{y}-{m:02d}-15" for y in range(2010, 2020) for m in range(1, 13)]
    )
    f = small(None, 12).fit(pd.Series(np.sin(np.arange(120) * np.pi / 6), index))
    assert f.window_length_ == 36
    assert set(f.forecast(24).index.day) == {15}
    later = pd.DatetimeIndex(["2020-01-15", "2020-02-15", "2020-03-15"])
    assert f.update(pd.Series([0.0, 0.5, 0.9], later)).forecast(1).index[0].month == 4


def test_weeks_of_a_month_are_counted_as_they_are():
    fridays = pd.date_range("2020", periods=40, freq=offsets.LastWeekOfMonth(weekday=4))
    bare_stamps = pd.DatetimeIndex(fridays.to_numpy())
    f = bare().fit(pd.Series(np.sin(np.arange(30.0)), bare_stamps[:30]))
    assert list(f.forecast(10).index) == list(fridays[30:])
    tuesdays = pd.date_range("2020", periods=40, freq="WOM-2TUE").delete(7)
    years = pd.DatetimeIndex(
        [pd.Timestamp.fromisocalendar(year, 1, 1) for year in range(1960, 2000)]
    )
    for irregular, told in (
        (tuesdays, r"2020-07-14.*2020-09-08.*asfreq\('WOM-2TUE'\)"),
        (bare_stamps.delete(7), r"2020-07-31.*2020-09-25.*LastWeekOfMonth\(weekday=4"),
        (years, "time steps are not regular"),
    ):
        with pytest.raises(ValueError, match=told):
            bare().fit(pd.Series(np.arange(len(irregular)) * 1.0, irregular))


@pytest.mark.parametrize("dtype", ["float64", "Int64"])
def test_missing_row_numbers_are_told(dtype):
    index = pd.Index(pd.Series([np.nan, *range(1, 60)]).astype(dtype))
    with pytest.raises(ValueError, match="has a missing time stamp"):
        bare().fit(pd.Series(np.arange(60.0), index))


def test_dates_as_text_are_converted_as_told():
    days = DAYS[:60].strftime("%d/%m/%Y")
    with pytest.raises(ValueError, match=r"pd.to_datetime\(X.index, dayfirst=True\)"):
        bare().fit(pd.Series(np.arange(60.0), days))


def test_levels_of_time_and_series_the_wrong_way_round():
    wrong = panel(Y).swaplevel().sort_index()
    told = "last level must hold the time.*swaplevel"
    with pytest.raises(ValueError, match=told):
        small().fit(wrong)
    days = wrong.index.levels[0]
    for other in (
        days.strftime("%Y-%m-%d"),
        pd.Index(list(days.date)),
        days.to_period(),
    ):
        with pytest.raises(ValueError, match=told):
            small().fit(wrong.set_axis(wrong.index.set_levels(other, level=0)))
    three = pd.concat({"north": wrong}, names=["region"])
    with pytest.raises(ValueError, match=r"reorder_levels\(\[0, 2, 1\]\)"):
        small().fit(three)


def test_one_level_is_no_series():
    with pytest.raises(ValueError, match="MultiIndex of one level.*get_level_values"):
        bare().fit(Y.set_axis(pd.MultiIndex.from_arrays([DAYS])))


def test_numbered_levels_the_wrong_way_round_are_told():
    index = pd.MultiIndex.from_product([range(7), range(40)], names=["week", "store"])
    wrong = pd.Series(np.arange(280.0), index)
    with pytest.warns(UserWarning, match="'store', is taken for the time"):
        small(epochs=0).fit(wrong)
    right = wrong.set_axis(index.set_names(["1001", "week"]))
    keys = pd.Index([f"{1000 + i}" for i in range(7)])  # which could be years
    right.index = right.index.set_levels(keys, level=0)
    assert small(epochs=0).fit(right).forecast(1).index[0] == ("1000", 40)


@pytest.mark.parametrize("of_objects", ["dict", "groupby"])
def test_many_series_in_other_containers_are_told(of_objects):
    given = {"p": Y} if of_objects == "dict" else panel(Y).groupby(level=0)
    with pytest.raises(TypeError, match=f"X is a {of_objects}.*series, time"):
        small().fit(given)


# F7: long tables --------------------------------------------------------------


def long_table(times):
    values = np.arange(1.0, len(times) + 1)
    return pd.DataFrame({"unique_id": "a", "ds": times, "y": values})


@pytest.mark.parametrize(
    "times, freq",
    [
        (DAYS.insert(50, DAYS[49] + pd.Timedelta("8h")), "D"),
        (DAYS[1:].insert(0, DAYS[0] + pd.Timedelta("8h")), "D"),
        (pd.date_range("2020-01-31", periods=36, freq="ME"), "MS"),
        (pd.date_range("2020-01-05", periods=36, freq="W-SUN"), "W-MON"),
    ],
)
def test_long_tables_lose_no_value(times, freq):
    with pytest.raises(ValueError, match="not on the grid of freq"):
        panel_from_long(long_table(times), freq=freq)


def test_long_tables_fill_gaps_of_any_axis():
    text = long_table(DAYS.strftime("%Y-%m-%d")).drop(index=3)
    assert panel_from_long(text, freq="D").isna().sum() == 1
    periods = long_table(pd.period_range("2020-01", periods=20, freq="M")).drop(index=3)
    assert len(panel_from_long(periods, freq="M")) == 20
    numbers = long_table(np.arange(0, 40, 2)).drop(index=3)
    assert len(panel_from_long(numbers, freq=2)) == 20


def test_long_tables_go_by_local_days_and_by_days_of_the_month():
    local = pd.date_range("2024-04-20", periods=20).tz_localize(
        "Africa/Cairo", nonexistent="shift_forward"
    )
    ends = [pd.Timestamp("2020-01-31") + pd.DateOffset(months=i) for i in range(20)]
    for times, freq in (local, "D"), (ends, pd.DateOffset(months=1)):
        filled = panel_from_long(long_table(times).drop(index=3), freq=freq)
        assert len(filled) == 20 and filled.isna().sum() == 1


def test_long_tables_read_text_in_categories_and_tell_what_they_cannot():
    text = long_table(pd.Series(DAYS.strftime("%Y-%m-%d")).astype("category"))
    assert len(panel_from_long(text.drop(index=3), freq="D")) == len(DAYS)
    hours = pd.date_range("2023-03-25", periods=60, freq="h", tz="Europe/Berlin")
    with pytest.raises(ValueError, match="several distances from UTC.*tz_convert"):
        panel_from_long(long_table(hours.astype(str)))
    numbered = long_table(DAYS).set_axis([0, 1, 2], axis=1)
    assert len(panel_from_long(numbered, series=0, time=1)) == len(DAYS)
    with pytest.raises(TypeError, match="must be a frame, but it is a dict"):
        panel_from_long({"unique_id": ["a"], "ds": [1], "y": [2.0]})
    with pytest.raises(ValueError, match="Pass the frequency of the time stamps.$"):
        panel_from_long(long_table([0, 1, 2]), freq=2)
    periods = pd.period_range("2020-01", periods=6, freq="M")
    with pytest.raises(ValueError, match="which is that of periods"):
        panel_from_long(long_table(periods), freq="Q")


@pytest.mark.parametrize("past", [None, ("b",)])
def test_missing_inputs_are_told_by_date(past):
    gappy = TWO[:N].reset_index(names="ds").assign(unique_id="p", y=Y[:N].to_numpy())
    filled = panel_from_long(gappy.drop(index=3), freq="D")
    with pytest.raises(ValueError, match="X contains NaN.*at p, 2023-01-04 00:00:00"):
        bare(past_covariates=past).fit(filled[["a", "b"]], filled["y"])


# F9: holidays -----------------------------------------------------------------


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("given_zone", [None, "Europe/Berlin"])
def test_holidays_mean_local_dates_with_and_without_a_zone(zone, given_zone):
    days = pd.date_range("2023-01-01", periods=120, tz=zone)
    closed = days[days.day_of_week == 0][::2].tz_localize(None)
    y = pd.Series(10 + 20.0 * days.tz_localize(None).isin(closed), days)
    dates = list(closed.tz_localize(given_zone))
    f = small(3, 1, calendar=(dates,), epochs=0).fit(y[:N])
    assert_allclose(f.predict(y[N:]), y[N:], atol=1)


def test_holidays_that_meet_no_row_are_an_error():
    with pytest.raises(ValueError, match="none of them is the date of a row"):
        small(calendar=(["2019-12-25"],)).fit(Y)
    with pytest.raises(ValueError, match="not a list of dates: a date is missing"):
        small(calendar=([DAYS[3], pd.NaT],)).fit(Y)


# F10, F15, F19: scores --------------------------------------------------------


def test_scores_of_lists_and_frames_are_the_same(many):
    listed = small().fit([X[:N]] * 2, [Y[:N]] * 2)
    score = listed.score([X[N:]] * 2, [Y[N:]] * 2)
    assert score == pytest.approx(many.score(panel(X[N:]), panel(Y[N:])))
    predicted = np.concatenate(listed.predict([X[N:]] * 2))
    assert score == pytest.approx(r2_score([*Y[N:], *Y[N:]], predicted))
    shorter = listed.score([X[N:], X[N : N + 9]], [Y[N:], Y[N : N + 9]])
    assert np.isfinite(shorter)


def test_long_tables_tell_what_freq_is_meant():
    with pytest.raises(TypeError, match="freq=1 is no step.*are dates"):
        panel_from_long(long_table(DAYS), freq=1)
    with pytest.raises(TypeError, match="whole numbers.*format='%Y%m'"):
        panel_from_long(long_table([202001, 202002]), freq="MS")
    floats = panel_from_long(long_table([0.0, 1.0, 3.0]), freq=1)
    assert floats.isna().sum() == 1 and len(floats) == 4
    days = panel_from_long(long_table(DAYS.astype("category")), freq="D")
    assert days.notna().all() and len(days) == len(DAYS)


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize("gap", [0, 6])
def test_searches_score_training_rows_and_across_gaps(as_array, gap):
    y = pd.Series(10 + 2 * np.sin(np.arange(120) * np.pi / 6), DAYS)
    y = y.to_numpy() if as_array else y
    cv = TimeSeriesSplit(2, gap=gap)
    scores = cross_validate(small(12, 3), y, cv=cv, return_train_score=True)
    assert (scores["train_score"] > 0.8).all()
    assert (scores["test_score"] > 0.8).all()


def test_missing_targets_are_left_out_of_the_score():
    holes = Y.copy()
    holes.iloc[-5] = np.nan
    scores = cross_val_score(small(), X, holes, cv=TimeSeriesSplit(3))
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="No row has an actual value"):
        small().fit(X[:N], Y[:N]).score(X[N:], Y[N:] * np.nan)


# F11, F12: metrics ------------------------------------------------------------


def test_mase_of_a_history_with_gaps_compares_rows_one_season_apart():
    t = np.arange(180)
    y = pd.Series(
        10 + 5 * np.sin(2 * np.pi * t / 12) + RNG.normal(0, 0.1, 180),
        pd.date_range("2000", periods=180, freq="MS"),
    )
    past = y[:150].mask(RNG.random(150) < 0.15)
    f = small(12, 3).fit(past)
    mase = make_backtest_scorer(mean_absolute_scaled_error, seasonal_period=12)
    table = f.backtest(y[150:])
    error = (table["y_true"] - table["y_pred"]).abs().mean()
    expected = error / (past - past.shift(12)).abs().mean()
    assert -mase(f, y[150:]) == pytest.approx(expected)


METRICS_OF_TWO = [
    symmetric_mean_absolute_percentage_error,
    lambda y, p: mean_absolute_scaled_error(y, p, y_train=Y),
]


def test_metrics_read_missing_values_and_frames_of_one_column():
    assert interval_coverage([np.nan, np.nan, 5, 1], [0] * 4, [2] * 4) == 0.5
    with pytest.raises(ValueError, match="No row has an actual value"):
        interval_coverage([np.nan], [0], [2])
    y = pd.Series(np.arange(1.0, 6))
    frame = y.to_frame()
    for metric in (
        symmetric_mean_absolute_percentage_error,
        lambda a, b: mean_absolute_scaled_error(a, b, y_train=[1, 2, 3]),
        lambda a, b: interval_coverage(a, b - 1.5, b),
        lambda a, b: interval_score(a, b - 1.5, b, coverage=0.8),
    ):
        assert metric(frame, y + 1) == metric(y, y + 1)
    with pytest.raises(ValueError, match="shapes \\(5, 2\\) and \\(5,\\)"):
        interval_coverage(np.ones((5, 2)), y, y)
    for period in (0, -1):
        with pytest.raises(ValueError, match="seasonal_period must be an int of 1"):
            mean_absolute_scaled_error(y, y, y_train=y, seasonal_period=period)


@pytest.mark.parametrize("metric", METRICS_OF_TWO)
def test_metrics_compare_the_same_dates_and_columns(metric):
    two = TWO[:N]
    swapped = metric(two, 1.1 * two[["b", "a"]])
    assert swapped == metric(two, 1.1 * two)
    with pytest.raises(ValueError, match="row 0 is 2023-01-01.*2023-01-02.*in y_pred"):
        metric(Y[:9], Y[1:10])
    assert metric(Y[:9], Y[:9].reset_index(drop=True)) == 0
    with pytest.raises(ValueError, match="row 0 is .'p'.*in y_true, and .'q'"):
        metric(panel(Y[:9]), panel(Y[:9])[::-1])


@pytest.mark.parametrize("coverage", [0, 1, 1.2, np.nan])
def test_coverages_that_are_no_share_are_refused(coverage):
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1, without"):
        interval_score([1.0], [0.0], [2.0], coverage=coverage)


def test_rows_one_season_apart_need_regular_rows():
    def mase(y_train, period=7):
        options = {"y_train": y_train, "seasonal_period": period}
        return mean_absolute_scaled_error(Y[:3], Y[:3] + 1, **options)

    with pytest.raises(ValueError, match="y_train: .*not regular.*2023-01-05 00:00:00"):
        mase(Y[3:N].drop(DAYS[5]))
    with pytest.raises(ValueError, match="index of y_train is not sorted"):
        mase(Y[::-1])
    assert mase(Y[:N].drop(DAYS[5]), 1) > 0
    assert mase(Y[:N].reset_index(drop=True)) == mase(Y[:N])


# F13: what update takes -------------------------------------------------------


@pytest.mark.parametrize("value, words", [(0.0, "positive values"), (1e99, "as large")])
def test_update_refuses_what_could_not_be_forecast_from(value, words):
    f = small(scaler="log" if value == 0 else "standard").fit(Y[:N])
    before = pickle.dumps(f)
    for method in (f.update, f.observe):
        with pytest.raises(ValueError, match=words):
            method(pd.Series([value], DAYS[N : N + 1]))
    assert pickle.dumps(f) == before


def test_what_a_transformer_cannot_scale_is_refused():
    log = FunctionTransformer(np.log1p, np.expm1)
    f = small(scaler=log, epochs=0).fit(Y[:N])
    before = f.forecast(1)
    bad = pd.Series([-2.0], DAYS[N : N + 1])
    with np.errstate(all="ignore"):
        for call in (f.update, f.observe, f.backtest):
            with pytest.raises(ValueError, match="scaler makes nan of -2.0"):
                call(bad)
        with pytest.raises(ValueError, match="scaler makes nan of -2.0"):
            f.forecast(1, history=pd.concat([Y[:N], bad]))
    pd.testing.assert_series_equal(f.forecast(1), before)


def test_inputs_and_histories_that_are_too_large_are_refused(dated):
    huge, told = X[N : N + 7] + 1e99, "values as large as"
    with pytest.raises(ValueError, match=told):
        dated.forecast(7, huge)
    with pytest.raises(ValueError, match=told):
        dated.predict(huge)
    for wrong in ((X[:N] + 1e99, Y[:N]), (X[:N], Y[:N] + 1e99)):
        with pytest.raises(ValueError, match=told):
            dated.forecast(7, X[N:], history=wrong)


# F16: the backend -------------------------------------------------------------


@pytest.mark.parametrize("home", [None, "torch", "tensorflow"])
def test_keras_imported_after_sklstm_runs_on_jax(home, tmp_path):
    if home is not None:
        (tmp_path / "keras.json").write_text(f'{{"backend": "{home}"}}')
    code = "import sklstm; import keras; print(keras.backend.backend())"
    environment = {
        "KERAS_HOME": str(tmp_path),
        "PATH": "",
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.split()[-1:] == ["jax"], done.stderr


# F18, F24: containers ---------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_nullable_and_arrow_frames_are_read_like_floats(backend):
    frame = TWO.assign(a=RNG.integers(1, 9, 120) * 1.0)
    frame.iloc[30, 0] = np.nan
    expected = small(7, 2).fit(frame).forecast(1)
    found = small(7, 2).fit(frame.convert_dtypes(dtype_backend=backend)).forecast(1)
    assert_array_equal(found, expected)


def test_objects_that_are_numbers_are_read_in_frames_and_series():
    decimals = [Decimal(str(round(v, 6))) for v in Y]
    for data in (pd.Series(decimals, DAYS), pd.DataFrame({"y": decimals}, DAYS)):
        assert small(7, 2).fit(data).forecast(1).shape[0] == 1
    with pytest.raises(TypeError, match="Column 'ds' of X holds dates.*set_index"):
        small().fit(pd.DataFrame({"ds": DAYS, "y": Y.to_numpy()}))
    with pytest.raises(TypeError, match="holds dates as text.*pd.to_datetime"):
        small().fit(pd.DataFrame({"ds": DAYS.astype(str), "y": Y.to_numpy()}))
    for store in ("a", "T1", "may"):  # pandas would read the last two as dates
        frame = pd.DataFrame({"store": [store] * 120, "y": Y.to_numpy()}, DAYS)
        with pytest.raises(TypeError, match="names the series belongs into the index"):
            small().fit(frame)


def test_masked_values_and_missing_objects_are_missing():
    values = TWO.to_numpy()[:60]
    holes = np.zeros(values.shape, bool)
    holes[30, 0] = True
    expected = bare().fit(np.where(holes, np.nan, values)).forecast(2)
    objects = values.astype(object)
    objects[holes] = pd.NA
    masked = np.ma.masked_array(values, holes)
    for given in (masked, objects):
        assert_array_equal(bare().fit(given).forecast(2), expected)
        past = bare(past_covariates=(0, 1)).fit(given, Y[:60].to_numpy())
        assert np.isfinite(past.forecast(2)).all()
    listed = bare().fit([masked, masked]).forecast(2)
    assert_array_equal(listed[0], bare().fit([objects, objects]).forecast(2)[0])
    assert np.isnan(make_windows(masked, 6)[0]).any()


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_dates_in_frames_of_other_libraries_are_told(library):
    table = pytest.importorskip(library)
    table = table.table if library == "pyarrow" else table.DataFrame
    frame = table({"ds": list(DAYS.date), "y": Y.to_numpy()})
    for arguments in ((frame,), (frame, Y.to_numpy())):
        with pytest.raises(TypeError, match="Column 'ds' of X holds dates"):
            bare().fit(*arguments)


def test_values_of_polars_that_are_none_yet_are_told():
    pl = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"LazyFrame of polars.*X.collect\(\)"):
        bare().fit(pl.LazyFrame({"y": Y.to_numpy()}))
    with pytest.raises(TypeError, match="X must hold numbers, but it holds"):
        bare().fit(pl.Series(list(DAYS.date)))


def test_infinite_static_features_are_refused():
    static = pd.DataFrame({"size": [1.0, np.inf]}, ["p", "q"])
    with pytest.raises(ValueError, match="infinite value in column 'size'"):
        small().fit(panel(Y), static_features=static)


def test_columns_of_several_levels_come_back():
    columns = pd.MultiIndex.from_product([["Close", "Open"], ["A"]], names=["w", "t"])
    f = small(7, 2).fit(TWO.set_axis(columns, axis=1))
    pd.testing.assert_index_equal(f.forecast(1).columns, columns)
    assert f.forecast_quantiles(1).columns.nlevels == 3
    assert pickle.loads(pickle.dumps(f)).forecast(1).columns.equals(columns)


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Havana", "America/Santiago"])
def test_days_whose_midnight_does_not_exist_are_forecast(zone):
    start = pd.Timestamp("2023-12-01", tz=zone)
    y = pd.Series(np.sin(np.arange(90.0)), pd.date_range(start, periods=90))
    index = small(7, 2, epochs=0).fit(y).forecast(330).index
    assert len(set(index.date)) == 330 and index.is_monotonic_increasing


def test_displays_read_the_index_of_actual_values(dated, many):
    with pytest.raises(ValueError, match="y_true has a PeriodIndex"):
        ForecastDisplay.from_estimator(
            dated, 7, X, y_true=Y[N + 2 : N + 7].to_period("D")
        )
    drawn = ForecastDisplay.from_estimator(
        many, 7, panel(X), series="q", y_true=panel(Y)[panel(Y) < 60]
    )
    assert_array_equal(drawn.y_true, Y[Y < 60])


def test_displays_compare_the_index_of_y_with_that_of_X(dated):
    with pytest.raises(ValueError, match="X and y have different indexes"):
        PredictionDisplay.from_estimator(dated, X[N:-1], Y[N + 1 :])
    windows, targets = make_windows(Y.to_numpy(), 6)
    shuffled = pd.Series(targets[:, 0], RNG.permutation(len(targets)))
    f = bare(None, 1).fit(windows, shuffled)
    drawn = PredictionDisplay.from_estimator(f, windows, shuffled)
    assert_array_equal(drawn.y_pred, f.predict(windows))


def test_rows_ahead_that_a_series_lacks_are_told_with_its_key(many):
    ended = pd.concat({"p": X, "q": X[:N]}, names=["series", "day"])
    told = "Series 'q': X ends at 2023-04-10.*name other series by series="
    with pytest.raises(ValueError, match=told):
        many.forecast(7, ended)
    assert len(many.forecast(7, ended, series="p")) == 7


def of_second(rows):
    """Rows of two series, those of the second changed by `change`."""
    return lambda change: pd.concat(
        {"p": rows, "q": change(rows)}, names=["series", "day"]
    )


later, ahead, few = of_second(Y[N:]), of_second(X[N:]), of_second(X[N : N + 7])
FAULTS_OF_ONE = {
    "update": lambda f, g: g.update(later(lambda y: y[3:])),
    "observe": lambda f, g: g.observe(later(lambda y: y.drop(y.index[3]))),
    "update, scaled": lambda f, g: (
        bare(scaler="log").fit(panel(Y[:N] + 9)).update(later(lambda y: y - 99) + 9)
    ),
    "backtest": lambda f, g: g.backtest(later(lambda y: y[:1])),
    "score": lambda f, g: g.score(of_second(Y[N - 9 :])(lambda y: y + 1)),
    "predict": lambda f, g: g.predict(later(lambda y: y.shift(freq="1h"))),
    "predict inside": lambda f, g: g.predict(of_second(Y[N - 9 :])(lambda y: y + 1)),
    "predict X inside": lambda f, g: f.predict(of_second(X[N - 9 :])(lambda x: x + 1)),
    "history": lambda f, g: g.forecast(history=of_second(Y[:N])(lambda y: y * np.nan)),
    "forecast, late": lambda f, g: f.forecast(7, ahead(lambda x: x[1:])),
    "forecast, few": lambda f, g: f.forecast(7, few(lambda x: x[:3])),
    "forecast, missing": lambda f, g: f.forecast(7, ahead(lambda x: x * np.nan)),
    "fit, empty": lambda f, g: bare().fit(later(lambda y: y * np.nan)),
    "fit, scaled": lambda f, g: bare(scaler="log").fit(later(lambda y: y - 99) + 9),
}


@pytest.fixture(scope="module")
def many_alone():
    return bare().fit(panel(Y[:N]))


@pytest.mark.parametrize("fault", FAULTS_OF_ONE)
def test_a_fault_of_one_series_is_told_with_its_name(fault, many, many_alone):
    with pytest.raises(ValueError, match="^Series 'q': "):
        FAULTS_OF_ONE[fault](many, many_alone)


def test_a_long_table_is_told_before_the_order_of_its_rows():
    table = long_table(DAYS.strftime("%Y-%m-%d")).sample(frac=1, random_state=0)
    with pytest.raises(TypeError, match="Column 'unique_id' of X.*panel_from_long"):
        small().fit(table)
    shuffled = panel(Y).sample(frac=1, random_state=0)
    with pytest.raises(ValueError, match=r"Call sort_index\(\) on X first"):
        small().fit(shuffled)


def test_dates_to_predict_are_told(dated):
    with pytest.raises(TypeError, match=r"20 time stamps.*forecast\(20\)"):
        dated.predict(DAYS[N:])


def test_steps_that_are_inputs_are_told(dated):
    for steps in (X[N:], [1, 2], DAYS[-1]):
        with pytest.raises(TypeError, match=r"it is a .*forecast\(X=...\)"):
            dated.forecast(steps)


@pytest.mark.parametrize(
    "times",
    [
        DAYS[:2],
        [DAYS[0].date(), DAYS[1].date()],
        DAYS[:2].to_period("M"),
        DAYS[:2] - DAYS[0],
    ],
)
def test_dates_are_no_categories_of_static_features(times):
    static = pd.DataFrame({"size": [1, 2], "opened": times}, ["p", "q"])
    with pytest.raises(TypeError, match="'opened' .* holds dates .* days since a date"):
        bare().fit(panel(Y), static_features=static)
    static["opened"] = static["opened"].astype(str)
    assert len(bare().fit(panel(Y), static_features=static).forecast(1)) == 2


def test_columns_of_static_features_go_by_their_names():
    static = pd.DataFrame({"size": [1.0, 2.0], "kind": ["x", "y"]}, ["p", "q"])
    f = bare().fit(panel(Y), static_features=static)
    again = f.forecast(3, history=panel(Y), static_features=static[["kind", "size"]])
    assert_allclose(again, f.forecast(3))
    with pytest.raises(ValueError, match="fitted with .'size', 'kind'.. Pass the same"):
        f.forecast(3, history=panel(Y), static_features=static[["kind"]])


def test_keys_of_series_that_differ_in_their_type_alone_are_refused():
    mixed = pd.concat({1: Y, "1": Y}, names=["store", "day"])
    said = "series 1 and '1', which differ in their type alone"
    with pytest.raises(ValueError, match=f"The index of X has the {said}"):
        bare().fit(mixed)
    long = mixed.reset_index()
    with pytest.raises(ValueError, match=f"The frame has the {said}"):
        panel_from_long(long, series="store", time="day")
    long.insert(0, "city", "a")
    with pytest.raises(ValueError, match=r"\('a', 1\) and \('a', '1'\), which differ"):
        panel_from_long(long, series=["city", "store"], time="day")
    f = bare().fit(pd.concat({1: Y, 2: Y}, names=["store", "day"]))
    assert f.forecast(1, series=1.0).index[0][0] == 1
    assert f.forecast(1, series=1.0).index.levels[0].dtype.kind == "i"
    static = pd.DataFrame({"size": [1, 2]}, ["1", "2"])
    with pytest.raises(ValueError, match=r"series 1. .* begins with \['1', '2'\]"):
        f.fit(pd.concat({1: Y, 2: Y}), static_features=static)


def test_static_features_that_are_too_large_are_refused():
    sizes = pd.DataFrame({"size": [1.0, 2.0]}, ["p", "q"])
    with pytest.raises(ValueError, match="static_features holds values as large"):
        small().fit(panel(Y), static_features=sizes * 1e300)
    f = small(epochs=0).fit(panel(Y), static_features=sizes)
    with pytest.raises(ValueError, match="too far from those of fit.*Check its unit"):
        f.forecast(1, history=panel(Y), static_features=sizes * 1e60)


def test_displays_take_columns_frames_and_any_number_of_rows():
    f = small(12, 3).fit(Y[:N].to_frame())
    assert len(ForecastDisplay.from_estimator(f, 3).forecast) == 3
    drawn = ForecastDisplay.from_estimator(f, 3, y_true=Y[N : N + 3].to_frame())
    assert drawn.y_true.index[0] == DAYS[N]
    assert len(ForecastDisplay.from_estimator(f, 3, n_history=0).history) == 0
    g = small(12, 3).fit(panel(Y[:N]))
    with pytest.raises(ValueError, match="holds many series, and a display shows one"):
        PredictionDisplay.from_estimator(g, panel(Y[N:]))
    with pytest.raises(ValueError, match="has 2 series, and .* series=, one of .'p'"):
        g.plot()
    with pytest.raises(ValueError, match="has no series 'z'. Pass series="):
        g.plot(series="z")


# F21, F22: past covariates alone, windows -------------------------------------


@pytest.mark.parametrize("method", ["update", "observe"])
def test_rows_of_many_series_that_do_not_follow_are_told_with_the_series(method):
    f = small(12, 3).fit(panel(Y[:N]))
    told = "Series 'p': The rows do not follow the history at once.*the row after"
    with pytest.raises(ValueError, match=told):
        getattr(f, method)(panel(Y[N + 1 : N + 3]))


def test_past_covariates_alone_need_no_inputs_ahead():
    inputs = pd.DataFrame(RNG.normal(size=(120, 2)), DAYS, ["temp", "load"])
    y = inputs["temp"].shift(1, fill_value=0) + 5
    f = small(12, 3, past_covariates=("temp", "load")).fit(inputs[:N], y[:N])
    blank = inputs[N : N + 3] * np.nan
    assert_array_equal(f.forecast(3), f.forecast(3, blank))
    g = small(12, 3, past_covariates=("temp",)).fit(inputs[:N], y[:N])
    ahead = inputs[N : N + 3]
    assert_array_equal(g.forecast(X=ahead[["load"]]), g.forecast(X=ahead))


def test_a_transformer_scales_no_calendar_features():
    log = FunctionTransformer(np.log1p, np.expm1)
    f = small(scaler=log, calendar=("dayofweek",), epochs=0)
    alone = f.fit(Y[:N]).forecast(3)
    assert np.isfinite(alone).all()
    beside = f.fit(X[:N], Y[:N]).forecast(3, X[N:])
    again = pickle.loads(pickle.dumps(f)).forecast(3, X[N:])
    assert np.isfinite(beside).all() and beside.equals(again)


def test_windows_of_make_windows_are_fitted_as_they_are():
    windows, targets = make_windows(TWO.to_numpy(), 12, 3)
    f = LSTMForecaster(units=2, epochs=1, random_state=0).fit(windows, targets)
    assert f.predict(windows[:4]).shape == (4, 3, 2)
    assert np.isfinite(f.score(windows, targets))
    flat = clone_of(f).fit(windows, targets.reshape(len(targets), -1))
    assert_array_equal(
        f.predict(windows).reshape(len(windows), -1), flat.predict(windows)
    )


def test_windows_are_cut_from_regular_steps_of_one_series():
    with pytest.raises(ValueError, match="series is not sorted by time"):
        make_windows(Y[::-1], 6)
    with pytest.raises(ValueError, match="series: The time steps are not regular"):
        make_windows(Y.drop(DAYS[5]), 6)
    with pytest.raises(ValueError, match="reach from one into the next"):
        make_windows(panel(Y), 6)


def clone_of(f):
    return LSTMForecaster(**f.get_params())


@pytest.mark.parametrize("linear_skip", [True, False])
def test_a_window_without_the_axis_of_rows_is_refused(linear_skip):
    windows, targets = make_windows(TWO[["a"]].to_numpy(), 12)
    f = small(None, 1, linear_skip=linear_skip).fit(windows, targets[:, 0, 0])
    with pytest.raises(ValueError, match="Pass windows of that shape"):
        f.predict(windows[0])


# Series too short to tell their step -------------------------------------------

MONTH_ENDS = pd.date_range("2020-01-31", periods=60, freq="ME")
MONTHLY = pd.Series(np.sin(np.arange(60.0)), pd.DatetimeIndex(list(MONTH_ENDS)))


@pytest.mark.parametrize("n_rows", [1, 2])
@pytest.mark.parametrize("kind", ["stamps", "periods", "numbers"])
def test_a_short_series_has_the_step_of_the_others(n_rows, kind, tmp_path):
    series = MONTHLY
    if kind == "periods":
        series = MONTHLY.to_period("M")
    if kind == "numbers":
        series = MONTHLY.set_axis(range(0, 120, 2))
    f = bare().fit(pd.concat({"old": series, "new": series[:n_rows]}))
    following = list(series.index[n_rows : n_rows + 3])
    assert list(f.forecast(3, series="new").index.get_level_values(1)) == following
    f.save(tmp_path / "f.sklstm")
    again = sklstm.load(tmp_path / "f.sklstm")
    assert list(again.forecast(3, series="new").index.get_level_values(1)) == following
    with pytest.raises(ValueError, match="series 'new'.*step of the longer series is"):
        bare().fit(pd.concat({"old": series, "new": series.iloc[[0, 2]]}))


@pytest.mark.parametrize("n_rows", [1, 2])
def test_a_short_history_has_the_step_of_the_fitted_series(n_rows):
    f = bare().fit(MONTHLY)
    following = list(MONTHLY.index[n_rows : n_rows + 3])
    assert list(f.forecast(3, history=MONTHLY[:n_rows]).index) == following
    with pytest.raises(ValueError, match="history: .*not regular"):
        f.forecast(3, history=MONTHLY.iloc[[0, 2]])


def test_a_short_series_off_the_grid_of_the_others_goes_its_own_way():
    mid = pd.Series([1.0, 2.0], pd.DatetimeIndex(["2020-03-15", "2020-03-20"]))
    f = bare().fit(pd.concat({"old": MONTHLY, "new": mid}))
    assert f.forecast(1, series="new").index[0][1] == pd.Timestamp("2020-03-25")


def test_parts_of_one_time_in_several_levels_are_told():
    levels = pd.MultiIndex.from_product(
        [range(2001, 2006), range(1, 13)], names=["year", "month"]
    )
    with pytest.warns(UserWarning, match="one 'year' are taken for a series.*Period"):
        bare().fit(MONTHLY.set_axis(levels))


# Test rows of scores, reports and displays --------------------------------------


def test_reports_go_by_index_and_names(dated, tmp_path):
    page = tmp_path / "page.html"
    for X_new, y_new, words in (
        (X[N:], Y[N - 20 : N], "different indexes"),
        (X[N:], None, "need both"),
        (X[N:], Y[N:].to_frame("other").assign(more=1.0), "fitted with|targets|1"),
        (X[N + 3 :], Y[N + 3 :], "follow the history at once.*2023-04-11"),
        (X[N - 3 :], Y[N - 3 :], "follow the history at once"),
    ):
        with pytest.raises(ValueError, match=words):
            dated.report(page, X_new, y_new)


def test_a_score_without_its_target_or_with_short_weights_is_refused(dated):
    with pytest.raises(ValueError, match="need both"):
        dated.score(X[N:])
    with pytest.raises(ValueError, match="sample_weight"):
        dated.score(X[N:], Y[N:], np.ones(3))


def test_prediction_displays_show_one_column_of_the_same_dates():
    draw = PredictionDisplay.from_predictions
    with pytest.raises(ValueError, match="different indexes"):
        draw(Y[:9], Y[:9].iloc[::-1])
    with pytest.raises(ValueError, match="shape \\(9, 2\\)"):
        draw(TWO[:9], TWO[:9])
    with pytest.raises(ValueError, match="holds many series"):
        draw(panel(Y[:9]), panel(Y[:9]))
    assert draw(Y[:9].to_frame(), Y[:9].to_frame()).y_true.index.equals(DAYS[:9])


def test_forecast_displays_continue_the_axis_of_the_history():
    shown = ForecastDisplay.from_predictions(Y[:9].to_frame(), [[1.0], [2.0]])
    assert list(shown.forecast.index) == list(DAYS[9:11])


# Ready-made windows and their names ---------------------------------------------


def test_windows_go_by_the_names_of_their_columns():
    lags, target = make_windows(np.sin(np.arange(80.0)), 6)
    windows = pd.DataFrame(lags)  # whose names are whole numbers
    y = pd.DataFrame({"a": target[:, 0], "b": 100 - target[:, 0]})
    f = LSTMForecaster(units=2, epochs=0, random_state=0).fit(windows, y)
    assert_allclose(f.predict(windows[windows.columns[::-1]]), f.predict(windows))
    assert f.score(windows, y[["b", "a"]]) == f.score(windows, y)
    with pytest.raises(ValueError, match="different indexes"):
        f.score(windows, y.iloc[::-1])
    with pytest.raises(ValueError, match="different indexes"):
        f.fit(windows, y.iloc[::-1])


def test_windows_without_a_target_are_left_out():
    lags, target = make_windows(np.sin(np.arange(80.0)), 6)
    gappy = np.where(np.arange(len(target)) == 7, np.nan, target[:, 0])
    known = ~np.isnan(gappy)
    f = LSTMForecaster(units=2, epochs=0, random_state=0)
    expected = f.fit(lags[known], gappy[known]).predict(lags)
    assert_array_equal(f.fit(lags, gappy).predict(lags), expected)
    with pytest.raises(ValueError, match="y is missing in every row"):
        f.fit(lags, gappy * np.nan)
    with pytest.raises(ValueError, match="zero for every row whose y is known"):
        f.fit(lags, gappy, sample_weight=~known)


@pytest.mark.parametrize("names", [[5, 7], [1, 0], [("p", "a"), ("p", "b")]])
def test_past_covariates_of_any_name_are_matched_by_it(names):
    both = pd.DataFrame(RNG.normal(size=(120, 2)), DAYS, names)
    f = bare(past_covariates=[names[1]]).fit(both[:N], Y[:N])
    expected = f.forecast(2, both)
    assert_array_equal(f.forecast(2, both[names[::-1]]), expected)
    assert_array_equal(f.forecast(2, both[names[:1]]), expected)
    other = pd.DataFrame(both.to_numpy(), DAYS, ["a", "b"])
    same = bare(past_covariates=["b"]).fit(other[:N], Y[:N])
    assert_array_equal(same.forecast(2, other), expected)


def test_names_of_the_levels_of_columns_stay_beside_quantiles():
    columns = pd.MultiIndex.from_product([["Close"], ["A", "B"]], names=["p", "t"])
    f = bare().fit(TWO.set_axis(columns, axis=1))
    assert list(f.forecast_quantiles(1).columns.names) == ["p", "t", None]


# Files --------------------------------------------------------------------------

DATES = [datetime.date(2023, 1, 6), datetime.date(2023, 2, 3)]


@pytest.mark.parametrize(
    "dates",
    [DATES, set(DATES), pd.Series(DATES), np.array(DATES, "M8[D]"), pd.Index(DATES)]
    + [[pd.Period(day, "D") for day in DATES], [pd.Timestamp(d) for d in DATES]],
)
def test_holidays_of_any_kind_survive_files(dates, tmp_path):
    f = bare(calendar=(dates,)).fit(Y.rename(DATES[0]))
    f.save(tmp_path / "f.sklstm")
    again = sklstm.load(tmp_path / "f.sklstm")
    pd.testing.assert_series_equal(again.forecast(9), f.forecast(9))


# Missing values in metrics ------------------------------------------------------


def test_quantiles_go_by_dates_and_by_the_names_of_columns():
    actual = Y[:4]
    table = pd.DataFrame({0.9: actual + 1, 0.1: actual - 1})
    loss = weighted_quantile_loss(actual, table, quantiles=[0.1, 0.9])
    expected = weighted_quantile_loss(
        actual, table[[0.1, 0.9]].to_numpy(), quantiles=[0.1, 0.9]
    )
    assert loss == expected
    with pytest.raises(ValueError, match="different indexes"):
        weighted_quantile_loss(actual[::-1], table, quantiles=[0.1, 0.9])


MISSING = {
    "mase": lambda y, p: mean_absolute_scaled_error(y, p, y_train=[1.0, 3.0, 2.0]),
    "smape": symmetric_mean_absolute_percentage_error,
    "loss": lambda y, p: weighted_quantile_loss(y, np.c_[p, p], quantiles=[0.1, 0.9]),
    "share": lambda y, p: interval_coverage(y, p, p),
    "score": lambda y, p: interval_score(y, p, p, coverage=0.9),
}


@pytest.mark.parametrize("name", MISSING)
def test_metrics_treat_missing_values_alike(name):
    metric, y, p = MISSING[name], np.array([1.0, np.nan, 4.0]), np.array([1.0, 2, 3])
    assert metric(y, p) == metric(y[[0, 2]], p[[0, 2]])
    with pytest.raises(ValueError, match="forecast is missing in"):
        metric(p, y)
    with pytest.raises(ValueError, match="No row has an actual value"):
        metric(y * np.nan, p)


def test_errors_of_many_series_are_not_scaled_by_one_naive_forecast():
    with pytest.raises(ValueError, match="y_train holds many series"):
        mean_absolute_scaled_error(Y[:3], Y[:3], y_train=panel(Y))
