"""The pretrained network as nodes of ONNX.

All contexts of a graph have the same length, so the gaps that fill up the first patch
are constant.
"""

from typing import NamedTuple

import numpy as np

from sklstm._networks.onnx.graph import ONE, recurrent
from sklstm._networks.pretrained import LONGEST_CONTEXT
from sklstm._networks.pretrained_inputs import (
    LARGEST_READ,
    LEAST_DEVIATION,
    LEAST_STEP,
    LEAST_VALUES,
)

UNIT = np.float64(1)


def pretrained_outputs(graph, reader, contexts, n_rows, steps):
    """Return the levels of a `PretrainedReader`, as `Pretrained.forecast` does."""
    network = reader.network
    levels, horizon = network.arch.quantiles, network.arch.horizon
    middle, blocks = levels.index(0.5), []
    for first in range(0, steps, horizon):
        quantiles = pretrained_block(graph, network, contexts, n_rows)
        blocks.append(graph.cut(quantiles, 0, steps - first))
        median = quantile(graph, quantiles, middle)
        contexts = graph("Concat", contexts, median, axis=1)
        n_rows += horizon
    quantiles = graph("Concat", *blocks, axis=1)
    if len(blocks) > 1:
        quantiles = widened(graph, quantiles, middle, horizon, steps)
    return [quantile(graph, quantiles, levels.index(p)) for p in reader.levels]


def quantile(graph, quantiles, position):
    """Return one quantile, of shape (n, steps)."""
    return graph("Gather", quantiles, np.int64(position), axis=2)


def widened(graph, quantiles, middle, horizon, steps):
    """Widen quantiles beyond one block, as `Pretrained` does."""
    median = graph.cut(quantiles, middle, middle + 1, axis=2)
    distances = graph("Sub", quantiles, median)
    last = graph.cut(distances, horizon - 1, horizon)
    n_before = (np.arange(steps) // horizon)[:, None].astype(float)
    more = graph("Mul", graph("Mul", last, last), n_before)
    wide = graph("Sqrt", graph("Add", graph("Mul", distances, distances), more))
    return graph("Add", median, graph("Mul", wide, graph("Sign", distances)))


class ScaledContexts(NamedTuple):
    """Contexts in their own units, as `pretrained_inputs.Batch` holds them.

    Parameters
    ----------
    values : str of shape (n, n_read), in 32 bits
    step : str of shape (n, 1)
    mean, deviation : str of shape (n, 1)
        In the units of the contexts.
    moves : str of shape (n, 1)
        False where a context is constant.
    """

    values: str
    step: str
    mean: str
    deviation: str
    moves: str


def scaled_contexts(graph, rows, n_read, fills_patch):
    """Scale contexts as `pretrained_inputs.scaled_batch` does."""
    mean = graph.mean(rows, 1)
    centred = graph("Sub", rows, mean)
    deviation = graph("Sqrt", graph.mean(graph("Mul", centred, centred), 1))
    change = graph("Sub", graph.cut(rows, 1, None), graph.cut(rows, 0, -1))
    # A gap before the first value holds that value, which counts as no change.
    n_changes = np.float64(max(n_read - fills_patch, 1))
    step = graph("Div", graph.sum(graph("Abs", change), 1), n_changes)
    largest = graph("ReduceMax", graph("Abs", rows), ONE)
    least = graph("Mul", largest, np.float64(LEAST_DEVIATION))
    varies = graph("Greater", deviation, least)
    least = graph("Mul", deviation, np.float64(LEAST_STEP))
    moves = graph("And", varies, graph("Greater", step, least))
    moves = graph("And", moves, np.array(n_read >= LEAST_VALUES))
    deviation = graph("Where", moves, deviation, UNIT)
    step = graph("Where", moves, graph("Div", step, deviation), UNIT)
    values = graph("Div", centred, deviation)
    values = graph("Clip", values, np.float64(-LARGEST_READ), np.float64(LARGEST_READ))
    values, step = (graph.cast(value, np.float32) for value in (values, step))
    return ScaledContexts(values, step, mean, deviation, moves)


def pretrained_block(graph, network, contexts, n_rows):
    """Return sorted quantiles of the next rows: (n, horizon, n_quantiles)."""
    patch = network.arch.patch
    n_read = min(n_rows, LONGEST_CONTEXT)
    n_gaps = -n_read % patch
    rows = graph.cut(contexts, n_rows - n_read, n_rows)
    batch = scaled_contexts(graph, rows, n_read, fills_patch=not n_gaps)
    filled = np.maximum(np.arange(-n_gaps, n_read), 0)
    values = graph("Gather", batch.values, filled, axis=1)
    known = np.arange(-n_gaps, n_read).reshape(1, -1, patch) >= 0
    read = features(graph, values, known.astype(np.float32), batch.step)
    out = outputs(graph, network, read, known.shape[1])
    # Runtimes have no Sinh in 64 bits.
    out = graph("Sub", graph("Exp", out), graph("Exp", graph("Neg", out)))
    out = graph("Mul", out, np.float64(0.5))
    last = graph.cast(graph.cut(batch.values, n_read - 1, None), np.float64)
    step = graph.cast(batch.step, np.float64)
    last, step, mean, deviation, moves = (
        graph("Unsqueeze", value, ONE)
        for value in (last, step, batch.mean, batch.deviation, batch.moves)
    )
    scaled = graph("Add", last, graph("Mul", step, out))
    forecast = graph("Add", mean, graph("Mul", deviation, scaled))
    forecast = graph("Where", moves, forecast, mean)
    n_levels = np.array([len(network.arch.quantiles)])
    ordered, _ = graph("TopK", forecast, n_levels, n_outputs=2, axis=2, largest=0)
    return ordered


def features(graph, values, known, step):
    """Return what the network reads, as `pretrained_inputs.features` does.

    Parameters
    ----------
    values : str of shape (n, n_patches * patch)
    known : ndarray of float32 of shape (1, n_patches, patch)
    step : str of shape (n, 1)
    """
    _, n_patches, width = known.shape
    patches = graph.reshape(values, -1, n_patches, width)
    levels = graph("Asinh", patches)
    last = graph.cut(patches, width - 1, None, axis=2)
    first = graph.cut(graph.cut(patches, 0, 1), 0, 1, axis=2)
    before = graph("Concat", first, graph.cut(last, 0, -1), axis=1)
    shifted = graph("Concat", before, graph.cut(patches, 0, -1, axis=2), axis=2)
    unit = graph("Unsqueeze", step, ONE)
    local = graph("Asinh", graph("Div", graph("Sub", shifted, last), unit))
    mean = graph("Asinh", graph("Div", graph("Neg", last), unit))
    zero = graph("Mul", mean, np.float32(0))
    scale = graph("Add", graph("Log", unit), zero)
    present = graph("Add", known, zero)
    levels = graph("Mul", levels, known)
    return graph("Concat", local, levels, present, mean, scale, axis=2)


def outputs(graph, network, read, n_patches):
    """Return the network's outputs of shape (n, horizon, n_quantiles), in 64 bits."""
    arch, weights = network.arch, network.weights
    x = graph("MatMul", read, weights["embedding/kernel"])
    x = graph("Add", x, weights["embedding/bias"])
    for layer in range(arch.n_layers):
        in_time = graph("Transpose", x, perm=[1, 0, 2])
        states, _ = recurrent(graph, "lstm", weights, [f"lstm_{layer}"], in_time)
        x = graph("Add", x, graph("Transpose", states, perm=[1, 0, 2]))
    at_end = np.int64(n_patches - 1)
    last, seen = (
        graph.cast(graph("Gather", value, at_end, axis=1), np.float64)
        for value in (x, read)
    )
    hidden = graph.dense(graph("Concat", last, seen, axis=1), weights, "hidden")
    out = graph.dense(graph("Relu", hidden), weights, "head")
    skip = graph("MatMul", seen, weights["skip/kernel"].astype(float))
    return graph.reshape(graph("Add", out, skip), -1, arch.horizon, len(arch.quantiles))
