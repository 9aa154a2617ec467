"""`ForecastModel` alone: no estimator, a network of known weights."""

import numpy as np
import pandas as pd
import pytest

from sklstm._forecasting import model as model_module
from sklstm._forecasting.model import (
    FittedSeries,
    ForecastModel,
    Origins,
    check_equal_inside,
)
from sklstm._networks.spec import NetworkSpec
from sklstm._series.history import History
from sklstm._training.fitted_network import FittedNetwork
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.scaling import fit_scaler


def model(horizon=2, length=3, n_inputs=0):
    """A network whose forecast of each step is the window's mean; inputs add up."""
    n_context = horizon * n_inputs
    spec = NetworkSpec(
        (length, 1 + n_inputs), n_context, (horizon, 1), units=(2,), n_last_values=0
    )
    weights = {n: np.zeros(s, np.float32) for n, s in spec.weight_shapes().items()}
    skip = weights["skip/kernel"]
    skip[: length * (1 + n_inputs) : 1 + n_inputs] = 1 / length
    for step in range(horizon * bool(n_inputs)):
        skip[length * (1 + n_inputs) + step, step] = 1
    x_scaler = fit_scaler(np.ones((2, 1)), None) if n_inputs else None
    network = FittedNetwork(spec, weights)
    return ForecastModel(network, WindowNorm(None), x_scaler, n_inputs=n_inputs)


def series(values, X=None):
    y = np.asarray(values, float)[:, None]
    X = None if X is None else np.asarray(X, float)[:, None]
    return FittedSeries(History(y, X, None), fit_scaler(y, None), len(y))


def test_blocks_go_on_from_their_own_forecasts():
    own = series([9, 1, 2, 3])
    forecast = model(horizon=1).forecast([Origins(own, np.array([4]))], 3)[0, :, 0]
    np.testing.assert_allclose(forecast, [2, 7 / 3, 22 / 9], rtol=1e-6)


def test_origins_of_many_series_stand_one_after_the_other():
    one, other = series([1, 1, 1, 7]), series([2, 2, 2, 2, 8])
    origins = [Origins(one, np.array([3])), Origins(other, np.array([3, 4]))]
    forecasts = model().forecast(origins, 2)
    np.testing.assert_allclose(forecasts[:, 0, 0], [1, 2, 2], rtol=1e-6)
    assert forecasts.shape == (3, 2, 1)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_forecasts_do_not_depend_on_how_many_are_made_at_once(most, monkeypatch):
    one, other = series([1, 1, 1, 7]), series([2, 2, 2, 2, 8])
    origins = [Origins(one, np.array([3])), Origins(other, np.arange(1, 6))]
    expected = model().forecast(origins, 3)
    monkeypatch.setattr(model_module, "ORIGINS_AT_ONCE", most)
    np.testing.assert_array_equal(model().forecast(origins, 3), expected)


def test_missing_ends_are_forecast_from_the_last_value_seen():
    known, unfinished = series([1, 2, 3]), series([1, 2, 3, np.nan])
    expected = model(1).forecast([Origins(known, np.array([3]))], 3)[0]
    found = model(1).forecast([Origins(unfinished, np.array([4]))], 2)[0]
    np.testing.assert_array_equal(found, expected[1:])


def test_one_step_forecasts_across_a_gap():
    own = series([1, 2, 3])
    found = model(1).one_step(own, np.array([[5.0], [6.0]]), np.array([4, 5]))
    np.testing.assert_allclose(found[:, 0], [7 / 3, 10 / 3], rtol=1e-6)


def test_inputs_ahead_reach_the_forecast():
    own = series([3, 3, 3], X=[0, 0, 0])
    found = model(n_inputs=1).steps_ahead(
        own, np.array([[1.0], [5.0]]), np.array([3, 4])
    )
    np.testing.assert_allclose(found[:, 0], [4, 8], rtol=1e-6)


def test_simulated_paths_carry_their_noise_on():
    own = Origins(series([0, 0, 0]), np.array([3]))
    noise = np.zeros((2, 2, 1, 1))
    noise[1, 0] = 3
    paths = model(1).simulate(own, 2, noise)[:, :, 0]
    np.testing.assert_allclose(paths, [[0, 0], [3, 1]], atol=1e-6)


def test_rows_inside_the_history_must_be_those_of_the_history():
    known = np.array([[1.0], [2.0]])
    history = History(known, None, pd.date_range("2024-01-30", periods=2))
    check_equal_inside(np.array([[2.0], [9.0]]), np.array([1, 2]), history, known)
    wrong = np.array([[2.0], [7.0]]), np.array([1, 1]), history, known
    check_equal_inside(*wrong, np.array([True]))
    said = "Row 1 of X stands inside the fitted history.* 2024-01-31.* is 7, and 2 in"
    with pytest.raises(ValueError, match=said):
        check_equal_inside(*wrong)


def test_unending_requests_are_refused():
    with pytest.raises(ValueError, match="1,000,000 are the most"):
        model(1).check_reach(1, 2_000_000)
    with pytest.raises(MemoryError, match="Ask for fewer at once"):
        model(1).check_reach(10**9, 1_000_000)
