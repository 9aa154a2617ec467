"""The wrappers of scikeras in scikit-learn's checks, with sklstm's networks."""

import importlib
import pickle
import sys

import keras
import numpy as np
import pytest

pytest.importorskip("scikeras")

from scikeras import wrappers  # noqa: E402
from scipy import sparse  # noqa: E402
from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)
from sklearn.utils.estimator_checks import (  # noqa: E402
    check_fit_idempotent,
    check_methods_sample_order_invariance,
    check_methods_subset_invariance,
    check_sample_weight_equivalence_on_dense_data,
    estimator_checks_generator,
)

from sklstm import LSTMForecaster  # noqa: E402
from sklstm.scikeras import (  # noqa: E402
    KerasClassifier,
    KerasRegressor,
    build_classifier,
    build_regressor,
)

OPTIONS = {
    "epochs": 2,
    "batch_size": 30,
    "verbose": 0,
    "random_state": 0,
    "model__units": 3,
    "model__cell": "rnn",
}


def regressor(**parameters):
    return KerasRegressor(build_regressor, **(OPTIONS | parameters))


def classifier(**parameters):
    return KerasClassifier(build_classifier, **(OPTIONS | parameters))


def dense(meta, compile_kwargs):
    """Build a small Keras model, which compiles quickly."""
    n_outputs, activation, loss = meta["n_outputs_"], None, "mse"
    if "n_classes_" in meta:
        n_outputs, activation = meta["n_classes_"], "sigmoid"
        loss = "binary_crossentropy"
        if meta["target_type_"] == "multiclass":
            activation, loss = "softmax", "sparse_categorical_crossentropy"
        elif meta["target_type_"] == "binary":
            n_outputs = 1
    layer = keras.layers.Dense(n_outputs, activation)
    model = keras.Sequential([keras.Input((meta["n_features_in_"],)), layer])
    model.compile(**compile_kwargs | {"loss": loss})
    return model


QUICK = {"epochs": 2, "verbose": 0, "random_state": 0, "run_eagerly": True}


def name(value):
    """Return an id of a wrapper or a check; the wrapper's repr holds an address."""
    return getattr(value, "func", type(value)).__name__


@pytest.mark.parametrize(
    "estimator, check",
    [
        pair
        for wrapper in (KerasRegressor(dense, **QUICK), KerasClassifier(dense, **QUICK))
        for pair in estimator_checks_generator(wrapper)
    ],
    ids=name,
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        check_fit_idempotent,
        check_methods_sample_order_invariance,
        check_methods_subset_invariance,
        check_sample_weight_equivalence_on_dense_data,
    ],
)
def test_contract_of_networks(check):
    check("KerasRegressor", regressor())


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).normal(size=(60, 6)).astype("float32")


def test_scikit_learn_tells_them_apart():
    assert is_regressor(regressor()) and not is_classifier(regressor())
    assert is_classifier(classifier()) and not is_regressor(classifier())
    # What is corrected: should this fail, scikeras has done it itself.
    assert not is_classifier(wrappers.KerasClassifier(build_classifier))


@pytest.mark.parametrize("Ours", [KerasRegressor, KerasClassifier])
def test_parameters_are_those_of_scikeras(Ours):
    theirs = getattr(wrappers, Ours.__name__)
    assert Ours().get_params() == theirs().get_params()
    made = clone(Ours(dense, epochs=3, optimizer__learning_rate=0.1))
    made.set_params(fit__batch_size=5, epochs=4)
    given = made.get_params()
    assert given["epochs"] == 4 and given["optimizer__learning_rate"] == 0.1
    assert given["fit__batch_size"] == 5 and given["model"] is dense
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        made.set_params(epoch=3)


def test_one_row_keeps_its_axes(windows):
    y = np.arange(60) % 3
    clf = KerasClassifier(dense, **QUICK).fit(windows, y)
    assert clf.predict_proba(windows[:1]).shape == (1, 3)
    assert clf.predict_proba(windows[:1], batch_size=-1).shape == (1, 3)


def test_weights_are_left_as_they_were(windows):
    weights = np.ones(60)
    clf = KerasClassifier(dense, class_weight="balanced", **QUICK)
    clf.fit(windows, np.arange(60) > 40, sample_weight=weights)
    np.testing.assert_array_equal(weights, 1)
    with pytest.raises(ValueError, match="zero"):
        clf.fit(windows, np.arange(60) > 40, sample_weight=0 * weights)


@pytest.mark.parametrize(
    "ordered", [{"validation_split": 0.2}, {"fit__shuffle": False}]
)
def test_f5_a_factor_on_weights_changes_nothing_where_rows_keep_their_order(
    ordered, windows
):
    y, weights = windows[:, 0], np.linspace(0, 1, 60)
    found = [
        KerasRegressor(dense, optimizer="sgd", **ordered, **QUICK)
        .fit(windows, y, sample_weight=factor * weights)
        .predict(windows)
        for factor in (1, 64)
    ]
    np.testing.assert_array_equal(*found)


def test_f5_a_class_without_weight_stays_a_class(windows):
    y = np.arange(60) % 3
    clf = KerasClassifier(dense, **QUICK).fit(windows, y, sample_weight=y != 1)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(windows).shape == (60, 3)
    clf = KerasClassifier(dense, class_weight={0: 0, 1: 1, 2: 1}, **QUICK)
    assert clf.fit(windows, y).predict_proba(windows).shape == (60, 3)
    with pytest.raises(ValueError, match="sample_weight and class_weight is zero for"):
        clf.fit(windows, y, sample_weight=y == 0)


def test_rows_keep_their_order_where_it_means_something(windows):
    rows = []

    def kept(meta, compile_kwargs):
        model = dense(meta, compile_kwargs)
        fit = model.fit

        def spy(x, **options):
            rows.append(x)
            return fit(x, **options)

        model.fit = spy
        return model

    y = windows[:, 0]
    for options in ({"shuffle": False}, {"fit__validation_split": 0.2}, {}):
        KerasRegressor(kept, **QUICK, **options).fit(windows, y)
    np.testing.assert_array_equal(rows[0], windows)
    np.testing.assert_array_equal(rows[1], windows)
    assert (rows[2] != windows).any()


def test_training_goes_on(windows):
    y = windows[:, 0]
    reg = regressor(warm_start=True).fit(windows, y)
    before = reg.model_
    assert reg.partial_fit(windows, y).fit(windows, y).model_ is before
    assert regressor().initialize(windows, y).predict(windows).shape == (60,)


def test_a_random_state_is_drawn_from(windows):
    y = windows[:, 0]
    made = [
        regressor(random_state=np.random.RandomState(seed)).fit(windows, y)
        for seed in (0, 0, 1)
    ]
    first, same, other = (reg.predict(windows) for reg in made)
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_a_pickled_wrapper_predicts_the_same(windows):
    reg = regressor().fit(windows, windows[:, 0])
    again = pickle.loads(pickle.dumps(reg))
    np.testing.assert_allclose(again.predict(windows), reg.predict(windows))


def test_there_is_nothing_learned_before_fit():
    with pytest.raises(AttributeError, match="has no 'model_' before fit"):
        _ = regressor().model_
    with pytest.raises(AttributeError, match="has no attribute 'learn'"):
        _ = regressor().learn


def test_labels_that_come_together(windows):
    y = np.column_stack([windows[:, 5] > 0, windows[:, 4] > 0, windows[:, 3] > 1])
    y = y.astype(int)
    clf = classifier(model__units=6, optimizer__learning_rate=0.05, epochs=20)
    clf.fit(windows, y)
    proba, found = clf.predict_proba(windows), clf.predict(windows)
    assert proba.shape == found.shape == (60, 3)
    assert (found == (proba > 0.5)).all() and (found == y).mean() > 0.9
    assert not np.allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(clf.predict_proba(windows[:1]), proba[:1], atol=1e-6)


def test_folds_of_classifiers_are_stratified(windows):
    y = np.repeat([0, 1, 2], 20)
    clf = classifier()
    assert isinstance(check_cv(3, y, classifier=is_classifier(clf)), StratifiedKFold)
    scores = cross_val_score(clf, windows, y, scoring="roc_auc_ovr", cv=2)
    assert np.isfinite(scores).all()


def test_parameters_reach_the_network(windows):
    grid = {"model__units": [2, 5]}
    search = GridSearchCV(regressor(), grid, cv=2).fit(windows, windows[:, 0])
    kernel = search.best_estimator_.model_.get_layer("recurrent_0").weights[1]
    assert kernel.shape[0] == search.best_params_["model__units"]


@pytest.mark.parametrize(
    "shape, parameters",
    [((60, 6), {}), ((60, 6), {"model__n_features": 2}), ((60, 3, 2), {})],
)
def test_shapes_of_windows(windows, shape, parameters):
    X = windows.reshape(shape)
    reg = regressor(**parameters).fit(X, windows[:, :2])
    assert reg.predict(X).shape == (60, 2)


def test_rows_hold_whole_steps(windows):
    with pytest.raises(ValueError, match="6 values, which are no whole steps of n_fea"):
        regressor(model__n_features=4).fit(windows, windows[:, 0])


def test_a_fitted_network_is_taken_over(windows):
    y = windows[:, 0]
    for shape, n_features, options in [
        ((60, 6), 1, {}),
        ((60, 6), 2, {"model__n_features": 2}),
        ((60, 3, 2), 2, {"model__units": (3, 2)}),
    ]:
        X, steps = windows.reshape(shape), windows.reshape(60, -1, n_features)
        reg = regressor(**options).fit(X, y)
        expected = reg.predict(X)
        f = LSTMForecaster.from_keras(reg, steps, y)
        np.testing.assert_allclose(f.predict(steps), expected, atol=1e-5)
        f = LSTMForecaster.from_keras(reg.model_, steps, y, scaler=None)
        np.testing.assert_allclose(f.predict(steps), expected, atol=1e-5)


def test_a_wrapper_of_scikeras_itself_is_taken_over(windows):
    X, y = windows[:, :, None], windows[:, 0]
    reg = wrappers.KerasRegressor(build_regressor, **OPTIONS).fit(X, y)
    f = LSTMForecaster.from_keras(reg, X, y)
    np.testing.assert_allclose(f.predict(X), reg.predict(X), atol=1e-5)


def test_what_cannot_be_taken_over(windows):
    X, y = windows[:, :, None], windows[:, 0]
    with pytest.raises(ValueError, match="KerasRegressor is not fitted"):
        LSTMForecaster.from_keras(regressor(), X, y)
    clf = classifier().fit(X, y > 0)
    with pytest.raises(ValueError, match="gives probabilities of classes"):
        LSTMForecaster.from_keras(clf, X, y)


def test_says_how_to_install_scikeras(monkeypatch):
    monkeypatch.setitem(sys.modules, "scikeras", None)
    monkeypatch.delitem(sys.modules, "sklstm.scikeras")
    with pytest.raises(ImportError, match=r"pip install 'sklstm\[scikeras\]'"):
        importlib.import_module("sklstm.scikeras")


def test_f1_epochs_take_the_steps_of_keras_whatever_rows_repeat():
    codes = np.random.default_rng(0).integers(0, 4, (640, 2))
    X = np.hstack([np.eye(4)[codes[:, 0]], np.eye(4)[codes[:, 1]]])
    y = (codes[:, 0] % 2) ^ (codes[:, 1] % 2)

    def net(meta):
        hidden = keras.layers.Dense(16, "relu")
        output = keras.layers.Dense(1, "sigmoid")
        return keras.Sequential([keras.Input((8,)), hidden, output])

    clf = KerasClassifier(
        net,
        loss="binary_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.02,
        epochs=20,
        verbose=0,
        random_state=0,
    ).fit(X, y)
    assert int(clf.model_.optimizer.iterations) == 20 * 640 / 32
    assert clf.score(X, y) == 1 and clf.history_["loss"][-1] < 0.1


@pytest.mark.parametrize(
    "hook", ["feature_encoder", "target_encoder", "scorer", "_keras_build_fn"]
)
def test_f9_hooks_that_would_not_be_called_are_refused(hook):
    mixin = type("Mixin", (), {hook: property(lambda self: None)})
    for base in (KerasClassifier, KerasRegressor):
        for bases in ((base,), (mixin, base)):
            members = {hook: None} if len(bases) == 1 else {}
            with pytest.raises(TypeError, match=f"Mine overrides {hook}, which Keras"):
                type("Mine", bases, members)


def test_f9_hooks_set_later_are_refused_at_fit(windows):
    X, y = windows[:, :, None], windows[:, 0]
    Mine = type("Mine", (KerasRegressor,), {})
    reg = Mine(build_regressor, **OPTIONS)
    reg.target_encoder = None
    with pytest.raises(TypeError, match="Mine overrides target_encoder"):
        reg.fit(X, y)
    Mine.scorer = None
    with pytest.raises(TypeError, match="Mine overrides scorer"):
        Mine(build_regressor, **OPTIONS).initialize(X, y)


def test_f12_labels_may_be_a_sparse_matrix(windows):
    X, y = windows[:, :, None], np.eye(2, dtype=int)[np.arange(len(windows)) % 2]
    clf = classifier(epochs=1).fit(X, sparse.csr_matrix(y))
    expected = classifier(epochs=1).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    with pytest.raises(ValueError, match="misses the label at position 1. Fill"):
        classifier().fit(X, [0, None, *y[2:, 0]])
    with pytest.raises(TypeError, match="holds str and int. Convert them"):
        classifier().fit(X, ["a", 1] * (len(X) // 2))
    with pytest.raises(ValueError, match="Negative values in data passed"):
        classifier().fit(X, y[:, 0], sample_weight=-np.ones(len(X)))


def test_f9_a_subclass_may_add_parameters_and_override_methods(windows):
    class Mine(KerasRegressor):
        def __init__(self, factor=2, **parameters):
            super().__init__(**parameters)
            self.factor = factor

        def predict(self, X, **options):
            return self.factor * super().predict(X, **options)

    X, y = windows[:, :, None], windows[:, 0]
    reg = clone(Mine(factor=3, model=build_regressor, **OPTIONS))
    assert reg.current_epoch == 0
    reg.fit(X, y)
    assert reg.get_params()["factor"] == 3 and reg.current_epoch == 2
    np.testing.assert_array_equal(reg.predict(X), 3 * KerasRegressor.predict(reg, X))
