"""Merge documents of equal tokens and targets, in memory or in a file."""

from hashlib import blake2b

import numpy as np

from sklstm._text.dataset import kinds_of
from sklstm._text.sequences import ROWS_AT_ONCE, stored
from sklstm._utils.disk_arrays import blocks, row_type, taken


def merge_repeated(sequences, targets, n_repeats, weights):
    """Merge equal documents of equal target into one that stands for all of them.

    The result is sorted by content, so that weights, repetition and the order of rows
    train the same network to the last byte. Among equal documents, no name of a class
    sets the order. Documents of no repeat are left out.

    Parameters
    ----------
    targets : ndarray of shape (n_documents, n_outputs)
    n_repeats : ndarray of int of shape (n_documents,)
        Documents that each document stands for.
    weights : ndarray of shape (n_documents,)
        The weight of each of these.

    Returns
    -------
    rows : ndarray of int
        One document of each kind, sorted by ids, then by the ranks of targets.
    n_repeats : ndarray of int of shape (len(rows),)
    weights : ndarray of shape (len(rows),)
        Means over the documents that each stands for.
    """
    ranks = target_ranks(sequences, targets, n_repeats)
    rows = np.flatnonzero(n_repeats).astype(row_type(len(weights)))
    digests = digests_of(sequences, targets, rows)
    order = np.argsort(digests, kind="stable").astype(rows.dtype)
    firsts = np.flatnonzero(differs_from_previous(taken(digests, order)))
    rows = rows[order]
    del digests, order
    repeats = stored(sums_from(firsts, rows, n_repeats), sequences)
    sums = stored(sums_from(firsts, rows, n_repeats, weights), sequences)
    rows = rows[firsts]
    del firsts
    order = sorted_by_content(sequences, rows, ranks[rows])
    repeats, weights = taken(repeats, order), taken(sums, order)
    return rows[order], repeats.astype(np.int32), weights / repeats


def target_ranks(sequences, targets, n_repeats):
    """Rank targets by the documents that have them, and return each document's rank.

    Columns of targets are in the order of the names of classes, which says nothing.
    """
    kinds = kinds_of(targets)
    sums = np.zeros(kinds.max(initial=0) + 1, np.uint64)
    for block in blocks(len(sequences), ROWS_AT_ONCE):
        digests = text_digests(sequences[block]) * n_repeats[block].astype(np.uint64)
        np.add.at(sums, kinds[block], digests)
    return np.argsort(np.argsort(sums)).astype(np.int32)[kinds]


def differs_from_previous(values):
    """Tell which values differ from the one before; the first does."""
    mask = np.ones(len(values), bool)
    mask[1:] = values[1:] != values[:-1]
    return mask


def sums_from(firsts, rows, n_repeats, weights=None):
    """Give, part by part, the sums over rows from each position to the next."""
    ends = np.append(firsts, len(rows))
    for block in blocks(len(firsts), ROWS_AT_ONCE):
        cuts = ends[block.start : block.stop + 1]
        number = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
        block_rows = rows[cuts[0] : cuts[-1]]
        values = n_repeats[block_rows]
        if weights is not None:
            values = values * weights[block_rows]
        yield np.bincount(number, values)


def digests_of(sequences, targets, rows):
    """Return 16 bytes for each document that tell it and its targets from others."""
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


def text_digests(sequences):
    """Return eight bytes for each document that tell it from others."""
    ids, offsets = sequences.ids, sequences.offsets
    parts = (
        np.frombuffer(
            b"".join(
                blake2b(ids[offsets[row] : offsets[row + 1]], digest_size=8).digest()
                for row in range(*block.indices(len(sequences)))
            ),
            "<u8",
        )
        for block in blocks(len(sequences), ROWS_AT_ONCE)
    )
    return np.concatenate([np.empty(0, "<u8"), *parts])


def sorted_by_content(sequences, rows, ranks):
    """Return positions in `rows` by the documents' ids, then by their ranks.

    All are sorted by their first two tokens, those that agree by the next two, and so
    on, because then few tokens are read and none is kept.
    """
    order = np.argsort(ranks, kind="stable").astype(rows.dtype)
    tied, group, depth = np.arange(len(rows), dtype=rows.dtype), np.zeros_like(rows), 0
    while len(tied):
        key = next_tokens(sequences, rows, order[tied], depth)
        ranks = np.lexsort((key, group)).astype(rows.dtype)
        order[tied], key = order[tied][ranks], taken(key, ranks)
        new = np.append(differs_from_previous(group) | differs_from_previous(key), True)
        group = np.maximum.accumulate(np.where(new[:-1], tied, 0))
        # A document that differs from both neighbours has its place, and one that has
        # ended equals those it is tied with: only the others go on.
        goes_on = ~(new[:-1] & new[1:]) & (key.astype(np.uint32) != 0)
        tied, group, depth = tied[goes_on], group[goes_on], depth + 2
    return order


def next_tokens(sequences, rows, positions, depth):
    """Return two tokens of each document as one number, 0 beyond its end."""
    starts, ends = sequences.offsets[:-1], sequences.offsets[1:]

    def keys(block):
        block_rows = rows[positions[block]]
        first, end = starts[block_rows] + depth, ends[block_rows]
        high = token_at(sequences.ids, first, end) << np.uint64(32)
        return high | token_at(sequences.ids, first + 1, end)

    return stored(map(keys, blocks(len(positions), ROWS_AT_ONCE)), sequences)


def token_at(ids, positions, ends):
    inside = positions < ends
    tokens = np.zeros(len(positions), np.uint64)
    tokens[inside] = ids[positions[inside]]
    return tokens
