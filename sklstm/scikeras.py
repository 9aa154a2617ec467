"""scikeras's wrappers, told apart by scikit-learn, and our networks to put in them."""

import contextlib
import inspect
import sys
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from sklstm._networks.scikeras_builders import build_classifier, build_regressor
from sklstm._utils.keras_backend import load_keras
from sklstm._windows.dataset import merge_repeated

floatx = load_keras().config.floatx  # on JAX, unless the user chose another backend
try:
    from scikeras import wrappers
except ImportError as error:
    raise ImportError(
        "sklstm.scikeras needs the package scikeras. Install it with "
        "pip install 'sklstm[scikeras]'."
    ) from error

__all__ = ["KerasClassifier", "KerasRegressor", "build_classifier", "build_regressor"]


# First words of parameters that scikeras hands on.
ROUTES = {*wrappers.BaseWrapper._routing_prefixes, "callbacks", "score"}


@contextlib.contextmanager
def seeded(seed):
    """Seed torch, where Keras runs on it, and leave its generator as it was.

    scikeras seeds Python, NumPy and TensorFlow, but torch shuffles by its own.
    """
    torch = sys.modules.get("torch")
    if seed is None or torch is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def merged(X, y, weights):
    """Equal rows as one of their summed weight, with targets of any type."""
    labels, codes = None, y
    if y.dtype.kind not in "biuf":
        labels, codes = np.unique(y, return_inverse=True)
        codes = codes.reshape(y.shape)
    rows, codes, weights = merge_repeated(X, codes, weights)
    y = codes.astype(y.dtype) if labels is None else labels[codes.astype(int)]
    return rows.astype(X.dtype), y, weights


class Wrapper(BaseEstimator):
    """An estimator that has a wrapper of scikeras train, and answers for it.

    It holds one, and does not inherit from it: scikit-learn asks each class of an
    estimator for tags and the order of mixins, which scikeras 0.13 has as they were.
    """

    def __init__(self, model=None, **parameters):
        given = {"model": model} | parameters
        own = inspect.signature(type(self).__init__).parameters
        for name in self._get_param_names():
            setattr(self, name, given.pop(name, own[name].default))
        self._routed = given

    def get_params(self, deep=True):
        """Parameters by name, routed ones among them.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict
        """
        return super().get_params(deep=False) | self._routed

    def set_params(self, **params):
        """Set parameters, and route those that begin with a word of scikeras.

        Parameters
        ----------
        **params : dict
            ``model__units``, ``optimizer__learning_rate``, ``fit__batch_size`` and so
            on, and those of the constructor.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name that is neither.
        """
        for name, value in params.items():
            word, routed, _ = name.partition("__")
            if (routed and word in ROUTES) or name in self._routed:
                self._routed = self._routed | {name: value}
            else:
                super().set_params(**{name: value})
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        return tags

    def __getattr__(self, name):
        # model_, history_, target_encoder_ and all that scikeras learns.
        if not name.endswith("_") or name.startswith("_") or name == "wrapper_":
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        wrapper = vars(self).get("wrapper_")
        if wrapper is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r} before fit.")
        return getattr(wrapper, name)

    def fit(self, X, y, sample_weight=None, **options):
        """Build the model and train it.

        Without `validation_split` and with `shuffle`, where the order of rows means
        nothing, equal rows are merged into one of their summed weight, so that weights
        and repeated rows train the same network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, n_steps, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        **options : dict
            Of ``keras.Model.fit``.

        Returns
        -------
        self
        """
        goes_on = self.warm_start and hasattr(self, "wrapper_")
        return self._train("fit", X, y, sample_weight, options, goes_on)

    def partial_fit(self, X, y, sample_weight=None, **options):
        """Train one more epoch, as `fit` does.

        Parameters
        ----------
        X, y, sample_weight, options
            As for `fit`.

        Returns
        -------
        self
        """
        goes_on = hasattr(self, "wrapper_")
        return self._train("partial_fit", X, y, sample_weight, options, goes_on)

    def initialize(self, X, y):
        """Build the model for these data, without training.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.

        Returns
        -------
        self
        """
        X, y = self._checked(X, y, reset=True)
        wrapper = self._wrapper(goes_on=False)
        wrapper.initialize(X, y)
        self.wrapper_ = wrapper
        return self

    def _checked(self, X, y, reset):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None. Pass fit(X, y)."
            )
        return validate_data(
            self,
            X,
            y,
            reset=reset,
            dtype=floatx(),
            allow_nd=True,
            multi_output=True,
            y_numeric=self._wraps is wrappers.KerasRegressor,
        )

    def _wrapper(self, goes_on):
        """The wrapper of scikeras with these parameters, new or as far as it came."""
        parameters = self.get_params(deep=False)
        if "class_weight" in parameters:  # is in the weights of rows already
            parameters["class_weight"] = None
        state = self.random_state
        if state is not None and not isinstance(state, Integral):
            # scikeras takes zero for any.
            parameters["random_state"] = check_random_state(state).randint(2**31 - 1)
        wrapper = self.wrapper_ if goes_on else self._wraps()
        vars(wrapper).pop("_user_params", None)
        wrapper.__init__(**parameters)
        return wrapper

    def _train(self, method, X, y, sample_weight, options, goes_on):
        X, y = self._checked(X, y, reset=not goes_on)
        weights = self._weights(X, y, sample_weight)
        told = self._routed | options
        ordered = told.get("fit__validation_split", self.validation_split)
        if told.get("fit__shuffle", self.shuffle) and not ordered:
            X, y, weights = merged(X, y, weights)
        wrapper = self._wrapper(goes_on)
        given = None if (weights == 1).all() else weights
        with seeded(wrapper.random_state):
            getattr(wrapper, method)(X, y, sample_weight=given, **options)
        self.wrapper_ = wrapper
        return self

    def _weights(self, X, y, sample_weight):
        weights = _check_sample_weight(sample_weight, X, dtype=float, copy=True)
        if getattr(self, "class_weight", None) is not None:
            weights *= compute_sample_weight(self.class_weight, y)
        if not weights.any():
            raise ValueError(
                "sample_weight is zero for every row, so there is nothing to train on. "
                "Pass a positive weight."
            )
        return weights

    def _outputs(self, method, X, options):
        """What a method of the wrapper gives, as an array.

        It gets batches of one size, so that JAX compiles once, and a row's prediction
        does not depend on how many stand beside it.
        """
        check_is_fitted(self, "wrapper_")
        X = validate_data(self, X, reset=False, dtype=floatx(), allow_nd=True)
        size = self._routed.get("predict__batch_size", self.batch_size)
        size = options.get("batch_size", size) or 32
        n_rows = len(X) if size == -1 else -(-len(X) // size) * size
        rows = X[np.arange(n_rows) % len(X)]
        made = np.asarray(getattr(self.wrapper_, method)(rows, **options))
        if method == "predict_proba":  # scikeras drops the axis of a single row
            made = made.reshape(n_rows, -1)
        return made[: len(X)]

    def predict(self, X, **options):
        """Predict targets.

        Parameters
        ----------
        X : array-like
            As for `fit`.
        **options : dict
            Of ``keras.Model.predict``.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._outputs("predict", X, options)


class KerasRegressor(RegressorMixin, Wrapper):
    """`scikeras.wrappers.KerasRegressor` that scikit-learn takes for a regressor.

    Parameters and learned attributes are those of scikeras, with any `model`:
    `build_regressor` is one.

    Attributes
    ----------
    wrapper_ : scikeras.wrappers.KerasRegressor
        What was trained. Its own attributes, such as `model_` and `history_`, are read
        here too.

    Examples
    --------
    >>> from sklearn.base import is_regressor
    >>> from sklstm.scikeras import KerasRegressor, build_regressor
    >>> is_regressor(KerasRegressor(build_regressor))
    True
    """

    _wraps = wrappers.KerasRegressor

    def __init__(self, model=None, **parameters):
        super().__init__(model, **parameters)

    __init__.__signature__ = inspect.signature(_wraps.__init__)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # how good it is, is the model's matter
        return tags

    def predict(self, X, **options):
        # Scores reckon in 64 bits.
        return super().predict(X, **options).astype(float)


class KerasClassifier(ClassifierMixin, Wrapper):
    """`scikeras.wrappers.KerasClassifier` that scikit-learn takes for a classifier.

    Parameters and learned attributes are those of scikeras, with any `model`:
    `build_classifier` is one.

    Attributes
    ----------
    wrapper_ : scikeras.wrappers.KerasClassifier
        What was trained. Its own attributes, such as `model_`, `history_` and
        `classes_`, are read here too.

    Examples
    --------
    >>> from sklearn.base import is_classifier
    >>> from sklstm.scikeras import KerasClassifier, build_classifier
    >>> is_classifier(KerasClassifier(build_classifier))
    True
    """

    _wraps = wrappers.KerasClassifier

    def __init__(self, model=None, **parameters):
        super().__init__(model, **parameters)

    __init__.__signature__ = inspect.signature(_wraps.__init__)

    def partial_fit(self, X, y, classes=None, sample_weight=None, **options):
        """Train one more epoch, as `fit` does.

        Parameters
        ----------
        X, y, sample_weight, options
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All that may come, for the first call.

        Returns
        -------
        self
        """
        return super().partial_fit(X, y, sample_weight, classes=classes, **options)

    def predict_proba(self, X, **options):
        """Probabilities of classes.

        Parameters
        ----------
        X : array-like
            As for `fit`.
        **options : dict
            Of ``keras.Model.predict``.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._outputs("predict_proba", X, options)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # how good it is, is the model's matter
        return tags
