import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.metrics import log_loss

from sklstm._text import ngrams, probabilities
from sklstm._text.ngrams import (
    NgramCounts,
    NgramModel,
    effective_weights,
    log_count_ratio,
)
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


def test_ratios_compare_shares_of_all_ngrams():
    # Texts of the class are three times as long.
    inside, outside = np.array([60.0, 30, 0, 0]), np.array([20.0, 0, 10, 0])
    found = log_count_ratio(inside, outside)
    np.testing.assert_allclose(found[[0, 3]], 0, atol=0.05)
    assert found[1] > 2 and found[2] < -2
    np.testing.assert_allclose(log_count_ratio(outside, inside), -found)


def test_an_ngram_of_one_text_says_little_of_a_rare_class():
    inside, outside = np.array([1.0, 0, 5]), np.array([0.0, 300, 700])
    rare, common, both = log_count_ratio(inside, outside)
    assert 0 < rare < 5 and common < 0 and abs(both) < 1
    assert np.isfinite(log_count_ratio(0 * inside, outside)).all()


def test_weights_add_up_to_the_effective_number_of_documents():
    n_repeats, weights = np.array([1, 2, 1, 1]), np.array([2.0, 1, 1, 0])
    found = effective_weights(n_repeats, weights)
    assert found.sum() == pytest.approx(5**2 / 7)
    np.testing.assert_allclose(found, effective_weights(n_repeats, 9 * weights))
    np.testing.assert_array_equal(found[:3], effective_weights([1, 2, 1], weights[:3]))
    np.testing.assert_array_equal(effective_weights(n_repeats, np.ones(4)), n_repeats)
