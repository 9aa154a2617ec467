"""Losses and metrics of logits, on any Keras backend."""


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
