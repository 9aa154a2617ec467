"""Logits as probabilities, and the log loss of these."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax


def log_loss(logits, targets, weights, exclusive):
    """Return the weighted mean of the negative log-likelihood per document.

    Parameters
    ----------
    weights : ndarray of shape (n_documents,) or (n_documents, n_labels)
    """
    if exclusive and targets.shape[1] > 1:
        losses = -(targets * log_softmax(logits, axis=1)).sum(axis=1)
    else:
        signs = 1 - 2 * targets
        losses = np.logaddexp(0, signs * logits)
        if weights.ndim == 1:
            losses = losses.mean(axis=1)
    return float(np.average(losses, weights=weights))


def prior_logits(shares, exclusive):
    """Return the logits of a model that knows the shares of classes alone."""
    shares = np.clip(shares, 1e-12, 1 - 1e-12)
    if exclusive and len(shares) > 1:
        return np.log(shares)
    return np.log(shares) - np.log(1 - shares)


def smooth_prior_logits(targets, weights, exclusive):
    """Return the logits of class shares, as if one more text were of all classes alike.

    Parameters
    ----------
    targets : ndarray of bool of shape (n_documents, n_outputs)
    weights : ndarray of shape (n_documents,) or (n_documents, n_outputs)
    """
    shares = np.average(targets, 0, weights)
    n_texts = weights.sum() / (1 if weights.ndim == 1 else weights.shape[1])
    middle = 0.5 if len(shares) == 1 else 1 / len(shares)
    return prior_logits((shares * n_texts + middle) / (n_texts + 1), exclusive)


def best_share(linear, residual, targets, weights, exclusive):
    """Return the share in [0, 1] of a residual with the smallest log loss."""

    def loss(share):
        return log_loss(linear + share * residual, targets, weights, exclusive)

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)


def log_probabilities(logits, exclusive):
    """Return log probabilities of classes, or of labels if not exclusive."""
    if not exclusive:
        return log_expit(logits)
    if logits.shape[1] == 1:
        return np.concatenate([log_expit(-logits), log_expit(logits)], axis=1)
    return log_softmax(logits, axis=1)


def probabilities(logits, exclusive):
    return np.exp(log_probabilities(logits, exclusive))
