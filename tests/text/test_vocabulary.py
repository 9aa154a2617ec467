import tracemalloc

import numpy as np
import pandas as pd
import pytest

from sklstm._text import deduplication
from sklstm._text.sequences import UNKNOWN, Sequences, in_files
from sklstm._text.tokenizer import check_texts, is_text, make_tokenizer
from sklstm._text.vocabulary import (
    build_vocabulary,
    count_ids,
    count_tokens,
    distinct,
    encode,
    encode_ids,
)
from sklstm._utils import disk_arrays


def tokenizer(**options):
    defaults = {
        "analyzer": "word",
        "lowercase": True,
        "strip_accents": None,
        "token_pattern": None,
        "tokenizer": None,
    }
    return make_tokenizer(**(defaults | options))


@pytest.fixture
def documents():
    lengths = np.array([3, 0, 6, 1])
    return Sequences(np.arange(10, 20), np.concatenate([[0], np.cumsum(lengths)]))


def test_tokenizers():
    text = "Ça n'est PAS bon!"
    assert tokenizer()(text) == ["ça", "n'est", "pas", "bon", "!"]
    assert tokenizer(lowercase=False)(text)[2] == "PAS"
    assert tokenizer(strip_accents="unicode")(text)[0] == "ca"
    assert tokenizer(strip_accents="ascii")(text)[0] == "ca"
    assert tokenizer(strip_accents=lambda t: t.replace("ç", "s"))(text)[0] == "sa"
    assert tokenizer(token_pattern=r"\w+")(text) == ["ça", "n", "est", "pas", "bon"]
    assert tokenizer(tokenizer=str.split)(text)[-1] == "bon!"
    assert tokenizer(analyzer="char")("房间 很 好") == list("房间很好")


def test_sequences_are_taken_and_padded(documents):
    taken = documents.take(np.array([2, 1, 0]))
    assert taken.lengths.tolist() == [6, 0, 3]
    assert taken.padded(7).tolist() == [
        [13, 14, 15, 16, 17, 18, 0],
        [0] * 7,
        [10, 11, 12, 0, 0, 0, 0],
    ]
    assert documents.take(np.array([], int)).padded(2).shape == (0, 2)


@pytest.mark.parametrize(
    "keep, expected",
    [
        ("head", [[10, 11, 12], [0, 0, 0], [13, 14, 15], [19, 0, 0]]),
        ("tail", [[10, 11, 12], [0, 0, 0], [16, 17, 18], [19, 0, 0]]),
        ("both", [[10, 11, 12], [0, 0, 0], [13, 14, 18], [19, 0, 0]]),
    ],
)
def test_truncation_keeps_what_it_says(documents, keep, expected):
    assert documents.truncated(3, keep).padded(3).tolist() == expected
    assert documents.truncated(6, keep) is documents
    assert documents.truncated(None, keep) is documents


def test_vocabulary_is_ranked_by_frequency_then_by_token():
    texts = ["b a", "a c b", "b d", ""]
    tokens, sequences = count_tokens(texts, str.split)
    vocabulary, ids = build_vocabulary(tokens, sequences, np.ones(4))
    assert vocabulary == {"b": 2, "a": 3, "c": 4, "d": 5}
    again = encode(texts, str.split, vocabulary)
    np.testing.assert_array_equal(again.ids, ids.ids)
    np.testing.assert_array_equal(again.offsets, ids.offsets)
    assert encode(["x"], str.split, vocabulary).ids.tolist() == [UNKNOWN]
    assert list(build_vocabulary(tokens, sequences, np.ones(4), 2)[0]) == ["b", "a"]
    assert list(build_vocabulary(tokens, sequences, np.ones(4), 0.5)[0]) == ["b", "a"]
    few, ids = build_vocabulary(tokens, sequences, np.ones(4), 1, 1)
    assert few == {"b": 2} and set(ids.ids.tolist()) == {1, 2}
    weighted = build_vocabulary(tokens, sequences, np.array([1, 9, 1, 1.0]))[0]
    assert list(weighted) == ["b", "a", "c", "d"]


def test_ids_are_tokens_and_zero_is_padding_on_either_side():
    left, right = np.array([[0, 0, 7, 9]]), np.array([[7, 9, 0, 0]])
    for X in (left, right):
        tokens, sequences = count_ids(X)
        assert tokens == [7, 9] and sequences.ids.tolist() == [0, 1]
    assert encode_ids(left, {9: 2}).ids.tolist() == [UNKNOWN, 2]
    assert len(encode_ids(np.zeros((3, 2)), {9: 2})) == 3


@pytest.mark.parametrize(
    "values",
    [[3, 1, 3], [], [0, 70_000_000], [-1, 2, -1], [0.5, 1.0, 0.5]],
    ids=["small", "none", "large", "negative", "float"],
)
def test_distinct_values_are_those_of_unique(values):
    ours = distinct(np.array(values))
    for part, expected in zip(
        ours, np.unique(values, return_inverse=True), strict=True
    ):
        np.testing.assert_array_equal(part, expected)


def test_repeated_documents_merge_whatever_their_order():
    ids = Sequences(np.array([5, 6, 5, 6, 7, 5, 6]), np.array([0, 2, 4, 5, 7]))
    y = np.array([[0.0], [0.0], [1.0], [1.0]])
    repeats, weights = np.array([1, 2, 1, 1]), np.array([1.0, 2.5, 0.5, 1])
    rows, repeats, weights = deduplication.merge_repeated(ids, y, repeats, weights)
    assert rows.tolist() == [0, 3, 2] and repeats.tolist() == [3, 1, 1]
    assert weights.tolist() == [2, 1, 0.5]
    ones = np.ones(4, int)
    order = np.array([3, 1, 2, 0])
    other, *_ = deduplication.merge_repeated(ids.take(order), y[order], ones, ones)
    np.testing.assert_array_equal(
        ids.take(order).take(other).padded(2), ids.take(rows).padded(2)
    )
    dropped, *_ = deduplication.merge_repeated(ids, y, np.array([1, 0, 0, 1]), ones)
    assert dropped.tolist() == [0, 3]


def test_merging_documents_of_a_file_holds_little_of_each(monkeypatch):
    monkeypatch.setattr(deduplication, "ROWS_AT_ONCE", 2**10)
    monkeypatch.setattr(disk_arrays.blocks, "__defaults__", (2**10,))
    n, rng = 2**14, np.random.default_rng(0)
    ids = rng.integers(2, 300, (n, 2)).astype(np.int32)
    whole = Sequences(ids.ravel(), np.arange(0, 2 * n + 1, 2))
    targets, repeats = rng.integers(0, 2, (n, 1)) > 0, rng.integers(1, 4, n)
    weights = rng.integers(1, 4, n) / 10
    tracemalloc.start()
    try:
        on_file = in_files(whole.parts())
        found = deduplication.merge_repeated(on_file, targets, repeats, weights)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 45 * n
    expected = deduplication.merge_repeated(whole, targets, repeats, weights)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "X, expected",
    [
        (["a"], True),
        (np.array(["a"]), True),
        (np.array(["a", None], object), True),
        (pd.Series(["a"]), True),
        (pd.Series(["a"], dtype="string"), True),
        (pd.DataFrame({"text": ["a"]}), True),
        (np.array([["a"], ["b"]], object), True),
        (pd.DataFrame({"a": ["a"], "b": ["b"]}), False),
        (np.array([[1, 2]]), False),
        (np.array([[1, 2]], object), False),
        ([[1, 2]], False),
        (pd.Series([1]), False),
    ],
)
def test_texts_are_told_from_ids(X, expected):
    assert is_text(X) == expected


@pytest.mark.parametrize(
    "wrong, hint",
    [
        (b"x", "Decode it"),
        (None, "Fill or drop"),
        (float("nan"), "Fill or drop"),
        (3, "Convert it with str"),
    ],
)
def test_wrong_entries_are_named(wrong, hint):
    with pytest.raises(TypeError, match=f"position 1 is .*{hint}"):
        check_texts(["a", wrong])


def test_wrong_containers():
    with pytest.raises(ValueError, match=r"one string.*Pass \[X\]"):
        check_texts("one string")
    with pytest.raises(ValueError, match="one text a row"):
        check_texts(np.array([["a", "b"]], object))
