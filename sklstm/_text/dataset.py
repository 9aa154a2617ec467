"""Training data of a text network: documents, their split, batches by length."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from sklstm._text.sequences import FIRST, Sequences
from sklstm._utils.disk_arrays import blocks, row_type

N_FOLDS = 4
SHORTEST_BUCKET = 16
# From this many documents on, splits are drawn with little memory for each document.
MANY = 2**18


@dataclass(frozen=True)
class TextTrainingData:
    """Texts as ids of `words`, each of which stands for `n_repeats` equal ones."""

    words: dict
    sequences: Sequences
    targets: np.ndarray
    n_repeats: np.ndarray
    weights: np.ndarray  # of each repeat, of shape (n_documents,)
    exclusive: bool
    # Of a label that a text lacks, and has; of shape (2, n_labels).
    label_weights: np.ndarray | None = None

    @property
    def n_tokens(self):
        return len(self.words) + FIRST

    def padded_length(self, max_length):
        """Return the length to which the longest text is padded."""
        longest = self.sequences.lengths.max(initial=0)
        if max_length is not None:
            longest = min(longest, max_length)
        return 2 ** int(bucket(np.array([longest])).max())

    def split(self, fraction, seed):
        """Split repeats into training and validation.

        Returns
        -------
        data : TextTrainingData
            A text with repeats on both sides is in it twice.
        train, validation : ndarray of int
        """
        documents = repeat_rows(self.n_repeats)
        train, validation = split_stratified(self.targets, documents, fraction, seed)
        if not len(validation):
            return self, row_numbers(self.n_repeats), validation
        rows, sides, n_repeats = [], [], []
        for side, part in enumerate((train, validation)):
            part_rows, counts = np.unique(part, return_counts=True)
            rows.append(part_rows.astype(documents.dtype))
            n_repeats.append(counts)
            sides.append(np.full(len(part_rows), side == 1))
        both, is_validation = np.concatenate(rows), np.concatenate(sides)
        order = np.argsort(both, kind="stable")
        both, is_validation = both[order], is_validation[order]
        data = self.take(both, np.concatenate(n_repeats)[order])
        everything = row_numbers(data.n_repeats)
        return data, everything[~is_validation], everything[is_validation]

    def take(self, rows, n_repeats):
        """Return texts at sorted `rows`, each as often as `n_repeats` says."""
        sequences = self.sequences
        if len(rows) != len(sequences) or (rows[1:] == rows[:-1]).any():
            sequences = sequences.reordered(rows)
        return replace(
            self,
            sequences=sequences,
            targets=self.targets[rows],
            n_repeats=n_repeats,
            weights=self.weights[rows],
        )

    def element_weights(self, rows=slice(None)):
        """Return weights of repeats in the loss, for each output if they differ."""
        weights = self.weights[rows]
        if self.label_weights is None:
            return weights
        lacks, has = self.label_weights
        return weights[:, None] * np.where(self.targets[rows], has, lacks)

    def total_weights(self, rows=slice(None)):
        """Return the weights of all repeats of each text together."""
        weights = self.element_weights(rows)
        n_repeats = self.n_repeats[rows]
        return weights * n_repeats.reshape(-1, *[1] * (weights.ndim - 1))


def row_numbers(n_repeats):
    return np.arange(len(n_repeats), dtype=row_type(len(n_repeats)))


def repeat_rows(n_repeats, rows=None):
    """Return each row as often as it repeats."""
    rows = row_numbers(n_repeats) if rows is None else rows
    n_repeats = n_repeats[rows]
    return rows if (n_repeats == 1).all() else np.repeat(rows, n_repeats)


class Documents:
    """Documents in batches of similar length; a `WindowDataset` of texts.

    Parameters
    ----------
    n_repeats : ndarray of int of shape (n_documents,)
        How often an epoch of training visits a document.
    row_weights : ndarray of shape (n_documents,)
        The weight of a document each time.
    """

    def __init__(self, sequences, linear, y, n_repeats, row_weights):
        self.sequences, self.linear, self.y = sequences, linear, y
        self.n_repeats, self.row_weights = n_repeats, row_weights
        self.buckets = bucket(sequences.lengths)

    def batches(self, rows, batch_size, rng=None):
        """Cut rows of each bucket into batches.

        Where `rng` is given, the order is random, and rows come with their repeats.
        """
        if rng is not None:
            rows = rng.permutation(repeat_rows(self.n_repeats, rows))
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
    """Number distinct rows of targets by falling frequency; return each row's number.

    Those of equal frequency are in the order of their first rows, so that splits drawn
    by these numbers do not depend on the names of classes.
    """
    number: dict = {}
    kinds = np.empty(len(targets), np.int32)
    for rows in blocks(len(targets)):
        few, first, inverse = np.unique(
            targets[rows], axis=0, return_index=True, return_inverse=True
        )
        for i in np.argsort(first):
            number.setdefault(few[i].tobytes(), len(number))
        kinds[rows] = np.array([number[row.tobytes()] for row in few])[inverse.ravel()]
    ranks = np.argsort(np.argsort(-np.bincount(kinds), kind="stable"))
    return ranks.astype(np.int32)[kinds]


def split_stratified(targets, documents, fraction, seed):
    """Split documents by kind; where there are few, none are for validation.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, n_outputs)
    documents : ndarray of int
        The row of each document; equal documents are of one row.

    Returns
    -------
    train, validation : ndarray of int
        Sorted rows, as often as their documents are there.
    """
    n_validation = int(np.ceil(fraction * len(documents)))
    if fraction == 0 or n_validation < 2 or len(documents) - n_validation < 8:
        return documents, documents[:0]
    train, validation = drawn_by_kind(targets, documents, fraction, seed)
    train, validation = with_every_class(targets, train, validation)
    return (train, validation) if len(validation) > 1 else (documents, documents[:0])


def drawn_by_kind(targets, documents, fraction, seed):
    """Draw documents for validation, a share of each kind where that is possible."""
    kinds = kinds_of(targets)[documents]
    counts = np.bincount(kinds)
    if len(documents) > MANY:
        rng = np.random.RandomState(seed)
        chosen = draw_of_each_kind(kinds, counts, fraction, rng)
        return documents[~chosen], documents[chosen]
    n_validation, stratify = int(np.ceil(fraction * len(documents))), kinds
    # scikit-learn cannot stratify kinds that do not reach both sides.
    if counts.min() < 2 or n_validation < len(counts):
        stratify = None
    train, validation = train_test_split(
        documents, test_size=n_validation, random_state=seed, stratify=stratify
    )
    return np.sort(train), np.sort(validation)


def with_every_class(targets, train, validation):
    """Move to training a validation text of each class that training lacks.

    Of each label, training gets a text that has it and one that lacks it.
    """
    learned, others = targets[train], targets[validation]
    has = others.any(axis=0) & ~learned.any(axis=0)
    lacks = ~others.all(axis=0) & learned.all(axis=0)
    first = [others[:, has].argmax(axis=0), others[:, lacks].argmin(axis=0)]
    moved = np.unique(np.concatenate(first))
    if not len(moved):
        return train, validation
    train = np.sort(np.concatenate([train, validation[moved]]))
    return train, np.delete(validation, moved)


def draw_of_each_kind(kinds, counts, fraction, rng):
    """Tell which rows are drawn, a share of each kind."""
    # scikit-learn's split makes lists of Python's numbers, which take more memory.
    order, chosen = np.argsort(kinds, kind="stable"), np.zeros(len(kinds), bool)
    for rows in np.split(order, np.cumsum(counts)[:-1]):
        chosen[rng.permutation(rows)[: round(fraction * len(rows))]] = True
    return chosen


def folds_of(targets, documents, seed):
    """Cut documents into folds, stratified if each kind has enough of them."""
    kinds = kinds_of(targets)[documents]
    # Rare kinds are split as one, since each fold needs a document of every kind.
    kinds = np.where(np.bincount(kinds)[kinds] < N_FOLDS, -1, kinds)
    if (kinds == -1).sum() < N_FOLDS:
        kinds = np.where(kinds == -1, kinds.max(), kinds)
    few = (np.bincount(kinds - kinds.min()) < N_FOLDS).all()
    if len(documents) < N_FOLDS or few:
        return [documents]
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return [documents[part] for _, part in splitter.split(documents, kinds)]
