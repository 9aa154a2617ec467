"""Texts as sequences of token ids: tokenise, learn a vocabulary, encode, pad.

NumPy and pandas only. Id 0 is padding, 1 a token outside the vocabulary; others are
ranked by frequency, so that the ids below any bound are the most frequent tokens.
"""

import re
from array import array
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

PADDING, UNKNOWN, FIRST = 0, 1, 2
TOKEN_PATTERN = r"\w+(?:'\w+)?|[^\w\s]"
STRIP_ACCENTS = {"unicode": strip_accents_unicode, "ascii": strip_accents_ascii}
TRUNCATE = ("head", "tail", "both")


@dataclass
class Sequences:
    """Documents of unequal length, one after the other."""

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        return np.diff(self.offsets)

    @property
    def documents(self):
        """The document of each token."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows):
        """The documents at `rows`."""
        lengths = self.lengths[rows]
        return self._spans(self.offsets[:-1][rows], lengths)

    def _spans(self, starts, lengths):
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        where = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Sequences(self.ids[where], offsets)

    def truncated(self, max_length, keep="head"):
        """At most `max_length` tokens: the first, the last, or half of each."""
        if max_length is None or not len(self) or self.lengths.max() <= max_length:
            return self
        lengths = np.minimum(self.lengths, max_length)
        if keep == "head":
            return self._spans(self.offsets[:-1], lengths)
        if keep == "tail":
            return self._spans(self.offsets[1:] - lengths, lengths)
        head = (lengths + 1) // 2
        starts = np.stack([self.offsets[:-1], self.offsets[1:] - (lengths - head)])
        parts = np.stack([head, lengths - head])
        both = self._spans(starts.T.ravel(), parts.T.ravel())
        return Sequences(both.ids, both.offsets[::2])

    def padded(self, length):
        """An int32 array of shape (n_documents, length), padded on the right."""
        result = np.full((len(self), length), PADDING, np.int32)
        result[np.arange(length) < self.lengths[:, None]] = self.ids
        return result

    def below(self, bound):
        """Ids at and above `bound` become unknown."""
        return Sequences(np.where(self.ids < bound, self.ids, UNKNOWN), self.offsets)


def is_text(X):
    """Whether X is a collection of strings rather than an array of token ids."""
    if isinstance(X, str):
        return True
    if isinstance(X, pd.DataFrame):
        return X.shape[1] == 1 and not pd.api.types.is_numeric_dtype(X.dtypes.iloc[0])
    if isinstance(X, pd.Series):
        return not pd.api.types.is_numeric_dtype(X.dtype)
    if isinstance(X, np.ndarray):
        one = X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)
        if X.dtype.kind in "UST":
            return one
        return X.dtype.kind == "O" and one and any(map(is_word, X.ravel()))
    if isinstance(X, (list, tuple)):
        return any(map(is_word, X))
    # Columns of other libraries, such as polars and Arrow.
    return hasattr(X, "__array__") and is_text(np.asarray(X))


def is_word(value):
    return isinstance(value, (str, bytes))


def check_texts(X, name="X"):
    """A list of str.

    Raises
    ------
    ValueError
        For a single string, or an array of several columns.
    TypeError
        For an entry that is not a string, naming its position.
    """
    if isinstance(X, (str, bytes)):
        raise ValueError(
            f"{name} is one string, but a collection of texts is needed. Pass [{name}]."
        )
    if isinstance(X, pd.DataFrame):
        X = X.to_numpy(dtype=object)
    if not isinstance(X, (list, tuple)):
        X = np.asarray(X, dtype=object)
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ValueError(
                f"{name} must be one-dimensional, one text a row. Got shape {X.shape}: "
                "pass one column of it."
            )
        X = X.tolist()
    for row, text in enumerate(X):
        if not isinstance(text, str):
            hint = "Fill or drop missing texts"
            if isinstance(text, bytes):
                hint = "Decode it, for example with text.decode('utf-8')"
            elif isinstance(text, (int, float)) and text == text:
                hint = "Convert it with str, or pass a 2-D array of token ids"
            raise TypeError(
                f"{name} must hold strings, but the entry at position {row} is "
                f"{text!r} of type {type(text).__name__}. {hint}."
            )
    return list(X)


def characters(text):
    """Every character that is not white space."""
    return list("".join(text.split()))


def split_words(text, find, prepare):
    for step in prepare:
        text = step(text)
    return find(text)


def make_tokenizer(analyzer, lowercase, strip_accents, token_pattern, tokenizer):
    """The function from a text to its list of tokens."""
    prepare = []
    if lowercase:
        prepare.append(str.lower)
    if strip_accents is not None:
        prepare.append(STRIP_ACCENTS.get(strip_accents, strip_accents))
    if tokenizer is None:
        if analyzer == "char":
            tokenizer = characters
        else:
            tokenizer = pattern_of(token_pattern).findall
    return partial(split_words, find=tokenizer, prepare=prepare)


def pattern_of(token_pattern):
    """A compiled pattern, which may have one group, the token."""
    try:
        pattern = re.compile(token_pattern)
    except re.error as error:
        raise ValueError(
            f"token_pattern={token_pattern!r} is no regular expression: {error}. Mend "
            "it, or pass tokenizer=, a function from a text to its tokens."
        ) from error
    if pattern.groups > 1:
        raise ValueError(
            f"token_pattern={token_pattern!r} has {pattern.groups} groups, but one at "
            "most can be the token. Write (?:...) for the others."
        )
    return pattern


def count_tokens(texts, tokenize):
    """Tokens in their order of appearance, and texts as `Sequences` of their places."""
    places = defaultdict()
    places.default_factory = places.__len__
    flat, offsets = array("i"), [0]
    for text in texts:
        try:
            flat.extend(map(places.__getitem__, tokenize(text)))
        except TypeError as error:
            raise TypeError(
                f"tokenizer, or strip_accents, failed on the text at position "
                f"{len(offsets) - 1}: {error}. A tokenizer gives a list of str, and "
                "strip_accents a str."
            ) from error
        offsets.append(len(flat))
    ids = np.frombuffer(flat, np.int32) if flat else np.empty(0, np.int32)
    return list(places), Sequences(ids, np.array(offsets))


def count_ids(X):
    """As `count_tokens`, of a 2-D array of token ids, whose zeros are padding."""
    present = X != PADDING
    tokens, ids = distinct(X[present])
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return tokens.tolist(), Sequences(ids.astype(np.int32), offsets)


def distinct(values):
    """Distinct values in order, and each value's place; small ids need no sorting."""
    small = values.dtype.kind in "iu" and len(values) and 0 <= values.min()
    if not small or values.max() > max(len(values), 2**16):
        return np.unique(values, return_inverse=True)
    used = np.bincount(values) > 0
    return np.flatnonzero(used), (np.cumsum(used) - 1)[values]


def rank(tokens, sequences, weights, min_df=1, max_features=None):
    """Learn a vocabulary and recode.

    Parameters
    ----------
    tokens : list
    sequences : Sequences
        Of places in `tokens`.
    weights : ndarray of shape (n_documents,)
        A weight counts as that many repeated documents.
    min_df : int or float
        Documents a token must be in, as a number or as a share.
    max_features : int, default=None

    Returns
    -------
    vocabulary : dict of token to int
        By falling frequency, then by token.
    sequences : Sequences
    """
    documents = sequences.documents
    counts = np.bincount(sequences.ids, weights[documents], minlength=len(tokens))
    pairs = np.unique(documents * max(len(tokens), 1) + sequences.ids)
    rows, columns = np.divmod(pairs, max(len(tokens), 1))
    in_documents = np.bincount(columns, weights[rows], minlength=len(tokens))
    if isinstance(min_df, float):
        min_df = min_df * weights.sum()
    kept = np.flatnonzero((in_documents >= min_df) & (counts > 0)).tolist()
    try:
        kept.sort(key=lambda place: (-counts[place], tokens[place]))
    except TypeError as error:
        raise TypeError(
            f"Tokens must be of one type, but cannot be put in order: {error}. Let "
            "tokenizer give str alone."
        ) from error
    kept = kept[:max_features]
    new = np.full(len(tokens), UNKNOWN, np.int32)
    new[kept] = np.arange(FIRST, FIRST + len(kept))
    vocabulary = {tokens[place]: FIRST + i for i, place in enumerate(kept)}
    return vocabulary, Sequences(new[sequences.ids], sequences.offsets)


def encode(texts, tokenize, vocabulary):
    """Texts as `Sequences` of a learned vocabulary."""
    flat, offsets = array("i"), [0]
    find = vocabulary.get
    for text in texts:
        flat.extend(map(find, tokenize(text), repeat(UNKNOWN)))
        offsets.append(len(flat))
    ids = np.frombuffer(flat, np.int32) if flat else np.empty(0, np.int32)
    return Sequences(ids, np.array(offsets))


def encode_ids(X, vocabulary):
    """A 2-D array of token ids as `Sequences` of a learned vocabulary."""
    tokens, sequences = count_ids(X)
    new = np.array([vocabulary.get(t, UNKNOWN) for t in tokens], np.int32)
    return Sequences(new[sequences.ids], sequences.offsets)


def read_vectors(path, words):
    """Word vectors of a GloVe or word2vec text file, of these words only.

    Each line is a word and its numbers; word2vec's first line, two numbers, is
    skipped.

    Returns
    -------
    dict of str to ndarray
    """
    vectors = {}
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                word, _, numbers = line.rstrip().partition(" ")
                if word in words and " " in numbers:
                    vectors[word] = numbers.split(" ")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"embeddings={path!r} is no text in UTF-8: {error}. Pass a file of a word "
            "and its numbers in each line, as GloVe and word2vec write them."
        ) from error
    return vectors


def embedding_table(vectors, words, n_rows):
    """First vectors of padding, unknown words and words, by id.

    Parameters
    ----------
    vectors : dict of str to array, or ndarray of shape (n_rows or more, embedding_dim)
    words : dict of str to int
    n_rows : int

    Returns
    -------
    ndarray of shape (n_rows, embedding_dim)

    Raises
    ------
    ValueError
        For vectors of unequal length, too few rows, or no known word.
    """
    if isinstance(vectors, np.ndarray):
        needed = len(words) + FIRST
        if vectors.ndim != 2 or len(vectors) < needed:
            raise ValueError(
                f"embeddings has shape {vectors.shape}, but must have two axes, and "
                f"the vocabulary needs {needed} rows: one for padding, one for unknown "
                "words, and one for each word. Lower max_features, or pass a dict."
            )
        given = as_vectors(vectors[:needed])
        table = np.zeros((n_rows, given.shape[1]), np.float32)
        table[:needed] = given
        return table
    known = {word: vectors[word] for word in words if word in vectors}
    if not known:
        raise ValueError(
            "embeddings holds none of the words of the texts. Look at lowercase and "
            "token_pattern, or pass None."
        )
    lengths = {np.shape(vector) for vector in known.values()}
    if len(lengths) > 1:
        raise ValueError(
            f"embeddings must hold vectors of one length. Got {sorted(lengths)[:5]}. "
            "Look at where they come from."
        )
    given = as_vectors(list(known.values()))
    # Words without a vector get that of none in particular.
    table = np.tile(given.mean(axis=0), (n_rows, 1)).astype(np.float32)
    table[[words[word] for word in known]] = given
    return table


def as_vectors(values):
    """An array of shape (n_words, embedding_dim) of finite numbers."""
    try:
        values = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"embeddings must hold numbers: {error}.") from error
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(
            "embeddings must hold a vector of finite numbers for each word. Got an "
            f"array of shape {values.shape}"
            + (", some of them NaN or infinite." if values.size else ".")
        )
    return values


def merge_repeated(sequences, y, weights):
    """Merge equal documents of equal target into one of their summed weight.

    They come in a fixed order, so that weights, repetition and the order of rows
    train the same network to the last byte.

    Parameters
    ----------
    y : ndarray of shape (n_documents, n_outputs)

    Returns
    -------
    rows : ndarray of int
        One document of each kind.
    weights : ndarray of shape (len(rows),)
    """
    found = {}
    starts, ends = sequences.offsets[:-1], sequences.offsets[1:]
    big_endian = sequences.ids.astype(">i4")
    for row in np.flatnonzero(weights > 0):
        key = big_endian[starts[row] : ends[row]].tobytes(), y[row].tobytes()
        if key in found:
            found[key][1] += weights[row]
        else:
            found[key] = [row, weights[row]]
    kinds = [found[key] for key in sorted(found)]
    rows = np.array([row for row, _ in kinds], dtype=np.int64)
    return rows, np.array([weight for _, weight in kinds], dtype=np.float64)
