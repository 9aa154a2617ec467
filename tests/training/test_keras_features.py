"""Callbacks, mixed precision and several devices: what Keras brings, as it is."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import sklstm
from sklstm import LSTMForecaster, LSTMTextClassifier

FEW = {"units": 4, "epochs": 3, "early_stopping": False, "random_state": 0}
TEXTS = [f"{word} film of {i}" for i in range(20) for word in ("good", "bad")]
LABELS = [1, 0] * 20


def forecaster(passengers, **parameters):
    f = LSTMForecaster(12, 3, **FEW, **parameters)
    return f.fit(passengers)


def classifier(passengers, **parameters):
    return LSTMTextClassifier(**FEW, **parameters).fit(TEXTS, LABELS)


def predicted(estimator, passengers):
    if isinstance(estimator, LSTMForecaster):
        return estimator.predict(passengers[-12:]).to_numpy()
    return estimator.predict_proba(TEXTS)


BOTH = pytest.mark.parametrize("fit", [forecaster, classifier])


@BOTH
def test_callbacks_that_write_and_change_the_rate(fit, passengers, tmp_path):
    seen = []
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
        keras.callbacks.ReduceLROnPlateau(patience=0, min_delta=1e9, factor=0.5),
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: seen.append(logs["learning_rate"]),
            on_train_batch_end=lambda batch, logs: seen.append(batch),
        ),
    ]
    options = {"refit": False} if fit is forecaster else {}
    estimator = fit(passengers, callbacks=callbacks, **options)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert len(lines) == 4 and {"loss", "val_loss"} <= set(lines[0].split(","))
    saved = keras.models.load_model(tmp_path / "3.keras", compile=False)
    for theirs, ours in zip(saved.weights, estimator.model_.weights, strict=True):
        # A classifier weighs its head against the n-grams after training.
        if fit is forecaster or not ours.path.startswith("head/"):
            np.testing.assert_array_equal(theirs, ours)
    rates = [value for value in seen if isinstance(value, float)]
    assert rates == pytest.approx([0.001, 0.001, 0.0005])
    assert seen.index(0) < seen.index(rates[0])


@BOTH
def test_tensorboard(fit, passengers, tmp_path):
    pytest.importorskip("tensorflow")  # with which Keras writes its events
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1)
    fit(passengers, callbacks=[board])
    assert {f.name for f in tmp_path.iterdir()} >= {"train", "validation"}
    events = b"".join(f.read_bytes() for f in tmp_path.rglob("*tfevents*"))
    assert b"epoch_loss" in events and b"head/kernel/histogram" in events


@pytest.fixture
def policy_after():
    """The policy of before, which is set again."""
    before = keras.mixed_precision.dtype_policy()
    yield before
    keras.mixed_precision.set_dtype_policy(before)


@pytest.mark.parametrize(
    "fit, policy, options",
    [
        (forecaster, "mixed_bfloat16", {"linear_skip": False}),
        (forecaster, "mixed_float16", {"cell": "gru", "linear_skip": False}),
        (classifier, "mixed_float16", {"pooling": "attention", "linear_skip": False}),
        (classifier, "mixed_bfloat16", {"pooling": "max", "linear_skip": False}),
    ],
)
def test_mixed_precision(fit, policy, options, policy_after, passengers, tmp_path):
    keras.mixed_precision.set_dtype_policy(policy)
    mixed = fit(passengers, **options)
    assert {w.dtype for w in mixed.weights_.values()} == {np.dtype("float32")}
    assert np.isfinite(mixed.history_["loss"]).all()
    ours = predicted(mixed, passengers)
    assert np.isfinite(ours).all() and ours.dtype == float
    mixed.save(tmp_path / "mixed.sklstm")
    loaded = sklstm.load(tmp_path / "mixed.sklstm")
    np.testing.assert_array_equal(predicted(loaded, passengers), ours)
    halves = mixed.model_  # computes in halves, and ends in whole floats
    assert halves.dtype_policy.name == policy and halves.compute_dtype != "float32"
    keras.mixed_precision.set_dtype_policy(policy_after)
    whole = fit(passengers, **options)
    assert any((w != mixed.weights_[n]).any() for n, w in whole.weights_.items())
    close = {"rtol": 0.01, "atol": 0.01}
    np.testing.assert_allclose(predicted(whole, passengers), ours, **close)


def test_the_linear_model_keeps_its_digits(policy_after, passengers):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    linear = LSTMForecaster(12, 3, epochs=0, random_state=0).fit(passengers)
    model, whole = linear.model_, linear.to_keras()
    rng = np.random.default_rng(0)
    window = rng.normal(size=(5, 12, 1)).astype("float32")
    context = rng.normal(size=(5, 1)).astype("float32")
    kernel, bias = (linear.weights_[f"skip/{name}"] for name in ("kernel", "bias"))
    expected = np.concatenate([window[:, :, 0], context], 1) @ kernel + bias
    for network in (model, whole):
        output = keras.ops.convert_to_numpy(network([window, context]))[:, :, 0]
        np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)


SHARED = """
import os, sys
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import keras
import numpy as np
from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers

passengers = load_air_passengers()
few = {"units": 4, "epochs": 3, "early_stopping": False, "random_state": 0}
f = LSTMForecaster(12, 3, **few, min_skill=0)
clf = LSTMTextClassifier(**few, linear_skip=False)
texts = ["a good film", "bad film", "not good at all", "so fine"] * 10

def results():
    f.fit(passengers), clf.fit(texts, [1, 0, 0, 1] * 10)
    return f.forecast(3).to_numpy(), f.history_["loss"], clf.predict_proba(texts)

alone = results()
keras.distribution.set_distribution(keras.distribution.DataParallel())
for one, two in zip(alone, results()):
    np.testing.assert_allclose(two, one, rtol=1e-5)
shards = {len(v.value.sharding.device_set) for v in f.model_.weights}
assert shards == {2}, shards
try:
    f.set_params(batch_size=63).fit(passengers)
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="devices are XLA's")
def test_two_devices_train_to_the_same_result():
    done = subprocess.run(
        [sys.executable, "-c", SHARED], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "between 2 devices, and batch_size=63 is no multiple of 2" in done.stdout
    assert "Pass batch_size=64" in done.stdout
