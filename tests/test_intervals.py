import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

QUICK = {"window_length": 12, "horizon": 3, "epochs": 1, "units": 3, "random_state": 0}


@pytest.fixture(scope="module")
def passengers():
    return load_air_passengers()


@pytest.fixture(scope="module")
def fitted(passengers):
    return LSTMForecaster(**QUICK).fit(passengers[:-24])


def test_an_interval_stands_around_the_forecast_and_widens(fitted):
    interval, forecast = fitted.forecast_interval(9, coverage=0.8), fitted.forecast(9)
    assert list(interval) == ["lower", "upper"]
    pd.testing.assert_index_equal(interval.index, forecast.index)
    assert (interval["lower"] < forecast).all() and (forecast < interval["upper"]).all()
    width = interval["upper"] - interval["lower"]
    assert (np.diff(width) >= -1e-9).all()  # equal widths differ by rounding
    wider = fitted.forecast_interval(9, coverage=0.95)
    assert (wider["upper"] > interval["upper"]).all()


def test_interval_and_backtest_are_quantiles(fitted, passengers):
    quantiles = fitted.forecast_quantiles(3, quantiles=(0.1, 0.9))
    assert list(quantiles) == [0.1, 0.9]
    interval = fitted.forecast_interval(3, coverage=0.8)
    assert_allclose(quantiles, interval)
    table = fitted.backtest(passengers[-24:], quantiles=(0.1, 0.9))
    assert_allclose(table.loc[:2, [0.1, 0.9]], quantiles)
    assert (table[0.1] < table[0.9]).all()


def test_rows_since_the_fit_correct_the_width(fitted, passengers):
    table = fitted.backtest(passengers[-24:], quantiles=(0.1, 0.9))
    f = pickle.loads(pickle.dumps(fitted))
    for n_known in (1, 9):
        f.update(passengers[-24:][len(f._histories[None]) - 120 : n_known])
        expected = table.loc[3 * n_known : 3 * n_known + 2, [0.1, 0.9]]
        assert_allclose(f.forecast_quantiles(3, quantiles=(0.1, 0.9)), expected)
    calm = pickle.loads(pickle.dumps(fitted))
    for _ in range(30):
        calm.update(calm.forecast(1))
    before, after = fitted.forecast_interval(3), calm.forecast_interval(3)
    width = (after["upper"] - after["lower"]).to_numpy()
    assert (width < (before["upper"] - before["lower"])).all()


def test_intervals_of_a_positive_series_are_positive(passengers):
    f = LSTMForecaster(**QUICK, scaler="log").fit(passengers)
    assert (f.forecast_interval(36, coverage=0.99) > 0).all(axis=None)


def test_every_series_has_its_own_width(passengers):
    many = [passengers.to_numpy(), 1000 * passengers.to_numpy()]
    small, large = LSTMForecaster(**QUICK).fit(many).forecast_interval(3)
    assert_allclose(1000 * small, large, rtol=1e-3)


def test_most_of_the_held_out_values_lie_inside(fitted, passengers):
    table = fitted.backtest(passengers[-24:], quantiles=(0.05, 0.95))
    inside = (table[0.05] <= table["y_true"]) & (table["y_true"] <= table[0.95])
    assert inside.mean() > 0.6


def test_shapes_for_arrays_and_several_targets(passengers):
    values = passengers.to_numpy()
    alone = LSTMForecaster(**QUICK).fit(values)
    assert alone.forecast_interval(4).shape == (4, 2)
    both = np.column_stack([values, -values])
    assert LSTMForecaster(**QUICK).fit(both).forecast_interval(4).shape == (4, 2, 2)
    frame = pd.DataFrame({"up": passengers, "down": -passengers})
    named = LSTMForecaster(**QUICK).fit(frame).forecast_quantiles(4, quantiles=[0.2])
    assert list(named) == [("up", 0.2), ("down", 0.2)]


def test_inputs_and_another_history(passengers):
    X = pd.DataFrame({"month": passengers.index.month}, index=passengers.index)
    f = LSTMForecaster(**QUICK).fit(X[:-24], passengers[:-24])
    interval = f.forecast_interval(X=X[-24:-20])
    assert len(interval) == 4
    moved = f.forecast_interval(2, X[-12:], history=(X[:-12], passengers[:-12]))
    assert_array_equal(moved.index, passengers.index[-12:-10])


def test_paths_are_spread_as_quantiles_are_and_hang_together(fitted):
    paths = fitted.sample_paths(2000, 3, random_state=0)
    interval = fitted.forecast_interval(3, coverage=0.8)
    pd.testing.assert_index_equal(paths.index, interval.index)
    assert list(paths) == list(range(2000))
    drawn = paths.quantile(0.9, axis=1) - paths.quantile(0.1, axis=1)
    assert_allclose(drawn / (interval["upper"] - interval["lower"]), 1, atol=0.35)
    assert_allclose(paths.median(axis=1), fitted.forecast(3), rtol=0.05)
    off = paths.sub(fitted.forecast(3), axis=0)
    assert np.corrcoef(off.iloc[0], off.iloc[1])[0, 1] > 0.3
    # Errors add up where a path goes on from its own values.
    longer = fitted.sample_paths(500, 9, random_state=0).std(axis=1)
    assert longer.iloc[-1] > 1.2 * longer.iloc[0]


def test_paths_come_again_with_their_seed(fitted):
    paths = fitted.sample_paths(5, 4, random_state=3)
    pd.testing.assert_frame_equal(paths, fitted.sample_paths(5, 4, random_state=3))
    assert not paths.equals(fitted.sample_paths(5, 4, random_state=4))
    assert fitted.sample_paths(1).shape == (3, 1)
    with pytest.raises(ValueError, match="n_samples must be an int of 1 or more"):
        fitted.sample_paths(0)


def test_paths_of_positive_many_and_unfinished_series(passengers):
    values = passengers.to_numpy()
    positive = LSTMForecaster(**QUICK, scaler="log").fit(values)
    assert (positive.sample_paths(50, 24, random_state=0) > 0).all()
    both = LSTMForecaster(**QUICK).fit(np.column_stack([values, -values]))
    paths = both.sample_paths(200, 4, random_state=0)
    assert paths.shape == (4, 2, 200)
    # One window's errors come together, and of these two one is the other's mirror.
    assert np.corrcoef(paths[0, 0], paths[0, 1])[0, 1] < -0.3
    small, large = LSTMForecaster(**QUICK).fit([values, 9 * values]).sample_paths(7)
    assert small.shape == large.shape == (3, 7)
    unfinished = np.append(values, [np.nan] * 2)
    known = positive._with_history(values).sample_paths(6, 5, random_state=0)
    later = positive._with_history(unfinished).sample_paths(6, 3, random_state=0)
    # Their width is that of a window which ends in a line.
    assert_allclose(later, known[2:], rtol=0.02)


def test_close_quantiles_do_not_cross(fitted, passengers):
    f = pickle.loads(pickle.dumps(fitted)).update(passengers[-24:])
    asked = np.r_[np.linspace(0.01, 0.99, 99), 0.005]
    quantiles = f.forecast_quantiles(3, quantiles=asked)[np.sort(asked)]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_without_validation_block_the_message_says_so(passengers):
    f = LSTMForecaster(**QUICK, validation_fraction=0).fit(passengers)
    for call in (f.forecast_interval, f.forecast_quantiles, f.sample_paths):
        with pytest.raises(ValueError, match="validation_fraction above 0"):
            call(2)


@pytest.mark.parametrize("coverage", [0, 1, 1.2, "wide"])
def test_probabilities_are_checked(fitted, coverage, passengers):
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1"):
        fitted.forecast_interval(2, coverage=coverage)
    with pytest.raises(ValueError, match="quantiles must lie between 0 and 1"):
        fitted.forecast_quantiles(2, quantiles=[coverage])
    with pytest.raises(ValueError, match="quantiles must lie between 0 and 1"):
        fitted.backtest(passengers[-24:], quantiles=[coverage])
