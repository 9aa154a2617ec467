import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import mean_pinball_loss

from sklstm import LSTMForecaster, load
from sklstm.datasets import load_air_passengers

QUICK = {"window_length": 12, "horizon": 3, "epochs": 1, "units": 3, "random_state": 0}
QUICK |= {"pretrained": False}


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
        f.update(passengers[-24:][len(f._state.series[None].history) - 120 : n_known])
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
    known = positive.sample_paths(6, 5, history=values, random_state=0)
    later = positive.sample_paths(6, 3, history=unfinished, random_state=0)
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


def restless_by_phase(n):
    """Return skewed noise that is large in the first half of each season of 12."""
    rng = np.random.RandomState(0)
    return (rng.exponential(size=n) - 1) * np.where(np.arange(n) % 12 < 6, 2, 0.2)


@pytest.fixture(scope="module")
def with_quantiles():
    series = restless_by_phase(800)
    size = {"units": 8, "epochs": 30, "learning_rate": 0.01, "random_state": 0}
    default = LSTMForecaster(24, 3, **size).fit(series[:600])
    f = LSTMForecaster(24, 3, quantiles=(0.1, 0.9), **size).fit(series[:600])
    return default, f, series[600:]


def test_a_network_of_quantiles_knows_where_the_series_is_restless(with_quantiles):
    default, f, test = with_quantiles
    tables = [g.backtest(test, quantiles=(0.1, 0.9)) for g in (default, f)]
    for q in (0.1, 0.9):
        losses = [mean_pinball_loss(t["y_true"], t[q], alpha=q) for t in tables]
        assert losses[1] < losses[0]
    table = tables[1]
    assert (table[0.1] < table["y_pred"]).all() and (table["y_pred"] < table[0.9]).all()
    inside = (table[0.1] <= table["y_true"]) & (table["y_true"] <= table[0.9])
    assert 0.7 <= inside.mean() <= 0.9
    below, above = table["y_pred"] - table[0.1], table[0.9] - table["y_pred"]
    assert above.median() > below.median()  # the noise is skewed


def test_any_quantile_of_a_network_of_some(with_quantiles):
    _, f, _ = with_quantiles
    assert f.forecast_quantiles(5).shape == (5, 2)
    spread = f.forecast_quantiles(7, quantiles=(0.025, 0.1, 0.5, 0.6, 0.9))
    assert (np.diff(spread, axis=1) > 0).all()
    assert_allclose(spread[:, 2], f.forecast(7))
    paths = f.sample_paths(200, 3, random_state=0)
    assert paths.shape == (3, 200)
    assert np.ptp(paths, axis=1).min() > 0


def test_quantiles_are_kept_in_files_and_trained_further(tmp_path, with_quantiles):
    _, f, test = with_quantiles
    f.save(tmp_path / "f.sklstm")
    again = load(tmp_path / "f.sklstm")
    assert_array_equal(again.forecast_quantiles(6), f.forecast_quantiles(6))
    again.partial_fit(test)
    assert (again.forecast(3) != f.forecast(3)).any()
    again.set_params(quantiles=(0.1, 0.2, 0.8, 0.9), warm_start=True)
    with pytest.raises(ValueError, match="network of another shape"):
        again.fit(test)


@pytest.mark.parametrize("quantiles", [None, (0.1, 0.9)])
def test_intervals_stay_when_training_goes_on(passengers, quantiles):
    f = LSTMForecaster(**QUICK, quantiles=quantiles).fit(passengers[:-24])
    before = np.ptp(f.forecast_interval(), axis=1)
    f.partial_fit(passengers[12:-12])
    after = np.ptp(f.forecast_interval(), axis=1)
    assert_allclose(after, before, rtol=0.5)
    assert f.forecast_interval().index[0] == passengers.index[-12]
    alone = LSTMForecaster(**QUICK, quantiles=quantiles).partial_fit(passengers)
    for _ in range(2):
        with pytest.raises(ValueError, match="errors on a validation block"):
            alone.partial_fit(passengers).forecast_interval()


def test_quantiles_of_members_targets_inputs_and_many_series(passengers):
    quick = {**QUICK, "quantiles": (0.1, 0.9)}
    y = np.stack([passengers, 2 * passengers[::-1]], axis=1)
    f = LSTMForecaster(**quick, n_members=2).fit(y)
    spread = f.forecast_quantiles(4)
    assert spread.shape == (4, 2, 2)
    assert (spread[..., 0] < spread[..., 1]).all()
    X = np.arange(len(y))[:, None] % 12
    f = LSTMForecaster(**quick).fit(X, passengers.to_numpy())
    assert f.forecast_quantiles(X=X[:5]).shape == (5, 2)
    f = LSTMForecaster(**quick).fit([y[:, 0], y[:60, 1]])
    assert [part.shape for part in f.forecast_quantiles(4)] == [(4, 2), (4, 2)]


def test_the_median_alone_has_the_spread_of_windows(passengers):
    f = LSTMForecaster(**QUICK, quantiles=(0.5,)).fit(passengers)
    spread = f.forecast_quantiles(3, quantiles=(0.1, 0.5, 0.9))
    assert_allclose(spread[0.9] - spread[0.5], spread[0.5] - spread[0.1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantiles": (0.1, 1.0)}, "quantiles must lie between 0 and 1, .* Got 1.0"),
        ({"quantiles": (0.1,), "loss": "mae"}, "so loss must stay at its default"),
        (
            {"quantiles": (0.1,), "network": lambda *shapes: None},
            "so network must stay at its default",
        ),
    ],
)
def test_quantiles_come_with_their_own_network_and_loss(settings, message, passengers):
    with pytest.raises(ValueError, match=message):
        LSTMForecaster(**QUICK | settings).fit(passengers)


def test_ready_made_windows_have_no_quantiles():
    f = LSTMForecaster(quantiles=(0.1, 0.9))
    with pytest.raises(ValueError, match="ready-made windows have no order"):
        f.fit(np.zeros((20, 5)), np.zeros(20))
