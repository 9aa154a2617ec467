"""Searching for parameters: spaces, searches that respect time, budgets that go on."""

import contextlib

import numpy as np
from scipy import stats
from sklearn.model_selection import RandomizedSearchCV, TimeSeriesSplit

from sklstm._forecaster import LSTMForecaster
from sklstm._series.panel import is_panel
from sklstm._series.validation import n_dims
from sklstm._training import resume
from sklstm._utils.keras_backend import load_keras

__all__ = ["continued", "pruning_callback", "search_space", "suggest"]


def search_space(estimator):
    """Distributions of the parameters that matter most, for `RandomizedSearchCV`.

    Parameters
    ----------
    estimator : LSTMForecaster or LSTMTextClassifier

    Returns
    -------
    dict of str to list or scipy distribution

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.tuning import search_space
    >>> sorted(search_space(LSTMForecaster()))
    ['batch_size', 'dropout', 'learning_rate', 'units', 'window_norm']
    """
    space = {
        "units": [16, 32, 64, 128, (64, 64)],
        "dropout": stats.uniform(0.0, 0.5),
        "learning_rate": stats.loguniform(1e-4, 1e-2),
        "batch_size": [32, 64, 128, 256],
    }
    if isinstance(estimator, LSTMForecaster):
        return space | {"window_norm": ["level", "last", "scale", None]}
    return space | {
        "embedding_dim": [32, 64, 128],
        "pooling": ["last", "max", "mean", "attention"],
    }


def suggest(
    estimator,
    X,
    y=None,
    *,
    space=None,
    n_iter=10,
    n_splits=3,
    scoring=None,
    n_jobs=None,
    random_state=None,
):
    """Search the parameters of a forecaster on splits in order of time.

    Every candidate is fitted on rows that come before those it is scored on, and never
    otherwise: there is no argument for other splits.

    Parameters
    ----------
    estimator : LSTMForecaster
    X, y : array-like
        As for `LSTMForecaster.fit`: one series, with inputs or without, or ready-made
        windows in order of time. No target of a window before the split is one after
        it.
    space : dict, default=None
        None means `search_space`.
    n_iter : int, default=10
        Candidates drawn.
    n_splits : int, default=3
    scoring : str or callable, default=None
        As for `RandomizedSearchCV`; None means the forecaster's `score`.
    n_jobs : int, default=None
    random_state : int, RandomState instance or None, default=None
        Of the candidates.

    Returns
    -------
    RandomizedSearchCV
        Fitted: ``best_params_``, ``best_estimator_``, ``cv_results_``.

    Raises
    ------
    TypeError
        If the estimator is no forecaster, whose rows have an order.
    ValueError
        For many series: rows of a panel are not in one order.

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.tuning import suggest
    >>> f = LSTMForecaster(window_length=12, units=4, epochs=1, random_state=0)
    >>> space = {"window_norm": ["last", None]}
    >>> found = suggest(f, load_air_passengers(), space=space, n_iter=2, n_splits=2)
    >>> list(found.best_params_)
    ['window_norm']
    """
    if not isinstance(estimator, LSTMForecaster):
        raise TypeError(
            "suggest searches in order of time, which only rows of a forecaster have. "
            f"Got {type(estimator).__name__}. Pass search_space(estimator) to "
            "RandomizedSearchCV instead."
        )
    if is_panel(X):
        raise ValueError(
            "suggest takes one series, but X holds many, whose rows are in no single "
            "order of time. Search on one of them, or use backtest."
        )
    ready = y is not None and (estimator.window_length is None or n_dims(X) == 3)
    gap = np.shape(y)[1] - 1 if ready and n_dims(y) > 1 else 0
    search = RandomizedSearchCV(
        estimator,
        search_space(estimator) if space is None else space,
        n_iter=n_iter,
        cv=TimeSeriesSplit(n_splits, gap=gap),
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    return search.fit(X, y)


@contextlib.contextmanager
def continued():
    """Let fits go on where the same fit of fewer epochs stopped.

    Inside, a fit that differs from an earlier one in `epochs` alone, with the same data
    and an int as `random_state`, trains only the epochs that are new, and ends at the
    same bytes as if it had trained them all. So ``HalvingGridSearchCV(...,
    resource="epochs")`` gives survivors a larger budget without starting again.

    Runs are remembered in this process: search with ``n_jobs=1`` or threads. Fits with
    `callbacks` or `learning_rate_schedule` start anew, since these have a course of
    their own.

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.tuning import continued
    >>> f = LSTMForecaster(window_length=12, units=4, epochs=2, random_state=0)
    >>> with continued():
    ...     _ = f.fit(load_air_passengers())
    ...     _ = f.set_params(epochs=3).fit(load_air_passengers())  # trains one more
    """
    with resume.kept_by(resume.InMemory()):
        yield


def pruning_callback(trial, monitor="val_loss"):
    """A callback with which Optuna stops bad trials early.

    Parameters
    ----------
    trial : optuna.Trial
    monitor : str, default="val_loss"
        What of the epoch the study's pruner looks at.

    Returns
    -------
    keras.callbacks.Callback
        For ``callbacks`` of an estimator. It raises ``optuna.TrialPruned``.

    Raises
    ------
    ImportError
        Without the package optuna, which ``sklstm[optuna]`` installs.

    Examples
    --------
    >>> def objective(trial):
    ...     rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
    ...     f = LSTMForecaster(learning_rate=rate, callbacks=[pruning_callback(trial)])
    ...     return min(f.fit(series).history_["val_loss"])
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "pruning_callback needs the package optuna. Install it with "
            "pip install 'sklstm[optuna]'."
        ) from error

    class Pruning(load_keras().callbacks.Callback):
        def __deepcopy__(self, memo):  # a trial is one, and talks to its study
            return self

        def on_epoch_end(self, epoch, logs=None):
            if monitor not in logs:  # the refit on all rows
                return
            trial.report(logs[monitor], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned(
                    f"Stopped after epoch {epoch + 1} at {monitor}={logs[monitor]:.4g}."
                )

    return Pruning()
