"""Documents as token ids one after the other, in memory or in a file. NumPy only."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from sklstm._storage import (
    Growing,
    blocks,
    in_file,
    in_memory,
    on_disk,
    row_type,
    taken,
)

PADDING, UNKNOWN, FIRST = 0, 1, 2
TRUNCATE = ("head", "tail", "both")
# Tokens, or documents, that arithmetic on all of them takes at once.
AT_ONCE, ROWS_AT_ONCE = 2**18, 2**16


@dataclass
class Sequences:
    """Documents of unequal length, one after the other.

    What is made of all of them stays in files where `ids` lie in one, and is made part
    by part: then there may be many, so that each byte that is held of each counts.
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    def __getitem__(self, rows):
        """The documents of a slice."""
        first, last, _ = rows.indices(len(self))
        offsets = self.offsets[first : last + 1]
        return Sequences(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])

    @property
    def lengths(self):
        found = np.empty(len(self), np.int32)
        np.subtract(self.offsets[1:], self.offsets[:-1], found, casting="same_kind")
        return found

    @property
    def documents(self):
        """The document of each token."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def slices(self, n_tokens=None):
        """Slices of documents of at most so many tokens, or of one document."""
        n_tokens, first = n_tokens or AT_ONCE, 0
        while first < len(self):
            end = self.offsets[first] + n_tokens
            last = int(np.searchsorted(self.offsets, end, "right")) - 1
            yield slice(first, max(last, first + 1))
            first = max(last, first + 1)

    def parts(self):
        return (self[rows] for rows in self.slices())

    def take(self, rows):
        """The documents at `rows`, in memory."""
        starts = self.offsets[:-1][rows]
        return self._spans(starts, self.offsets[1:][rows] - starts)

    def reordered(self, rows):
        """The documents at `rows`, stored as these are."""
        return in_files(self._taken(rows)) if in_file(self.ids) else self.take(rows)

    def _taken(self, rows):
        """The documents at `rows` in parts of at most so many tokens."""
        for part in blocks(len(rows), ROWS_AT_ONCE):
            own = rows[part]
            ends = np.cumsum(self.offsets[1:][own] - self.offsets[:-1][own])
            like = Sequences(self.ids[:0], np.concatenate([[0], ends]))
            for few in like.slices():
                yield self.take(own[few])

    def _spans(self, starts, lengths):
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        where = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Sequences(self.ids[where], offsets)

    def truncated(self, max_length, keep="head"):
        """At most `max_length` tokens: the first, the last, or half of each."""
        if max_length is None or not len(self) or self.lengths.max() <= max_length:
            return self
        if in_file(self.ids):
            return in_files(part._cut(max_length, keep) for part in self.parts())
        return self._cut(max_length, keep)

    def _cut(self, max_length, keep):
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

    def recoded(self, function):
        """The same documents of other ids, which a function makes of theirs."""
        ids = self.ids
        if in_file(ids):
            return Sequences(
                on_disk(function(ids[i]) for i in blocks(len(ids))), self.offsets
            )
        return Sequences(function(ids), self.offsets)

    def below(self, bound):
        """Ids at and above `bound` become unknown."""
        return self.recoded(lambda ids: np.where(ids < bound, ids, UNKNOWN))


def in_files(parts):
    """Sequences one after the other as one, which lies in files."""
    ids, offsets = Growing(), Growing()
    ids.append(np.empty(0, np.int32))
    offsets.append(np.zeros(1, np.int64))
    for part in parts:
        offsets.append(ids.n_rows + part.offsets[1:])
        ids.append(part.ids)
    return Sequences(ids.array(), offsets.array())


def stored(parts, sequences):
    """Arrays one after the other as one, in a file where documents lie in one."""
    return on_disk(parts) if in_file(sequences.ids) else in_memory(parts)


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
