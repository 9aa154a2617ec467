import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from sklstm import LSTMForecaster, LSTMTextClassifier  # noqa: E402
from sklstm.datasets import load_air_passengers, load_sunspots  # noqa: E402
from sklstm.plotting import (  # noqa: E402
    BacktestDisplay,
    ForecastDisplay,
    PredictionDisplay,
    TrainingHistoryDisplay,
    lag,
)

QUICK = {"window_length": 12, "horizon": 3, "epochs": 2, "units": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def passengers():
    return load_air_passengers()


@pytest.fixture(scope="module")
def fitted(passengers):
    return LSTMForecaster(**QUICK).fit(passengers[:-24])


def test_training_shows_each_curve_and_the_best_epoch(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted)
    assert [line.get_label().strip() for line in display.lines_] == ["loss", "val_loss"]
    assert_array_equal(display.lines_[0].get_xdata(), [1, 2])
    assert_array_equal(display.lines_[1].get_ydata(), fitted.history_["val_loss"])
    assert display.ax_.get_xlabel() == "epoch"


def test_training_of_several_and_of_a_metric(fitted):
    texts, y = ["good", "bad"] * 20, [1, 0] * 20
    clf = LSTMTextClassifier(epochs=2, embedding_dim=2, units=2, random_state=0)
    clf.fit(texts, y)
    _, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(
        {"fold 1": clf, "fold 2": clf}, metric="accuracy", ax=ax
    )
    assert display.ax_ is ax and len(display.lines_) == 2
    with pytest.raises(ValueError, match="has no 'accuracy', only"):
        TrainingHistoryDisplay.from_estimator(fitted, metric="accuracy")


def test_forecast_shows_history_fan_and_actual_values(fitted, passengers):
    display = ForecastDisplay.from_estimator(
        fitted, 6, y_true=passengers[-24:-18], coverages=(0.5, 0.9), n_history=10
    )
    assert list(display.lines_) == ["history", "forecast", "actual"]
    assert len(display.lines_["history"].get_ydata()) == 10
    assert_allclose(display.lines_["forecast"].get_ydata(), fitted.forecast(6))
    assert list(display.bands_) == [0.9, 0.5]  # the widest is drawn first


def test_forecast_of_arrays_periods_and_without_validation_block(passengers):
    f = LSTMForecaster(**QUICK, validation_fraction=0).fit(passengers.to_numpy())
    display = ForecastDisplay.from_estimator(f, 4)
    assert display.bands_ == {}
    assert_array_equal(display.lines_["forecast"].get_xdata(), 144 + np.arange(4))
    spots = load_sunspots()
    assert isinstance(spots.index, pd.PeriodIndex)
    ForecastDisplay.from_estimator(LSTMForecaster(**QUICK).fit(spots), 4)
    both = np.column_stack([passengers, passengers])
    with pytest.raises(ValueError, match="has 2 targets"):
        ForecastDisplay.from_estimator(LSTMForecaster(**QUICK).fit(both))


def test_prediction_tells_a_forecast_that_lags_behind(fitted, passengers):
    display = PredictionDisplay.from_estimator(fitted, passengers[-24:])
    assert "lag" in display.lines_["predicted"].get_label()
    rng = np.random.RandomState(0)
    y = rng.normal(size=200).cumsum()
    assert lag(y[1:], y[1:]) == 0
    assert PredictionDisplay.from_predictions(y[1:], y[:-1]).lag_ == 1
    assert PredictionDisplay.from_predictions(y[3:], y[:-3]).lag_ == 3
    assert lag(np.ones(5), np.ones(5)) == 0
    with pytest.raises(ValueError, match="inconsistent numbers"):
        PredictionDisplay.from_predictions(y[1:], y)


def test_backtest_shows_errors_beside_naive_ones(fitted, passengers):
    display = BacktestDisplay.from_estimator(
        fitted, passengers[-24:], seasonal_period=12
    )
    errors = display.errors
    assert list(errors) == ["LSTMForecaster", "last value", "seasonal naive"]
    table = fitted.backtest(passengers[-24:])
    step = table[table["step"] == 2]
    own = np.abs(step["y_true"] - step["y_pred"]).mean()
    assert_allclose(errors.loc[2, "LSTMForecaster"], own)
    values = passengers.to_numpy()
    by_hand = np.mean([abs(values[o + 1] - values[o - 1]) for o in range(120, 142)])
    assert_allclose(errors.loc[2, "last value"], by_hand)
    season = np.mean([abs(values[o + 1] - values[o - 11]) for o in range(120, 142)])
    assert_allclose(errors.loc[2, "seasonal naive"], season)


def test_without_matplotlib_the_message_names_it(fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="matplotlib"):
        TrainingHistoryDisplay.from_estimator(fitted)


def test_one_of_many_series(passengers):
    many = pd.concat({"a": passengers[:100], "b": 2 * passengers[:80]})
    f = LSTMForecaster(**QUICK).fit(many)
    display = ForecastDisplay.from_estimator(f, 6, series="b", coverages=(0.8,))
    assert display.forecast.equals(f.forecast(6)["b"].rename(None))
    assert_array_equal(display.history, 2 * passengers[62:80])
    after = {"a": passengers[100:106], "b": 2 * passengers[80:86]}
    errors = BacktestDisplay.from_estimator(f, pd.concat(after), stride=3).errors
    first = [(passengers.iloc[[99, 102]], passengers.iloc[[100, 103]])]
    first += [(2 * passengers.iloc[[79, 82]], 2 * passengers.iloc[[80, 83]])]
    naive = [np.abs(now.to_numpy() - then.to_numpy()) for then, now in first]
    assert_allclose(errors["last value"].iloc[0], np.mean(naive))
    with pytest.raises(ValueError, match="Pass series="):
        ForecastDisplay.from_estimator(f, 6)
