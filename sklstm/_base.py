"""Base class of both estimators: constraints, saving, reports and Keras models.

Think twice before adding to this class: every estimator carries it.
"""

import functools
import operator
import os
import re
from collections.abc import Callable
from numbers import Integral, Real

import sklearn
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklstm import __version__
from sklstm._reporting import html_page, summary
from sklstm._training.compiled import CompiledNetwork
from sklstm._training.keras_arguments import Cosine
from sklstm._training.settings import Settings
from sklstm._utils import archive, memory_limits, scikeras_names
from sklstm._utils.cells import CELLS
from sklstm._utils.keras_backend import check_process, load_keras
from sklstm._utils.warn import warn_user

# The largest 64-bit integer: a larger value would overflow in some array later.
POSITIVE_INT = Interval(Integral, 1, 2**63 - 1, closed="both")
SHARE = Interval(Real, 0, 1, closed="left")
# A fit warns above this relative loss to a simple model, because smaller differences
# are within the noise of a validation block.
MAX_LOSS = 0.01
# Messages of NumPy, JAX, torch and TensorFlow.
OUT_OF_MEMORY = re.compile(
    "Unable to allocate|[Oo]ut of memory|can't allocate memory|OOM when allocating"
)
# NumPy writes "7.45 GiB", and JAX "8000000000 bytes".
BYTES = re.compile(r"([\d.]+) (bytes|[KMGTPE]iB)")
# Parameters with which the memory of a fit grows.
MEMORY_PARAMETERS = (
    "batch_size",
    "units",
    "window_length",
    "horizon",
    "max_length",
    "embedding_dim",
    "n_members",
)


class SkillWarning(UserWarning):
    """Warning that a simple model has the lower error on the validation block."""


def warn_of_a_better_model(estimator, skill):
    """Warn if a simple model has the lower error on the validation block."""
    if skill is None or skill >= -MAX_LOSS:
        return
    advice = "Use that model, or search for other parameters."
    if not estimator.linear_skip:
        advice += " With linear_skip=True the network starts at a linear model."
    whose = f"{type(estimator).__name__}'s"
    warn_user(f"{summary.skill_in_words(estimator, whose)} {advice}", SkillWarning)


def tell_what_is_kept(estimator):
    """Print that no epoch was kept, where `verbose` asks for words."""
    words = summary.kept_in_words(estimator)
    if estimator.verbose and words:
        print(words)


def fitted_attribute(name, path):
    """Return a property that reads the fitted state, such as ``record.history``."""
    read = operator.attrgetter(path)

    def getter(self):
        if "_state" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r} before fit."
            )
        return read(self._state)

    return property(getter)


def unchanged_on_error(fit):
    """Decorate `fit`, so that the estimator keeps its state if the fit raises."""

    @functools.wraps(fit)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except BaseException as error:
            vars(self).clear()
            vars(self).update(before)
            if isinstance(error, Exception) and OUT_OF_MEMORY.search(str(error)):
                raise MemoryError(memory_message(self, error)) from error
            raise

    return wrapper


def memory_message(estimator, error):
    """Return the message of a failed allocation: its size, and how to lower it."""
    size, match = "more memory", BYTES.search(str(error))
    if match:
        power = "bKMGTPE".index(match[2][0])
        size = memory_limits.in_words(float(match[1]) * 1024**power)
    return (
        f"The fit needs {size} at once, and this process cannot have as much. "
        f"{memory_advice(estimator)} {error}"
    )


def memory_advice(estimator):
    values = estimator.get_params(deep=False)
    listed = ", ".join(f"{n}={values[n]}" for n in MEMORY_PARAMETERS if n in values)
    return f"Lower one of {listed}, pass less data, or raise the limit."


class BaseLSTM(BaseEstimator):
    """Estimator whose fitted state is the weights of a network, as NumPy arrays."""

    _parameter_constraints = {
        "cell": [StrOptions(set(CELLS))],
        "units": [POSITIVE_INT, tuple, list],
        "dropout": [SHARE],
        "recurrent_dropout": [SHARE],
        "linear_skip": ["boolean"],
        "optimizer": "no_validation",
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"cosine"}), Callable, None],
        "clipnorm": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [POSITIVE_INT],
        "validation_fraction": [SHARE],
        "early_stopping": ["boolean"],
        "n_iter_no_change": [POSITIVE_INT],
        "tol": [Interval(Real, 0, None, closed="left")],
        "min_skill": [SHARE],
        "callbacks": [list, tuple, dict, HasMethods("on_epoch_end"), None],
        "checkpoint": [str, os.PathLike, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Pickle, copy and skops see plain data instead of internal classes, so files do not
    # depend on where these classes live, and skops has only one class to trust.

    def __getstate__(self):
        return archive.packed(super().__getstate__())

    def __setstate__(self, state):
        state = archive.current_state(type(self), archive.unpacked(state))
        super().__setstate__(state)

    def set_params(self, **params):
        """Set parameters, by their own names or by those of scikeras.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator, also by their names in scikeras, such as
            ``model__units``, ``optimizer__learning_rate``, ``fit__batch_size`` and
            ``callbacks__0__patience``. `get_params` returns only the estimator's own
            names.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a name is not that of a parameter, or if two names of the same parameter
            have different values. No parameter is then set.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> LSTMForecaster().set_params(model__units=8, optimizer__learning_rate=0.01)
        LSTMForecaster(learning_rate=0.01, units=8)
        """
        own_params = scikeras_names.translate(params, self.get_params(deep=False))
        before = dict(vars(self))
        try:
            return super().set_params(**own_params)
        except Exception:
            # scikit-learn sets names one by one, and raises at the first unknown one.
            self.__dict__.update(before)
            raise

    def _units(self):
        if isinstance(self.units, Integral):
            return (int(self.units),)
        units = tuple(self.units)
        whole = all(
            isinstance(u, Integral) and not isinstance(u, bool) and int(u) >= 1
            for u in units
        )
        if not units or not whole:
            raise ValueError(
                "units must be an int of 1 or more, or a tuple of them, one for each "
                f"layer. Got {self.units!r}."
            )
        return tuple(int(u) for u in units)

    def _check_memory(self, spec, n_steps, width, whole=None, n_linear=0):
        """Raise if training needs more memory than this process can have.

        Parameters
        ----------
        n_steps, width : int
            Steps that recurrent layers read, and values at each step.
        whole : NetworkSpec, default=None
            The ensemble that is made of several trained networks.
        n_linear : int, default=0
            Bytes that the linear model takes.
        """
        n_bytes = memory_limits.bytes_of_training(spec, self.batch_size, n_steps, width)
        if whole is not None:
            n_bytes = max(n_bytes, 4 * memory_limits.n_weights(whole))
        n_bytes = max(n_bytes, n_linear)
        memory_limits.check_memory(n_bytes, "The fit", memory_advice(self))

    def _settings(self, epochs, loss, metrics=None):
        schedule = self.learning_rate_schedule
        return Settings(
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=scikeras_names.instance(self.optimizer),
            learning_rate=float(self.learning_rate),
            learning_rate_schedule=(
                Cosine(self.epochs) if schedule == "cosine" else schedule
            ),
            clipnorm=None if self.clipnorm is None else float(self.clipnorm),
            loss=loss,
            early_stopping=self.early_stopping,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            min_skill=self.min_skill,
            metrics=metrics or {},
            callbacks=scikeras_names.instances(self.callbacks),
            verbose=int(self.verbose),
        )

    def save(self, path):
        """Write the fitted estimator to one file that `sklstm.load` reads.

        The file holds parameters, weights, scalers, vocabulary and history as JSON and
        safetensors, and no code. An interrupted write leaves no file. Equal estimators
        give equal bytes.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        TypeError
            If a parameter is a function or an object that is not plain data, such as
            `network`, `callbacks` or a custom scaler.
        """
        check_is_fitted(self, "_state")
        name = type(self).__name__
        manifest = {
            "class": name,
            "sklstm": __version__,
            "sklearn": sklearn.__version__,
        }
        archive.write(path, archive.to_bytes(self, name, manifest))

    @classmethod
    def load(cls, path):
        """Load a fitted estimator of this class from a file written by `save`.

        Parameters
        ----------
        path : str or os.PathLike

        Returns
        -------
        estimator

        Raises
        ------
        TypeError
            If the file holds an estimator of another class.
        LoadError
            If `sklstm.load` raises it.
        """
        from sklstm import load

        estimator = load(path)
        if not isinstance(estimator, cls):
            raise TypeError(
                f"{path} holds an estimator of the class {type(estimator).__name__}, "
                f"not {cls.__name__}. Use sklstm.load, which takes both."
            )
        return estimator

    def summary(self):
        """Describe network, training and the comparison with simple models in words.

        Returns
        -------
        str
            A few lines, which say whether the network was kept.
        """
        check_is_fitted(self, "_state")
        return summary.summary_of(self)

    def report(self, path, X=None, y=None, *, train=None, target_names=None):
        """Write a lab report: one self-contained HTML page on the fitted estimator.

        The page shows the data and their split, the normalisation, the network, the
        loss curves, the predictions and the test errors. It compares with a simple RNN,
        a GRU, an LSTM and simple models, and comments on leakage, overfitting and lag.
        Each network of the comparison is fitted with the same parameters, which takes
        as long as `fit`. For many series the page compares with a linear model and
        naive forecasts, and shows the scores of the whole panel and of the worst
        series.

        Parameters
        ----------
        path : str or os.PathLike
            Path of the HTML page, which needs no other file and no network connection.
        X, y : array-like, default=None
            Test rows, as for `score`. Without them, a forecaster fitted on time steps
            holds out the last rows of its history, and the page describes a clone
            fitted on the rows before them.
        train : tuple (X, y), default=None
            The data passed to `fit`, on which the networks of the comparison are
            fitted. It is required for texts and ready-made windows, because the
            estimator does not keep them.
        target_names : list of str, or dict of class to str, default=None
            Names that the page of a text classifier shows instead of `classes_`, in the
            order of `classes_`.

        Raises
        ------
        ValueError
            If test rows are needed and missing, or `target_names` does not have one
            name for each class.
        """
        check_is_fitted(self, "_state")
        lead, sections = self._report_sections(X, y, train, target_names)
        html_page.write(path, f"Lab report: {type(self).__name__}", lead, sections)

    @property
    def model_(self):
        """Keras model with the fitted weights, built at each access."""
        check_is_fitted(self, "_state")
        check_process()
        network = CompiledNetwork(self._spec_, self._settings(1, self._loss))
        network.set_weights(self.weights_)
        return network.model

    def to_keras(self):
        """Build a Keras model of the fitted network from Keras's own layers.

        The model is `model_`, without the pretrained network, and with the fast layers
        of ``sklstm.layers`` replaced by those of Keras. It can be saved, loaded and
        trained without sklstm. Only with ``cell="slstm"`` the model keeps the layer of
        sklstm, because Keras has no such layer; load its file after
        ``import sklstm.layers``. Inputs and outputs of the model are scaled values, as
        those of `model_`; for a text classifier, `keras_inputs` returns the inputs.

        Returns
        -------
        keras.Model
            Not compiled.
        """
        check_is_fitted(self, "_state")
        check_process()
        load_keras()
        model = self._spec_.build(plain=True)
        weights = self.weights_
        paths = [variable.path for variable in model.weights]
        if not weights.keys() >= set(paths):
            # Keras numbers layers that have no name anew for each model it builds.
            weights = dict(zip(paths, weights.values(), strict=True))
        for variable in model.weights:
            variable.assign(weights[variable.path])
        return model

    def _repr_html_inner(self):
        html = super()._repr_html_inner()
        return html + summary.fitted_html(self) if hasattr(self, "_state") else html

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._repr_html_inner()
        return bundle
