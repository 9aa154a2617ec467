"""Classes of texts, and the targets made of them."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target


def check_labels(y):
    """Raise if y holds no classes."""
    try:
        check_classification_targets(y)
    except TypeError as error:  # scikit-learn sorts labels to find the classes
        raise TypeError(
            "y must hold labels of one type, such as str or int, but they cannot be "
            f"put in order: {error}."
        ) from error


def is_multi_label(y):
    return type_of_target(y) == "multilabel-indicator"


def classes_of(y, multi_label, classes=None):
    """Return the two or more distinct classes, or the columns of an indicator."""
    if multi_label:
        return np.arange(np.asarray(y).shape[1])
    y = column_or_1d(y, warn=True)
    distinct = np.unique(y if classes is None else classes)
    if len(distinct) < 2:
        raise ValueError(
            "LSTMTextClassifier needs texts of at least two classes, but y has one "
            f"class only: {distinct.tolist()[0]!r}. Add texts of another, or name all "
            "classes in the first partial_fit(X, y, classes=...)."
        )
    return distinct


def one_hot(y, classes, multi_label):
    """Tell whether each document is of each class, or has each label.

    Returns
    -------
    ndarray of bool of shape (n_documents, n_outputs)
        One column for two classes, of the second.
    """
    if multi_label:
        return np.asarray(y, dtype=np.float64) > 0
    y = column_or_1d(y)
    unknown = ~np.isin(y, classes)
    if unknown.any():
        raise ValueError(
            f"y has the class {y[unknown].tolist()[0]!r}, which is none of "
            f"{classes.tolist()}. "
            "Name all classes in the first call: partial_fit(X, y, classes=...)."
        )
    position = np.searchsorted(classes, y)
    if len(classes) == 2:
        return position[:, None] == 1
    return position[:, None] == np.arange(len(classes))


def class_weights(class_weight, y):
    """Return the weight of each text's class, or the product of its labels' weights."""
    weights = compute_sample_weight(class_weight, y)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"class_weight={class_weight!r} holds a weight that is negative or not "
            "finite. Give each class a number, 0 or more."
        )
    return weights


def check_weights(weights, targets, new):
    """Raise if no row has weight, or if new classes have weight in one class only."""
    used = targets[weights > 0]
    if not len(used):
        raise ValueError(
            "sample_weight is zero for every text. Give weight to texts of at "
            "least two classes."
        )
    if len(used) < len(targets) and new and (used == used[0]).all():
        raise ValueError(
            "Rows of weight above zero, by sample_weight and class_weight, are of one "
            "class only. Give weight to texts of at least two classes."
        )
