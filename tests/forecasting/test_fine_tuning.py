"""The pretrained network, trained further on the series to forecast."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import QuantileTransformer

import sklstm
from sklstm import LSTMForecaster
from sklstm._forecasting import fitting, member_fit
from sklstm._forecasting.fine_tuning import (
    LEAST_ORIGINS,
    FineTuning,
    TrainingRows,
    samples_of,
)
from sklstm._forecasting.member_fit import series_before
from sklstm._forecasting.members import (
    PretrainedReader,
    Rows,
    context_forecasts,
)
from sklstm._networks.pretrained import shipped_network
from sklstm._networks.spec import PretrainedSpec
from sklstm._utils.archive import LoadError
from sklstm._utils.keras_backend import to_numpy
from sklstm._windows.scaling import fit_scaler
from sklstm.datasets import load_air_passengers

ARCH = shipped_network().arch
LINE = 3.0 + 2 * np.arange(140.0)
# A shape that no calendar has, which the network has to see.
SPIKES = 20 + np.tile([0.0, 0, 0, 9, 0, 4, 0, 0, 2, 0, 0], 20)
SPIKES += np.random.default_rng(0).normal(size=len(SPIKES)) / 4
PASSENGERS = load_air_passengers().astype(float)
LATER = 1.1 * PASSENGERS[-12:].shift(12, freq="MS")
QUICK = {"horizon": 4, "units": 3, "epochs": 8, "random_state": 0}


def one(values, kind="standard"):
    values = np.asarray(values, float).reshape(len(values), -1)
    return TrainingRows(values, fit_scaler(values, kind))


def samples(series, origins, seasons=()):
    rng = np.random.RandomState(0)
    return samples_of(series, np.array(origins), seasons, 6, rng)


def tuning(n_steps=1, horizon=4, seed=0):
    return FineTuning((), horizon, n_steps, seed)


def tuned_weights(forecaster):
    return forecaster._state.members.tuned.weights


def assert_equal_weights(ours, others):
    for name, weights in ours.items():
        np.testing.assert_array_equal(weights, others[name], name)


@pytest.fixture(scope="module")
def fitted():
    return LSTMForecaster(**QUICK).fit(PASSENGERS)


def test_the_keras_model_has_the_outputs_of_forecasts():
    network, model = shipped_network(), PretrainedSpec(ARCH).build()
    for variable in model.weights:
        variable.assign(network.weights[variable.path])
    contexts, *_ = samples(one(SPIKES), [60, 90])
    found = to_numpy(model(contexts)).reshape(2, len(ARCH.quantiles), -1)
    expected = network.outputs(contexts, np.array([6, 6]))
    np.testing.assert_allclose(np.swapaxes(found, 1, 2), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", None])
@pytest.mark.parametrize("origin", [50, 100, 130])
def test_targets_are_differences_from_the_last_value_in_steps(kind, origin):
    _, targets, weights = samples(one(LINE, kind), [origin])
    n_known = min(len(LINE) - origin, ARCH.horizon)
    expected = np.arcsinh(np.arange(1.0, n_known + 1))
    np.testing.assert_allclose(targets[0, :n_known, 0], expected, rtol=1e-4)
    assert np.isnan(targets[0, n_known:]).all()
    assert weights == [1]


def test_targets_lack_the_season_that_contexts_lack():
    season = np.tile([5.0, -2, 0, -3], 35)
    contexts, targets, _ = samples(one(LINE + season), [60, 100], (4,))
    without = samples(one(LINE), [60, 100])
    np.testing.assert_allclose(contexts, without[0], atol=2e-3)
    np.testing.assert_allclose(targets, without[1], atol=2e-3)


@pytest.mark.parametrize("kind", ["log", QuantileTransformer(n_quantiles=20)])
def test_scalers_that_bend_the_axis_are_applied_to_both_sides(kind):
    bent = one(np.exp(LINE / 50), kind)
    scaled = bent.scaler.apply(bent.values)
    found, expected = samples(bent, [60, 90]), samples(one(scaled, None), [60, 90])
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, other, atol=1e-4)


def test_contexts_see_no_row_after_the_origin_and_gaps_are_no_targets():
    changed = SPIKES.copy()
    changed[60:] += 100
    contexts = [
        samples(one(SPIKES)._replace(values=v[:, None]), [60])[0]
        for v in (SPIKES, changed)
    ]
    np.testing.assert_array_equal(*contexts)
    changed[[59, 62]] = np.nan
    _, targets, weights = samples(one(changed), [60, 61])
    assert np.isnan(targets[:, :, 0]).nonzero()[1].tolist() == [2, 1]
    assert weights.tolist() == [0, 1]  # Forecasts start at the last value seen.


def test_columns_and_series_are_drawn_alike():
    table = one(np.column_stack([LINE, -LINE, 0 * LINE]))
    _, targets, weights = samples(table, np.full(90, 60))
    first = np.where(weights > 0, targets[:, 0, 0], 0)
    rising, falling = (np.isclose(first, sign * np.arcsinh(1)) for sign in (1, -1))
    assert min(rising.sum(), falling.sum(), (weights == 0).sum()) > 15
    assert tuning().origins([one(LINE), one(LINE[:30]), one(LINE)], 6).tolist() == [
        0,
        89,
        89,
        178,
    ]


@pytest.mark.parametrize(
    "n_rows, n_patches", [(110, 0), (111, 6), (158, 6), (159, 12), (255, 24), (999, 24)]
)
def test_contexts_are_as_long_as_rows_allow(n_rows, n_patches):
    series = [one(np.arange(n_rows))]
    assert tuning().n_patches(series) == n_patches
    assert tuning(0).n_patches(series) == 0
    if n_patches:
        assert tuning().origins(series, n_patches)[-1] >= LEAST_ORIGINS


def test_it_learns_how_a_series_grows():
    values = PASSENGERS.to_numpy()
    series = one(values[:108], "log")
    rows = [Rows(values[:, None], series.scaler, np.arange(108, 132))]
    tuned = FineTuning((12,), 12, 20, 0).fit([series], 6)

    def error(reader):
        forecasts = context_forecasts(rows, (12,), 12, [reader])[0, :, :, 0]
        actual = values[rows[0].origins[:, None] + np.arange(12)]
        return np.abs(
            series.scaler.invert(forecasts[..., None])[..., 0] - actual
        ).mean()

    assert error(PretrainedReader(tuned)) < 0.9 * error(PretrainedReader())


def test_weights_depend_on_seed_and_rows_alone():
    series = [one(SPIKES), one(LINE)]
    first = tuning(2).fit(series, 6).weights
    assert_equal_weights(first, tuning(2).fit(series, 6).weights)
    others = tuning(2, seed=1).fit(series, 6), tuning(2).fit(series[:1], 6)
    for other in others:
        assert (first["hidden/kernel"] != other.weights["hidden/kernel"]).any()


def test_the_block_is_forecast_by_weights_that_did_not_see_it(monkeypatch):
    seen = []

    def recorded(problem, block):
        seen.append((block, series_before(problem, block)))
        return seen[-1][1]

    monkeypatch.setattr(member_fit, "series_before", recorded)
    panel = {"a": SPIKES[:150], "b": SPIKES[:100], "c": SPIKES[:20]}
    LSTMForecaster(**QUICK, window_length=12).fit(
        [pd.Series(v) for v in panel.values()]
    )
    ((block, parts),) = seen
    lengths = [len(values) for values, _ in parts]
    data_starts = block.data.starts[block.rows]
    first = [data_starts[data_starts < 150].min(), data_starts.max()]
    assert lengths[0] == first[0] + 12
    assert lengths[1] < 110 and lengths[2] <= 20


def test_the_model_holds_weights_of_its_own(fitted, tmp_path):
    tuned = tuned_weights(fitted)
    shipped = shipped_network().weights
    assert tuned.keys() == shipped.keys()
    assert any((tuned[name] != shipped[name]).any() for name in tuned)
    again = LSTMForecaster(**QUICK).fit(PASSENGERS)
    assert_equal_weights(tuned, tuned_weights(again))
    fitted.save(tmp_path / "model.sklstm")
    copies = pickle.loads(pickle.dumps(fitted)), sklstm.load(tmp_path / "model.sklstm")
    for copy in copies:
        pd.testing.assert_series_equal(copy.forecast(9), fitted.forecast(9))
        quantiles = copy.forecast_quantiles(4)
        pd.testing.assert_frame_equal(quantiles, fitted.forecast_quantiles(4))
    assert len(pickle.dumps(fitted)) < 1.5e6


def test_forecasts_read_the_weights_of_the_model(fitted):
    other = fitted._copy()
    state, own = fitted._state, fitted._state.members
    untuned = replace(own, tuned=None)
    other._state = replace(state, model=replace(state.model, members=untuned))
    assert (other.forecast(4) != fitted.forecast(4)).all()
    assert "the fine-tuned pretrained network (" in fitted.summary()
    assert "the pretrained network (" in other.summary()
    # Widths are those of the weights that come with the package.
    widths = (f.forecast_interval(4).diff(axis=1)["upper"] for f in (other, fitted))
    np.testing.assert_allclose(*widths)


def test_frozen_weights_stay_as_they_come(fitted):
    frozen = LSTMForecaster(**QUICK, pretrained="frozen").fit(PASSENGERS)
    assert frozen._state.members.tuned is None
    ours, others = (f.members_ for f in (fitted, frozen))
    assert others["trained"]["score"] == ours["trained"]["score"]
    assert others["pretrained"]["score"] > ours["pretrained"]["score"]


def test_weights_that_are_worse_on_the_block_are_not_kept(fitted, monkeypatch):
    zeros = {name: 0 * w for name, w in tuned_weights(fitted).items()}
    broken = replace(fitted._state.members.tuned, weights=zeros)
    monkeypatch.setattr(FineTuning, "fit", lambda *_: broken)
    f = LSTMForecaster(**QUICK).fit(PASSENGERS)
    frozen = LSTMForecaster(**QUICK, pretrained="frozen").fit(PASSENGERS)
    assert f._state.members.tuned is None
    assert f.members_ == frozen.members_
    pd.testing.assert_series_equal(f.forecast(4), frozen.forecast(4))


def test_no_weights_are_held_where_they_take_no_part(monkeypatch):
    assert (
        LSTMForecaster(**QUICK | {"epochs": 0}).fit(PASSENGERS)._state.members.tuned
        is None
    )
    weights = {"trained": 1.0, "adjusted": 0.0, "pretrained": 0.0}
    monkeypatch.setattr(member_fit, "weights_of_errors", lambda *_: weights)
    f = LSTMForecaster(**QUICK).fit(PASSENGERS)
    assert f._state.members.tuned is None
    assert f.members_["pretrained"]["score"] > 0


def test_without_refit_the_weights_of_the_block_stay(fitted, monkeypatch):
    on_block = []

    def recorded(*args):
        on_block.append(member_fit.combine_on_block(*args))
        return on_block[-1]

    monkeypatch.setattr(fitting, "combine_on_block", recorded)
    kept = tuned_weights(LSTMForecaster(**QUICK, refit=False).fit(PASSENGERS))
    assert_equal_weights(kept, on_block[0].members.tuned.weights)
    assert (kept["skip/kernel"] != tuned_weights(fitted)["skip/kernel"]).any()


def test_update_and_partial_fit_keep_the_weights(fitted):
    updated = pickle.loads(pickle.dumps(fitted)).update(LATER)
    assert_equal_weights(tuned_weights(updated), tuned_weights(fitted))
    trained = pickle.loads(pickle.dumps(fitted)).partial_fit(PASSENGERS)
    assert_equal_weights(tuned_weights(trained), tuned_weights(fitted))


def test_weights_of_another_shape_are_no_model(fitted, tmp_path):
    other = fitted._copy()
    state, own = fitted._state, fitted._state.members
    weights = own.tuned.weights | {"hidden/bias": np.zeros(3, np.float16)}
    broken = replace(own, tuned=replace(own.tuned, weights=weights))
    other._state = replace(state, model=replace(state.model, members=broken))
    other.save(tmp_path / "model.sklstm")
    with pytest.raises(LoadError, match="sizes that do not fit"):
        sklstm.load(tmp_path / "model.sklstm")


def test_weights_of_a_model_need_no_digest_of_the_package(fitted):
    own = replace(fitted._state.members, digest="another")
    own.check_weights()
    with pytest.warns(UserWarning, match="other weights of the pretrained"):
        replace(own, tuned=None).check_weights()
