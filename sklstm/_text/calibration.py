"""Calibrate the logits of an n-gram model by texts that it has not seen."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, softmax

from sklstm._text import probabilities

# Bounds of the logarithm of the factor.
BOUNDS = (-4, 4)


def calibrate(logits, intercepts, prior, targets, weights, exclusive):
    """Fit a factor of logits, and intercepts, as in Platt scaling.

    Two rules keep probabilities away from 0 and 1 where a model is right of all texts
    (Platt, 1999): targets are smoothed by a text of each class, and the intercepts are
    drawn to the shares of classes, with the weight of a text.

    Parameters
    ----------
    logits : ndarray of shape (n_documents, n_outputs)
        Of held-out texts.
    intercepts, prior : ndarray of shape (n_outputs,)
        Of the model of all texts, and of a model that knows the shares alone.
    targets : ndarray of bool of shape (n_documents, n_outputs)
    weights : ndarray of shape (n_documents,) or (n_documents, n_outputs)

    Returns
    -------
    scale : float
    intercepts : ndarray of shape (n_outputs,)
        To be added to scaled logits without those of the model.
    """
    weights = weights[:, None] if weights.ndim == 1 else weights
    softmaxed = exclusive and targets.shape[1] > 1
    smooth = smoothed(targets, weights, softmaxed)
    total = np.broadcast_to(weights, targets.shape).sum()
    activation = softmax_rows if softmaxed else expit

    def loss(parameters):
        scale, shifts = np.exp(parameters[0]), parameters[1:]
        scaled = scale * logits
        pull = scale * intercepts + shifts - prior
        value = cross_entropy(scaled + shifts, smooth, weights, softmaxed)
        slopes = weights * (activation(scaled + shifts) - smooth)
        by_scale = (slopes * scaled).sum() + (pull * scale * intercepts).sum()
        gradient = np.append(by_scale, slopes.sum(axis=0) + pull)
        return (value + 0.5 * pull @ pull) / total, gradient / total

    start = np.append(0.0, prior - intercepts)
    bounds = [BOUNDS] + [(None, None)] * len(prior)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    scale, shifts = float(np.exp(found.x[0])), found.x[1:]
    return scale, scale * intercepts + shifts


def softmax_rows(logits):
    return softmax(logits, axis=1)


def smoothed(targets, weights, softmaxed):
    """Return Platt's targets: one text more has each class, and one more lacks it."""
    has = (weights * targets).sum(axis=0)
    if softmaxed:
        n_classes = len(has)
        # One of two more texts of a class is of the other classes, all alike.
        others = 1 / ((has + 2) * (n_classes - 1))
        result = np.repeat((targets @ others)[:, None], n_classes, axis=1)
        return np.where(targets, 1 - (n_classes - 1) * result, result)
    lacks = (weights * ~targets).sum(axis=0)
    return np.where(targets, (has + 1) / (has + 2), 1 / (lacks + 2))


def cross_entropy(logits, targets, weights, softmaxed):
    logs = probabilities.log_probabilities
    if softmaxed:
        return -(weights * targets * logs(logits, True)).sum()
    losses = targets * np.logaddexp(0, -logits)
    return (weights * (losses + (1 - targets) * np.logaddexp(0, logits))).sum()
