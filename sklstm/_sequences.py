"""Documents as token ids one after the other, in memory or in a file. NumPy only."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from sklstm._storage import Growing, blocks, in_file, in_memory, on_disk

PADDING, UNKNOWN, FIRST = 0, 1, 2
TRUNCATE = ("head", "tail", "both")
# Tokens, or documents, that arithmetic on all of them takes at once.
AT_ONCE, ROWS_AT_ONCE = 2**18, 2**16
LOWER = np.uint64(2**32 - 1)


@dataclass
class Sequences:
    """Documents of unequal length, one after the other.

    What is made of all of them stays in files where `ids` lie in one, and is made part
    by part.
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
        return np.diff(self.offsets)

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
        if not in_file(self.ids):
            return self.take(rows)
        ends = np.cumsum(self.lengths[rows])
        like = Sequences(self.ids[:0], np.concatenate([[0], ends]))
        ids = on_disk(self.take(rows[part]).ids for part in like.slices())
        return Sequences(ids, like.offsets)

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
    """Sequences one after the other as one, whose ids lie in a file."""
    ids, lengths = Growing(), [np.empty(0, int)]
    ids.append(np.empty(0, np.int32))
    for part in parts:
        ids.append(part.ids)
        lengths.append(part.lengths)
    offsets = np.concatenate([[0], np.cumsum(in_memory(lengths))])
    return Sequences(ids.array(), offsets)


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
    rows = np.flatnonzero(weights > 0)
    digests = digests_of(sequences, targets, rows)
    order, new = np.lexsort(digests.T), np.zeros(len(rows), bool)
    new[:1] = True
    for half in digests.T:
        ordered = half[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    del digests, half, ordered  # of many documents, each such array is large
    rows = rows[order]
    sums, rows = np.bincount(np.cumsum(new) - 1, weights[rows]), rows[new]
    del order, new
    order = sorted_by_content(sequences, rows, targets)
    return rows[order], sums[order]


def digests_of(sequences, targets, rows):
    """What tells documents and targets apart: 128 bits of each, as two numbers."""
    found, ids, offsets = bytearray(), sequences.ids, sequences.offsets
    targets = np.ascontiguousarray(targets)
    for row in rows:
        content = blake2b(ids[offsets[row] : offsets[row + 1]], digest_size=16)
        content.update(targets[row])
        found += content.digest()
    return np.frombuffer(found, np.uint64).reshape(-1, 2)


def sorted_by_content(sequences, rows, targets):
    """Places of `rows` in the order of their documents' ids, then of their targets.

    All are sorted by their first two tokens, those that agree by the next two, and so
    on, so that few tokens are read and none is kept.
    """
    order = np.lexsort(targets[rows].T[::-1])
    tied, group, depth = np.arange(len(rows)), np.zeros(len(rows), np.int64), 0
    while len(tied):
        key = next_tokens(sequences, rows, order[tied], depth)
        by = np.lexsort((key, group[tied]))
        order[tied], key = order[tied][by], key[by]
        new = np.ones(len(tied), bool)
        new[1:] = (key[1:] != key[:-1]) | (np.diff(group[tied]) != 0)
        firsts = np.flatnonzero(new)
        sizes = np.diff(np.append(firsts, len(tied)))
        group[tied] = np.repeat(tied[firsts], sizes)
        goes_on = np.repeat(sizes > 1, sizes) & (key & LOWER != 0)
        tied, depth = tied[goes_on], depth + 2
    return order


def next_tokens(sequences, rows, places, depth):
    """The two tokens at a depth of documents as one number, 0 beyond their ends."""
    keys = np.empty(len(places), np.uint64)
    starts, ends = sequences.offsets[:-1], sequences.offsets[1:]
    for part in blocks(len(places), ROWS_AT_ONCE):
        own = rows[places[part]]
        at, end = starts[own] + depth, ends[own]
        high, low = (
            token_at(sequences.ids, at, end),
            token_at(sequences.ids, at + 1, end),
        )
        keys[part] = high << np.uint64(32) | low
    return keys


def token_at(ids, at, ends):
    there = at < ends
    found = np.zeros(len(at), np.uint64)
    found[there] = ids[at[there]]
    return found
