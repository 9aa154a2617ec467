"""The combination of the network trained here and the pretrained one."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sklstm
from sklstm import LSTMForecaster
from sklstm._forecasting import fitting, member_fit
from sklstm._forecasting import members as members_module
from sklstm._forecasting.member_fit import weights_of_errors
from sklstm._forecasting.members import Members, Rows, context_forecasts
from sklstm._windows.scaling import fit_scaler

QUICK = {"horizon": 4, "units": 3, "epochs": 0, "random_state": 0}
N = 90
T = np.arange(N + 12)
VALUES = 50 + 0.2 * T + 6 * np.sin(2 * np.pi * T / 12)
VALUES += np.random.default_rng(0).normal(size=len(T))
SERIES = pd.Series(
    VALUES, pd.date_range("2015-01-01", periods=len(T), freq="MS"), name="sales"
)
PAST, FUTURE = SERIES[:N], SERIES[N:]


@pytest.fixture(scope="module")
def fitted():
    return LSTMForecaster(**QUICK).fit(PAST)


@pytest.fixture(scope="module")
def alone():
    return LSTMForecaster(pretrained=False, **QUICK).fit(PAST)


def with_weight(forecaster, weight, **others):
    other = forecaster._copy()
    other._state = forecaster._state.with_weights(pretrained=weight, **others)
    return other


def rows_of(values, origins, kind="standard"):
    values = np.asarray(values, float).reshape(len(values), -1)
    return Rows(values, fit_scaler(values, kind), np.asarray(origins))


@pytest.mark.parametrize("value", [True, "yes", None, 1])
def test_pretrained_is_auto_or_false(value):
    with pytest.raises(ValueError, match="'pretrained' parameter of LSTMForecaster"):
        LSTMForecaster(pretrained=value).fit(PAST)


def test_without_it_the_network_forecasts_to_the_byte_as_before(fitted, alone):
    assert alone._state.model.members is None
    assert {"trained": 1.0, "adjusted": 0.0, "pretrained": 0.0} == {
        name: member["weight"] for name, member in alone.members_.items()
    }
    for name, weights in fitted.weights_.items():
        np.testing.assert_array_equal(weights, alone.weights_[name])
    np.testing.assert_array_equal(
        with_weight(fitted, 0.0).forecast(30), alone.forecast(30)
    )
    assert fitted.baseline_scores_ == alone.baseline_scores_


def test_the_forecast_is_a_convex_combination(fitted, alone):
    weights = {name: member["weight"] for name, member in fitted.members_.items()}
    assert all(0 < weight < 1 for weight in weights.values())
    assert sum(weights.values()) == pytest.approx(1)
    expected = weights["trained"] * alone.forecast(30)
    expected += weights["pretrained"] * with_weight(fitted, 1.0).forecast(30)
    expected += weights["adjusted"] * with_weight(fitted, 0.0, adjusted=1.0).forecast(
        30
    )
    np.testing.assert_allclose(fitted.forecast(30), expected, rtol=1e-9)


def weights(trained, pretrained, prior=0.0, **others):
    errors = {"trained": trained, "pretrained": pretrained, **others}
    return pytest.approx(weights_of_errors(errors, prior))


def test_weights_follow_from_squared_errors():
    assert {"trained": 0.5, "pretrained": 0.5} == weights(1.0, 1.0)
    assert {"trained": 0.8, "pretrained": 0.2} == weights(1.0, 2.0)
    three = {"trained": 0.5, "pretrained": 0.5, "bad": 0.0}
    assert three == weights(1.0, 1.0, bad=4.5)
    assert {"trained": 1.0, "pretrained": 0.0} == weights(0.0, 0.0)
    assert {"trained": 0.0, "pretrained": 1.0} == weights(1.0, 0.0)


def test_weights_are_shrunk_towards_the_pretrained_network():
    assert {"trained": 0.25, "pretrained": 0.75} == weights(1.0, 1.0, 0.5)
    assert {"trained": 0.6, "pretrained": 0.4} == weights(1.0, 2.0, 0.25)
    assert {"trained": 0.2, "pretrained": 0.8} == weights(0.5, 1.0, 0.75)
    assert {"trained": 0.0, "pretrained": 1.0} == weights(1.0, 1.0, 0.95)
    # An error that no chance explains outweighs the trust.
    assert weights_of_errors({"trained": 1.0, "pretrained": 21.0}, 0.5)["trained"] == 1
    assert weights_of_errors({"trained": 1.0, "pretrained": 19.0}, 0.5)["trained"] < 0.6


def combined_once(forecaster, monkeypatch, *data):
    """Return the arguments of `combine_on_block` in a fit, and what it returned."""
    calls = []

    def combined(*args):
        calls.append((args, member_fit.combine_on_block(*args)))
        return calls[-1][1]

    monkeypatch.setattr(fitting, "combine_on_block", combined)
    forecaster.fit(*data)
    (call,) = calls
    return call


def test_an_outlier_moves_no_forecast_without_limit():
    wrong = PAST.copy()
    wrong.iloc[-3] += 100  # 15 standard deviations
    f = LSTMForecaster(horizon=12, epochs=0, random_state=0).fit(wrong)
    free, members = f._copy(), replace(f._state.members, bounded=False)
    free._state = replace(f._state, model=replace(f._state.model, members=members))
    bounded, unbounded = (np.abs(m.forecast(12) - FUTURE).mean() for m in (f, free))
    assert bounded < 4 < 20 < unbounded


def test_the_interval_of_the_pretrained_network_bounds_the_others():
    members = replace(Members.of(0.5), bounded=True)
    quantiles = np.array([[1.0, 1.0, np.nan], [2.0, 2.0, np.nan], [3.0, 3.0, np.nan]])
    trained = np.array([2.5, 9.0, 9.0])
    mean = members.weighted_mean(trained, {"pretrained": quantiles})
    np.testing.assert_array_equal(mean, [2.25, 2.5, 9.0])
    free = Members.of(0.5).weighted_mean(trained, {"pretrained": quantiles[[1]]})
    np.testing.assert_array_equal(free, [2.25, 5.5, 9.0])


def test_inputs_may_move_forecasts_out_of_the_interval(fitted, regression):
    assert fitted._state.members.bounded
    X, y = regression
    beside = LSTMForecaster(6, 4, units=3, epochs=0, random_state=0).fit(X, y)
    assert not beside._state.members.bounded


def test_the_pretrained_network_is_trusted_as_half_a_block(monkeypatch):
    f = LSTMForecaster(**QUICK)
    (_, block, *_, prior), made = combined_once(f, monkeypatch, PAST)
    assert prior == pytest.approx(0.5 / (0.5 + len(block.rows) / 4))
    scores = {name: member["score"] for name, member in f.members_.items()}
    assert min(scores.values()) > 0
    for name, weight in weights_of_errors(scores, prior).items():
        assert f.members_[name]["weight"] == pytest.approx(weight)


def test_beside_inputs_the_pretrained_network_is_not_trusted(monkeypatch):
    inputs = pd.DataFrame({"x": np.cos(T[:N])}, PAST.index)
    f = LSTMForecaster(12, **QUICK)
    args, _ = combined_once(f, monkeypatch, inputs, PAST)
    assert args[-1] == 0


def test_a_mean_is_worse_if_a_long_block_says_so(monkeypatch):
    _, made = combined_once(LSTMForecaster(**QUICK), monkeypatch, PAST)
    far = replace(made.combined, outputs=made.trained.outputs + 100)
    assert replace(made, combined=far).is_worse(np.square, 4.0)
    assert not replace(made, combined=far).is_worse(np.square, 3.9)
    assert not replace(made, combined=made.trained).is_worse(np.square, 4.0)
    noise = np.random.default_rng(0).normal(0, 0.01, far.outputs.shape)
    near = replace(made.combined, outputs=made.trained.outputs + noise)
    assert not replace(made, combined=near).is_worse(np.square, 4.0)


def test_the_skill_is_that_of_the_combined_forecast(fitted, alone, monkeypatch):
    again = LSTMForecaster(**QUICK)
    _, made = combined_once(again, monkeypatch, PAST)
    blocks = made.trained, made.combined
    trained, both = (block.mean_error(np.square) for block in blocks)
    assert again.skill_ == fitted.skill_
    assert again._state.record.trained_skill == alone.skill_
    assert (1 - again.skill_) / (1 - alone.skill_) == pytest.approx(both / trained)


def test_a_mean_clearly_worse_than_the_network_alone_is_not_kept(monkeypatch):
    make = member_fit.outputs_on_block

    def far_off(problem, block, readers):
        return make(problem, block, readers) + 100

    weights = {"trained": 0.6, "adjusted": 0.2, "pretrained": 0.2}
    monkeypatch.setattr(member_fit, "outputs_on_block", far_off)
    monkeypatch.setattr(member_fit, "weights_of_errors", lambda *_: weights)
    short = QUICK | {"horizon": 2}  # a block of at least four horizons
    f = LSTMForecaster(**short).fit(PAST)
    alone = LSTMForecaster(**short, pretrained=False).fit(PAST)
    assert f.members_["trained"]["weight"] == 1
    assert f.skill_ == alone.skill_
    np.testing.assert_array_equal(f.forecast(30), alone.forecast(30))


def test_the_pretrained_network_reads_no_row_after_its_origin():
    changed = VALUES.copy()
    changed[60:] += 100
    one, other = (
        context_forecasts([Rows(v[:, None], scaler, np.array([50, 60]))], (12,), 5)
        for v in (VALUES, changed)
        for scaler in [fit_scaler(VALUES[:, None], "standard")]
    )
    np.testing.assert_array_equal(one, other)


def test_series_columns_and_panels_are_forecast_as_alone():
    parts = [rows_of(VALUES, [60, 90]), rows_of(VALUES[:40] ** 2, [40])]
    together = context_forecasts(parts, (12,), 55)
    alone = [context_forecasts([part], (12,), 55) for part in parts]
    np.testing.assert_allclose(together, np.concatenate(alone, axis=1), atol=1e-4)
    table = np.column_stack([VALUES, -VALUES])
    both = context_forecasts([rows_of(table, [60, 90])], (12,), 55)
    np.testing.assert_allclose(both[..., :1], alone[0], atol=1e-4)


def test_forecasts_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    values = np.sin(np.arange(90.0) / 3)
    parts = [rows_of(values, [40, 60, 90]), rows_of(2 * values, [30])]
    together = context_forecasts(parts, (12,), 5)
    monkeypatch.setattr(members_module, "VALUES_AT_ONCE", 1)
    np.testing.assert_allclose(context_forecasts(parts, (12,), 5), together, atol=1e-4)


def test_after_missing_values_the_forecast_starts_at_the_last_one_seen():
    holes = VALUES.copy()
    holes[[20, 21, 30]] = np.nan
    whole = context_forecasts([rows_of(holes, [60])], (12,), 8)
    ended = np.where(np.arange(len(holes)) < 60, holes, np.nan)[:, None]
    scaler = rows_of(holes, []).scaler
    late = context_forecasts([Rows(ended, scaler, np.array([63, 60]))], (12,), 5)
    np.testing.assert_allclose(late[0, 0], whole[0, 0, 3:], atol=1e-4)
    np.testing.assert_allclose(late[0, 1], whole[0, 0, :5], atol=1e-4)
    assert np.isfinite(whole).all()


def test_before_the_first_value_the_network_trained_here_forecasts(fitted):
    found = fitted.predict(PAST)
    assert np.isfinite(found).all()
    alone = with_weight(fitted, 0.0).predict(PAST)
    assert found.iloc[0] == alone.iloc[0]
    assert (found != alone).mean() > 0.9


def test_methods_agree_on_the_combined_forecast(fitted):
    ahead = fitted.forecast(4)
    table = fitted.backtest(FUTURE, quantiles=(0.1, 0.9))
    np.testing.assert_allclose(table["y_pred"][:4], ahead)
    assert (table[0.1] <= table["y_pred"]).all()
    one_step = fitted.predict(FUTURE)
    firsts = table.query("step == 1")["y_pred"]
    np.testing.assert_allclose(one_step[: len(firsts)], firsts, rtol=1e-6)
    assert one_step.iloc[0] == pytest.approx(ahead.iloc[0])
    other = pickle.loads(pickle.dumps(fitted))
    errors = other.observe(FUTURE)
    np.testing.assert_allclose(errors, FUTURE - one_step)
    assert fitted.score(FUTURE) != with_weight(fitted, 0.0).score(FUTURE)
    extended = pickle.loads(pickle.dumps(fitted)).update(FUTURE)
    np.testing.assert_allclose(extended.forecast(3), other.forecast(3))


def test_across_a_gap_the_row_is_as_many_steps_ahead(fitted):
    pretrained = with_weight(fitted, 1.0)
    across = pretrained.predict(FUTURE[3:5])
    assert across.iloc[0] == pytest.approx(pretrained.forecast(4).iloc[3], rel=1e-6)
    assert np.isfinite(fitted.predict(FUTURE[3:5])).all()


def test_sample_paths_move_with_the_combined_forecast(fitted, alone):
    trained, both = with_weight(fitted, 0.0), with_weight(fitted, 0.0, adjusted=0.4)
    paths, own = (f.sample_paths(5, 6, random_state=0) for f in (both, trained))
    shift = (both.forecast(6) - trained.forecast(6)).to_numpy()[:, None]
    np.testing.assert_allclose(paths - own, np.broadcast_to(shift, (6, 5)))


def test_widths_of_intervals_are_the_mean_of_block_and_pretrained_network(fitted):
    def widths(forecaster):
        interval = forecaster.forecast_interval(9, coverage=0.8)
        return (interval["upper"] - interval["lower"]).to_numpy()

    uncalibrated = fitted._copy()
    uncalibrated._state = replace(fitted._state, calibration=None)
    expected = (widths(with_weight(fitted, 0.0)) + widths(uncalibrated)) / 2
    np.testing.assert_allclose(widths(fitted), expected, rtol=1e-6)
    paths = fitted.sample_paths(300, 4, random_state=0).to_numpy()
    spread = np.subtract(*np.quantile(paths, [0.9, 0.1], axis=1))
    np.testing.assert_allclose(spread, widths(fitted)[:4], rtol=0.35)


@pytest.mark.parametrize("n_rows", [8, 11, 30])
def test_series_too_short_to_train_on_are_forecast_at_once(n_rows):
    f = LSTMForecaster(horizon=12, calendar=("month",)).fit(PAST[:n_rows])
    assert f.members_["pretrained"] == {"weight": 1.0, "score": None}
    assert f.skill_ is None
    assert np.isfinite(f.forecast(15)).all()
    interval = f.forecast_interval(60)
    width = (interval["upper"] - interval["lower"]).to_numpy()
    assert width[0] > 0 and width[47] < width[59]
    with pytest.raises(ValueError, match="Quantiles need errors"):
        f.sample_paths(3)
    assert "too short to train on" in f.summary()


def test_inputs_of_short_series_are_not_left_out():
    X, y = np.arange(20.0)[:, None], np.arange(20.0) ** 2
    f = LSTMForecaster(3, **QUICK).fit(X[:12], y[:12])
    assert f.members_["trained"] == {"weight": 1.0, "score": None}
    short = LSTMForecaster(12, **QUICK).fit(X[:12], y[:12])
    assert short.members_["pretrained"]["weight"] == 1
    assert np.isfinite(short.predict(X[12:])).all()


def test_a_refit_on_some_rows_reads_no_earlier_ones(fitted):
    table = fitted.backtest(FUTURE, stride=6, refit=1, max_train_size=60)
    again = LSTMForecaster(**QUICK).fit(SERIES[36:96])
    np.testing.assert_allclose(table["y_pred"][4:], again.forecast(4), rtol=1e-6)


def test_shorter_series_are_an_error_as_without_it():
    for n, pretrained in ((7, "auto"), (9, False)):
        with pytest.raises(ValueError, match="Shorten window_length or horizon"):
            LSTMForecaster(horizon=12, pretrained=pretrained).fit(PAST[:n])


def test_training_goes_on_from_a_series_that_was_too_short():
    f = LSTMForecaster(window_length=6, warm_start=True, **QUICK).fit(PAST[:8])
    assert f.fit(PAST).members_["trained"]["weight"] > 0
    weight = f.members_["pretrained"]["weight"]
    assert LSTMForecaster(**QUICK).partial_fit(PAST[:30]).n_iter_ == 1
    assert f.partial_fit(PAST).members_["pretrained"]["weight"] == weight


def test_without_a_validation_block_weights_are_equal():
    f = LSTMForecaster(validation_fraction=0, **QUICK).fit(PAST)
    assert f.members_["trained"] == {"weight": 0.5, "score": None}
    quantiles = f.forecast_quantiles(60, quantiles=(0.01, 0.25, 0.5, 0.75, 0.99))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(quantiles[0.5], f.forecast(60))


def test_forecasts_on_the_axis_of_the_logarithm_are_positive():
    falling = np.exp(-0.2 * np.arange(60)) * (1 + 0.1 * np.sin(np.arange(60)))
    f = with_weight(LSTMForecaster(scaler="log", **QUICK).fit(falling), 0.9)
    assert (f.forecast(40) > 0).all()


def test_inputs_that_tell_the_target_leave_the_pretrained_network_out(regression):
    X, y = regression
    f = LSTMForecaster(6, **QUICK | {"horizon": 1}).fit(X[:-20], y[:-20])
    assert f.members_["pretrained"]["weight"] == 0
    assert f.members_["pretrained"]["score"] > 3 * f.members_["trained"]["score"]
    f = with_weight(f, 0.4)
    assert np.isfinite(f.predict(X[-20:])).all()


def test_ready_made_windows_are_forecast_by_the_network_trained_here():
    X = np.random.default_rng(0).normal(size=(30, 4))
    f = LSTMForecaster(units=2, epochs=0).fit(X, X[:, 0])
    assert f.members_["trained"] == {"weight": 1.0, "score": None}


def test_series_in_files_keep_the_rows_that_forecasts_need(tmp_path):
    long = np.cumsum(np.random.default_rng(0).normal(size=900))
    np.save(tmp_path / "y.npy", long)
    f = LSTMForecaster(5, **QUICK)
    whole = f.fit(long).forecast(4)
    mapped = f.fit(np.load(tmp_path / "y.npy", mmap_mode="r")).forecast(4)
    np.testing.assert_allclose(mapped, whole)


def test_files_and_pickles_keep_forecast_and_weights(fitted, tmp_path):
    fitted.save(tmp_path / "f")
    for other in (sklstm.load(tmp_path / "f"), pickle.loads(pickle.dumps(fitted))):
        assert other.members_ == fitted.members_
        np.testing.assert_array_equal(other.forecast(9), fitted.forecast(9))
    assert (tmp_path / "f").stat().st_size < 2e5  # without the pretrained weights


def test_files_from_before_there_was_a_pretrained_network(fitted):
    state = fitted.__getstate__()
    state.pop("pretrained")
    other = LSTMForecaster.__new__(LSTMForecaster)
    other.__setstate__(state)
    assert other.pretrained is False


def test_a_forged_weight_is_not_loaded(fitted, tmp_path):
    with_weight(fitted, 1.5).save(tmp_path / "f")
    with pytest.raises(sklstm.serialization.LoadError, match="sizes that do not fit"):
        sklstm.load(tmp_path / "f")


def test_other_pretrained_weights_than_at_the_fit_are_told(fitted, monkeypatch):
    monkeypatch.setattr(members_module, "shipped_digest", lambda: "other")
    with pytest.warns(UserWarning, match="other weights of the pretrained network"):
        fitted.forecast(3)
    with_weight(fitted, 0.0).forecast(3)


def test_words_and_pages_tell_the_weights(fitted, tmp_path):
    weight = fitted.members_["pretrained"]["weight"]
    words = f"the pretrained network ({weight:.0%})."
    assert words in fitted.summary()
    assert words.replace("'", "&#x27;") in fitted._repr_html_()
    one = LSTMForecaster(6, pretrained="auto", **QUICK | {"units": 1, "epochs": 1})
    one.fit(PAST).report(tmp_path / "page.html", FUTURE)
    page = (tmp_path / "page.html").read_text()
    members = ("linear model", "adjusted linear model", "pretrained network")
    for name in (*(f"{member} alone" for member in members), words[:20]):
        assert name.replace("'", "&#x27;") in page
