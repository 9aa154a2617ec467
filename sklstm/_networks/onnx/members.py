"""The members of a forecast beside the network trained here, as nodes of ONNX.

All contexts of a graph have the same length, so whatever depends on lengths alone is a
constant: the phase of each row, the weight of each cycle, the gaps in the first patch.
"""

from typing import NamedTuple

import numpy as np

from sklstm._networks.onnx.graph import ONE, recurrent
from sklstm._networks.pretrained import LONGEST_CONTEXT
from sklstm._windows.adjustment import (
    DECAY,
    LEAST_CYCLES,
    MOST_CYCLES,
    counts_without_gaps,
)

HALF, ONES = np.float64(0.5), np.float64(1)


class Season(NamedTuple):
    """A season that was removed from contexts.

    Parameters
    ----------
    pattern : str of shape (n, period)
    is_factor : str of shape (n, 1)
        Whether values were divided by the index; else it was subtracted.
    period, phase : int
        The phase is that of the first row after the contexts.
    """

    pattern: str
    is_factor: str
    period: int
    phase: int

    def of_rows(self, graph, first, n_rows):
        """Return the index of so many rows, counted from the end of the contexts."""
        phases = (self.phase + first + np.arange(n_rows)) % self.period
        return graph("Gather", self.pattern, phases, axis=1)

    def remove(self, graph, values, n_rows):
        rows = self.of_rows(graph, -n_rows, n_rows)
        divisor = graph("Where", self.is_factor, rows, ONES)
        divided, less = graph("Div", values, divisor), graph("Sub", values, rows)
        return graph("Where", self.is_factor, divided, less)

    def restore(self, graph, forecasts, steps):
        rows = self.of_rows(graph, 0, steps)
        times, more = graph("Mul", forecasts, rows), graph("Add", forecasts, rows)
        return graph("Where", self.is_factor, times, more)


def member_forecasts(graph, members, contexts, n_rows, steps, seasons):
    """Return forecasts of contexts by each member except the network trained here.

    Parameters
    ----------
    members : Members
    contexts : str of shape (n, n_rows)

    Returns
    -------
    dict of str to list of str
        The outputs of `Members.readers`, each of shape (n, steps).
    """
    removed: list[Season] = []
    for period in sorted(seasons):
        n_read = min(n_rows, MOST_CYCLES * period)
        if period > 1 and n_read > LEAST_CYCLES * period:
            late = graph.cut(contexts, n_rows - n_read, n_rows)
            index, is_factor = seasonal_indices(graph, late, n_read, period)
            removed.append(Season(index, is_factor, period, n_read % period))
            contexts = removed[-1].remove(graph, contexts, n_rows)
    reads = {"adjusted": linear_outputs, "pretrained": pretrained_outputs}
    result = {}
    for name, reader in members.readers.items():
        outputs = reads[name](graph, reader, contexts, n_rows, steps)
        for season in reversed(removed):
            outputs = [season.restore(graph, output, steps) for output in outputs]
        result[name] = outputs
    return result


def weighted_mean(graph, members, trained, others):
    """Return the mean of scaled forecasts, as `Members.weighted_mean` does.

    Parameters
    ----------
    trained : str or None
        None where the network trained here has no weight.
    others : dict of str to list of str
    """
    forecasts = {name: outputs[len(outputs) // 2] for name, outputs in others.items()}
    if trained is not None:
        forecasts["trained"] = trained
    if members.bounded and "pretrained" in others:
        low, _, high = others["pretrained"]
        for name in forecasts.keys() - {"pretrained"}:
            forecasts[name] = graph("Min", graph("Max", forecasts[name], low), high)
    weights = members.weights
    parts = [
        graph("Mul", forecast, np.float64(weights[name]))
        for name, forecast in forecasts.items()
    ]
    return graph("Sum", *parts)


def seasonal_indices(graph, values, n_rows, period):
    """Return indices, and whether they are factors, as `_windows.adjustment` does."""
    mean, start = moving_average(graph, values, period), period // 2
    n_inside = n_rows - period + period % 2
    inside = graph.cut(values, start, start + n_inside)
    positive = graph("ReduceMin", values, ONE)
    positive = graph("Greater", positive, np.float64(0))
    divided = graph("Div", inside, graph("Where", positive, mean, ONES))
    added, certainty = indices(graph, graph("Sub", inside, mean), n_inside, period)
    factor, certainty_of_factor = indices(graph, divided, n_inside, period)
    factor = graph("Add", factor, ONES)
    fits = graph("Greater", certainty_of_factor, certainty)
    far = graph("Greater", graph("ReduceMin", factor, ONE), np.float64(0.02))
    is_factor = graph("And", positive, graph("And", fits, far))
    return graph("Where", is_factor, factor, added), is_factor


def moving_average(graph, values, period):
    """Return the centred mean over one season, less the rows near both ends."""
    zero = graph("Mul", graph.cut(values, 0, 1), np.float64(0))
    sums = graph("CumSum", graph("Concat", zero, values, axis=1), np.int64(1))
    later, earlier = graph.cut(sums, period, None), graph.cut(sums, 0, -period)
    mean = graph("Div", graph("Sub", later, earlier), np.float64(period))
    if period % 2:
        return mean
    both = graph("Add", graph.cut(mean, 1, None), graph.cut(mean, 0, -1))
    return graph("Mul", both, HALF)


def indices(graph, detrended, n_rows, period):
    """Return the mean index of each phase, and its variance over that of noise."""
    start = period // 2
    counts = counts_without_gaps(n_rows, start, period, DECAY)
    n_cycles = counts.known.shape[1]
    after = n_cycles * period - start - n_rows
    pads = np.array([0, start, 0, after], np.int64)
    cycles = graph("Pad", detrended, pads, np.float64(0))
    cycles = graph.reshape(cycles, -1, n_cycles, period)
    mean = graph.sum(graph("Mul", cycles, counts.weight), 1)
    mean = graph("Div", mean, counts.total[:, None])
    off = graph("Mul", graph("Sub", cycles, mean), counts.known)
    within = graph.sum(graph("Mul", off, off), 1, 2, keepdims=0)
    error = graph("Div", within, counts.degrees * counts.n_cycles)
    mean = graph.reshape(mean, -1, period)
    mean = graph("Sub", mean, graph.mean(mean, 1))
    spread = graph.sum(graph("Mul", mean, mean), 1, keepdims=0)
    spread = graph("Div", spread, np.float64(max(period - 1, 1)))
    least = graph("Add", graph("Mul", spread, np.float64(1e-9)), np.float64(1e-300))
    ratio = graph("Div", spread, graph("Max", error, least))
    share = graph("Div", ONES, graph("Max", ratio, np.float64(1e-9)))
    share = graph("Max", graph("Sub", ONES, share), np.float64(0))
    ratio, share = (graph("Unsqueeze", value, ONE) for value in (ratio, share))
    return graph("Mul", mean, share), ratio


def linear_outputs(graph, model, contexts, n_rows, steps):
    """Return the forecast of `AdjustedLinear`, as a list of one."""
    length, horizon = len(model.kernel) + 1, len(model.bias)
    # The first row stands for those before it.
    rows = graph(
        "Gather", contexts, np.maximum(np.arange(-length, 0) + n_rows, 0), axis=1
    )
    for end in range(length, length + steps, horizon):
        last = graph.cut(rows, end - 1, end)
        moves = graph("Sub", graph.cut(rows, end - length, end - 1), last)
        ahead = graph("Add", graph("MatMul", moves, model.kernel), model.bias)
        rows = graph("Concat", rows, graph("Add", last, ahead), axis=1)
    return [graph.cut(rows, length, length + steps)]


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


def pretrained_block(graph, network, contexts, n_rows):
    """Return sorted quantiles of the next rows: (n, horizon, n_quantiles)."""
    patch = network.arch.patch
    n_read = min(n_rows, LONGEST_CONTEXT)
    n_filled = -n_read % patch
    rows = graph.cut(contexts, n_rows - n_read, n_rows)
    mean = graph.mean(rows, 1)
    centred = graph("Sub", rows, mean)
    deviation = graph("Sqrt", graph.mean(graph("Mul", centred, centred), 1))
    change = graph("Sub", graph.cut(rows, 1, None), graph.cut(rows, 0, -1))
    # The gaps that fill up the first patch hold the first value, which is no change.
    n_changes = np.float64(max(n_read - (n_filled == 0), 1))
    step = graph("Div", graph.sum(graph("Abs", change), 1), n_changes)
    largest = graph("ReduceMax", graph("Abs", rows), ONE)
    varies = graph("Greater", deviation, graph("Mul", largest, np.float64(1e-6)))
    steps = graph("Greater", step, graph("Mul", deviation, np.float64(1e-3)))
    moves = graph("And", graph("And", varies, steps), np.array(n_read >= 4))
    deviation = graph("Where", moves, deviation, ONES)
    step = graph("Where", moves, graph("Div", step, deviation), ONES)
    values = graph("Div", centred, deviation)
    values = graph("Clip", values, np.float64(-1e4), np.float64(1e4))
    values = graph.cast(values, np.float32)
    if n_filled:
        gaps = np.zeros(n_filled, np.int64)
        values = graph("Gather", values, np.append(gaps, np.arange(n_read)), axis=1)
    known = np.arange(-n_filled, n_read).reshape(1, -1, patch) >= 0
    step = graph.cast(step, np.float32)
    read = features(graph, values, known.astype(np.float32), step)
    out = outputs(graph, network, read, known.shape[1])
    # Sinh and sums in 64 bits, of which runtimes have no Sinh.
    out = graph("Sub", graph("Exp", out), graph("Exp", graph("Neg", out)))
    out = graph("Mul", out, HALF)
    last = graph.cast(graph.cut(values, n_read + n_filled - 1, None), np.float64)
    unit = graph.cast(step, np.float64)
    last, unit, mean, deviation, moves = (
        graph("Unsqueeze", value, ONE) for value in (last, unit, mean, deviation, moves)
    )
    scaled = graph("Add", last, graph("Mul", unit, out))
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
    at_end = (np.int64(n_patches - 1),)
    last, seen = (
        graph.cast(graph("Gather", value, *at_end, axis=1), np.float64)
        for value in (x, read)
    )
    hidden = graph.dense(graph("Concat", last, seen, axis=1), weights, "hidden")
    out = graph.dense(graph("Relu", hidden), weights, "head")
    skip = graph("MatMul", seen, weights["skip/kernel"].astype(float))
    return graph.reshape(graph("Add", out, skip), -1, arch.horizon, len(arch.quantiles))
