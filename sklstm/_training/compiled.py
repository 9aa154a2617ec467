"""Keras models with compiled steps, shared by all fits of one architecture."""

import json
import operator
import threading
from collections import OrderedDict

import numpy as np

from sklstm._training import keras_arguments
from sklstm._training.batches import map_inputs
from sklstm._training.losses import Pinball
from sklstm._utils.keras_backend import load_keras, to_numpy

MAX_CACHED = 16
# Training of fewer products (epochs x rows x time steps x weights) is compiled without
# XLA's optimisations, because they take longer than they save: without them, the first
# fit of an LSTM of 20 units took 0.9 s less, and 1e7 products 0.04 s more.
FEW_PRODUCTS = 1e7
_cache: OrderedDict = OrderedDict()
# Only one thread trains at a time, because training writes to shared networks.
network_lock = threading.RLock()


class CompiledNetwork:
    """One Keras model whose compiled steps serve every fit of its architecture.

    Parameters
    ----------
    spec : NetworkSpec or TextNetworkSpec
    settings : Settings
        Of which optimizer, loss and metrics are compiled.
    """

    def __init__(self, spec, settings):
        keras = load_keras()
        self.model = spec.build()
        if spec.network is not None:
            self.model = keras_arguments.checked_network(keras, self.model, spec)
        self.model.compile(
            optimizer=keras_arguments.optimizer_of(
                keras, settings.optimizer, settings.clipnorm
            ),
            loss=loss_per_row(keras, settings.loss),
            weighted_metrics=list(settings.metrics.values()),
        )
        self.optimizer = self.model.optimizer  # scales the loss in half precision
        self.optimizer.build(self.model.trainable_variables)
        self.variables = {v.path: v for v in self.model.weights}
        self.n_weights = self.model.count_params()
        self.built = self.get_weights()
        # Some optimizers do not start at zeros, so `reset` needs these values.
        self._optimizer_start = [to_numpy(v) for v in self.optimizer.variables]
        known = {id(v) for v in self.model.weights}
        known |= {id(v) for v in self.optimizer.variables}
        self.step_loops = None
        if keras.backend.backend() == "jax":
            from sklstm._training.jax_steps import StepLoops

            self.step_loops = StepLoops(self.model, 1 + len(settings.metrics))
        # Dropout draws from these, so `reset` sets them as well.
        self._seeds = [
            v
            for v in self.model.non_trainable_variables
            if id(v) not in known and "seed" in v.path
        ]

    def get_weights(self):
        return {path: to_numpy(v) for path, v in self.variables.items()}

    def set_weights(self, weights):
        if weights.keys() != self.variables.keys():
            # Keras numbers layers that have no name anew for each model it builds.
            weights = dict(zip(self.variables, weights.values(), strict=True))
        for path, variable in self.variables.items():
            variable.assign(weights[path])

    def reset(self, weights, learning_rate, rng):
        """Set the state of a network just built, but with these weights and seeds."""
        self.set_weights(weights)
        for variable, start in zip(
            self.optimizer.variables, self._optimizer_start, strict=True
        ):
            variable.assign(start)
        self.optimizer.learning_rate = learning_rate
        for seed in self._seeds:
            seed.assign(np.array([rng.randint(2**31 - 1), 0], dtype="uint32"))
        self.model.stop_training = False

    def optimise_for(self, settings, data, rows):
        """Choose whether steps are compiled with optimisations; see `FEW_PRODUCTS`."""
        if self.step_loops is not None and len(rows):
            n_steps = data.inputs(rows[:256])[0].shape[1]
            n_products = settings.epochs * len(rows) * n_steps * self.n_weights
            self.step_loops.unoptimised = n_products < FEW_PRODUCTS

    def _changing(self):
        return [*self.variables.values(), *self.optimizer.variables, *self._seeds]

    def state(self):
        """Return the values of all variables that training changes."""
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
            # Keras returns running means, but each batch is to have its own values.
            self.model.reset_metrics()
            batch = map_inputs(operator.itemgetter(i), inputs), targets[i]
            values.append(step(*batch, sample_weight=weights[i]))
        return np.array(values, float).reshape(n, -1)

    def train_block(self, inputs, targets, weights, n):
        """Take a step for each of the first `n` batches; return loss and metrics."""
        return self._block("train", inputs, targets, weights, n)

    def test_block(self, inputs, targets, weights, n):
        """Return loss and metrics of each of the first `n` batches."""
        return self._block("test", inputs, targets, weights, n)


def keras_distributes():
    """Return whether Keras shares each batch between devices, by its own step."""
    return load_keras().distribution.distribution() is not None


def check_batch_divisible(keras, batch_size):
    """Raise if devices that share each batch would get parts of unequal size."""
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


def loss_per_row(keras, loss):
    """Return a loss of one value a row, over all steps and targets.

    Keras then multiplies each row's loss by the weight of the row.
    """
    loss = keras_arguments.loss_of(keras, loss)

    def flat(y_true, y_pred):
        ops, size = keras.ops, int(np.prod(y_pred.shape[1:]))
        # The user's own network may compute in half precision.
        y_pred = ops.cast(y_pred, y_true.dtype)
        if isinstance(loss, Pinball):  # each level has the same targets
            y_true = ops.tile(y_true, (1, len(loss.levels), 1))
        shape = (y_pred.shape[0] or -1, size)
        y_true, y_pred = ops.reshape(y_true, shape), ops.reshape(y_pred, shape)
        # A missing target has no error, and the mean is over the others.
        missing = ops.isnan(y_true)
        n_known = size - ops.sum(ops.cast(missing, y_pred.dtype), axis=1)
        error = loss(ops.where(missing, y_pred, y_true), y_pred)
        return error * (size / ops.maximum(n_known, 1))

    return flat


def compiled_network(spec, settings):
    """Return the compiled network of a spec, from the cache if it was built before."""
    keras = load_keras()
    check_batch_divisible(keras, settings.batch_size)
    optimizer = settings.optimizer
    # Equal optimizers must find the same network, but Keras compares their identity.
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
