"""The names of classes, and so their order, do not move probabilities."""

from itertools import permutations

import numpy as np
import pytest

from sklstm import LSTMTextClassifier
from sklstm._text.dataset import kinds_of
from tests.text.test_calibration import made


def quick(**parameters):
    defaults = {"units": 4, "embedding_dim": 4, "epochs": 0, "random_state": 0}
    return LSTMTextClassifier(**(defaults | parameters))


def data(n_classes, n=240):
    """Return texts, some of them twice with several classes, and numbers of classes."""
    texts, labels = made(n, np.full(n_classes, 1 / n_classes), unseen=0.4)
    labels = np.unique(labels, return_inverse=True)[1]
    twice = np.arange(0, n, 8)
    again = (labels[twice] + np.arange(len(twice)) % 2) % n_classes
    texts, labels = texts + [texts[i] for i in twice], np.append(labels, again)
    labels[::7] = (labels[::7] + 1) % n_classes
    return texts, labels


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("parameters", [{}, {"class_weight": "balanced"}])
def test_renamed_classes_have_the_same_probabilities(n_classes, parameters):
    texts, labels = data(n_classes)
    weights = np.arange(len(texts)) % 3 + 0.5
    expected = quick(**parameters).fit(texts, labels, weights).predict_proba(texts)
    for names in list(permutations("abc"[:n_classes]))[1:]:
        renamed = np.array(names)[labels]
        clf = quick(**parameters).fit(texts, renamed, weights)
        found = clf.predict_proba(texts)[:, np.searchsorted(clf.classes_, names)]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_renamed_classes_train_the_same_network(n_classes):
    texts, labels = data(n_classes)
    options = {"epochs": 2, "learning_rate": 0.05, "early_stopping": False}
    expected = quick(**options).fit(texts, labels)
    renamed = quick(**options).fit(texts, n_classes - labels)
    assert any(expected.weights_["head/kernel"].any(axis=0))
    np.testing.assert_allclose(
        renamed.predict_proba(texts)[:, ::-1], expected.predict_proba(texts), atol=1e-4
    )


def test_labels_in_another_order_of_columns_have_the_same_probabilities():
    texts, labels = data(3)
    Y = np.column_stack([labels == 0, labels > 0, np.arange(len(labels)) % 5 == 0])
    expected = quick().fit(texts, Y.astype(int)).predict_proba(texts)
    for columns in permutations(range(3)):
        found = quick().fit(texts, Y[:, columns].astype(int)).predict_proba(texts)
        np.testing.assert_allclose(found, expected[:, columns], rtol=0, atol=1e-12)


def test_kinds_are_numbered_by_their_frequency_then_by_their_first_row():
    targets = np.eye(4, dtype=bool)[[2, 3, 0, 3, 1, 0, 3]]
    assert kinds_of(targets).tolist() == [2, 0, 1, 0, 3, 1, 0]
    assert kinds_of(targets[:, ::-1]).tolist() == [2, 0, 1, 0, 3, 1, 0]
