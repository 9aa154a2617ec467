import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import mean_pinball_loss

from sklstm._networks.numpy_forward import predict
from sklstm._networks.quantiles import (
    QuantileNetwork,
    half_widths,
    level_pairs,
    quantile_levels,
    quantile_spec,
    rearrange_quantiles,
)
from sklstm._networks.ridge import quantile_ridge
from sklstm._networks.spec import NetworkSpec
from sklstm._training.compiled import loss_per_row
from sklstm._training.losses import Pinball
from sklstm._windows.dataset import ReadyWindows

LEVELS = (0.1, 0.5, 0.75, 0.9)


def test_the_median_is_always_a_level():
    assert quantile_levels(None) == ()
    assert quantile_levels([0.9, 0.1, 0.9]) == (0.1, 0.5, 0.9)


def test_pairs_are_levels_of_one_coverage():
    assert level_pairs(LEVELS) == {0.8: (0, 3), 0.5: (None, 2)}
    assert level_pairs((0.5,)) == level_pairs(()) == {}


def test_the_median_is_a_network_within():
    rng = np.random.default_rng(0)
    spec = quantile_spec(NetworkSpec((5, 2), 0, (3, 2), units=(4,)), LEVELS)
    weights = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in spec.weight_shapes().items()
    }
    median, own = QuantileNetwork(LEVELS, spec, weights).median()
    assert {name: w.shape for name, w in own.items()} == median.weight_shapes()
    data, rows = ReadyWindows(rng.normal(size=(6, 5, 2))), np.arange(6)
    values = rearrange_quantiles(predict(spec, weights, data, rows), LEVELS)
    assert values.shape == (6, 4, 3, 2)
    assert_allclose(values[:, 1], predict(median, own, data, rows))


def test_ordered_quantiles_do_not_cross_and_keep_the_median():
    output = np.random.default_rng(0).normal(size=(50, 12, 2))
    values = rearrange_quantiles(output, LEVELS)
    assert (np.diff(values, axis=1) >= 0).all()
    assert_array_equal(values[:, 1], output[:, 3:6])
    rising = np.sort(output.reshape(50, 4, 3, 2), axis=1)
    assert_array_equal(rearrange_quantiles(rising.reshape(50, 12, 2), LEVELS), rising)


def test_widths_lie_to_either_side_and_one_stands_for_both():
    values = np.array([[-2.0], [0], [1], [3]])
    below, above = half_widths(values, LEVELS, (0, 3))
    assert (below, above) == ([2], [3])
    below, above = half_widths(values, LEVELS, (None, 2))
    assert (below, above) == ([1], [1])


def test_the_loss_is_the_pinball_loss_of_all_levels():
    import keras

    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 12, 2))
    found = loss_per_row(keras, Pinball(LEVELS))(
        keras.ops.array(y_true, "float32"), keras.ops.array(y_pred, "float32")
    )
    each = y_pred.reshape(5, 4, 3, 2)
    wanted = [
        np.mean(
            [
                mean_pinball_loss(y_true[i].ravel(), each[i, k].ravel(), alpha=level)
                for k, level in enumerate(LEVELS)
            ]
        )
        for i in range(5)
    ]
    assert_allclose(np.asarray(found), wanted, rtol=1e-5)


def test_the_linear_model_starts_at_quantiles_of_its_residuals():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 4, 1)), rng.normal(size=(2000, 2, 1))
    data, solution = ReadyWindows(X, y), (np.ones((4, 2)), np.zeros(2))
    kernel, bias = quantile_ridge(solution, data, np.arange(2000), LEVELS)
    assert_array_equal(kernel, np.ones((4, 8)))
    forecast = X.reshape(2000, 4) @ kernel + bias
    below = (y.reshape(2000, 1, 2) <= forecast.reshape(2000, 4, 2)).mean(axis=0)
    assert_allclose(below, np.repeat(LEVELS, 2).reshape(4, 2), atol=0.001)


def test_rows_of_no_weight_say_nothing_about_residuals():
    X, y = np.zeros((100, 2, 1)), np.arange(100.0)[:, None, None]
    data = ReadyWindows(X, y, (np.arange(100) < 50).astype(float))
    solution = np.zeros((2, 1)), np.zeros(1)
    _, bias = quantile_ridge(solution, data, np.arange(100), LEVELS)
    assert (bias < 50).all()


@pytest.mark.parametrize("missing", [1, 3])
def test_missing_targets_make_no_residual(missing):
    y = np.random.default_rng(0).normal(size=(40, 3, 1))
    y[:, :missing] = np.nan
    solution = np.zeros((2, 3)), np.zeros(3)
    data = ReadyWindows(np.zeros((40, 2, 1)), y)
    _, bias = quantile_ridge(solution, data, np.arange(40), LEVELS)
    assert np.isfinite(bias).all()
    assert (bias.reshape(4, 3)[:, :missing] == 0).all()
