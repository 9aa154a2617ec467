"""Tokens as ids: count them, rank them by frequency, encode texts."""

from array import array
from collections import defaultdict
from itertools import repeat

import numpy as np

from sklstm._text.sequences import FIRST, PADDING, UNKNOWN, Sequences


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
