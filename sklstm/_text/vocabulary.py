"""Tokens as ids: count them, order them by frequency, encode texts."""

from array import array
from collections import defaultdict
from itertools import repeat

import numpy as np

from sklstm._text.sequences import FIRST, PADDING, UNKNOWN, Sequences


class TokenNumbers:
    """Number tokens in their order of appearance, over any number of parts."""

    def __init__(self):
        self.number: defaultdict[object, int] = defaultdict()
        self.number.default_factory = self.number.__len__

    @property
    def tokens(self):
        return list(self.number)

    def of_texts(self, texts, tokenize, first=0):
        """Return texts as `Sequences` of numbers; `first` is a position for errors."""
        find = self.number.__getitem__
        return encode_each(texts, lambda text: map(find, tokenize(text)), first)

    def of_ids(self, X):
        """Return a 2-D array of token ids, whose zeros are padding, as `Sequences`."""
        tokens, sequences = count_ids(X)
        numbers = np.array([self.number[token] for token in tokens], np.int32)
        return sequences.map_ids(numbers.__getitem__)


def encode_each(texts, ids_of, first=0):
    """Return the ids that a function gives for each text as `Sequences`."""
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
    """Return tokens in their order of appearance, and texts as their positions."""
    numbers = TokenNumbers()
    sequences = numbers.of_texts(texts, tokenize)
    return numbers.tokens, sequences


def count_ids(X):
    """Do as `count_tokens` for a 2-D array of token ids, in which 0 is padding."""
    present = X != PADDING
    tokens, ids = distinct(X[present])
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return tokens.tolist(), Sequences(ids.astype(np.int32), offsets)


def distinct(values):
    """Return distinct values in order, and the position of each value among them."""
    # Small ids, which are the rule, need no sorting.
    small = values.dtype.kind in "iu" and len(values) and 0 <= values.min()
    if not small or values.max() > max(len(values), 2**16):
        return np.unique(values, return_inverse=True)
    used = np.bincount(values) > 0
    return np.flatnonzero(used), (np.cumsum(used) - 1)[values]


def build_vocabulary(tokens, sequences, n_repeats, min_df=1, max_features=None):
    """Give ids to tokens by falling frequency, and encode the documents.

    Parameters
    ----------
    tokens : list
    sequences : Sequences
        Of positions in `tokens`.
    n_repeats : ndarray of int of shape (n_documents,)
        Documents that each document stands for.
    min_df : int or float
        Documents a token must be in, as a number or as a share.
    max_features : int, default=None

    Returns
    -------
    vocabulary : dict of token to int
        By falling frequency, then by token.
    sequences : Sequences
    """
    counts, in_documents = token_counts(sequences, n_repeats, len(tokens))
    if isinstance(min_df, float):
        min_df = min_df * n_repeats.sum()
    kept = np.flatnonzero((in_documents >= min_df) & (counts > 0)).tolist()
    try:
        kept.sort(key=lambda position: (-counts[position], tokens[position]))
    except TypeError as error:
        raise TypeError(
            f"Tokens must be of one type, but cannot be put in order: {error}. Let "
            "tokenizer give str alone."
        ) from error
    kept = kept[:max_features]
    ids = np.full(len(tokens), UNKNOWN, np.int32)
    ids[kept] = np.arange(FIRST, FIRST + len(kept))
    vocabulary = {tokens[position]: FIRST + i for i, position in enumerate(kept)}
    return vocabulary, sequences.map_ids(ids.__getitem__)


def token_counts(sequences, n_repeats, n_tokens):
    """Count how often each token comes, and in how many documents."""
    counts, in_documents = np.zeros(n_tokens), np.zeros(n_tokens)
    for rows in sequences.slices():
        part, part_repeats = sequences[rows], n_repeats[rows]
        documents = part.documents
        counts += np.bincount(part.ids, part_repeats[documents], minlength=n_tokens)
        # One number for each pair, so that one sort finds the repeated pairs.
        pairs = np.sort(documents * max(n_tokens, 1) + part.ids)
        new = np.ones(len(pairs), bool)
        new[1:] = pairs[1:] != pairs[:-1]
        documents, ids = np.divmod(pairs[new], max(n_tokens, 1))
        in_documents += np.bincount(ids, part_repeats[documents], minlength=n_tokens)
    return counts, in_documents


def encode(texts, tokenize, vocabulary, first=0):
    """Return texts as `Sequences` of a learned vocabulary; see `of_texts`."""
    find = vocabulary.get
    return encode_each(
        texts, lambda text: map(find, tokenize(text), repeat(UNKNOWN)), first
    )


def encode_ids(X, vocabulary):
    """Return a 2-D array of token ids as `Sequences` of a learned vocabulary."""
    tokens, sequences = count_ids(X)
    return encode_tokens(tokens, sequences, vocabulary)


def encode_tokens(tokens, sequences, vocabulary):
    """Return `Sequences` of positions in `tokens` as ids of a learned vocabulary."""
    ids = np.array([vocabulary.get(token, UNKNOWN) for token in tokens], np.int32)
    return sequences.map_ids(ids.__getitem__)
