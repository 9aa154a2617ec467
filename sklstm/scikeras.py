"""Wrappers around those of scikeras that pass scikit-learn's estimator checks."""

import contextlib
import inspect
import sys
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from sklstm._networks.scikeras_builders import build_classifier, build_regressor
from sklstm._series.validation import check_weights
from sklstm._text.labels import check_all_present, check_one_type, dense_labels
from sklstm._utils.keras_backend import check_process, load_keras
from sklstm._windows.dataset import rows_in_order

# scikeras imports Keras, which reads the backend once: set the default before.
floatx = load_keras().config.floatx
try:
    from scikeras import wrappers
except ImportError as error:
    raise ImportError(
        "sklstm.scikeras needs the package scikeras. Install it with "
        "pip install 'sklstm[scikeras]'."
    ) from error

__all__ = ["KerasClassifier", "KerasRegressor", "build_classifier", "build_regressor"]


# Prefixes of parameters that scikeras passes on to Keras.
ROUTES = {*wrappers.BaseWrapper._routing_prefixes, "callbacks", "score"}


@contextlib.contextmanager
def seeded(seed):
    """Seed torch while the context lasts, and restore its generator afterwards.

    scikeras seeds Python, NumPy and TensorFlow. On the torch backend Keras shuffles
    with torch's own generator.
    """
    torch = sys.modules.get("torch")
    if seed is None or torch is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def put_in_order(X, y, weights, has_classes):
    """Put rows in a fixed order, repeated by whole weights; y may be of any type.

    Rows of weight zero are left out, but for one of each class that has no others:
    scikeras counts classes by rows.
    """
    codes = y
    if y.dtype.kind not in "biuf":
        codes = np.unique(y, return_inverse=True)[1].reshape(y.shape)
    rows, weights = rows_in_order(X, codes, weights)
    if has_classes:
        present, first = np.unique(codes, return_index=True)
        first = first[~np.isin(present, codes[rows])]
        rows, weights = np.append(rows, first), np.append(weights, 0 * first)
    return X[rows], y[rows], weights


# Of scikeras's older scikit-learn; that a subclass has them changes nothing here.
HARMLESS = {"_estimator_type", "_more_tags", "_tags", "_validate_data"}


def check_hooks(subclass, attributes=()):
    """Raise if a class, or attributes, override what only scikeras would call."""
    hooks = set()
    for base in subclass._wraps.__mro__:
        if base.__module__.startswith("scikeras"):
            hooks |= vars(base).keys()
    known = set(dir(KerasClassifier)) | set(dir(KerasRegressor)) | HARMLESS
    own = [base for base in subclass.__mro__ if base.__module__ != __name__]
    hooks = hooks - known | {"_keras_build_fn", "dataset_transformer"}
    overridden = hooks & {*attributes, *(name for base in own for name in vars(base))}
    if overridden:
        raise TypeError(
            f"{subclass.__name__} overrides {', '.join(sorted(overridden))}, which "
            f"{subclass._wraps.__name__} of scikeras calls but that of sklstm does "
            "not, because scikeras's own class does the training. Do that step in a "
            "Pipeline before, or in the function passed as model, or subclass "
            f"scikeras.wrappers.{subclass._wraps.__name__}."
        )


class Wrapper(BaseEstimator):
    """Estimator that trains and predicts with a wrapper of scikeras.

    It holds the wrapper instead of inheriting from it, because scikit-learn 1.7 and
    later read tags and the order of mixins from each base class, and those of scikeras
    0.13 are of an older form.
    """

    def __init__(self, model=None, **parameters):
        routed = {"model": model} | parameters
        for name, default in self._defaults().items():
            setattr(self, name, routed.pop(name, default))
        self._routed = routed

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if cls.__module__ != __name__:
            check_hooks(cls)

    @classmethod
    def _defaults(cls):
        """Return parameters with defaults, those of base classes included."""
        defaults = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Wrapper) and "__init__" in vars(base):
                _, *parameters = inspect.signature(base.__init__).parameters.values()
                for parameter in parameters:
                    if parameter.kind is not parameter.VAR_KEYWORD:
                        defaults[parameter.name] = parameter.default
        return defaults

    @classmethod
    def _get_param_names(cls):
        return sorted(cls._defaults())

    @property
    def current_epoch(self):
        """Number of epochs trained so far; 0 before `fit`."""
        wrapper = vars(self).get("wrapper_")
        return 0 if wrapper is None else wrapper.current_epoch

    def get_params(self, deep=True):
        """Return parameters by name, including routed ones.

        Parameters
        ----------
        deep : bool, default=True
            Ignored, because the wrapper holds no nested estimators.

        Returns
        -------
        dict
        """
        return super().get_params(deep=False) | self._routed

    def set_params(self, **params):
        """Set parameters, including those that a prefix of scikeras routes to Keras.

        Parameters
        ----------
        **params : dict
            Parameters of the constructor, and routed ones such as ``model__units``,
            ``optimizer__learning_rate`` and ``fit__batch_size``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a name is neither.
        """
        for name, value in params.items():
            prefix, routed, _ = name.partition("__")
            if (routed and prefix in ROUTES) or name in self._routed:
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
        # model_, history_, target_encoder_ and the other fitted attributes of scikeras.
        if not name.endswith("_") or name.startswith("_") or name == "wrapper_":
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        wrapper = vars(self).get("wrapper_")
        if wrapper is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r} before fit.")
        return getattr(wrapper, name)

    def fit(self, X, y, sample_weight=None, **options):
        """Build the model and train it.

        If the order of rows has no effect (`shuffle`, and no `validation_split`), rows
        are sorted by their content, and small whole weights repeat rows, so that
        weights and repeated rows train the same network. Only the ratios of weights
        matter.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, n_steps, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        **options : dict
            Passed to ``keras.Model.fit``.

        Returns
        -------
        self
        """
        resume = self.warm_start and hasattr(self, "wrapper_")
        return self._train("fit", X, y, sample_weight, options, resume)

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
        resume = hasattr(self, "wrapper_")
        return self._train("partial_fit", X, y, sample_weight, options, resume)

    def initialize(self, X, y):
        """Build the model for the shapes and classes of the data, without training.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.

        Returns
        -------
        self
        """
        X, y = self._checked(X, y, reset=True)
        check_process()
        wrapper = self._wrapper(resume=False)
        wrapper.initialize(X, y)
        self.wrapper_ = wrapper
        return self

    def _checked(self, X, y, reset):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None. Pass fit(X, y)."
            )
        y = dense_labels(y)
        if self._wraps is wrappers.KerasClassifier:
            check_all_present(y)
            check_one_type(y)
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

    def _wrapper(self, resume):
        """Return the scikeras wrapper with the current parameters, new or trained."""
        check_hooks(type(self), vars(self))  # set after the class was made
        known = {*inspect.signature(self._wraps.__init__).parameters, *self._routed}
        parameters = self.get_params(deep=False)
        parameters = {name: parameters[name] for name in parameters if name in known}
        if "class_weight" in parameters:
            # The weights of rows already hold it; scikeras would apply it twice.
            parameters["class_weight"] = None
        state = self.random_state
        if state is not None and not isinstance(state, Integral):
            # scikeras replaces every RandomState by the seed 0.
            parameters["random_state"] = check_random_state(state).randint(2**31 - 1)
        wrapper = self.wrapper_ if resume else self._wraps()
        # scikeras only sets it if there are routed parameters; it would outlive them.
        vars(wrapper).pop("_user_params", None)
        wrapper.__init__(**parameters)
        return wrapper

    def _train(self, method, X, y, sample_weight, options, resume):
        X, y = self._checked(X, y, reset=not resume)
        weights = self._weights(X, y, sample_weight)
        routed = self._routed | options
        ordered = routed.get("fit__validation_split", self.validation_split)
        if routed.get("fit__shuffle", self.shuffle) and not ordered:
            has_classes = self._wraps is wrappers.KerasClassifier and y.ndim == 1
            X, y, weights = put_in_order(X, y, weights, has_classes)
        else:
            weights /= weights[weights > 0].mean()
        check_process()
        wrapper = self._wrapper(resume)
        sample_weight = None if (weights == 1).all() else weights
        with seeded(wrapper.random_state):
            getattr(wrapper, method)(X, y, sample_weight=sample_weight, **options)
        self.wrapper_ = wrapper
        return self

    def _weights(self, X, y, sample_weight):
        weights = check_weights(sample_weight, X, copy=True)
        if getattr(self, "class_weight", None) is not None:
            weights *= compute_sample_weight(self.class_weight, y)
        if not weights.any():
            raise ValueError(
                "The product of sample_weight and class_weight is zero for every row, "
                "so there is nothing to train on. Pass a positive weight."
            )
        return weights

    def _outputs(self, method, X, options):
        """Return the array that a method of the wrapper predicts.

        X is padded to a multiple of the batch size: JAX then compiles one step, and the
        prediction of a row does not depend on the number of rows.
        """
        check_is_fitted(self, "wrapper_")
        check_process()
        X = validate_data(self, X, reset=False, dtype=floatx(), allow_nd=True)
        size = self._routed.get("predict__batch_size", self.batch_size)
        size = options.get("batch_size", size) or 32
        n_rows = len(X) if size == -1 else -(-len(X) // size) * size
        rows = X[np.arange(n_rows) % len(X)]
        output = np.asarray(getattr(self.wrapper_, method)(rows, **options))
        if method == "predict_proba":  # scikeras drops the axis of a single row.
            output = output.reshape(n_rows, -1)
        return output[: len(X)]

    def predict(self, X, **options):
        """Predict targets.

        Parameters
        ----------
        X : array-like
            As for `fit`.
        **options : dict
            Passed to ``keras.Model.predict``.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._outputs("predict", X, options)


class KerasRegressor(RegressorMixin, Wrapper):
    """`scikeras.wrappers.KerasRegressor` that scikit-learn recognises as a regressor.

    Parameters and fitted attributes are those of scikeras. `model` is any function that
    builds a Keras model, such as `build_regressor`.

    Attributes
    ----------
    wrapper_ : scikeras.wrappers.KerasRegressor
        The trained wrapper. Its attributes, such as `model_` and `history_`, are also
        attributes of this estimator.

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
        tags.regressor_tags.poor_score = True  # The score depends on the user's model.
        return tags

    def predict(self, X, **options):
        # Float64, because scikit-learn's metrics round less in it.
        return super().predict(X, **options).astype(float)


class KerasClassifier(ClassifierMixin, Wrapper):
    """`scikeras.wrappers.KerasClassifier` that scikit-learn recognises as a classifier.

    Parameters and fitted attributes are those of scikeras. `model` is any function that
    builds a Keras model, such as `build_classifier`.

    Attributes
    ----------
    wrapper_ : scikeras.wrappers.KerasClassifier
        The trained wrapper. Its attributes, such as `model_`, `history_` and
        `classes_`, are also attributes of this estimator.

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

    # scikeras has another order of arguments for classifiers.
    def partial_fit(  # type: ignore[override]
        self, X, y, classes=None, sample_weight=None, **options
    ):
        """Train one more epoch, as `fit` does.

        Parameters
        ----------
        X, y, sample_weight, options
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes of later calls, needed by the first call.

        Returns
        -------
        self
        """
        return super().partial_fit(X, y, sample_weight, classes=classes, **options)

    def predict_proba(self, X, **options):
        """Predict probabilities of classes.

        Parameters
        ----------
        X : array-like
            As for `fit`.
        **options : dict
            Passed to ``keras.Model.predict``.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._outputs("predict_proba", X, options)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # The score depends on the user's model.
        return tags
