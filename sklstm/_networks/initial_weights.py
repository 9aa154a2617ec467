"""The first weights of a network: drawn, solved for, or passed by the user."""

import numpy as np


def initial_weights(shapes, built, rng, skip=None, embeddings=None):
    """Draw a network's first weights with NumPy, alike on every backend.

    Kernels are Glorot-uniform (Glorot and Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014); head and skip start at zero, or the skip at the ridge solution,
    so that an untrained network is the simple model. Biases keep what Keras gave them:
    one for the forget gate of an LSTM, a power law over the units for an sLSTM's.

    Parameters
    ----------
    shapes : dict of str to tuple
    built : dict of str to ndarray
        The weights that Keras built the network with.
    rng : numpy.random.RandomState
    skip : tuple of (kernel, bias), default=None
    embeddings : ndarray of shape (n_tokens, embedding_dim), default=None
    """
    weights = {}
    for name, shape in shapes.items():
        kind = name.rsplit("/", 1)[-1]
        if name == "skip/kernel" and skip is not None:
            value = skip[0]
        elif name == "skip/bias" and skip is not None:
            value = skip[1]
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
            value = built[name]
        weights[name] = np.asarray(value, np.float32).reshape(shape)
    return weights


def orthogonal(shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
    """Draw a matrix whose rows, or columns if they are fewer, are orthonormal."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
