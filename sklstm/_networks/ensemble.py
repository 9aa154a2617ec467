"""Several networks of one shape as one wide network, whose output is their mean.

Members stand side by side: their units are the wide network's units, and no weight
leads from one to another. So whatever reads one network's weights reads an ensemble's.
"""

from dataclasses import replace

import numpy as np

from sklstm._utils.cells import CELLS


def wide(spec, n_members):
    """The spec of so many networks side by side."""
    return replace(spec, units=tuple(n_members * units for units in spec.units))


def merged(spec, members):
    """Weights of the wide network from those of its members.

    Parameters
    ----------
    spec : NetworkSpec
        Of one member.
    members : list of dict of str to ndarray

    Returns
    -------
    dict of str to ndarray
    """
    if len(members) == 1:
        return members[0]
    weights = {}
    for i in range(len(spec.units)):
        prefix = f"recurrent_{i}/{CELLS[spec.cell].weight_prefix}"
        n_gates = CELLS[spec.cell].n_gates
        for part in ("kernel", "recurrent_kernel", "bias"):
            name = f"{prefix}/{part}"
            # (..., gates, units), so that each gate's units lie side by side.
            own = [m[name].reshape(*m[name].shape[:-1], n_gates, -1) for m in members]
            shared_input = part == "bias" or (part == "kernel" and i == 0)
            values = np.concatenate(own, -1) if shared_input else block_diagonal(own)
            weights[name] = values.reshape(*values.shape[:-2], -1)
    parts = ["state"]
    if "context_hidden/kernel" in members[0]:
        parts.append("context_hidden")
        for name in ("context_hidden/kernel", "context_hidden/bias"):
            weights[name] = np.concatenate([m[name] for m in members], -1)
    # The head reads the states of all, then what all made of the context.
    heads = [np.split(m["head/kernel"], len(parts)) for m in members]
    weights["head/kernel"] = np.concatenate(
        [head[k] for k in range(len(parts)) for head in heads]
    ) / len(members)
    for name in members[0].keys() - weights.keys():
        weights[name] = np.mean([m[name] for m in members], axis=0)
    return {name: weights[name].astype(np.float32) for name in members[0]}


def parted(spec, weights, n_members):
    """Weights of each member from those of the wide network; the reverse of `merged`.

    A head's bias is the members' mean.
    """
    if n_members == 1:
        return [weights]
    return [part(spec, weights, k, n_members) for k in range(n_members)]


def part(spec, weights, k, n_members):
    n_gates, member = CELLS[spec.cell].n_gates, dict(weights)
    for i in range(len(spec.units)):
        prefix = f"recurrent_{i}/{CELLS[spec.cell].weight_prefix}"
        for name in ("kernel", "recurrent_kernel", "bias"):
            values = weights[f"{prefix}/{name}"]
            values = values.reshape(*values.shape[:-1], n_gates, n_members, -1)
            values = values[..., k, :]
            if name == "recurrent_kernel" or (name == "kernel" and i > 0):
                values = np.split(values, n_members)[k]
            member[f"{prefix}/{name}"] = values.reshape(*values.shape[:-2], -1)
    n_parts = 1
    if "context_hidden/kernel" in weights:
        n_parts = 2
        for name in ("context_hidden/kernel", "context_hidden/bias"):
            member[name] = np.split(weights[name], n_members, -1)[k]
    rows = np.split(weights["head/kernel"], n_parts * n_members)[k::n_members]
    member["head/kernel"] = np.concatenate(rows) * n_members
    return member


def block_diagonal(blocks):
    """Blocks of shape (n_inputs, gates, units) along inputs and units."""
    n_inputs, n_gates, units = blocks[0].shape
    n = len(blocks)
    values = np.zeros((n, n_inputs, n_gates, n, units), blocks[0].dtype)
    for k, block in enumerate(blocks):
        values[k, :, :, k] = block
    return values.reshape(n * n_inputs, n_gates, n * units)
