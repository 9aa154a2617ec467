"""Epochs, validation, early stopping, and the cache of compiled networks."""

import copy
import itertools
import json
import operator
import os
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklstm import _keras_parts, _memory
from sklstm._archive import storable
from sklstm._batches import MAX_STEPS, blocks, each, network_inputs
from sklstm._keras import load_keras
from sklstm._losses import Pinball
from sklstm._networks import initial_weights
from sklstm._progress import ProgressBar

MAX_CACHED = 16
# Inputs of unit variance are rarely as large; of how many rows they are looked at.
LARGE, MAX_LOOKED_AT = 1e4, 4096
_cache: OrderedDict = OrderedDict()
# Compiled networks are shared, and training writes to them.
_lock = threading.RLock()
_home = None  # the process that trained first


@dataclass
class Settings:
    """How to train: what does not change the network's shape."""

    epochs: int
    batch_size: int
    optimizer: object
    learning_rate: float
    learning_rate_schedule: object
    clipnorm: float | None
    loss: object
    early_stopping: bool
    n_iter_no_change: int
    tol: float
    min_skill: float
    metrics: dict = field(default_factory=dict)
    callbacks: list = field(default_factory=list)
    verbose: int = 0


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


def to_numpy(variable):
    """A copy of a Keras variable's value."""
    return np.array(load_keras().ops.convert_to_numpy(variable))


class CompiledNetwork:
    """One Keras model whose compiled steps serve every fit of its architecture."""

    def __init__(self, spec, settings):
        keras = load_keras()
        self.model = spec.build()
        if getattr(spec, "network", None) is not None:
            self.model = _keras_parts.checked_network(keras, self.model, spec)
        self.model.compile(
            optimizer=_keras_parts.optimizer_of(
                keras, settings.optimizer, settings.clipnorm
            ),
            loss=loss_per_row(keras, settings.loss),
            weighted_metrics=list(settings.metrics.values()),
        )
        self.optimizer = self.model.optimizer  # scales the loss in half precision
        self.optimizer.build(self.model.trainable_variables)
        self.variables = {v.path: v for v in self.model.weights}
        self.built = self.get_weights()
        self._optimizer_start = [to_numpy(v) for v in self.optimizer.variables]
        known = {id(v) for v in self.model.weights}
        known |= {id(v) for v in self.optimizer.variables}
        self.step_loops = None
        if keras.backend.backend() == "jax":
            from sklstm._step_loops import StepLoops

            self.step_loops = StepLoops(self.model, 1 + len(settings.metrics))
        self._seeds = [
            v
            for v in self.model.non_trainable_variables
            if id(v) not in known and "seed" in v.path
        ]

    def get_weights(self):
        return {path: to_numpy(v) for path, v in self.variables.items()}

    def set_weights(self, weights):
        for path, variable in self.variables.items():
            variable.assign(weights[path])

    def reset(self, weights, learning_rate, rng):
        """Everything as if just built, but with these weights and seeds."""
        self.set_weights(weights)
        for variable, start in zip(
            self.optimizer.variables, self._optimizer_start, strict=True
        ):
            variable.assign(start)
        self.optimizer.learning_rate = learning_rate
        for seed in self._seeds:
            seed.assign(np.array([rng.randint(2**31 - 1), 0], dtype="uint32"))
        self.model.stop_training = False

    def _changing(self):
        return [*self.variables.values(), *self.optimizer.variables, *self._seeds]

    def state(self):
        """Values of everything that training changes."""
        return [to_numpy(variable) for variable in self._changing()]

    def set_state(self, state):
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)

    def _block(self, kind, inputs, targets, weights, n):
        if self.step_loops is not None and not keras_distributes():
            run = getattr(self.step_loops, kind)
            return np.array(run((inputs, targets, weights), n), float)
        step, values = getattr(self.model, f"{kind}_on_batch"), []
        for i in range(n):
            self.model.reset_metrics()
            batch = each(operator.itemgetter(i), inputs), targets[i]
            values.append(step(*batch, sample_weight=weights[i]))
        return np.array(values, float).reshape(n, -1)

    def train_block(self, inputs, targets, weights, n):
        """Take a step for each of the first `n` batches; give loss and metrics."""
        return self._block("train", inputs, targets, weights, n)

    def test_block(self, inputs, targets, weights, n):
        """Loss and metrics of each of the first `n` batches."""
        return self._block("test", inputs, targets, weights, n)


def keras_distributes():
    """Whether Keras shares each batch between devices, which its own step does."""
    return load_keras().distribution.distribution() is not None


def check_shares(keras, batch_size):
    """Raise where devices that share each batch would not get the same part of it."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return
    mesh = distribution.device_mesh
    shared = distribution.get_data_layout((batch_size,)).axes[0]
    n_parts = mesh.shape[mesh.axis_names.index(shared)]
    if batch_size % n_parts:
        raise ValueError(
            f"keras.distribution shares each batch between {n_parts} devices, and "
            f"batch_size={batch_size} is no multiple of {n_parts}. Pass batch_size="
            f"{-(-batch_size // n_parts) * n_parts}."
        )


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


def loss_per_row(keras, loss):
    """A loss of one value a row, over all steps and targets, so that rows weigh."""
    loss = _keras_parts.loss_of(keras, loss)

    def flat(y_true, y_pred):
        ops, size = keras.ops, int(np.prod(y_pred.shape[1:]))
        y_pred = ops.cast(y_pred, y_true.dtype)  # a network of yours may be of halves
        if isinstance(loss, Pinball):  # each level has the same targets
            y_true = ops.tile(y_true, (1, len(loss.levels), 1))
        shape = (y_pred.shape[0] or -1, size)
        y_true, y_pred = ops.reshape(y_true, shape), ops.reshape(y_pred, shape)
        # A missing target makes no error, and the others stand for it.
        missing = ops.isnan(y_true)
        there = size - ops.sum(ops.cast(missing, y_pred.dtype), axis=1)
        error = loss(ops.where(missing, y_pred, y_true), y_pred)
        return error * (size / ops.maximum(there, 1))

    return flat


def compiled_network(spec, settings):
    """The compiled network of a spec, from the cache where it was built before."""
    keras = load_keras()
    check_shares(keras, settings.batch_size)
    optimizer = settings.optimizer
    if isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = json.dumps(keras.saving.serialize_keras_object(optimizer))
    key = (
        spec,
        optimizer,
        settings.clipnorm,
        settings.loss,
        tuple(settings.metrics.values()),
        settings.batch_size,
        keras.config.floatx(),
        keras.config.dtype_policy().name,
        keras.distribution.distribution(),
    )
    if key not in _cache:
        _cache[key] = CompiledNetwork(spec, settings)
        while len(_cache) > MAX_CACHED:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return _cache[key]


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
        run = _memory.run_of(
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
        _keras_parts.check_callbacks(keras, settings.callbacks)
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
                    network.optimizer.learning_rate = _keras_parts.scheduled_rate(
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


def predict_with_keras(spec, settings, weights, data, indices):
    """Outputs of a network that is not a standard one, in batches of one shape."""
    with _lock:
        network = compiled_network(spec, settings)
        network.set_weights(weights)
        parts = []
        for rows in data.batches(indices, settings.batch_size):
            inputs = network_inputs(data, np.resize(rows, settings.batch_size))
            output = network.model.predict_on_batch(inputs)
            parts.append(np.asarray(output, np.float64)[: len(rows)])
    return np.concatenate(parts).reshape(-1, *spec.output_shape)
