import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklstm import LSTMForecaster, SkillWarning, load, make_windows
from sklstm._forecasting.model import Origins
from sklstm._series.reader import read_training
from sklstm._utils.cells import CELLS
from sklstm._windows.options import make_problem


def small(window_length=6, horizon=1, **parameters):
    defaults = {"epochs": 2, "units": 4, "random_state": 0, "pretrained": False}
    return LSTMForecaster(window_length, horizon, **(defaults | parameters))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([LSTMForecaster(), LSTMForecaster(cell="gru", units=(8, 4))])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_clone_keeps_every_parameter():
    parameters = {name: f"value of {name}" for name in LSTMForecaster().get_params()}
    f = LSTMForecaster().set_params(**parameters)
    assert clone(f).get_params() == parameters


# Series form ------------------------------------------------------------------


def test_beats_the_naive_forecasts_on_air_passengers(passengers):
    train, test = passengers[:-24], passengers[-24:]
    f = LSTMForecaster(24, 12, epochs=20, random_state=0).fit(train)
    table = f.backtest(test)
    error = np.mean((table["y_true"] - table["y_pred"]) ** 2)
    seasonal = np.mean((test.to_numpy() - passengers[-36:-12].to_numpy()) ** 2)
    assert error < 0.3 * seasonal
    assert f.score(test) > 0.8
    assert set(f.baseline_scores_) == {"last_value", "seasonal_naive", "ridge"}


def test_a_trend_goes_on_beyond_the_training_range():
    f = small(horizon=3).fit(np.arange(1.0, 61.0))
    np.testing.assert_allclose(f.forecast(10), np.arange(61, 71), rtol=0.02)


def test_seasons_are_taken_off_windows(passengers):
    def error(**parameters):
        f = small(36, 12, scaler="log", epochs=0, window_norm="last", **parameters)
        table = f.fit(passengers[:-36]).backtest(passengers[-36:])
        return np.abs(table["y_true"] - table["y_pred"]).mean()

    assert error(deseasonalize=True) < error()
    wave = np.sin(np.arange(120) * np.pi / 6) + np.resize([0, 0, 3, 0, 0], 120)
    f = small(60, 10, seasonal_period=(12, 5), deseasonalize=True, epochs=0)
    expected = np.sin(np.arange(120, 130) * np.pi / 6) + np.resize([0, 0, 3, 0, 0], 10)
    np.testing.assert_allclose(f.fit(wave).forecast(), expected, atol=0.1)


def test_forecast_continues_the_index(passengers):
    f = small(horizon=5).fit(passengers[:-12])
    forecast = f.forecast(12)
    assert forecast.index.equals(passengers.index[-12:])
    assert forecast.name == "passengers"
    np.testing.assert_allclose(f.forecast(5), forecast[:5])
    assert len(f.forecast()) == 5
    array = small(horizon=5).fit(passengers[:-12].to_numpy())
    np.testing.assert_allclose(array.forecast(12), forecast)


@pytest.mark.parametrize("kind", ["period", "range", "tz"])
def test_other_indexes_continue(passengers, kind):
    series = passengers.copy()
    if kind == "period":
        series.index = series.index.to_period("M")
    elif kind == "range":
        series = series.reset_index(drop=True)
    else:
        series.index = pd.date_range(
            "2024-03-26", periods=144, freq="h", tz="Europe/Berlin"
        )
    f = small().fit(series[:-9])
    assert f.forecast(9).index.equals(series.index[-9:])
    np.testing.assert_allclose(f.predict(series), f.predict(series.iloc[:]))


def test_predict_uses_rows_before_and_never_the_row_itself(passengers):
    f = small().fit(passengers[:100])
    rows = passengers[100:110]
    forecast = f.predict(rows)
    assert forecast.index.equals(rows.index)
    changed = rows.copy()
    changed.iloc[4:] += 100
    other = f.predict(changed)
    np.testing.assert_array_equal(forecast[:5], other[:5])
    assert (forecast.iloc[5:] != other.iloc[5:]).all()
    for i in (0, 3):
        step = f.forecast(1, history=passengers[: 100 + i])
        np.testing.assert_allclose(step, forecast.iloc[i : i + 1])


def test_rows_inside_after_and_across_a_gap(passengers):
    f = small().fit(passengers[:100])
    everything = f.predict(passengers[:110])
    np.testing.assert_allclose(everything[100:], f.predict(passengers[100:110]))
    np.testing.assert_allclose(everything[50:60], f.predict(passengers[50:60]))
    across = f.predict(passengers[103:104])
    np.testing.assert_allclose(across, f.forecast(4)[-1:])


def test_update_moves_the_history_on(passengers):
    f = small().fit(passengers[:100])
    rows = passengers[100:110]
    expected = f.predict(passengers[100:111])[-1:]
    weights = copy.deepcopy(f.weights_)
    forecast = f.update(rows).forecast(1)
    np.testing.assert_allclose(forecast, expected)
    assert forecast.index[0] == passengers.index[110]
    assert all((f.weights_[name] == weights[name]).all() for name in weights)
    with pytest.raises(ValueError, match="do not follow the history at once"):
        f.update(passengers[115:])
    for method in ("update", "observe", "backtest"):
        with pytest.raises(ValueError, match=f"{method} takes what fit took"):
            getattr(f, method)(passengers[110:], passengers[110:])


def test_backtest_equals_a_loop_over_forecasts(passengers):
    f = small(horizon=4).fit(passengers[:100])
    table = f.backtest(passengers[100:120], steps=6, stride=3)
    assert list(table) == ["series", "origin", "step", "y_true", "y_pred"]
    rows = []
    for end in range(100, 115, 3):
        forecast = f.forecast(6, history=passengers[:end])
        rows += [
            (passengers.index[end - 1], step, passengers[stamp], forecast[stamp])
            for step, stamp in enumerate(forecast.index, start=1)
        ]
    expected = pd.DataFrame(rows, columns=["origin", "step", "y_true", "y_pred"])
    assert (table["origin"] == expected["origin"]).all()
    np.testing.assert_allclose(
        table[["step", "y_true", "y_pred"]], expected[["step", "y_true", "y_pred"]]
    )
    assert len(f._state.series[None].history) == 100
    with pytest.raises(ValueError, match="has 3 rows, but steps=4 needs at least"):
        f.backtest(passengers[100:103])


def test_several_channels(passengers):
    frame = pd.DataFrame({"a": passengers, "b": passengers[::-1].to_numpy()})
    f = small(horizon=2).fit(frame[:-5])
    forecast = f.forecast(5)
    assert list(forecast) == ["a", "b"] and forecast.index.equals(frame.index[-5:])
    assert f.predict(frame[-5:]).shape == (5, 2)
    assert set(f.backtest(frame[-5:])["series"]) == {"a", "b"}
    assert np.isfinite(f.score(frame[-5:]))
    with pytest.raises(ValueError, match="X has 1 column, but the fitted series has 2"):
        f.predict(passengers[-5:])


@pytest.mark.parametrize("value", [0.0, 5.0, -1e9])
def test_a_constant_series_goes_on(value):
    forecast = small().fit(np.full(40, value)).forecast(3)
    np.testing.assert_allclose(forecast, value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_forecasts_scale_with_the_series(passengers, scale):
    forecast = small().fit(passengers.to_numpy()).forecast(3)
    scaled = small().fit(passengers.to_numpy() * scale).forecast(3)
    np.testing.assert_allclose(scaled / scale, forecast, rtol=1e-3)


@pytest.mark.parametrize(
    "scaler", ["standard", "robust", "minmax", None, PowerTransformer()]
)
def test_scalers(passengers, scaler):
    f = small(scaler=scaler, window_length=13).fit(passengers[:-12])
    assert np.abs(f.predict(passengers[-12:]) - passengers[-12:]).mean() < 60


@pytest.mark.parametrize("window_norm", ["last", None])
@pytest.mark.parametrize("cell", CELLS)
def test_cells(passengers, window_norm, cell):
    f = small(cell=cell, units=(3, 2), window_norm=window_norm).fit(passengers)
    assert len(f.forecast(3)) == 3


def test_default_window_length(passengers):
    assert small(None).fit(passengers).window_length_ == 36
    assert small(None).fit(passengers.to_numpy()[:30]).window_length_ == 10


def test_training_that_continues_keeps_default_windows(passengers):
    f = small(None, 3, epochs=0).fit(passengers[:60])
    assert f.window_length_ == 20 and not f._state.norm.deseasonalize
    assert f.partial_fit(passengers).window_length_ == 20
    f.set_params(warm_start=True).fit(passengers)
    assert f.window_length_ == 20 and not f._state.norm.deseasonalize
    f.set_params(warm_start=False).fit(passengers)
    assert f.window_length_ == 36 and f._state.norm.deseasonalize


def test_shortest_series():
    f = small(window_length=3, horizon=2).fit([1.0, 2.0, 3.0, 4.0, 5.0])
    assert f.forecast(3).shape == (3,)
    with pytest.raises(ValueError, match="has 4 time steps, .* needs at least 5"):
        small(window_length=3, horizon=2).fit([1.0, 2.0, 3.0, 4.0])


def test_refit_replaces_everything(passengers):
    f = small().fit(pd.DataFrame({"a": passengers, "b": passengers}))
    f.fit(passengers.to_numpy())
    fresh = small().fit(passengers.to_numpy())
    assert set(vars(f)) == set(vars(fresh))
    np.testing.assert_array_equal(f.forecast(3), fresh.forecast(3))


def test_a_fit_that_raises_changes_nothing(passengers):
    f = small().fit(pd.DataFrame({"a": passengers, "b": passengers}))
    before = dict(vars(f))
    with pytest.raises(ValueError, match="infinity"):
        f.fit(np.array([[1.0], [np.inf]] * 20))
    with pytest.raises(ValueError, match="at least"):
        f.fit(np.ones((3, 1)))
    assert vars(f) == before


def test_input_is_not_changed(passengers):
    before = passengers.copy()
    f = small().fit(passengers[:120])
    f.update(passengers[120:]).forecast(3)
    pd.testing.assert_series_equal(passengers, before)


def test_pickle_and_copy_predict_the_same(passengers):
    f = small(horizon=3).fit(passengers)
    for other in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        pd.testing.assert_series_equal(f.forecast(7), other.forecast(7))


def test_warm_start_and_partial_fit_go_on(passengers):
    values = passengers.to_numpy()
    kwargs = {"validation_fraction": 0, "linear_skip": False}
    f = small(epochs=5, **kwargs).fit(values)
    first = f.history_["loss"][-1]
    f.set_params(warm_start=True, random_state=1).fit(values)
    assert f.history_["loss"][0] < 1.2 * first
    p = small(**kwargs)
    losses = [p.partial_fit(values).history_["loss"][-1] for _ in range(15)]
    assert losses[-1] < losses[0] and len(p.history_["loss"]) == 1
    with pytest.raises(ValueError, match="network of another shape"):
        f.set_params(units=9).fit(values)


@pytest.mark.parametrize(
    "changed", [{"n_members": 2, "dropout": 0.3}, {"learning_rate_schedule": "cosine"}]
)
def test_f11_partial_fits_train_as_one_longer_fit(passengers, changed, tmp_path):
    kwargs = {"validation_fraction": 0, "pretrained": False, "epochs": 3} | changed
    whole, parts = small(**kwargs).fit(passengers), small(**kwargs)
    for i in range(3):
        parts.partial_fit(passengers)
        if i == 1:
            parts.save(tmp_path / "f.sklstm")
            parts = load(tmp_path / "f.sklstm")
    pd.testing.assert_series_equal(parts.forecast(4), whole.forecast(4))
    for name, weights in whole.weights_.items():
        np.testing.assert_array_equal(parts.weights_[name], weights)
    assert whole._state.training == () and len(parts._state.training) > 0
    parts.set_params(optimizer="sgd").partial_fit(passengers)
    assert parts.fit(passengers)._state.training == ()


def test_f11_a_warm_start_has_orders_of_its_own(passengers):
    kwargs = {"learning_rate": 1e-30, "dropout": 0.5, "linear_skip": False, "epochs": 1}
    f = small(validation_fraction=0, warm_start=True, **kwargs)
    # At so low a rate the dropout masks alone tell one epoch from another.
    losses = [f.fit(passengers).history_["loss"][0] for _ in range(3)]
    assert len(set(losses)) == 3
    assert f.partial_fit(passengers).history_["loss"][0] not in losses


# Regression form --------------------------------------------------------------


def test_regression_uses_x_at_the_row_itself(regression):
    X, y = regression
    f = small(4).fit(X[:180], y[:180])
    forecast = f.predict(X[180:181])
    assert forecast.index.equals(X.index[180:181]) and forecast.name == "load"
    assert abs(forecast.iloc[0] - y.iloc[180]) < 0.5
    assert f.score(X[180:], y[180:]) > 0.9
    np.testing.assert_allclose(f.forecast(X=X[180:185]), f.predict(X[180:185]))


def test_regression_never_sees_later_targets_or_past_the_cut(regression):
    X, y = regression
    f = small(4).fit(X[:180], y[:180])
    changed = X.copy()
    changed.iloc[190:] += 5
    np.testing.assert_array_equal(
        f.predict(X[180:])[:10], f.predict(changed[180:])[:10]
    )


def test_regression_rows_inside_gap_and_update(regression):
    X, y = regression
    f = small(4).fit(X[:180], y[:180])
    assert f.score(X[10:180], y[10:180]) > 0.9
    assert len(f.predict(X[183:190])) == 7
    table = f.backtest(X[180:190], y[180:190])
    f.update(X[180:185], y[180:185])
    np.testing.assert_allclose(f.predict(X[185:186]), table["y_pred"][5:6])
    step = f.forecast(X=X[190:191], history=(X[:190], y[:190]))
    assert step.index[0] == X.index[190]


def test_regression_with_several_targets_and_horizon(regression):
    X, y = regression
    two = pd.DataFrame({"u": y, "v": -y})
    f = small(4, 3).fit(X[:180], two[:180])
    forecast = f.predict(X[180:187])
    assert list(forecast) == ["u", "v"] and forecast.shape == (7, 2)


def test_gaps_in_x_hold_the_row_before(regression):
    X, y = regression
    f = small(4).fit(X[:180], y[:180])
    held = pd.concat([X[179:180]] * 3)
    held.index = X.index[180:183]
    expected = f.predict(pd.concat([held, X[183:185]]))
    np.testing.assert_allclose(f.predict(X[183:185]), expected[3:])


# Ready-made windows -----------------------------------------------------------


def test_windows_of_three_dimensions():
    X, y = make_windows(np.random.default_rng(0).normal(size=(60, 2)), 8)
    target = y[:, 0, 0]
    f = small(None).fit(X, target)
    assert f.predict(X).shape == (52,) and f.n_features_in_ == 2
    shorter = small(5).fit(X, target)
    assert shorter.window_length_ == 5
    changed = X.copy()
    changed[:, :3] = 9
    np.testing.assert_array_equal(shorter.predict(X), shorter.predict(changed))
    with pytest.raises(ValueError, match="windows of 8 steps, but window_length=9"):
        small(9).fit(X, target)
    with pytest.raises(ValueError, match=r"windows of shape \(7, 2\)"):
        f.predict(X[:, 1:])
    for method in ("forecast", "backtest", "update"):
        with pytest.raises(ValueError, match=f"{method} needs a series"):
            getattr(f, method)(*([] if method == "forecast" else [X]))


def test_all_weights_zero(regression):
    X, y = regression
    with pytest.raises(ValueError, match="(?i)weight.*zero"):
        small(None).fit(X.to_numpy(), y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match="(?i)weight.*zero"):
        small(4).fit(X, y, sample_weight=np.zeros(len(y)))


def test_f5_a_factor_on_weights_of_a_series_changes_nothing(passengers):
    weights = np.arange(1.0, 145)
    first, *others = (
        small(epochs=0).fit(passengers, sample_weight=factor * weights).forecast(3)
        for factor in (1, 1e-6, 7)
    )
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-9)


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_f5_equal_weights_of_a_series_are_none(passengers, loss):
    options = {"epochs": 0, "pretrained": "auto", "window_length": 24, "loss": loss}
    none, equal = (
        small(**options).fit(passengers, sample_weight=weights)
        for weights in (None, np.full(144, 0.3))
    )
    np.testing.assert_array_equal(equal.forecast(3), none.forecast(3))
    assert equal.skill_ == none.skill_


def test_rows_of_zero_weight_do_not_count(passengers):
    values = passengers.to_numpy().copy()
    weights = np.ones(144)
    weights[60:] = 0
    kwargs = {"scaler": None, "validation_fraction": 0}
    f = small(**kwargs).fit(values / 300, sample_weight=weights)
    values[61:] = 3000
    other = small(**kwargs).fit(values / 300, sample_weight=weights)
    for name, weight in f.weights_.items():
        np.testing.assert_allclose(weight, other.weights_[name])


# Where estimators go ----------------------------------------------------------


def test_grid_search_over_a_series(passengers):
    grid = {"window_length": [3, 13], "units": [2, 4]}
    search = GridSearchCV(small(), grid, cv=TimeSeriesSplit(2), n_jobs=2)
    search.fit(passengers)
    assert search.best_params_["window_length"] == 13
    serial = GridSearchCV(small(), grid, cv=TimeSeriesSplit(2)).fit(passengers)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(search.cv_results_[key], serial.cv_results_[key])


def test_grid_search_in_the_regression_form(regression):
    X, y = regression
    pipeline = make_pipeline(StandardScaler(), small(4))
    grid = {
        "lstmforecaster__window_length": [2, 4],
        "lstmforecaster__learning_rate": [0.01],
    }
    search = GridSearchCV(pipeline, grid, cv=TimeSeriesSplit(2), n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.9


def test_composition(regression):
    X, y = regression
    frame = X.assign(kind=np.where(X["b"] > 0, "u", "v"))
    columns = ColumnTransformer([("keep", FunctionTransformer(), ["a", "b"])])
    pipeline = make_pipeline(columns, small(4)).fit(frame[:180], y[:180])
    assert pipeline.score(frame[180:], y[180:]) > 0.9
    target = TransformedTargetRegressor(small(4), func=np.sinh, inverse_func=np.arcsinh)
    assert target.fit(X[:180], y[:180] / 5).predict(X[180:]).shape == (40,)
    scores = cross_validate(small(4), X, y, cv=TimeSeriesSplit(3))["test_score"]
    assert (scores > 0.8).all()


def test_meta_estimators_on_windows(passengers):
    X, y = make_windows(passengers.to_numpy(), 13)
    y = y[:, 0]
    f = small(None)
    for model in (
        VotingRegressor([("lstm", f), ("ridge", Ridge())]),
        BaggingRegressor(f, n_estimators=2, random_state=0),
        StackingRegressor([("lstm", f)], Ridge(), cv=2),
    ):
        assert model.fit(X, y).score(X, y) > 0.8
    importance = permutation_importance(f.fit(X, y), X, y, n_repeats=2, random_state=0)
    assert importance.importances_mean.argmax() in (1, 12)


def test_sample_weight_is_routed(passengers):
    import sklearn

    X, y = make_windows(passengers.to_numpy(), 4)
    weights = np.ones(len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        f = small(None).set_fit_request(sample_weight=True)
        f.set_score_request(sample_weight=True)
        done = cross_validate(f, X, y[:, 0], cv=2, params={"sample_weight": weights})
    assert len(done["test_score"]) == 2


# Many series ------------------------------------------------------------------


@pytest.fixture
def many():
    """Return seasonal series of unequal length, level and size."""
    rng = np.random.RandomState(0)
    parts = {}
    for key, n, size in [("a", 60, 1.0), ("b", 90, 1000.0), ("c", 75, 0.1)]:
        season = np.sin(np.arange(n) * np.pi / 6) + 0.1 * rng.normal(size=n)
        index = pd.date_range("2020", periods=n, freq="MS", name="month")
        parts[key] = pd.Series(size * (season + 5), index, name="y")
    return pd.concat(parts, names=["id"])


def ends(many, n):
    """Split each series into its last rows and the rows before them."""
    test = many.groupby(level=0, sort=False).tail(n)
    return many.drop(test.index), test


def test_many_series_of_one_are_one_series(passengers):
    one = small(12, 3).fit(passengers)
    many = small(12, 3).fit(pd.concat({"p": passengers}))
    assert one.forecast(5).equals(many.forecast(5).loc["p"])
    listed = small(12, 3).fit([passengers.to_numpy()])
    np.testing.assert_array_equal(listed.forecast(5)[0], one.forecast(5))


def test_one_model_of_many_series(many):
    train, test = ends(many, 6)
    f = small(24, 6, epochs=10).fit(train)
    forecast = f.forecast(6)
    assert forecast.index.equals(test.index)
    assert forecast.name == "y"
    for key in "abc":
        error = np.abs(forecast[key] - test[key]).max()
        assert error < 0.3 * np.ptp(test[key])
    assert list(f.scaler_) == ["a", "b", "c"]
    assert "seasonal_naive" in f.baseline_scores_
    assert f.predict(test).index.equals(test.index)
    assert f.score(test) > 0.9
    interval = f.forecast_interval(6, coverage=0.9)
    assert interval.index.equals(test.index)
    assert (interval["lower"] < forecast).all()


def test_every_series_is_scaled_by_itself(many):
    factors = {"a": 10.0, "b": 1e-4, "c": 3.0}
    by_row = many.index.get_level_values(0).map(factors).to_numpy()
    f, other = small(12, 4).fit(many), small(12, 4).fit(many * by_row)
    for key, factor in factors.items():
        np.testing.assert_allclose(
            factor * f.forecast(4)[key], other.forecast(4)[key], rtol=1e-4
        )


def test_frames_and_lists_of_series_are_alike(many):
    parts = [part.droplevel(0) for _, part in many.groupby(level=0)]
    frame, listed = small(12, 4).fit(many), small(12, 4).fit(parts)
    bare = small(12, 4, seasonal_period=12).fit([part.to_numpy() for part in parts])
    expected = frame.forecast(4)
    for key, part, array in zip(
        "abc", listed.forecast(4), bare.forecast(4), strict=True
    ):
        assert part.equals(expected[key])
        np.testing.assert_array_equal(array, expected[key])
    shuffled = many.iloc[np.argsort(many.index.get_level_values(1), kind="stable")]
    again = small(12, 4).fit(shuffled)
    assert again.forecast(4).equals(expected)
    assert again.predict(shuffled).index.equals(shuffled.index)


def test_some_series_and_new_ones(many):
    f = small(12, 4).fit(many)
    everything = f.forecast(4)
    assert f.forecast(4, series=["c", "a"]).equals(everything.loc[["c", "a"]])
    seen = f.forecast(4, history=many)
    np.testing.assert_allclose(seen, everything, rtol=1e-6)
    new = pd.concat({"new": 50 + 7 * many["a"], "b": many["b"]})
    forecast = f.forecast(4, history=new)
    np.testing.assert_allclose(
        forecast["new"], 50 + 7 * everything["a"].to_numpy(), rtol=1e-4
    )
    np.testing.assert_allclose(forecast["b"], everything["b"])
    assert f.forecast(4, history=new, series=["new"]).equals(forecast.loc[["new"]])


def test_many_series_are_updated_and_tested(many):
    train, test = ends(many, 8)
    f = small(12, 4).fit(train)
    table = f.backtest(test, quantiles=(0.1, 0.9))
    assert len(table) == 3 * 5 * 4
    first = table[(table["series"] == "b") & (table["step"] == 2)].iloc[0]
    assert first["origin"] == train["b"].index[-1]
    assert first["y_true"] == test["b"].iloc[1]
    np.testing.assert_allclose(first["y_pred"], f.forecast(4)["b"].iloc[1])
    f.update(test.loc[["b"]])
    assert f.forecast(1)["b"].index[0] == pd.Timestamp("2027-07-01")
    assert f.forecast(1)["a"].index[0] == test["a"].index[0]


def test_many_series_with_inputs():
    rng = np.random.RandomState(0)
    index = pd.MultiIndex.from_product(
        [["u", "v"], pd.date_range("2024", periods=80, freq="D")]
    )
    X = pd.DataFrame(rng.normal(size=(160, 2)), index, ["x", "noise"])
    X["kind"] = np.repeat([0.0, 1.0], 80)  # static: the effect of x depends on it
    y = (X["x"] * np.where(X["kind"] > 0, 3, 1) + X["kind"] * 10).rename("y")
    (X_train, X_test), (y_train, y_test) = ends(X, 10), ends(y, 10)
    f = small(4, 2, calendar=("dayofweek",)).fit(X_train, y_train)
    predicted = f.predict(X_test)
    assert predicted.index.equals(X_test.index)
    assert np.corrcoef(predicted["v"], y_test["v"])[0, 1] > 0.8
    assert f.forecast(10, X_test, series=["v"]).index.equals(y_test.loc[["v"]].index)
    assert f.backtest(X_test, y_test)["series"].unique().tolist() == ["u", "v"]
    np.testing.assert_array_equal(
        f.forecast(2, X_test, history=(X_train, y_train)), f.forecast(2, X_test)
    )
    with pytest.raises(ValueError, match="X has no rows of the series 'v'"):
        f.forecast(2, X_test.loc[["u"]])


def test_training_continues_on_many_series(many):
    f = small(12, 4, warm_start=True).fit(many)
    before = f.forecast(4)
    f.partial_fit(many)
    assert not f.forecast(4).equals(before)
    f.fit(ends(many, 2)[0])
    assert f.forecast(1)["a"].index[0] == pd.Timestamp("2024-11-01")


def test_series_too_short_for_a_window_are_forecast(many):
    short = pd.concat([many, pd.concat({"d": many["a"][:5]}, names=["id"])])
    f = small(12, 4).fit(short)
    assert np.isfinite(f.forecast(4)["d"]).all()
    with pytest.raises(ValueError, match="has 5 time steps"):
        small(12, 4).fit(short.loc[["d"]])


def test_bad_panels(many, passengers):
    f = small(12, 4).fit(many)
    with pytest.raises(ValueError, match="many series, but X does not say whose"):
        f.predict(many["a"])
    with pytest.raises(ValueError, match="one series, but X holds many"):
        small(12).fit(passengers).predict(many)
    with pytest.raises(ValueError, match="rows of 'z', a series that is not"):
        f.update(pd.concat({"z": many["a"]}))
    with pytest.raises(ValueError, match=r"series has \['z'\]"):
        f.forecast(4, series=["z"])
    with pytest.raises(ValueError, match="knows one series alone"):
        small(12).fit(passengers).forecast(4, series=["z"])
    with pytest.raises(ValueError, match="form that fit took: many series"):
        f.forecast(4, history=many["a"])
    X = many.to_frame() * 2 + 1
    with pytest.raises(ValueError, match="hold different series"):
        small(4).fit([X.loc["a"], X.loc["b"]], [many["a"], many["c"]])
    with pytest.raises(ValueError, match="keep after set_output"):
        small(4).fit(X.to_numpy(), many)  # what a scaler in a pipeline makes of X
    with pytest.raises(ValueError, match="X has 3 rows, but steps=4"):
        f.backtest(pd.concat({"a": many["c"][60:63]}))


# Missing values ---------------------------------------------------------------


def gappy(series, share=0.2):
    """Remove single values and a block, and also the first and the last value."""
    gone = np.random.RandomState(0).uniform(size=len(series)) < share
    gone[[0, -1]] = True
    gone[30:40] = True
    return series.mask(gone)


def test_missing_values_are_forecast_around(passengers):
    train, test = passengers[:-24], passengers[-24:]
    f = LSTMForecaster(24, 12, epochs=20, random_state=0).fit(gappy(train))
    table = f.backtest(test)
    error = np.mean((table["y_true"] - table["y_pred"]) ** 2)
    seasonal = np.mean((test.to_numpy() - passengers[-36:-12].to_numpy()) ** 2)
    assert error < 0.6 * seasonal
    assert np.isfinite(f.forecast_interval(24)).all(axis=None)
    assert np.isfinite(f.predict(test)).all()


def test_missing_targets_do_not_count():
    line = pd.Series(np.arange(1.0, 81.0))
    f = small(4, 2).fit(line.mask(np.arange(80) % 5 == 3))
    np.testing.assert_allclose(f.forecast(4), [81, 82, 83, 84], rtol=0.05)
    assert np.isfinite(f.skill_)
    assert np.isfinite(f.history_["loss"]).all()


def test_a_row_may_come_without_a_value(passengers):
    f = small(12, 3).fit(gappy(passengers[:100]))
    f.update(passengers[100:110].mask(np.arange(10) == 9))
    assert f.forecast(1).index[0] == passengers.index[110]
    assert np.isfinite(f.forecast(6)).all()
    later = passengers[110:].mask(np.arange(34) == 7)
    assert np.isfinite(f.backtest(later)["y_pred"]).all()
    assert np.isfinite(f.score(later))
    whole = small(12, 3).fit(passengers[:100])
    assert np.isfinite(whole.forecast(3, history=gappy(passengers[:100]))).all()


def test_forecasts_go_on_from_the_last_value_seen(passengers):
    f = small(12, 3).fit(passengers[:100])
    expected = f.forecast(7)
    f.update(passengers[100:104] * np.nan)
    pd.testing.assert_series_equal(f.forecast(3), expected[4:], check_freq=False)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_missing_targets_beside_inputs(regression, share):
    X, y = regression
    f = small(4, 2, epochs=20).fit(X[:180], gappy(y[:180], share))
    assert f.score(X[180:], y[180:]) > 0.8
    f.partial_fit(X[:180], y[:180])
    with pytest.raises(ValueError, match="X contains NaN"):
        f.fit(X.mask(X > 0), y)


def test_missing_values_in_ready_made_windows(passengers):
    X, y = make_windows(passengers.to_numpy(), 13)
    X, y = X.astype(float), y[:, 0]
    holes = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
    f = small(None, epochs=20).fit(holes[:100], y[:100])
    assert f.score(X[100:], y[100:]) > 0.7
    assert np.isfinite(f.predict(np.full((1, 13), np.nan))).all()
    weights = 1 + np.arange(len(y)) % 2
    weighted = small(None).fit(holes, y, sample_weight=weights)
    repeated = small(None).fit(np.repeat(holes, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))


# Inputs that are not known ahead ----------------------------------------------


def test_a_positive_series_stays_positive(passengers):
    falling = np.geomspace(1e3, 1.0, 60)
    f = small(6, 3, scaler="log", linear_skip=True).fit(falling)
    assert (f.forecast(60) > 0).all()
    np.testing.assert_allclose(f.forecast(2), 1e3 ** (-np.array([1, 2]) / 59), rtol=0.1)


def test_past_covariates_are_never_read_ahead():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["known", "past"])
    y = (X["known"] + 3 * X["past"].shift(1, fill_value=0)).rename("y")
    f = small(4, 2, past_covariates=["past"]).fit(X[:180], y[:180])
    table = f.backtest(X[180:], y[180:], steps=1)
    assert np.corrcoef(table["y_true"], table["y_pred"])[0, 1] > 0.98
    two = X[180:182].copy()
    expected = f.forecast(2, two)
    two["past"] = [1e6, np.nan]
    pd.testing.assert_series_equal(f.forecast(2, two), expected)
    by_place = small(4, 2, past_covariates=[1]).fit(X[:180].to_numpy(), y[:180])
    np.testing.assert_array_equal(by_place.forecast(2, two.to_numpy()), expected)
    two.iloc[0, 0] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        f.forecast(2, two)


def past_driven(n):
    """Return inputs, and a target that follows the second input two rows later."""
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"known": rng.normal(size=n), "past": rng.normal(size=n).cumsum()})
    y = X["past"].shift(2, fill_value=0) + 0.1 * rng.normal(size=n)
    return X, y.rename("y")


def test_past_covariates_may_be_missing():
    X, y = past_driven(300)
    X.loc[np.random.RandomState(1).random(300) < 0.2, "past"] = np.nan
    X.loc[:5, "past"] = np.nan
    errors = []
    for columns, past in ((["known", "past"], ["past"]), (["known"], None)):
        f = small(6, past_covariates=past).fit(X.loc[:249, columns], y[:250])
        table = f.backtest(X.loc[250:, columns], y[250:])
        errors.append(((table["y_true"] - table["y_pred"]) ** 2).mean())
    assert errors[0] < 0.5 * errors[1]


def test_missing_past_covariates_show_nothing_that_came_later():
    X, y = past_driven(80)
    X.loc[:9, "past"] = np.nan
    X.loc[40:45, "past"] = np.nan
    other = X.copy()
    other.loc[46:, "past"] = 9.0
    forecasts, kept = [], None
    for inputs in (X, other):
        settings = {"past_covariates": ["past"], "scaler": None, "epochs": 1}
        f = small(6, 2, **settings).fit(inputs, y)
        kept = kept or f._state
        history = f._state.series[None].history
        # Before any value was seen, and within the gap.
        series = replace(kept.series[None], history=history)
        origins = Origins(series, np.array([8, 42, 45]))
        forecasts.append(kept.model.forecast([origins], 2))
    np.testing.assert_array_equal(*forecasts)
    f = small(6, 2, past_covariates=["past"], scaler=None)
    data = read_training(f, X, y, None, None, reset=True)
    problem = make_problem(data, f._window_options())
    data = problem.data(problem.fit_scalers(problem.all_rows()))
    window, _ = data.inputs(np.array([0, 34, 38, 42]))
    past, seen = window[:, :, 2], X["past"].to_numpy(np.float32)
    np.testing.assert_array_equal(past[0], 0)  # not seen yet: the mean
    np.testing.assert_array_equal(past[1], seen[34:40])
    np.testing.assert_array_equal(past[2], [seen[38], *[seen[39]] * 5])
    line = np.interp(np.arange(42, 48), [39, 46], seen[[39, 46]])
    np.testing.assert_allclose(past[3, :4], line[:4], rtol=1e-6)


def test_inputs_known_ahead_may_not_be_missing():
    X, y = past_driven(80)
    X.loc[3, "known"] = np.nan
    with pytest.raises(
        ValueError, match="X contains NaN, first at row 3, column 'known'"
    ):
        small(4, past_covariates=["past"]).fit(X, y)
    X.loc[3, "known"], X.loc[3:9, "past"] = 0.0, np.nan
    f = small(4, past_covariates=["past"], epochs=2).fit(X[:70], y[:70])
    X.loc[72:73, "past"] = np.nan
    errors = f.observe(X[70:], y[70:])  # rows that come in may have gaps, too
    assert np.isfinite(errors).all()
    with pytest.raises(ValueError, match="X contains NaN"):
        small(4).fit(X, y)


def test_bad_past_covariates(passengers, regression):
    X, y = regression
    with pytest.raises(ValueError, match=r"past_covariates has \['z'\], but the col"):
        small(past_covariates=["z"]).fit(X, y)
    with pytest.raises(ValueError, match="the series came without any"):
        small(past_covariates=["z"]).fit(passengers)


# Messages ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters, error, match",
    [
        ({"window_length": 0}, ValueError, "'window_length' parameter .* Got 0"),
        ({"horizon": -1}, ValueError, "'horizon' parameter .* Got -1"),
        ({"cell": "tcn"}, ValueError, "'cell' parameter .* Got 'tcn'"),
        ({"units": (4, 0)}, ValueError, r"units must be an int .* Got \(4, 0\)"),
        ({"units": ()}, ValueError, "units must be an int"),
        ({"scaler": "z"}, ValueError, "'scaler' parameter"),
        ({"dropout": 1.0}, ValueError, "'dropout' parameter"),
        ({"seasonal_period": (6, 0)}, ValueError, "seasonal_period must be .* Got 0"),
        ({"seasonal_period": None, "deseasonalize": True}, ValueError, "gives None"),
        ({"deseasonalize": True}, ValueError, "window_length=6 .* of 12 rows needs 24"),
    ],
)
def test_bad_parameters(passengers, parameters, error, match):
    with pytest.raises(error, match=match):
        small(**parameters).fit(passengers)


def test_bad_series(passengers):
    broken = passengers.copy()
    broken.iloc[3] = np.inf
    with pytest.raises(ValueError, match="contains infinity, first at row 3"):
        small().fit(broken)
    with pytest.raises(ValueError, match="Column . holds no value at all"):
        small().fit(passengers * np.nan)
    with pytest.raises(ValueError, match="not sorted by time.*stands after"):
        small().fit(passengers[::-1])
    with pytest.raises(TypeError, match="must hold numbers"):
        small().fit(["a"] * 20)
    f = small().fit(passengers[:100])
    with pytest.raises(ValueError, match="inside the fitted history .* other values"):
        f.predict(passengers[:50] + 1)
    with pytest.raises(ValueError, match="does not continue the index"):
        f.predict(passengers[100:110].shift(freq="5D"))
    with pytest.raises(ValueError, match="takes no X"):
        f.forecast(2, X=[[1.0], [2.0]])
    with pytest.raises(ValueError, match="steps must be an int of 1 or more"):
        f.forecast(0)


def test_tables_that_are_no_tables(passengers):
    twice = pd.DataFrame(np.ones((40, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="more than one column named 'a'"):
        small().fit(twice)
    with pytest.raises(ValueError, match="more than one column named 'a'"):
        small(None).fit(twice, np.arange(40.0))
    with pytest.raises(TypeError, match="rows of one length, but their lengths differ"):
        small(None).fit([[1.0, 2.0], [3.0]] * 10, np.arange(20.0))
    many = pd.concat({"a": passengers, "b": passengers}, names=["id", "month"])
    with pytest.raises(ValueError, match="X is empty"):
        small().fit(many[:0])


@pytest.mark.parametrize("form", ["series", "regression", "windows"])
def test_values_whose_squares_overflow(form):
    X, y = np.ones((40, 3)), np.arange(40.0)
    X[3, 1] = 1e200
    f, given = small(), (X,)
    if form != "series":
        f, given = small(6 if form == "regression" else None), (X, y)
    with pytest.raises(ValueError, match="as large as 1e.200, whose squares overflow"):
        f.fit(*given)
    if form == "windows":
        with pytest.raises(ValueError, match="y holds values as large as"):
            f.fit(np.ones((40, 3)), y * 1e199)


@pytest.mark.parametrize("form", ["series", "regression", "windows"])
def test_values_whose_squares_overflow_where_nothing_scales_them(form):
    X, y = np.random.default_rng(0).normal(size=(2, 40, 3)) * 1e30
    f, given = small(scaler=None), (X,)
    if form != "series":
        f, given = small(6 if form == "regression" else None, scaler=None), (X, y[:, 0])
    with pytest.raises(ValueError, match="After scaling there are values as large as"):
        f.fit(*given)
    f.set_params(scaler="standard").fit(*given)


def test_bad_regression(regression):
    X, y = regression
    with pytest.raises(ValueError, match="X has a time index .* Set window_length"):
        small(None).fit(X, y)
    with pytest.raises(ValueError, match="Column 2 of X equals y"):
        small().fit(X.assign(c=y), y)
    with pytest.raises(ValueError, match="X and y have different indexes"):
        small().fit(X, y.shift(freq="D"))
    with pytest.raises(TypeError, match="Column 'c' of X holds"):
        small().fit(X.assign(c="text"), y)
    f = small().fit(X[:180], y[:180])
    with pytest.raises(ValueError, match="forecast needs X for the 2 steps"):
        f.forecast(2)
    with pytest.raises(ValueError, match="X has 1 rows after the end of the history"):
        f.forecast(2, X=X[180:181])
    with pytest.raises(ValueError, match="feature names"):
        f.predict(X[180:].rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="X and y have different indexes"):
        f.update(X[180:182], y[180:181])


@pytest.mark.parametrize(
    "method", ["predict", "forecast", "update", "score", "backtest"]
)
def test_unfitted(method):
    arguments = [] if method == "forecast" else [[1.0]]
    with pytest.raises(NotFittedError):
        getattr(small(), method)(*arguments)


def test_training_of_many_series_goes_on_with_one_in_a_list(passengers):
    f = LSTMForecaster(window_length=12, units=4, epochs=1, random_state=0)
    f.fit([passengers, passengers[:100] / 2])
    before = f.weights_["head/kernel"]
    f.partial_fit([passengers * 3])
    assert (f.weights_["head/kernel"] != before).any()
    alone = f.forecast(3)[0]
    assert (alone > passengers.max()).all()  # scaled by itself


@pytest.mark.parametrize("parameters", [{}, {"cell": "gru", "units": (3, 2)}])
def test_members_are_averaged_and_go_on(parameters, regression):
    X, y = regression
    quick = {"units": 3, "epochs": 3, "min_skill": 0.0, "random_state": 0}
    quick |= {"window_length": 6, "horizon": 2} | parameters
    ensemble = LSTMForecaster(**quick, n_members=3).fit(X, y)
    alone = LSTMForecaster(**quick).fit(X, y)
    assert ensemble.model_.count_params() > 2 * alone.model_.count_params()
    forecasts = ensemble.forecast(X=X[-5:].set_axis(y.index[-5:] + pd.Timedelta("5h")))
    assert np.isfinite(forecasts).all()
    again = clone(ensemble).fit(X, y)
    for name, weight in ensemble.weights_.items():
        np.testing.assert_array_equal(weight, again.weights_[name])
    # No weight leads from one member to another, also after more training.
    ensemble.partial_fit(X, y)
    kernel = next(
        w for n, w in ensemble.weights_.items() if n.endswith("recurrent_kernel")
    )
    units = kernel.shape[0] // 3
    assert not kernel[units:, :units].any() and kernel[:units, :units].any()
    with pytest.raises(ValueError, match="n_members=2 takes networks of this"):
        LSTMForecaster(n_members=2, network=print, **quick).fit(y)


def test_a_fit_that_lost_to_a_simple_model_warns_once(passengers):
    f = small(12, 3, linear_skip=False, epochs=1, units=3)
    with pytest.warns(SkillWarning, match="times that of the best simple model") as won:
        f.fit(passengers)
    (warning,) = (w for w in won if w.category is SkillWarning)
    assert warning.filename == __file__ and f.skill_ < 0
    assert "linear_skip=True" in str(warning.message)
    assert "LSTMForecaster's squared error is" in str(warning.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkillWarning)
        f.set_params(linear_skip=True).fit(passengers)
        with pytest.raises(SkillWarning):
            f.set_params(linear_skip=False).fit(passengers)
    assert any("skip" in name for name in f.weights_)  # as it was before


def test_box_cox_is_a_transformer(passengers):
    scaler = PowerTransformer(method="box-cox")
    f = LSTMForecaster(12, 3, epochs=1, units=3, scaler=scaler, random_state=0)
    forecast = f.fit(passengers).forecast(24)
    assert (forecast > 0).all() and forecast.mean() > passengers[-24:].mean()


def test_a_history_with_inputs_is_a_pair(regression):
    X, y = regression
    f = LSTMForecaster(4, epochs=1, units=2, random_state=0).fit(X[:60], y[:60])
    with pytest.raises(ValueError, match=r"must be a tuple \(X, y\). Got Series"):
        f.forecast(1, X[60:61], history=y[:60])


@pytest.mark.parametrize("X", [None, 3.0])
def test_score_of_no_series_says_so(passengers, X):
    f = LSTMForecaster(4, epochs=1, units=2, random_state=0).fit(passengers)
    with pytest.raises(ValueError, match="must have 1 or 2 dimensions"):
        f.score(X)


def test_windows_need_a_value_and_targets_that_are_numbers():
    f = LSTMForecaster(epochs=1, units=2, random_state=0)
    with pytest.raises(ValueError, match=r"windows of shape \(0, 1\), which hold no"):
        f.fit(np.zeros((12, 0, 1)), np.zeros(12))
    X = np.random.default_rng(0).normal(size=(12, 3))
    as_text = clone(f).fit(X, X[:, 0].astype(str)).predict(X)
    np.testing.assert_array_equal(as_text, f.fit(X, X[:, 0]).predict(X))


def test_a_score_against_missing_values_alone_is_refused(passengers):
    f = LSTMForecaster(6, epochs=1, units=2, random_state=0).fit(passengers[:60])
    with pytest.raises(ValueError, match="No row has an actual value"):
        f.score(passengers[60:70] * np.nan)


class Widening:
    """Transformer that returns fewer rows than it receives."""

    def get_params(self, deep=True):
        return {}

    def fit(self, X):
        return self

    def transform(self, X):
        return X[:, :0]

    inverse_transform = transform


def test_words_of_errors_name_what_to_do(passengers):
    quick = {"window_length": 6, "horizon": 2, "epochs": 1, "units": 3}
    values = passengers.to_numpy()
    one = LSTMForecaster(**quick).fit(values)
    many = LSTMForecaster(**quick).fit([values, values[:50]])
    X = np.arange(144.0)[:, None] % 12
    inputs = LSTMForecaster(**quick).fit(X, values)
    two = LSTMForecaster(**quick).fit(np.column_stack([values, values]))
    gone = np.column_stack([values, np.full(144, np.nan)])
    for call, error, match in (
        (lambda: many.forecast(series="ab"), ValueError, r"series has \['ab'\]"),
        (lambda: many.forecast(series=[]), ValueError, "Name a series, or pass None"),
        (lambda: many.forecast(series=[9]), ValueError, r"knows \[0, 1\]. Give the"),
        (lambda: many.forecast(history=values), ValueError, "holds one. Pass a list"),
        (lambda: one.forecast(history=[values] * 2), ValueError, "it holds many. Pass"),
        (lambda: inputs.forecast(), ValueError, "2 steps ahead. Pass X= with a row"),
        (lambda: inputs.forecast(3, X[:2]), ValueError, "steps=3 .* or lower steps"),
        (lambda: inputs.update(X[:2], values[:1]), ValueError, "Pass a row of X for"),
        (lambda: one.fit(gone), ValueError, "Column 1 holds no value .* Drop it"),
        (lambda: two.predict(values[:3]), ValueError, "fitted series has 2. Pass rows"),
        (lambda: one.fit(np.zeros((2, 2, 2))), ValueError, "Got 3. Pass one series"),
        (lambda: one.backtest(values[:1]), ValueError, "Pass more rows, or lower st"),
        (
            lambda: one.backtest(values, max_train_size=9),
            ValueError,
            "max_train_size=9 .* and refit is None. Set refit",
        ),
        (lambda: one.forecast_quantiles(quantiles=0.5), TypeError, "a tuple, such as"),
        (lambda: one.forecast_interval(coverage=1), ValueError, "pass a probability"),
        (lambda: one.save("no/folder/x"), FileNotFoundError, "no folder .* Make it"),
        (
            lambda: LSTMForecaster(6, scaler=Widening()).fit(values),
            ValueError,
            r"Widening.transform made \(.*, 0\) of .*, 1\). Choose another",
        ),
        (
            lambda: LSTMForecaster(6, past_covariates=("z",)).fit(X, values),
            ValueError,
            r"columns of X are \[0\]. Name some of these",
        ),
        (
            lambda: one.set_params(units=4, warm_start=True).fit(values),
            ValueError,
            r"shape: units was \(3,\) and is \(4,\). Fit anew",
        ),
    ):
        with pytest.raises(error, match=match):
            call()
