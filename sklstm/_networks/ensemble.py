"""Several networks of one shape as one network, whose output is their mean.

The members stand side by side: the units of the ensemble are the units of all members,
and no weight leads from one member to another. Code that reads one network's weights
thus reads those of an ensemble, too.
"""

from dataclasses import replace

import numpy as np

from sklstm._networks.spec import NetworkSpec
from sklstm._utils.cells import CELLS

Weights = dict[str, np.ndarray]
CONTEXT = ("context_hidden/kernel", "context_hidden/bias")


def ensemble_spec(spec: NetworkSpec, n_members: int) -> NetworkSpec:
    """Return the spec of `n_members` networks side by side."""
    return replace(spec, units=tuple(n_members * units for units in spec.units))


def merge_members(spec: NetworkSpec, members: list[Weights]) -> Weights:
    """Return the weights of the ensemble of some members.

    Parameters
    ----------
    spec : NetworkSpec
        Of one member.
    members : list of dict of str to ndarray
    """
    if len(members) == 1:
        return members[0]
    weights: Weights = {}
    for i in range(len(spec.units)):
        weights |= merge_layer(spec, members, i)
    parts = ["state"]
    if CONTEXT[0] in members[0]:
        parts.append("context")
        for name in CONTEXT:
            weights[name] = np.concatenate([m[name] for m in members], -1)
    # The head reads the states of all members, then what all made of the context.
    heads = [np.split(m["head/kernel"], len(parts)) for m in members]
    # Side by side, members add up in the head; divided, they make the mean.
    weights["head/kernel"] = np.concatenate(
        [head[k] for k in range(len(parts)) for head in heads]
    ) / len(members)
    for name in members[0].keys() - weights.keys():
        weights[name] = np.mean([m[name] for m in members], axis=0)
    return {name: weights[name].astype(np.float32) for name in members[0]}


def merge_layer(spec: NetworkSpec, members: list[Weights], i: int) -> Weights:
    """Return the weights of recurrent layer `i` of the ensemble."""
    cell = CELLS[spec.cell]
    weights: Weights = {}
    for part in ("kernel", "recurrent_kernel", "bias"):
        name = f"recurrent_{i}/{cell.weight_prefix}/{part}"
        # (..., gates, units), so that the units of each gate come to lie side by side.
        shape = (*members[0][name].shape[:-1], cell.n_gates, -1)
        blocks = [member[name].reshape(shape) for member in members]
        # All members read the same window, but each reads its own states alone.
        shared_input = part == "bias" or (part == "kernel" and i == 0)
        values = np.concatenate(blocks, -1) if shared_input else block_diagonal(blocks)
        weights[name] = values.reshape(*values.shape[:-2], -1)
    return weights


def split_members(spec: NetworkSpec, weights: Weights, n_members: int) -> list[Weights]:
    """Return the weights of each member of an ensemble; the reverse of `merge_members`.

    The bias of each head is the members' mean.
    """
    if n_members == 1:
        return [weights]
    return [member_weights(spec, weights, k, n_members) for k in range(n_members)]


def member_weights(
    spec: NetworkSpec, weights: Weights, k: int, n_members: int
) -> Weights:
    """Return the weights of member `k`."""
    cell, member = CELLS[spec.cell], dict(weights)
    for i in range(len(spec.units)):
        prefix = f"recurrent_{i}/{cell.weight_prefix}"
        for part in ("kernel", "recurrent_kernel", "bias"):
            values = weights[f"{prefix}/{part}"]
            values = values.reshape(*values.shape[:-1], cell.n_gates, n_members, -1)
            values = values[..., k, :]
            if part == "recurrent_kernel" or (part == "kernel" and i > 0):
                values = np.split(values, n_members)[k]
            member[f"{prefix}/{part}"] = values.reshape(*values.shape[:-2], -1)
    n_parts = 1
    if CONTEXT[0] in weights:
        n_parts = 2
        for name in CONTEXT:
            member[name] = np.split(weights[name], n_members, -1)[k]
    rows = np.split(weights["head/kernel"], n_parts * n_members)[k::n_members]
    member["head/kernel"] = np.concatenate(rows) * n_members
    return member


def block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    """Place blocks of shape (n_inputs, gates, units) along inputs and units."""
    n_inputs, n_gates, units = blocks[0].shape
    n = len(blocks)
    values = np.zeros((n, n_inputs, n_gates, n, units), blocks[0].dtype)
    for k, block in enumerate(blocks):
        values[k, :, :, k] = block
    return values.reshape(n * n_inputs, n_gates, n * units)
