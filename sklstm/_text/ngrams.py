"""The linear model beside the text network: n-grams, weighted twice.

Each n-gram counts with its TF-IDF weight times its naive Bayes log-count ratio (Wang
and Manning, 2012), and a logistic regression reads the result. NumPy, SciPy and
scikit-learn only.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from sklstm._text.sequences import UNKNOWN
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import in_memory

# Weak, since both weightings shrink what says little.
C = 10.0
# n-grams of several tokens that only one document has cannot be tested by another.
MIN_DF = 2
# Tokens whose n-grams are made at once: each takes some 100 bytes.
AT_ONCE = 2**18


def check_ngram_range(ngram_range):
    """Raise where a parameter is no pair of numbers of tokens."""
    pair = ngram_range if len(ngram_range) == 2 else (0, 0)
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) for n in pair)
    if not whole or not 1 <= pair[0] <= pair[1]:
        raise ValueError(
            "ngram_range must be a tuple (low, high) of two ints, 1 <= low <= high. "
            f"Got {ngram_range!r}; for words and pairs of them write (1, 2)."
        )


@storable
@dataclass
class NgramCounts:
    """A learned set of n-grams: for each n the sorted keys of those that count."""

    n_tokens: int
    keys: dict

    @classmethod
    def learn(cls, sequences, weights, n_tokens, ngram_range):
        keys, longest = {}, int(62 / np.log2(n_tokens))  # keys are 64-bit integers
        for n in range(ngram_range[0], min(ngram_range[1], longest) + 1):
            least = MIN_DF if n > 1 else 0
            keys[n] = document_keys(sequences, weights, n, n_tokens, least)
        return cls(n_tokens, keys)

    def count(self, sequences):
        """Counts as a sparse matrix of shape (n_documents, n_ngrams)."""
        parts = [self._count(sequences[rows]) for rows in sequences.slices(AT_ONCE)]
        times, columns, n_columns = zip(*parts or [self._count(sequences)], strict=True)
        del parts  # of each kind, the parts go when they are one
        times, columns = in_memory(times), in_memory(columns)
        starts = np.concatenate([[0], np.cumsum(in_memory(n_columns))])
        shape = len(sequences), sum(map(len, self.keys.values()))
        return sp.csr_matrix((times, columns, starts), shape=shape)

    def _count(self, sequences):
        """Counts, their columns document after document, and how many each has."""
        entries, before = [np.empty(0, np.int64)], 0
        width = max(sum(map(len, self.keys.values())), 1)
        for n, known in self.keys.items():
            place, first = self._known(sequences, n)
            entries.append(sequences.documents[first] * width + (before + place))
            before += len(known)
        entries, times = np.unique(np.concatenate(entries), return_counts=True)
        rows, columns = np.divmod(entries, width)
        n_columns = np.bincount(rows, minlength=len(sequences))
        return times.astype(np.int32), columns.astype(np.int32), n_columns

    def _known(self, sequences, n):
        """Places in the keys of the n-grams that count, and their first tokens."""
        known = self.keys[n]
        found, first = ngrams(sequences, n, self.n_tokens)
        order = np.argsort(found)
        place = np.empty_like(order)  # searched in order, keys are in the cache
        place[order] = np.searchsorted(known, found[order])
        hit = place < len(known)
        hit[hit] = known[place[hit]] == found[hit]
        return place[hit], first[hit]

    def spread(self, sequences, effects):
        """The effect of each n-gram in one document, split among its tokens.

        Parameters
        ----------
        effects : ndarray of shape (n_ngrams,)

        Returns
        -------
        ndarray of shape (n_tokens,)
        """
        result, before = np.zeros(len(sequences.ids)), 0
        for n, known in self.keys.items():
            place, first = self._known(sequences, n)
            times = np.bincount(place, minlength=len(known))
            share = effects[before + place] / times[place] / n
            np.add.at(result, first[:, None] + np.arange(n), share[:, None])
            before += len(known)
        return result


def document_keys(sequences, weights, n, n_tokens, least):
    """Sorted keys of the n-grams that are in documents of at least so much weight."""
    keys, counts = [], []
    for rows in sequences.slices(AT_ONCE):
        part, own = sequences[rows], weights[rows]
        found, first = ngrams(part, n, n_tokens)
        found, place = np.unique(found, return_inverse=True)
        pairs = place * len(part) + part.documents[first]
        pairs, _ = np.unique(pairs, return_counts=True)  # sorts; alone, hashes slowly
        place, documents = np.divmod(pairs, len(part))
        keys.append(found)
        counts.append(np.bincount(place, own[documents], len(found)))
    result = [np.empty(0, np.int64)]
    for spans in spans_of(keys):
        found = np.concatenate([own[i] for own, i in zip(keys, spans, strict=True)])
        count = np.concatenate([own[i] for own, i in zip(counts, spans, strict=True)])
        found, place = np.unique(found, return_inverse=True)
        result.append(found[np.bincount(place, count, len(found)) >= least])
    return np.concatenate(result)


def spans_of(keys):
    """Slices of each of some sorted arrays which hold the same span of keys.

    Together they have about `AT_ONCE` keys, since sorting takes some 50 bytes of each.
    """
    if not keys:
        return
    some = np.sort(np.concatenate([own[::64] for own in keys]))
    n_spans = sum(map(len, keys)) // AT_ONCE + 1
    cuts = some[:: len(some) // n_spans + 1][1:]
    ends = np.array([[*np.searchsorted(own, cuts), len(own)] for own in keys])
    starts = np.zeros_like(ends)
    starts[:, 1:] = ends[:, :-1]
    for span in zip(starts.T, ends.T, strict=True):
        yield list(map(slice, *span))


def ngrams(sequences, n, n_tokens):
    """Keys of all n-grams of known tokens, and the place of each one's first token."""
    ids, documents = sequences.ids.astype(np.int64), sequences.documents
    length = max(len(ids) - n + 1, 0)
    keys = np.zeros(length, np.int64)
    inside = documents[:length] == documents[n - 1 :][:length]
    for shift in range(n):
        part = ids[shift : shift + length]
        keys = keys * n_tokens + part
        inside &= part != UNKNOWN
    return keys[inside], np.flatnonzero(inside)


@storable
class NgramModel:
    """Logits of classes from n-gram counts; one column for two classes.

    Parameters
    ----------
    exclusive : bool
        Whether each document is of one class, so that logits go through softmax.
    """

    def __init__(self, exclusive, random_state=0):
        self.exclusive, self.random_state = exclusive, random_state

    def fit(self, counts, targets, weights):
        """Learn from targets of shape (n_documents, n_outputs), zero or one."""
        total, n_outputs = weights.sum(), targets.shape[1]
        self.idf = np.log((1 + total) / (1 + found_in(counts, weights))) + 1
        inputs = self.weighted(counts)
        self.coefficients = np.zeros((counts.shape[1], n_outputs))
        self.intercepts = np.zeros(n_outputs)
        for column in range(n_outputs):
            target = targets[:, column]
            if (target == target[0]).all():
                # Laplace's rule of succession: one document of each kind more.
                share = (total * target[0] + 1) / (total + 2)
                self.intercepts[column] = np.log(share / (1 - share))
                continue
            ratio = log_count_ratio(counts, target, weights)
            scaled = inputs @ sp.diags(ratio)
            if column == n_outputs - 1:
                del inputs  # liblinear holds a copy of its own
            model = LogisticRegression(
                C=C,
                solver="liblinear",
                dual=True,
                max_iter=1000,
                random_state=self.random_state,
            )
            model.fit(scaled, target, sample_weight=weights)
            del scaled
            self.coefficients[:, column] = ratio * model.coef_[0]
            self.intercepts[column] = model.intercept_[0]
        return self

    def weighted(self, counts):
        """Sublinear TF-IDF of unit length, as scikit-learn's `TfidfTransformer`."""
        places = counts.indices, counts.indptr
        logs = 1 + np.log(counts.data), *places
        logs = sp.csr_matrix(logs, shape=counts.shape, copy=False)
        return normalize(logs @ sp.diags(self.idf), copy=False)

    def logits(self, counts):
        return self.weighted(counts) @ self.coefficients + self.intercepts


def found_in(counts, weights):
    """The weight of the documents that each n-gram is in."""
    of_entries = np.repeat(weights, np.diff(counts.indptr))
    return np.bincount(counts.indices, of_entries, minlength=counts.shape[1])


def log_count_ratio(counts, target, weights):
    """log of how much likelier each n-gram is in documents of the class."""
    inside = found_in(counts, weights * target) + 1
    outside = found_in(counts, weights * (1 - target)) + 1
    return np.log(inside / inside.sum()) - np.log(outside / outside.sum())


def log_loss(logits, targets, weights, exclusive):
    """Weighted mean of the negative log-likelihood per document."""
    if exclusive and targets.shape[1] > 1:
        losses = -(targets * log_softmax(logits, axis=1)).sum(axis=1)
    else:
        signs = 1 - 2 * targets
        losses = np.logaddexp(0, signs * logits).mean(axis=1)
    return float(np.average(losses, weights=weights))


def prior_logits(shares, exclusive):
    """Logits of a model that knows nothing but the classes' shares."""
    shares = np.clip(shares, 1e-12, 1 - 1e-12)
    if exclusive and len(shares) > 1:
        return np.log(shares)
    return np.log(shares) - np.log(1 - shares)


def best_share(linear, residual, targets, weights, exclusive):
    """The share in [0, 1] of a residual with the smallest log loss."""

    def loss(share):
        return log_loss(linear + share * residual, targets, weights, exclusive)

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)


def best_scale(logits, targets, weights, exclusive):
    """The factor that gives logits of held-out documents the smallest log loss."""

    def loss(exponent):
        return log_loss(logits * np.exp(exponent), targets, weights, exclusive)

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def log_probabilities(logits, exclusive):
    """Of shape (n_documents, n_classes), or per label where not exclusive."""
    if not exclusive:
        return log_expit(logits)
    if logits.shape[1] == 1:
        return np.concatenate([log_expit(-logits), log_expit(logits)], axis=1)
    return log_softmax(logits, axis=1)


def probabilities(logits, exclusive):
    return np.exp(log_probabilities(logits, exclusive))
