"""Word vectors of the user as initial weights of the embedding."""

import bz2
import gzip
import io
import itertools
import lzma
import os
import zipfile
import zlib
from collections import Counter
from typing import Any

import numpy as np

from sklstm._text.scripts import lower, normalized
from sklstm._text.sequences import FIRST

# The length of vectors is that of most of the first lines.
FIRST_LINES = 1000
# How compressed files begin, and what opens them.
COMPRESSED: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
BROKEN = EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile


def read_vectors(path, words):
    """Read the vectors of some words from a text file of GloVe or word2vec.

    Each line is a word, which may hold blanks, and its numbers; word2vec's first line,
    two numbers, is skipped. Of a word that comes twice, the first vector counts. Cased
    forms of `words` are read as well. The file may be compressed by gzip, bzip2 or xz,
    or be the only one in a zip archive.

    Returns
    -------
    dict of str to ndarray
    """
    vectors = {}
    has_blanks = any(" " in str(word) for word in words)
    try:
        with opened(path) as file:
            length = vector_length(itertools.islice(file, FIRST_LINES), path)
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                first = line.split(None, 1)[:1]
                if not has_blanks and not (first and is_known(first[0], words)):
                    continue  # before the numbers are split, which takes longer
                word, vector = split_line(line, length)
                is_header = number == 1 and len(vector) == 1 < length
                if is_known(word, words) and word not in vectors and not is_header:
                    where = f"{path!r}, line {number}"
                    check_length(vector, length, word, where)
                    vectors[word] = numbers_of(vector, word, where)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"embeddings={path!r} is no text in UTF-8: {error}. Pass a file of a word "
            "and its numbers in each line, as GloVe and word2vec write them, unpacked "
            "or compressed by gzip, bzip2, xz or zip."
        ) from error
    except BROKEN as error:
        if getattr(error, "errno", None) is not None:
            raise  # of the file system
        raise ValueError(
            f"embeddings={path!r} cannot be decompressed: {error}. The file may have "
            "been cut; fetch or pack it again."
        ) from error
    return vectors


def check_file(path):
    """Raise if there is no file at a path."""
    if os.path.isdir(path):
        raise IsADirectoryError(
            f"embeddings={path!r} is a folder, but a text file of vectors is needed. "
            "Pass the path of a file in it."
        )
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"embeddings={path!r} names no file, seen from {os.getcwd()!r}. Pass the "
            "path of a text file of vectors, or a dict of words to vectors."
        )


def opened(path):
    """Open a text file, which is decompressed if its first bytes say how."""
    if zipfile.is_zipfile(path):
        return only_member(path)
    with open(path, "rb") as file:
        start = file.read(max(map(len, COMPRESSED)))
    of_start = (COMPRESSED[sign] for sign in COMPRESSED if start.startswith(sign))
    return next(of_start, open)(path, "rt", encoding="utf-8-sig", newline="\n")


def only_member(path):
    """Open the only text file of a zip archive."""
    with zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if len(names) != 1:
            raise ValueError(
                f"embeddings={path!r} is a zip archive of {len(names)} files, but one "
                f"is needed: {', '.join(names[:9])}. Unpack it, and pass one of them."
            )
        # The member keeps the archive's file open until it is closed itself.
        member = archive.open(names[0])
    return io.TextIOWrapper(member, encoding="utf-8-sig", newline="\n")


def is_known(word, words):
    """Tell whether a word is among `words`, as it is or as texts are read."""
    return word in words or as_read(word) in words


def as_read(word):
    return lower(normalized(word))


def vectors_of(words, vectors):
    """Return the vector of each word that has one.

    A word in lower case takes that of its first cased form if it has none of its own,
    because vectors of names are often cased, and texts are in lower case.
    """
    cased: dict[str, str] = {}
    for word in vectors:
        # Keys of a user's dict may be of any type.
        if isinstance(word, str) and word not in words:
            cased.setdefault(as_read(word), word)
    found = {word: word if word in vectors else cased.get(word) for word in words}
    return {word: vectors[name] for word, name in found.items() if name is not None}


def vector_length(lines, path):
    """Return how many numbers most lines have after a word."""
    lengths = Counter(len(line.split()) - 1 for line in lines if line.strip())
    # Of a header and one vector, the vector is longer.
    length = max(lengths, key=lambda length: (lengths[length], length), default=0)
    if length == 0:
        raise ValueError(
            f"embeddings={path!r} holds no vectors: most lines have nothing after the "
            "first blank or tab. Separate a word and its numbers by blanks."
        )
    return length


def split_line(line, length):
    """Return the word of a line, and the numbers after it."""
    parts = line.split()
    if len(parts) > length + 1:
        return " ".join(parts[:-length]), parts[-length:]
    return " ".join(parts[:1]), parts[1:]


def check_length(vector, length, word, where):
    if len(vector) != length:
        raise ValueError(
            f"embeddings={where} has {len(vector)} numbers for the word {word!r}, but "
            f"most lines have {length}. Look whether the file is whole, or drop it."
        )


def numbers_of(vector, word, where):
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(vector, np.float32)
        if not np.isfinite(numbers).all():
            raise ValueError(f"not finite in 32 bits: {' '.join(vector[:5])}")
    except ValueError as error:
        raise ValueError(
            f"embeddings={where}, with the word {word!r}, must hold numbers: {error}. "
            "Mend or drop the line."
        ) from error
    return numbers


def embedding_table(vectors, words, n_rows):
    """Return initial vectors by id: of padding, of unknown words, of each word.

    Parameters
    ----------
    vectors : dict of str to array, or ndarray of shape (n_rows or more, embedding_dim)
        A dict holds words of `words` only.
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
        used = as_vectors(vectors[:needed])
        table = np.zeros((n_rows, used.shape[1]), np.float32)
        table[:needed] = used
        return table
    if not vectors:
        raise ValueError(
            "embeddings holds none of the words of the texts, such as "
            f"{', '.join(map(repr, list(words)[:3]))}. Look at lowercase and "
            "token_pattern, or pass None."
        )
    lengths = {np.shape(vector) for vector in vectors.values()}
    if len(lengths) > 1:
        raise ValueError(
            f"embeddings must hold vectors of one length. Got {sorted(lengths)[:5]}. "
            "Look at where they come from."
        )
    used = as_vectors(list(vectors.values()))
    # Words without a vector get the mean of all, as words of no meaning in particular.
    table = np.tile(used.mean(axis=0), (n_rows, 1)).astype(np.float32)
    table[[words[word] for word in vectors]] = used
    return table


def as_vectors(values):
    """Return finite numbers as an array of shape (n_words, embedding_dim)."""
    try:
        with np.errstate(over="ignore"):
            values = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"embeddings must hold numbers: {error}.") from error
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        finite = "" if np.isfinite(values).all() else ", some of them NaN or infinite"
        raise ValueError(
            "embeddings must hold a vector of finite numbers for each word. Got an "
            f"array of shape {values.shape}{finite}."
        )
    return values


def first_vectors(embeddings, words, n_rows):
    """Return initial vectors by id, and how many words have one of their own.

    Without `embeddings`, both are None.
    """
    if embeddings is None:
        return None, None
    if isinstance(embeddings, (str, os.PathLike)):
        check_file(embeddings)
        embeddings = read_vectors(embeddings, words)
    if isinstance(embeddings, np.ndarray):
        return embedding_table(embeddings, words, n_rows), len(words)
    found = vectors_of(words, embeddings)
    return embedding_table(found, words, n_rows), len(found)
