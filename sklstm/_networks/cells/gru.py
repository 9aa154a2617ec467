"""Gated recurrent unit (Cho et al., 2014), reset after the product: gates z, r, h."""

import numpy as np

from sklstm._networks.cells.activations import sigmoid


def prepared(layer):
    return layer


def stepper(kernel, bias, h):
    units = h.shape[-1]

    def step(gates):
        inner = h @ kernel
        inner += bias[1]
        zr = sigmoid(gates[..., : 2 * units] + inner[..., : 2 * units])
        z, r = zr[..., :units], zr[..., units:]
        new = np.tanh(gates[..., 2 * units :] + r * inner[..., 2 * units :])
        np.subtract(h, new, h)
        np.multiply(h, z, h)
        np.add(h, new, h)

    return step


def step_and_back(gates, kernel, bias, h):
    xz, xr, xg = np.split(gates, 3, axis=1)
    hz, hr, hg = np.split(h @ kernel + bias, 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    g = np.tanh(xg + r * hg)

    def back(dh):
        dg = dh * (1 - z) * (1 - g**2)
        dz = dh * (h - g) * z * (1 - z)
        dr = dg * hg * r * (1 - r)
        # The reset gate scales the product for the new value, and so its gradient.
        through = np.concatenate([dz, dr, dg * r], axis=1) @ kernel.T
        return np.concatenate([dz, dr, dg], axis=1), dh * z + through

    return (z * h + (1 - z) * g,), back
