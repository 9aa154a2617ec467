"""Texts as sequences of token ids: tokenise, learn a vocabulary, encode.

NumPy and pandas only. Id 0 is padding, 1 a token outside the vocabulary; others are
ranked by frequency, so that the ids below any bound are the most frequent tokens.
"""

import re
from array import array
from collections import defaultdict
from functools import partial
from itertools import repeat

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from sklstm._sequences import FIRST, PADDING, UNKNOWN, Sequences

TOKEN_PATTERN = r"\w+(?:'\w+)?|[^\w\s]"
STRIP_ACCENTS = {"unicode": strip_accents_unicode, "ascii": strip_accents_ascii}


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


def check_texts(X, name="X", first=0):
    """A list of str; an array of bytes of fixed width is read as UTF-8.

    Parameters
    ----------
    first : int, default=0
        The position of the first entry, where these are a part of all texts.

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
        of_bytes = getattr(getattr(X, "dtype", None), "kind", None) == "S"
        X = np.asarray(X, dtype=None if of_bytes else object)
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ValueError(
                f"{name} must be one-dimensional, one text a row. Got shape {X.shape}: "
                "pass one column of it."
            )
        X = X.tolist()
        if of_bytes:
            return [decoded(text, name, first + row) for row, text in enumerate(X)]
    for row, text in enumerate(X, first):
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


def decoded(text, name, row):
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is an array of bytes, which are read as UTF-8, but the entry at "
            f"position {row} is not: {error}. Decode it yourself, for example with "
            'numpy.char.decode(X, "latin-1").'
        ) from error


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


def tokenizer_of(estimator):
    """The tokenizer that an estimator's parameters describe."""
    return make_tokenizer(
        estimator.analyzer,
        estimator.lowercase,
        estimator.strip_accents,
        estimator.token_pattern,
        estimator.tokenizer,
    )


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


class Places:
    """Tokens numbered in their order of appearance, in documents that may go on."""

    def __init__(self):
        self.of = defaultdict()
        self.of.default_factory = self.of.__len__

    @property
    def tokens(self):
        return list(self.of)

    def of_texts(self, texts, tokenize, first=0):
        """Texts as `Sequences` of places; the position of the first is for errors."""
        find = self.of.__getitem__
        return flattened(texts, lambda text: map(find, tokenize(text)), first)

    def of_ids(self, X):
        """A 2-D array of token ids, whose zeros are padding, as `Sequences`."""
        tokens, sequences = count_ids(X)
        places = np.array([self.of[token] for token in tokens], np.int32)
        return sequences.recoded(places.__getitem__)


def flattened(texts, ids_of, first=0):
    """The ids that a function gives for each text, as `Sequences`."""
    flat, offsets = array("i"), array("q", [0])
    for row, text in enumerate(texts, first):
        try:
            flat.extend(ids_of(text))
        except TypeError as error:
            raise TypeError(
                f"tokenizer, or strip_accents, failed on the text at position {row}: "
                f"{error}. A tokenizer gives a list of str, and strip_accents a str."
            ) from error
        offsets.append(len(flat))
    ids = np.frombuffer(flat, np.int32) if flat else np.empty(0, np.int32)
    return Sequences(ids, np.array(offsets))


def count_tokens(texts, tokenize):
    """Tokens in their order of appearance, and texts as `Sequences` of their places."""
    places = Places()
    sequences = places.of_texts(texts, tokenize)
    return places.tokens, sequences


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
    counts, in_documents = token_counts(sequences, weights, len(tokens))
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
    return vocabulary, sequences.recoded(new.__getitem__)


def token_counts(sequences, weights, n_tokens):
    """How often each token comes, and in how many documents, both weighted."""
    counts, in_documents = np.zeros(n_tokens), np.zeros(n_tokens)
    for rows in sequences.slices():
        part, own = sequences[rows], weights[rows]
        documents = part.documents
        counts += np.bincount(part.ids, own[documents], minlength=n_tokens)
        pairs = np.sort(documents * max(n_tokens, 1) + part.ids)
        new = np.ones(len(pairs), bool)
        new[1:] = pairs[1:] != pairs[:-1]
        documents, ids = np.divmod(pairs[new], max(n_tokens, 1))
        in_documents += np.bincount(ids, own[documents], minlength=n_tokens)
    return counts, in_documents


def encode(texts, tokenize, vocabulary):
    """Texts as `Sequences` of a learned vocabulary."""
    find = vocabulary.get
    return flattened(texts, lambda text: map(find, tokenize(text), repeat(UNKNOWN)))


def encode_ids(X, vocabulary):
    """A 2-D array of token ids as `Sequences` of a learned vocabulary."""
    return renamed(*count_ids(X), vocabulary)


def renamed(tokens, sequences, vocabulary):
    """`Sequences` of places in `tokens` as those of a learned vocabulary."""
    new = np.array([vocabulary.get(token, UNKNOWN) for token in tokens], np.int32)
    return sequences.recoded(new.__getitem__)


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
