"""Training that goes on: cases F10 and F11."""

import keras
import numpy as np
import pytest

from sklstm import LSTMTextClassifier, load
from sklstm._text import ngram_fit
from sklstm.datasets import load_docstrings


@pytest.fixture(scope="module")
def docstrings():
    data = load_docstrings()
    order = np.random.default_rng(0).permutation(len(data.data))[:300]
    texts = [data.data[i][:300] for i in order]
    return texts, np.array(data.target)[order]


def quick(**parameters):
    defaults = {"units": 2, "embedding_dim": 2, "epochs": 1, "random_state": 0}
    return LSTMTextClassifier(**(defaults | {"max_length": 16} | parameters))


def test_f10_a_warm_start_is_measured_beside_held_out_logits(docstrings, tmp_path):
    clf = quick(warm_start=True)
    scores = [
        clf.fit(*docstrings).baseline_scores_["ngrams"],
        clf.fit(*docstrings).baseline_scores_["ngrams"],
    ]
    assert scores[0] == scores[1]
    losses = [clf.partial_fit(*docstrings).history_["loss"][0] for _ in range(2)]
    assert min(losses) > 0.5 * scores[0]


def test_f10_new_texts_have_the_logits_of_the_model(docstrings, monkeypatch):
    texts, labels = docstrings
    ngrams = quick(epochs=0).fit(texts[:200], labels[:200])._state.ngrams
    assert len(ngrams.digests) == len(ngrams.held_out) == len(set(texts[:200]))
    monkeypatch.setattr(ngram_fit, "MOST_KEPT", 199)
    clf = quick(epochs=0).fit(iter(texts[:200]), labels[:200])
    assert len(clf._state.ngrams.digests) == 0


@pytest.mark.parametrize("linear_skip", [False, True])
def test_f11_partial_fits_train_as_one_longer_fit(docstrings, linear_skip, tmp_path):
    parameters = {"linear_skip": linear_skip, "validation_fraction": 0, "units": 4}
    whole = quick(epochs=4, **parameters).fit(*docstrings)
    parts = quick(**parameters)
    for i in range(4):
        parts.partial_fit(*docstrings)
        if i == 1:
            parts.save(tmp_path / "model")
            parts = load(tmp_path / "model")
    for name, weights in whole.weights_.items():
        np.testing.assert_array_equal(parts.weights_[name], weights)
    assert whole._state.training is None and parts._state.training is not None
    parts.set_params(optimizer="sgd").partial_fit(*docstrings)
    assert parts.fit(*docstrings)._state.training is None


def test_f11_a_warm_start_has_orders_of_its_own(docstrings):
    kwargs = {"learning_rate": 0.1, "dropout": 0.5, "linear_skip": False}
    clf = quick(validation_fraction=0, warm_start=True, **kwargs).fit(*docstrings)
    # At so low a rate the dropout masks alone tell one epoch from another.
    clf.set_params(learning_rate=1e-30)
    losses = [clf.fit(*docstrings).history_["loss"][0] for _ in range(3)]
    assert len(set(losses)) == 3
    assert clf.partial_fit(*docstrings).history_["loss"][0] not in losses


def test_f11_schedules_and_callbacks_count_the_epochs_of_all_calls(docstrings):
    epochs, heard = [], []

    def schedule(epoch, rate):
        epochs.append(epoch)
        return rate

    class Hear(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            heard.append(epoch)

        def on_epoch_end(self, epoch, logs=None):
            heard.append(epoch)

    clf = quick(learning_rate_schedule=schedule, callbacks=[Hear()], epochs=2)
    clf.fit(*docstrings).partial_fit(*docstrings).partial_fit(*docstrings)
    assert epochs == [0, 1, 2, 3]
    assert heard == [0, 0, 1, 1, 2, 2, 3, 3]


def test_u10_later_calls_name_the_classes_of_the_first():
    texts, names = ["good", "bad"] * 9, ["yes", "no"] * 9
    clf = quick().partial_fit(texts, names, classes={"yes", "no"})
    clf.partial_fit(texts, names, classes=["yes", "no", "yes"])
    with pytest.raises(ValueError, match=r"\['maybe', .* first call, \['no', 'yes'\]"):
        clf.partial_fit(texts, names, classes=["yes", "no", "maybe"])
    with pytest.raises(ValueError, match="classes holds a missing value. Leave it"):
        quick().partial_fit(texts, names, classes=["yes", None, "no"])
    labels = np.eye(2, dtype=int)[[0, 1] * 9]
    clf = quick().partial_fit(texts, labels)
    with pytest.raises(ValueError, match="y has 3 labels, but the first fit got 2"):
        clf.partial_fit(texts, labels[:, [0, 1, 1]])
