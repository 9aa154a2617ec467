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


@pytest.fixture
def many(passengers):
    parts = {"a": passengers[:80], "b": 3 * passengers[20:80], "c": passengers[40:70]}
    return pd.concat(parts, names=["id", "month"])


def test_refitting_is_a_loop_written_by_hand(passengers):
    train, test = passengers[:60], passengers[60:73]
    f = LSTMForecaster(**QUICK).fit(train)
    before = f.forecast()
    table = f.backtest(test, stride=2, refit=2, quantiles=(0.9,))
    rows = []
    for i, origin in enumerate(range(60, 71, 2)):
        if i % 2 == 0:
            model = LSTMForecaster(**QUICK).fit(passengers[:origin])
        else:
            model.update(passengers[origin - 2 : origin])
        forecast = model.forecast(3)
        upper = model.forecast_quantiles(3, quantiles=(0.9,))
        for step in range(3):
            rows.append(
                (
                    passengers.index[origin - 1],
                    step + 1,
                    passengers.iloc[origin + step],
                    forecast.iloc[step],
                    upper.iloc[step, 0],
                )
            )
    expected = pd.DataFrame(rows, columns=["origin", "step", "y_true", "y_pred", 0.9])
    np.testing.assert_array_equal(table["series"], "passengers")
    for column in expected:
        if column == "origin":
            assert (table[column].to_numpy() == expected[column].to_numpy()).all()
        else:
            np.testing.assert_allclose(table[column], expected[column], rtol=1e-6)
    assert f.forecast().equals(before)
    assert len(f._histories[None]) == 60


def test_scorers_count_all_lead_times(passengers):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    rows = passengers[60:66]
    score = make_backtest_scorer(mase, seasonal_period=12, stride=3)
    table = f.backtest(rows, stride=3)
    pair = table["y_true"], table["y_pred"]
    expected = mase(*pair, y_train=passengers[:60], seasonal_period=12)
    assert score(f, rows) == pytest.approx(-expected)
    plain = make_backtest_scorer(mean_absolute_error, steps=2)
    short = f.backtest(rows, steps=2)
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


def test_a_sliding_window_forgets_what_is_old(passengers):
    train, test = passengers[:60], passengers[60:66]
    table = (
        LSTMForecaster(**QUICK)
        .fit(train)
        .backtest(test, stride=3, refit=1, max_train_size=40)
    )
    model = LSTMForecaster(**QUICK).fit(passengers[23:63])
    np.testing.assert_allclose(table["y_pred"][3:], model.forecast(3), rtol=1e-6)


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
        ({"max_train_size": 5}, ValueError, "Set refit"),
        ({"refit": 1, "max_train_size": 5}, ValueError, "has 5 time steps"),
    ],
)
def test_bad_parameters(passengers, parameters, error, match):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    with pytest.raises(error, match=match):
        f.backtest(passengers[60:70], **parameters)
    with pytest.raises(ValueError, match="leave a gap"):
        f.observe(passengers[62:70])
    assert len(f._histories[None]) == 60


def test_workers_change_nothing(many, capsys):
    f = LSTMForecaster(**QUICK).fit(many)
    rows = f.forecast(8)
    alone = f.backtest(rows, refit=3)
    assert capsys.readouterr().out == ""
    f.set_params(verbose=1)
    assert f.backtest(rows, refit=3, n_jobs=2).equals(alone)
    assert capsys.readouterr().out.splitlines()[-1].startswith("2/2 [####")


@pytest.mark.parametrize("n_jobs", [0, 1.5])
def test_number_of_workers(passengers, n_jobs):
    f = LSTMForecaster(**QUICK).fit(passengers[:60])
    with pytest.raises(ValueError, match="n_jobs must be an int other than 0"):
        f.backtest(passengers[60:70], n_jobs=n_jobs)
