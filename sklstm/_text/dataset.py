"""What a text network learns from: documents, their split, batches of like lengths."""

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from sklstm._utils.disk_arrays import blocks, in_memory, row_type

N_FOLDS = 4
SHORTEST_BUCKET = 16
# Documents that are split with little memory for each.
MANY = 2**18


class Documents:
    """Documents in batches of similar length; see `_windows.SeriesWindows`."""

    def __init__(self, sequences, linear, y, row_weights):
        self.sequences, self.linear, self.y = sequences, linear, y
        self.row_weights = row_weights
        self.buckets = bucket(sequences.lengths)

    def batches(self, rows, batch_size, rng=None):
        """Parts of rows of one bucket, in a random order where `rng` is given."""
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
        """What tells batches of one shape from others."""
        return 2 ** int(self.buckets[rows].max())

    def inputs(self, rows):
        length = self.shape_key(rows)
        return self.sequences.take(rows).padded(length), self.linear[rows]

    def targets(self, rows):
        return self.y[rows]

    def weights(self, rows):
        return self.row_weights[rows].astype(np.float32)


def bucket(lengths):
    """Padded lengths, as powers of two: few shapes are then compiled."""
    powers = np.empty(len(lengths), np.uint8)
    for rows in blocks(len(lengths)):
        powers[rows] = np.ceil(np.log2(np.maximum(lengths[rows], SHORTEST_BUCKET)))
    return powers


def kinds_of(targets):
    """A number for each distinct row of targets, in their order."""
    found = [np.unique(targets[rows], axis=0) for rows in blocks(len(targets))]
    distinct = np.unique(in_memory(found), axis=0)
    place = {row.tobytes(): number for number, row in enumerate(distinct)}
    kinds = np.empty(len(targets), np.int32)
    for rows in blocks(len(targets)):
        own, inverse = np.unique(targets[rows], axis=0, return_inverse=True)
        kinds[rows] = np.array([place[row.tobytes()] for row in own])[inverse.ravel()]
    return kinds


def split_stratified(targets, fraction, seed):
    """Training and validation rows, each kind in its share; none where too few."""
    everything = np.arange(len(targets), dtype=row_type(len(targets)))
    n_validation = int(np.ceil(fraction * len(targets)))
    if fraction == 0 or n_validation < 2 or len(targets) - n_validation < 8:
        return everything, everything[:0]
    kinds = kinds_of(targets)
    counts = np.bincount(kinds)
    if len(targets) > MANY:
        chosen = drawn_of_each(kinds, counts, fraction, np.random.RandomState(seed))
        return everything[~chosen], everything[chosen]
    stratify = kinds
    if counts.min() < 2 or n_validation < len(counts):
        stratify = None
    train, validation = train_test_split(
        everything, test_size=n_validation, random_state=seed, stratify=stratify
    )
    return np.sort(train), np.sort(validation)


def drawn_of_each(kinds, counts, fraction, rng):
    """Whether each is drawn; scikit-learn's split makes lists of Python's numbers."""
    order, chosen = np.argsort(kinds, kind="stable"), np.zeros(len(kinds), bool)
    for own in np.split(order, np.cumsum(counts)[:-1]):
        chosen[rng.permutation(own)[: round(fraction * len(own))]] = True
    return chosen


def folds_of(targets, train, seed):
    """Parts of the training rows, stratified where they can be."""
    kinds = kinds_of(targets[train])
    kinds = np.where(np.bincount(kinds)[kinds] < N_FOLDS, -1, kinds)
    if (kinds == -1).sum() < N_FOLDS:
        kinds = np.where(kinds == -1, kinds.max(), kinds)
    if len(train) < N_FOLDS or (np.bincount(kinds - kinds.min()) < N_FOLDS).all():
        return [train]
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [train[part] for _, part in splitter.split(train, kinds)]
