"""Documents as token ids one after the other, in memory or in a file. NumPy only."""

from dataclasses import dataclass

import numpy as np

from sklstm._utils.disk_arrays import (
    Growing,
    blocks,
    in_file,
    in_memory,
    on_disk,
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
