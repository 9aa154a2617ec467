import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.metrics import log_loss

from sklstm._text import ngrams, probabilities
from sklstm._text.ngrams import NgramCounts, NgramModel, log_count_ratio
from sklstm._text.vocabulary import build_vocabulary, count_tokens, encode

TEXTS = ["a b a b c", "b c", "", "c a b", "d"]


@pytest.fixture
def encoded():
    tokens, places = count_tokens(TEXTS, str.split)
    return build_vocabulary(tokens, places, np.ones(5))


def test_counts_equal_those_of_scikit_learn(encoded):
    vocabulary, sequences = encoded
    counter = NgramCounts.learn(sequences, np.ones(5), len(vocabulary) + 2, (1, 3))
    counts = counter.count(sequences).toarray()
    reference = CountVectorizer(ngram_range=(1, 3), token_pattern=r"\S+").fit(TEXTS)
    columns = reference.transform(TEXTS).toarray().T
    names = reference.get_feature_names_out()
    several = np.array([" " in name for name in names])
    known = columns[(~several) | ((columns > 0).sum(axis=1) >= ngrams.MIN_DF)]
    assert sorted(map(tuple, counts.T)) == sorted(map(tuple, known))


def test_unknown_tokens_and_ngrams_do_not_count(encoded):
    vocabulary, sequences = encoded
    counter = NgramCounts.learn(sequences, np.ones(5), len(vocabulary) + 2, (1, 2))
    new = encode(["x y", "a x b", "d d"], str.split, vocabulary)
    assert counter.count(new).toarray().sum(axis=1).tolist() == [0, 2, 2]
    weighted = NgramCounts.learn(sequences, np.full(5, 2), 6, (2, 2))
    assert len(weighted.keys[2]) > len(counter.keys[2])


def test_weights_equal_tfidf_and_repetition(encoded):
    vocabulary, sequences = encoded
    counter = NgramCounts.learn(sequences, np.ones(5), len(vocabulary) + 2, (1, 1))
    counts = counter.count(sequences)
    y, repeats = np.array([[1.0], [0], [1], [0], [1]]), np.array([1, 2, 1, 1, 1])
    model = NgramModel(exclusive=True).fit(counts, y, np.ones(5), np.ones(5))
    expected = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    np.testing.assert_allclose(model.weighted(counts).toarray(), expected.toarray())
    rows = [0, 1, 1, 2, 3, 4]
    repeated = NgramModel(exclusive=True).fit(
        counts[rows], y[rows], np.ones(6), np.ones(6)
    )
    weighted = NgramModel(exclusive=True).fit(counts, y, repeats, np.ones(5))
    np.testing.assert_allclose(
        weighted.logits(counts), repeated.logits(counts), atol=1e-2
    )


def test_a_class_without_texts_has_a_finite_logit(encoded):
    vocabulary, sequences = encoded
    counter = NgramCounts.learn(sequences, np.ones(5), len(vocabulary) + 2, (1, 1))
    counts = counter.count(sequences)
    y = np.eye(3)[[0, 1, 0, 1, 0]]
    logits = (
        NgramModel(exclusive=True).fit(counts, y, np.ones(5), np.ones(5)).logits(counts)
    )
    assert np.isfinite(logits).all() and (logits[:, 2] < 0).all()


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_log_loss_and_probabilities_equal_scikit_learn(n_outputs):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20, n_outputs))
    y = rng.integers(0, max(n_outputs, 2), 20)
    targets = np.eye(3)[y] if n_outputs == 3 else y[:, None].astype(float)
    weights = rng.uniform(size=20)
    proba = probabilities.probabilities(logits, True)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(
        probabilities.log_loss(logits, targets, weights, True),
        log_loss(y, proba, sample_weight=weights),
    )


@pytest.mark.parametrize(
    "share, added", [(0.5, 1), (0.25, 1), (0.75, 1), (0.1, 0.4), (0.9, 1.6)]
)
def test_a_rare_class_gets_less_of_the_documents_added_to_ratios(share, added):
    inside, outside = np.array([0.0, 3.0]), np.array([2.0, 0.0])
    found = log_count_ratio(inside, outside, share)
    odds = (inside + added) / share / ((outside + 2 - added) / (1 - share))
    np.testing.assert_allclose(found, np.log(odds))
