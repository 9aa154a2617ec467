from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.inspection import lag_attributions, token_attributions
from tests.fitted import with_network

# Nothing is compiled where nothing is trained.
UNTRAINED = {"epochs": 0, "validation_fraction": 0, "units": 3, "random_state": 0}


class Drawn:
    """Fit, and draw the weights of the head instead of training them."""

    def fit(self, *args):
        super().fit(*args)
        rng = np.random.default_rng(0)
        shape = self.weights_["head/kernel"].shape
        self.weights_["head/kernel"] = rng.normal(size=shape)
        return self


class DrawnForecaster(Drawn, LSTMForecaster):
    pass


class DrawnClassifier(Drawn, LSTMTextClassifier):
    pass


def small(**parameters):
    given = UNTRAINED | {"window_length": 13, "horizon": 3, "pretrained": False}
    given |= parameters
    return DrawnForecaster(**given)


def assert_complete(why, prediction, atol=1e-6):
    assert_allclose(np.ravel(why.prediction), np.ravel(prediction), rtol=1e-6)
    total = np.asarray(why.attributions.sum(axis=0)) + why.base_value
    assert_allclose(total, why.prediction, atol=atol)
    assert_allclose(why.gap, why.prediction - total, atol=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"linear_skip": False, "cell": "gru"},
        {"window_norm": None},
        {"window_norm": "scale"},
        {"scaler": "log"},
        {"scaler": "robust", "calendar": ("month",)},
    ],
)
def test_lags_add_up_to_the_forecast(passengers, parameters):
    f = small(**parameters).fit(passengers)
    why = lag_attributions(f)
    assert_complete(why, f.forecast())
    assert list(why.attributions.columns) == [1, 2, 3]
    assert why.attributions.index[0] == ("passengers", -13)
    if "calendar" in parameters:
        assert ("month cos", 3) in why.attributions.index


def test_more_points_close_the_gap(passengers):
    f = small(linear_skip=False).fit(passengers)
    rough, fine = (lag_attributions(f, n_steps=n).gap.abs().max() for n in (1, 16))
    assert fine < 1e-3 * rough


def test_of_a_linear_model_they_are_its_terms():
    rng = np.random.default_rng(0)
    y = np.zeros(200)
    for t in range(2, 200):
        y[t] = 0.5 * y[t - 2] + rng.normal()
    f = LSTMForecaster(2, window_norm=None, pretrained=False, **UNTRAINED).fit(y)
    kernel = f.weights_["skip/kernel"][:, 0].astype(float)
    scaled = (y[-2:] - f.scaler_["center"]) / f.scaler_["scale"]
    why = lag_attributions(f)
    expected = kernel[:2] * scaled * f.scaler_["scale"]
    assert_allclose(why.attributions[1], expected, rtol=1e-4)


def test_a_still_history_has_no_attributions(passengers):
    f = small().fit(passengers)
    still = pd.Series(300.0, passengers.index)
    why = lag_attributions(f, history=still)
    assert_allclose(why.attributions, 0, atol=1e-9)
    assert_allclose(why.base_value, f.forecast(history=still))


def test_inputs_ahead_have_their_share(regression):
    X, y = regression
    f = small(window_length=4, past_covariates=("b",)).fit(X[:200], y[:200])
    why = lag_attributions(f, X=X[200:203])
    assert_complete(why, f.forecast(X=X[200:203]))
    rows = why.attributions.index
    assert ("a", 1) in rows and ("b", -1) in rows and ("b", 1) not in rows
    # y is 2 a at the same row
    assert_allclose(why.attributions.loc[("a", 2), 2], 2 * X["a"].iloc[201], rtol=0.3)


def test_several_targets_series_and_windows(passengers):
    both = pd.DataFrame({"p": passengers, "q": passengers.shift(1, fill_value=112)})
    f = small().fit(both)
    why = lag_attributions(f, 2)
    forecast = f.forecast(2)
    assert_complete(why, forecast.to_numpy().T)
    assert list(why.attributions.columns) == [("p", 1), ("p", 2), ("q", 1), ("q", 2)]
    many = small().fit([passengers, 2 * passengers])
    assert_complete(lag_attributions(many, series=1), many.forecast()[1])
    X = np.lib.stride_tricks.sliding_window_view(passengers.to_numpy(), 6)
    f = DrawnForecaster(**UNTRAINED).fit(X[:-1, :], X[1:, -1])
    why = lag_attributions(f, X=X[-1:])
    assert_complete(why, f.predict(X[-1:]))
    assert why.attributions.index[-1] == ("x", -1)


def test_what_cannot_be_explained_says_so(passengers):
    f = small().fit(passengers)
    with pytest.raises(ValueError, match="steps is 4, but attributions reach"):
        lag_attributions(f, 4)
    with pytest.raises(ValueError, match="has 2 series"):
        lag_attributions(small().fit([passengers, passengers]))
    with pytest.raises(ValueError, match="ends in a missing value"):
        lag_attributions(f, history=passengers.where(passengers.index < "1960-12"))
    X = np.random.default_rng(0).normal(size=(40, 5))
    windows = DrawnForecaster(**UNTRAINED).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"Pass X of one row.*Got 2"):
        lag_attributions(windows, X=X[:2])
    with_network(f, spec=replace(f._spec_, network=print))
    with pytest.raises(ValueError, match="need a standard network"):
        lag_attributions(f)


TEXTS = [
    f"{noun} was {word} {end}"
    for noun in ("film", "book", "scene", "plot")
    for word in ("good", "bad", "dull")
    for end in ("today", "again", "indeed", "too")
]
LABELS = [text.split()[2] for text in TEXTS]
TEXT = UNTRAINED | {"embedding_dim": 4}


@pytest.mark.parametrize("pooling", ["max", "mean", "attention", "last"])
def test_tokens_add_up_to_the_logit(pooling):
    clf = DrawnClassifier(**TEXT, pooling=pooling, linear_skip=False)
    clf.fit(TEXTS, LABELS)
    text = "the film was dull dull , too"
    for target, logit in zip(
        clf.classes_, clf.decision_function([text])[0], strict=True
    ):
        why = token_attributions(clf, text, target=target, n_steps=64)
        assert_allclose(why.prediction, logit)
        assert_allclose(why.attributions.sum() + why.base_value + why.gap, logit)
        assert abs(why.gap) < 1e-2 * np.abs(why.network).sum()
        assert not why.ngrams.any() and why.network.any()


def test_of_ngrams_the_shares_are_exact():
    clf = LSTMTextClassifier(**TEXT).fit(TEXTS, LABELS)
    why = token_attributions(clf, "a good film was good")
    assert why.target == "good" and why.tokens[1] == "good"
    assert abs(why.gap) < 1e-12
    assert not why.network.any()
    assert why.ngrams[0] == 0  # "a" is not known
    assert np.argmax(why.ngrams) in (1, 4)
    dull = token_attributions(clf, "a good film was good", target="dull")
    assert dull.ngrams[1] < 0


def test_two_classes_are_one_logit_turned():
    two = [(t, y) for t, y in zip(TEXTS, LABELS, strict=True) if y != "dull"]
    clf = DrawnClassifier(**TEXT).fit(*zip(*two, strict=True))
    good, bad = (
        token_attributions(clf, "good plot", target=t) for t in ("good", "bad")
    )
    assert_allclose(good.attributions, -bad.attributions)
    assert_allclose(good.prediction, clf.decision_function(["good plot"])[0])
    assert token_attributions(clf, "good plot").target == "good"


def test_words_that_the_network_does_not_read_have_no_network_part():
    clf = DrawnClassifier(**TEXT, max_length=2, truncate="both", linear_skip=False)
    clf.fit(TEXTS, LABELS)
    why = token_attributions(clf, "film was very bad today")
    assert_allclose(why.network[1:4], 0)
    assert why.network[[0, 4]].all()
    empty = token_attributions(clf, "")
    assert empty.tokens == [] and len(empty.attributions) == 0
    assert_allclose(empty.gap, 0, atol=1e-9)


def test_token_ids_and_labels():
    X = np.array([[2, 5, 0], [3, 6, 0], [2, 6, 6], [3, 5, 5]] * 6)
    clf = DrawnClassifier(**TEXT).fit(X, X[:, 0])
    why = token_attributions(clf, X[0])
    assert why.tokens == [2, 5] and why.target == 2
    clf = DrawnClassifier(**TEXT).fit(X, np.column_stack([X[:, 0] == 2, X[:, 1] == 5]))
    why = token_attributions(clf, X[0], target=1)
    assert_allclose(why.prediction, clf.decision_function(X[:1])[0, 1])


def test_texts_that_cannot_be_explained_say_so():
    clf = LSTMTextClassifier(**TEXT).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="One text is explained at a time: pass a str"):
        token_attributions(clf, ["a film"])
    with pytest.raises(ValueError, match="target is 'fine', but the classes are"):
        token_attributions(clf, "a film", target="fine")
