"""Batches of constant shape, in blocks that one compiled call takes. NumPy only."""

import itertools

import numpy as np

# Steps in a block. More of them save little, because the fixed cost of a call is then
# a small share of each step.
MAX_STEPS = 16
# Bytes of a block of more than one step.
MAX_BYTES = 2**25


def as_input(values: np.ndarray) -> np.ndarray:
    """Return 32-bit floats or integers, as the compiled steps expect."""
    return values.astype(np.float32 if values.dtype.kind == "f" else np.int32)


def network_inputs(data, rows):
    """Return the window, or a list of the window and its context if it has columns."""
    window, context = data.inputs(rows)
    if not context.shape[1]:
        return as_input(window)
    return [as_input(window), as_input(context)]


def map_inputs(function, inputs):
    """Apply a function to a single input, or to each input of a list."""
    if isinstance(inputs, list):
        return [function(values) for values in inputs]
    return function(inputs)


def blocks(data, batches, batch_size, max_steps=MAX_STEPS):
    """Stack batches of one shape that follow each other.

    Parameters
    ----------
    data : TrainingDataset
    batches : iterable of ndarray of int
        Rows of each batch.
    batch_size, max_steps : int

    Yields
    ------
    inputs, targets, weights : ndarray or list of ndarray, ndarray, ndarray
        Each array has the shape (max_n_steps, batch_size, ...), where `max_n_steps`
        depends on the shape of a batch alone, so that few shapes are compiled.
    totals : ndarray of shape (n_steps,)
        Weights of the batches. Steps of the arrays after the last batch are zero.
    """
    for _, group in itertools.groupby(batches, data.shape_key):
        first = next(group)
        row = network_inputs(data, first[:1])
        n_bytes = np.sum(map_inputs(lambda values: values.nbytes, row))
        n_steps = int(np.clip(MAX_BYTES // (n_bytes * batch_size), 1, max_steps))
        group = itertools.chain([first], group)
        while some := list(itertools.islice(group, n_steps)):
            block = stack_batches(data, some, batch_size, n_steps)
            if block is not None:
                yield block


def stack_batches(data, batches, batch_size, n_steps):
    """Return one block, or None if no row of it has a weight.

    A batch that is too short repeats its first row with weight zero. Weights are
    divided by their mean, so that the mean over a batch is the weighted mean of its
    rows.
    """
    sizes = np.array([len(rows) for rows in batches])
    padding = [np.repeat(rows[:1], batch_size - len(rows)) for rows in batches]
    rows = np.array([np.append(*pair) for pair in zip(batches, padding, strict=True)])
    weights = data.weights(rows.ravel()).reshape(rows.shape)
    weights = np.where(np.arange(batch_size) < sizes[:, None], weights, 0)
    totals = weights.sum(axis=1)
    has_weight = totals > 0
    if not has_weight.any():
        return None
    rows, weights, totals = rows[has_weight], weights[has_weight], totals[has_weight]
    relative = weights * (batch_size / totals[:, None]).astype(np.float32)

    def by_step(values):
        """Return values of shape (n_steps, batch_size, ...), with zeros at the end."""
        steps = np.zeros((n_steps, batch_size, *values.shape[1:]), values.dtype)
        steps[: len(rows)] = values.reshape(len(rows), batch_size, *values.shape[1:])
        return steps

    flat = rows.ravel()
    inputs = map_inputs(by_step, network_inputs(data, flat))
    targets = by_step(data.targets(flat).astype(np.float32))
    return inputs, targets, by_step(relative.astype(np.float32).ravel()), totals
