import gc
import pickle
import sys
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from sklstm import LSTMTextClassifier, SkillWarning
from sklstm.testing import CHECKS

rng = np.random.default_rng(0)
NOUNS = np.array(["film", "story", "actor", "music", "scene", "ending", "book", "plot"])
WORDS = {"good": ["good", "warm", "fine"], "bad": ["bad", "cold", "dull"]}


def made(n=120, negated=0.0, seed=0):
    """Return reviews; with negation, a "not" before the word reverses the label."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        label = rng.choice(["bad", "good"])
        word, words = label, rng.choice(NOUNS, rng.integers(4, 12)).tolist()
        if rng.uniform() < negated:
            word = {"bad": "good", "good": "bad"}[label]
            words = [rng.choice(NOUNS), "not", *words]
        texts.append(" ".join([*words, rng.choice(WORDS[word])]))
        labels.append(label)
    return texts, np.array(labels)


def small(**parameters):
    defaults = {"units": 4, "embedding_dim": 5, "epochs": 2, "random_state": 0}
    return LSTMTextClassifier(**(defaults | parameters))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
# The suite also passes measurements, for which the classifier warns.
@pytest.mark.filterwarnings("ignore:X is taken for token ids:UserWarning")
def broken_checks(estimator):
    """Return the checks that scikit-learn's own estimators fail."""
    if parse_version(sklearn.__version__) >= parse_version("1.7"):
        return {}
    broken = "it takes a float from integers, which it made, in place"
    return {"check_positive_only_tag_during_fit": broken}


@pytest.mark.filterwarnings("ignore:X is taken for token ids")
@parametrize_with_checks([LSTMTextClassifier()], expected_failed_checks=broken_checks)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_text_contract(check):
    check(small())


def test_clone_keeps_every_parameter():
    names = LSTMTextClassifier().get_params()
    parameters = {name: f"value of {name}" for name in names}
    clf = LSTMTextClassifier().set_params(**parameters)
    assert clone(clf).get_params() == parameters


def test_a_fit_that_lost_to_the_prior_warns():
    texts, labels = made(60, 0.5)
    # It learns labels by heart that say nothing of others; without dropout, whose draws
    # are a backend's own, it does so everywhere.
    clf = LSTMTextClassifier(
        linear_skip=False,
        epochs=20,
        learning_rate=0.05,
        units=8,
        dropout=0,
        word_dropout=0,
        random_state=0,
        early_stopping=False,
    )
    with pytest.warns(SkillWarning, match="LSTMTextClassifier's log loss is .* times"):
        clf.fit(texts, np.random.RandomState(0).permutation(labels))
    assert clf.skill_ < -0.5


def test_the_network_learns_what_words_do_not_say():
    # "not" may stand far before its word, so that no n-gram holds both.
    train, test = made(1500, 0.5), made(300, 0.5, seed=1)
    clf = LSTMTextClassifier(
        units=16, epochs=30, learning_rate=0.01, word_dropout=0, random_state=0
    ).fit(*train)
    linear = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10)
    )
    assert linear.fit(*train).score(*test) < 0.9
    assert clf.score(*test) > 0.95
    assert clf.best_epoch_ > 0 and clf.skill_ > 0.3
    assert set(clf.baseline_scores_) == {"prior", "ngrams"}
    keys = ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(clf.history_) == keys
    assert {len(values) for values in clf.history_.values()} == {clf.n_iter_}


def test_texts_and_their_ids_are_alike():
    texts, labels = made()
    vocabulary = {
        word: i + 1 for i, word in enumerate(sorted({*" ".join(texts).split()}))
    }
    ids = np.zeros((len(texts), 16), int)
    for row, text in enumerate(texts):
        ids[row, : len(text.split())] = [vocabulary[word] for word in text.split()]
    of_texts = small().fit(texts, labels)
    of_ids = small().fit(ids, labels)
    assert of_ids.n_features_in_ == 16 and not hasattr(of_texts, "n_features_in_")
    right = of_ids.predict_proba(ids)
    assert np.abs(right - of_texts.predict_proba(texts)).max() < 0.05
    left = np.array([np.roll(row, (row == 0).sum()) for row in ids])
    np.testing.assert_array_equal(right, of_ids.predict_proba(left))
    wider = np.pad(ids, ((0, 0), (0, 3)))
    np.testing.assert_allclose(
        small().fit(wider, labels).predict_proba(wider), right, atol=1e-6
    )
    with pytest.raises(ValueError, match="holds texts, but .* fitted on token ids"):
        of_ids.predict(texts)
    with pytest.raises(ValueError, match="holds token ids, but .* fitted on texts"):
        of_texts.predict(ids)
    with pytest.raises(ValueError, match="holds token ids, but .* fitted on texts"):
        of_texts.partial_fit(ids, labels)
    with pytest.raises(ValueError, match="holds texts, but .* fitted on token ids"):
        of_ids.partial_fit(texts, labels)
    with pytest.warns(UserWarning, match=r"holds \d+\.5, which is no whole"):
        small(epochs=0).fit(ids + 0.5, labels)


@pytest.mark.parametrize("pooling", ["last", "max", "mean", "attention"])
def test_predictions_do_not_depend_on_padding_or_company(pooling):
    texts, labels = made(60)
    clf = small(pooling=pooling, linear_skip=False, early_stopping=False)
    clf.fit(texts, labels)
    expected = clf.predict_proba(texts[:3])
    beside = clf.predict_proba([*texts[:3], "film " * 500, ""])
    np.testing.assert_allclose(beside[:3], expected, atol=1e-9)
    keras = clf.model_.predict_on_batch(
        clf._network_view(sequences_of(clf, texts)).padded(20)
    )
    np.testing.assert_allclose(keras[:, 0], clf.decision_function(texts), atol=1e-5)


def sequences_of(clf, texts):
    from sklstm._text import tokenizer
    from sklstm._text.vocabulary import encode

    return encode(texts, tokenizer.tokenizer_of(clf), clf._state.words)


def test_several_classes_and_labels():
    texts, labels = made()
    about_films = np.array(["film" in text for text in texts])
    where = np.where(about_films, "c", labels)
    clf = small().fit(texts, where)
    proba = clf.predict_proba(texts)
    assert clf.classes_.tolist() == ["bad", "c", "good"]
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(texts)), proba)
    assert clf.decision_function(texts).shape == (120, 3)
    assert clf.score(texts, where) > 0.9
    indicator = np.column_stack([labels == "good", about_films])
    clf = small().fit(texts, indicator.astype(int))
    assert clf.predict_proba(texts).shape == (120, 2)
    assert clf.score(texts, indicator) > 0.9
    with pytest.raises(
        ValueError, match="y holds one class a text, .* an indicator matrix"
    ):
        clf.partial_fit(texts, labels)


def test_class_weight_and_sample_weight():
    texts, labels = made(60)
    weights = np.where(labels == "good", 3.0, 1.0)
    one = small().fit(texts, labels, sample_weight=weights)
    repeated = np.repeat(np.arange(60), weights.astype(int))
    other = small().fit([texts[i] for i in repeated], labels[repeated])
    np.testing.assert_array_equal(
        one.decision_function(texts), other.decision_function(texts)
    )
    rare = np.where(np.arange(60) < 55, "bad", "good")
    plain = small(epochs=0).fit(texts, rare).decision_function([""])
    balanced = small(epochs=0, class_weight="balanced").fit(texts, rare)
    assert balanced.decision_function([""]) > plain
    with pytest.raises(ValueError, match="at least one non-zero|zero for every"):
        small().fit(texts, labels, sample_weight=np.zeros(60))


@pytest.mark.parametrize("kind", ["texts", "memory-mapped ids"])
def test_parts_are_not_kept(kind, tmp_path):
    """After many parts, memory exceeds that after few parts by less than one part."""
    n, clf = 400, small(units=2, max_length=16)
    texts, labels = made(n)
    ids = np.memmap(tmp_path / "ids", np.int32, "w+", shape=(20 * n, 60))
    ids[:] = np.random.default_rng(0).integers(1, 50, ids.shape)

    def held_after(parts):
        for part in parts:
            own = [f"{text} word{part}" for text in texts]
            if kind != "texts":
                own = ids[part * n : (part + 1) * n]
            clf.partial_fit(own, labels)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    held_after(range(4))  # imports, compiled steps
    tracemalloc.start()
    try:
        few, many = held_after(range(4, 8)), held_after(range(8, 20))
    finally:
        tracemalloc.stop()
    assert many < few + sum(map(sys.getsizeof, texts))


def test_partial_fit_and_warm_start_go_on():
    texts, labels = made()
    kwargs = {"linear_skip": False, "learning_rate": 0.05}
    clf = small(**kwargs)
    losses = [
        clf.partial_fit(texts, labels, classes=["bad", "good"]).history_["loss"][0]
        for _ in range(6)
    ]
    assert losses[-1] < 0.9 * losses[0]
    clf.partial_fit(["a new film"], ["good"])
    with pytest.raises(ValueError, match="which is none of"):
        clf.partial_fit(texts, ["?"] * len(texts))
    warm = small(warm_start=True, early_stopping=False, epochs=4, **kwargs)
    first = warm.fit(texts, labels).history_["loss"][-1]
    vocabulary = warm.vocabulary_
    again = warm.fit([f"{text} unseen" for text in texts], labels)
    assert again.history_["loss"][0] < 1.2 * first
    assert again.vocabulary_ == vocabulary
    with pytest.raises(ValueError, match="network of another shape"):
        warm.set_params(units=9).fit(texts, labels)


def test_vocabulary_and_embeddings(tmp_path):
    texts, labels = made()
    clf = small(max_features=3, epochs=1).fit(texts, labels)
    assert sorted(clf.vocabulary_.values()) == [2, 3, 4]
    vectors = {"good": np.ones(6), "bad": -np.ones(6)}
    file = tmp_path / "vectors.txt"
    lines = [" ".join([word, *map(str, vector)]) for word, vector in vectors.items()]
    file.write_text("\n".join(["2 6", *lines, "unheard 1 2 3 4 5 6"]), "utf-8")
    for given in (vectors, file, str(file)):
        clf = small(embeddings=given, trainable_embeddings=False, linear_skip=False)
        table = clf.fit(texts, labels).weights_["embedding/embeddings"]
        assert clf.n_vectors_found_ == 2
        assert table.shape[1] == 6
        np.testing.assert_array_equal(table[clf.vocabulary_["good"]], 1)
        np.testing.assert_array_equal(table[clf.vocabulary_["film"]], 0)
    array = np.arange(40.0).reshape(20, 2)
    clf.set_params(embeddings=array, epochs=0).fit(texts, labels)
    np.testing.assert_array_equal(clf.weights_["embedding/embeddings"][:16], array[:16])
    with pytest.raises(
        ValueError, match="embeddings has shape .4, 2., but must have two"
    ):
        small(embeddings=array[:4]).fit(texts, labels)
    with pytest.raises(ValueError, match="none of the words"):
        small(embeddings={"?": np.ones(6)}).fit(texts, labels)
    with pytest.raises(ValueError, match="vectors of one length"):
        small(embeddings={"good": np.ones(6), "bad": [1]}).fit(texts, labels)


def test_chinese_characters():
    texts = ["房间很好", "房间 不好", "很好", "服务不好"] * 10
    labels = [1, 0, 1, 0] * 10
    clf = small(analyzer="char", epochs=1).fit(texts, labels)
    assert clf.score(texts, labels) == 1
    assert "房" in clf.vocabulary_


def test_folds_share_compiled_steps():
    from sklstm._training import compiled

    texts, labels = made()
    cross_val_score(small(units=3), texts, labels, cv=3)
    found = len(compiled._cache)
    cross_val_score(small(units=3, random_state=1), texts, labels, cv=3)
    assert len(compiled._cache) == found


def test_few_texts():
    clf = small(epochs=1).fit(["good", "bad"], [1, 0])
    assert clf.predict(["good"]).tolist() == [1]
    assert clf.skill_ is None and clf.baseline_scores_ == {}
    with pytest.raises(ValueError, match="X is empty"):
        clf.fit(np.array([], str), [])


def test_threads_predict_alike():
    texts, labels = made()
    clf = pickle.loads(pickle.dumps(small(linear_skip=False).fit(texts, labels)))
    expected, found = clf.predict_proba(texts), []
    threads = [
        threading.Thread(target=lambda: found.append(clf.predict_proba(texts)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all((other == expected).all() for other in found)


def test_grid_search():
    texts, labels = made()
    grid = {"max_features": [5, 50], "units": [2], "pooling": ["mean"]}
    search = GridSearchCV(
        small(epochs=1), grid, cv=StratifiedKFold(2), scoring="roc_auc", n_jobs=2
    )
    search.fit(texts, labels)
    assert search.best_score_ > 0.9
    serial = clone(search).set_params(n_jobs=1).fit(texts, labels)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )


def test_meta_estimators():
    texts, labels = made()
    texts = np.array(texts, dtype=object)
    clf = small(epochs=1)
    proba = cross_val_predict(clf, texts, labels, cv=2, method="predict_proba")
    assert ((proba[:, 1] > 0.5) == (labels == "good")).mean() > 0.9
    linear = make_pipeline(TfidfVectorizer(), LogisticRegression())
    for model in (
        CalibratedClassifierCV(clf, cv=2),
        VotingClassifier([("lstm", clf), ("linear", linear)], voting="soft"),
        OneVsRestClassifier(clf),
    ):
        assert model.fit(texts, labels).score(texts, labels) > 0.9
    frame = pd.DataFrame({"text": texts, "n": np.arange(len(texts))})
    column = ColumnTransformer([("text", "passthrough", ["text"])])
    pipeline = make_pipeline(column, clf).fit(frame, labels)
    assert pipeline.score(frame, labels) > 0.9


def test_a_fit_that_raises_changes_nothing():
    texts, labels = made(60)
    clf = small(epochs=1).fit(np.ones((60, 3), int), labels)
    before = dict(vars(clf))
    with pytest.raises(TypeError, match="position 1"):
        clf.fit(["a", None], [0, 1])
    with pytest.raises(ValueError, match="one class only"):
        clf.fit(texts, np.ones(60))
    with pytest.raises(TypeError, match="labels of one type, such as str or int"):
        clf.fit(texts, np.array(["a", 1] * 30, object))
    twice = pd.DataFrame(np.ones((60, 2), int), columns=["a", "a"])
    with pytest.raises(ValueError, match="more than one column named 'a'"):
        clf.fit(twice, labels)
    assert vars(clf) == before


@pytest.mark.parametrize(
    "texts, parameters",
    [
        (["a b", "b c"], {"min_df": 1000}),
        (["", ""], {}),
        (["good", "bad"], {"ngram_range": (2, 2)}),
    ],
)
def test_texts_without_an_n_gram_are_told_apart_from_a_fault(texts, parameters):
    clf = LSTMTextClassifier(epochs=1, units=2, random_state=0, **parameters)
    with pytest.raises(ValueError, match="hold no n-gram of .* Lower min_df"):
        clf.fit(texts * 10, [0, 1] * 10)
    assert not hasattr(clf, "classes_")


@pytest.mark.parametrize(
    "parameters, error, match",
    [
        ({"token_pattern": "("}, ValueError, "no regular expression: .* Mend it"),
        ({"token_pattern": "(a)(b)"}, ValueError, "has 2 groups, but one at most"),
        ({"tokenizer": lambda t: None}, TypeError, "failed on the text at position 0"),
        ({"tokenizer": lambda t: [1, "a"]}, TypeError, "Tokens must be of one type"),
        (
            {"strip_accents": lambda t: 5},
            TypeError,
            "strip_accents, failed on the text",
        ),
        ({"embeddings": {"good": "x"}}, ValueError, "must hold numbers: could not"),
        ({"embeddings": {"good": 1.0}}, ValueError, "a vector of finite numbers for"),
        (
            {"embeddings": {"good": [np.nan]}},
            ValueError,
            "some of them NaN or infinite",
        ),
        ({"embeddings": np.zeros((9, 3, 2))}, ValueError, "must have two axes, and"),
        ({"embeddings": np.zeros((9, 0))}, ValueError, r"shape \(5, 0\)\."),
        ({"class_weight": {0: -1, 1: 1}}, ValueError, "class_weight=.* is negative or"),
        ({"class_weight": {0: np.nan, 1: 1}}, ValueError, "Give each class a number"),
        ({"class_weight": {0: 0, 1: 1}}, ValueError, "class_weight, are of one class"),
        ({"class_weight": {0: 1e300, 1: 1}}, ValueError, "times the weight of classes"),
    ],
)
def test_what_cannot_be_used_is_named(parameters, error, match):
    clf = LSTMTextClassifier(epochs=1, units=3, random_state=0, **parameters)
    with pytest.raises(error, match=match):
        clf.fit(["good film", "bad"] * 9, [1, 0] * 9)
    assert clf.get_params().keys() == vars(clf).keys()


def test_a_file_of_vectors_that_is_no_text_is_named(tmp_path):
    (tmp_path / "vectors").write_bytes(b"\xff\xfe good 1 2")
    clf = LSTMTextClassifier(epochs=1, embeddings=tmp_path / "vectors")
    with pytest.raises(ValueError, match="vectors.* is no text in UTF-8.* GloVe"):
        clf.fit(["good film", "bad"] * 9, [1, 0] * 9)
    (tmp_path / "vectors").write_text("good 1 x")
    with pytest.raises(ValueError, match="must hold numbers: .*'x'"):
        clf.fit(["good film", "bad"] * 9, [1, 0] * 9)


def test_classes_and_networks_that_change_are_named():
    texts, clf = ["good film", "bad"] * 9, LSTMTextClassifier(epochs=1, units=3)
    with pytest.raises(ValueError, match="one class only: 'a'. Add texts of another"):
        clf.fit(texts, ["a"] * 18)
    clf.fit(texts, [1, 0] * 9)
    with pytest.raises(ValueError, match=r"class 5, which is none of \[0, 1\]. Name"):
        clf.partial_fit(texts, [5] * 18)
    clf.set_params(units=4, warm_start=True)
    with pytest.raises(ValueError, match=r"shape: units was \(3,\) and is \(4,\). Fit"):
        clf.fit(texts, [1, 0] * 9)
