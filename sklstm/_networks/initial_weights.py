"""The first weights of a network: drawn, solved for, or passed by the user."""

import numpy as np

from sklstm._utils.cells import CELLS


def initial_weights(spec, rng, skip=None, embeddings=None, built=None, head_bias=None):
    """Draw a network's first weights with NumPy, alike on every backend.

    Kernels are Glorot-uniform (Glorot and Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014); head and skip start at zero, or the skip at the ridge solution,
    so that an untrained network is the simple model. Biases are zeros, but for forget
    gates; see `Cell.first_bias`.

    Parameters
    ----------
    spec : NetworkSpec or TextNetworkSpec
    rng : numpy.random.RandomState
    skip : tuple of (kernel, bias), default=None
    embeddings : ndarray of shape (n_tokens, embedding_dim), default=None
    built : dict of str to ndarray, default=None
        The weights that Keras built a network of the user with, whose shapes the spec
        does not know and whose biases are kept.
    head_bias : ndarray of shape (n_outputs,), default=None
        What an untrained network without a linear model answers; None means zeros.
    """
    weights = {}
    for name, shape in weight_shapes(spec, built).items():
        kind = name.rsplit("/", 1)[-1]
        if name == "skip/kernel" and skip is not None:
            value = skip[0]
        elif name == "skip/bias" and skip is not None:
            value = skip[1]
        elif name == "head/bias" and head_bias is not None:
            value = head_bias
        elif name in ("head/kernel", "skip/kernel"):
            value = np.zeros(shape)
        elif name == "embedding/embeddings":
            value = (
                rng.uniform(-0.05, 0.05, shape) if embeddings is None else embeddings
            )
        elif kind == "recurrent_kernel":
            value = orthogonal(shape, rng)
        elif kind == "kernel":
            receptive = int(np.prod(shape[:-2]))
            limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
            value = rng.uniform(-limit, limit, shape)
        else:
            value = first_bias(spec.cell, name, shape) if built is None else built[name]
        weights[name] = np.asarray(value, np.float32).reshape(shape)
    return weights


def weight_shapes(spec, built=None) -> dict[str, tuple]:
    """Return the shapes of all weights by name, of the weights built where given."""
    if built is None:
        return spec.weight_shapes()
    return {name: value.shape for name, value in built.items()}


def first_bias(cell: str, name: str, shape: tuple) -> np.ndarray:
    """Return the bias of a layer before training."""
    record = CELLS[cell]
    if record.first_bias is None or f"/{record.weight_prefix}/" not in name:
        return np.zeros(shape)
    return record.first_bias(shape[-1] // record.n_gates)


def orthogonal(shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
    """Draw a matrix whose rows, or columns if they are fewer, are orthonormal."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
