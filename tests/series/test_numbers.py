"""Values of any size give finite results."""

import numpy as np
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier

QUICK = {"epochs": 2, "units": 3, "random_state": 0}
rng = np.random.default_rng(0)
WAVE = 2 + np.sin(np.arange(120) / 3) + 0.1 * rng.normal(size=120)
OUTLIER = WAVE.copy()
OUTLIER[60] = 1e6
SERIES = {
    "tiny": WAVE * 1e-12,
    "huge": WAVE * 1e12,
    "constant": np.full(120, 7.0),
    "constant zero": np.zeros(120),
    "almost constant": 1 + 1e-13 * rng.normal(size=120),
    "far from zero": 1e9 + WAVE,
    "one outlier": OUTLIER,
    "outlier at the end": np.append(WAVE, 1e6),
    "one step": (np.arange(120) > 60).astype(float),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("scaler", ["standard", "robust", "minmax", None])
def test_a_series_gives_finite_forecasts(name, scaler):
    series = SERIES[name]
    f = LSTMForecaster(6, 3, scaler=scaler, **QUICK).fit(series)
    results = f.forecast(7), f.forecast_interval(7), f.predict(series[-5:])
    assert all(np.isfinite(result).all() for result in results)
    assert np.isfinite(f.history_["val_loss"]).all()
    assert np.isfinite([f.skill_, *f.baseline_scores_.values()]).all()
    if name.startswith("constant"):
        np.testing.assert_allclose(f.forecast(7), series[0], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_units_do_not_matter(scale):
    one, other = (LSTMForecaster(6, 3, **QUICK).fit(WAVE * s) for s in (1.0, scale))
    np.testing.assert_allclose(other.forecast(7) / scale, one.forecast(7), rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_windows_of_any_size(scale):
    X = rng.normal(size=(60, 5))
    f = LSTMForecaster(**QUICK).fit(X * scale, X[:, 0] * scale)
    assert np.isfinite(f.predict(X * scale)).all()
    ones = LSTMForecaster(**QUICK).fit(np.ones((30, 5)) * scale, np.full(30, scale))
    np.testing.assert_allclose(ones.predict(np.ones((2, 5)) * scale), scale, rtol=1e-5)


def test_rows_of_no_weight_move_nothing():
    weights = np.ones(120)
    weights[20:30] = 0
    wild = WAVE.copy()
    wild[20:30] = 50
    f = LSTMForecaster(6, 1, **QUICK).fit(wild, sample_weight=weights)
    assert np.isfinite(f.forecast(7)).all()
    X, y = WAVE[:100].reshape(20, 5), WAVE[:20]
    weights = np.repeat([1.0, 0.0], 10)
    without = LSTMForecaster(**QUICK).fit(X[:10], y[:10])
    f = LSTMForecaster(**QUICK).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(f.predict(X), without.predict(X))


@pytest.mark.parametrize("weight", [5e-324, 1e-40, 1e40, 1e300])
@pytest.mark.parametrize("form", ["series", "windows", "texts"])
def test_weights_that_cannot_be_added_up_are_refused(weight, form):
    estimator, *data = {
        "series": (LSTMForecaster(6, **QUICK), WAVE[:40], None),
        "windows": (LSTMForecaster(**QUICK), WAVE.reshape(40, 3), WAVE[:40]),
        "texts": (LSTMTextClassifier(**QUICK), ["good", "bad"] * 20, [1, 0] * 20),
    }[form]
    with pytest.raises(ValueError, match="must lie between 1e-30 and 1e.30, or be 0"):
        estimator.fit(*data, np.full(40, weight))
    if form == "texts":
        estimator.set_params(min_df=0.0)  # a weight counts as so many texts
    weights = np.full(40, 1e30 if weight > 1 else 1e-30)
    assert np.isfinite(estimator.fit(*data, weights).history_["loss"]).all()


def test_training_that_diverges_is_told_and_undone():
    quick = QUICK | {"learning_rate": 1e30, "epochs": 5, "optimizer": "sgd"}
    with pytest.warns(UserWarning, match="diverged in epoch"):
        f = LSTMForecaster(6, 3, linear_skip=False, **quick).fit(WAVE)
    assert np.isfinite(f.forecast(7)).all()
