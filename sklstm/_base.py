"""What both estimators share: parameters' constraints and how a network is trained.

Think twice before adding to this class: every estimator carries it.
"""

import functools
import operator
import os
import re
import warnings
from collections.abc import Callable
from numbers import Integral, Real

import sklearn
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklstm import __version__
from sklstm._reporting import html_page, summary
from sklstm._utils import archive, memory_limits, scikeras_names
from sklstm._utils.cells import CELLS
from sklstm._utils.keras_backend import load_keras

# What 64 bits hold: a larger one is an error here, and not in some array later.
POSITIVE_INT = Interval(Integral, 1, 2**63 - 1, closed="both")
SHARE = Interval(Real, 0, 1, closed="left")
# Of a simple model's error; less is luck of the validation block.
MAX_LOSS = 0.01
# What NumPy, JAX, torch and TensorFlow say.
OUT_OF_MEMORY = re.compile(
    "Unable to allocate|[Oo]ut of memory|can't allocate memory|OOM when allocating"
)
# Of which NumPy says "7.45 GiB", and JAX "8000000000 bytes".
BYTES = re.compile(r"([\d.]+) (bytes|[KMGTPE]iB)")
# Parameters that memory grows with.
MEMORY = (
    "batch_size",
    "units",
    "window_length",
    "horizon",
    "max_length",
    "embedding_dim",
    "n_members",
)


class SkillWarning(UserWarning):
    """A fitted estimator did worse than a simple model on its validation block."""


def warn_of_a_better_model(estimator):
    """The one warning of a fit that lost to a simple model."""
    if estimator.skill_ is None or estimator.skill_ >= -MAX_LOSS:
        return
    advice = "Use that one, or search for other parameters."
    if not estimator.linear_skip:
        advice += " With linear_skip=True the network starts at a linear model."
    words = f"{summary.skill_in_words(estimator)} {advice}"
    warnings.warn(words, SkillWarning, stacklevel=6)


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
    """A fit that raises leaves the estimator as it was."""

    @functools.wraps(fit)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except BaseException as error:
            vars(self).clear()
            vars(self).update(before)
            if isinstance(error, Exception) and OUT_OF_MEMORY.search(str(error)):
                raise MemoryError(what_memory_needs(self, error)) from error
            raise

    return wrapper


def what_memory_needs(estimator, error):
    """How much was asked for when there was no more, and which parameters save it."""
    size, told = "more memory", BYTES.search(str(error))
    if told:
        power = "bKMGTPE".index(told[2][0])
        size = memory_limits.in_words(float(told[1]) * 1024**power)
    return (
        f"The fit needs {size} at once, and this process cannot have as much. "
        f"{how_to_save(estimator)} {error}"
    )


def how_to_save(estimator):
    parameters = estimator.get_params(deep=False)
    savers = ", ".join(f"{n}={parameters[n]}" for n in MEMORY if n in parameters)
    return f"Lower one of {savers}, pass less data, or raise the limit."


class BaseLSTM(BaseEstimator):
    """An estimator whose fitted state is the weights of a network, as arrays."""

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

    # Of pickles, copies and skops, which then meet no class of ours but the estimator.

    def __getstate__(self):
        return archive.packed(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(archive.unpacked(state))

    def set_params(self, **params):
        """Set parameters, by their names or by what scikeras calls them.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator, and words of scikeras that mean the same:
            ``model__units``, ``optimizer__learning_rate``, ``fit__batch_size``,
            ``callbacks__0__patience`` and so on. `get_params` knows the names alone.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name or word that there is no parameter of, or two that mean the same
            and do not agree. Nothing is set then.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> LSTMForecaster().set_params(model__units=8, optimizer__learning_rate=0.01)
        LSTMForecaster(learning_rate=0.01, units=8)
        """
        found = scikeras_names.translated(params, self.get_params(deep=False))
        before = dict(vars(self))
        try:
            return super().set_params(**found)
        except Exception:
            vars(self).update(before)
            raise

    def _units(self):
        if isinstance(self.units, Integral):
            return (int(self.units),)
        units = tuple(self.units)
        whole = all(
            isinstance(u, Integral) and not isinstance(u, bool) and u >= 1
            for u in units
        )
        if not units or not whole:
            raise ValueError(
                "units must be an int of 1 or more, or a tuple of them, one for each "
                f"layer. Got {self.units!r}."
            )
        return tuple(int(u) for u in units)

    def _check_memory(self, spec, n_steps, width, whole=None):
        """Raise where training needs more memory than this process can have.

        Parameters
        ----------
        n_steps, width : int
            Steps that recurrent layers read, and values at each.
        whole : NetworkSpec, default=None
            What is made of several that are trained.
        """
        n_bytes = memory_limits.bytes_of_training(spec, self.batch_size, n_steps, width)
        if whole is not None:
            n_bytes = max(n_bytes, 4 * memory_limits.n_weights(whole))
        memory_limits.check_memory(n_bytes, "The fit", how_to_save(self))

    def _settings(self, epochs, loss, metrics=None):
        # Keras is not needed to predict, so training is loaded only here.
        from sklstm._training.settings import Settings

        return Settings(
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=scikeras_names.instance(self.optimizer),
            learning_rate=float(self.learning_rate),
            learning_rate_schedule=self.learning_rate_schedule,
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
        safetensors, and nothing that runs. It appears whole or not at all. Equal
        estimators give equal bytes.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        TypeError
            If a parameter is a function or an object that is not plain data, such as
            `network`, `callbacks` or a scaler of your own.
        ImportError
            Without the package safetensors, which ``sklstm[save]`` installs.
        """
        check_is_fitted(self, "weights_")
        name = type(self).__name__
        manifest = {
            "class": name,
            "sklstm": __version__,
            "sklearn": sklearn.__version__,
        }
        archive.write(path, archive.to_bytes(self, name, manifest))

    def report(self, path, X=None, y=None, *, train=None):
        """Write a lab report: one self-contained page on the network and its rivals.

        It shows data and split, normalisation, network, loss curves, predictions and
        errors on test rows, beside simple RNN, GRU, LSTM and simple models, and says in
        words what to look at: leakage, over-fitting, lag. Each rival network is fitted
        with the same parameters, which takes as long as `fit`.

        Parameters
        ----------
        path : str or os.PathLike
            Of the HTML page, which needs no other file and no network.
        X, y : array-like, default=None
            Test rows, as for `score`. A forecaster of a series or of inputs can do
            without: then the last rows of its history are held out, and the page is on
            a clone fitted on those before them.
        train : tuple (X, y), default=None
            What was passed to `fit`, to fit the rival networks on, where the estimator
            does not keep it: for texts and ready-made windows.

        Raises
        ------
        ValueError
            Without test rows where they are needed, or for a forecaster of many series.
        """
        check_is_fitted(self, "weights_")
        lead, sections = self._report_sections(X, y, train)
        html_page.write(path, f"Lab report: {type(self).__name__}", lead, sections)

    @property
    def model_(self):
        """The Keras model with the fitted weights, built on demand."""
        from sklstm._training.compiled import CompiledNetwork

        check_is_fitted(self, "weights_")
        network = CompiledNetwork(self._spec_, self._settings(1, self._loss))
        network.set_weights(self.weights_)
        return network.model

    def to_keras(self):
        """A plain Keras model of the fitted network, made of Keras's own layers.

        It is `model_` with the layers that ``sklstm.layers`` makes faster replaced by
        those of Keras: it can be saved, loaded and trained where sklstm is not
        installed. Keras has no layer for ``cell="slstm"``, so this cell stays an
        `sklstm.layers.SLSTM`, and its file loads after ``import sklstm.layers``. The
        model works on scaled values, as `model_` does.

        Returns
        -------
        keras.Model
            Not compiled.
        """
        check_is_fitted(self, "weights_")
        load_keras()
        model = self._spec_.build(plain=True)
        for variable in model.weights:
            variable.assign(self.weights_[variable.path])
        return model

    def _repr_html_inner(self):
        html = super()._repr_html_inner()
        return html + summary.fitted_html(self) if hasattr(self, "weights_") else html

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._repr_html_inner()
        return bundle
