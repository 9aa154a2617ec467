"""Interactive figures hold what Matplotlib draws."""

import sys

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklstm import LSTMForecaster
from sklstm.plotting import (
    BacktestDisplay,
    ForecastDisplay,
    LagAttributionDisplay,
    PredictionDisplay,
    TokenAttributionDisplay,
    TrainingHistoryDisplay,
)

PLOTLY = {"backend": "plotly"}


@pytest.fixture(scope="module")
def fitted(passengers):
    f = LSTMForecaster(12, 3, epochs=2, units=3, pretrained=False, random_state=0)
    return f.fit(passengers[:-24])


def names(display):
    return [trace.name for trace in display.figure_.data]


@pytest.mark.usefixtures("plotly")
def test_forecast_and_intervals(fitted, passengers):
    display = fitted.plot(6, y_true=passengers[-24:-18], coverages=(0.5, 0.9), **PLOTLY)
    bands = ["90% interval", "90% interval", "50% interval", "50% interval"]
    assert names(display) == [*bands, "history", "forecast", "actual"]
    assert_allclose(display.figure_.data[5].y, fitted.forecast(6))
    upper = fitted.forecast_interval(6, coverage=0.9)["upper"]
    assert_allclose(display.figure_.data[1].y, upper)
    assert display.ax_ is None
    assert display.figure_.layout.title.text == "Forecast of passengers, 6 steps ahead"


@pytest.mark.usefixtures("plotly")
def test_periods_are_dates():
    index = pd.period_range("2000", periods=3, freq="M")
    display = ForecastDisplay.from_predictions(
        pd.Series([1, 2, 3], index), [4], **PLOTLY
    )
    assert pd.Timestamp(display.figure_.data[0].x[0]) == pd.Timestamp("2000-01-01")


@pytest.mark.usefixtures("plotly")
def test_losses_and_errors(fitted, passengers):
    display = TrainingHistoryDisplay.from_estimator(fitted, **PLOTLY)
    assert names(display) == ["loss", "val_loss"]
    assert_allclose(display.figure_.data[1].y, fitted.history_["val_loss"])
    histories = {"a": {"loss": [3, 2], "val_loss": [3, 4]}, "b": {"loss": [2, 1]}}
    display = TrainingHistoryDisplay.from_histories(histories, {"a": 1}, **PLOTLY)
    assert names(display) == ["a loss", "a val_loss", "b loss"]
    assert display.figure_.layout.annotations[0].text == "a best epoch"
    display = BacktestDisplay.from_estimator(fitted, passengers[-24:], **PLOTLY)
    assert names(display) == ["LSTMForecaster", "last value", "seasonal naive"]
    assert display.figure_.layout.yaxis.rangemode == "tozero"


@pytest.mark.usefixtures("plotly")
def test_predictions_residuals_and_lag(fitted, passengers):
    test = passengers[-24:]
    display = PredictionDisplay.from_estimator(fitted, test, **PLOTLY)
    assert names(display)[0] == "actual" and "RMSE" in names(display)[1]
    display.plot(kind="residuals", **PLOTLY)
    assert_allclose(display.figure_.data[0].y, test - fitted.predict(test))
    display.plot(kind="lag", **PLOTLY)
    assert_allclose(display.figure_.data[0].y, display.correlations_)


@pytest.mark.usefixtures("plotly")
def test_attributions(fitted):
    display = LagAttributionDisplay.from_estimator(fitted, **PLOTLY)
    assert_allclose(display.figure_.data[0].y, display.attributions)
    display = TokenAttributionDisplay(["<b>", "bad"], [1.5, -0.5], "good")
    display.plot(**PLOTLY)
    words = display.figure_.layout.annotations
    assert [word.text for word in words] == ["&lt;b&gt;", "bad"]
    assert [word.hovertext for word in words] == ["+1.500", "-0.500"]


def test_a_notebook_shows_the_figure(plotly, monkeypatch):
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    display = BacktestDisplay(pd.DataFrame({"a": [1.0, 2.0]}, [1, 2])).plot(**PLOTLY)
    assert "plotly" in display._repr_html_()
    assert "application/vnd.plotly.v1+json" in display._repr_mimebundle_()


def test_a_display_that_was_not_drawn_shows_nothing():
    display = BacktestDisplay(pd.DataFrame({"a": [1.0, 2.0]}))
    assert display._repr_html_() is None and display._repr_mimebundle_() == {}


def test_wrong_backends_and_missing_plotly(fitted, monkeypatch):
    with pytest.raises(ValueError, match="backend must be .* Got 'bokeh'"):
        fitted.plot(backend="bokeh")
    with pytest.raises(ValueError, match="Leave out ax"):
        fitted.plot(backend="plotly", ax=object())
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(
        ImportError, match=r"plotly, which is missing.*sklstm\[plotly\]"
    ):
        fitted.plot(backend="plotly")


@pytest.fixture
def plotly():
    return pytest.importorskip("plotly")
