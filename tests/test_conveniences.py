"""What people type first: load, summary, plot, one key of many, versions."""

import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

import sklstm
from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._utils import native_library

QUICK = {"units": 2, "epochs": 1, "random_state": 0}
TEXTS, LABELS = ["good film", "bad film"] * 8, [1, 0] * 8


@pytest.fixture(scope="module")
def fitted(passengers):
    return LSTMForecaster(6, 2, pretrained=False, **QUICK).fit(passengers[:60])


@pytest.fixture(scope="module")
def many(passengers):
    parts = {"S1": passengers[:60], "S2": 2 * passengers[:60]}
    return LSTMForecaster(6, 2, pretrained=False, **QUICK).fit(pd.concat(parts))


@pytest.fixture(scope="module")
def classifier():
    return LSTMTextClassifier(**QUICK).fit(TEXTS, LABELS)


def test_load_is_a_method_of_both_classes(fitted, classifier, tmp_path):
    fitted.save(tmp_path / "f.sklstm")
    classifier.save(tmp_path / "c.sklstm")
    again = LSTMForecaster.load(tmp_path / "f.sklstm")
    pd.testing.assert_series_equal(again.forecast(3), fitted.forecast(3))
    again = LSTMTextClassifier.load(tmp_path / "c.sklstm")
    np.testing.assert_array_equal(again.predict(TEXTS), classifier.predict(TEXTS))
    with pytest.raises(TypeError, match="LSTMTextClassifier, not LSTMForecaster"):
        LSTMForecaster.load(tmp_path / "c.sklstm")


def test_graphs_are_written(fitted, classifier, tmp_path):
    onnx = pytest.importorskip("onnx")
    for estimator in (fitted, classifier):
        model = estimator.to_onnx(tmp_path / "model.onnx")
        assert onnx.load(tmp_path / "model.onnx") == model


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_network_that_is_not_kept_is_told(verbose, passengers, tmp_path, capsys):
    parameters = {"min_skill": 0.99, "pretrained": False, "verbose": verbose}
    f = LSTMForecaster(6, 2, **QUICK, **parameters)
    f.fit(passengers[:60])
    told = "No epoch beat the linear model; forecasts are the linear model's."
    assert (told in capsys.readouterr().out) == bool(verbose)
    assert told in f.summary()
    assert told in f._repr_html_().replace("&#x27;", "'")
    f.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert told in page.replace("&#x27;", "'")
    f.set_params(linear_skip=False).fit(passengers[:60])
    assert "No epoch of the network improved on its start." in f.summary()
    f.set_params(n_members=2).fit(passengers[:60])
    assert "No epoch of the first network improved on its start." in f.summary()


def test_an_n_gram_model_alone_is_told(classifier):
    clf = LSTMTextClassifier(**QUICK, min_skill=0.99).fit(TEXTS, LABELS)
    assert clf.best_epoch_ == 0
    assert "probabilities are the n-gram model's." in clf.summary()


def test_summaries_are_lines_of_words(passengers):
    f = LSTMForecaster(6, 2, **QUICK, early_stopping=False).fit(passengers[:60])
    lines = f.summary().splitlines()
    assert lines.pop(3).startswith("Forecasts are the weighted mean of the trained")
    assert lines[0] == "LSTMForecaster" and "An LSTM of 2 units" in lines[1]
    assert lines[2] == "Training: 1 epoch run; epoch 1 is kept."
    assert lines[3].startswith("On the validation block its squared error is")
    assert len(lines) == 4 and repr(f.summary()) == str(f.summary())


def test_plot_draws_the_forecast(fitted, many):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    display = fitted.plot(4, coverages=(0.8,))
    assert isinstance(display, sklstm.plotting.ForecastDisplay)
    pd.testing.assert_series_equal(
        display.forecast, fitted.forecast(4), check_freq=False, check_names=False
    )
    assert list(display.intervals) == [0.8]
    expected = many.forecast(2).loc["S2"].to_numpy()
    np.testing.assert_array_equal(many.plot(series="S2").forecast, expected)
    with pytest.raises(ValueError, match="plot needs a series"):
        LSTMForecaster(**QUICK).fit(np.eye(20), np.ones(20)).plot()


def test_one_key_is_a_list_of_it(many, passengers):
    for call in (many.forecast, many.forecast_interval, many.forecast_quantiles):
        expected = call(3, series=["S1"])
        found = call(3, series="S1")
        assert type(found) is type(expected) and found.equals(expected)
        assert list(found.index.unique(0)) == ["S1"]
    parts = {("a", 1): passengers[:60], ("b", 2): passengers[:60]}
    f = LSTMForecaster(6, 2, pretrained=False, **QUICK).fit(pd.concat(parts))
    assert f.forecast(3, series=("a", 1)).equals(f.forecast(3, series=[("a", 1)]))
    arrays = LSTMForecaster(6, 2, pretrained=False, **QUICK).fit(
        [passengers.to_numpy()] * 2
    )
    assert len(arrays.forecast(3, series=1)) == 1


def test_modules_are_there_without_importing_them():
    code = (
        "import sklstm\n"
        "for name in sorted(sklstm._MODULES - {'layers'}): getattr(sklstm, name)\n"
        "sklstm.plotting.ForecastDisplay, sklstm.metrics.interval_score\n"
        "print({'plotting', 'LSTMForecaster'} <= set(dir(sklstm)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def test_versions_are_shown(capsys):
    sklstm.show_versions()
    lines = dict(
        line.split(": ", 1) for line in capsys.readouterr().out.strip().split("\n")
    )
    assert lines["sklstm"] == sklstm.__version__ and lines["numpy"] == np.__version__
    assert lines["recurrent loops on a CPU"] == native_library.description()
    assert lines["Keras backend"] == keras.config.backend()
    assert ("JAX devices" in lines) == (keras.config.backend() == "jax")


def test_errors_say_what_was_meant(fitted, regression):
    X, y = regression
    with pytest.raises(TypeError, match=r"Use forecast\(24\) for the 24 steps"):
        fitted.predict(24)
    for data in ((y, X), (y.to_numpy(), X.to_numpy())):
        with pytest.raises(ValueError, match=r"look swapped.*fit\(X, y\)"):
            LSTMForecaster(6, **QUICK).fit(*data)
    with pytest.raises(TypeError, match="network must be a function that returns"):
        LSTMForecaster(6, **QUICK, network=keras.Sequential()).fit(y)
    frame = pd.DataFrame({"title": TEXTS, "text": TEXTS})
    with pytest.raises(ValueError, match=r"2 columns.*Pass X\['title'\]"):
        LSTMTextClassifier(**QUICK).fit(frame, LABELS)
