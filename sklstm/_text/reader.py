"""What `LSTMTextClassifier` takes for X: texts or token ids, at once or in parts."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from sklstm._series.validation import check_columns, check_numbers, n_dims
from sklstm._text import tokenizer, vocabulary
from sklstm._text.sequences import in_files
from sklstm._utils.disk_arrays import blocks, in_file, unloaded

# Of a part that is read at once: texts, bytes in an array, characters.
MOST_TEXTS, MOST_BYTES, MOST_CHARACTERS = 2**10, 2**20, 2**20
WITH_LABELS = (
    "X gives texts without labels, and y is None. Pass the labels as y, or let X give "
    "pairs (texts, labels), each of them."
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


class TextForms:
    """How `LSTMTextClassifier` reads X and y."""

    def _read(self, X, y, reset):
        """Tokens in some order, X as `Sequences` of their places, and y."""
        X = unloaded(X)
        if y is None and not isinstance(X, Iterator):
            raise ValueError(WITHOUT_LABELS)
        if comes_in_parts(X):
            return self._read_parts(X, y, reset)
        if tokenizer.is_text(X):
            texts = self._texts(X, reset)
            check_consistent_length(texts, y)
            if not texts:
                raise ValueError("X is empty. Pass at least one text.")
            return (*vocabulary.count_tokens(texts, tokenizer.tokenizer_of(self)), y)
        ids = self._ids(X, reset, y=y, multi_output=True)
        warn_of_odd_ids(ids)
        return (*vocabulary.count_ids(ids), y)

    def _read_parts(self, X, y, reset):
        """As `_read`, part by part; the places lie in a file."""
        n_labels = None if y is None else len(y)
        if hasattr(X, "__len__"):
            check_consistent_length(X, y)
        places, labels, tokenize = vocabulary.Places(), [], tokenizer.tokenizer_of(self)

        def sequences():
            n, of_texts, odd = 0, None, False
            for part, own in parts_of(X):
                if (own is None) == (y is None):
                    raise ValueError(WITH_LABELS if y is None else LABELS_TWICE)
                if own is not None:
                    check_consistent_length(part, own)
                    labels.append(np.asarray(own))
                new = reset and not n
                if of_texts not in (None, tokenizer.is_text(part)):
                    raise ValueError(
                        f"X gives texts and token ids, first at position {n}. Let it "
                        "give one of them."
                    )
                of_texts = tokenizer.is_text(part)
                if of_texts:
                    found = places.of_texts(self._texts(part, new, n), tokenize)
                else:
                    ids = self._ids(part, new)
                    odd = odd or warn_of_odd_ids(ids, n)
                    found = places.of_ids(ids)
                yield found
                n += len(found)
                if y is not None and n > n_labels:
                    raise ValueError(
                        f"X gives more texts than the {n_labels} labels of y. Pass a "
                        "label for each."
                    )

        found = in_files(sequences())
        if not len(found):
            raise ValueError(NO_TEXT)
        y = joined(labels) if y is None else y
        check_consistent_length(found, y)
        return places.tokens, found, y

    def _texts(self, X, reset, first=0):
        """Texts as a list."""
        texts = tokenizer.check_texts(X, first=first)
        if reset:
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
        elif hasattr(self, "n_features_in_"):
            raise ValueError(other_kind("texts", "token ids"))
        return texts

    def _ids(self, X, reset, **checked):
        """Token ids as an array."""
        if not reset and not hasattr(self, "n_features_in_"):
            raise ValueError(other_kind("token ids", "texts"))
        check_columns(X)
        check_numbers(X)
        found = validate_data(self, X, reset=reset, **checked)
        return found[0] if "y" in checked else found

    def _encoded(self, X):
        """X as `Sequences` of the fitted vocabulary, part by part."""
        X, first = unloaded(X), 0
        parts = (part for part, _ in parts_of(X)) if comes_in_parts(X) else [X]
        of_ids = hasattr(self, "n_features_in_")
        for part in parts:
            if tokenizer.is_text(part) or (not of_ids and n_dims(part) == 1):
                texts = self._texts(part, False, first)
                found = vocabulary.encode(
                    texts, tokenizer.tokenizer_of(self), self._words
                )
            else:
                found = vocabulary.encode_ids(self._ids(part, False), self._words)
            yield found
            first += len(found)


def other_kind(got, fitted):
    return (
        f"X holds {got}, but LSTMTextClassifier was fitted on {fitted}. Pass "
        f"{fitted}, or fit anew."
    )


def comes_in_parts(X):
    """Whether X is an iterator, lies in a file, or gives its texts when asked."""
    return isinstance(X, Iterator) or is_mapped(X) or is_lazy(X)


def is_mapped(X):
    """Whether X is an array in a file, but in none of joblib's.

    joblib maps large arrays for its workers, where a fit must not differ.
    """
    if not isinstance(X, np.ndarray) or not in_file(X):
        return False
    return "joblib_memmapping_folder" not in str(getattr(X, "filename", ""))


def is_lazy(X):
    """Whether X has texts at places, but is no collection of those known."""
    known = list, tuple, str, bytes, np.ndarray, pd.Series, pd.DataFrame
    if isinstance(X, known) or hasattr(X, "__array__") or issparse(X):
        return False
    try:
        return len(X) > 0 and tokenizer.is_word(X[0])
    except (TypeError, LookupError):
        return False


def parts_of(X):
    """Parts of X, each with its labels, or None where it brings none."""
    if isinstance(X, np.ndarray):
        width = max(X[:1].nbytes, MOST_BYTES // 2**16)
        for rows in blocks(len(X), max(MOST_BYTES // width, 1)):
            yield X[rows], None
    else:
        yield from grouped(X)


def grouped(items):
    """Parts, of what gives texts or parts one by one, alone or with labels."""
    texts, labels, size = [], [], 0

    def taken():
        some = [label is not None for label in labels]
        if any(some) and not all(some):
            raise ValueError(WITH_LABELS)
        return texts, labels if any(some) else None

    for item in items:
        pair = isinstance(item, tuple)
        if pair and len(item) != 2:
            raise ValueError(
                f"X gives a tuple of {len(item)} entries, but pairs (texts, labels) "
                "are needed, or texts alone. Weights come beside it, as sample_weight."
            )
        one, label = item if pair else (item, None)
        many = hasattr(one, "__len__") and not tokenizer.is_word(one)
        if not many:
            texts.append(one)
            labels.append(label)
            size += len(one) if tokenizer.is_word(one) else 0
        if texts and (many or len(texts) >= MOST_TEXTS or size >= MOST_CHARACTERS):
            yield taken()
            texts, labels, size = [], [], 0
        if many and len(one):
            yield one, label
    if texts:
        yield taken()


def joined(labels):
    """Labels of parts as one array."""
    if len({part.dtype.kind in "OUST" for part in labels}) > 1:
        raise TypeError(
            "X gives labels of which some are text and numbers the others. Let all be "
            "of one type."
        )
    return np.concatenate(labels)


def warn_of_odd_ids(X, first=0):
    """Tell who passes measurements that each distinct value is taken for a token."""
    odd = (X < 0) | (np.floor(X) != X)
    if odd.any():
        row, column = np.argwhere(odd)[0]
        warnings.warn(
            "X is taken for token ids, each distinct value a token of its own, but "
            f"row {first + row}, column {column} holds {X[row, column]}, which is no "
            "whole number from 0. Pass texts or the ids of a tokenizer.",
            UserWarning,
            stacklevel=7,
        )
    return odd.any()
