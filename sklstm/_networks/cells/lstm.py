"""Long short-term memory (Hochreiter and Schmidhuber, 1997): gates i, f, c, o."""

import functools

import numpy as np

from sklstm._networks.cells.activations import sigmoid


def prepared(layer):
    """Halve the weights of i, f and o, so that one tanh serves all four gates.

    For sigmoid(x) = (tanh(x / 2) + 1) / 2.
    """
    bias = layer[2]
    factors = halves(bias.shape[0] // 4, bias.dtype)
    return [part * factors for part in layer]


@functools.lru_cache
def halves(units, dtype):
    return np.repeat([0.5, 0.5, 1, 0.5], units).astype(dtype)


def stepper(kernel, bias, h, c):
    units = h.shape[-1]
    z = np.empty((*h.shape[:-1], 4 * units), h.dtype)
    i, f, g, o = (z[..., k * units : (k + 1) * units] for k in range(4))
    both, one, half = z[..., : 2 * units], np.ones((), h.dtype), np.array(0.5, h.dtype)

    def step(gates):
        np.dot(h, kernel, z)
        np.add(z, gates, z)
        np.tanh(z, z)
        np.add(both, one, both)
        np.multiply(c, f, c)
        np.multiply(i, g, i)
        np.add(c, i, c)
        np.multiply(c, half, c)
        np.add(o, one, o)
        np.multiply(o, half, o)
        np.tanh(c, h)
        np.multiply(h, o, h)

    return step


def step_and_back(gates, kernel, bias, h, c_before):
    i, f, g, o = np.split(gates + h @ kernel, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c_before + i * g
    tanh_c = np.tanh(c)

    def back(dh, dc):
        dc = dc + dh * o * (1 - tanh_c**2)
        parts = [
            dc * g * i * (1 - i),
            dc * c_before * f * (1 - f),
            dc * i * (1 - g**2),
            dh * tanh_c * o * (1 - o),
        ]
        d_gates = np.concatenate(parts, axis=1)
        return d_gates, d_gates @ kernel.T, dc * f

    return (o * tanh_c, c), back
