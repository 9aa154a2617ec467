"""Check that texts are str, and cut each into tokens."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from sklstm._text import scripts
from sklstm._text.labels import with_none

STRIP_ACCENTS = {"unicode": strip_accents_unicode, "ascii": strip_accents_ascii}


def is_text(X):
    """Tell whether X is a collection of strings rather than an array of token ids."""
    if is_word(X):
        return True
    if isinstance(X, pd.DataFrame):
        return X.shape[1] == 1 and not pd.api.types.is_numeric_dtype(X.dtypes.iloc[0])
    if isinstance(X, pd.Series):
        return not pd.api.types.is_numeric_dtype(X.dtype)
    if isinstance(X, np.ndarray):
        one_column = X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)
        if X.dtype.kind in "UST":
            return one_column
        return X.dtype.kind == "O" and one_column and any(map(is_word, X.ravel()))
    if isinstance(X, (list, tuple)):
        return any(map(is_word, X))
    # Columns of other libraries, such as polars and Arrow.
    return hasattr(X, "__array__") and is_text(np.asarray(X))


def is_word(value):
    """Tell whether a value is one text, as str or bytes."""
    return isinstance(value, (str, bytes, bytearray))


def check_collection(X, name="X"):
    """Raise if X is not an ordered collection, and say what to pass."""
    if X is None:
        raise ValueError(f"{name} is None. Pass a collection of texts.")
    if is_word(X) or (hasattr(X, "ndim") and X.ndim == 0):
        raise ValueError(
            f"{name} is one string, but a collection of texts is needed. Pass [{name}]."
        )
    if issparse(X):
        raise TypeError(
            f"{name} is a sparse matrix, such as a TfidfVectorizer gives, but texts "
            "are needed: n-grams are counted here. Pass the texts themselves."
        )
    if isinstance(X, dict):
        raise ValueError(
            f"{name} is a dict, but a collection of texts is needed. Pass "
            f"list({name}.values()), or one of its columns."
        )
    is_sequence = hasattr(X, "__len__") and hasattr(X, "__getitem__")
    if not is_sequence and not hasattr(X, "__array__"):
        way = f"list({name})" if hasattr(X, "__iter__") else f"[str({name})]"
        way = f"{name}.collect()" if hasattr(X, "collect") else way
        raise ValueError(
            f"{name} is of type {type(X).__name__}, but a collection of texts is "
            f"needed, such as a list. Pass {way}."
        )


def check_texts(X, name="X", first=0):
    """Return a list of str; an array of bytes of fixed width is read as UTF-8.

    Parameters
    ----------
    first : int, default=0
        The position of the first entry, if X is a part of all texts.

    Raises
    ------
    ValueError
        For a single string, or an array of several columns.
    TypeError
        For an entry that is not a string, naming its position.
    """
    if isinstance(X, Iterator):
        X = list(X)
    check_collection(X, name)
    if isinstance(X, pd.DataFrame):
        X = X.to_numpy(dtype=object)
    if np.ma.is_masked(X):
        X = with_none(X)
    if not isinstance(X, (list, tuple)):
        of_bytes = getattr(getattr(X, "dtype", None), "kind", None) == "S"
        # As objects, because NumPy would turn missing values into the text "nan".
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
            hint = "Convert it with str, or pass a 2-D array of token ids"
            if isinstance(text, (bytes, bytearray)):
                hint = "Decode it, for example with text.decode('utf-8')"
            elif isinstance(text, dict):
                hint = f"Pass one field, such as {field_of(text)}"
            elif isinstance(text, (list, tuple, np.ndarray)):
                hint = (
                    "Join its tokens to one str, and pass tokenizer=str.split; or pass "
                    "token ids, padded with 0, as a 2-D array"
                )
            elif pd.api.types.is_scalar(text) and pd.isna(text):
                hint = "Fill or drop missing texts"
            raise TypeError(
                f"{name} must hold strings, but the entry at position {row} is "
                f"{text!r} of type {type(text).__name__}. {hint}."
            )
    return list(X)


def field_of(row):
    """Return code that takes the first text of rows that are dicts."""
    keys = [key for key, value in row.items() if is_word(value)] or [*row, "text"]
    return f"[row[{keys[0]!r}] for row in X]"


def check_ids_form(X):
    """Raise if X cannot be token ids, and say what it seems to be instead."""
    check_collection(X)
    fields = getattr(getattr(X, "dtype", None), "names", None)
    if fields:
        raise ValueError(
            f"X is an array of records with the fields {list(fields)}, but one column "
            f"of texts is needed. Pass one field, such as X[{fields[0]!r}]."
        )
    columns = columns_of(X)
    holds_text = [any(map(is_word, column)) for column in columns]
    if any(holds_text):
        column, n_texts = holds_text.index(True), sum(holds_text)
        names = getattr(X, "column_names", getattr(X, "columns", None))
        pick = f"X[:, {column}]" if names is None else f"X[{names[column]!r}]"
        if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
            pick = f"X.iloc[:, {column}]"
        if names is None and n_texts == len(columns) and len(X) == 1:
            pick = "X.ravel()"
        pick = f"[row[{column}] for row in X]" if isinstance(X, list) else pick
        raise ValueError(
            f"X has {len(columns)} columns, {'one' if n_texts == 1 else n_texts} of "
            "them of texts, but one column of texts is needed. Pass "
            f"{pick}, or choose it by a ColumnTransformer."
        )
    if len(columns) == 1 and pd.isna(columns[0]).all() and len(X):
        raise ValueError(
            "X is one column, in which every entry is missing. Fill or drop missing "
            "texts."
        )
    check_row_lengths(X)


def columns_of(X):
    """Return the columns of anything that has some, if they may hold texts."""
    if isinstance(X, pd.DataFrame):
        return [X.iloc[:, i] for i in range(X.shape[1])]
    if isinstance(X, (list, tuple)):
        # Rows of a table as lists: texts beside what is none.
        mixed = any(0 < sum(map(is_word, row)) < len(row) for row in X if is_row(row))
        same = len({len(row) if is_row(row) else -1 for row in X}) == 1
        return list(zip(*X, strict=True)) if mixed and same else []
    shape = getattr(X, "shape", ())
    if len(shape) > 2 and np.asarray(X).dtype.kind in "USOT":
        raise ValueError(
            f"X must be one-dimensional, one text a row. Got shape {shape}: pass "
            "X.ravel() if each entry is a text."
        )
    if len(shape) != 2:
        return []
    values = np.asarray(X)
    return list(values.T) if values.dtype.kind in "USO" or values.shape[1] == 1 else []


def is_row(value):
    return isinstance(value, (list, tuple, np.ndarray))


def check_row_lengths(X):
    """Raise if X is a collection of lists of unequal length, or of no list at all."""
    if len(getattr(X, "shape", (0,))) != 1:
        return
    X = np.asarray(X).tolist() if hasattr(X, "__array__") else X
    if not len(X):
        raise ValueError("X is empty. Pass at least one text.")
    rows = [row for row in X if hasattr(row, "__len__")]
    if rows and isinstance(rows[0], dict):
        raise ValueError(
            "X holds dicts, but texts are needed. Pass one field of each, such as "
            f"{field_of(rows[0])}."
        )
    if any(is_word(token) for row in rows for token in row):
        raise ValueError(
            "X holds lists of tokens, but texts are needed. Join the tokens of each to "
            "one str, ' '.join(tokens), and pass tokenizer=str.split."
        )
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ValueError(
            f"X holds lists of {min(lengths)} to {max(lengths)} token ids, but rows "
            "must be of one length. Pad them with 0, for example by "
            "keras.utils.pad_sequences(X, padding='post')."
        )
    if not rows:
        first = next(iter(X))
        raise ValueError(
            f"X has one axis, as texts have, but holds no str; it begins with "
            f"{first!r}. Convert it, for example by astype(str), and fill missing "
            "texts. Reshape your data if it is token ids, which need two axes, one "
            "text a row."
        )


def decoded(text, name, row):
    """Decode bytes as UTF-8; an error names the position."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is an array of bytes, which are read as UTF-8, but the entry at "
            f"position {row} is not: {error}. Decode it yourself, for example with "
            'numpy.char.decode(X, "latin-1").'
        ) from error


def characters(text):
    """Return every character that is not white space."""
    return list("".join(text.split()))


def split_words(text, find, prepare):
    """Prepare a text step by step, and find its tokens."""
    for step in prepare:
        text = step(text)
    tokens = find(text)
    if isinstance(tokens, (str, bytes)):
        raise TypeError(f"it gave {tokens[:20]!r}, whose tokens would be characters")
    return tokens


def make_tokenizer(
    analyzer, lowercase, strip_accents, token_pattern, tokenizer, raw=False
):
    """Return the function from a text to its list of tokens.

    Parameters
    ----------
    raw : bool, default=False
        Whether texts are read code by code, as models of 0.1.0.dev0 learned them.
    """
    prepare = [] if raw else [scripts.normalized]
    if lowercase:
        prepare.append(str.lower if raw else scripts.lower)
    if strip_accents is not None:
        prepare.append(STRIP_ACCENTS.get(strip_accents, strip_accents))
    if tokenizer is None:
        if analyzer == "char":
            tokenizer = characters if raw else scripts.character_pattern().findall
        elif token_pattern is None:
            tokenizer = scripts.word_pattern().findall
        else:
            tokenizer = pattern_of(token_pattern).findall
    return partial(split_words, find=tokenizer, prepare=prepare)


def tokenizer_of(estimator):
    """Return the tokenizer that an estimator's parameters describe."""
    state = getattr(estimator, "_state", None)
    return make_tokenizer(
        estimator.analyzer,
        estimator.lowercase,
        estimator.strip_accents,
        estimator.token_pattern,
        estimator.tokenizer,
        raw=getattr(state, "raw_text", False),
    )


def pattern_of(token_pattern):
    """Compile a pattern, which may have one group, the token."""
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
