"""Plain Keras models out of the estimators and back, and Keras's callbacks in them."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._networks.spec import NetworkSpec, TextNetworkSpec
from sklstm._utils.cells import CELLS

SMALL = {"window_length": 12, "horizon": 3, "units": 4, "epochs": 2, "random_state": 0}
SMALL |= {"pretrained": False}


@pytest.fixture(scope="module")
def fitted(passengers):
    return LSTMForecaster(**SMALL, early_stopping=False).fit(passengers)


def inputs_of(model):
    inputs = [some_input(tensor) for tensor in model.inputs]
    return inputs if len(inputs) > 1 else inputs[0]


def some_input(tensor):
    rng = np.random.default_rng(0)
    shape = (5, *(size or 7 for size in tensor.shape[1:]))
    if tensor.dtype == "int32":
        return rng.integers(0, 9, shape)
    return rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "spec",
    [
        NetworkSpec((6, 2), 5, (2, 1), 2, units=(3, 4), recurrent_length=4),
        NetworkSpec((6, 2), 0, (2, 3), cell="gru", linear_skip=False),
        NetworkSpec((6, 1), 0, (1, 1), cell="rnn", recurrent_dropout=0.1),
        TextNetworkSpec(9, 2, 4, units=(3,), pooling="attention"),
        TextNetworkSpec(9, 1, 4, cell="gru", bidirectional=False, pooling="last"),
        NetworkSpec((6, 1), 0, (1, 1), cell="slstm"),
        TextNetworkSpec(9, 2, 4, cell="slstm", units=(3,)),
    ],
    ids=lambda spec: f"{type(spec).__name__}-{spec.cell}",
)
def test_plain_networks_equal_ours(spec):
    ours, plain = spec.build(), spec.build(plain=True)
    rng = np.random.default_rng(0)
    for mine, other in zip(ours.weights, plain.weights, strict=True):
        assert mine.path == other.path
        value = rng.normal(scale=0.3, size=mine.shape)
        mine.assign(value)
        other.assign(value)
    inputs = inputs_of(ours)
    expected = ours.predict_on_batch(inputs)
    np.testing.assert_allclose(plain.predict_on_batch(inputs), expected, atol=2e-5)
    # A cell that Keras lacks stays ours.
    in_keras = CELLS[spec.cell].keras_layer is not None
    assert "sklstm>" in ours.to_json() and ("sklstm>" in plain.to_json()) != in_keras


def test_plain_models_live_without_sklstm(fitted, tmp_path):
    model = fitted.to_keras()
    inputs = [some_input(tensor) for tensor in model.inputs]
    model.save(tmp_path / "plain.keras")
    np.savez(tmp_path / "inputs.npz", *inputs)
    code = (
        "import sys; sys.modules['sklstm'] = None; import keras, numpy as np; "
        "model = keras.models.load_model('plain.keras'); "
        "inputs = list(np.load('inputs.npz').values()); "
        "np.save('made.npy', model.predict_on_batch(inputs))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    made, expected = np.load(tmp_path / "made.npy"), model.predict_on_batch(inputs)
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_ready_windows_equal_the_plain_model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    f = LSTMForecaster(units=3, epochs=1, scaler=None, random_state=0)
    f.fit(X, X[:, -1] + X[:, 0])
    plain = f.to_keras().predict(X[:, :, None].astype("float32"), verbose=0)
    np.testing.assert_allclose(plain.ravel(), f.predict(X), atol=1e-5)


def test_texts_equal_the_plain_model():
    texts = ["a good film", "a bad film", "good", "bad", "a film", "so bad"] * 5
    clf = LSTMTextClassifier(units=3, embedding_dim=3, epochs=1, random_state=0)
    clf.fit(texts, np.array(["good" in text for text in texts]))
    ours, plain = clf.model_, clf.to_keras()
    inputs = [some_input(tensor) % clf._spec_.n_tokens for tensor in ours.inputs]
    np.testing.assert_allclose(
        plain.predict_on_batch(inputs), ours.predict_on_batch(inputs), atol=1e-5
    )


def test_a_plain_model_comes_back(fitted, passengers):
    again = LSTMForecaster.from_keras(fitted.to_keras(), passengers)
    assert again.forecast(7).equals(fitted.forecast(7))
    assert again.units == (4,) and again.horizon == 3 and again.window_length == 12
    assert again.update(passengers[-1:].shift(1, "MS")).forecast(2).notna().all()


def test_a_plain_model_with_inputs_comes_back(regression):
    X, y = regression
    f = LSTMForecaster(**SMALL, cell="gru", early_stopping=False).fit(X[:200], y[:200])
    again = LSTMForecaster.from_keras(f.to_keras(), X[:200], y[:200], window_length=12)
    assert again.forecast(X=X[200:]).equals(f.forecast(X=X[200:]))


def test_a_model_trained_further_in_keras_comes_back():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6, 1)).astype("float32")
    y = X[:, 0, 0] * X[:, 5, 0]
    f = LSTMForecaster(units=3, epochs=0, scaler=None, random_state=0).fit(X, y)
    model = f.to_keras()
    model.compile("adam", "mse")
    model.fit(X, y.reshape(-1, 1, 1), epochs=2, verbose=0)
    again = LSTMForecaster.from_keras(model, X, y, scaler=None)
    plain = model.predict(X, verbose=0).ravel()
    np.testing.assert_allclose(again.predict(X), plain, atol=1e-5)
    assert (again.predict(X) != f.predict(X)).any()


def test_other_models_are_refused(fitted, passengers):
    other = keras.Sequential([keras.Input((6, 1)), keras.layers.LSTM(2)])
    with pytest.raises(
        ValueError, match="none of sklstm's networks.*layer recurrent_0"
    ):
        LSTMForecaster.from_keras(other, passengers)
    with pytest.raises(ValueError, match="does not fit the data and parameters"):
        two = np.stack([passengers, passengers], axis=1)
        LSTMForecaster.from_keras(fitted.to_keras(), two)
