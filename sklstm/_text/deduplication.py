"""Merge documents of equal tokens and targets, in memory or in a file."""

from hashlib import blake2b

import numpy as np

from sklstm._text.sequences import ROWS_AT_ONCE, stored
from sklstm._utils.disk_arrays import blocks, row_type, taken


def merge_repeated(sequences, targets, weights):
    """Merge equal documents of equal target into one of their summed weight.

    They come in a fixed order, so that weights, repetition and the order of rows
    train the same network to the last byte. Documents of weight zero are left out.

    Parameters
    ----------
    targets : ndarray of shape (n_documents, n_outputs)

    Returns
    -------
    rows : ndarray of int
        One document of each kind, sorted by their ids, then by targets.
    weights : ndarray of shape (len(rows),)
    """
    rows = np.flatnonzero(weights > 0).astype(row_type(len(weights)))
    digests = digests_of(sequences, targets, rows)
    order = np.argsort(digests, kind="stable").astype(rows.dtype)
    firsts = np.flatnonzero(unlike_before(taken(digests, order)))
    rows = rows[order]
    del digests, order
    sums = stored(sums_from(firsts, weights, rows), sequences)
    rows = rows[firsts]
    del firsts
    order = sorted_by_content(sequences, rows, targets)
    return rows[order], taken(sums, order)


def unlike_before(values):
    """Whether each differs from the one before; the first does."""
    found = np.ones(len(values), bool)
    found[1:] = values[1:] != values[:-1]
    return found


def sums_from(firsts, weights, rows):
    """Sums of the weights of rows from each of some places to the next, in parts."""
    ends = np.append(firsts, len(rows))
    for part in blocks(len(firsts), ROWS_AT_ONCE):
        own = ends[part.start : part.stop + 1]
        number = np.repeat(np.arange(len(own) - 1), np.diff(own))
        yield np.bincount(number, weights[rows[own[0] : own[-1]]])


def digests_of(sequences, targets, rows):
    """What tells documents and targets apart: 16 bytes of each."""
    ids, offsets = sequences.ids, sequences.offsets
    targets = np.ascontiguousarray(targets)

    def digest(row):
        content = blake2b(ids[offsets[row] : offsets[row + 1]], digest_size=16)
        content.update(targets[row])
        return content.digest()

    parts = (
        np.frombuffer(b"".join(map(digest, rows[part])), "S16")
        for part in blocks(len(rows), ROWS_AT_ONCE)
    )
    return stored(parts, sequences)


def sorted_by_content(sequences, rows, targets):
    """Places of `rows` in the order of their documents' ids, then of their targets.

    All are sorted by their first two tokens, those that agree by the next two, and so
    on, so that few tokens are read and none is kept.
    """
    order = np.lexsort(targets[rows].T[::-1]).astype(rows.dtype)
    tied, group, depth = np.arange(len(rows), dtype=rows.dtype), np.zeros_like(rows), 0
    while len(tied):
        key = next_tokens(sequences, rows, order[tied], depth)
        by = np.lexsort((key, group)).astype(rows.dtype)
        order[tied], key = order[tied][by], taken(key, by)
        new = np.append(unlike_before(group) | unlike_before(key), True)
        group = np.maximum.accumulate(np.where(new[:-1], tied, 0))
        goes_on = ~(new[:-1] & new[1:]) & (key.astype(np.uint32) != 0)
        tied, group, depth = tied[goes_on], group[goes_on], depth + 2
    return order


def next_tokens(sequences, rows, places, depth):
    """The two tokens at a depth of documents as one number, 0 beyond their ends."""
    starts, ends = sequences.offsets[:-1], sequences.offsets[1:]

    def keys(part):
        own = rows[places[part]]
        at, end = starts[own] + depth, ends[own]
        high = token_at(sequences.ids, at, end) << np.uint64(32)
        return high | token_at(sequences.ids, at + 1, end)

    parts = blocks(len(places), ROWS_AT_ONCE)
    return stored(map(keys, parts), sequences)


def token_at(ids, at, ends):
    there = at < ends
    found = np.zeros(len(at), np.uint64)
    found[there] = ids[at[there]]
    return found
