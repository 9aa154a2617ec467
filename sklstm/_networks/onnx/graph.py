"""A builder of ONNX graphs, and the recurrent layers in them.

Sums run in 64 bits, as in `numpy_forward`, but for recurrent layers: runtimes have the
recurrent operators in 32 bits only.
"""

import numpy as np

from sklstm import __version__
from sklstm._networks.cells import arithmetic, layer_weights
from sklstm._utils.cells import CELLS

# The first pair in which reductions take their axes as an input.
OPSET, IR_VERSION = 18, 8
ONE = np.array([1], np.int64)


def load_onnx():
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "to_onnx needs the package onnx. Install it with "
            "pip install 'sklstm[onnx]'."
        ) from error
    return onnx


class Graph:
    """Nodes and constants as they are added; values go by name."""

    def __init__(self):
        self.onnx = load_onnx()
        self.nodes, self.inputs = [], []
        self.constants = {}  # by content, so that no weights are stored twice
        self._n_nodes = 0  # nodes of inner graphs included, so that names are unique

    def input(self, name, shape, dtype=np.float64):
        self.inputs.append(self._info(name, shape, dtype))
        return name

    def _info(self, name, shape, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)

    def constant(self, value):
        value = np.ascontiguousarray(value).reshape(np.shape(value))
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self.constants:
            name = f"constant_{len(self.constants)}"
            self.constants[key] = self.onnx.numpy_helper.from_array(value, name)
        return self.constants[key].name

    def __call__(self, operator, *inputs, n_outputs=1, **attributes):
        """Add a node; arrays among its inputs become constants.

        Returns
        -------
        str, or list of str where there are several outputs
        """
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        outputs = [f"{operator}_{self._n_nodes}_{i}" for i in range(n_outputs)]
        self._n_nodes += 1
        node = self.onnx.helper.make_node(operator, names, outputs, **attributes)
        self.nodes.append(node)
        return outputs if n_outputs > 1 else outputs[0]

    def cast(self, value, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", value, to=kind)

    def cut(self, value, first, end, axis=1):
        """Slice an axis from `first` to `end`; None is its start or its end."""
        first, end = first or 0, np.iinfo(np.int64).max if end is None else end
        bounds = (np.array([part], np.int64) for part in (first, end, axis))
        return self("Slice", value, *bounds)

    def reshape(self, value, *shape):
        return self("Reshape", value, np.array(shape, np.int64))

    def mean(self, value, axis, keepdims=1):
        return self("ReduceMean", value, np.array([axis], np.int64), keepdims=keepdims)

    def sum(self, value, *axes, keepdims=1):
        return self("ReduceSum", value, np.array(axes, np.int64), keepdims=keepdims)

    def scan(self, step, states, inputs, backwards=False):
        """Run a step over the first axis of the inputs.

        Parameters
        ----------
        step : callable
            From names of the states and of one step's inputs to names of new states.
        states : list of str
            In 32 bits.
        inputs : dict of str to dtype

        Returns
        -------
        list of str
            The first state after every step, then the last states.
        """
        outer, self.nodes = self.nodes, []
        label = f"Scan_{self._n_nodes}"
        dtypes = [np.float32] * len(states) + list(inputs.values())
        given = [self._info(f"{label}_in_{i}", None, t) for i, t in enumerate(dtypes)]
        new = step(*(info.name for info in given))
        made = [self("Identity", value) for value in (*new, new[0])]
        body = self.onnx.helper.make_graph(
            self.nodes, label, given, [self._info(v, None, np.float32) for v in made]
        )
        self.nodes = outer
        *last, every = self(
            "Scan",
            *states,
            *inputs,
            n_outputs=len(made),
            body=body,
            num_scan_inputs=len(inputs),
            scan_input_directions=[int(backwards)] * len(inputs),
            scan_output_directions=[int(backwards)],
        )
        return [every, *last]

    def dense(self, value, weights, name):
        product = self("MatMul", value, np.asarray(weights[f"{name}/kernel"], float))
        return self("Add", product, np.asarray(weights[f"{name}/bias"], float))

    def model(self, output, shape, estimator, text, properties=None):
        """Return the checked ModelProto of one output; `shape` is for its readers."""
        helper, (name, result) = self.onnx.helper, output
        self.nodes.append(helper.make_node("Identity", [result], [name]))
        graph = helper.make_graph(
            self.nodes,
            type(estimator).__name__,
            self.inputs,
            [self._info(name, shape, np.float64)],
            [*self.constants.values()],
            doc_string=text,
        )
        model = helper.make_model(
            graph,
            producer_name="sklstm",
            producer_version=__version__,
            doc_string=text,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, properties or {})
        self.onnx.checker.check_model(model, full_check=True)
        return model


def recurrent(graph, cell, weights, names, states, lengths=None):
    """Add a recurrent layer, of one direction or of both.

    Parameters
    ----------
    names : list of str
        The layer of each direction; the second reads backwards.
    states : str
        Of shape (n_timesteps, n_samples, n_features), in 32 bits.
    lengths : str, default=None
        Steps of each sample that are not padding.

    Returns
    -------
    states : str of shape (n_timesteps, n_samples, n_directions * units)
    last : str of shape (n_samples, n_directions * units)
    """
    layers = [
        [np.asarray(part, np.float32) for part in layer_weights(cell, weights, name)]
        for name in names
    ]
    run = by_scan if CELLS[cell].onnx_operator is None else by_operator
    return run(graph, CELLS[cell], layers, states, lengths)


def by_operator(graph, cell, layers, states, lengths):
    """Add a layer whose cell is an operator of ONNX; see `recurrent`."""
    stacks: list[list[np.ndarray]] = [[], [], []]
    for kernel, recurrent_kernel, bias in layers:
        units = recurrent_kernel.shape[0]
        # Only a GRU of Keras has a bias of the recurrent product.
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        stacks[0].append(by_gate(kernel, cell).T)
        stacks[1].append(by_gate(recurrent_kernel, cell).T)
        stacks[2].append(by_gate(both, cell).ravel())
    every, last, *_ = graph(
        cell.onnx_operator,
        states,
        *map(np.stack, stacks),
        lengths or "",
        n_outputs=1 + cell.n_states,
        hidden_size=units,
        direction="bidirectional" if len(layers) == 2 else "forward",
        **dict(cell.onnx_attributes),
    )
    width = len(layers) * units
    # (n_timesteps, n_directions, n_samples, units)
    every = graph.reshape(graph("Transpose", every, perm=[0, 2, 1, 3]), 0, 0, width)
    last = graph("Transpose", last, perm=[1, 0, 2])
    return every, graph.reshape(last, 0, width)


def by_gate(values, cell):
    """Return the columns of Keras's gates in the order of ONNX."""
    parts = np.split(values, cell.n_gates, axis=1)
    return np.concatenate([parts[i] for i in cell.onnx_gates], axis=1)


def by_scan(graph, cell, layers, states, lengths):
    """Add a layer whose steps are nodes of their own; see `recurrent`."""
    ways = []
    for backwards, (kernel, recurrent_kernel, bias) in enumerate(layers):
        gates = graph("Add", graph("MatMul", states, kernel), bias)
        inputs: dict[str, type] = {gates: np.float32}
        if lengths:
            inputs[present_steps(graph, states, lengths)] = np.bool_
        start = initial_states(graph, cell, gates, len(recurrent_kernel))
        step = held_step(graph, cell, recurrent_kernel)
        ways.append(graph.scan(step, start, inputs, bool(backwards)))
    every, last = [way[0] for way in ways], [way[1] for way in ways]
    return graph("Concat", *every, axis=2), graph("Concat", *last, axis=1)


def initial_states(graph, cell, gates, units):
    """States before the first step, of as many rows as the gates have."""
    zero = graph.cut(graph.cut(gates, 0, 1, axis=0), 0, units, axis=2)
    zero = graph("Mul", graph.reshape(zero, -1, units), np.float32(0))
    return [graph("Add", zero, np.float32(value)) for value in cell.initial_state]


def present_steps(graph, states, lengths):
    """Return which steps lie within samples, of shape (n_timesteps, n_samples, 1)."""
    n_steps = graph("Squeeze", graph("Shape", states, start=0, end=1))
    steps = graph("Range", np.int64(0), n_steps, np.int64(1))
    steps = graph("Unsqueeze", graph.cast(steps, np.int32), np.array([1, 2]))
    return graph("Less", steps, graph("Unsqueeze", lengths, ONE))


def held_step(graph, cell, recurrent_kernel):
    """Return the step of a cell, which leaves the states of absent rows alone."""

    def step(*values):
        old, (gates, *present) = values[: cell.n_states], values[cell.n_states :]
        new = arithmetic(cell.name).onnx_step(graph, gates, recurrent_kernel, *old)
        if not present:
            return new
        return [graph("Where", *present, *pair) for pair in zip(new, old, strict=True)]

    return step
