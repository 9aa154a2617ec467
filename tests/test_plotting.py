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
QUICK |= {"pretrained": False}


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
    _, ax = plt.subplots()
    assert display.plot(ax).ax_ is ax


def test_training_of_several_and_of_a_metric(fitted):
    texts, y = ["good", "bad"] * 20, [1, 0] * 20
    clf = LSTMTextClassifier(epochs=2, embedding_dim=2, units=2, random_state=0)
    clf.fit(texts, y)
    _, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(
        {"fold 1": clf, "fold 2": clf}, metric="accuracy", ax=ax
    )
    assert display.ax_ is ax and len(display.lines_) == 4
    folds = TrainingHistoryDisplay.from_estimator([fitted, fitted])
    assert list(folds.histories) == ["fold 1", "fold 2"] and len(folds.lines_) == 4
    with pytest.raises(ValueError, match="has no 'accuracy'. Choose metric among"):
        TrainingHistoryDisplay.from_estimator(fitted, metric="accuracy")


def test_overlaid_trainings_mark_their_best_epochs():
    histories = {"a": {"loss": [3, 2], "val_loss": [3, 4]}, "b": {"loss": [2, 1]}}
    display = TrainingHistoryDisplay.from_histories(histories, {"a": 1})
    assert len(display.lines_) == 3 and list(display.marks_) == ["a"]
    assert_array_equal(display.marks_["a"].get_xydata(), [[1, 3]])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["a", "b", "loss", "val_loss", "best epoch"]


def test_forecast_shows_history_fan_and_actual_values(fitted, passengers):
    display = ForecastDisplay.from_estimator(
        fitted, 6, y_true=passengers[-24:-18], coverages=(0.5, 0.9), n_history=10
    )
    assert list(display.lines_) == ["history", "forecast", "actual"]
    assert len(display.lines_["history"].get_ydata()) == 10
    assert_allclose(display.lines_["forecast"].get_ydata(), fitted.forecast(6))
    assert list(display.bands_) == [0.9, 0.5]  # the widest is drawn first


def test_forecast_of_given_arrays():
    display = ForecastDisplay.from_predictions(
        [1.0, 2.0, 3.0], [4.0, 5.0], {0.8: [[3, 5], [4, 6]]}, y_true=[4, 4]
    )
    for name in ("forecast", "actual"):
        assert_array_equal(display.lines_[name].get_xdata(), [3, 4])
    assert_array_equal(display.lines_["history"].get_xdata(), [0, 1, 2])


@pytest.mark.parametrize("style", ["default", "dark_background", "dark_background?"])
def test_what_is_drawn_is_seen_on_light_and_dark(fitted, passengers, style):
    from matplotlib.colors import to_rgb

    def light(color):  # relative luminance, as WCAG defines it
        parts = np.array(to_rgb(color))
        parts = np.where(
            parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
        )
        return parts @ [0.2126, 0.7152, 0.0722]

    def contrast(*colors):
        low, high = sorted(map(light, colors))
        return (high + 0.05) / (low + 0.05)

    with plt.style.context(style.strip("?")):
        _, ax = plt.subplots()
        ground = ax.get_facecolor()
        if "?" in style:  # the notebook's own ground is seen through the axes
            ax.set_facecolor("none")
        display = ForecastDisplay.from_estimator(
            fitted, y_true=passengers[-24:-21], ax=ax
        )
        for line in display.lines_.values():
            assert contrast(line.get_color(), ground) > 3
        bands = [tuple(b.get_facecolor()[0][:3]) for b in display.bands_.values()]
        shades = [contrast(color, ground) for color in bands]
        assert shades == sorted(shades) and shades[0] > 1.05
        assert contrast(bands[0], bands[1]) > 1.15


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


def test_forecast_of_an_array_beside_dated_inputs_has_their_dates(passengers):
    X = passengers.to_frame("X") % 7
    f = LSTMForecaster(**QUICK).fit(X[:-3], passengers.to_numpy()[:-3])
    display = f.plot(X=X[-3:])
    assert display.forecast.index.equals(passengers.index[-3:])
    assert_array_equal(display.forecast, f.forecast(X=X[-3:]))


def test_prediction_tells_a_forecast_that_lags_behind(fitted, passengers):
    display = PredictionDisplay.from_estimator(fitted, passengers[-24:])
    assert "lag" in display.lines_["predicted"].get_label()
    rng = np.random.RandomState(0)
    y = rng.normal(size=200).cumsum()
    assert lag(y[1:], y[1:]) == 0
    assert PredictionDisplay.from_predictions(y[1:], y[:-1]).lag_ == 1
    assert PredictionDisplay.from_predictions(y[3:], y[:-3]).lag_ == 3
    assert lag(np.ones(5), np.ones(5)) == 0
    gaps = np.where(np.arange(199) % 7 == 3, np.nan, y[1:])
    display = PredictionDisplay.from_predictions(gaps, y[:-1])
    assert display.lag_ == 1 and "nan" not in display.lines_["predicted"].get_label()
    with pytest.raises(ValueError, match="inconsistent numbers"):
        PredictionDisplay.from_predictions(y[1:], y)


def test_residuals_and_correlations_by_shift():
    y = np.random.RandomState(0).normal(size=100).cumsum()
    display = PredictionDisplay.from_predictions(y[2:], y[:-2], kind="residuals")
    tips = [segment[1, 1] for segment in display.residuals_.get_segments()]
    assert_allclose(tips, y[2:] - y[:-2])
    display.plot(kind="lag")
    heights = [bar.get_height() for bar in display.bars_]
    assert len(heights) == 11 and np.argmax(heights) == 2 and heights[2] > 0.999
    assert_allclose(heights[0], np.corrcoef(y[2:], y[:-2])[0, 1])
    marked = display.bars_[2].get_facecolor()
    assert sum(bar.get_facecolor() == marked for bar in display.bars_) == 1
    with pytest.raises(ValueError, match="kind must be one of .* Got 'both'"):
        display.plot(kind="both")


def test_backtest_shows_errors_beside_naive_ones(fitted, passengers):
    display = BacktestDisplay.from_estimator(fitted, passengers[-24:])
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
    both = {"a": fitted, "b": fitted}
    display = BacktestDisplay.from_estimator(both, passengers[-24:], seasonal_period=1)
    assert list(display.lines_) == ["a", "b", "last value"]
    display = BacktestDisplay.from_predictions({"a": table, "half": table[:30]})
    assert_allclose(display.errors.loc[2, "a"], own)
    # a season that is longer than the history has no naive forecast
    display = BacktestDisplay.from_estimator(
        fitted, passengers[-24:], seasonal_period=200
    )
    assert list(display.errors) == ["LSTMForecaster", "last value"]


def test_without_matplotlib_the_message_names_it(fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="matplotlib"):
        TrainingHistoryDisplay.from_estimator(fitted)


def test_pictures_are_finished(fitted, passengers):
    display = fitted.plot(6, y_true=passengers[-24:-18])
    assert display.ax_.get_title() == "Forecast of passengers, 6 steps ahead"
    assert not display.ax_.spines["top"].get_visible()
    formatter = display.ax_.xaxis.get_major_formatter()
    assert type(formatter).__name__ == "ConciseDateFormatter"
    assert repr(display) == "ForecastDisplay()"
    # the legend stands below the axes, and covers nothing
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.y1 < display.ax_.get_window_extent().y0
    _, ax = plt.subplots()
    ax.set_title("my own")
    assert display.plot(ax).ax_.get_title() == "my own"
    for draw in (
        TrainingHistoryDisplay.from_estimator(fitted),
        BacktestDisplay.from_estimator(fitted, passengers[-24:], stride=9),
    ):
        assert draw.ax_.get_title() and draw._repr_html_() is None


def test_a_picture_that_is_open_is_drawn_once():
    display = PredictionDisplay.from_predictions([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    assert display.plot().plot().figure_.number in plt.get_fignums()
    assert len(plt.get_fignums()) == 1 and len(display.ax_.lines) == 2
    display.plot(kind="lag")
    assert len(plt.get_fignums()) == 2
    figure, ax = plt.subplots()
    display.plot(ax).plot(ax)  # axes that are given are the user's
    assert len(plt.get_fignums()) == 3 and len(ax.lines) == 4
    plt.close("all")
    other, _ = plt.subplots()  # has the number of a figure that was closed
    assert display.plot().figure_ is not other and not other.axes[0].lines
    assert len(plt.get_fignums()) == 2


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
