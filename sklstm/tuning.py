"""Hyperparameter search: spaces, time-ordered splits, resumed budgets, pruning."""

import contextlib
from typing import Any

import numpy as np
from scipy import stats
from sklearn.model_selection import RandomizedSearchCV, TimeSeriesSplit

from sklstm._forecaster import LSTMForecaster
from sklstm._series.panel import has_levels, is_list_of_series
from sklstm._series.validation import n_dims
from sklstm._training import resume
from sklstm._utils.keras_backend import load_keras
from sklstm.model_selection import PanelTimeSeriesSplit

__all__ = ["continued", "pruning_callback", "search_space", "suggest"]


def search_space(estimator):
    """Return distributions of the parameters that matter most.

    Pass them to `RandomizedSearchCV`.

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
    """Run a random search of a forecaster on splits in the order of time.

    Every candidate is fitted on rows that precede the rows on which it is scored. There
    is no argument for other splits, because shuffled splits leak the future.

    Parameters
    ----------
    estimator : LSTMForecaster
    X, y : array-like
        As for `LSTMForecaster.fit`: one series, or many in a frame indexed by (series,
        time), with or without exogenous variables, or ready-made windows in time order.
        A gap before each test fold keeps targets of training windows out of it.
    space : dict, default=None
        Distributions by parameter; None means those of `search_space`.
    n_iter : int, default=10
        Number of candidates.
    n_splits : int, default=3
        Number of splits of `TimeSeriesSplit`, or of `PanelTimeSeriesSplit` for many
        series, which splits all of them at the same dates.
    scoring : str or callable, default=None
        As for `RandomizedSearchCV`; None means the `score` of the forecaster. A series
        alone has no y, so scorers by name do not work for it; use
        `sklstm.metrics.make_backtest_scorer`.
    n_jobs : int, default=None
        As for `RandomizedSearchCV`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of candidates.

    Returns
    -------
    RandomizedSearchCV
        The fitted search, with ``best_params_``, ``best_estimator_`` and
        ``cv_results_``.

    Raises
    ------
    TypeError
        If the estimator is not a forecaster.
    ValueError
        If X is a list of series, or a candidate cannot be fitted or scored.

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.tuning import suggest
    >>> f = LSTMForecaster(window_length=12, units=4, epochs=1, random_state=0)
    >>> space = {"window_norm": ["last", None]}
    >>> search = suggest(f, load_air_passengers(), space=space, n_iter=2, n_splits=2)
    >>> list(search.best_params_)
    ['window_norm']
    """
    if not isinstance(estimator, LSTMForecaster):
        raise TypeError(
            "suggest searches in time order, so it needs an LSTMForecaster. "
            f"Got {type(estimator).__name__}. Pass search_space(estimator) to "
            "RandomizedSearchCV instead."
        )
    if is_list_of_series(X):
        raise ValueError(
            "suggest takes many series as one frame indexed by (series, time), but X "
            "is a list. Pass pd.concat(dict(enumerate(X)))."
        )
    # The targets of a ready-made window reach over several rows of the test fold.
    ready = y is not None and (estimator.window_length is None or n_dims(X) == 3)
    gap = np.shape(y)[1] - 1 if ready and n_dims(y) > 1 else 0
    cv = TimeSeriesSplit(n_splits, gap=gap)
    if has_levels(X) and not ready:
        cv = PanelTimeSeriesSplit(n_splits)
    search = RandomizedSearchCV(
        estimator,
        search_space(estimator) if space is None else space,
        n_iter=n_iter,
        cv=cv,
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
        error_score="raise",
    )
    return search.fit(X, y)


@contextlib.contextmanager
def continued():
    """Continue fits where the same fit with fewer epochs stopped.

    Inside this context, a fit that differs from an earlier fit only in `epochs`, with
    the same data and an int as `random_state`, trains only the additional epochs. It
    gives the same bytes as training all epochs. ``HalvingGridSearchCV(...,
    resource="epochs")`` therefore trains the candidates that it keeps for more epochs
    without repeating the earlier epochs.

    Training states are kept in this process, so search with ``n_jobs=1`` or threads.
    Fits with `callbacks` or `learning_rate_schedule` start from the first epoch,
    because both have a state that changes with the epochs.

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
    """Make a Keras callback that lets Optuna prune bad trials.

    Parameters
    ----------
    trial : optuna.Trial
    monitor : str, default="val_loss"
        Metric of each epoch that the study's pruner reads.

    Returns
    -------
    keras.callbacks.Callback
        To pass in ``callbacks`` of an estimator. It raises ``optuna.TrialPruned``.

    Raises
    ------
    ImportError
        If the package optuna is missing; ``sklstm[optuna]`` installs it.

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

    Callback: Any = load_keras().callbacks.Callback

    class Pruning(Callback):
        def __deepcopy__(self, memo):
            # `fit` trains copies of callbacks, but a trial reports to its one study.
            return self

        def on_epoch_end(self, epoch, logs=None):
            if monitor not in logs:  # The refit on all rows has no validation loss.
                return
            trial.report(logs[monitor], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned(
                    f"Stopped after epoch {epoch + 1} at {monitor}={logs[monitor]:.4g}."
                )

    return Pruning()
