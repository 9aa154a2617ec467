"""A correct stub passes the checks of text classifiers, and each broken stub fails."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklstm import testing
from sklstm._text.tokenizer import check_texts


class Good(ClassifierMixin, BaseEstimator):
    def __init__(self, alpha=1.0, random_state=0):
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X, y):
        X = check_texts(X)
        check_consistent_length(X, y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError("y has one class only.")
        self.counter_ = CountVectorizer().fit(X)
        self.bayes_ = MultinomialNB(alpha=self.alpha).fit(self.counter_.transform(X), y)
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.bayes_.predict_proba(self.counter_.transform(check_texts(X)))

    def predict(self, X):
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class LosesParameter(Good):
    def get_params(self, deep=True):
        return super().get_params(deep) | {"alpha": np.random.uniform()}


class UnfittedPredicts(Good):
    def predict(self, X):
        return np.zeros(len(X))


class DoesNotLearn(Good):
    def predict(self, X):
        return super().predict(X)[:1].repeat(len(X))


class Remembers(Good):
    def fit(self, X, y):
        self.alpha_ = getattr(self, "alpha_", 0) + 1
        super().fit(X, y)
        self.bayes_.feature_log_prob_ *= self.alpha_
        return self


class LosesStateInPickle(Good):
    def __getstate__(self):
        state = super().__getstate__().copy()
        state.pop("bayes_", None)
        return state


class ChangesInput(Good):
    def fit(self, X, y):
        if isinstance(X, np.ndarray):
            X[:] = [text.upper() for text in X]
        return super().fit(X, y)


class UsesLabelsOfSeries(Good):
    def predict_proba(self, X):
        if isinstance(X, pd.Series):
            X = X.sort_index()
        return super().predict_proba(X)


class DependsOnBatch(Good):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return proba / 2 + proba[:1] / 2


class FailsOnEmpty(Good):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return np.where([[text.strip() == ""] for text in X], np.nan, proba)


class TakesAnything(Good):
    def fit(self, X, y):
        return super().fit([str(text) for text in X], y)


class HidesPosition(Good):
    def predict_proba(self, X):
        try:
            return super().predict_proba(X)
        except TypeError:
            raise TypeError("X must hold strings.") from None


class ReturnsNumbers(Good):
    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


class OneClass(Good):
    def fit(self, X, y):
        if len(np.unique(y)) == 1:
            return self
        return super().fit(X, y)


class ShortLabels(Good):
    def fit(self, X, y):
        return super().fit(X[: len(y)], y)


class IgnoresSeed(Good):
    def fit(self, X, y):
        super().fit(X, y)
        if self.random_state == 7:
            self.bayes_.feature_log_prob_ += np.random.uniform(size=(2, 1))
            self.bayes_.class_log_prior_ = np.log(np.random.dirichlet([1, 1]))
        return self


def test_a_good_classifier_passes():
    results = testing.check_text_classifier(Good())
    assert {r["status"] for r in results} == {"passed"}
    assert len(results) == len(testing.CHECKS)


@pytest.mark.parametrize(
    "broken, check",
    [
        (LosesParameter, "check_clone_keeps_parameters"),
        (UnfittedPredicts, "check_unfitted"),
        (DoesNotLearn, "check_learns"),
        (Remembers, "check_refit_replaces"),
        (LosesStateInPickle, "check_pickle"),
        (ChangesInput, "check_input_is_not_changed"),
        (UsesLabelsOfSeries, "check_containers"),
        (DependsOnBatch, "check_rows_are_independent"),
        (FailsOnEmpty, "check_odd_texts"),
        (TakesAnything, "check_wrong_entries"),
        (HidesPosition, "check_wrong_entries"),
        (ReturnsNumbers, "check_label_types"),
        (OneClass, "check_one_class"),
        (ShortLabels, "check_lengths_differ"),
        (IgnoresSeed, "check_seed"),
    ],
)
def test_a_broken_classifier_fails(broken, check):
    results = testing.check_text_classifier(broken(), on_fail=None)
    assert check in {r["check_name"] for r in results if r["status"] == "failed"}
    with pytest.raises(AssertionError, match="check_"):
        testing.check_text_classifier(broken())


def test_every_check_has_a_broken_classifier():
    marks = test_a_broken_classifier_fails.pytestmark[0].args[1]
    assert {check for _, check in marks} == {c.__name__ for c in testing.CHECKS}
