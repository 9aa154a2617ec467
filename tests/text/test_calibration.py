"""Probabilities that mean what they say: case F2."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, recall_score
from sklearn.pipeline import make_pipeline

from sklstm import LSTMTextClassifier
from sklstm._text import calibration, probabilities
from sklstm._text.ngram_fit import CountedTexts
from sklstm._text.ngrams import NgramModel
from sklstm.datasets import load_docstrings

KEYS = {
    "billing": ["invoice", "refund", "payment"],
    "login": ["password", "account", "reset"],
    "other": ["hello", "thanks", "weather"],
}


def made(n, shares, seed=0, unseen=0.0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(KEYS)[: len(shares)], n, p=shares)
    texts = []
    for label in labels:
        key = rng.choice(KEYS[label])
        if rng.random() < unseen:
            key = f"new {key}s"
        texts.append(" ".join([*(f"w{i}" for i in rng.integers(200, size=6)), key]))
    return texts, labels


def fitted(*data, **parameters):
    quick = {"units": 1, "embedding_dim": 1, "epochs": 0, "random_state": 0}
    return LSTMTextClassifier(**(quick | parameters)).fit(*data)


@pytest.mark.parametrize("n", [60, 500])
@pytest.mark.parametrize("shares", [[0.6, 0.4], [0.85, 0.15], [0.5, 0.3, 0.2]])
def test_f2_a_text_that_says_nothing_gets_the_shares_of_classes(n, shares):
    texts, labels = made(n, shares)
    clf = fitted(texts, labels)
    found = clf.predict_proba(["", "otp not received", "w1 w2 w3"])
    shares = [np.mean(labels == name) for name in clf.classes_]
    np.testing.assert_allclose(found[:2], [shares] * 2, atol=1 / n)
    assert np.abs(found[2] - shares).max() < 0.3
    assert np.median(clf.predict_proba(texts).max(axis=1)) < 1 - 0.02 / n


@pytest.mark.parametrize("epochs", [0, 1, 3])
@pytest.mark.parametrize("shares", [[0.85, 0.15], [0.5, 0.3, 0.2]])
def test_f2_the_network_alone_knows_the_shares_of_classes(epochs, shares):
    texts, labels = made(500, shares)
    options = {"linear_skip": False, "epochs": epochs, "units": 8, "embedding_dim": 8}
    found = fitted(texts, labels, **options).predict_proba(["", "otp not received"])
    shares = [np.mean(labels == name) for name in np.unique(labels)]
    np.testing.assert_allclose(found, [shares] * 2, atol=0.03)
    several = np.column_stack([labels == "billing", np.zeros(500, int)])
    found = fitted(texts, several, **options).predict_proba([""])
    np.testing.assert_allclose(found, [[shares[0], 0]], atol=0.03)


def test_the_network_alone_is_not_stopped_before_it_has_learned():
    texts, labels = made(600, [0.85, 0.15])
    options = {"linear_skip": False, "epochs": 12, "learning_rate": 0.002}
    clf = fitted(texts, labels, units=8, embedding_dim=8, **options)
    assert clf.skill_ > 0.3 and clf.score(texts, labels) > 0.98
    # Training that goes on has something to stop at.
    clf.set_params(warm_start=True, n_iter_no_change=1, tol=0.9).fit(texts, labels)
    assert clf.n_iter_ == 1


def test_f2_unseen_key_words_cost_no_more_than_with_logistic_regression():
    (texts, labels), (others, truth) = (
        made(600, [0.6, 0.4]),
        made(1000, [0.6, 0.4], 1, unseen=0.05),
    )
    clf = fitted(texts, labels)
    rival = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    losses = [log_loss(truth, model.predict_proba(others)) for model in (clf, rival)]
    assert losses[0] < 1.1 * losses[1]


def test_f2_labels_that_no_text_has_are_unlikely_not_impossible():
    texts, _ = made(60, [0.6, 0.4])
    labels = np.column_stack([np.arange(60) % 2, np.zeros(60, int)])
    proba = fitted(texts, labels).predict_proba(["", texts[0]])
    assert (proba[:, 1] > 1e-3).all() and (proba[:, 1] < 0.05).all()


@pytest.mark.parametrize("n_outputs, exclusive", [(1, True), (3, True), (3, False)])
def test_calibration_undoes_overconfidence(n_outputs, exclusive):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, n_outputs))
    proba = probabilities.probabilities(logits, exclusive)
    if exclusive and n_outputs > 1:
        targets = np.eye(3)[[rng.choice(3, p=row) for row in proba]] > 0
    else:
        targets = rng.uniform(size=logits.shape) < proba[:, -n_outputs:]
    zeros = np.zeros(n_outputs)
    scale, intercepts = calibration.calibrate(
        5 * logits - 1, zeros, zeros, targets, np.ones(4000), exclusive
    )
    assert abs(5 * scale - 1) < 0.1
    wanted = scale if not (exclusive and n_outputs > 1) else 0
    np.testing.assert_allclose(intercepts - scale, wanted - scale, atol=0.15)


@pytest.mark.parametrize(
    "weights, evenness", [([1, 1], 1), ([0, 3], 0.5), ([1, 3], 0.8)]
)
def test_f2_models_of_folds_are_as_sure_as_that_of_all(weights, evenness, monkeypatch):
    penalties = []
    monkeypatch.setattr(NgramModel, "fit", lambda *args: penalties.append(args[-1]))
    texts = CountedTexts(
        sp.csr_matrix(np.eye(4)),
        np.array([[True], [False]] * 2),
        np.ones(4, int),
        np.array(weights * 2, float),
        exclusive=True,
    )
    assert texts.evenness == pytest.approx(evenness)
    texts.fit(np.array([1, 1, 1, 0]))
    assert penalties == [pytest.approx(0.75**evenness)]


def test_f4_balanced_weights_find_rare_classes_as_logistic_regression_does():
    docstrings = load_docstrings()
    texts = np.array(docstrings.data, object)
    is_rare = np.array(docstrings.target) == "pandas"
    rng = np.random.default_rng(0)
    rare = rng.permutation(np.flatnonzero(is_rare))
    others = rng.permutation(np.flatnonzero(~is_rare))
    train = np.r_[rare[:30], others[:1100]]
    test = np.r_[rare[-400:], others[1100:1500]]
    linear = make_pipeline(
        TfidfVectorizer(), LogisticRegression(C=10, class_weight="balanced")
    )
    ours = LSTMTextClassifier(
        class_weight="balanced", ngram_range=(1, 1), epochs=0, random_state=0
    )
    score = {}
    for model in (linear, ours):
        predicted = model.fit(texts[train], is_rare[train]).predict(texts[test])
        recall = recall_score(is_rare[test], predicted)
        score[model] = recall, f1_score(is_rare[test], predicted)
    assert score[ours] >= score[linear] and score[ours][1] >= score[linear][1]


def texts_with_a_key(n, n_rare, seed):
    """Return texts of noise; most rare ones have the key, and few others."""
    rng = np.random.default_rng(seed)
    is_rare = np.arange(n) < n_rare
    n_keys = rng.binomial(1, np.where(is_rare, 0.9, 0.003))
    noise = rng.integers(1000, size=(n, 8))
    texts = [
        " ".join(["key"] * key + [f"w{i}" for i in row])
        for key, row in zip(n_keys, noise, strict=True)
    ]
    return texts, is_rare


def test_f4_noise_of_few_heavy_texts_is_not_learned_by_heart():
    scores = []
    for seed in range(0, 6, 2):
        texts, is_rare = texts_with_a_key(3000, 30, seed)
        clf = fitted(texts, is_rare, class_weight="balanced", ngram_range=(1, 1))
        others, truth = texts_with_a_key(3000, 30, seed + 1)
        scores.append(f1_score(truth, clf.predict(others)))
    assert np.mean(scores) > 0.64
