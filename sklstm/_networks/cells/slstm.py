"""The scalar-memory LSTM of xLSTM (Beck et al., 2024): gates i, f, z, o.

One block with a full recurrent matrix, an exponential input gate and a sigmoid forget
gate. The paper's cell c / n and normalizer n, which its stabilizer m scales, are kept
here as ``c``, the normalized cell, and ``n``, the logarithm of the unscaled normalizer.
With these two no exponential of a positive number is ever taken, so that no third state
has to stabilize them:

    n' = log(exp(n + log sigmoid(f)) + exp(i))
    c' = c + exp(i - n') * (tanh(z) - c)
    h' = sigmoid(o) * c'
"""

import numpy as np

from sklstm._networks.cells.activations import sigmoid


def prepared(layer):
    """Halve the weights of o, so that one tanh serves z and o; see `lstm`."""
    bias = layer[2]
    half = np.repeat([1, 1, 1, 0.5], bias.shape[0] // 4).astype(bias.dtype)
    return [part * half for part in layer]


def softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x))."""
    # Only negative numbers have their exponential taken, so nothing overflows.
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def log_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return log(exp(a) + exp(b)), exact to the last digits where one is far larger."""
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))


def stepper(kernel, bias, h, c, n):
    units = h.shape[-1]
    raw = np.empty((*h.shape[:-1], 4 * units), h.dtype)
    i, f, z, o = (raw[..., k * units : (k + 1) * units] for k in range(4))
    z_and_o, one = raw[..., 2 * units :], np.ones((), h.dtype)
    half = np.array(0.5, h.dtype)

    def step(gates):
        np.dot(h, kernel, raw)
        np.add(raw, gates, raw)
        np.tanh(z_and_o, z_and_o)
        np.subtract(n, softplus(-f), n)
        share = sigmoid(i - n)
        n[...] = log_sum(n, i)
        np.subtract(z, c, z)
        np.multiply(z, share, z)
        np.add(c, z, c)
        np.add(o, one, o)
        np.multiply(o, half, o)
        np.multiply(o, c, h)

    return step


def step_and_back(gates, kernel, bias, h, c_before, n):
    i, f, z, o = np.split(gates + h @ kernel, 4, axis=1)
    z, o = np.tanh(z), sigmoid(o)
    old = n - softplus(-f)
    share = sigmoid(i - old)
    c = c_before + share * (z - c_before)

    def back(dh, dc, dn):
        dc = dc + dh * o
        d_old = (1 - share) * (dn - share * dc * (z - c_before))
        parts = [
            dn - d_old,
            d_old * sigmoid(-f),
            dc * share * (1 - z**2),
            dh * c * o * (1 - o),
        ]
        d_gates = np.concatenate(parts, axis=1)
        return d_gates, d_gates @ kernel.T, dc * (1 - share), d_old

    return (o * c, c, log_sum(old, i)), back


def onnx_step(graph, gates, kernel, h, c, n):
    raw = graph("Add", gates, graph("MatMul", h, kernel))
    i, f, z, o = graph("Split", raw, n_outputs=4, axis=1, num_outputs=4)
    old = graph("Sub", n, graph("Softplus", graph("Neg", f)))
    excess = graph("Sub", i, old)
    change = graph("Sub", graph("Tanh", z), c)
    c = graph("Add", c, graph("Mul", graph("Sigmoid", excess), change))
    smaller = graph("Softplus", graph("Neg", graph("Abs", excess)))
    n = graph("Add", graph("Max", old, i), smaller)
    return graph("Mul", graph("Sigmoid", o), c), c, n
