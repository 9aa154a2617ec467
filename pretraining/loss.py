"""The loss in JAX: pinball loss of the forecasts at every patch after the origin."""

import jax.numpy as jnp

from pretraining.network import features

# Scales are those of the first origin; how fast later origins count less.
LATER = 0.5


def targets(arch, values, known, step, first):
    """Return targets and which are known, of shape (n, n_origins, horizon).

    Origins are the ends of the patches from number `first` (from 1) to the last.
    """
    n_patches = (values.shape[1] - arch.horizon) // arch.patch
    ends = jnp.arange(first, n_patches + 1) * arch.patch
    rows = ends[:, None] + jnp.arange(arch.horizon)
    future, last = values[:, rows], values[:, ends - 1]
    if arch.local:
        moved = (future - last[:, :, None]) / step[:, None, None]
    else:
        moved = future
    return jnp.arcsinh(moved), known[:, rows]


def origin_weights(arch, origin, weight, first, n_patches):
    """Return weights of the forecasts by origin, of shape (n, n_origins)."""
    ends = jnp.arange(first, n_patches + 1)
    after = ends[None] - origin[:, None]
    later = LATER * jnp.exp2(-after / jnp.maximum(origin[:, None], 2))
    weights = jnp.where(after == 0, 1.0, jnp.where(after > 0, later, 0.0))
    return weights * weight[:, None]


def pinball(arch, model, trainable, batch):
    """Return the mean pinball loss of a batch (its fields as a tuple)."""
    values, known, step, origin, weight = batch
    n_context = values.shape[1] - arch.horizon
    n_patches = n_context // arch.patch
    first = max(n_patches // 3, 1)
    read = features(jnp, arch, values[:, :n_context], known[:, :n_context], step)
    others = [variable.value for variable in model.non_trainable_variables]
    outputs, _ = model.stateless_call(trainable, others, read)
    shape = (len(values), n_patches, arch.horizon, len(arch.quantiles))
    outputs = outputs.reshape(shape)[:, first - 1 :]
    wanted, present = targets(arch, values, known, step, first)
    by_origin = origin_weights(arch, origin, weight, first, n_patches)
    error = wanted[..., None] - outputs
    levels = jnp.array(arch.quantiles)
    losses = jnp.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    if not arch.local:  # in the same units as with differences
        losses = losses / jnp.maximum(step, 0.1)[:, None, None]
    weights = by_origin[:, :, None] * present
    return 2 * (losses * weights).sum() / jnp.maximum(weights.sum(), 1.0)
