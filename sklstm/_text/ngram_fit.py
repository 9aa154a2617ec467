"""Fit the n-gram model, and give each text logits by a model that has not seen it."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from sklstm._text import ngrams, probabilities
from sklstm._text.dataset import TextTrainingData, folds_of
from sklstm._text.ngrams import FittedNgrams, NgramCounts, NgramModel
from sklstm._utils.disk_arrays import in_file, on_disk, row_type

# n-grams of documents in a file are learned from a sample, of at most this many tokens,
# unless it would have fewer documents than that.
MOST_TOKENS, FEWEST = 2**22, 64


@dataclass(frozen=True)
class NgramFit:
    """The n-gram model of all texts, and held-out logits of each text."""

    ngrams: FittedNgrams
    logits: np.ndarray


@dataclass(frozen=True)
class CountedTexts:
    """The n-grams of texts as counts, with the texts' targets and weights."""

    counts: sp.csr_matrix
    targets: np.ndarray
    weights: np.ndarray
    exclusive: bool

    def fit(self, rows):
        counts = self.counts if len(rows) == len(self.targets) else self.counts[rows]
        model = NgramModel(self.exclusive)
        return model.fit(counts, self.targets[rows], self.weights[rows])


def fit_ngrams(
    data: TextTrainingData, train: np.ndarray, seed: int, ngram_range: tuple
) -> NgramFit | None:
    """Fit the n-gram model to all texts, and score each text by a model without it.

    Validation texts are scored by a model of the training rows `train`, which are
    scored by models of the other folds.

    Returns
    -------
    NgramFit or None
        None if no n-gram is in enough texts.
    """
    rows = sample_rows(data.sequences, seed)
    whole = len(rows) == len(data.sequences)
    counter, texts = count_sample(data, rows, ngram_range)
    if not texts.counts.shape[1]:
        return None
    is_train = np.zeros(len(data.sequences), bool)
    is_train[train] = True
    logits, folds, blind = score_held_out(texts, is_train[rows], seed, whole)
    scale = probabilities.best_scale(
        logits[folds], texts.targets[folds], texts.weights[folds], texts.exclusive
    )
    model = texts.fit(np.arange(len(rows)))
    if whole:
        logits = scale * logits
    else:
        parts = score_all(data.sequences, counter, blind, rows, logits)
        logits = on_disk(scale * part for part in parts)
    return NgramFit(FittedNgrams(counter, model, scale), logits)


def sample_rows(sequences, seed):
    """Return all rows, or a sample of them if a file holds too many tokens."""
    rows = np.arange(len(sequences), dtype=row_type(len(sequences)))
    if not in_file(sequences.ids) or len(sequences.ids) <= MOST_TOKENS:
        return rows
    rows = np.random.RandomState(seed).permutation(rows)
    n_tokens = np.cumsum(sequences.lengths[rows])
    most = np.searchsorted(n_tokens, MOST_TOKENS, "right")
    return np.sort(rows[: max(most, FEWEST)])


def count_sample(data, rows, ngram_range):
    """Learn which n-grams there are, and count them in the sampled rows."""
    whole = len(rows) == len(data.sequences)
    sample = data.sequences if whole else data.sequences.take(rows)
    targets, weights = data.targets[rows], data.weights[rows]
    counter = NgramCounts.learn(sample, weights, data.n_tokens, ngram_range)
    counts = counter.count(sample)
    if in_file(data.sequences.ids) and counts.shape[1]:
        # Memory is left to the models if the entries lie in files.
        entries = on_disk([counts.data]), on_disk([counts.indices])
        counts = sp.csr_matrix((*entries, counts.indptr), shape=counts.shape)
    return counter, CountedTexts(counts, targets, weights, data.exclusive)


def score_held_out(texts, is_train, seed, whole):
    """Score each text by a model that has not seen it.

    Returns
    -------
    logits : ndarray of shape (n_documents, n_outputs)
    folds : ndarray of int
        The training rows, fold after fold.
    blind : NgramModel or None
        The model of training rows, if any other row needs it.
    """
    train, validation = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    logits = np.zeros(texts.targets.shape)
    folds = folds_of(texts.targets, train, seed)
    for fold in folds:
        others = np.setdiff1d(train, fold)
        model = texts.fit(others if len(others) else fold)
        logits[fold] = model.logits(texts.counts[fold])
    blind = texts.fit(train) if len(validation) or not whole else None
    if len(validation):
        logits[validation] = blind.logits(texts.counts[validation])
    return logits, np.concatenate(folds), blind


def score_all(sequences, counter, model, rows, logits):
    """Give logits part by part: those of sampled rows, and a model's of all others."""
    for part in sequences.slices(ngrams.AT_ONCE):
        part_logits = model.logits(counter.count(sequences[part]))
        first, last = np.searchsorted(rows, [part.start, part.stop])
        part_logits[rows[first:last] - part.start] = logits[first:last]
        yield part_logits
