"""The members of a forecast beside the network trained here, as nodes of ONNX.

All contexts of a graph have the same length, so whatever depends on lengths alone is a
constant: the phase of each row, the weight of each cycle.
"""

from typing import NamedTuple

import numpy as np

from sklstm._networks.onnx.graph import ONE
from sklstm._networks.onnx.pretrained import pretrained_outputs
from sklstm._windows.adjustment import (
    DECAY,
    LEAST_CYCLES,
    MOST_CYCLES,
    SMALLEST_FACTOR,
    counts_without_gaps,
)

# Numbers have 64 bits, except those of the networks.
ZERO, UNIT = np.float64(0), np.float64(1)


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
        divisor = graph("Where", self.is_factor, rows, UNIT)
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
        # In a fixed order, because nodes are named by it.
        for name in [name for name in forecasts if name != "pretrained"]:
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
    positive = graph("Greater", positive, ZERO)
    divided = graph("Div", inside, graph("Where", positive, mean, UNIT))
    added, certainty = indices(graph, graph("Sub", inside, mean), n_inside, period)
    factor, certainty_of_factor = indices(graph, divided, n_inside, period)
    factor = graph("Add", factor, UNIT)
    fits = graph("Greater", certainty_of_factor, certainty)
    least = graph("ReduceMin", factor, ONE)
    divides = graph("Greater", least, np.float64(SMALLEST_FACTOR))
    is_factor = graph("And", positive, graph("And", fits, divides))
    return graph("Where", is_factor, factor, added), is_factor


def moving_average(graph, values, period):
    """Return the centred mean over one season, less the rows near both ends."""
    zero = graph("Mul", graph.cut(values, 0, 1), ZERO)
    sums = graph("CumSum", graph("Concat", zero, values, axis=1), np.int64(1))
    later, earlier = graph.cut(sums, period, None), graph.cut(sums, 0, -period)
    mean = graph("Div", graph("Sub", later, earlier), np.float64(period))
    if period % 2:
        return mean
    both = graph("Add", graph.cut(mean, 1, None), graph.cut(mean, 0, -1))
    return graph("Mul", both, np.float64(0.5))


def indices(graph, detrended, n_rows, period):
    """Return the mean index of each phase, and its variance over that of noise."""
    start = period // 2
    counts = counts_without_gaps(n_rows, start, period, DECAY)
    n_cycles = counts.known.shape[1]
    after = n_cycles * period - start - n_rows
    pads = np.array([0, start, 0, after], np.int64)
    cycles = graph("Pad", detrended, pads, ZERO)
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
    share = graph("Div", UNIT, graph("Max", ratio, np.float64(1e-9)))
    share = graph("Max", graph("Sub", UNIT, share), ZERO)
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
