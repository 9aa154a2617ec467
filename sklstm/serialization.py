"""Loading of saved estimators, without running code from their files."""

from pathlib import Path

import numpy as np
import pandas as pd

from sklstm._forecaster import LSTMForecaster
from sklstm._text_classifier import LSTMTextClassifier
from sklstm._utils import archive
from sklstm._utils.archive import LoadError
from sklstm._windows.normalization import check_holds_seasons

__all__ = ["LoadError", "load"]

# Values that the trial forecast of a loaded file may compute: enough for a window of
# 100,000 steps, and too few for a forged size to exhaust memory.
MAX_VALUES = 2**25


def load(path):
    """Load a fitted estimator from a file written by its `save`.

    Loading runs no code from the file. A file that is damaged, or holds a type that
    this version does not know, raises an error. Memory is bounded by the length of the
    file: a few times the size of its arrays, and about a hundred times the size of its
    text. Loading and prediction do not need Keras. Files of older versions can be
    loaded; parameters that did not exist then take their defaults.

    The digest of the file detects damage, not forgery: whoever writes the file decides
    what the model predicts.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    LSTMForecaster or LSTMTextClassifier

    Raises
    ------
    LoadError
        If the file is damaged, is not a model, or was written by a newer version.
    OSError
        If the file cannot be read.

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
    except LoadError as error:
        error.add_note(f"The file is {path}.")
        raise
    except Exception as error:
        # A forged file can raise anything; callers need to catch one type only.
        raise LoadError(
            f"{path} is not a model that this version of sklstm can load: {error!r}."
        ) from error
    return estimator


def check(estimator):
    """Raise unless a loaded estimator has valid parameters, weights and a forecast."""
    if not isinstance(estimator, LSTMForecaster | LSTMTextClassifier):
        raise LoadError(
            f"The file holds a {type(estimator).__name__}, not an estimator."
        )
    # A parameter that is newer than the file takes its default.
    for name, value in type(estimator)().get_params().items():
        estimator.__dict__.setdefault(name, value)
    estimator._validate_params()
    check_weights(estimator._spec_, estimator.weights_)
    check_sizes(estimator, estimator._spec_)
    network = None
    if isinstance(estimator, LSTMForecaster):
        network = estimator._state.network.quantile_network
    if network is not None:
        check_weights(network.spec, network.weights)
    # Forged weights overflow; the check below reports that as one error.
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
    """Raise if sizes in the file would make a forecast need more memory than the file.

    Sizes that are shapes of arrays in the file need no check, because the file holds
    these arrays.
    """
    if isinstance(estimator, LSTMTextClassifier):
        n_values = getattr(estimator, "n_features_in_", 0)
        ngrams = estimator._state.ngrams
        whole = ngrams is None or all(1 <= n < 64 for n in ngrams.counter.keys)
    else:
        steps, width = spec.window_shape
        # Inputs of each step, and the four gates of the widest layer.
        n_values = steps * (width + spec.n_static + 4 * max(spec.units))
        whole = steps == estimator.window_length_ and min(spec.output_shape) > 0
        state = estimator._state
        if state.form != "windows":
            if state.norm.deseasonalize:
                check_holds_seasons(steps, state.norm.seasons)
            whole &= all(is_whole(series.history) for series in state.series.values())
            members = state.series_model.members
            whole &= members is None or members.is_whole
    # "not <=" also refuses NaN, which a forged file can hold.
    if not whole or not n_values <= MAX_VALUES:
        raise LoadError("The file has sizes that do not fit its network or its series.")


def is_whole(history):
    index, X = history.index, history.X
    return (index is None or len(index) == len(history)) and (
        X is None or len(X) == len(history)
    )


def dry_run(estimator):
    """Return one prediction, which reads every attribute that `predict` needs."""
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
        ahead = {key: series.history.X[-1:] for key, series in state.series.items()}
    origins = [*state.origins_at_end(state.series, ahead).values()]
    # The pretrained network needs a millisecond for each series.
    combined = state.model.forecast(origins[:1], 1)
    return np.concatenate([combined, state.model.alone.forecast(origins, 1)])
