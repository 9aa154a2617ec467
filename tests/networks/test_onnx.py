import copy
import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._networks.pretrained import FineTuned, shipped_network
from sklstm._networks.spec import POOLINGS
from sklstm._utils.cells import CELLS

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from tests.fitted import with_network  # noqa: E402

# No epoch is trained, since a graph is equal whatever the weights are.
QUICK = {"epochs": 0, "units": 3, "random_state": 0, "validation_fraction": 0}
OWN = QUICK | {"pretrained": False}
ALL = {"epochs": 0, "random_state": 0}
TEXTS = ["a good film", "very very good", "a bad film , bad", "very bad", "so so"] * 4
LABELS = [1, 1, 0, 0, 1] * 4


def shaken(estimator):
    """Return the estimator with random weights in all parts of its network."""
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(scale=0.3, size=shape).astype(np.float32)
        for name, shape in estimator._spec_.weight_shapes().items()
    }
    if isinstance(estimator, LSTMForecaster):
        return with_network(estimator, weights=weights)
    estimator.weights_ = weights
    return estimator


def run_graph(model, **inputs):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    assert {i.name for i in session.get_inputs()} == set(inputs)
    return session.run(None, inputs)[0]


def assert_same(actual, expected):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "gru", "units": (3, 2)},
        {"cell": "rnn", "units": (2, 3), "linear_skip": False},
        {"cell": "slstm", "units": (3, 2)},
        {"cell": "lstm", "units": (4, 3), "recurrent_length": 5},
        {"window_norm": None, "scaler": "minmax"},
        {"window_norm": "last", "scaler": "robust", "cell": "gru"},
        {"window_norm": "scale", "scaler": "log"},
        {"window_norm": "scale", "scaler": None, "seasonal_period": None},
        {"deseasonalize": True},
        {"deseasonalize": True, "window_norm": None, "seasonal_period": (12, 4)},
        {"deseasonalize": True, "window_norm": "scale"},
    ],
    ids=str,
)
def test_forecasts_are_those_of_forecast(options, passengers):
    f = shaken(LSTMForecaster(26, 5, **OWN | options).fit(passengers))
    model = f.to_onnx()
    y = passengers.to_numpy(float)
    window = np.stack([y[-26:], y[-40:-14]])
    expected = [f.forecast(), f.forecast(history=passengers[:-14])]
    assert_same(run_graph(model, y=window), expected)


def test_series_of_several_columns(passengers):
    table = np.column_stack([passengers, np.sqrt(passengers)])
    f = shaken(LSTMForecaster(6, 3, seasonal_period=3, **OWN).fit(table))
    assert_same(run_graph(f.to_onnx(), y=table[None, -6:])[0], f.forecast())
    f = f.set_params(deseasonalize=True).fit(table)
    assert_same(run_graph(f.to_onnx(), y=table[None, -6:])[0], f.forecast())


def test_a_linear_or_empty_network_has_a_graph_too(passengers):
    for options in ({}, {"linear_skip": False}):
        f = LSTMForecaster(6, 2, **OWN | options).fit(passengers)
        kernel = 0 * f.weights_["head/kernel"]
        with_network(f, weights=f.weights_ | {"head/kernel": kernel})
        model = f.to_onnx()
        assert "LSTM" not in {node.op_type for node in model.graph.node}
        window = passengers.to_numpy(float)[None, -6:]
        assert_same(run_graph(model, y=window)[0], f.forecast())


def series_of(kind, n_rows, freq):
    """Return made series: one with two seasons, one that repeats, and one still."""
    rng, step = np.random.default_rng(0), np.arange(n_rows)
    values = {
        "walk": rng.normal(size=n_rows).cumsum(),
        "seasons": 9 + np.resize(rng.normal(size=24), n_rows) + np.sin(step / 27),
        "factors": np.exp(step / 50 + np.resize([0.3, -0.2, 0, 0.1], n_rows)),
        "repeats": np.resize([1.0, 5, 2, 8, 0, 0, 0], n_rows),
        "still": np.full(n_rows, 5.0),
    }[kind]
    return pd.Series(values, pd.date_range("2020", periods=n_rows, freq=freq))


@pytest.mark.parametrize("scaler", ["standard", "log"])
@pytest.mark.parametrize(
    "options", [{}, {"window_length": 24}, {"horizon": 100}], ids=str
)
def test_all_members_take_part(options, scaler, passengers):
    f = LSTMForecaster(**ALL | {"horizon": 5, "scaler": scaler} | options)
    f.fit(passengers[:-20])
    if "horizon" not in options:
        assert min(member["weight"] for member in f.members_.values()) > 0
    y, n_known = passengers.to_numpy(float), len(passengers) - 20
    expected = f.forecast()
    assert_same(run_graph(f.to_onnx(), y=y[None, :n_known])[0], expected)
    # The graph reads as many rows as the fit had, of any history.
    later = f.forecast(history=passengers[20:])
    assert_same(run_graph(f.to_onnx(), y=y[None, -n_known:])[0], later)


@pytest.mark.parametrize(
    "kind, n_rows, freq",
    [
        ("walk", 8, "YS"),
        ("walk", 9, "MS"),
        ("walk", 33, "QS"),
        ("factors", 60, "QS"),
        ("repeats", 90, "D"),
        ("still", 90, "D"),
        ("seasons", 400, "h"),
        ("seasons", 2500, "h"),
    ],
)
def test_members_of_series_of_many_kinds(kind, n_rows, freq):
    y = series_of(kind, n_rows, freq)
    f = LSTMForecaster(horizon=7, **ALL).fit(y)
    model = f.to_onnx()
    n_read = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    assert n_read <= min(n_rows, 12 * 168)
    assert_same(run_graph(model, y=y.to_numpy()[None, -n_read:])[0], f.forecast())


def test_members_of_columns_series_and_fine_tuning(passengers):
    table = np.column_stack([passengers, 100 + np.sqrt(passengers)])
    f = LSTMForecaster(horizon=5, **ALL).fit(table)
    assert_same(run_graph(f.to_onnx(), y=table[None])[0], f.forecast())
    f = LSTMForecaster(horizon=5, **ALL).fit([table[:, 0], table[:100, 1]])
    expected = f.forecast(series=[1])[0]
    found = run_graph(f.to_onnx(series=1), y=table[None, :100, 1])[0]
    assert_same(found, expected)
    weights = {n: w * 0.9 for n, w in shipped_network().weights.items()}
    tuned = FineTuned.of(shipped_network().arch, weights)
    state = f._state
    members = dataclasses.replace(state.model.members, tuned=tuned)
    model = dataclasses.replace(state.model, members=members)
    f._state = dataclasses.replace(state, model=model)
    assert not np.allclose(f.forecast(series=[1])[0], expected, rtol=1e-4)
    found = run_graph(f.to_onnx(series=1), y=table[None, :100, 1])[0]
    assert_same(found, f.forecast(series=[1])[0])


def test_members_beside_inputs(regression):
    X, y = regression
    y = y + series_of("walk", len(y), "h").to_numpy()  # not what X alone explains
    f = LSTMForecaster(6, 3, **ALL).fit(X[:-3], y[:-3])
    assert f.members_["pretrained"]["weight"] > 0
    inputs = {
        "y": y.to_numpy()[None, :-3],
        "X_past": X.to_numpy()[None, -9:-3],
        "X_ahead": X.to_numpy()[None, -3:],
    }
    assert_same(run_graph(f.to_onnx(), **inputs)[0], f.forecast(X=X[-3:]))


def test_a_graph_has_the_same_bytes_in_every_process():
    code = (
        "import hashlib; from sklstm import LSTMForecaster as F;"
        "from sklstm.datasets import load_air_passengers as load;"
        "m = F(horizon=5, epochs=0, random_state=0).fit(load()).to_onnx();"
        "print(hashlib.sha256(m.SerializeToString()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(digests) == 1


def test_no_weights_are_stored_twice(passengers):
    sizes = [
        len(
            LSTMForecaster(horizon=n, **ALL)
            .fit(passengers)
            .to_onnx()
            .SerializeToString()
        )
        for n in (5, 100)
    ]
    assert sizes[1] < 1.1 * sizes[0]


@pytest.mark.parametrize("past", [None, ["b"], ["a", "b"]])
@pytest.mark.parametrize("scaler", ["standard", "minmax"])
def test_inputs_known_ahead_and_past(past, scaler, regression):
    X, y = regression
    f = LSTMForecaster(6, 3, past_covariates=past, scaler=scaler, **OWN)
    f = shaken(f.fit(X[:-3], y[:-3]))
    ahead = X[-3:].to_numpy()[None].copy()
    ahead[..., [name in (past or ()) for name in X.columns]] = np.nan
    inputs = {
        "y": y.to_numpy()[None, -9:-3],
        "X_past": X.to_numpy()[None, -9:-3],
        "X_ahead": ahead,
    }
    assert_same(run_graph(f.to_onnx(), **inputs)[0], f.forecast(X=X[-3:]))


@pytest.mark.parametrize("scaler", ["standard", "log"])
@pytest.mark.parametrize("n_features, n_targets", [(1, 1), (2, 2)])
def test_predictions_of_ready_made_windows(scaler, n_features, n_targets):
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, size=(40, 5, n_features))
    X = X if n_features > 1 else X[:, :, 0]
    y = X.reshape(40, -1)[:, :n_targets] ** 2
    f = LSTMForecaster(scaler=scaler, **OWN).fit(X, y if n_targets > 1 else y[:, 0])
    assert_same(run_graph(shaken(f).to_onnx(), X=X[:7]), f.predict(X[:7]))


def test_one_of_many_series(passengers):
    values = passengers.to_numpy(float)
    f = shaken(LSTMForecaster(6, 2, **OWN).fit([values, 100 - values[:60]]))
    window = 100 - values[None, 54:60]
    expected = f.forecast(series=[1])[0]
    assert_same(run_graph(f.to_onnx(series=1), y=window)[0], expected)
    with pytest.raises(ValueError, match=r"knows 2 series.*to_onnx\(series="):
        f.to_onnx()
    with pytest.raises(ValueError, match=r"series=5 is not a series.*\[0, 1\]"):
        f.to_onnx(series=5)


def tokens_of(classifier, texts, width=9):
    """Return token ids with padding at different positions."""
    tokens = np.zeros((len(texts), width), np.int64)
    for row, text in enumerate(texts):
        ids = [classifier._state.words.get(word, 1) for word in text.split()]
        tokens[row, row % 3 : row % 3 + len(ids)] = ids
    return tokens


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("units, bidirectional", [((3,), False), ((3, 2), True)])
def test_probabilities_of_texts(cell, pooling, units, bidirectional, fitted):
    clf = copy.copy(fitted)
    # Another network in its place, since to fit each takes seconds.
    spec = dataclasses.replace(
        clf._state.spec,
        cell=cell,
        pooling=pooling,
        units=units,
        bidirectional=bidirectional,
    )
    clf._state = dataclasses.replace(clf._state, spec=spec)
    clf = shaken(clf)
    texts = [*TEXTS[:5], "", "never seen", "a bad never seen good good film"]
    found = run_graph(clf.to_onnx(), tokens=tokens_of(clf, texts))
    assert_same(found, clf.predict_proba(texts))


@pytest.fixture(scope="module")
def fitted_on_texts():
    def fit(labels=LABELS, **options):
        clf = LSTMTextClassifier(**QUICK | {"embedding_dim": 3} | options)
        return shaken(clf.fit(TEXTS, labels))

    return fit


@pytest.fixture(scope="module")
def fitted(fitted_on_texts):
    return fitted_on_texts()


@pytest.mark.parametrize("truncate", ["head", "tail", "both"])
@pytest.mark.parametrize("options", [{}, {"linear_skip": False}, {"max_features": 3}])
def test_truncation_and_a_smaller_vocabulary(truncate, options, fitted_on_texts):
    clf = fitted_on_texts(max_length=3, truncate=truncate, **options)
    texts = ["a very bad film , so so", "good film", "", "so a very bad"]
    assert_same(
        run_graph(clf.to_onnx(), tokens=tokens_of(clf, texts)), clf.predict_proba(texts)
    )
    longer = tokens_of(clf, texts, width=12)
    assert_same(run_graph(clf.to_onnx(), tokens=longer), clf.predict_proba(texts))


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 3), (2, 2)])
@pytest.mark.parametrize(
    "labels",
    [list("abcab") * 4, np.array([[1, 0], [1, 1], [0, 1], [0, 0], [1, 0]] * 4)],
)
def test_n_grams_classes_and_labels(ngram_range, labels, fitted_on_texts):
    clf = fitted_on_texts(labels, ngram_range=ngram_range)
    model = clf.to_onnx()
    found = run_graph(model, tokens=tokens_of(clf, TEXTS[:5]))
    assert_same(found, clf.predict_proba(TEXTS[:5]))
    properties = {p.key: json.loads(p.value) for p in model.metadata_props}
    words = clf._state.words
    assert properties == {"classes": clf.classes_.tolist(), "vocabulary": words}


def test_token_ids_as_they_were_fitted():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 30, (40, 7))
    clf = LSTMTextClassifier(**QUICK | {"min_df": 2}).fit(X, X[:, 0] > 15)
    new = rng.integers(0, 60, (9, 7))
    found = run_graph(shaken(clf).to_onnx(), tokens=new)
    assert_same(found, clf.predict_proba(new))
    words = clf._state.words | {2**40: 2}
    clf._state = dataclasses.replace(clf._state, words=words)
    with pytest.raises(ValueError, match=r"largest token id is 1099511627776.*from 1"):
        clf.to_onnx()


def test_what_a_graph_says_of_itself(passengers):
    model = LSTMForecaster(6, 2, **OWN).fit(passengers).to_onnx()
    assert model.producer_name == "sklstm"
    assert "last 6 rows" in model.doc_string and "next 2 values" in model.doc_string
    assert model.graph.name == "LSTMForecaster"
    assert [i.name for i in model.graph.input] == ["y"]
    assert [o.name for o in model.graph.output] == ["forecast"]
    shape = model.graph.output[0].type.tensor_type.shape.dim
    assert (shape[0].dim_param, shape[1].dim_value) == ("n", 2)


def test_what_has_no_graph_is_refused_by_name(passengers, monkeypatch):
    from sklearn.exceptions import NotFittedError
    from sklearn.preprocessing import PowerTransformer

    with pytest.raises(NotFittedError):
        LSTMForecaster().to_onnx()
    f = LSTMForecaster(6, scaler=PowerTransformer(), **OWN).fit(passengers)
    with pytest.raises(ValueError, match="has PowerTransformer. Fit with scaler="):
        f.to_onnx()
    f = LSTMForecaster(6, calendar=("month",), **OWN).fit(passengers)
    with pytest.raises(ValueError, match=r"calendar=\('month',\).*as X of your own"):
        f.to_onnx()
    f.network = "mine"
    with pytest.raises(ValueError, match="network of its own"):
        f.to_onnx()
    f = LSTMForecaster(6, **OWN).fit(passengers)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"sklstm\[onnx\]"):
        f.to_onnx()
