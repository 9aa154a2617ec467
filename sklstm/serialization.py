"""Loading estimators from files that `save` wrote, without running anything in them."""

from pathlib import Path

import numpy as np
import pandas as pd

from sklstm._forecaster import LSTMForecaster
from sklstm._text_classifier import LSTMTextClassifier
from sklstm._utils import archive
from sklstm._utils.archive import LoadError
from sklstm._windows.normalization import check_holds_seasons

__all__ = ["LoadError", "load"]

# What the trial forecast of a loaded file may take; a window of 100,000 steps does.
MOST_NUMBERS = 2**25


def load(path):
    """Load a fitted estimator from a file that its `save` wrote.

    Nothing in the file is run. A file that is damaged, or holds anything that this
    version does not know, is refused; memory is bounded by the length of the file: a
    few times that of its arrays, and about a hundred times that of its text. Keras is
    not needed to load and to predict. A file of an older version keeps loading:
    parameters that it does not know have their defaults.

    Who can write the file can still choose what the model predicts: its digest guards
    against damage, not against a forger.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    LSTMForecaster or LSTMTextClassifier

    Raises
    ------
    LoadError
        If the file is damaged, is not a model, or is of a newer version.
    OSError
        If the file cannot be read.
    ImportError
        Without the package safetensors, which ``sklstm[save]`` installs.

    Examples
    --------
    >>> import sklstm
    >>> from sklstm.datasets import load_air_passengers
    >>> f = sklstm.LSTMForecaster(window_length=12, epochs=1, random_state=0)
    >>> f.fit(load_air_passengers()).save("passengers.sklstm")  # doctest: +SKIP
    >>> sklstm.load("passengers.sklstm").forecast(3)  # doctest: +SKIP
    """
    content = Path(path).read_bytes()
    try:
        _, estimator = archive.from_bytes(content)
        check(estimator)
    except (LoadError, ImportError) as error:
        error.add_note(f"The file is {path}.")
        raise
    except Exception as error:  # whatever a forged file makes fail
        raise LoadError(
            f"{path} is no model that this version of sklstm can load: {error!r}."
        ) from error
    return estimator


def check(estimator):
    """Raise unless a loaded estimator is whole: parameters, weights, and a forecast."""
    if not isinstance(estimator, LSTMForecaster | LSTMTextClassifier):
        raise LoadError(f"The file holds a {type(estimator).__name__}, no estimator.")
    # What came after the file was written has its default.
    for name, value in type(estimator)().get_params().items():
        vars(estimator).setdefault(name, value)
    estimator._validate_params()
    check_weights(estimator._spec_, estimator.weights_)
    check_sizes(estimator, estimator._spec_)
    network = None
    if isinstance(estimator, LSTMForecaster):
        network = estimator._state.network.quantile_network
    if network is not None:
        check_weights(network.spec, network.weights)
    with np.errstate(all="ignore"):
        predicted = np.asarray(dry_run(estimator), float)
    if not np.isfinite(predicted).all():
        raise LoadError("The file's model predicts values that are not finite.")


def check_weights(spec, weights):
    if {name: w.shape for name, w in weights.items()} != spec.weight_shapes():
        raise LoadError("The file's weights are not of the shapes of its network.")
    for name, values in weights.items():
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise LoadError(f"The weights {name} are not all finite 32-bit numbers.")


def check_sizes(estimator, spec):
    """Raise where numbers in the file would make a forecast take more than it holds.

    What arrays of the file have the shape of needs no check.
    """
    if isinstance(estimator, LSTMTextClassifier):
        numbers = getattr(estimator, "n_features_in_", 0)
        counts = getattr(estimator, "_ngram_counts", None)
        whole = counts is None or all(1 <= n < 64 for n in counts.keys)
    else:
        steps, width = spec.window_shape
        numbers = steps * (width + spec.n_static + 4 * max(spec.units))
        whole = steps == estimator.window_length_ and min(spec.output_shape) > 0
        state = estimator._state
        if state.form != "windows":
            if state.norm.deseasonalize:
                check_holds_seasons(steps, state.norm.seasons)
            whole &= all(is_whole(own.history) for own in state.series.values())
    if not whole or not numbers <= MOST_NUMBERS:
        raise LoadError("The file has sizes that do not fit its network or its series.")


def is_whole(history):
    index, X = history.index, history.X
    return (index is None or len(index) == len(history)) and (
        X is None or len(X) == len(history)
    )


def dry_run(estimator):
    """One prediction, which reads everything that predicting needs."""
    n_features = getattr(estimator, "n_features_in_", None)
    if isinstance(estimator, LSTMTextClassifier):
        X = [""] if n_features is None else np.zeros((1, n_features))
        if hasattr(estimator, "feature_names_in_"):
            X = pd.DataFrame(X, columns=estimator.feature_names_in_)
        estimator.predict(X)
        return estimator.predict_proba(X)
    state = estimator._state
    if state.form == "windows":
        return estimator.predict(np.zeros((1, *estimator._spec_.window_shape)))
    ahead = None
    if state.form == "regression":
        ahead = {key: own.history.X[-1:] for key, own in state.series.items()}
    origins = state.origins_at_end(state.series, ahead)
    return state.model.forecast(list(origins.values()), 1)
