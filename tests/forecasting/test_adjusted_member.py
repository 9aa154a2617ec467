"""The linear model of the seasonally adjusted rows of one series."""

import numpy as np
import pytest

from sklstm import LSTMForecaster
from sklstm._forecasting.adjusted_member import AdjustedLinear, Penalties, last_rows
from sklstm._networks.ridge_paths import RidgePath, decompose

T = np.arange(96)
QUICK = {"seasonal_period": 12, "horizon": 6, "epochs": 0, "units": 2}


def alone(f):
    other = f._copy()
    other._state = f._state.with_weights(adjusted=1.0)
    return other


def test_last_rows_are_as_long_and_begin_with_the_first_value():
    rows = last_rows([np.arange(5.0), np.array([7.0, np.nan])], 3)
    np.testing.assert_array_equal(rows, [[2, 3, 4], [7, 7, 7]])


def test_forecasts_go_on_from_themselves():
    # The next row goes on by the last difference.
    model = AdjustedLinear(np.array([[-1.0]]), np.zeros(1))
    forecast = model.read([np.array([1.0, 3.0]), np.array([5.0, 4.0])], 3)
    np.testing.assert_allclose(forecast, [[[5, 7, 9], [3, 2, 1]]])


def test_all_penalties_are_forecast_at_once():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    path = RidgePath(*decompose(x.T @ x, x.T @ y), x.mean(0), y.mean(0), 20)
    contexts = [rng.normal(size=9), rng.normal(size=2)]
    forecasts = Penalties(path).read(contexts, 2)
    one = AdjustedLinear(*path.solution(10.0**-3)).read(contexts, 2)
    np.testing.assert_allclose(forecasts[:1], one)
    # An infinite penalty leaves the last value alone.
    np.testing.assert_allclose(forecasts[-1], [[c[-1]] * 2 for c in contexts])


@pytest.mark.parametrize("scaler", ["standard", "log", None])
def test_a_multiplicative_season_on_a_line_is_continued(scaler):
    values = (100 + 2.0 * T) * (1 + 0.3 * np.sin(2 * np.pi * T / 12))
    f = alone(LSTMForecaster(scaler=scaler, **QUICK).fit(values[:84]))
    np.testing.assert_allclose(f.forecast(12), values[84:], rtol=0.06)


def test_it_is_for_one_series_without_inputs():
    rng = np.random.default_rng(0)
    one = rng.normal(size=96).cumsum()
    two = np.column_stack([one, rng.normal(size=96)])
    for data in ([one, one[::-1]], two, (two[:, 1:], one)):
        data = data if isinstance(data, tuple) else (data,)
        f = LSTMForecaster(12, **QUICK).fit(*data)
        assert f.members_["adjusted"] == {"weight": 0.0, "score": None}
    weighted = LSTMForecaster(12, **QUICK).fit(one, sample_weight=1 + T)
    assert weighted.members_["adjusted"]["score"] is None
    assert LSTMForecaster(12, **QUICK).fit(one).members_["adjusted"]["score"] > 0


def test_units_do_not_matter():
    values = 50 + np.random.default_rng(1).normal(size=96).cumsum()
    one = alone(LSTMForecaster(**QUICK).fit(values)).forecast(9)
    other = alone(LSTMForecaster(**QUICK).fit(1e6 * values)).forecast(9)
    np.testing.assert_allclose(other, 1e6 * one)


def test_missing_values_are_filled():
    values = np.sin(2 * np.pi * T / 12) + T / 20
    values[[5, 6, 40, 95]] = np.nan
    f = alone(LSTMForecaster(**QUICK).fit(values))
    t = 96 + np.arange(6)
    expected = np.sin(2 * np.pi * t / 12) + t / 20
    np.testing.assert_allclose(f.forecast(6), expected, atol=0.5)
