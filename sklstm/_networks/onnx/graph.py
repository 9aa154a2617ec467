"""ONNX graphs as they grow, and the recurrent layers in them.

Sums run in 64 bits, as in `_inference`, but for the recurrent operators, which runtimes
have in 32 bits only.
"""

import numpy as np

from sklstm import __version__
from sklstm._networks.numpy_forward import N_STATES
from sklstm._networks.spec import CELL_NAMES

# The first pair in which reductions take their axes as an input.
OPSET, IR_VERSION = 18, 8
OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
# Keras has the gates i, f, c, o and z, r, h; ONNX i, o, f, c and z, r, h.
GATES = {"lstm": [0, 3, 1, 2], "gru": [0, 1, 2], "rnn": [0]}
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
        self.nodes, self.constants, self.inputs = [], [], []

    def input(self, name, shape, dtype=np.float64):
        self.inputs.append(self._info(name, shape, dtype))
        return name

    def _info(self, name, shape, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)

    def constant(self, value):
        name = f"constant_{len(self.constants)}"
        value = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(self.onnx.numpy_helper.from_array(value, name))
        return name

    def __call__(self, operator, *inputs, n_outputs=1, **attributes):
        """Add a node; arrays among its inputs become constants.

        Returns
        -------
        str, or list of str where there are several outputs
        """
        inputs = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        outputs = [f"{operator}_{len(self.nodes)}_{i}" for i in range(n_outputs)]
        node = self.onnx.helper.make_node(operator, inputs, outputs, **attributes)
        self.nodes.append(node)
        return outputs if n_outputs > 1 else outputs[0]

    def cast(self, value, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", value, to=kind)

    def cut(self, value, first, end, axis=1):
        """Places from `first` to `end` of an axis; None is its start or its end."""
        first, end = first or 0, np.iinfo(np.int64).max if end is None else end
        bounds = (np.array([part], np.int64) for part in (first, end, axis))
        return self("Slice", value, *bounds)

    def reshape(self, value, *shape):
        return self("Reshape", value, np.array(shape, np.int64))

    def mean(self, value, axis, keepdims=1):
        return self("ReduceMean", value, np.array([axis], np.int64), keepdims=keepdims)

    def sum(self, value, *axes, keepdims=1):
        return self("ReduceSum", value, np.array(axes, np.int64), keepdims=keepdims)

    def dense(self, value, weights, name):
        product = self("MatMul", value, np.asarray(weights[f"{name}/kernel"], float))
        return self("Add", product, np.asarray(weights[f"{name}/bias"], float))

    def model(self, output, shape, estimator, text, properties=None):
        """The checked ModelProto of one output; shape is its documented one."""
        helper, (name, result) = self.onnx.helper, output
        self.nodes.append(helper.make_node("Identity", [result], [name]))
        graph = helper.make_graph(
            self.nodes,
            type(estimator).__name__,
            self.inputs,
            [self._info(name, shape, np.float64)],
            self.constants,
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
    """A recurrent layer, of one direction or of both.

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
    layers = [[], [], []]
    for name in names:
        prefix = f"{name}/{CELL_NAMES[cell]}/"
        kernel, recurrent_kernel, bias = (
            np.asarray(weights[prefix + part], np.float32)
            for part in ("kernel", "recurrent_kernel", "bias")
        )
        units = recurrent_kernel.shape[0]
        # Only a GRU of Keras has a bias of the recurrent product.
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        layers[0].append(by_gate(kernel, cell).T)
        layers[1].append(by_gate(recurrent_kernel, cell).T)
        layers[2].append(by_gate(both, cell).ravel())
    every, last, *_ = graph(
        OPERATORS[cell],
        states,
        *map(np.stack, layers),
        lengths or "",
        n_outputs=1 + N_STATES[cell],
        hidden_size=units,
        direction="bidirectional" if len(names) == 2 else "forward",
        # Keras resets after the product.
        **({"linear_before_reset": 1} if cell == "gru" else {}),
    )
    width = len(names) * units
    # (n_timesteps, n_directions, n_samples, units)
    every = graph.reshape(graph("Transpose", every, perm=[0, 2, 1, 3]), 0, 0, width)
    last = graph("Transpose", last, perm=[1, 0, 2])
    return every, graph.reshape(last, 0, width)


def by_gate(values, cell):
    """Columns of Keras's gates in the order of ONNX."""
    parts = np.split(values, len(GATES[cell]), axis=1)
    return np.concatenate([parts[i] for i in GATES[cell]], axis=1)
