"""Weights and repeated texts: cases F1, F4, F5 and F6."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._text.dataset import Documents, TextTrainingData
from sklstm._text.sequences import Sequences
from sklstm._utils.row_weights import rows_and_weights

TEXTS = ["a good film", "very good", "a bad film", "very bad", "so good", "bad plot"]
LABELS = np.array([1, 1, 0, 0, 1, 0])


def linear(**parameters):
    """The n-gram model alone."""
    quick = {"units": 1, "embedding_dim": 1, "epochs": 0, "random_state": 0}
    return LSTMTextClassifier(**(quick | {"validation_fraction": 0} | parameters))


@pytest.mark.parametrize(
    "weights, n_repeats",
    [
        ([1, 1, 1], [1, 1, 1]),
        ([0.1, 0.1, 0.1], [1, 1, 1]),
        ([250, 250, 250], [1, 1, 1]),
        ([1, 2, 3], [1, 2, 3]),
        ([0.1, 0.2, 0.3], [1, 2, 3]),
        ([4, 6, 0], [2, 3, 0]),
        ([7e-9, 21e-9, 0], [1, 3, 0]),
        ([0.51, 0.77, 1], [1, 1, 1]),
        ([1, 1000, 1], [1, 1, 1]),
    ],
)
def test_f1_whole_weights_are_repeats_whatever_their_unit(weights, n_repeats):
    found, relative = rows_and_weights(np.array(weights, float))
    assert found.tolist() == n_repeats
    total = found * relative
    np.testing.assert_allclose(total / total.sum(), np.array(weights) / sum(weights))
    assert total.sum() == pytest.approx(sum(n_repeats))


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ("w", "is of type str, but a number for each row"),
        ({0: 1}, "is of type dict, but a number for each row"),
        (["a"] * 6, "must hold a number for each row, but holds others: .* 'a'"),
        ([[1], [2, 3]] * 3, "must hold a number for each row"),
        (object(), "must hold a number for each row"),
    ],
)
def test_weights_that_are_no_numbers_are_told(weights, match):
    series = np.sin(np.arange(30.0))
    forecaster = LSTMForecaster(epochs=0, window_length=3, pretrained=False)
    with pytest.raises(ValueError, match=f"sample_weight {match}"):
        linear().fit(TEXTS, LABELS, weights)
    with pytest.raises(ValueError, match=f"sample_weight {match}"):
        forecaster.fit(series[:6], sample_weight=weights)


def repeated(n_repeats):
    ids = Sequences(np.arange(2, 2 + len(n_repeats)), np.arange(len(n_repeats) + 1))
    targets = np.arange(len(n_repeats))[:, None] % 2 == 0
    weights = np.ones(len(n_repeats))
    return TextTrainingData({}, ids, targets, np.array(n_repeats), weights, True)


def test_f1_an_epoch_takes_as_many_steps_as_there_are_texts():
    data = repeated([250, 250, 3, 1])
    documents = Documents(
        data.sequences, np.zeros((4, 0)), data.targets, data.n_repeats, data.weights
    )
    rng = np.random.RandomState(0)
    batches = list(documents.batches(np.arange(4), 32, rng))
    assert len(batches) == 16
    assert np.bincount(np.concatenate(batches)).tolist() == [250, 250, 3, 1]
    assert len(list(documents.batches(np.arange(4), 32))) == 1


def test_f1_repeats_of_a_text_go_to_training_and_validation():
    data, train, validation = repeated([60, 30, 10]).split(0.1, 0)
    assert data.n_repeats[train].sum() == 90 and data.n_repeats[validation].sum() == 10
    assert sorted([*train, *validation]) == list(range(len(data.n_repeats)))
    for label in (True, False):
        has = data.targets[:, 0] == label
        share = data.n_repeats[validation][has[validation]].sum() / 10
        assert share == {True: 0.7, False: 0.3}[label]


def test_f1_a_word_that_says_nothing_does_not_decide_what_is_learned():
    rng = np.random.default_rng(0)
    phrases = [f"a{i} b{i % 5} c{i % 7}" for i in range(24)]
    kinds, classes = rng.integers(0, 24, 1200), rng.permutation(np.arange(24) % 2)
    texts, labels = [phrases[kind] for kind in kinds], classes[kinds]
    clf = LSTMTextClassifier(
        linear_skip=False, units=8, embedding_dim=8, epochs=9, learning_rate=0.01
    )
    clf.set_params(random_state=0).fit(texts, labels)
    assert clf.score(texts, labels) == 1 and clf.history_["loss"][0] < 0.75


def test_f1_f5_whole_weights_equal_repeated_texts():
    weights = np.array([3, 1, 0, 2, 1, 1])
    texts, labels = np.array(TEXTS * 2, object), np.tile(LABELS, 2)
    rows = np.repeat(np.arange(12), np.tile(weights, 2))
    for clf in (linear(), linear(epochs=2, units=2, validation_fraction=0.2)):
        weighted = clf.fit(texts, labels, np.tile(weights, 2)).decision_function(texts)
        clf.fit(texts[rows], labels[rows])
        np.testing.assert_array_equal(clf.decision_function(texts), weighted)


@pytest.mark.parametrize("factor", [0.999, 0.1, 1e-9, 3, 1 / 7])
def test_f5_a_factor_on_weights_changes_nothing(factor):
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.zipf(1.5, 9) % 60) for _ in range(80)]
    labels, odd = np.arange(80) % 2, rng.uniform(0.5, 1, 80)
    for weights in (np.ones(80), odd, rng.integers(1, 4, 80)):
        one = linear(min_df=2).fit(texts, labels, weights)
        other = linear(min_df=2).fit(texts, labels, factor * weights)
        assert one.vocabulary_ == other.vocabulary_
        np.testing.assert_allclose(
            other.decision_function(texts), one.decision_function(texts), rtol=1e-6
        )
    counts = linear().fit(texts, labels, odd)
    assert counts.vocabulary_ == linear().fit(texts, labels).vocabulary_


@pytest.mark.parametrize("weights", [{0: 1, 1: 5}, "balanced"])
def test_f4_class_weights_leave_words_and_documents_as_they_are(weights):
    texts, labels = TEXTS * 5, np.array([1, 0, 0, 0, 0, 0] * 5)
    plain = linear().fit(texts, labels)
    weighted = linear(class_weight=weights).fit(texts, labels)
    assert weighted.vocabulary_ == plain.vocabulary_
    for name in ("keys", "n_tokens"):
        one, other = (vars(c._state.ngrams.counter)[name] for c in (plain, weighted))
        assert repr(one) == repr(other)
    idf = (clf._state.ngrams.model.idf for clf in (plain, weighted))
    np.testing.assert_array_equal(*idf)
    assert (weighted.decision_function(texts) > plain.decision_function(texts)).all()
    if weights != "balanced":
        ten = {name: 10 * weight for name, weight in weights.items()}
        scaled = linear(class_weight=ten).fit(texts, labels)
        np.testing.assert_allclose(
            scaled.decision_function(texts), weighted.decision_function(texts)
        )


def several_labels(n, seed, n_labels=12):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, n_labels)) < 0.1).astype(int)
    texts = [
        [
            *(f"n{i}" for i in rng.integers(300, size=8)),
            *(f"cue{k}x{rng.integers(4)}" for k in np.flatnonzero(row)),
        ]
        for row in Y
    ]
    return [" ".join(words) for words in texts], Y


def test_f6_each_label_has_weights_of_its_own():
    (texts, Y), (others, Z) = several_labels(700, 0), several_labels(300, 1)
    scores = {}
    for weight in (None, "balanced", {0: 1, 1: 9}, [{0: 1, 1: 9}] * 12):
        clf = linear(class_weight=weight, ngram_range=(1, 1)).fit(texts, Y)
        scores[str(weight)] = clf.predict(others)
    for name, predicted in scores.items():
        assert f1_score(Z, predicted, average="macro") > 0.95, name
    np.testing.assert_array_equal(
        scores[str({0: 1, 1: 9})], scores[str([{0: 1, 1: 9}] * 12)]
    )
    with pytest.raises(ValueError, match="has 2 entries, but y has 12 labels"):
        linear(class_weight=[{0: 1, 1: 2}] * 2).fit(texts, Y)
    with pytest.raises(ValueError, match="holds 3, but each label .* Write {1: 3} to"):
        linear(class_weight=[3] * 12).fit(texts, Y)
    with pytest.raises(ValueError, match="is a list, but each text has one class"):
        linear(class_weight=[{0: 1, 1: 2}] * 2).fit(texts, Y[:, 0])
    with pytest.raises(ValueError, match="is zero for every text at label 0"):
        linear(class_weight={0: 0, 1: 0}).fit(texts, Y)
    with pytest.raises(ValueError, match="has the key 'x', but the classes are"):
        linear(class_weight={"x": 2}).fit(texts, Y[:, 0])
    # Weights by label, as if labels were classes.
    with pytest.raises(
        ValueError, match=r"has the key 2, but the classes are \[0, 1\]"
    ):
        linear(class_weight=dict(enumerate(range(12)))).fit(texts, Y)


@pytest.mark.parametrize("side", [0, 1])
def test_f6_a_side_may_have_no_weight(side, capfd):
    texts, Y = several_labels(60, 0, 2)
    clf = linear(class_weight=[{side: 0, 1 - side: 1}, None]).fit(texts, Y)
    assert (clf.predict(texts)[:, 0] == 1 - side).all()
    three = np.array(["a", "b", "c"])[Y.sum(axis=1)]
    clf = linear(class_weight={"a": 1, "b": 1, "c": 0}).fit(texts, three)
    assert set(clf.predict(texts)) <= {"a", "b"}
    assert not capfd.readouterr().out  # of liblinear


def test_f6_a_label_without_weight_is_told():
    texts, Y = several_labels(60, 0, 2)
    match = r"at label 1, which 0 texts have and 60 lack. Give weight"
    with pytest.raises(ValueError, match=match):
        linear(class_weight={0: 0, 1: 1}).fit(texts, Y * [1, 0])


def test_f6_a_label_without_weights_in_a_list_has_one():
    texts, Y = several_labels(60, 0, 2)
    one, other = (
        linear(class_weight=[first, {0: 1, 1: 3}])
        .fit(texts, Y)
        .decision_function(texts)
        for first in (None, {0: 1, 1: 1})
    )
    np.testing.assert_array_equal(one, other)


def test_f4_weights_of_classes_that_are_days():
    days = np.array(["2020-01-01", "2020-01-02"], "M8[D]")
    texts, labels = TEXTS * 5, np.tile(LABELS, 5)
    expected = linear(class_weight={1: 3}).fit(texts, labels).decision_function(texts)
    for key in (days[1], days[1].item()):
        clf = linear(class_weight={key: 3}).fit(texts, days[labels])
        np.testing.assert_array_equal(clf.decision_function(texts), expected)


@pytest.mark.parametrize("value", [-1, np.nan, None, "much", [1, 2]])
def test_f4_weights_that_are_no_numbers_are_told(value):
    with pytest.raises(ValueError, match="is negative or no finite number"):
        linear(class_weight={1: value}).fit(TEXTS, LABELS)


def test_f6_the_network_has_the_weights_of_each_label():
    from keras import ops

    from sklstm._training.losses import WeightedLabels, binary_loss

    y = np.array([[1.0, 0], [0, 1]], np.float32)
    logits = np.array([[0.3, -2], [1, 0.5]], np.float32)
    plain = ops.convert_to_numpy(WeightedLabels((1, 1), (1, 1))(y, logits))
    expected = ops.convert_to_numpy(binary_loss(y, logits))
    np.testing.assert_allclose(plain, expected, rtol=1e-5)
    found = ops.convert_to_numpy(WeightedLabels((0, 2), (3, 0))(y, logits))
    np.testing.assert_allclose(
        found,
        [(3 * np.log1p(np.exp(-0.3)) + 2 * np.log1p(np.exp(-2))) / 2, 0],
        rtol=1e-5,
    )
    texts, Y = several_labels(60, 0, 2)
    clf = linear(class_weight="balanced", epochs=1, linear_skip=False)
    assert np.isfinite(clf.fit(texts, Y).history_["loss"][0])
