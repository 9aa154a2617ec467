"""scikeras's wrappers as scikit-learn sees them, with our networks inside."""

import importlib
import sys

import numpy as np
import pytest

pytest.importorskip("scikeras")

from scikeras import wrappers  # noqa: E402
from sklearn.base import is_classifier, is_regressor  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)
from sklearn.utils.estimator_checks import (  # noqa: E402
    check_estimator_cloneable,
    check_estimator_repr,
    check_n_features_in_after_fitting,
    check_requires_y_none,
    check_valid_tag_types,
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
    return KerasRegressor(build_regressor, loss="mse", **(OPTIONS | parameters))


def classifier(loss="binary_crossentropy", **parameters):
    return KerasClassifier(build_classifier, loss=loss, **(OPTIONS | parameters))


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).normal(size=(60, 6)).astype("float32")


def test_scikit_learn_tells_them_apart():
    assert is_regressor(regressor()) and not is_classifier(regressor())
    assert is_classifier(classifier()) and not is_regressor(classifier())
    # What is corrected: should this fail, scikeras has done it itself.
    assert not is_classifier(wrappers.KerasClassifier(build_classifier))


@pytest.mark.parametrize("made", [regressor(), classifier()])
def test_passes_checks_of_scikit_learn(made):
    for check in (
        check_estimator_cloneable,
        check_estimator_repr,
        check_requires_y_none,
        check_valid_tag_types,
    ):
        check(type(made).__name__, made)


def test_names_a_wrong_number_of_features_as_scikit_learn_does():
    check_n_features_in_after_fitting("KerasRegressor", regressor())


def test_folds_of_classifiers_are_stratified(windows):
    y = np.repeat([0, 1, 2], 20)
    clf = classifier("sparse_categorical_crossentropy")
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
    X, y = windows[:, :, None], windows[:, 0]
    reg = regressor().fit(X, y)
    f = LSTMForecaster.from_keras(reg.model_, X, y, scaler=None)
    np.testing.assert_allclose(f.predict(X), reg.predict(X), atol=1e-5)


def test_says_how_to_install_scikeras(monkeypatch):
    monkeypatch.setitem(sys.modules, "scikeras", None)
    monkeypatch.delitem(sys.modules, "sklstm.scikeras")
    with pytest.raises(ImportError, match=r"pip install 'sklstm\[scikeras\]'"):
        importlib.import_module("sklstm.scikeras")
