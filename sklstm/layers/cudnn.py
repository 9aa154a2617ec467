"""The LSTM of cuDNN, through JAX, which takes a mask as a length for each row.

Keras on JAX calls cuDNN only without a mask, and loops over the steps with one. But
padding on either side leaves one block of steps in each row. Once this block is moved
to the row's start, its length says all that cuDNN has to know.

Inputs are time-major, masks of shape (n_steps, batch).
"""

import jax
import jax.numpy as jnp
from jax.experimental import rnn


def on_gpu():
    return jax.default_backend() == "gpu"


def serves(mask):
    """Return a traced bool: whether the unmasked steps of each row are one block."""
    starts = mask[0] + (mask[1:] & ~mask[:-1]).sum(0)
    return (starts <= 1).all()


def lstm(steps, mask, kernel, recurrent_kernel, bias, h, c):
    """Return the states of every step, and the last cell state, where `serves` holds.

    Parameters
    ----------
    steps : array of shape (n_steps, batch, n_features)
    kernel, recurrent_kernel : array of shape (n, 4 * units)
        Keras's order of gates is cuDNN's.
    h, c : array of shape (batch, units)
    """
    n_steps, batch, n_features = steps.shape
    rows, step = jnp.arange(batch), jnp.arange(n_steps)[:, None]
    lengths, start = mask.sum(0), mask.argmax(0)
    block = steps[jnp.minimum(step + start, n_steps - 1), rows]
    weights = [kernel.T, recurrent_kernel.T, bias, jnp.zeros_like(bias)]
    states, _, last = rnn.lstm(
        block.swapaxes(0, 1),
        h[None],
        c[None],
        jnp.concatenate([part.ravel() for part in weights]),
        # cuDNN takes no length of 0; rows without a step keep their state below.
        jnp.maximum(lengths, 1).astype(jnp.int32),
        n_features,
        h.shape[1],
        1,  # layer
        0.0,  # no dropout
        False,  # one direction
    )
    # The state is held before a row's first step and after its last one.
    since = jnp.minimum(step - start, lengths - 1)
    begun = (since >= 0)[..., None]
    held = states.swapaxes(0, 1)[jnp.maximum(since, 0), rows]
    return jnp.where(begun, held, h), jnp.where(begun[-1], last[0], c)
