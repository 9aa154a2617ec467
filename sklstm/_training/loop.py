"""Epochs, validation and early stopping."""

import copy
import itertools
import os
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklstm._networks.initial_weights import initial_weights
from sklstm._training import keras_arguments, resume
from sklstm._training.batches import MAX_STEPS, blocks, network_inputs
from sklstm._training.compiled import _lock, compiled_network
from sklstm._training.losses import Pinball
from sklstm._training.progress_bar import ProgressBar
from sklstm._training.settings import Settings
from sklstm._utils.archive import storable
from sklstm._utils.keras_backend import load_keras

# Inputs of unit variance are rarely as large; of how many rows they are looked at.
LARGE, MAX_LOOKED_AT = 1e4, 4096
_home = None  # the process that trained first


@dataclass
class Trained:
    weights: dict
    history: dict
    best_epoch: int
    interrupted: bool = False


@storable
@dataclass
class Progress:
    """Where training stands; with the network's own state, all that it changes."""

    rng: np.random.RandomState
    history: dict
    weights: dict  # of the best epoch
    best_epoch: int = 0
    best_loss: float = np.inf
    best_losses: np.ndarray | None = None
    waited: int = 0
    ended: bool = False

    def advance(self, weights, settings, epoch, logs, validated):
        """Take in what an epoch gave, and tell whether it was the last."""
        watch = validated is not None
        current = logs.get("val_loss", logs["loss"])
        improved = current < self.best_loss * (1 - settings.tol)
        self.waited = 0 if improved else self.waited + 1
        if not (watch and settings.early_stopping) or current < self.best_loss:
            self.weights, self.best_epoch = weights, epoch
            self.best_losses = validated
        self.best_loss = min(self.best_loss, current)
        waited_enough = self.waited >= settings.n_iter_no_change
        self.ended = settings.early_stopping and watch and waited_enough


def hears_batches(callback):
    """Whether a callback does something before or after each training batch."""
    base = load_keras().callbacks.Callback
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(base, name)
        for name in (
            "on_train_batch_begin",
            "on_train_batch_end",
            "on_batch_begin",
            "on_batch_end",
        )
    )


def block_values(step, data, batches, batch_size, max_steps=MAX_STEPS):
    """What a step returns for each batch: loss, then metrics; and the batches' weights.

    Returns
    -------
    values : ndarray of shape (n_batches, 1 + n_metrics)
    weights : ndarray of shape (n_batches,)
    """
    values, weights = [], []
    for *block, totals in blocks(data, batches, batch_size, max_steps):
        values.append(step(*block, len(totals)))
        weights.append(totals)
    return np.concatenate(values), np.concatenate(weights)


def heard(step, listeners, names):
    """A step of one batch that callbacks hear of, before and after."""
    batches = itertools.count()

    def wrapped(*block):
        number = next(batches)
        listeners.on_train_batch_begin(number)
        values = step(*block)
        logs = dict(zip(names, values[0].tolist(), strict=True))
        listeners.on_train_batch_end(number, logs)
        return values

    return wrapped


def gains(start, best, weights, min_skill):
    """Whether the loss fell by the share `min_skill` and by its standard error.

    A smaller fall is mostly luck of the validation block; the standard error is that
    of the batches' mean, as in the rule of Breiman et al. (1984).
    """
    fall = start - best
    mean = np.average(fall, weights=weights)
    share = weights / weights.sum()
    error = np.sqrt(np.sum(share**2 * (fall - mean) ** 2))
    return mean > max(min_skill * np.average(start, weights=weights), error)


def check_process():
    """Raise in a fork of a process that has trained, where a backend would hang."""
    global _home
    _home = _home or os.getpid()
    if os.getpid() != _home:
        raise RuntimeError(
            "This process was forked from one that has trained, and the threads of "
            "Keras's backend did not come along: training would hang. Start workers by "
            'multiprocessing.get_context("spawn"), or by joblib. Forked workers can '
            "still predict."
        )


def train(spec, settings, data, train_rows, validation_rows, start, rng):
    """Train a network and keep its best epoch.

    Parameters
    ----------
    start : callable
        ``start(compiled, rng)`` gives the first weights.

    Returns
    -------
    Trained
        `best_epoch` counts from 1; 0 is the network before its first step.
    """
    check_process()
    with _lock:
        network = compiled_network(spec, settings)
        weights = start(network, rng)
        run = resume.run_of(
            spec, settings, data, train_rows, validation_rows, weights, rng
        )
        network.reset(weights, settings.learning_rate, rng)
        watch = len(validation_rows) > 0
        names = ["loss", *settings.metrics]
        history = {name: [] for name in names}
        if watch:
            history |= {f"val_{name}": [] for name in names}
        progress, epoch = Progress(rng, history, weights), 0
        checked = list(data.batches(validation_rows, settings.batch_size))
        if watch:
            start_losses, sums = block_values(
                network.test_block, data, checked, settings.batch_size
            )
            progress.best_losses = start_losses
            progress.best_loss = np.average(start_losses[:, 0], weights=sums)
        kept = None if run is None else run.latest(settings.epochs)
        if kept is not None:
            epoch, state, progress = kept
            network.set_state(state)
        keras = load_keras()
        keras_arguments.check_callbacks(keras, settings.callbacks)
        listeners = keras.callbacks.CallbackList(
            copy.deepcopy(list(settings.callbacks)), model=network.model
        )
        step, max_steps = network.train_block, MAX_STEPS
        if any(hears_batches(callback) for callback in settings.callbacks):
            step, max_steps = heard(step, listeners, names), 1
        bar = ProgressBar(settings.epochs) if settings.verbose else None
        interrupted = False
        listeners.on_train_begin()
        try:
            while epoch < settings.epochs and not progress.ended:
                schedule = settings.learning_rate_schedule
                if schedule is not None:
                    network.optimizer.learning_rate = keras_arguments.scheduled_rate(
                        schedule, epoch, settings
                    )
                listeners.on_epoch_begin(epoch)
                shuffled = data.batches(train_rows, settings.batch_size, progress.rng)
                trained = block_values(
                    step, data, shuffled, settings.batch_size, max_steps
                )
                means, validated = (
                    np.average(trained[0], axis=0, weights=trained[1]),
                    None,
                )
                if watch:
                    validated, _ = block_values(
                        network.test_block, data, checked, settings.batch_size
                    )
                    validated_means = np.average(validated, axis=0, weights=sums)
                    means = np.concatenate([means, validated_means])
                logs = dict(zip(progress.history, means.tolist(), strict=True))
                for name, value in logs.items():
                    progress.history[name].append(value)
                epoch += 1
                if bar is not None:
                    bar.update(epoch, logs)
                current = network.get_weights()
                # The last step may have broken weights that made no loss yet.
                if all(np.isfinite(v).all() for v in (means, *current.values())):
                    listeners.on_epoch_end(epoch - 1, logs)
                    progress.advance(current, settings, epoch, logs, validated)
                    progress.ended |= network.model.stop_training
                else:
                    progress.ended = True
                    warnings.warn(
                        f"Training diverged in epoch {epoch}, at a loss of "
                        f"{logs['loss']:.3g}; it stopped, and the weights of epoch "
                        f"{progress.best_epoch} are kept. "
                        f"{likely_cause(settings, data, train_rows)}",
                        ConvergenceWarning,
                        stacklevel=4,
                    )
                at_end = progress.ended or epoch == settings.epochs
                if run is not None and (at_end or run.each_epoch):
                    run.keep(epoch, network.state(), progress)
        except KeyboardInterrupt:
            interrupted = True
            warnings.warn(
                f"Training was interrupted after {len(progress.history['loss'])} "
                f"epochs; the weights of epoch {progress.best_epoch} are kept.",
                ConvergenceWarning,
                stacklevel=4,
            )
        finally:
            if bar is not None:
                bar.close()
        listeners.on_train_end()
        if watch and settings.early_stopping and spec.starts_linear:
            falls = start_losses[:, 0], progress.best_losses[:, 0]
            if not gains(*falls, sums, settings.min_skill):
                progress.weights, progress.best_epoch = weights, 0
        return Trained(
            progress.weights, progress.history, progress.best_epoch, interrupted
        )


def likely_cause(settings, data, rows):
    """Why training diverged, by what is known, and what to do."""
    window, context = data.inputs(rows[:MAX_LOOKED_AT])
    largest = max(np.nanmax(np.abs(part), initial=0) for part in (window, context))
    if largest > LARGE:
        return (
            f"The network's inputs reach {largest:.3g}: scale them, for example by "
            'scaler="standard", or look for outliers in the data.'
        )
    if callable(settings.loss) and not isinstance(settings.loss, Pinball):
        return (
            f"Look whether loss={settings.loss!r} and its gradient are finite for any "
            "forecast. Otherwise lower learning_rate."
        )
    return (
        f"Lower learning_rate={settings.learning_rate:g}, or look for outliers in the "
        "data."
    )


def first_weights(skip=None, weights=None, embeddings=None):
    """A `start` for `train`: given weights, or drawn ones with a given linear skip."""

    def start(network, rng):
        if weights is not None:
            return {name: weights[name] for name in network.variables}
        shapes = {name: tuple(v.shape) for name, v in network.variables.items()}
        return initial_weights(shapes, network.built, rng, skip, embeddings)

    return start


def predict_with_keras(spec, weights, data, indices, batch_size):
    """Outputs of a network that is not a standard one, in batches of one shape."""
    settings = Settings(0, batch_size, "adam", 0.001, None, None, "mse", False, 1, 0, 0)
    with _lock:
        network = compiled_network(spec, settings)
        network.set_weights(weights)
        parts = []
        for rows in data.batches(indices, settings.batch_size):
            inputs = network_inputs(data, np.resize(rows, settings.batch_size))
            output = network.model.predict_on_batch(inputs)
            parts.append(np.asarray(output, np.float64)[: len(rows)])
    return np.concatenate(parts).reshape(-1, *spec.output_shape)
