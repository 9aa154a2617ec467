"""Contract checks for text classifiers; scikit-learn's suite has one for strings."""

import copy
import pickle
import unicodedata

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

__all__ = ["check_text_classifier"]

TEXTS = [
    "the film was good",
    "a good and warm film",
    "good acting, good story",
    "I liked the warm story",
    "the film was bad",
    "a bad and cold film",
    "bad acting, bad story",
    "I hated the cold story",
] * 4
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0] * 4)


def same(a, b, message, tolerance=0.0):
    """Raise AssertionError if arrays differ."""
    a, b = np.asarray(a), np.asarray(b)
    if tolerance:
        equal = a.shape == b.shape and np.allclose(a, b, rtol=0, atol=tolerance)
    else:
        equal = a.shape == b.shape and (a == b).all()
    assert equal, message


def check_clone_keeps_parameters(estimator):
    original, copied = estimator.get_params(), clone(estimator).get_params()
    assert set(original) == set(copied), "clone changes the names of parameters."
    for name, value in original.items():
        # clone copies estimators and arrays, so an equal repr has to suffice.
        kept = copied[name] is value or repr(copied[name]) == repr(value)
        assert kept, f"clone turns {name}={value!r} into {copied[name]!r}."


def check_refit_replaces(estimator):
    swapped = [text.replace("film", "book") for text in TEXTS]
    again = clone(estimator).fit(TEXTS, LABELS).fit(swapped, 1 - LABELS)
    fresh = clone(estimator).fit(swapped, 1 - LABELS)
    same(
        again.predict_proba(TEXTS),
        fresh.predict_proba(TEXTS),
        "A second fit depends on the first.",
    )


def check_pickle(estimator):
    fitted = clone(estimator).fit(TEXTS, LABELS)
    for name, other in {
        "pickle": pickle.loads(pickle.dumps(fitted)),
        "deepcopy": copy.deepcopy(fitted),
    }.items():
        same(
            fitted.predict_proba(TEXTS),
            other.predict_proba(TEXTS),
            f"Predictions change by {name}.",
        )


def check_input_is_not_changed(estimator):
    texts, labels = np.array(TEXTS, object), LABELS.copy()
    fitted = clone(estimator).fit(texts, labels)
    fitted.predict(texts)
    same(texts, np.array(TEXTS, object), "The texts were changed.")
    same(labels, LABELS, "The labels were changed.")


def check_containers(estimator):
    expected = clone(estimator).fit(TEXTS, LABELS).predict_proba(TEXTS)
    for container in (tuple, np.array, object_array, pd.Series, shuffled_series):
        texts = container(TEXTS)
        fitted = clone(estimator).fit(texts, LABELS)
        same(
            fitted.predict_proba(texts),
            expected,
            f"A list and {type(texts)} give other predictions.",
        )


def object_array(texts):
    return np.array(texts, dtype=object)


def shuffled_series(texts):
    """Return a Series with an unordered index, which estimators have to ignore."""
    return pd.Series(texts, index=np.arange(len(texts))[::-1])


def check_rows_are_independent(estimator):
    fitted = clone(estimator).fit(TEXTS, LABELS)
    texts = TEXTS[:8] + ["good " * 60, "film"]
    expected = fitted.predict_proba(texts)
    order = np.random.RandomState(0).permutation(len(texts))
    same(
        fitted.predict_proba([texts[i] for i in order]),
        expected[order],
        "Predictions depend on the order of rows.",
        # Batches of other rows round differently in single precision.
        tolerance=1e-6,
    )
    for i, text in enumerate(texts):
        same(
            fitted.predict_proba([text]),
            expected[i : i + 1],
            f"Predictions depend on the other rows: {text!r}.",
            tolerance=1e-6,
        )


# Texts that break tokenizers: no token at all, code points that regular expressions
# treat specially, or strings that UTF-8 cannot encode.
ODD_TEXTS = {
    "empty": "",
    "white space": " \t\n\u3000",
    "one word": "good",
    "100,000 words": "good film " * 50_000,
    "unseen alphabet": "это хороший фильм",
    "emoji": "👍🏽👩‍👩‍👧‍👦",
    "combining marks": unicodedata.normalize("NFD", "très bon, Ångström"),
    "control characters": "good\x00\x07\x85film\u202e",
    "lone surrogate": "good \ud800 film",
}


def check_odd_texts(estimator):
    # Odd texts are legal in training as well as in prediction.
    fitted = clone(estimator).fit(TEXTS + list(ODD_TEXTS.values()), [*LABELS, *[1] * 9])
    for name, text in ODD_TEXTS.items():
        proba = fitted.predict_proba([text])
        legal = np.isfinite(proba).all() and (proba >= 0).all()
        assert legal and abs(proba.sum() - 1) < 1e-6, (
            f"The probabilities of the text {name!r} are {proba}, and do not sum to 1."
        )


def check_wrong_entries(estimator):
    fitted = clone(estimator).fit(TEXTS, LABELS)
    for wrong in (b"bytes", None, float("nan"), 3, ["nested"]):
        texts: list[object] = list(TEXTS)
        # Not 0, so that an error about the first entry does not pass by accident.
        texts[5] = wrong
        for call in (lambda t: clone(estimator).fit(t, LABELS), fitted.predict):
            try:
                call(texts)
            except (TypeError, ValueError) as error:
                assert "5" in str(error), (
                    f"The error for {wrong!r} at position 5 does not name the "
                    f"position: {error}"
                )
            else:
                raise AssertionError(f"{wrong!r} among the texts raises no error.")
    # A str is iterable: unchecked, its letters would pass for documents.
    try:
        fitted.predict("one string")
    except (TypeError, ValueError):
        pass
    else:
        raise AssertionError("predict accepts one string as a collection of texts.")


def check_label_types(estimator):
    expected = clone(estimator).fit(TEXTS, LABELS).predict_proba(TEXTS)
    for classes in (
        np.array([-1, 1]),
        np.array([False, True]),
        np.array(["bad", "good"]),
        np.array(["bad", "good"], dtype=object),
        np.array([0.0, 2.0]),
    ):
        labels = classes[LABELS]
        fitted = clone(estimator).fit(TEXTS, labels)
        same(fitted.classes_, classes, f"classes_ of {classes!r} are wrong.")
        predicted = fitted.predict(TEXTS)
        valid = set(predicted.tolist()) <= set(classes.tolist())
        assert valid, f"predict returns {predicted[0]!r} for classes {classes!r}."
        same(
            fitted.predict_proba(TEXTS), expected, f"Labels {classes!r} change the fit."
        )
    several = np.array(["a", "b", "c"])[np.arange(len(TEXTS)) % 3]
    proba = clone(estimator).fit(TEXTS, several).predict_proba(TEXTS)
    shares = proba.shape == (len(TEXTS), 3) and np.allclose(proba.sum(axis=1), 1)
    assert shares, "Probabilities of three classes do not sum to 1."


def check_one_class(estimator):
    try:
        clone(estimator).fit(TEXTS, np.ones(len(TEXTS), int))
    except ValueError as error:
        assert "class" in str(error), f"The error does not mention classes: {error}"
    else:
        raise AssertionError("Fitting on one class raises no ValueError.")


def check_lengths_differ(estimator):
    try:
        clone(estimator).fit(TEXTS, LABELS[:-1])
    except ValueError:
        pass
    else:
        raise AssertionError("More texts than labels raise no ValueError.")


def check_learns(estimator):
    fitted = clone(estimator).fit(TEXTS, LABELS)
    score = fitted.score(TEXTS, LABELS)
    assert score > 0.9, f"Accuracy on simple training texts is {score}, not above 0.9."


def check_seed(estimator):
    # Deterministic classifiers, such as naive Bayes, have no seed to check.
    if "random_state" not in estimator.get_params():
        return
    one, two = (
        clone(estimator).set_params(random_state=7).fit(TEXTS, LABELS) for _ in range(2)
    )
    same(
        one.predict_proba(TEXTS),
        two.predict_proba(TEXTS),
        "The same random_state gives other predictions.",
    )


def check_unfitted(estimator):
    for method in ("predict", "predict_proba"):
        try:
            getattr(clone(estimator), method)(TEXTS)
        except NotFittedError:
            pass
        else:
            raise AssertionError(f"{method} before fit raises no NotFittedError.")


CHECKS = [
    check_clone_keeps_parameters,
    check_unfitted,
    check_learns,
    check_refit_replaces,
    check_pickle,
    check_input_is_not_changed,
    check_containers,
    check_rows_are_independent,
    check_odd_texts,
    check_wrong_entries,
    check_label_types,
    check_one_class,
    check_lengths_differ,
    check_seed,
]


def check_text_classifier(estimator, *, on_fail="raise"):
    """Check that a classifier of strings follows scikit-learn's contract.

    The estimator needs `predict_proba`, and has to be deterministic: set its
    `random_state`.

    Parameters
    ----------
    estimator : estimator instance
    on_fail : {"raise", None}, default="raise"
        "raise" stops at the first failure, and None collects all failures.

    Returns
    -------
    list of dict
        ``check_name``, ``status`` ("passed" or "failed") and ``exception`` of each
        check.

    Raises
    ------
    AssertionError
        If a check fails and `on_fail` is "raise".

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.naive_bayes import MultinomialNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm.testing import check_text_classifier
    >>> bayes = make_pipeline(CountVectorizer(), MultinomialNB())
    >>> results = check_text_classifier(bayes, on_fail=None)
    >>> [r["check_name"] for r in results if r["status"] == "failed"]
    ['check_wrong_entries', 'check_one_class']
    """
    results = []
    for check in CHECKS:
        result: dict[str, object] = {"check_name": check.__name__}
        result |= {"status": "passed", "exception": None}
        try:
            check(estimator)
        except Exception as error:
            if on_fail == "raise":
                raise AssertionError(f"{check.__name__}: {error}") from error
            result |= {"status": "failed", "exception": error}
        results.append(result)
    return results
