"""A fit replaces the whole state, whatever the fit before was of."""

import copy
import itertools
import pickle

import numpy as np
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier, load

TEXTS = ["a good film", "very good", "a bad film", "very bad"] * 5
LABELS = np.array([1, 1, 0, 0] * 5)
SEVERAL = np.column_stack([LABELS, np.arange(20) % 2])
IDS = np.random.default_rng(0).integers(0, 9, (20, 4))
VECTORS = {"good": np.ones(2), "a": np.zeros(2)}
# Parameters, and what is passed to `fit`; a form alone decides what is learned.
FORMS = {
    "texts": ({}, lambda: (TEXTS, LABELS)),
    "texts in parts": ({}, lambda: (iter(TEXTS), LABELS)),
    "token ids": ({}, lambda: (IDS, LABELS)),
    "token ids in parts": ({}, lambda: (iter([IDS[:9], IDS[9:]]), LABELS)),
    "several labels": ({}, lambda: (TEXTS, SEVERAL)),
    "no n-grams": ({"linear_skip": False}, lambda: (TEXTS, LABELS)),
    "three classes, few words": (
        {"max_features": 2, "embeddings": VECTORS, "validation_fraction": 0},
        lambda: (TEXTS, list("abcab") * 4),
    ),
}


def made(form):
    parameters, _ = FORMS[form]
    defaults = {"units": 2, "embedding_dim": 2, "epochs": 1, "random_state": 0}
    return LSTMTextClassifier(**(defaults | parameters))


def fit(clf, form):
    return clf.set_params(**made(form).get_params()).fit(*FORMS[form][1]())


def content(clf, folder):
    clf.save(folder / "model")
    return (folder / "model").read_bytes()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The file of a first fit of each form."""
    folder = tmp_path_factory.mktemp("fresh")
    return {form: content(fit(made(form), form), folder) for form in FORMS}


@pytest.mark.parametrize("first, second", list(itertools.permutations(FORMS, 2)))
def test_a_refit_in_another_form_equals_a_first_fit(first, second, fresh, tmp_path):
    clf = fit(fit(made(first), first), second)
    assert content(clf, tmp_path) == fresh[second]
    for again in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        assert content(again, tmp_path) == fresh[second]


@pytest.mark.parametrize("form", FORMS)
def test_a_fit_after_partial_fit_equals_a_first_fit(form, fresh, tmp_path):
    clf = made("texts").partial_fit(IDS, LABELS).partial_fit(IDS[:5], LABELS[:5])
    assert content(fit(clf, form), tmp_path) == fresh[form]


def test_files_and_pickles_without_n_grams_hold_none(fresh):
    clf = fit(fit(made("texts"), "texts"), "no n-grams")
    assert clf._state.ngrams is None
    assert b"Ngram" in fresh["texts"] and b"Ngram" in pickle.dumps(made_texts())
    assert b"Ngram" not in fresh["no n-grams"] and b"Ngram" not in pickle.dumps(clf)


def made_texts():
    return fit(made("texts"), "texts")


def test_a_kept_state_needs_labels_and_a_network_of_its_kind():
    clf = made_texts().set_params(warm_start=True)
    with pytest.raises(ValueError, match="indicator matrix of labels, but the first"):
        clf.fit(TEXTS, SEVERAL)
    with pytest.raises(ValueError, match="linear_skip was True and is False"):
        clf.set_params(linear_skip=False).fit(TEXTS, LABELS)


def test_parameters_that_both_estimators_have_stand_in_one_order():
    shared = list(LSTMForecaster().get_params())
    names = (list(vars(made())) for made in (LSTMForecaster, LSTMTextClassifier))
    one, two = ([name for name in own if name in shared] for own in names)
    assert two == [name for name in one if name in two]


def test_a_file_of_the_first_version_that_kept_n_grams_drops_them(tmp_path):
    from sklstm._networks.fitted_text import convert_attributes

    state = made_texts()._state
    old = {
        "_words": state.words,
        "_multi_label": False,
        "_spec_": fit(made("no n-grams"), "no n-grams")._spec_,
        "_ngram_counts": state.ngrams.counter,
        "_ngram_model": state.ngrams.model,
        "_scale": state.ngrams.scale,
        "units": 2,
    }
    new = convert_attributes(old)
    assert new["_state"].ngrams is None and set(new) == {
        "units",
        "_state",
        "n_vectors_found_",
    }
    assert convert_attributes(new) is new
    content(made_texts(), tmp_path)
    assert load(tmp_path / "model")._state.words == state.words
