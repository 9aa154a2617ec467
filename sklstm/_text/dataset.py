"""Training data of a text network: documents, their split, batches by length."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from sklstm._text.sequences import FIRST, Sequences
from sklstm._utils.disk_arrays import blocks, in_memory, row_type

N_FOLDS = 4
SHORTEST_BUCKET = 16
# From this many documents on, splits are drawn with little memory for each document.
MANY = 2**18


@dataclass(frozen=True)
class TextTrainingData:
    """Distinct texts as ids of `words`, with the targets and weight of each."""

    words: dict
    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    exclusive: bool

    @property
    def n_tokens(self):
        return len(self.words) + FIRST

    def padded_length(self, max_length):
        """Return the length to which the longest text is padded."""
        longest = self.sequences.lengths.max(initial=0)
        if max_length is not None:
            longest = min(longest, max_length)
        return 2 ** int(bucket(np.array([longest])).max())


class Documents:
    """Documents in batches of similar length; a `WindowDataset` of texts."""

    def __init__(self, sequences, linear, y, row_weights):
        self.sequences, self.linear, self.y = sequences, linear, y
        self.row_weights = row_weights
        self.buckets = bucket(sequences.lengths)

    def batches(self, rows, batch_size, rng=None):
        """Cut rows of each bucket into batches, in random order if `rng` is given."""
        if rng is not None:
            rows = rng.permutation(rows)
        parts = []
        for length in np.unique(self.buckets[rows]):
            same = rows[self.buckets[rows] == length]
            parts += [same[i : i + batch_size] for i in range(0, len(same), batch_size)]
        if rng is not None:
            parts = [parts[i] for i in rng.permutation(len(parts))]
        return iter(parts)

    def shape_key(self, rows):
        """Return the padded length, by which batches of one shape are grouped."""
        return 2 ** int(self.buckets[rows].max())

    def inputs(self, rows):
        length = self.shape_key(rows)
        return self.sequences.take(rows).padded(length), self.linear[rows]

    def targets(self, rows):
        return self.y[rows]

    def weights(self, rows):
        return self.row_weights[rows].astype(np.float32)


def bucket(lengths):
    """Return exponents of padded lengths, because few shapes are then compiled."""
    powers = np.empty(len(lengths), np.uint8)
    for rows in blocks(len(lengths)):
        powers[rows] = np.ceil(np.log2(np.maximum(lengths[rows], SHORTEST_BUCKET)))
    return powers


def kinds_of(targets):
    """Number distinct rows of targets in sorted order, and return each row's number."""
    parts = [np.unique(targets[rows], axis=0) for rows in blocks(len(targets))]
    distinct = np.unique(in_memory(parts), axis=0)
    number = {row.tobytes(): i for i, row in enumerate(distinct)}
    kinds = np.empty(len(targets), np.int32)
    for rows in blocks(len(targets)):
        few, inverse = np.unique(targets[rows], axis=0, return_inverse=True)
        kinds[rows] = np.array([number[row.tobytes()] for row in few])[inverse.ravel()]
    return kinds


def split_stratified(targets, fraction, seed):
    """Split into training and validation rows by kind; few rows have no validation."""
    everything = np.arange(len(targets), dtype=row_type(len(targets)))
    n_validation = int(np.ceil(fraction * len(targets)))
    if fraction == 0 or n_validation < 2 or len(targets) - n_validation < 8:
        return everything, everything[:0]
    kinds = kinds_of(targets)
    counts = np.bincount(kinds)
    if len(targets) > MANY:
        chosen = draw_of_each_kind(kinds, counts, fraction, np.random.RandomState(seed))
        return everything[~chosen], everything[chosen]
    stratify = kinds
    if counts.min() < 2 or n_validation < len(counts):
        stratify = None
    train, validation = train_test_split(
        everything, test_size=n_validation, random_state=seed, stratify=stratify
    )
    return np.sort(train), np.sort(validation)


def draw_of_each_kind(kinds, counts, fraction, rng):
    """Tell which rows are drawn, a share of each kind."""
    # scikit-learn's split makes lists of Python's numbers, which take more memory.
    order, chosen = np.argsort(kinds, kind="stable"), np.zeros(len(kinds), bool)
    for rows in np.split(order, np.cumsum(counts)[:-1]):
        chosen[rng.permutation(rows)[: round(fraction * len(rows))]] = True
    return chosen


def folds_of(targets, train, seed):
    """Cut the training rows into folds, stratified if each kind has enough rows."""
    kinds = kinds_of(targets[train])
    kinds = np.where(np.bincount(kinds)[kinds] < N_FOLDS, -1, kinds)
    if (kinds == -1).sum() < N_FOLDS:
        kinds = np.where(kinds == -1, kinds.max(), kinds)
    if len(train) < N_FOLDS or (np.bincount(kinds - kinds.min()) < N_FOLDS).all():
        return [train]
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [train[part] for _, part in splitter.split(train, kinds)]
