"""Classes of texts, and the targets made of them."""

from collections.abc import Iterator
from enum import Enum
from numbers import Number

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _num_samples


def dense_labels(y):
    """Return labels in memory, in a form that scikit-learn reads.

    An iterator becomes a list, a sparse matrix a dense one, NumPy's strings of variable
    width a str array, numbers and bools of pandas or of type object an array of their
    own type, and a masked label None.
    """
    if isinstance(y, Iterator):
        y = list(y)
    if issparse(y):
        return y.toarray()
    if isinstance(y, list) and y and isinstance(y[0], str) and isinstance(y[0], Enum):
        return [label.value if isinstance(label, Enum) else label for label in y]
    if np.ma.is_masked(y):
        return with_none(y)
    if getattr(getattr(y, "dtype", None), "kind", None) == "T":
        values = np.asarray(y, dtype=object)
        return values if pd.isna(values).any() else values.astype(str)
    return of_own_type(y)


def of_own_type(y):
    """Return numbers and bools that are objects, or pandas', as an array of NumPy's.

    scikit-learn refuses objects, and makes floats of pandas' nullable numbers.
    """
    if not isinstance(
        y, (np.ndarray, pd.DataFrame, pd.Series, pd.Index, ExtensionArray)
    ):
        return y
    dtypes = y.dtypes if isinstance(y, pd.DataFrame) else [y.dtype]
    is_numpy = [isinstance(dtype, np.dtype) and dtype.kind != "O" for dtype in dtypes]
    if all(is_numpy) and len(set(dtypes)) < 2:
        return y
    values = np.asarray(y, dtype=object)
    entries = values.ravel()
    if not all(isinstance(label, (Number, np.bool_)) for label in entries):
        return y
    return y if pd.isna(entries).any() else np.array(values.tolist())


def with_none(values: np.ma.MaskedArray) -> np.ndarray:
    """Return an array of objects, in which a masked entry is None."""
    result = np.ma.getdata(values).astype(object)
    result[np.ma.getmaskarray(values)] = None
    return result


def check_labels(y):
    """Raise if y holds no classes, or misses some."""
    check_all_present(y)
    check_one_type(y)
    n_axes = len(getattr(y, "shape", ()))
    if n_axes > 2:
        raise ValueError(
            f"y has {n_axes} axes, but labels have one, or two of an indicator "
            "matrix. Pass a class for each text, or a column for each label."
        )
    try:
        kind = type_of_target(y)
        if kind == "unknown":
            label = np.asarray(y, dtype=object).ravel()[0]
            raise ValueError(
                f"Unknown label type: y holds objects of type {type(label).__name__}, "
                "but classes must be str, or an array of numbers. Convert them, for "
                "example by str; where a text has several labels, pass what "
                "MultiLabelBinarizer().fit_transform(y) gives."
            )
        if kind.startswith("continuous"):
            raise ValueError(
                f"Unknown label type: {kind}. y holds numbers with fractions, such as "
                f"{some_fraction(y)}, but classes are needed. Cut y into classes, for "
                "example by pandas.cut."
            )
        check_classification_targets(y)
    except TypeError as error:  # scikit-learn sorts labels to find the classes
        if "not supported between" not in str(error):
            raise
        raise TypeError(
            "y must hold labels of one type, such as str or int, but they cannot be "
            f"put in order: {str(error).rstrip('.')}."
        ) from error
    several = kind in ("multilabel-indicator", "multiclass-multioutput")
    if several and not np.isin(y, (0, 1)).all():
        values = np.unique(y).tolist()[:9]
        raise ValueError(
            "y has several columns, one of each label, but holds "
            f"{values} instead of 0 and 1. Pass 1 where a text has the "
            "label and 0 where it lacks it."
        )


def check_one_for_each(y):
    """Raise if y is no collection of labels."""
    if isinstance(y, (str, bytes, dict)) and not issparse(y):
        way = "list(y.values())" if isinstance(y, dict) else "a list of them"
        raise ValueError(
            f"y is of type {type(y).__name__}, but a class for each text is needed. "
            f"Pass {way}."
        )


def some_fraction(y):
    """Return the first number that is not whole."""
    values = np.asarray(y, dtype=np.float64).ravel()
    return values[values != np.floor(values)][0]


def check_same_number(X, y):
    """Raise unless there are as many labels as texts."""
    n_texts, n_labels = _num_samples(X), _num_samples(y)
    if n_texts != n_labels:
        raise ValueError(
            f"X and y have inconsistent numbers of samples: {n_texts} texts, but "
            f"{n_labels} labels. Pass a label for each text."
        )


def check_one_type(y):
    """Raise if y is a list of str and of other types."""
    if not isinstance(y, (list, tuple)):
        return
    types = {type(label).__name__ for label in y if not isinstance(label, str)}
    if types and any(isinstance(label, str) for label in y):
        # NumPy would turn the others into text.
        raise TypeError(
            "y must hold labels of one type, such as str or int, but holds str and "
            f"{', '.join(sorted(types))}. Convert them, for example by str."
        )


def check_all_present(y):
    """Raise if a label is None, NaN or infinite."""
    dtype = getattr(y, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuUS":
        return
    try:
        values = np.asarray(y, dtype=object)
    except ValueError:  # lists of unequal length, which scikit-learn refuses by name
        return
    missing = first_position(pd.isna(values))
    if missing:
        raise ValueError(
            f"y misses the label at {missing}. Fill or drop missing labels."
        )
    infinite = first_position((values == np.inf) | (values == -np.inf))
    if infinite:
        raise ValueError(
            f"y holds an infinite number at {infinite}, which is no class. Drop the "
            "text, or give it a class."
        )


def first_position(mask):
    """Say where the first True is, or return None."""
    found = np.argwhere(mask)
    if not len(found):
        return None
    row, *column = found[0]
    if mask.ndim == 2 and mask.shape[1] > 1:
        return f"row {row}, column {column[0]}"
    return f"position {row}"


def is_multi_label(y):
    return type_of_target(y) == "multilabel-indicator"


def classes_of(y, multi_label, classes=None):
    """Return the two or more distinct classes, or the columns of an indicator."""
    if multi_label:
        return np.arange(np.asarray(y).shape[1])
    y = column_or_1d(y, warn=True)
    distinct = np.unique(y) if classes is None else distinct_classes(classes)
    if classes is not None and len(distinct) < 2:
        raise ValueError(
            f"classes={classes!r} names fewer than two classes. Name all that a "
            "later call may have, as a list."
        )
    if len(distinct) < 2:
        raise ValueError(
            "LSTMTextClassifier needs texts of at least two classes, but y has one "
            f"class only: {distinct.tolist()[0]!r}. Add texts of another, or name all "
            "classes in the first partial_fit(X, y, classes=...)."
        )
    return distinct


def distinct_classes(classes):
    """Return the classes that `partial_fit` was given, in order."""
    classes = list(classes) if isinstance(classes, (set, frozenset)) else classes
    if pd.isna(np.asarray(classes, dtype=object)).any():
        raise ValueError("classes holds a missing value. Leave it out.")
    return np.unique(dense_labels(classes))


def check_same_classes(classes, first):
    """Raise if a later call of `partial_fit` names classes that the first did not."""
    distinct = distinct_classes(classes)
    if not np.array_equal(distinct, first):
        raise ValueError(
            f"classes={distinct.tolist()} are not those of the first call, "
            f"{first.tolist()}. Leave classes out, or fit anew."
        )


ALL_CLASSES = (
    "Name all classes in the first call, partial_fit(X, y, classes=...), or fit anew "
    "without warm_start."
)


def one_hot(y, classes, multi_label, advice=ALL_CLASSES):
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
            f"{classes.tolist()}. {advice}"
        )
    position = np.searchsorted(classes, y)
    if len(classes) == 2:
        return position[:, None] == 1
    return position[:, None] == np.arange(len(classes))


def check_weights(weights, targets, new):
    """Raise if new classes have weight in one class only."""
    used = targets[weights > 0]
    if len(used) < len(targets) and new and (used == used[0]).all():
        raise ValueError(
            "Rows of weight above zero, by sample_weight, are of one class only. Give "
            "weight to texts of at least two classes."
        )
