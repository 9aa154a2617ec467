"""Batches of constant shape, in blocks that one compiled call takes. NumPy only."""

import itertools

import numpy as np

# Steps in a block: what is paid once a call is then a small share of each step.
MAX_STEPS = 16
# What a block may hold, in bytes, where more than one step is in it.
MAX_BYTES = 2**25


def as_input(values):
    """32-bit floats or integers, as the compiled steps expect."""
    return values.astype(np.float32 if values.dtype.kind == "f" else np.int32)


def network_inputs(data, rows):
    """The window, or a list of the window and its context where there is one."""
    window, context = data.inputs(rows)
    if not context.shape[1]:
        return as_input(window)
    return [as_input(window), as_input(context)]


def each(function, inputs):
    """What a function gives for the one input, or for each of a list."""
    if isinstance(inputs, list):
        return [function(one) for one in inputs]
    return function(inputs)


def blocks(data, batches, batch_size, max_steps=MAX_STEPS):
    """Stack batches of one shape that follow each other.

    Yields
    ------
    inputs, targets, weights : ndarray or list of ndarray, ndarray, ndarray
        Each array of shape (max_n_steps, batch_size, ...), where `max_n_steps` depends
        on the shape of a batch alone, so that few shapes are compiled.
    totals : ndarray of shape (n_steps,)
        Weights of the batches; what is in the arrays after them is empty.
    """
    for _, alike in itertools.groupby(batches, data.shape_key):
        first = next(alike)
        n_bytes = np.sum(each(lambda one: one.nbytes, network_inputs(data, first[:1])))
        n_steps = int(np.clip(MAX_BYTES // (n_bytes * batch_size), 1, max_steps))
        alike = itertools.chain([first], alike)
        while part := list(itertools.islice(alike, n_steps)):
            block = stacked(data, part, batch_size, n_steps)
            if block is not None:
                yield block


def stacked(data, batches, batch_size, n_steps):
    """One block, or None where no row of it has a weight.

    Missing rows repeat a batch's first one with weight zero. Weights are divided by
    their mean, so that the mean over a batch is the weighted mean of its real rows.
    """
    sizes = np.array([len(rows) for rows in batches])
    repeated = [np.repeat(part[:1], batch_size - len(part)) for part in batches]
    rows = np.array([np.append(*pair) for pair in zip(batches, repeated, strict=True)])
    weights = data.weights(rows.ravel()).reshape(rows.shape)
    weights = np.where(np.arange(batch_size) < sizes[:, None], weights, 0)
    totals = weights.sum(axis=1)
    there = totals > 0
    if not there.any():
        return None
    rows, weights, totals = rows[there], weights[there], totals[there]
    scaled = weights * (batch_size / totals[:, None]).astype(np.float32)

    def steps(values):
        held = np.zeros((n_steps, batch_size, *values.shape[1:]), values.dtype)
        held[: len(rows)] = values.reshape(len(rows), batch_size, *values.shape[1:])
        return held

    flat = rows.ravel()
    inputs = each(steps, network_inputs(data, flat))
    targets = steps(data.targets(flat).astype(np.float32))
    return inputs, targets, steps(scaled.astype(np.float32).ravel()), totals
