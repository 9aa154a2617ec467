import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster
from sklstm.metrics import make_backtest_scorer
from sklstm.metrics import mean_absolute_scaled_error as mase

QUICK = {"window_length": 6, "horizon": 3, "epochs": 2, "units": 3, "random_state": 0}
QUICK |= {"pretrained": False}


@pytest.fixture
def many(passengers):
    parts = {"a": passengers[:80], "b": 3 * passengers[20:80], "c": passengers[40:70]}
    return pd.concat(parts, names=["id", "month"])


OPTIONS = [
    {},
    {"stride": 2},
    {"gap": 2},
    {"gap": 2, "steps": 5},  # beyond the horizon
    {"refit": 2, "stride": 2},
    {"refit": 1, "stride": 3, "max_train_size": 40},
    {"refit": 2, "stride": 2, "gap": 1, "max_train_size": 40},
    {"refit": "warm", "stride": 3, "gap": 1},
    {"refit": 2, "stride": 2, "warm_start": True},
]


def by_hand(train, test, *, steps=3, stride=1, gap=0, refit=None, max_train_size=None):
    """What `backtest` says that it does, written with `fit`, `update`, `forecast`."""
    rows = pd.concat([train, test])
    model = LSTMForecaster(**QUICK).fit(train)
    every = 1 if refit == "warm" else refit
    origins = range(len(train), len(rows) - gap - steps + 1, stride)
    for i, origin in enumerate(origins):
        known = rows[:origin]
        if every is not None and i > 0 and i % every == 0:
            if refit != "warm":
                model = LSTMForecaster(**QUICK)
            model.set_params(warm_start=refit == "warm")
            model.fit(known if max_train_size is None else known[-max_train_size:])
        elif i > 0:
            model.update(rows[origin - stride : origin])
        forecast = model.forecast(gap + steps)
        upper = model.forecast_quantiles(gap + steps, quantiles=(0.9,))
        for step in range(gap, gap + steps):
            yield (
                rows.index[origin - 1],
                step + 1,
                rows.iloc[origin + step],
                forecast.iloc[step],
                upper.iloc[step, 0],
            )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_backtest_is_a_loop_written_by_hand(passengers, options):
    train, test = passengers[:60], passengers[60:73]
    options, warm = dict(options), options.get("warm_start", False)
    options.pop("warm_start", None)
    f = LSTMForecaster(**QUICK, warm_start=warm).fit(train)
    before = f.forecast()
    table = f.backtest(test, **options, quantiles=(0.9,))
    if warm:  # the parameter says the same of an int as the word does
        options = options | {"refit": "warm", "stride": 4}
        table = f.backtest(test, refit=1, stride=4, quantiles=(0.9,))
    columns = ["origin", "step", "y_true", "y_pred", 0.9]
    expected = pd.DataFrame(by_hand(train, test, **options), columns=columns)
    assert (table.pop("series") == "passengers").all()
    pd.testing.assert_frame_equal(table, expected, rtol=1e-5, check_freq=False)
    assert f.forecast().equals(before)
    assert len(f._state.series[None].history) == 60


def test_scorers_count_all_lead_times(passengers):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    rows = passengers[60:66]
    score = make_backtest_scorer(mase, seasonal_period=12, stride=3)
    table = f.backtest(rows, stride=3)
    pair = table["y_true"], table["y_pred"]
    expected = mase(*pair, y_train=passengers[:60], seasonal_period=12)
    assert score(f, rows) == pytest.approx(-expected)
    plain = make_backtest_scorer(mean_absolute_error, steps=2, gap=1)
    short = f.backtest(rows, steps=2, gap=1)
    assert plain(f, rows) == -mean_absolute_error(short["y_true"], short["y_pred"])
    unnamed = LSTMForecaster(**QUICK).fit(passengers[:60].to_numpy())
    assert score(unnamed, rows.to_numpy()) == pytest.approx(-expected)


def test_scorers_of_many_series_average_over_them(many):
    parts = [part.to_numpy() for _, part in many.groupby(level=0)]
    f = LSTMForecaster(**QUICK).fit([part[:-6] for part in parts])
    rows = [part[-6:] for part in parts]
    tables = [own for _, own in f.backtest(rows).groupby("series")]
    each = [
        mase(own["y_true"], own["y_pred"], y_train=part[:-6])
        for part, own in zip(parts, tables, strict=True)
    ]
    assert make_backtest_scorer(mase)(f, rows) == pytest.approx(-np.mean(each))


@pytest.mark.parametrize("with_inputs", [False, True])
def test_scorers_in_a_search_with_and_without_y(passengers, with_inputs):
    search = GridSearchCV(
        LSTMForecaster(**QUICK),
        {"window_length": [6, 12]},
        # Workers get a pickled one.
        scoring=pickle.loads(pickle.dumps(make_backtest_scorer(mase))),
        cv=TimeSeriesSplit(2, test_size=6),
    )
    if with_inputs:
        month = pd.DataFrame({"month": passengers.index.month}, passengers.index)
        search.fit(month, passengers)
    else:
        search.fit(passengers)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ < 0


def test_many_series_are_refitted_together(many):
    test = many.groupby(level=0).tail(7)
    train = many.drop(test.index)
    f = LSTMForecaster(**QUICK).fit(train)
    table = f.backtest(test.drop(test.loc[["c"]].index[3:]), stride=2, refit=1)
    assert table["series"].tolist() == ["a"] * 9 + ["b"] * 9 + ["c"] * 3
    later = LSTMForecaster(**QUICK).fit(
        pd.concat(
            [
                many.loc[["a"]][:77],
                many.loc[["b"]][:57],
                many.loc[["c"]][:26],
            ]
        )
    )
    np.testing.assert_allclose(
        table["y_pred"][6:9], later.forecast(3, series=["a"]), rtol=1e-3
    )


def test_inputs_are_cut_with_the_rows():
    X = pd.DataFrame({"x": np.random.RandomState(0).normal(size=70)})
    y = X["x"] * 2 + np.arange(70)
    f = LSTMForecaster(**QUICK).fit(X[:60], y[:60])
    table = f.backtest(X[60:], y[60:], refit=4)
    assert np.abs(table["y_true"] - table["y_pred"]).max() < 2
    X.loc[66:, "x"] = 1e6  # after every row that the first forecasts read
    again = f.backtest(X[60:], y[60:], refit=4)
    np.testing.assert_array_equal(again["y_pred"][:12], table["y_pred"][:12])


def test_observed_rows_tell_their_error(passengers, many):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    expected = passengers[60:66] - f.predict(passengers[60:66])
    errors = f.observe(passengers[60:66])
    pd.testing.assert_series_equal(errors, expected, check_names=False)
    assert f.forecast(1).index[0] == passengers.index[66]
    f = LSTMForecaster(**QUICK).fit(many)
    new = pd.concat({"b": 3 * passengers[80:82]}, names=["id", "month"])
    expected = new - f.predict(new)
    pd.testing.assert_series_equal(f.observe(new), expected, check_names=False)


def test_an_outlier_is_the_largest_error(passengers):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    rows = passengers[60:70].copy()
    rows.iloc[4] *= 3
    assert np.abs(f.observe(rows)).argmax() == 4


@pytest.mark.parametrize(
    "parameters, error, match",
    [
        ({"refit": 0}, ValueError, "refit must be an int of 1 or more. Got 0"),
        ({"refit": 1, "max_train_size": 0.5}, TypeError, "max_train_size must be an"),
        ({"max_train_size": 5}, ValueError, "is None. Set refit"),
        ({"refit": True}, ValueError, "refit must be .* Got True. Pass refit=1 to fit"),
        ({"refit": "cold"}, ValueError, "refit must be an int, .* Got 'cold'"),
        ({"gap": -1}, ValueError, "gap must be an int of 0 or more. Got -1"),
        ({"gap": True}, ValueError, "gap must be an int of 0 or more. Got True"),
        ({"gap": 8}, ValueError, "10 rows, but steps=3 after gap=8 needs at least 11"),
        ({"refit": 1, "max_train_size": 5}, ValueError, "has 5 time steps"),
    ],
)
def test_bad_parameters(passengers, parameters, error, match):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    with pytest.raises(error, match=match):
        f.backtest(passengers[60:70], **parameters)
    with pytest.raises(ValueError, match="leave a gap"):
        f.observe(passengers[62:70])
    assert len(f._state.series[None].history) == 60


@pytest.mark.parametrize("refit", [3, "warm"])
def test_workers_change_nothing(many, capsys, refit):
    f = LSTMForecaster(**QUICK).fit(many)
    rows = f.forecast(8)
    options = {"refit": refit, "stride": 3 if refit == "warm" else 1, "gap": 1}
    alone = f.backtest(rows, **options)
    assert capsys.readouterr().out == ""
    f.set_params(verbose=1)
    assert f.backtest(rows, **options, n_jobs=2).equals(alone)
    assert capsys.readouterr().out.splitlines()[-1].startswith("2/2 [####")


@pytest.mark.parametrize("n_jobs", [0, 1.5])
def test_number_of_workers(passengers, n_jobs):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    with pytest.raises(ValueError, match="n_jobs must be an int other than 0"):
        f.backtest(passengers[60:70], n_jobs=n_jobs)
