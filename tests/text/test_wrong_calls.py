"""Calls that a user of scikit-learn may type, and what is said of them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sklstm import LSTMForecaster, LSTMTextClassifier

TEXTS, LABELS = ["good film", "very good", "bad film", "very bad"] * 5, [1, 1, 0, 0] * 5
Y = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 5)


def quick(**parameters):
    defaults = {"units": 1, "embedding_dim": 1, "epochs": 0, "random_state": 0}
    return LSTMTextClassifier(**(defaults | parameters))


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(TEXTS, LABELS)


WRONG_LABELS = {
    "one too few": (LABELS[:-1], "of samples: 20 texts, but 19 labels. Pass a label"),
    "one too many": (pd.Series([*LABELS, 1]), "20 texts, but 21 labels. Pass a label"),
    "fractions": (
        np.linspace(0, 1.5, 20),
        "type: continuous. .*such as 0.07.* pandas.c",
    ),
    "fraction in a list": ([*LABELS[:-1], 0.5], "such as 0.5, but classes are needed"),
    "probabilities": (
        Y * 0.3,
        "type: continuous-multioutput. .*such as 0.3, but class",
    ),
    "infinite": ([*LABELS[:-1], np.inf], "infinite number at position 19, which is no"),
    "minus infinity": (-np.inf * np.ones(20), "infinite number at position 0"),
    "infinite column": (np.where(Y, np.inf, 0), "infinite number at row 0, column 0"),
    "missing": ([np.nan, *LABELS[1:]], "y misses the label at position 0. Fill"),
    "none": (
        None,
        "y is None. Pass the class of each text|Pass the class of each text",
    ),
}


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_wrong_labels_are_told_by_fit_and_score(fitted, case):
    y, match = WRONG_LABELS[case]
    for method in (quick().fit, quick().partial_fit, fitted.score):
        with pytest.raises(ValueError, match=match):
            method(TEXTS, y)


def test_labels_beside_an_iterator_are_as_many_as_its_texts():
    with pytest.raises(ValueError, match="20 texts, but 21 labels. Pass a label"):
        quick().fit(iter(TEXTS), [*LABELS, 1])


WRONG_WEIGHTS = {
    "one too few": (np.ones(19), r"has the shape \(19,\), but there are 20 rows. Pass"),
    "two columns": (np.ones((20, 2)), r"has the shape \(20, 2\), but .* one dimension"),
    "one column": (
        pd.DataFrame({"w": range(20)}),
        r"shape \(20, 1\), but there are 20",
    ),
    "negative": (
        [1, 1, -2] + [1] * 17,
        "sample_weight: -2.0 at position 2. Pass 0 for",
    ),
    "negative number": (-1, "Negative values in data passed to sample_weight: -1.0 at"),
    "NaN": (
        [1, np.nan] * 10,
        "no finite numbers passed to sample_weight: nan at pos.* 1",
    ),
    "infinite": (np.full(20, np.inf), "passed to sample_weight: inf at position 0"),
    "zero": (np.zeros(20), "sample_weight is zero for every row. Give weight to"),
}


@pytest.mark.parametrize("case", WRONG_WEIGHTS)
def test_wrong_weights_are_told_by_both_estimators(fitted, case):
    weights, match = WRONG_WEIGHTS[case]
    X, y = np.arange(80.0).reshape(20, 4), np.arange(20.0)
    forecaster = LSTMForecaster(units=1, epochs=0, validation_fraction=0)
    for method, data in (
        (quick().fit, (TEXTS, LABELS)),
        (fitted.score, (TEXTS, LABELS)),
        (forecaster.fit, (X, y)),
    ):
        with pytest.raises(ValueError, match=match):
            method(*data, sample_weight=weights)


def test_paths_of_no_vectors_are_told(tmp_path):
    path = tmp_path / "glove.txt"
    with pytest.raises(
        FileNotFoundError, match=r"glove.txt'\) names no file, seen from"
    ):
        quick(embeddings=path).fit(TEXTS, LABELS)
    with pytest.raises(IsADirectoryError, match="is a folder, .* path of a file in it"):
        quick(embeddings=str(tmp_path)).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="none of the words .* such as 'bad', 'film'"):
        quick(embeddings={"Zug": [1.0]}).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    "texts, parameters, match",
    [
        (["", " "] * 10, {}, "counts: 0 of 20 texts hold a token, and"),
        (TEXTS, {"token_pattern": "z"}, "counts: 0 of 20 texts hold a token, and"),
        ([*TEXTS[:-1], ""], {"min_df": 50}, "19 of 20 .* must be in min_df=50 texts"),
    ],
)
def test_how_many_texts_hold_a_token_is_told(texts, parameters, match):
    with pytest.raises(ValueError, match=f"no n-gram .* {match}"):
        quick(**parameters).fit(texts, LABELS)


INDICATORS = {
    "dok_matrix": sp.dok_matrix(Y),
    "dok_array": sp.dok_array(Y),
    "tuples": tuple(map(tuple, Y.tolist())),
    "frame of several dtypes": pd.DataFrame({"a": Y[:, 0] == 1, "b": Y[:, 1] * 1.0}),
    "list of arrays": list(Y),
}


@pytest.mark.parametrize("form", INDICATORS)
def test_indicators_of_any_form_are_fitted_and_scored(form):
    expected = quick().fit(TEXTS, Y)
    clf = quick().fit(TEXTS, INDICATORS[form])
    np.testing.assert_array_equal(
        clf.predict_proba(TEXTS), expected.predict_proba(TEXTS)
    )
    assert clf.score(TEXTS, INDICATORS[form]) == expected.score(TEXTS, Y)


def test_scores_of_no_text_are_told_by_scikit_learn(fitted):
    with pytest.raises(ValueError, match="empty input array|at least one"):
        fitted.score([], [])
