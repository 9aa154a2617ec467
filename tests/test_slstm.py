"""An estimator of a cell that neither Keras nor ONNX has, on every road."""

import pickle

import numpy as np
import pytest

import sklstm
from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._reporting.summary import network_in_words
from sklstm.inspection import lag_attributions, token_attributions
from sklstm.scikeras import KerasRegressor, build_regressor

QUICK = {"cell": "slstm", "epochs": 2, "random_state": 0, "early_stopping": False}
TEXTS = ["a good film", "very good", "a bad film", "very bad , so bad"] * 6
LABELS = [1, 1, 0, 0] * 6


@pytest.fixture(scope="module")
def forecaster(passengers):
    options = {"units": (4, 3), "n_members": 2, "quantiles": (0.1, 0.9)}
    return LSTMForecaster(12, 3, **options, **QUICK).fit(passengers)


@pytest.fixture(scope="module")
def classifier():
    options = {"units": 3, "embedding_dim": 3, "dropout": 0.1}
    clf = LSTMTextClassifier(recurrent_dropout=0.1, **options, **QUICK)
    return clf.fit(TEXTS, LABELS)


def test_files_and_pickles_keep_it(forecaster, classifier, tmp_path):
    forecaster.save(tmp_path / "f")
    classifier.save(tmp_path / "c")
    expected = forecaster.forecast_quantiles(5), classifier.predict_proba(TEXTS)
    for f, clf in (
        (sklstm.load(tmp_path / "f"), sklstm.load(tmp_path / "c")),
        pickle.loads(pickle.dumps((forecaster, classifier))),
    ):
        assert f.forecast_quantiles(5).equals(expected[0])
        np.testing.assert_array_equal(clf.predict_proba(TEXTS), expected[1])


def test_members_side_by_side_can_be_trained_on(forecaster, passengers):
    again = pickle.loads(pickle.dumps(forecaster))
    assert again.partial_fit(passengers).forecast(3).notna().all()


def test_attributions_explain_the_forecast(forecaster, classifier):
    found = lag_attributions(forecaster)
    np.testing.assert_allclose(found.gap, 0, atol=1e-6 * found.prediction.max())
    assert abs(token_attributions(classifier, TEXTS[3]).gap) < 1e-6


def test_padding_changes_no_prediction(classifier):
    together = classifier.predict_proba([*TEXTS[:4], "", "good " * 40])
    for text, row in zip([*TEXTS[:4], ""], together, strict=False):
        np.testing.assert_allclose(classifier.predict_proba([text])[0], row, rtol=1e-12)
    model, ids = classifier.model_, np.array([[2, 3, 4]])
    inputs = ids, np.pad(ids, [(0, 0), (0, 9)])
    found = [model.predict_on_batch([x, np.zeros((1, 1), "f")]) for x in inputs]
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_notebooks_name_it(forecaster):
    assert network_in_words(forecaster).startswith("An sLSTM of 8 and 6 units beside")


def test_keras_models_and_those_of_scikeras_come_and_go():
    windows = np.sin(np.arange(60)[:, None] + np.arange(6))
    reg = KerasRegressor(
        build_regressor, model__units=3, model__cell="slstm", epochs=1, verbose=0
    )
    reg.fit(windows, windows[:, 0])
    f = LSTMForecaster.from_keras(reg, windows, windows[:, 0])
    assert f.cell == "slstm"
    np.testing.assert_allclose(f.predict(windows), reg.predict(windows), atol=1e-6)
    again = LSTMForecaster.from_keras(f.to_keras(), windows, windows[:, 0], scaler=None)
    np.testing.assert_array_equal(again.predict(windows), f.predict(windows))
