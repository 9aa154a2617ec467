"""Losses and metrics on any Keras backend."""

from dataclasses import dataclass

import numpy as np

# Names of the absolute error in Keras.
ABSOLUTE = ("mae", "MAE", "mean_absolute_error")


def fitted_loss(loss, has_many_series):
    """Return the loss that "auto" stands for, or the loss that was given.

    Of many series, squared errors would let a few rule what all share.
    """
    if loss != "auto":
        return loss
    return "mae" if has_many_series else "mse"


def metric_for(loss):
    """Return the metric of differences by which simple models are compared."""
    return np.abs if loss in ABSOLUTE else np.square


@dataclass(frozen=True)
class Pinball:
    """Loss of quantiles (Koenker and Bassett, 1978), the mean over their levels.

    Takes outputs of shape (batch, n_levels * n_values), level after level.
    """

    levels: tuple

    def __call__(self, y_true, y_pred):
        from keras import ops

        levels = np.repeat(self.levels, y_pred.shape[1] // len(self.levels))
        levels = ops.convert_to_tensor(levels, "float32")  # torch knows no others
        error = y_true - y_pred
        return ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=-1)


@dataclass(frozen=True)
class WeightedLabels:
    """Binary cross-entropy with a weight for each label a row lacks, and it has."""

    lacks: tuple
    has: tuple

    def __call__(self, y_true, logits):
        from keras import ops

        lacks = ops.convert_to_tensor(self.lacks, "float32")
        has = ops.convert_to_tensor(self.has, "float32")
        loss = has * y_true * ops.softplus(-logits)
        loss += lacks * (1 - y_true) * ops.softplus(logits)
        return ops.mean(loss, axis=-1)


def binary_loss(y_true, logits):
    from keras import losses

    return losses.binary_crossentropy(y_true, logits, from_logits=True)


def categorical_loss(y_true, logits):
    from keras import losses

    return losses.categorical_crossentropy(y_true, logits, from_logits=True)


def binary_accuracy(y_true, logits):
    from keras import metrics

    return metrics.binary_accuracy(y_true, logits, threshold=0.0)


def categorical_accuracy(y_true, logits):
    from keras import metrics

    return metrics.categorical_accuracy(y_true, logits)
