"""n-grams and network side by side: what each learns of the other, and its share."""

import numpy as np
import scipy.sparse as sp

from sklstm._networks import numpy_forward
from sklstm._text import ngrams
from sklstm._text.dataset import folds_of
from sklstm._text.ngrams import NgramCounts, NgramModel
from sklstm._text.sequences import stored
from sklstm._utils.disk_arrays import in_file, on_disk, row_type

# Of the documents that n-grams are learned from, where all lie in a file: tokens, at
# most, unless the documents are fewer than that.
MOST_TOKENS, FEWEST = 2**22, 64
# The network's output layer; at zero, the n-grams stand alone.
HEAD = ("head/kernel", "head/bias")


def learn_ngrams(
    sequences, targets, weights, train, seed, *, n_tokens, ngram_range, exclusive
):
    """Logits of texts by n-gram models that have not seen them, and one of all.

    From the validation block none but the last learns.

    Returns
    -------
    logits : ndarray of shape (n_documents, n_outputs)
    fitted : dict
        Attributes of `LSTMTextClassifier`; None where no n-gram counts.
    """
    rows = drawn(sequences, seed)
    whole = len(rows) == len(sequences)
    sample = sequences if whole else sequences.take(rows)
    targets, weights = targets[rows], weights[rows]
    counter = NgramCounts.learn(sample, weights, n_tokens, ngram_range)
    counts = counter.count(sample)
    if not counts.shape[1]:
        return None, None
    if in_file(sequences.ids):
        counts = on_file(counts)
    del sample

    def learn(rows):
        own = counts if len(rows) == len(targets) else counts[rows]
        return NgramModel(exclusive).fit(own, targets[rows], weights[rows])

    is_train = np.zeros(len(sequences), bool)
    is_train[train] = True
    train, validation = np.flatnonzero(is_train[rows]), np.flatnonzero(~is_train[rows])
    parts = folds_of(targets, train, seed)
    logits = np.zeros(targets.shape)
    for fold in parts:
        others = np.setdiff1d(train, fold)
        logits[fold] = learn(others if len(others) else fold).logits(counts[fold])
    if len(validation) or not whole:
        unaware = learn(train)
    if len(validation):
        logits[validation] = unaware.logits(counts[validation])
    known = np.concatenate(parts)
    scale = ngrams.best_scale(logits[known], targets[known], weights[known], exclusive)
    model = learn(np.arange(len(targets)))
    fitted = {"_ngram_counts": counter, "_ngram_model": model, "_scale": scale}
    if whole:
        return scale * logits, fitted
    parts = logits_of_all(sequences, counter, unaware, rows, logits)
    return on_disk(scale * part for part in parts), fitted


def on_file(counts):
    """The same counts, whose entries lie in files, to leave memory to the models."""
    entries = on_disk([counts.data]), on_disk([counts.indices])
    return sp.csr_matrix((*entries, counts.indptr), shape=counts.shape)


def drawn(sequences, seed):
    """Rows of all documents, or of some in a file that is too long."""
    rows = np.arange(len(sequences), dtype=row_type(len(sequences)))
    if not in_file(sequences.ids) or len(sequences.ids) <= MOST_TOKENS:
        return rows
    rows = np.random.RandomState(seed).permutation(rows)
    n_tokens = np.cumsum(sequences.lengths[rows])
    most = np.searchsorted(n_tokens, MOST_TOKENS, "right")
    return np.sort(rows[: max(most, FEWEST)])


def logits_of_all(sequences, counter, model, rows, known):
    """Logits part by part, by a model or known ones of some rows."""
    for part in sequences.slices(ngrams.AT_ONCE):
        logits = model.logits(counter.count(sequences[part]))
        first, last = np.searchsorted(rows, [part.start, part.stop])
        logits[rows[first:last] - part.start] = known[first:last]
        yield logits


def ngram_logits(sequences, counter, model, scale):
    """The n-gram model's logits, kept where the documents are."""
    parts = (
        scale * model.logits(counter.count(sequences[part]))
        for part in sequences.slices(ngrams.AT_ONCE)
    )
    if not len(sequences):
        return np.empty((0, len(model.intercepts)))
    return stored(parts, sequences)


def judge(spec, weights, data, train, validation):
    """Shrink the network to its best share, and measure it and its simple rivals.

    The share is that of the network's logits beside the n-gram model which has the
    smallest log loss on the validation block, as in stacking (Wolpert, 1992): trained
    beside n-grams of fewer texts, the network is too sure of itself.

    Returns
    -------
    dict
        weights_, baseline_scores_ and skill_.
    """
    exclusive = spec.exclusive
    check = data.y[validation], data.row_weights[validation]
    prior = np.average(data.y[train], 0, data.row_weights[train])
    baselines = {
        "prior": ngrams.log_loss(
            np.tile(ngrams.prior_logits(prior, exclusive), (len(validation), 1)),
            *check,
            exclusive,
        )
    }
    linear = 0.0
    if spec.linear_skip:
        linear = data.linear[validation]
        baselines["ngrams"] = ngrams.log_loss(linear, *check, exclusive)
    logits = numpy_forward.predict_text(
        spec, weights, data.sequences.reordered(validation), linear
    )
    if spec.linear_skip and any(weights[name].any() for name in HEAD):
        share = ngrams.best_share(linear, logits - linear, *check, exclusive)
        weights = weights | {name: share * weights[name] for name in HEAD}
        logits = linear + share * (logits - linear)
    error = ngrams.log_loss(logits, *check, exclusive)
    best = min(baselines.values())
    return {
        "weights_": weights,
        "baseline_scores_": baselines,
        "skill_": 1 - error / best if best > 0 else 0.0,
    }
