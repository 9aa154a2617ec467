"""The forecaster in sktime's test suite, pipelines, searches and panels."""

import importlib
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler

pytest.importorskip("sktime")

from sktime.forecasting.base import ForecastingHorizon  # noqa: E402
from sktime.forecasting.compose import (  # noqa: E402
    EnsembleForecaster,
    ForecastingPipeline,
    TransformedTargetForecaster,
)
from sktime.forecasting.model_evaluation import evaluate  # noqa: E402
from sktime.forecasting.model_selection import ForecastingGridSearchCV  # noqa: E402
from sktime.forecasting.naive import NaiveForecaster  # noqa: E402
from sktime.forecasting.reconcile import ReconcilerForecaster  # noqa: E402
from sktime.split import ExpandingWindowSplitter  # noqa: E402
from sktime.transformations.adapt import TabularToSeriesAdaptor  # noqa: E402
from sktime.transformations.difference import Differencer  # noqa: E402
from sktime.transformations.hierarchical.aggregate import Aggregator  # noqa: E402
from sktime.utils.estimator_checks import check_estimator  # noqa: E402

from sklstm import LSTMForecaster as OwnForecaster  # noqa: E402
from sklstm.sktime import LSTMForecaster  # noqa: E402

# What sktime says of its own coming versions, and of its data containers.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SMALL = {
    "window_length": 6,
    "horizon": 3,
    "units": 2,
    "epochs": 1,
    "batch_size": 16,
    "random_state": 0,
}
N = 60


@pytest.fixture(scope="module")
def y(passengers):
    return passengers[:N]


@pytest.fixture(scope="module")
def X(y):
    rng = np.random.default_rng(0)
    index = pd.date_range(y.index[0], periods=N + 12, freq="MS")
    return pd.DataFrame(rng.normal(size=(N + 12, 2)), index, ["a", "b"])


@pytest.fixture(scope="module")
def panel(y):
    parts = {name: y.to_frame("y") * size for name, size in [("p", 1), ("q", 3)]}
    return pd.concat(parts, names=["series", "month"])


# sktime's own, on pandas 3.
@pytest.mark.filterwarnings("ignore:Sorting by default when concatenating")
def test_passes_the_suite_of_sktime():
    results = check_estimator(LSTMForecaster, raise_exceptions=True, verbose=False)
    assert len(results) > 800 and set(results.values()) == {"PASSED"}


@pytest.mark.parametrize("fh", [[1], [2, 5], [-3, 0, 4], [-59, -1]])
def test_forecasts_are_those_of_the_estimator(y, fh):
    own = OwnForecaster(**SMALL).fit(y)
    everything = pd.concat([own.predict(y), own.forecast(5)])
    forecast = LSTMForecaster(**SMALL).fit(y).predict(fh)
    expected = everything.iloc[N - 1 + np.array(fh)]
    pd.testing.assert_series_equal(forecast, expected, check_freq=False)


def test_forecasts_with_inputs(y, X):
    own = OwnForecaster(**SMALL).fit(X[:N], y)
    f = LSTMForecaster(**SMALL).fit(y, X=X)
    forecast = f.predict([0, 1, 2, 3], X=X[N:])
    expected = pd.concat([own.predict(X[N - 1 : N]), own.forecast(X=X[N : N + 3])])
    np.testing.assert_allclose(forecast, expected)


def test_inputs_between_stamps_lie_on_a_line(y, X):
    f = LSTMForecaster(**SMALL).fit(y, X=X)
    line = X.copy()
    line.iloc[N + 1] = (X.iloc[N] + X.iloc[N + 2]) / 2
    sparse = X.drop(X.index[N + 1])
    with_gap = X.copy()
    with_gap.iloc[N + 1] = np.nan
    expected = f.predict([1, 3], X=line)
    np.testing.assert_allclose(f.predict([1, 3], X=sparse), expected)
    np.testing.assert_allclose(f.predict([1, 3], X=with_gap), expected)


def test_inputs_must_reach_the_horizon(y, X):
    f = LSTMForecaster(**SMALL).fit(y, X=X)
    with pytest.raises(ValueError, match="a row for every stamp of fh.*1954-01-01"):
        f.predict([1, 4], X=X[: N + 3])
    with pytest.raises(ValueError, match="needs X for"):
        f.predict([1])


def test_many_series(panel, y):
    own = OwnForecaster(**SMALL).fit(panel)
    f = LSTMForecaster(**SMALL).fit(panel, fh=[1, 2])
    expected = own.forecast(2)
    pd.testing.assert_frame_equal(f.predict(), expected)
    inside = f.predict([-1, 0])
    assert inside.index.equals(panel.groupby(level=0).tail(2).index.sort_values())
    np.testing.assert_allclose(inside, own.predict(panel).groupby(level=0).tail(2))


def test_a_series_that_ends_earlier_is_forecast_up_to_the_horizon(panel):
    shorter = panel.drop(panel.loc[["q"]].index[-4:])
    forecast = LSTMForecaster(**SMALL).fit(shorter).predict([1, 2])
    own = OwnForecaster(**SMALL).fit(shorter).forecast(6)
    assert list(forecast.loc["q"].index) == list(forecast.loc["p"].index)
    np.testing.assert_allclose(forecast.loc["q"], own.loc["q"].iloc[4:])
    np.testing.assert_allclose(forecast.loc["p"], own.loc["p"].iloc[:2])


def test_rows_before_a_series_starts_have_no_forecast(panel):
    late = panel.drop(panel.loc[["q"]].index[:10])
    forecast = LSTMForecaster(**SMALL).fit(late).predict([-N + 1, 0])
    assert forecast["y"].isna().tolist() == [False, False, True, False]


def test_quantiles_are_those_of_the_estimator(y):
    own = OwnForecaster(**SMALL).fit(y).forecast_quantiles(3, quantiles=(0.05, 0.95))
    f = LSTMForecaster(**SMALL).fit(y)
    spread = f.predict_quantiles([1, 3], alpha=[0.05, 0.95])
    np.testing.assert_allclose(spread, own.iloc[[0, 2]])
    interval = f.predict_interval([1, 3], coverage=0.9)
    np.testing.assert_allclose(interval, spread)


def test_missing_values_are_interpolated(y, X):
    y, gappy = y.copy(), X.copy()
    y.iloc[20:22] = np.nan
    gappy.iloc[30] = np.nan
    line = X.copy()
    line.iloc[30] = (X.iloc[29] + X.iloc[31]) / 2
    forecast = [
        LSTMForecaster(**SMALL).fit(y, X=inputs).predict([1, 2], X=X)
        for inputs in (gappy, line)
    ]
    np.testing.assert_allclose(*forecast)


def test_update_appends(y):
    f = LSTMForecaster(**SMALL).fit(y[:40])
    f.update(y[38:50], update_params=False)
    own = OwnForecaster(**SMALL).fit(y[:40]).update(y[40:50])
    np.testing.assert_allclose(f.predict([1, 2, 3]), own.forecast(3))


def test_inputs_go_by_their_names(y):
    X = pd.DataFrame({"a": np.sin(np.arange(len(y))), "b": 5.0}, y.index)
    f = LSTMForecaster(**SMALL).fit(y[:40], X=X[:40], fh=[1, 2])
    expected = f.predict(X=X[40:42])
    pd.testing.assert_series_equal(f.predict(X=X[["b", "a"]][40:42]), expected)
    with pytest.raises(ValueError, match=r"X has the columns \['a', 'c'\]"):
        f.predict(X=X[40:42].rename(columns={"b": "c"}))


@pytest.mark.parametrize(
    "step",
    [
        pd.DateOffset(months=1),
        pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat"),
    ],
)
def test_steps_without_a_name_of_pandas_are_counted(step):
    index = pd.date_range("2001-01-15", periods=60, freq=step)
    values = pd.Series(np.sin(np.arange(60.0)), index)
    f = LSTMForecaster(**SMALL).fit(values[:50], fh=[-1, 1, 9])
    assert list(f.predict().index) == [index[48], index[50], index[58]]
    f.update(values[50:51], update_params=False)
    assert list(f.predict(fh=[1]).index) == [index[51]]


def test_whole_numbers_two_apart_are_counted_by_rows():
    values = pd.Series(np.sin(np.arange(60.0)), pd.RangeIndex(-7, 113, 2))
    options = SMALL | {"epochs": 0, "pretrained": False}
    f, own = (kind(**options) for kind in (LSTMForecaster, OwnForecaster))
    f.fit(values[:50])
    expected = own.fit(values[:50]).forecast(3)
    pd.testing.assert_series_equal(f.predict([1, 2, 3]), expected)
    assert list(f.predict([-1, 0]).index) == [89, 91]
    with pytest.raises(ValueError, match="a row 2 before the first"):
        f.predict([-51])
    with pytest.raises(ValueError, match="at 94, but the rows .* are 2 apart, from -7"):
        f.predict(ForecastingHorizon(np.array([94]), is_relative=False))
    with pytest.raises(ValueError, match="given at 94"):
        f.update(pd.Series([1.0], [94]), update_params=False)
    f.update(values[50:52], update_params=False)
    assert list(f.predict([1]).index) == [97]


@pytest.mark.parametrize("update_params", [False, True])
def test_update_takes_columns_by_name(y, update_params):
    frame = pd.DataFrame({"a": y, "b": 10 * y + 500})
    forecasts = []
    for order in ("ab", "ba"):
        f = LSTMForecaster(**SMALL).fit(frame[:40])
        f.update(frame[40:50][list(order)], update_params=update_params)
        forecasts.append(f.predict([1, 2, 3]))
    assert list(forecasts[0].columns) == ["a", "b"]
    pd.testing.assert_frame_equal(*forecasts)


def test_update_after_a_gap_takes_it_as_missing(y):
    f = LSTMForecaster(**SMALL).fit(y[:40]).update(y[45:50], update_params=False)
    gap = y[40:50].copy()
    gap.iloc[:5] = np.nan
    own = OwnForecaster(**SMALL).fit(y[:40]).update(gap)
    np.testing.assert_allclose(f.predict([1, 2, 3]), own.forecast(3))


@pytest.mark.parametrize("with_X", [False, True])
def test_update_of_parameters_trains_further(y, X, with_X):
    rows = X if with_X else None
    options = SMALL | {"early_stopping": False}
    f = LSTMForecaster(**options).fit(y[:40], X=rows)
    before = f.forecaster_.weights_
    f.update(y[40:], X=rows)
    after = f.forecaster_.weights_
    assert any((before[name] != after[name]).any() for name in before)
    assert f.predict([1], X=rows).index[0] == X.index[N]


def test_update_takes_what_fit_took(y, X, panel):
    with pytest.raises(ValueError, match="X where fit got X"):
        LSTMForecaster(**SMALL).fit(y[:40]).update(y[40:], X=X)
    one = panel.loc[["p"]]
    with pytest.raises(ValueError, match="series 'q', which fit did not get"):
        LSTMForecaster(**SMALL).fit(one).update(panel)


@pytest.mark.parametrize("with_X", [False, True])
def test_a_pretrained_network_stands_at_another_series(panel, y, X, with_X):
    inputs = own_X = None
    if with_X:
        inputs = X
        own_X = pd.concat(dict.fromkeys("pq", X[:N]), names=["series", "month"])
    own_given = (panel,) if own_X is None else (own_X, panel)
    own = OwnForecaster(**SMALL).fit(*own_given)
    f = LSTMForecaster(**SMALL).pretrain(panel, X=own_X).fit(y / 2, X=inputs)
    assert f.forecaster_.weights_ is f.pretrained_.weights_
    new = pd.concat({"new": (y / 2).to_frame("y")}, names=["series", "month"])
    ahead, history = None, new
    if with_X:
        ahead = pd.concat({"new": X[N : N + 3]}, names=["series", "month"])
        history = (pd.concat({"new": X[:N]}, names=["series", "month"]), new)
    expected = own.forecast(3, ahead, history)
    forecast = f.predict([1, 2, 3], X=inputs)
    np.testing.assert_allclose(forecast, expected["y"])
    assert forecast.name == y.name


def test_a_pretrained_network_trains_on_with_warm_start(panel, y):
    options = SMALL | {"early_stopping": False, "warm_start": True}
    f = LSTMForecaster(**options).pretrain(panel)
    before = f.pretrained_.weights_["head/kernel"].copy()
    f.fit(y)
    np.testing.assert_array_equal(f.pretrained_.weights_["head/kernel"], before)
    assert (f.forecaster_.weights_["head/kernel"] != before).any()


def test_pipelines(y, X):
    scaled = TabularToSeriesAdaptor(StandardScaler())
    f = ForecastingPipeline([scaled, LSTMForecaster(**SMALL)])
    assert f.fit(y, X=X[:N], fh=[1, 2]).predict(X=X[N : N + 2]).notna().all()
    f = TransformedTargetForecaster([Differencer(), LSTMForecaster(**SMALL)])
    assert f.fit(y, fh=[1, 2]).predict().between(y.min() / 2, y.max() * 2).all()


def test_grid_search(y):
    cv = ExpandingWindowSplitter(fh=[1, 2], initial_window=40, step_length=10)
    grid = {"epochs": [0, 1]}
    search = ForecastingGridSearchCV(LSTMForecaster(**SMALL), cv, grid)
    search.fit(y)
    assert search.best_params_["epochs"] in grid["epochs"]
    assert len(search.predict([1, 2])) == 2


@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
def test_evaluate(y, strategy):
    cv = ExpandingWindowSplitter(fh=[1, 2], initial_window=40, step_length=9)
    table = evaluate(LSTMForecaster(**SMALL), cv, y, strategy=strategy)
    assert len(table) == 3
    assert np.isfinite(table.filter(like="test_").to_numpy()).all()


def test_ensemble(y):
    members = [("lstm", LSTMForecaster(**SMALL)), ("naive", NaiveForecaster())]
    mean = EnsembleForecaster(members).fit(y, fh=[1, 2]).predict()
    parts = [f.fit(y, fh=[1, 2]).predict() for _, f in members]
    np.testing.assert_allclose(mean, sum(parts) / 2)


def test_reconciled_forecasts_add_up(panel):
    f = ReconcilerForecaster(LSTMForecaster(**SMALL), method="ols")
    forecast = f.fit(Aggregator().fit_transform(panel), fh=[1, 2]).predict()
    total = forecast.loc["__total"].to_numpy()
    np.testing.assert_allclose(
        forecast.loc["p"].to_numpy() + forecast.loc["q"].to_numpy(), total
    )


def test_says_how_to_install_sktime(monkeypatch):
    monkeypatch.setitem(sys.modules, "sktime.forecasting.base", None)
    monkeypatch.delitem(sys.modules, "sklstm.sktime")
    with pytest.raises(ImportError, match=r"pip install 'sklstm\[sktime\]'"):
        importlib.import_module("sklstm.sktime")


def test_inputs_beyond_the_horizon_count_and_past_covariates_may_be_left_out():
    days = pd.date_range("2023-01-01", periods=60, freq="D")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), days, ["a", "b"])
    y = pd.Series(np.sin(np.arange(60.0)) + X["a"], days)
    options = {"units": 2, "epochs": 0, "pretrained": False, "random_state": 0}
    f = LSTMForecaster(6, 4, **options).fit(y[:50], X=X[:50])
    later = f.predict([1, 2, 3, 4], X=X[50:])
    assert_allclose(f.predict([1, 2], X=X[50:]), later[:2])
    past = LSTMForecaster(6, 2, past_covariates=("a",), **options)
    past.fit(y[:50], X=X[:50])
    assert_allclose(past.predict([1, 2], X=X[["b"]][50:]), past.predict([1, 2], X=X))


def test_every_second_period_is_forecast():
    months = pd.period_range("2001-01", periods=120, freq="M")[::2]
    y = pd.Series(np.sin(np.arange(60.0)), months)
    f = LSTMForecaster(6, units=2, epochs=0, pretrained=False, random_state=0)
    assert list(f.fit(y[:50]).predict([1, 2]).index) == list(months[50:52])
