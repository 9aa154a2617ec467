import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

from sklstm._windows import scaling

KINDS = ["standard", "robust", "minmax", "log", None, PowerTransformer()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(50, 2), (5, 10, 2)])
def test_invert_undoes_apply(kind, shape):
    values = np.random.default_rng(0).gamma(2.0, 3.0, size=shape)
    scaler = scaling.learn(values.reshape(-1, 2), kind)
    there = scaling.apply(values, scaler)
    assert there.shape == shape
    np.testing.assert_allclose(scaling.invert(there, scaler), values, rtol=1e-6)


@pytest.mark.parametrize("kind", ["standard", "robust", "minmax", "log"])
def test_weights_count_as_repetition(kind):
    rng = np.random.default_rng(0)
    values, weights = rng.gamma(2.0, size=(30, 2)), rng.integers(0, 4, 30)
    weighted = scaling.learn(values, kind, weights.astype(float))
    repeated = scaling.learn(np.repeat(values, weights, axis=0), kind)
    for key in ("center", "scale"):
        np.testing.assert_allclose(weighted[key], repeated[key])


@pytest.mark.parametrize("kind", ["standard", "robust", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e12, -1e-12])
def test_constant_column_stays_finite(kind, value):
    scaler = scaling.learn(np.full((7, 1), value), kind)
    np.testing.assert_array_equal(scaler["scale"], 1)


def test_logarithms_need_positive_values():
    with pytest.raises(ValueError, match="needs positive values, but the smallest is"):
        scaling.learn(np.array([[1.0], [0.0]]), "log")
    scaler = scaling.learn(np.array([[1.0], [2.0]]), "log")
    assert (scaling.invert(np.array([[-50.0]]), scaler) > 0).all()
    with pytest.raises(ValueError, match="Add a constant"):
        scaling.apply(np.array([[-1.0]]), scaler)


def test_unknown_scaler():
    with pytest.raises(ValueError, match="scaler must be one of .* Got 'zscore'"):
        scaling.learn(np.zeros((2, 1)), "zscore")
