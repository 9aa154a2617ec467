"""Weights of classes, and of each label's two sides, in the loss."""

from dataclasses import replace

import numpy as np

from sklstm._series.validation import check_weight_size
from sklstm._text.dataset import TextTrainingData
from sklstm._utils.row_weights import mean_one


def with_class_weights(
    data: TextTrainingData, class_weight: dict | list | str | None, classes
) -> TextTrainingData:
    """Weight texts by their class, or labels by whether a text has them.

    Only the loss is weighted: frequencies of words count documents.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None
        Of several labels, weights of 0 and 1: of all labels, or a dict for each. None
        in a list leaves a label's weights at 1.
    """
    if class_weight is None:
        return data
    if not data.exclusive:
        return replace(data, label_weights=label_weights(data, class_weight))
    if isinstance(class_weight, list):
        raise ValueError(
            "class_weight is a list, but each text has one class. Pass a dict of "
            "classes to weights."
        )
    has_class = data.targets
    if has_class.shape[1] == 1:
        has_class = np.hstack([~has_class, has_class])
    n_documents = data.n_repeats @ has_class
    weights = side_weights(class_weight, classes.tolist(), n_documents)
    weights = data.weights * weights[has_class.argmax(axis=1)]
    check_weight_size(weights)
    n_classes, n_weighted = (
        has_class[rows].any(axis=0).sum() for rows in (slice(None), weights > 0)
    )
    if n_weighted < min(n_classes, 2):
        raise ValueError(
            "Rows of weight above zero, by sample_weight and class_weight, are of one "
            "class only. Give weight to texts of at least two classes."
        )
    return replace(data, weights=mean_one(weights, data.n_repeats))


def label_weights(data, class_weight):
    """Return weights of shape (2, n_labels), whose mean over all texts is 1."""
    n_labels = data.targets.shape[1]
    by_label = class_weight if isinstance(class_weight, list) else [class_weight]
    for one in by_label:
        is_balanced = isinstance(one, str) and one == "balanced"
        if not (one is None or is_balanced or isinstance(one, dict)):
            raise ValueError(
                f"class_weight is a list that holds {one!r}, but each label needs a "
                "dict of the weights of 0 and 1, 'balanced' or None. Write "
                f"{{1: {one!r}}} to weigh the texts that have the label."
            )
    if len(by_label) not in (1, n_labels):
        raise ValueError(
            f"class_weight has {len(by_label)} entries, but y has {n_labels} labels. "
            "Pass a dict for each label, or one dict of the weights of 0 and 1."
        )
    has = data.n_repeats @ data.targets
    sides = np.stack([data.n_repeats.sum() - has, has])
    weights = [
        side_weights(by_label[i % len(by_label)] or {}, [0, 1], sides[:, i], sides=True)
        for i in range(n_labels)
    ]
    weights = check_weight_size(np.transpose(weights))
    totals = (weights * sides).sum(axis=0)
    if not totals.all():
        label = totals.argmin()
        raise ValueError(
            f"class_weight={class_weight!r} is zero for every text at label {label}, "
            f"which {sides[1, label]} texts have and {sides[0, label]} lack. Give "
            "weight to a side of each label that texts are on."
        )
    return weights * (sides.sum() / totals.sum())


def side_weights(class_weight, classes, n_documents, sides=False):
    """Return a weight for each class; without an entry, it is 1.

    Parameters
    ----------
    sides : bool, default=False
        Whether the classes are the two sides of a label.
    """
    if isinstance(class_weight, str):
        present = n_documents > 0
        weights = n_documents.sum() / (present.sum() * np.maximum(n_documents, 1))
        return np.where(present, weights, 1.0)
    unknown = [name for name in class_weight if name not in classes]
    known = [classes.index(name) for name in class_weight if name in classes]
    # A fold may lack a class, but a label has no side but 0 and 1.
    if unknown and (sides or len(known) < len(classes)):
        raise ValueError(
            f"class_weight has the key {unknown[0]!r}, but the classes are {classes}. "
            "Name these."
        )
    given = [class_weight[name] for name in class_weight if name in classes]
    weights = np.ones(len(classes))
    try:
        weights[known] = np.array(given, np.float64)
        is_valid = np.isfinite(weights) & (weights >= 0)
    except (TypeError, ValueError):
        is_valid = np.zeros(len(classes), bool)
    if not is_valid.all():
        raise ValueError(
            f"class_weight={class_weight!r} holds a weight that is negative or no "
            "finite number. Give each class a number, 0 or more."
        )
    return weights
