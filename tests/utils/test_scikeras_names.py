"""scikeras's parameter names in set_params, searches and pipelines."""

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from sklstm import LSTMForecaster, LSTMTextClassifier

SMALL = {"window_length": 12, "units": 4, "epochs": 1, "random_state": 0}
BOTH = pytest.mark.parametrize("Estimator", [LSTMForecaster, LSTMTextClassifier])


@BOTH
@pytest.mark.parametrize(
    "word, name, value",
    [
        ("model__units", "units", 7),
        ("model__dropout", "dropout", 0.4),
        ("optimizer__learning_rate", "learning_rate", 0.02),
        ("optimizer__clipnorm", "clipnorm", None),
        ("fit__epochs", "epochs", 3),
        ("fit__batch_size", "batch_size", 5),
        ("fit__verbose", "verbose", 1),
        ("fit__callbacks", "callbacks", [keras.callbacks.CSVLogger]),
        ("fit__validation_split", "validation_fraction", 0.3),
    ],
)
def test_words_mean_parameters(Estimator, word, name, value):
    changed = Estimator().set_params(**{word: value})
    assert changed.get_params() == Estimator(**{name: value}).get_params()
    assert clone(changed).get_params() == changed.get_params()


def test_words_of_parts_reach_them():
    f = LSTMForecaster(scaler=MinMaxScaler())
    f.set_params(model__scaler__feature_range=(0, 2))
    assert f.scaler.feature_range == (0, 2)


@BOTH
@pytest.mark.parametrize(
    "params, match",
    [
        ({"predict__batch_size": 4}, "Leave it out: a prediction depends on"),
        ({"metrics__name": "mae"}, "history_ holds the losses"),
        ({"loss__delta": 2.0}, r"Set loss=keras.losses.Huber\(delta=2.0\)"),
        ({"compile__jit_compile": True}, "Set optimizer, loss, clipnorm"),
        ({"score__x": 1}, "Pass it to score"),
        ({"optimizer__weight_decay": 0.1}, "such as keras.optimizers.AdamW"),
        ({"fit__class_weight": {0: 2}}, "whose keys are the classes"),
        ({"fit__steps_per_epoch": 4}, "fit are fit__epochs, fit__batch_size"),
        ({"model__n_features": 2}, "pass windows of three axes"),
        (
            {"model__width": 2},
            "model__width of scikeras has no equivalent .* Parameters are .*units",
        ),
        ({"epochs": 2, "fit__epochs": 3}, "epochs=2 and fit__epochs=3 are the same"),
        ({"callbacks__patience": 3}, "early_stopping and n_iter_no_change here"),
        ({"width": 2}, "Invalid parameter 'width'"),
        ({"scaler__width": 2, "token_pattern__x": 1}, "Invalid parameter|no attribute"),
    ],
)
def test_other_words_set_nothing(Estimator, params, match):
    estimator = Estimator()
    with pytest.raises((ValueError, AttributeError), match=match):
        estimator.set_params(dropout=0.3, **params)
    assert estimator.get_params() == Estimator().get_params()


def test_two_words_may_agree():
    f = LSTMForecaster().set_params(epochs=2, fit__epochs=2)
    assert f.epochs == 2
    vectors = np.zeros((2, 2))
    clf = LSTMTextClassifier().set_params(embeddings=vectors, model__embeddings=vectors)
    assert clf.embeddings is vectors
    with pytest.raises(ValueError, match="are the same parameter"):
        clf.set_params(embeddings=vectors, model__embeddings=vectors + 1)


def test_arguments_make_callbacks_of_classes():
    plateau, logger = keras.callbacks.ReduceLROnPlateau, keras.callbacks.CSVLogger
    given = {"callbacks__0__patience": 3, "callbacks__1__filename": "a"}
    f = LSTMForecaster(callbacks=[plateau, logger]).set_params(**given)
    assert f.callbacks[0].patience == 3 and f.callbacks[1].filename == "a"
    with pytest.raises(ValueError, match="callbacks__0__patience sets an argument"):
        f.set_params(**given)  # they are callbacks now
    f.set_params(callbacks=plateau, callbacks__patience=4)
    assert f.callbacks.patience == 4
    named = {"callbacks": {"slow": plateau}, "callbacks__slow__patience": 5}
    assert f.set_params(**named).callbacks["slow"].patience == 5


@pytest.mark.parametrize("form", [list, tuple, lambda c: {"one": c[0]}, lambda c: c[0]])
def test_classes_are_made_at_fit(passengers, form):
    class Heard(keras.callbacks.Callback):
        epochs = []

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(epoch)

    classes = form([Heard])
    f = LSTMForecaster(**SMALL, refit=False, callbacks=classes)
    f.set_params(optimizer=keras.optimizers.SGD).fit(passengers)
    assert Heard.epochs == [0]
    assert f.callbacks is classes and f.optimizer is keras.optimizers.SGD


def test_grid_search(passengers):
    f = LSTMForecaster(**SMALL, callbacks=[keras.callbacks.ReduceLROnPlateau])
    grid = {
        "optimizer__learning_rate": [0.001, 0.01],
        "fit__epochs": [2],
        "callbacks__0__patience": [1],
    }
    search = GridSearchCV(f, grid, cv=TimeSeriesSplit(2)).fit(passengers)
    named = {"learning_rate": [0.001, 0.01], "epochs": [2]}
    named["callbacks"] = [[keras.callbacks.ReduceLROnPlateau(patience=1)]]
    expected = GridSearchCV(f, named, cv=TimeSeriesSplit(2)).fit(passengers)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    best = search.best_params_["optimizer__learning_rate"]
    assert search.best_estimator_.learning_rate == best
    assert search.best_estimator_.callbacks[0].patience == 1


def test_in_a_pipeline():
    texts, labels = ["good film", "bad film"] * 12, [1, 0] * 12
    clf = LSTMTextClassifier(units=4, epochs=1, random_state=0)
    pipe = Pipeline([("same", FunctionTransformer()), ("lstm", clf)])
    grid = {"lstm__optimizer__learning_rate": [0.02], "lstm__model__units": [3]}
    search = GridSearchCV(pipe, grid, cv=2).fit(texts, labels)
    found = search.best_estimator_["lstm"]
    assert (found.learning_rate, found.units) == (0.02, 3)
    assert clone(pipe)["lstm"].units == 4
