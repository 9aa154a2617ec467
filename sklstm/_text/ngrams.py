"""The linear model beside the text network: n-grams, weighted twice.

Each n-gram counts with its TF-IDF weight times its naive Bayes log-count ratio (Wang
and Manning, 2012), and a logistic regression reads the result. NumPy, SciPy and
scikit-learn only.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from sklstm._text.deduplication import text_digests
from sklstm._text.sequences import UNKNOWN, stored
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import in_memory

# Weak, since both weightings shrink what says little.
C = 10.0
# At scikit-learn's 1e-4 a fit takes up to 1.8 times as long; logits differ by 0.003.
TOLERANCE = 1e-2
# An n-gram of several tokens that only one document has cannot be tested on another.
MIN_DF = 2
# n-grams of this many tokens are made at once, because each takes some 100 bytes.
AT_ONCE = 2**18


def check_ngram_range(ngram_range):
    """Raise if `ngram_range` is not a pair of token counts."""
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
    """A learned set of n-grams: for each n, their keys, sorted."""

    n_tokens: int
    keys: dict

    @classmethod
    def learn(cls, sequences, n_repeats, n_tokens, ngram_range):
        """Find the n-grams that are in enough documents."""
        keys, longest = {}, int(62 / np.log2(n_tokens))  # keys are 64-bit integers
        for n in range(ngram_range[0], min(ngram_range[1], longest) + 1):
            least = MIN_DF if n > 1 else 0
            keys[n] = document_keys(sequences, n_repeats, n, n_tokens, least)
        return cls(n_tokens, keys)

    def count(self, sequences):
        """Return counts as a sparse matrix of shape (n_documents, n_ngrams)."""
        parts = [self._count(sequences[rows]) for rows in sequences.slices(AT_ONCE)]
        times, columns, n_columns = zip(*parts or [self._count(sequences)], strict=True)
        del parts  # so that parts of each kind are freed when they are concatenated
        times, columns = in_memory(times), in_memory(columns)
        starts = np.concatenate([[0], np.cumsum(in_memory(n_columns))])
        shape = len(sequences), sum(map(len, self.keys.values()))
        return sp.csr_matrix((times, columns, starts), shape=shape)

    def _count(self, sequences):
        """Return counts and columns by document, and each document's number of them."""
        found, n_before = [np.empty(0, np.int64)], 0
        width = max(sum(map(len, self.keys.values())), 1)
        for n, keys in self.keys.items():
            position, first = self._look_up(sequences, n)
            found.append(sequences.documents[first] * width + (n_before + position))
            n_before += len(keys)
        entries, times = np.unique(np.concatenate(found), return_counts=True)
        rows, columns = np.divmod(entries, width)
        n_columns = np.bincount(rows, minlength=len(sequences))
        return times.astype(np.int32), columns.astype(np.int32), n_columns

    def _look_up(self, sequences, n):
        """Return positions in the learned keys, and those of the first tokens."""
        keys = self.keys[n]
        present, first = ngrams(sequences, n, self.n_tokens)
        order = np.argsort(present)
        position = np.empty_like(order)
        # A search in sorted order finds the keys in the processor's cache.
        position[order] = np.searchsorted(keys, present[order])
        hit = position < len(keys)
        hit[hit] = keys[position[hit]] == present[hit]
        return position[hit], first[hit]

    def split_among_tokens(self, sequences, effects):
        """Split the effect of each n-gram in one document equally among its tokens.

        Parameters
        ----------
        effects : ndarray of shape (n_ngrams,)

        Returns
        -------
        ndarray of shape (n_tokens,)
        """
        result, n_before = np.zeros(len(sequences.ids)), 0
        for n, keys in self.keys.items():
            position, first = self._look_up(sequences, n)
            times = np.bincount(position, minlength=len(keys))
            share = effects[n_before + position] / times[position] / n
            np.add.at(result, first[:, None] + np.arange(n), share[:, None])
            n_before += len(keys)
        return result


def document_keys(sequences, n_repeats, n, n_tokens, least):
    """Return the sorted keys of n-grams that at least so many documents have."""
    keys, counts = [], []
    for rows in sequences.slices(AT_ONCE):
        part, part_repeats = sequences[rows], n_repeats[rows]
        present, first = ngrams(part, n, n_tokens)
        present, position = np.unique(present, return_inverse=True)
        pairs = position * len(part) + part.documents[first]
        # return_counts makes NumPy sort, which is faster here than hashing.
        pairs, _ = np.unique(pairs, return_counts=True)
        position, documents = np.divmod(pairs, len(part))
        keys.append(present)
        counts.append(np.bincount(position, part_repeats[documents], len(present)))
    result = [np.empty(0, np.int64)]
    for spans in spans_of(keys):
        present = concatenate_spans(keys, spans)
        present, position = np.unique(present, return_inverse=True)
        number = np.bincount(position, concatenate_spans(counts, spans), len(present))
        result.append(present[number >= least])
    return np.concatenate(result)


def concatenate_spans(arrays, spans):
    return np.concatenate([array[i] for array, i in zip(arrays, spans, strict=True)])


def spans_of(keys):
    """Yield slices, one of each sorted array, which hold the same span of keys.

    Together they hold about `AT_ONCE` keys, because sorting takes some 50 bytes a key.
    """
    if not keys:
        return
    # A sample is enough to cut the keys into spans of about the same number.
    some = np.sort(np.concatenate([part[::64] for part in keys]))
    n_spans = sum(map(len, keys)) // AT_ONCE + 1
    cuts = some[:: len(some) // n_spans + 1][1:]
    ends = np.array([[*np.searchsorted(part, cuts), len(part)] for part in keys])
    starts = np.zeros_like(ends)
    starts[:, 1:] = ends[:, :-1]
    for span in zip(starts.T, ends.T, strict=True):
        yield list(map(slice, *span))


def ngrams(sequences, n, n_tokens):
    """Return keys of all n-grams of known tokens, and positions of first tokens."""
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

    def fit(self, counts, targets, n_repeats, weights, penalty=1.0):
        """Fit to targets of shape (n_documents, n_outputs), zero or one.

        Frequencies and ratios count documents, and only the loss is weighted, because
        heavy documents would otherwise be learned by heart.

        Parameters
        ----------
        n_repeats : ndarray of shape (n_documents,)
            Documents that each document stands for.
        weights : ndarray of shape (n_documents,) or (n_documents, n_outputs)
            The weight of each of these in the loss, of all outputs or of each.
        penalty : float, default=1.0
            Factor of the penalty of coefficients.
        """
        total, n_outputs = n_repeats.sum(), targets.shape[1]
        in_documents = document_counts(counts, n_repeats)
        self.idf = np.log((1 + total) / (1 + in_documents)) + 1
        inputs = self.weighted(counts)
        self.coefficients = np.zeros((counts.shape[1], n_outputs))
        self.intercepts = np.zeros(n_outputs)
        for column in range(n_outputs):
            target = targets[:, column]
            loss_weights = weights if weights.ndim == 1 else weights[:, column]
            has_weight = n_repeats * (loss_weights > 0)
            n_weighted, n_inside = has_weight.sum(), has_weight @ target
            if n_inside in (0, n_weighted):
                # Laplace's rule of succession adds one document of each kind.
                share = (n_inside + 1) / (n_weighted + 2)
                self.intercepts[column] = np.log(share / (1 - share))
                continue
            # The solver orders texts by the target. Of two classes, that of the first
            # text is the negative one, because names of classes must not set the order.
            flips = self.exclusive and n_outputs == 1 and target[0]
            target, sign = target != flips, -1 if flips else 1
            inside = document_counts(counts, n_repeats * target)
            ratio = log_count_ratio(inside, in_documents - inside)
            scaled = scale_columns(inputs, ratio)
            if column == n_outputs - 1:
                del inputs  # because liblinear makes a copy
            model = LogisticRegression(
                C=C / penalty,
                solver="liblinear",
                dual=True,
                tol=TOLERANCE,
                max_iter=1000,
                random_state=self.random_state,
            )
            sample_weight = effective_weights(n_repeats, loss_weights)
            model.fit(scaled, target, sample_weight=sample_weight)
            del scaled
            self.coefficients[:, column] = sign * ratio * model.coef_[0]
            self.intercepts[column] = sign * model.intercept_[0]
        return self

    def weighted(self, counts):
        """Return sublinear TF-IDF of unit length, as in scikit-learn."""
        logs = 1 + np.log(counts.data), counts.indices, counts.indptr
        logs = sp.csr_matrix(logs, shape=counts.shape, copy=False)
        return normalize(scale_columns(logs, self.idf), copy=False)

    def logits(self, counts):
        return self.effects(counts) + self.intercepts

    def effects(self, counts):
        """Return logits without the intercepts."""
        return self.weighted(counts) @ self.coefficients


def document_counts(counts, n_repeats):
    """Return the number of documents that each n-gram is in."""
    of_entries = np.repeat(n_repeats, np.diff(counts.indptr))
    return np.bincount(counts.indices, of_entries, minlength=counts.shape[1])


def scale_columns(matrix, factors):
    """Multiply each column by its factor, and share the indices of the entries.

    A product with a diagonal matrix takes five times as long.
    """
    entries = matrix.data * factors[matrix.indices], matrix.indices, matrix.indptr
    return sp.csr_matrix(entries, shape=matrix.shape, copy=False)


def log_count_ratio(inside, outside):
    """Return the log of how much likelier each n-gram is in texts of the class.

    Shares are those of all n-grams, because texts of one class may be longer. A
    document with every n-gram is added, split between the sides as all n-grams are,
    because a whole one for each would make all n-grams look typical of a rare class.

    Parameters
    ----------
    inside, outside : ndarray of shape (n_ngrams,)
        Documents of the class, and of others, that each n-gram is in.
    """
    total = inside.sum() + outside.sum()
    share = (inside.sum() + 1) / (total + 2)
    return np.log(inside / share + 1) - np.log(outside / (1 - share) + 1)


def effective_weights(n_repeats, weights):
    """Return the weights of documents, which add up to their effective number.

    Few heavy documents say no more than few of weight one. With weights that add up to
    the number of documents, they would be learned by heart, with the noise in them.
    The effective number is Kish's (1965), in which a document of weight 0 counts for
    nothing.
    """
    totals = n_repeats * weights
    return totals * (totals.sum() / (totals @ weights))


@storable
@dataclass(frozen=True)
class FittedNgrams:
    """The linear model of texts: its n-grams, their weights, and their calibration.

    Attributes
    ----------
    scale : float
        Of the effects of n-grams.
    intercepts : ndarray of shape (n_outputs,)
    prior : ndarray of shape (n_outputs,)
        Logits of texts in which no n-gram is known.
    digests, held_out : ndarray, of shape (n_documents,) and (n_documents, n_outputs)
        Of the texts learned from, the logits by models without them. Empty where texts
        lie in a file.
    """

    counter: NgramCounts
    model: NgramModel
    scale: float
    intercepts: np.ndarray
    prior: np.ndarray
    digests: np.ndarray
    held_out: np.ndarray

    def logits(self, sequences):
        """Return logits, in a file if the documents lie in one."""
        if not len(sequences):
            return np.empty((0, len(self.model.intercepts)))
        parts = (
            self._score(self.counter.count(sequences[rows]))
            for rows in sequences.slices(AT_ONCE)
        )
        return stored(parts, sequences)

    def training_logits(self, sequences):
        """Return logits that the network may be trained beside.

        Texts that the model was fitted to have logits by models without them.
        """
        if not len(self.digests):
            return self.logits(sequences)
        # A copy, because logits of documents in a file lie in a file that is only read.
        logits = np.array(self.logits(sequences))
        digests = text_digests(sequences)
        position = np.searchsorted(self.digests, digests)
        position = np.minimum(position, len(self.digests) - 1)
        is_known = self.digests[position] == digests
        logits[is_known] = self.held_out[position[is_known]]
        return logits

    def _score(self, counts):
        logits = self.scale * self.model.effects(counts) + self.intercepts
        logits[np.diff(counts.indptr) == 0] = self.prior
        return logits
