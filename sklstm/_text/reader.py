"""Read what `LSTMTextClassifier` takes for X: texts or token ids, whole or in parts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from sklstm._series.alignment import check_same_labels
from sklstm._series.validation import (
    as_numbers,
    check_columns,
    check_numbers,
    n_dims,
)
from sklstm._text import tokenizer, vocabulary
from sklstm._text.labels import (
    check_one_for_each,
    check_same_number,
    dense_labels,
)
from sklstm._text.sequences import Sequences, in_files
from sklstm._utils.disk_arrays import blocks, in_file, unloaded
from sklstm._utils.warn import warn_user

# A part that is read at once ends at this many texts, bytes of an array or characters.
MOST_TEXTS, MOST_BYTES, MOST_CHARACTERS = 2**10, 2**20, 2**20
WITH_LABELS = (
    "X gives texts without labels, and y is None. Pass the labels as y, or let X give "
    "pairs (texts, labels) alone."
)
LABELS_TWICE = (
    "X gives pairs of texts and labels, but y came beside it. Pass y=None, or let X "
    "give texts alone."
)
WITHOUT_LABELS = (
    "LSTMTextClassifier requires y to be passed, but the target y is None. Pass the "
    "class of each text, or as X an iterator of pairs (texts, labels)."
)

NO_TEXT = "X gave no text. Pass at least one; an iterator gives them only once."


@dataclass(frozen=True)
class TrainingTexts:
    """Texts as positions in a list of their tokens, and the labels beside them."""

    tokens: list
    sequences: Sequences
    y: Any


def read_training(estimator, X, y, *, reset: bool) -> TrainingTexts:
    """Read X and y, and note on the estimator which columns token ids have.

    Parameters
    ----------
    reset : bool
        Whether this is the first fit; otherwise X must be of the kind that the first
        fit got.
    """
    check_same_labels(X, y)
    check_one_for_each(y)
    X, y = unloaded(X), dense_labels(y)
    if not isinstance(X, Iterator):
        tokenizer.check_collection(X)
        if y is None:
            raise ValueError(WITHOUT_LABELS)
    if comes_in_parts(X):
        return PartReader(estimator, y, reset).read(X)
    if tokenizer.is_text(X):
        texts = read_strings(estimator, X, reset=reset)
        check_same_number(texts, y)
        if not texts:
            raise ValueError("X is empty. Pass at least one text.")
        tokenize = tokenizer.tokenizer_of(estimator)
        tokens, sequences = vocabulary.count_tokens(texts, tokenize)
        return TrainingTexts(tokens, sequences, y)
    ids = read_ids(estimator, X, reset=reset, y=y, multi_output=True)
    warn_of_odd_ids(ids)
    tokens, sequences = vocabulary.count_ids(ids)
    return TrainingTexts(tokens, sequences, y)


def read_texts(estimator, words: dict, X) -> Iterator[Sequences]:
    """Yield X as ids of learned words, part by part."""
    X, n_read = unloaded(X), 0
    if not isinstance(X, Iterator):
        tokenizer.check_collection(X)
    parts = (part for part, _ in parts_of(X)) if comes_in_parts(X) else [X]
    takes_ids = hasattr(estimator, "n_features_in_")
    for part in parts:
        if not takes_ids and is_empty(part):
            part = []
        if tokenizer.is_text(part) or (not takes_ids and looks_like_texts(part)):
            texts = read_strings(estimator, part, reset=False, first=n_read)
            tokenize = tokenizer.tokenizer_of(estimator)
            sequences = vocabulary.encode(texts, tokenize, words, n_read)
        else:
            ids = read_ids(estimator, part, reset=False)
            sequences = vocabulary.encode_ids(ids, words)
        yield sequences
        n_read += len(sequences)


def is_empty(X):
    return hasattr(X, "__len__") and not tokenizer.is_word(X) and not len(X)


def looks_like_texts(X):
    """Tell whether X, which holds no str, has at least the form of texts."""
    if isinstance(X, (list, tuple)):
        return not any(hasattr(row, "__len__") for row in X)
    return n_dims(X) == 1


@dataclass
class PartReader:
    """Read texts that come in parts; the positions of their tokens lie in a file."""

    estimator: Any
    y: Any
    reset: bool
    numbers: vocabulary.TokenNumbers = field(default_factory=vocabulary.TokenNumbers)
    labels: list = field(default_factory=list)
    n_read: int = 0
    holds_texts: bool | None = None
    warned: bool = False

    def read(self, X) -> TrainingTexts:
        if hasattr(X, "__len__"):
            check_same_number(X, self.y)
        sequences = in_files(self.sequences(X))
        if not len(sequences):
            raise ValueError(NO_TEXT)
        y = concatenate_labels(self.labels) if self.y is None else self.y
        check_same_number(sequences, y)
        return TrainingTexts(self.numbers.tokens, sequences, y)

    def sequences(self, X):
        for part, labels in parts_of(X):
            self.keep_labels(part, labels)
            self.check_kind(part)
            sequences = self.encode(part)
            yield sequences
            self.n_read += len(sequences)
            if self.y is not None and self.n_read > len(self.y):
                raise ValueError(
                    f"X gives more texts than the {len(self.y)} labels of y. Pass a "
                    "label for each."
                )

    def keep_labels(self, part, labels):
        if (labels is None) == (self.y is None):
            raise ValueError(WITH_LABELS if self.y is None else LABELS_TWICE)
        if labels is not None:
            check_same_number(part, labels)
            self.labels.append(np.asarray(dense_labels(labels)))

    def check_kind(self, part):
        is_text = tokenizer.is_text(part)
        if self.holds_texts not in (None, is_text):
            raise ValueError(
                f"X gives texts and token ids, first at position {self.n_read}. Let it "
                "give one of them."
            )
        self.holds_texts = is_text

    def encode(self, part):
        # The first part sets the number of columns, and later ones must have it.
        reset = self.reset and not self.n_read
        if self.holds_texts:
            texts = read_strings(self.estimator, part, reset=reset, first=self.n_read)
            tokenize = tokenizer.tokenizer_of(self.estimator)
            return self.numbers.of_texts(texts, tokenize, self.n_read)
        ids = read_ids(self.estimator, part, reset=reset)
        self.warned = self.warned or warn_of_odd_ids(ids, self.n_read)
        return self.numbers.of_ids(ids)


def read_strings(estimator, X, *, reset, first=0):
    """Return texts as a list of str."""
    texts = tokenizer.check_texts(X, first=first)
    if not reset and hasattr(estimator, "n_features_in_"):
        raise ValueError(other_kind("texts", "token ids"))
    return texts


def read_ids(estimator, X, *, reset, **checks):
    """Return token ids as an array of two axes."""
    tokenizer.check_ids_form(X)
    if not reset and not hasattr(estimator, "n_features_in_"):
        raise ValueError(other_kind("token ids", "texts"))
    check_columns(X)
    check_numbers(X)
    try:
        checked = validate_data(estimator, X, reset=reset, **checks)
    except ValueError:
        check_no_id_missing(X)
        raise
    return checked[0] if "y" in checks else checked


def check_no_id_missing(X):
    """Raise if a token id is missing, as in frames made of lists of unequal length."""
    missing = np.argwhere(np.isnan(as_numbers(X)))
    if len(missing) and missing.shape[1] == 2:
        row, column = missing[0]
        way = "X.fillna(0)" if isinstance(X, pd.DataFrame) else "np.nan_to_num(X)"
        raise ValueError(
            f"X holds NaN at row {row}, column {column}, where a token id is needed. "
            f"Pad rows with 0, for example by {way}."
        )


def other_kind(got, fitted):
    return (
        f"X holds {got}, but LSTMTextClassifier was fitted on {fitted}. Pass "
        f"{fitted}, or fit anew."
    )


def comes_in_parts(X):
    """Return whether X is an iterator, lies in a file, or gives texts when asked."""
    return isinstance(X, Iterator) or is_mapped(X) or is_lazy(X)


def is_mapped(X):
    """Return whether X is an array in a file, but in none of joblib's.

    joblib maps large arrays for its workers, where a fit must not differ.
    """
    if not isinstance(X, np.ndarray) or not in_file(X):
        return False
    return "joblib_memmapping_folder" not in str(getattr(X, "filename", ""))


def is_lazy(X):
    """Return whether X gives a text for each position, but is no usual container."""
    usual = list, tuple, str, bytes, np.ndarray, pd.Series, pd.DataFrame
    if isinstance(X, usual) or hasattr(X, "__array__") or issparse(X):
        return False
    try:
        return len(X) > 0 and tokenizer.is_word(X[0])
    except (TypeError, LookupError):
        return False


def parts_of(X):
    """Yield parts of X, each with its labels, or with None where X has none."""
    if isinstance(X, np.ndarray):
        width = max(X[:1].nbytes, MOST_BYTES // 2**16)
        for rows in blocks(len(X), max(MOST_BYTES // width, 1)):
            yield X[rows], None
    else:
        yield from grouped(X)


def grouped(items):
    """Group single texts into parts; parts that come as such stay as they are."""
    texts, labels, size = [], [], 0
    for item in items:
        text, label = unpack_pair(item)
        is_part = hasattr(text, "__len__") and not tokenizer.is_word(text)
        if not is_part:
            texts.append(text)
            labels.append(label)
            size += len(text) if tokenizer.is_word(text) else 0
        # Waiting texts go before a part, so that the order stays.
        if texts and (is_part or len(texts) >= MOST_TEXTS or size >= MOST_CHARACTERS):
            yield texts, all_or_none(labels)
            texts, labels, size = [], [], 0
        if is_part and len(text):
            yield text, label
    if texts:
        yield texts, all_or_none(labels)


def unpack_pair(item):
    """Return (text, label) of a pair, and (text, None) of a text alone."""
    if not isinstance(item, tuple):
        return item, None
    if len(item) != 2:
        raise ValueError(
            f"X gives a tuple of {len(item)} entries, but pairs (texts, labels) "
            "are needed, or texts alone. Pass weights as sample_weight."
        )
    return item


def all_or_none(labels):
    """Return the labels of single texts, or None where no text has one."""
    n_labels = sum(label is not None for label in labels)
    if 0 < n_labels < len(labels):
        raise ValueError(WITH_LABELS)
    return labels if n_labels else None


def concatenate_labels(labels):
    """Return the labels of all parts as one array."""
    if len({part.dtype.kind in "OUST" for part in labels}) > 1:
        raise TypeError(
            "X gives some labels as text and others as numbers. Let all be of one type."
        )
    return np.concatenate(labels)


def warn_of_odd_ids(X, first=0):
    """Warn that each distinct value is a token where X looks like measurements."""
    odd = (X < 0) | (np.floor(X) != X)
    if odd.any():
        row, column = np.argwhere(odd)[0]
        warn_user(
            "X is taken for token ids, each distinct value a token of its own, but "
            f"row {first + row}, column {column} holds {X[row, column]}, which is no "
            "whole number from 0. Pass texts or the ids of a tokenizer.",
            UserWarning,
        )
    return odd.any()
