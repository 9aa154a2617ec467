import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from sklstm import LSTMForecaster, LSTMTextClassifier  # noqa: E402
from sklstm._reporting.attribution_displays import (  # noqa: E402
    LINE_LENGTH,
    lay_out,
    shade,
)
from sklstm.inspection import lag_attributions, token_attributions  # noqa: E402
from sklstm.plotting import (  # noqa: E402
    LagAttributionDisplay,
    TokenAttributionDisplay,
)

UNTRAINED = {"epochs": 0, "validation_fraction": 0, "units": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


def test_lags_are_bars_stacked_by_input(regression):
    X, y = regression
    f = LSTMForecaster(6, 2, pretrained=False, **UNTRAINED).fit(X[:200], y[:200])
    display = LagAttributionDisplay.from_estimator(f, X[200:202], step=2)
    why = lag_attributions(f, X=X[200:202]).attributions[2]
    assert list(display.bars_) == ["load", "a", "b"]
    for name, bars in display.bars_.items():
        at = [round(bar.get_x() + bar.get_width() / 2) for bar in bars]
        heights = pd.Series([bar.get_height() for bar in bars], at)
        assert_allclose(heights[why[name].index], why[name])
    title = display.ax_.get_title()
    assert title.startswith(f"Forecast {display.prediction:.4g}: ")
    assert "from a constant history" in title
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.y1 <= display.ax_.get_window_extent().y0  # below the bars
    again = LagAttributionDisplay.from_attributions(
        lag_attributions(f, X=X[200:202]), step=2
    )
    assert again.prediction == display.prediction
    with pytest.raises(ValueError, match="attributions reach the horizon"):
        LagAttributionDisplay.from_estimator(f, X[200:203], step=3)


def test_lags_of_windows_and_targets(passengers):
    X = np.lib.stride_tricks.sliding_window_view(passengers.to_numpy(), 6)
    f = LSTMForecaster(**UNTRAINED).fit(X[:, :4], X[:, 4:])
    display = LagAttributionDisplay.from_estimator(f, X[-1:, :4], target=1)
    assert_allclose(display.prediction, f.predict(X[-1:, :4])[0, 1])
    with pytest.raises(ValueError, match=r"no forecast of \(0, 3\), only of"):
        LagAttributionDisplay.from_estimator(f, X[-1:, :4], step=3)
    both = pd.DataFrame({"p": passengers, "q": passengers})
    f = LSTMForecaster(4, pretrained=False, **UNTRAINED).fit(both)
    display = LagAttributionDisplay.from_estimator(f, target="q")
    assert_allclose(display.prediction, f.forecast(1)["q"].iloc[0])


def test_words_are_coloured_by_effect():
    texts = ["a good film", "very good <b>", "a bad film", "very bad"] * 5
    clf = LSTMTextClassifier(**UNTRAINED).fit(texts, ["+", "+", "-", "-"] * 5)
    _, ax = plt.subplots()
    display = TokenAttributionDisplay.from_estimator(
        clf, "good or bad", target="+", ax=ax
    )
    assert display.ax_ is ax
    assert [word.get_text() for word in display.words_] == ["good", "or", "bad"]
    colors = [word.get_bbox_patch().get_facecolor() for word in display.words_]
    (red, _, blue, _), white, (red_bad, _, blue_bad, _) = colors
    assert blue > red and white == (1, 1, 1, 1) and red_bad > blue_bad
    why = token_attributions(clf, "good or bad", target="+")
    assert f"{why.prediction:+.3g}" in display.ax_.get_title("left")
    shown = TokenAttributionDisplay(why.tokens, why.attributions, why.target)
    assert shown._repr_html_().count("<span") == 3
    # a figure is shown by pyplot, and must not appear a second time as text
    again = TokenAttributionDisplay.from_attributions(why)
    assert again._repr_html_() is None and again._repr_mimebundle_() == {}


def test_words_in_html_are_escaped():
    page = TokenAttributionDisplay(["<script>"], [1.0], "<i>")._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<i>" not in page


def test_lines_are_broken_where_they_are_full():
    places = lay_out(["x" * 30] * 5)
    assert places == [(0, 0), (0, 31), (1, 0), (1, 31), (2, 0)]
    assert lay_out(["x" * 2 * LINE_LENGTH, "y"])[1] == (1, 0)
    display = TokenAttributionDisplay([], []).plot()
    assert display.words_ == []


def test_black_is_read_on_every_shade():
    assert shade(0) == "#ffffff"
    for strength in (-1, 1):
        red, green, blue = matplotlib.colors.to_rgb(shade(strength))
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.35
