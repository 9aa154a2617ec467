"""Word vectors of the user as the first weights of the embedding."""

import numpy as np

from sklstm._text.sequences import FIRST


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
