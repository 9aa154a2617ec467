"""Epochs, validation and early stopping."""

import copy
import itertools
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklstm._networks.initial_weights import initial_weights, weight_shapes
from sklstm._training import keras_arguments, resume
from sklstm._training.batches import MAX_STEPS, blocks, network_inputs
from sklstm._training.compiled import compiled_network, network_lock
from sklstm._training.losses import Pinball
from sklstm._training.progress import Progress, improves
from sklstm._training.progress_bar import ProgressBar
from sklstm._training.settings import Settings
from sklstm._utils.keras_backend import check_process, load_keras
from sklstm._utils.warn import warn_user

# Scaled inputs above LARGE suggest bad scaling; MAX_LOOKED_AT rows are inspected.
LARGE, MAX_LOOKED_AT = 1e4, 4096
# Parts of the validation block, at least, by which a gain is told from luck.
N_PARTS = 16


@dataclass
class Trained:
    """The result of a training run.

    Parameters
    ----------
    weights : dict of str to ndarray
        Of the best epoch.
    history : dict of str to list of float
        Loss and metrics of each epoch.
    best_epoch : int
        Counts from 1; 0 is the network before its first step.
    interrupted : bool
        Whether Ctrl-C ended the run.
    state : TrainingState or None
        Where the run stands, if it was to be kept.
    """

    weights: dict
    history: dict
    best_epoch: int
    interrupted: bool = False
    state: resume.TrainingState | None = None


def train(
    spec,
    settings,
    data,
    train_rows,
    validation_rows,
    start,
    rng,
    kept=None,
) -> Trained:
    """Train a network and keep its best epoch.

    Parameters
    ----------
    spec : NetworkSpec or TextNetworkSpec
    settings : Settings
    data : WindowDataset or Documents
    train_rows, validation_rows : ndarray of int
        Rows of `data`; without validation rows the last epoch is the best.
    start : callable
        ``start(spec, rng, built)`` returns the first weights; `built` are those of a
        network of the user as Keras made it, else None.
    rng : RandomState
    kept : TrainingState, default=None
        Where an earlier run stood, whose optimizer, seeds and number of epochs go on.
        If there is one, an empty one too, the result has that of this run.

    Returns
    -------
    Trained

    Warns
    -----
    ConvergenceWarning
        If training diverged or was interrupted by Ctrl-C.
    """
    if kept is None and spec.network is None and needs_no_keras(settings):
        names = value_names(settings, len(validation_rows))
        return Trained(start(spec, rng), {name: [] for name in names}, 0)
    check_process()
    with network_lock:
        network = compiled_network(spec, settings)
        network.optimise_for(settings, data, train_rows)
        if kept is not None and kept.rng:
            rng.set_state(kept.rng)
        first = start(spec, rng, None if spec.network is None else network.built)
        record = resume.run_of(
            spec, settings, data, train_rows, validation_rows, first, rng
        )
        network.reset(first, settings.learning_rate, rng)
        if kept is not None and kept.fits(network):
            network.set_state(kept.network)
            network.optimizer.learning_rate = settings.learning_rate
            rng.set_state(kept.rng)
        n_before = 0 if kept is None else kept.n_epochs
        run = TrainingRun(
            network, settings, data, train_rows, validation_rows, n_before
        )
        run.begin(first, rng)
        if record is not None:
            run.resume(record)
        interrupted = run.train()
        progress = run.progress
        # The untrained network is the linear model, which is kept unless training has
        # beaten it clearly.
        if spec.starts_linear and settings.early_stopping and not run.has_improved():
            progress.weights, progress.best_epoch = first, 0
        state = None
        if kept is not None:
            state = resume.TrainingState(
                network.state(),
                progress.rng.get_state(),
                n_before + progress.n_epochs,
            )
        return Trained(
            progress.weights, progress.history, progress.best_epoch, interrupted, state
        )


class TrainingRun:
    """Epochs of one compiled network on given rows.

    Parameters
    ----------
    network : CompiledNetwork
        Holds the first weights.
    settings : Settings
    data : WindowDataset or Documents
    train_rows, validation_rows : ndarray of int
    n_before : int
        Epochs of earlier runs that this one goes on from.
    """

    def __init__(
        self, network, settings, data, train_rows, validation_rows, n_before=0
    ):
        self.network, self.settings = network, settings
        self.data, self.train_rows = data, train_rows
        self.validation_rows, self.n_before = validation_rows, n_before
        self.validation_batches = self._parts(settings.batch_size)
        self.names = ["loss", *settings.metrics]
        keras = load_keras()
        keras_arguments.check_callbacks(keras, settings.callbacks)
        # Callbacks change in training, but a parameter must stay as it was passed.
        self.callbacks = keras.callbacks.CallbackList(
            copy.deepcopy(list(settings.callbacks)), model=network.model
        )
        self.step, self.max_steps = network.train_block, MAX_STEPS
        if any(listens_to_batches(callback) for callback in settings.callbacks):
            # A block of one batch, so that each callback sees every batch.
            step = with_batch_callbacks(self.step, self.callbacks, self.names)
            self.step, self.max_steps = step, 1
        self.record, self.bar = None, None

    def begin(self, weights, rng):
        """Stand before the first epoch, with the loss of the untrained network."""
        names = value_names(self.settings, len(self.validation_batches))
        self.progress = Progress(rng, {name: [] for name in names}, weights)
        self.first_weights, self.start_losses = weights, None
        if self.validation_batches:
            validated = self._validate(self.validation_batches)
            self.start_losses, self.batch_weights = validated
            self.progress.best_losses = self.start_losses
            self.progress.best_loss = np.average(
                self.start_losses[:, 0], weights=self.batch_weights
            )

    def resume(self, record):
        """Go on where an earlier run of the same training stood, and keep a record."""
        self.record, kept = record, record.latest(self.settings.epochs)
        if kept is not None:
            _, state, self.progress = kept
            self.network.set_state(state)

    def train(self) -> bool:
        """Train until the last epoch, and return whether Ctrl-C came before it."""
        settings, interrupted = self.settings, False
        if settings.verbose:
            self.bar = ProgressBar(settings.epochs)
        self.callbacks.on_train_begin()
        try:
            while self.progress.n_epochs < settings.epochs and not self.progress.ended:
                self._run_epoch()
        except KeyboardInterrupt:
            interrupted = True
            warn_user(
                f"Training was interrupted after {self.progress.n_epochs} epochs; the "
                f"weights of epoch {self.progress.best_epoch} are kept.",
                ConvergenceWarning,
            )
        finally:
            if self.bar is not None:
                self.bar.close(self.ending())
        self.callbacks.on_train_end()
        return interrupted

    def ending(self) -> str:
        """Return in words how training has ended."""
        n_epochs, best = self.progress.n_epochs, self.progress.best_epoch
        if not self.validation_batches:
            return f"trained {n_epochs} epochs on all rows"
        word = "stopped" if n_epochs < self.settings.epochs else "ended"
        kept = f"best {best}" if best else "none better than the start"
        return f"{word} at epoch {n_epochs}, {kept}"

    def has_improved(self) -> bool:
        """Return whether the best epoch is worth it; True without a block to tell."""
        progress = self.progress
        if self.start_losses is None or progress.best_losses is None:
            return True
        losses = [self.start_losses, progress.best_losses]
        weights = self.batch_weights
        if len(weights) < N_PARTS and progress.best_epoch:
            # The standard error of one or a few batches would be 0, or luck.
            losses, weights = self._losses_of_parts(
                self.first_weights, progress.weights
            )
        start, best = (values[:, 0] for values in losses)
        return improves(start, best, weights, self.settings.min_skill)

    def _parts(self, size):
        """Return the rows of the validation block in parts of at most `size`."""
        return list(self.data.batches(self.validation_rows, size))

    def _losses_of_parts(self, *states):
        """Return the losses of `N_PARTS` parts or so at each state, and their weights.

        The network stands where it stood afterwards.
        """
        batches = self._parts(-(-len(self.validation_rows) // N_PARTS))
        last, losses, weights = self.network.get_weights(), [], None
        for state in states:
            self.network.set_weights(state)
            values, weights = self._validate(batches)
            losses.append(values)
        self.network.set_weights(last)
        return losses, weights

    def _run_epoch(self):
        progress, schedule = self.progress, self.settings.learning_rate_schedule
        epoch = self.n_before + progress.n_epochs
        if schedule is not None:
            self.network.optimizer.learning_rate = keras_arguments.scheduled_rate(
                schedule, epoch, self.settings
            )
        self.callbacks.on_epoch_begin(epoch)
        means, validated = self._train_epoch(), None
        if self.validation_batches:
            validated, _ = self._validate(self.validation_batches)
            validated_means = np.average(validated, axis=0, weights=self.batch_weights)
            means = np.concatenate([means, validated_means])
        logs = progress.record(means)
        if self.bar is not None:
            self.bar.update(progress.n_epochs, logs)
        self._end_epoch(logs, validated)

    def _train_epoch(self):
        """Take one step for each training batch; return mean loss and metrics."""
        batch_size = self.settings.batch_size
        batches = self.data.batches(self.train_rows, batch_size, self.progress.rng)
        values, weights = block_values(
            self.step, self.data, batches, batch_size, self.max_steps
        )
        return np.average(values, axis=0, weights=weights)

    def _validate(self, batches):
        """Return loss and metrics of each batch of rows, and the batches' weights."""
        test, size = self.network.test_block, self.settings.batch_size
        return block_values(test, self.data, batches, size)

    def _end_epoch(self, logs, validated):
        progress, weights = self.progress, self.network.get_weights()
        # The last step may have broken weights that made no loss yet.
        if all(np.isfinite(v).all() for v in (list(logs.values()), *weights.values())):
            # Keras numbers epochs from 0.
            epoch = self.n_before + progress.n_epochs - 1
            self.callbacks.on_epoch_end(epoch, logs)
            progress.advance(weights, self.settings, logs, validated)
            # Callbacks of Keras end training by setting this.
            progress.ended |= self.network.model.stop_training
        else:
            progress.ended = True
            warn_user(
                f"Training diverged in epoch {progress.n_epochs}, at a loss of "
                f"{logs['loss']:.3g}; it stopped, and the weights of epoch "
                f"{progress.best_epoch} are kept. "
                f"{likely_cause(self.settings, self.data, self.train_rows)}",
                ConvergenceWarning,
            )
        at_end = progress.ended or progress.n_epochs == self.settings.epochs
        if self.record is not None and (at_end or self.record.each_epoch):
            self.record.keep(progress.n_epochs, self.network.state(), progress)


def needs_no_keras(settings: Settings) -> bool:
    """Return whether nothing is trained, and Keras has no argument to check.

    A forecast by linear models and the pretrained network then starts without the two
    seconds in which Keras is imported and the network is built.
    """
    loss, names = settings.loss, keras_arguments.KNOWN_LOSSES
    return (
        not (settings.epochs or settings.callbacks or settings.verbose)
        and settings.optimizer in keras_arguments.KNOWN_OPTIMIZERS
        and (loss in names if isinstance(loss, str) else callable(loss))
    )


def value_names(settings: Settings, n_validation: int) -> list[str]:
    """Return the names in the history: loss and metrics, and those of validation."""
    names = ["loss", *settings.metrics]
    return names + [f"val_{name}" for name in names if n_validation]


def block_values(step, data, batches, batch_size, max_steps=MAX_STEPS):
    """Return loss and metrics of each batch, and the batches' weights.

    Parameters
    ----------
    step : callable
        `CompiledNetwork.train_block`, `CompiledNetwork.test_block` or alike.

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


def listens_to_batches(callback) -> bool:
    """Return whether a callback does something before or after a training batch."""
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


def with_batch_callbacks(step, callbacks, names):
    """Return a step of one batch that calls callbacks before and after it."""
    batches = itertools.count()

    def wrapped(*block):
        number = next(batches)
        callbacks.on_train_batch_begin(number)
        values = step(*block)
        logs = dict(zip(names, values[0].tolist(), strict=True))
        callbacks.on_train_batch_end(number, logs)
        return values

    return wrapped


def likely_cause(settings, data, rows) -> str:
    """Return, in words, why training may have diverged and what to do."""
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


def first_weights(skip=None, weights=None, embeddings=None, head_bias=None):
    """Return a `start` for `train`: given weights, or drawn ones beside a linear skip.

    Parameters
    ----------
    skip : tuple (kernel, bias), default=None
        Of the linear skip.
    weights : dict of str to ndarray, default=None
        All weights, where training continues.
    embeddings : ndarray of shape (n_tokens, embedding_dim), default=None
    head_bias : ndarray of shape (n_outputs,), default=None
    """

    def start(spec, rng, built=None):
        if weights is not None:
            return {name: weights[name] for name in weight_shapes(spec, built)}
        return initial_weights(spec, rng, skip, embeddings, built, head_bias)

    return start


def predict_with_keras(spec, weights, data, indices, batch_size):
    """Return outputs of a network of the user, in batches of one shape."""
    settings = Settings(epochs=0, batch_size=batch_size)
    with network_lock:
        network = compiled_network(spec, settings)
        network.set_weights(weights)
        parts = []
        for rows in data.batches(indices, settings.batch_size):
            # The last batch is filled up, since its own shape would be compiled anew.
            inputs = network_inputs(data, np.resize(rows, settings.batch_size))
            output = network.model.predict_on_batch(inputs)
            parts.append(np.asarray(output, np.float64)[: len(rows)])
    return np.concatenate(parts).reshape(-1, *spec.output_shape)
