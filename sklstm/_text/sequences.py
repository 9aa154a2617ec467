"""Documents as token ids one after the other, in memory or in a file. NumPy only."""

from dataclasses import dataclass

import numpy as np

from sklstm._utils.disk_arrays import Growing, blocks, in_file, in_memory, on_disk

PADDING, UNKNOWN, FIRST = 0, 1, 2
TRUNCATE = ("head", "tail", "both")
# Arithmetic on all documents takes this many tokens, or documents, at once.
AT_ONCE, ROWS_AT_ONCE = 2**18, 2**16


@dataclass
class Sequences:
    """Documents of unequal length, one after the other.

    Where `ids` lie in a file, results for all documents are made part by part and
    lie in files too, because there may be so many documents that each byte counts.
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    def __getitem__(self, rows):
        """Return the documents of a slice."""
        first, last, _ = rows.indices(len(self))
        offsets = self.offsets[first : last + 1]
        return Sequences(self.ids[offsets[0] : offsets[-1]], offsets - offsets[0])

    @property
    def lengths(self):
        lengths = np.empty(len(self), np.int32)
        np.subtract(self.offsets[1:], self.offsets[:-1], lengths, casting="same_kind")
        return lengths

    @property
    def documents(self):
        """The document of each token."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def slices(self, n_tokens=None):
        """Yield slices of documents of at most so many tokens, or of one document."""
        n_tokens, first = n_tokens or AT_ONCE, 0
        while first < len(self):
            end = self.offsets[first] + n_tokens
            last = int(np.searchsorted(self.offsets, end, "right")) - 1
            yield slice(first, max(last, first + 1))
            first = max(last, first + 1)

    def parts(self):
        return (self[rows] for rows in self.slices())

    def take(self, rows):
        """Return the documents at `rows`, in memory."""
        starts = self.offsets[:-1][rows]
        return self._spans(starts, self.offsets[1:][rows] - starts)

    def reordered(self, rows):
        """Return the documents at `rows`, in memory or in a file as these are."""
        return (
            in_files(self._take_parts(rows)) if in_file(self.ids) else self.take(rows)
        )

    def _take_parts(self, rows):
        """Yield the documents at `rows` in parts of at most so many tokens."""
        for block in blocks(len(rows), ROWS_AT_ONCE):
            block_rows = rows[block]
            ends = np.cumsum(
                self.offsets[1:][block_rows] - self.offsets[:-1][block_rows]
            )
            lengths_alone = Sequences(self.ids[:0], np.concatenate([[0], ends]))
            for few in lengths_alone.slices():
                yield self.take(block_rows[few])

    def _spans(self, starts, lengths):
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        # Positions in the result, shifted by where each span starts here.
        where = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Sequences(self.ids[where], offsets)

    def truncated(self, max_length, keep="head"):
        """Keep at most `max_length` tokens: the first, the last, or half of each."""
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
        # Each document has two spans, so every second offset starts a document.
        return Sequences(both.ids, both.offsets[::2])

    def visible(self, n_ids, max_length, truncate):
        """Return the documents as a network reads them, cut, with known ids alone."""
        return self.truncated(max_length, truncate).clip_vocabulary(n_ids)

    def padded(self, length):
        """Return an int32 array (n_documents, length), padded on the right."""
        result = np.full((len(self), length), PADDING, np.int32)
        result[np.arange(length) < self.lengths[:, None]] = self.ids
        return result

    def map_ids(self, function):
        """Return the same documents with the ids that a function makes of theirs."""
        ids = self.ids
        if in_file(ids):
            return Sequences(
                on_disk(function(ids[i]) for i in blocks(len(ids))), self.offsets
            )
        return Sequences(function(ids), self.offsets)

    def clip_vocabulary(self, n_ids):
        """Return the same documents, in which ids at and above `n_ids` are unknown."""
        return self.map_ids(lambda ids: np.where(ids < n_ids, ids, UNKNOWN))


def in_files(parts):
    """Concatenate sequences into one, which lies in files."""
    ids, offsets = Growing(), Growing()
    ids.append(np.empty(0, np.int32))
    offsets.append(np.zeros(1, np.int64))
    for part in parts:
        offsets.append(ids.n_rows + part.offsets[1:])
        ids.append(part.ids)
    return Sequences(ids.array(), offsets.array())


def stored(parts, sequences):
    """Concatenate arrays, in a file if the documents lie in one."""
    return on_disk(parts) if in_file(sequences.ids) else in_memory(parts)
