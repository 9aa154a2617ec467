"""scikeras's wrappers, told apart by scikit-learn, and our networks to put in them."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.validation import _check_n_features

from sklstm._keras import load_keras
from sklstm._networks import NetworkSpec

load_keras()  # on JAX, unless the user chose another backend
try:
    from scikeras import wrappers
except ImportError as error:
    raise ImportError(
        "sklstm.scikeras needs the package scikeras. Install it with "
        "pip install 'sklstm[scikeras]'."
    ) from error

__all__ = ["KerasClassifier", "KerasRegressor", "build_classifier", "build_regressor"]


def build_regressor(
    meta, units=32, cell="lstm", n_features=1, dropout=0.0, recurrent_dropout=0.0
):
    """A network for ``KerasRegressor(model=build_regressor, model__units=...)``.

    Each row of X is a window: its values, oldest first, or its steps one after the
    other, of `n_features` values each. X of shape (n_windows, window_length,
    n_features) is taken as it is.

    Parameters
    ----------
    meta : dict
        What scikeras knows of the data.
    units : int or tuple of int, default=32
    cell : {"lstm", "gru", "rnn"}, default="lstm"
    n_features : int, default=1
        Values of a step in a row of 2-D X.
    dropout, recurrent_dropout : float, default=0.0

    Returns
    -------
    keras.Model
        Not compiled; of Keras's own layers. `LSTMForecaster.from_keras` takes it over
        once it is fitted on 3-D X, or on one value a step.

    Raises
    ------
    ValueError
        If a row of X does not hold whole steps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.scikeras import KerasRegressor, build_regressor
    >>> windows = np.sin(np.arange(50)[:, None] + np.arange(6))
    >>> reg = KerasRegressor(build_regressor, model__units=4, loss="mse", verbose=0)
    >>> reg.fit(windows, windows[:, 0]).predict(windows).shape
    (50,)
    """
    return build(meta, meta["n_outputs_"], None, locals())


def build_classifier(
    meta, units=32, cell="lstm", n_features=1, dropout=0.0, recurrent_dropout=0.0
):
    """A network for ``KerasClassifier(model=build_classifier, model__units=...)``.

    Parameters, shapes of X and errors are those of `build_regressor`. Two classes get
    one probability, for the loss "binary_crossentropy", and more get one each, for
    "sparse_categorical_crossentropy".

    Returns
    -------
    keras.Model
        Not compiled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.scikeras import KerasClassifier, build_classifier
    >>> windows = np.sin(np.arange(50)[:, None] + np.arange(6))
    >>> clf = KerasClassifier(
    ...     build_classifier, loss="binary_crossentropy", model__units=4, verbose=0
    ... )
    >>> clf.fit(windows, windows[:, 5] > 0).predict_proba(windows).shape
    (50, 2)
    """
    if meta["target_type_"] == "binary":
        return build(meta, 1, "sigmoid", locals())
    return build(meta, meta["n_classes_"], "softmax", locals())


def build(meta, n_outputs, activation, parameters):
    from keras import Model, layers

    shape = meta["X_shape_"][1:]
    n_features = parameters["n_features"]
    if len(shape) == 1:
        if shape[0] % n_features:
            raise ValueError(
                f"A row of X has {shape[0]} values, which are no whole steps of "
                f"n_features={n_features}. Pass X of shape (n_windows, window_length, "
                "n_features), or set model__n_features."
            )
        window_shape = (shape[0] // n_features, n_features)
    else:
        window_shape = tuple(shape)
    units = parameters["units"]
    spec = NetworkSpec(
        window_shape,
        0,
        (1, n_outputs),
        cell=parameters["cell"],
        units=(units,) if np.isscalar(units) else tuple(units),
        dropout=parameters["dropout"],
        recurrent_dropout=parameters["recurrent_dropout"],
        linear_skip=False,
    )
    network = spec.build(plain=True)
    output = layers.Reshape((n_outputs,), name="outputs")(network.output)
    if activation:
        output = layers.Activation(activation, name="probabilities")(output)
    inputs = network.input
    if len(shape) == 1 and n_features > 1:
        from keras import Input

        inputs = Input(shape, name="rows")
        steps = layers.Reshape(window_shape, name="steps")(inputs)
        output = Model(network.input, output)(steps)
    return Model(inputs, output)


class Corrected:
    """What scikit-learn asks of an estimator and scikeras 0.13 does not tell it.

    Its classes have their mixins to the right of BaseEstimator, whose tags are then the
    last word: scikit-learn takes them neither for classifiers nor for regressors, so
    that folds are not stratified, and ``roc_auc`` fails.
    """

    def __sklearn_tags__(self):
        # Not super(): the mixins come last, and have none to ask.
        tags = BaseEstimator.__sklearn_tags__(self)
        tags.estimator_type = self._estimator_type
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        if tags.estimator_type == "classifier":
            tags.classifier_tags = ClassifierTags()
        else:
            tags.regressor_tags = RegressorTags()
        return tags

    def fit(self, X, y, sample_weight=None, **options):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None. Pass fit(X, y)."
            )
        return super().fit(X, y, sample_weight, **options)

    def _validate_data(self, X, y=None, reset=False, **options):
        if X is not None and not reset:  # in the words that scikit-learn looks for
            _check_n_features(self, X, reset=False)
        return super()._validate_data(X, y, reset, **options)


class KerasRegressor(Corrected, wrappers.KerasRegressor):
    """`scikeras.wrappers.KerasRegressor` that scikit-learn takes for a regressor.

    Parameters, attributes and methods are those of scikeras, with any `model`:
    `build_regressor` is one.

    Examples
    --------
    >>> from sklearn.base import is_regressor
    >>> from sklstm.scikeras import KerasRegressor, build_regressor
    >>> is_regressor(KerasRegressor(build_regressor, loss="mse"))
    True
    """

    _estimator_type = "regressor"


class KerasClassifier(Corrected, wrappers.KerasClassifier):
    """`scikeras.wrappers.KerasClassifier` that scikit-learn takes for a classifier.

    Parameters, attributes and methods are those of scikeras, with any `model`:
    `build_classifier` is one.

    Examples
    --------
    >>> from sklearn.base import is_classifier
    >>> from sklstm.scikeras import KerasClassifier, build_classifier
    >>> is_classifier(KerasClassifier(build_classifier, loss="binary_crossentropy"))
    True
    """

    _estimator_type = "classifier"
