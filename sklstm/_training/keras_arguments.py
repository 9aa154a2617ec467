"""Objects of Keras that users pass: losses, optimizers, callbacks and networks.

Each is checked first, because Keras reports what it cannot use later, and in terms that
do not name the parameter.
"""

import math
from dataclasses import dataclass

import numpy as np

OPTIMIZERS = "'adam', 'sgd' or 'rmsprop'"
# Names that need not be looked up in Keras.
KNOWN_OPTIMIZERS, KNOWN_LOSSES = ("adam", "sgd", "rmsprop"), ("mse", "mae", "huber")


def loss_of(keras, loss):
    """Return ``loss(y_true, y_pred)`` of a name, an object or a function."""
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError as error:
            raise ValueError(
                f"loss={loss!r} is no loss that Keras knows. Take one such as 'mse', "
                "'mae' or 'huber', or a function loss(y_true, y_pred)."
            ) from error
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def optimizer_of(keras, optimizer, clipnorm):
    """Return a new optimizer from a name, or as a copy of another optimizer."""
    if isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = keras.saving.serialize_keras_object(optimizer)
    elif not isinstance(optimizer, str):
        raise TypeError(
            f"optimizer must be a name, such as {OPTIMIZERS}, or an optimizer of "
            f"Keras. Got {optimizer!r}."
        )
    try:
        made = keras.optimizers.get(optimizer)
    except ValueError as error:
        raise ValueError(
            f"optimizer={optimizer!r} is none that Keras knows. Take one such as "
            f"{OPTIMIZERS}."
        ) from error
    if clipnorm is not None:
        made.clipnorm = clipnorm
    return made


@dataclass(frozen=True)
class Cosine:
    """A schedule that falls from the learning rate to near 0 as a cosine does.

    Its length is that of the parameter `epochs`, so that a refit of fewer epochs has
    the rates by which they were chosen, and calls of `partial_fit` those of one fit.
    Later epochs have the rate of the last one.
    """

    n_epochs: int

    def __call__(self, epoch, learning_rate):
        """Return the learning rate of an epoch, the first being 0."""
        n_epochs = max(self.n_epochs, 1)
        angle = np.pi * min(epoch, n_epochs - 1) / n_epochs
        return learning_rate * 0.5 * (1 + np.cos(angle))


def scheduled_rate(schedule, epoch, settings):
    """Return the learning rate of an epoch, the first being 0."""
    rate = schedule(epoch, settings.learning_rate)
    is_number = np.isscalar(rate) and not isinstance(rate, str)
    if not is_number or not 0 <= rate < np.inf:
        raise ValueError(
            f"learning_rate_schedule gave {rate!r} for epoch {epoch}. Let it return a "
            "finite number, 0 or more."
        )
    return float(rate)


def check_callbacks(keras, callbacks):
    """Raise unless all callbacks are those of Keras."""
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must hold instances of keras.callbacks.Callback. Got "
                f"{callback!r}. To stop early, set early_stopping and n_iter_no_change."
            )


def checked_network(keras, model, spec):
    """Return the user's own network, or raise if its inputs or output do not fit."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"network must return a keras.Model. Got {model!r}.")
    needed = [tuple(spec.window_shape)] + [(spec.n_context,)] * (spec.n_context > 0)
    inputs = [tuple(one.shape[1:]) for one in model.inputs]
    outputs = [tuple(one.shape[1:]) for one in model.outputs]
    # A length of None takes any length, and the output may be flat.
    fits = len(inputs) == len(needed) and all(map(same_shape, inputs, needed))
    size = math.prod(spec.output_shape)
    if not fits or len(outputs) != 1 or math.prod(n or 1 for n in outputs[0]) != size:
        raise ValueError(
            f"network returned a model from inputs of shapes {inputs} to {outputs}, "
            f"but needed are {needed} to {[tuple(spec.output_shape)]}. Make it of the "
            "window_shape, n_context and output_shape that it is called with."
        )
    return model


def same_shape(shape, needed):
    """Return whether a shape fits another, where None stands for any length."""
    return len(shape) == len(needed) and all(
        n in (None, wanted) for n, wanted in zip(shape, needed, strict=True)
    )
