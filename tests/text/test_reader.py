"""Texts from iterators and files train as those of a list."""

import joblib
import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMTextClassifier
from sklstm._text import (
    dataset,
    deduplication,
    ngram_fit,
    ngrams,
    reader,
    sequences,
)
from sklstm._utils import disk_arrays

NOUNS = np.array(["film", "story", "actor", "music", "scene", "ending", "plot", "été"])


def made(n=90, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    texts = [
        " ".join([*rng.choice(NOUNS, rng.integers(0, 9)), ["bad", "good"][label]])
        for label in labels
    ]
    return texts, labels


def small(**parameters):
    defaults = {"units": 3, "embedding_dim": 4, "epochs": 1, "random_state": 0}
    return LSTMTextClassifier(**(defaults | parameters))


class Lines:
    """Texts that are read when asked for."""

    def __init__(self, texts):
        self.texts = texts

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, row):
        return self.texts[row]


@pytest.fixture
def small_blocks(monkeypatch):
    """Everything that is done by parts is done by many."""
    monkeypatch.setattr(disk_arrays.blocks, "__defaults__", (16,))
    monkeypatch.setattr(sequences, "AT_ONCE", 30)
    monkeypatch.setattr(sequences, "ROWS_AT_ONCE", 8)
    monkeypatch.setattr(deduplication, "ROWS_AT_ONCE", 8)
    monkeypatch.setattr(ngrams, "AT_ONCE", 30)
    monkeypatch.setattr(reader, "MOST_TEXTS", 7)
    monkeypatch.setattr(reader, "MOST_BYTES", 2**8)


def mapped(path, values):
    file = np.memmap(path, values.dtype, "w+", shape=values.shape)
    file[:] = values
    return file


def lines(path, texts):
    path.write_text("\n".join(texts), "utf-8")
    with path.open(encoding="utf-8") as file:
        yield from file


KINDS = {
    "texts": lambda texts, labels, path: (iter(texts), labels),
    "parts": lambda texts, labels, path: (iter([texts[:9], texts[9:]]), labels),
    "series": lambda texts, labels, path: (iter([pd.Series(texts)]), labels),
    "pairs": lambda texts, labels, path: (zip(texts, labels, strict=True), None),
    "pairs of parts": lambda texts, labels, path: (
        iter([(texts[:9], labels[:9]), ([], []), (texts[9:], list(labels[9:]))]),
        None,
    ),
    "lazy": lambda texts, labels, path: (Lines(texts), labels.tolist()),
    "lines of a file": lambda texts, labels, path: (lines(path, texts), labels),
    "mapped": lambda texts, labels, path: (mapped(path, np.array(texts)), labels),
    "mapped bytes": lambda texts, labels, path: (
        mapped(path, np.char.encode(texts, "utf-8")),
        labels,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_length", [None, 3])
def test_texts_in_parts_train_as_a_list(kind, max_length, tmp_path, request):
    texts, labels = made()
    clf = small(max_length=max_length).fit(texts, labels)
    expected, words = clf.predict_proba(texts), clf._state.words
    request.getfixturevalue("small_blocks")
    X, y = KINDS[kind](texts, labels, tmp_path / "texts")
    clf.fit(X, y)
    assert clf._state.words == words
    np.testing.assert_array_equal(clf.predict_proba(texts), expected)
    assert not any(disk_arrays.in_file(value) for value in vars(clf).values())
    X, _ = KINDS[kind](texts, labels, tmp_path / "texts")
    np.testing.assert_allclose(clf.predict_proba(X), expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["mapped", "parts", "zarr"])
def test_token_ids_in_parts_train_as_an_array(kind, tmp_path, request):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 30, (90, 5)).astype(np.int32)
    labels = (ids == 3).any(axis=1)
    weights = rng.integers(1, 4, 90)
    clf = small(truncate="tail", max_length=3).fit(ids, labels, weights)
    expected = clf.predict_proba(ids)
    request.getfixturevalue("small_blocks")
    X = iter([ids[:40], ids[40:]])
    if kind == "mapped":
        X = mapped(tmp_path / "ids", ids)
    elif kind == "zarr":
        X = pytest.importorskip("zarr").array(ids, chunks=(20, 5))
    clf.fit(X, labels, weights)
    assert clf.n_features_in_ == 5
    np.testing.assert_array_equal(clf.predict_proba(ids), expected)


def test_several_classes_and_labels_in_parts():
    texts, labels = made()
    for y in (
        np.array(["a", "b", "c"])[labels + (np.arange(90) % 3 == 0)],
        np.column_stack([labels, ["film" in text for text in texts]]),
    ):
        expected = small().fit(texts, y).predict_proba(texts)
        clf = small().fit((texts[i : i + 7], y[i : i + 7]) for i in range(0, 90, 7))
        np.testing.assert_array_equal(clf.predict_proba(texts), expected)


def test_partial_fit_of_parts():
    texts, labels = made()
    one, two = small().partial_fit(texts, labels), small()
    two.partial_fit(zip(texts, labels, strict=True))
    np.testing.assert_array_equal(one.predict_proba(texts), two.predict_proba(texts))
    one.partial_fit(texts, labels)
    two.partial_fit(iter(texts), labels)
    np.testing.assert_array_equal(one.predict_proba(texts), two.predict_proba(texts))


def test_n_grams_are_learned_from_some_texts_of_a_long_file(monkeypatch):
    texts, labels = made(400)
    monkeypatch.setattr(ngram_fit, "MOST_TOKENS", 1000)
    whole = small().fit(texts, labels)
    some = small().fit(iter(texts), labels)
    assert some.vocabulary_ == whole.vocabulary_
    n_keys = [len(clf._state.ngrams.counter.keys[3]) for clf in (some, whole)]
    assert 10 < n_keys[0] < n_keys[1]
    assert some.score(texts, labels) > 0.95
    again = small().fit(Lines(texts), labels)
    np.testing.assert_array_equal(
        again.decision_function(texts), some.decision_function(texts)
    )
    without = small(validation_fraction=0).fit(iter(texts), labels)
    assert without.score(texts, labels) > 0.95


def test_many_texts_are_split_alike(monkeypatch):
    monkeypatch.setattr(dataset, "MANY", 50)
    targets = np.arange(100)[:, None] % 5 == 0
    train, validation = dataset.split_stratified(targets, np.arange(100), 0.2, 0)
    assert sorted([*train, *validation]) == list(range(100))
    assert targets[validation].sum() == 4 and len(validation) == 20


@pytest.mark.parametrize("many", [2**18, 50])
@pytest.mark.parametrize("fraction", [0.1, 0.9])
def test_training_has_a_text_of_each_class_and_side_of_each_label(
    many, fraction, monkeypatch
):
    monkeypatch.setattr(dataset, "MANY", many)
    rows, single = np.arange(100), np.zeros((100, 3), bool)
    single[rows, np.where(rows < 2, rows, 2)] = True  # two classes of one text each
    labels = np.eye(100, 2, dtype=bool) ^ np.array([False, True])
    for seed in range(20):
        for targets in (single, labels, np.tile(single[:, :1], 1)):
            train, validation = dataset.split_stratified(targets, rows, fraction, seed)
            assert sorted([*train, *validation]) == rows.tolist()
            assert len(validation) >= 98 * fraction - 2
            assert targets[train].any(axis=0).all()
            assert not targets[train].all(axis=0).any()


def test_arrays_that_joblib_maps_are_taken_as_they_were():
    ids = np.ones((9, 3), int)
    told = joblib.Parallel(n_jobs=2, max_nbytes=1)(
        joblib.delayed(kind_of_array)(ids) for _ in range(2)
    )
    assert told == [(True, False)] * 2


def kind_of_array(X):
    return disk_arrays.in_file(X), reader.is_mapped(X)


def endless():
    while True:
        yield "a text"


@pytest.mark.parametrize(
    "X, y, error, message",
    [
        (["a"], None, ValueError, "requires y to be passed"),
        (iter(["a", "b"]), None, ValueError, "without labels, and y is None"),
        (iter([("a", 1), "b"]), None, ValueError, "without labels, and y is None"),
        (iter([("a", 1)]), [1], ValueError, "y came beside it. Pass y=None"),
        (iter([("a", 1, 2.0)]), None, ValueError, "a tuple of 3 entries"),
        (iter([]), [], ValueError, "gave no text"),
        (iter(["a", "b"]), [0, 1, 1], ValueError, "inconsistent numbers"),
        (Lines(["a", "b"]), [0], ValueError, "inconsistent numbers"),
        (endless(), [0, 1], ValueError, "more texts than the 2 labels"),
        (iter(["a", "b", None]), [0, 1, 1], TypeError, "position 2 is None"),
        (iter([["a"], ["b", b"c"]]), [0, 1, 1], TypeError, "position 2 is b'c'"),
        (iter([["a"], [[1, 2]]]), [0, 1], ValueError, "ids, first at position 1"),
        (iter([(["a"], [1]), (["b"], ["+"])]), None, TypeError, "text and others as"),
        (np.array([b"\xff", b"a"]), [0, 1], ValueError, "position 0 is not.*latin-1"),
    ],
)
def test_what_does_not_fit_is_told(X, y, error, message):
    clf = small()
    with pytest.raises(error, match=message):
        clf.fit(X, y)
    assert vars(clf) == vars(small())


def split_or_fail(text):
    return None if text == "bad!" else text.split()


@pytest.mark.usefixtures("small_blocks")
def test_an_error_of_the_tokenizer_names_the_position_among_all_texts():
    (texts, labels), message = made(), "failed on the text at position 50"
    clf, broken = small(tokenizer=split_or_fail), [*texts[:50], "bad!", *texts[51:]]
    with pytest.raises(TypeError, match=message):
        clf.fit(iter(broken), labels)
    with pytest.raises(TypeError, match=message):
        clf.fit(texts, labels).predict(iter(broken))


def test_an_iterator_that_is_used_up_cannot_be_predicted():
    texts, labels = made()
    clf = small(epochs=0).fit(texts, labels)
    with pytest.raises(ValueError, match="gives them only once"):
        clf.predict(iter([]))
