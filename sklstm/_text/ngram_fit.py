"""Fit the n-gram model, and give each text logits by a model that has not seen it."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from sklstm._text import ngrams, probabilities
from sklstm._text.calibration import calibrate
from sklstm._text.dataset import TextTrainingData, folds_of, repeat_rows
from sklstm._text.deduplication import text_digests
from sklstm._text.ngrams import FittedNgrams, NgramCounts, NgramModel
from sklstm._utils.disk_arrays import in_file, on_disk, row_type

# n-grams of documents in a file are learned from a sample, of at most this many tokens,
# unless it would have fewer documents than that.
MOST_TOKENS, FEWEST = 2**22, 64
# Held-out logits of texts in files are kept for at most this many.
MOST_KEPT = 2**17


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
    n_repeats: np.ndarray
    weights: np.ndarray  # of each repeat, by output if they differ
    exclusive: bool

    def fit(self, n_repeats):
        """Fit a model to texts, each as often as `n_repeats` says.

        Texts of equal weight have a penalty in proportion to their number, because the
        models of folds are then as sure as that of all texts, which is calibrated by
        them. The more unequal the weights, the less the penalty is lowered, because
        those who weigh rare classes want them found rather than sure of.
        """
        rows = np.flatnonzero(n_repeats)
        counts = self.counts if len(rows) == len(self.targets) else self.counts[rows]
        model = NgramModel(self.exclusive)
        targets, weights = self.targets[rows], self.weights[rows]
        penalty = (n_repeats.sum() / self.n_repeats.sum()) ** self.evenness
        return model.fit(counts, targets, n_repeats[rows], weights, penalty)

    @property
    def evenness(self):
        """The effective number of texts (Kish, 1965) as a share of their number."""
        weights = self.weights if self.weights.ndim == 1 else self.weights.mean(axis=1)
        totals = self.n_repeats * weights
        return totals.sum() ** 2 / (self.n_repeats.sum() * (totals @ weights))


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
    is_train = is_train[rows]
    logits, blind = score_held_out(texts, is_train, seed, whole)
    model = texts.fit(texts.n_repeats)
    targets, weights = texts.targets[is_train], data.total_weights(rows)[is_train]
    prior = probabilities.smooth_prior_logits(targets, weights, data.exclusive)
    scale, intercepts = calibrate(
        logits[is_train], model.intercepts, prior, targets, weights, data.exclusive
    )
    shift = intercepts - scale * model.intercepts
    if whole:
        logits = scale * logits + shift
        logits[np.diff(texts.counts.indptr) == 0] = prior
    else:
        parts = score_all(data.sequences, counter, blind, rows, logits)
        logits = on_disk(scale * part + shift for part in parts)
    held_out = by_digest(data.sequences, logits)
    fitted = FittedNgrams(counter, model, scale, intercepts, prior, *held_out)
    return NgramFit(fitted, logits)


def by_digest(sequences, logits):
    """Return sorted digests of texts, and the logits of each; none of a long file."""
    if in_file(sequences.ids) and len(sequences) > MOST_KEPT:
        return np.empty(0, "<u8"), np.empty((0, logits.shape[1]))
    digests, first = np.unique(text_digests(sequences), return_index=True)
    return digests, np.array(logits[first])


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
    targets, n_repeats = data.targets[rows], data.n_repeats[rows]
    counter = NgramCounts.learn(sample, n_repeats, data.n_tokens, ngram_range)
    counts = counter.count(sample)
    if in_file(data.sequences.ids) and counts.shape[1]:
        # Memory is left to the models if the entries lie in files.
        entries = on_disk([counts.data]), on_disk([counts.indices])
        counts = sp.csr_matrix((*entries, counts.indptr), shape=counts.shape)
    weights = data.element_weights(rows)
    return counter, CountedTexts(counts, targets, n_repeats, weights, data.exclusive)


def score_held_out(texts, is_train, seed, whole):
    """Score each text by models that have not seen it.

    A text whose repeats are in several folds gets the mean of what they get.

    Returns
    -------
    logits : ndarray of shape (n_documents, n_outputs)
    blind : NgramModel or None
        The model of training rows, if any other row needs it.
    """
    logits, n_train = np.zeros(texts.targets.shape), texts.n_repeats * is_train
    documents = repeat_rows(texts.n_repeats, np.flatnonzero(is_train))
    for fold in folds_of(texts.targets, documents, seed):
        rows, n_repeats = np.unique(fold, return_counts=True)
        others = n_train.copy()
        others[rows] -= n_repeats
        model = texts.fit(others if others.any() else n_train)
        share = (n_repeats / n_train[rows])[:, None]
        logits[rows] += share * model.logits(texts.counts[rows])
    blind = None
    if not (whole and is_train.all()):
        blind = texts.fit(n_train)
        if not is_train.all():
            logits[~is_train] = blind.logits(texts.counts[~is_train])
    return logits, blind


def score_all(sequences, counter, model, rows, logits):
    """Yield logits part by part: those of sampled rows, and a model's of all others."""
    for part in sequences.slices(ngrams.AT_ONCE):
        part_logits = model.logits(counter.count(sequences[part]))
        first, last = np.searchsorted(rows, [part.start, part.stop])
        part_logits[rows[first:last] - part.start] = logits[first:last]
        yield part_logits
