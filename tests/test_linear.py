import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sklstm import _linear
from sklstm._windows import ReadyWindows


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4, 1))
    y = X[:, :2] + 0.1 * rng.normal(size=(80, 2, 1)) + 5
    return ReadyWindows(X, y, rng.uniform(0.5, 2, 80))


def test_equals_scikit_learns_ridge(data):
    rows = np.arange(60)
    path = _linear.fit_path(data, rows)
    kernel, bias = path.solution(3.0)
    other = Ridge(3.0 * path.values.mean()).fit(
        data.X[rows, :, 0], data.y[rows, :, 0], sample_weight=data.weights(rows)
    )
    np.testing.assert_allclose(kernel.T, other.coef_, rtol=1e-5)
    np.testing.assert_allclose(bias, other.intercept_, rtol=1e-5)


def test_an_infinite_penalty_forecasts_no_change(data):
    kernel, bias = _linear.fit_path(data, np.arange(60)).solution(np.inf)
    assert kernel.shape == (4, 2) and (kernel == 0).all() and (bias == 0).all()


def test_chosen_penalty_has_the_smallest_error(data):
    path = _linear.fit_path(data, np.arange(60))
    validation = np.arange(60, 80)
    chosen, error = _linear.choose_penalty(path, data, validation)
    solutions = [path.solution(p) for p in _linear.PENALTIES]
    errors = _linear.errors(data, validation, solutions)
    assert errors[list(_linear.PENALTIES).index(chosen)] == errors.min() == error


def test_too_wide_a_window_has_no_linear_model():
    wide = ReadyWindows(np.zeros((2, _linear.MAX_FEATURES + 1, 1)))
    assert _linear.fit_path(wide, np.arange(2)) is None
