import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import sklearn

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._forecasting.state import TrainingRecord
from sklstm._reporting.summary import (
    curve_svg,
    members_in_words,
    model_name,
    network_in_words,
    network_svg,
    skill_in_words,
)
from tests.fitted import with_network

UNTRAINED = {"epochs": 0, "validation_fraction": 0, "units": 3, "random_state": 0}


@pytest.fixture(scope="module")
def fitted(passengers):
    f = LSTMForecaster(12, 3, units=(3, 2), epochs=2, random_state=0, min_skill=0)
    return f.fit(passengers)


def test_a_notebook_shows_diagram_curve_and_skill(fitted):
    html = fitted._repr_html_()
    assert "LSTMForecaster" in html and html.count("<svg role") == 2
    assert "An LSTM of 3 and 2 units beside a linear model: from 12 steps" in html
    assert "On the validation block its squared error is" in html
    assert fitted._repr_mimebundle_()["text/html"].endswith(html[-500:])
    assert "<svg role" not in LSTMForecaster()._repr_html_()
    with sklearn.config_context(display="text"):
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def boxes(estimator):
    svg = ET.fromstring(network_svg(estimator))
    assert len(list(svg.iter("rect"))) + len(list(svg.iter("circle"))) == len(
        list(svg.iter("text"))
    )
    height = float(svg.get("height"))
    for rect in svg.iter("rect"):
        x, y, wide, high = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
        assert 0 <= x <= 340 - wide and 0 <= y <= height - high
    return [node.text for node in svg.iter("text")]


def test_the_network_is_drawn(fitted):
    assert boxes(fitted) == [
        "12 steps × 1 column",
        "LSTM, 3 units",
        "LSTM, 2 units",
        "linear model",
        "+",
        "3 steps × 1 target",
    ]
    texts = LSTMTextClassifier(linear_skip=False, pooling="mean", **UNTRAINED)
    texts.fit(["a b", "c d"] * 9, ["x", "y"] * 9)
    middle = ["word vectors of 64", "LSTM, 3 units, both ways", "mean over tokens"]
    assert boxes(texts)[1:] == [*middle, "2 classes"]


def test_long_windows_and_own_networks_are_drawn(passengers):
    f = LSTMForecaster(24, recurrent_length=6, **UNTRAINED).fit(passengers)
    assert boxes(f)[1:3] == ["the last 6", "LSTM, 3 units"]
    g = with_network(f._copy(), spec=replace(f._spec_, network=len))
    assert boxes(g) == ["24 steps × 1 column", "your network", "1 step × 1 target"]


def test_the_curve_marks_the_best_epoch():
    history = {"loss": [3.0, 2.0, 1.5], "val_loss": [4.0, 2.0, 3.0]}
    svg = ET.fromstring(curve_svg(history, 2))
    assert len(list(svg.iter("polyline"))) == 2
    assert svg.get("aria-label") == "Loss by epoch, over 3 epochs; epoch, best 2."
    assert curve_svg({"loss": []}, 0) == ""


def test_networks_in_words(passengers):
    f = LSTMForecaster(5, cell="gru", linear_skip=False, **UNTRAINED).fit(passengers)
    assert network_in_words(f).startswith(
        "A GRU of 3 units: from 5 steps of 1 column to 1 step of 1 target; "
    )
    assert skill_in_words(f).startswith("There was no validation block")
    clf = LSTMTextClassifier(**UNTRAINED).fit(["a b", "c d"] * 9, ["x", "y"] * 9)
    assert "units in each direction beside an n-gram model, over" in network_in_words(
        clf
    )


@pytest.mark.parametrize(
    "best_epoch, weight, parameters, name",
    [
        (3, 0.0, {}, "LSTM and linear model"),
        (0, 0.0, {}, "linear model"),
        (0, 0.0, {"linear_skip": False}, "LSTM"),
        (0, 0.0, {"n_members": 2}, "LSTM and linear model"),
        (0, 0.0, {"network": len}, "custom network"),
        (0, 0.4, {}, "mean of linear model and fine-tuned pretrained network"),
        (3, 1.0, {}, "fine-tuned pretrained network"),
    ],
)
def test_a_model_is_named_by_what_takes_part(
    fitted, best_epoch, weight, parameters, name
):
    f = fitted._copy().set_params(**parameters)
    record = TrainingRecord({}, 3, best_epoch, {}, None)
    f._state = replace(f._state, record=record).with_weights(pretrained=weight)
    assert model_name(f) == name


@pytest.mark.parametrize(
    "network, weights, words",
    [
        (None, {"pretrained": 0.6}, "the trained network (40%) and the"),
        (len, {"pretrained": 0.6}, "mean of the custom network (40%) and the"),
        (None, {"pretrained": 1.0}, "Forecasts are those of the fine-tuned pretrained"),
        (len, {"pretrained": 1.0}, "The custom network has no weight, because its"),
        (None, {"pretrained": 0.0}, ""),
    ],
)
def test_members_in_words(fitted, network, weights, words):
    f = fitted._copy().set_params(network=network)
    record = TrainingRecord({}, 3, 3, {}, None)
    f._state = replace(f._state, record=record).with_weights(**weights)
    assert words in members_in_words(f) if words else members_in_words(f) == ""


@pytest.mark.parametrize(
    "skill, n_iter, best_epoch, words",
    [
        (0.25, 3, 3, "25.0% below that of the best simple model, the linear model"),
        (-4e-4, 3, 3, "is level with that of the best simple model, the linear model"),
        (1e-4, 3, 3, "is level with that of the best simple model, the linear model"),
        (-4, 3, 3, "is 5 times that of the best simple model, the linear model"),
        (0.0, 3, 0, "is that of the linear model, because no epoch"),
        (0.0, 0, 0, "is that of the linear model, because no network was trained"),
    ],
)
def test_skill_in_words(fitted, skill, n_iter, best_epoch, words):
    f = fitted._copy()
    scores = {"last_value": 2.0, "ridge": 1.0}
    record = TrainingRecord({}, n_iter, best_epoch, scores, skill)
    f._state = replace(f._state, record=record)
    assert words in skill_in_words(f) and "squared error" in skill_in_words(f)
    many = replace(f._state, series=dict.fromkeys("ab", *f._state.series.values()))
    f._state = many
    assert "absolute error" in skill_in_words(f)


def test_a_mean_that_lost_on_a_short_block_says_why_it_is_kept(fitted):
    f, scores = fitted._copy(), {"last_value": 2.0, "ridge": 1.0}
    words = "; the mean of members is kept, because this can be chance"
    for trained_skill, told in ((0.1, True), (-0.3, True), (-0.5, False)):
        record = TrainingRecord({}, 3, 3, scores, -0.5, trained_skill)
        f._state = replace(f._state, record=record)
        assert (words in skill_in_words(f)) == told
