"""What a text fit learns from: targets, their split, and batches of like lengths."""

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.utils import column_or_1d

N_FOLDS = 4
SHORTEST_BUCKET = 16


class Documents:
    """Documents in batches of similar length; see `_windows.SeriesWindows`."""

    def __init__(self, sequences, linear, y, row_weights):
        self.sequences, self.linear, self.y = sequences, linear, y
        self.row_weights = row_weights
        self.buckets = bucket(sequences.lengths)

    def batches(self, rows, batch_size, rng=None):
        """Parts of rows of one bucket, in a random order where `rng` is given."""
        if rng is not None:
            rows = rows[rng.permutation(len(rows))]
        parts = []
        for length in np.unique(self.buckets[rows]):
            same = rows[self.buckets[rows] == length]
            parts += [same[i : i + batch_size] for i in range(0, len(same), batch_size)]
        if rng is not None:
            parts = [parts[i] for i in rng.permutation(len(parts))]
        return iter(parts)

    def shape_key(self, rows):
        """What tells batches of one shape from others."""
        return int(self.buckets[rows].max())

    def inputs(self, rows):
        length = self.shape_key(rows)
        return self.sequences.take(rows).padded(length), self.linear[rows]

    def targets(self, rows):
        return self.y[rows]

    def weights(self, rows):
        return self.row_weights[rows].astype(np.float32)


def bucket(lengths):
    """Padded lengths: powers of two, so that few shapes are compiled."""
    powers = np.ceil(np.log2(np.maximum(lengths, SHORTEST_BUCKET))).astype(int)
    return 2**powers


def one_hot(y, classes, multi_label):
    """Targets of shape (n_documents, n_outputs); one column for two classes."""
    if multi_label:
        return np.asarray(y, dtype=np.float64)
    y = column_or_1d(y)
    unknown = ~np.isin(y, classes)
    if unknown.any():
        raise ValueError(
            f"y has the class {y[unknown].tolist()[0]!r}, which is none of "
            f"{classes.tolist()}. "
            "Name all classes in the first call: partial_fit(X, y, classes=...)."
        )
    place = np.searchsorted(classes, y)
    if len(classes) == 2:
        return place[:, None].astype(np.float64)
    return np.eye(len(classes))[place]


def kinds_of(targets):
    """A number for each distinct row of targets."""
    return np.unique(targets, axis=0, return_inverse=True)[1].ravel()


def split_stratified(targets, fraction, seed):
    """Training and validation rows, each kind in its share; none where too few."""
    everything = np.arange(len(targets))
    kinds = kinds_of(targets)
    counts = np.bincount(kinds)
    n_validation = int(np.ceil(fraction * len(targets)))
    if fraction == 0 or n_validation < 2 or len(targets) - n_validation < 8:
        return everything, everything[:0]
    stratify = kinds
    if counts.min() < 2 or n_validation < len(counts):
        stratify = None
    train, validation = train_test_split(
        everything, test_size=n_validation, random_state=seed, stratify=stratify
    )
    return np.sort(train), np.sort(validation)


def folds_of(targets, train, validation, seed):
    """Parts of the training rows, stratified where they can be; validation is last."""
    kinds = kinds_of(targets[train])
    kinds = np.where(np.bincount(kinds)[kinds] < N_FOLDS, -1, kinds)
    if (kinds == -1).sum() < N_FOLDS:
        kinds = np.where(kinds == -1, kinds.max(), kinds)
    if len(train) < N_FOLDS or (np.bincount(kinds - kinds.min()) < N_FOLDS).all():
        return [train, validation]
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [train[part] for _, part in splitter.split(train, kinds)] + [validation]
