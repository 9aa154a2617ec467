"""Forward pass of the standard networks in NumPy: no Keras, thread-safe."""

import numpy as np

CHUNK = 512


def predict(spec, weights, data, indices):
    """Outputs of shape (n_windows, horizon, n_targets), scaled, float64.

    The sums run in float64, so that a row's forecast does not depend on the rows
    beside it by more than the last bits.
    """
    weights = {name: np.asarray(w, np.float64) for name, w in weights.items()}
    result = np.empty((len(indices), *spec.output_shape))
    for first in range(0, len(indices), CHUNK):
        part = slice(first, first + CHUNK)
        window, context = data.inputs(indices[part])
        result[part] = forward(
            spec, weights, window.astype(np.float64), context.astype(np.float64)
        )
    return result


def forward(spec, weights, window, context):
    # None keeps every step
    state = window[:, -(spec.recurrent_length or 0) :]
    for i, units in enumerate(spec.units):
        prefix = f"recurrent_{i}/{CELL_NAMES[spec.cell]}/"
        state = FORWARD[spec.cell](
            state,
            units,
            *(
                weights[prefix + part]
                for part in ("kernel", "recurrent_kernel", "bias")
            ),
        )
    state = state[:, -1]
    if spec.n_context > spec.n_levels:
        ahead = context[:, spec.n_levels :]
        hidden = np.tanh(
            ahead @ weights["context_hidden/kernel"] + weights["context_hidden/bias"]
        )
        state = np.concatenate([state, hidden], axis=1)
    output = state @ weights["head/kernel"] + weights["head/bias"]
    if spec.linear_skip:
        flat = np.concatenate([window.reshape(len(window), -1), context], axis=1)
        output = output + flat @ weights["skip/kernel"] + weights["skip/bias"]
    return output.reshape(-1, *spec.output_shape)


def sigmoid(x):
    # tanh does not overflow
    return 0.5 * (np.tanh(0.5 * x) + 1.0)


def lstm(x, units, kernel, recurrent_kernel, bias):
    """All states of an LSTM (Hochreiter and Schmidhuber, 1997), gates i, f, c, o."""
    projected = x @ kernel + bias
    h = c = np.zeros((len(x), units))
    states = np.empty((*x.shape[:2], units))
    for step in range(x.shape[1]):
        gates = projected[:, step] + h @ recurrent_kernel
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        states[:, step] = h = sigmoid(o) * np.tanh(c)
    return states


def gru(x, units, kernel, recurrent_kernel, bias):
    """All states of a GRU (Cho et al., 2014), reset after the product, as in Keras."""
    projected = x @ kernel + bias[0]
    h = np.zeros((len(x), units))
    states = np.empty((*x.shape[:2], units))
    for step in range(x.shape[1]):
        xz, xr, xh = np.split(projected[:, step], 3, axis=1)
        hz, hr, hh = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
        z = sigmoid(xz + hz)
        states[:, step] = h = z * h + (1 - z) * np.tanh(xh + sigmoid(xr + hr) * hh)
    return states


def rnn(x, units, kernel, recurrent_kernel, bias):
    """All states of a simple recurrent network (Elman, 1990)."""
    projected = x @ kernel + bias
    h = np.zeros((len(x), units))
    states = np.empty((*x.shape[:2], units))
    for step in range(x.shape[1]):
        states[:, step] = h = np.tanh(projected[:, step] + h @ recurrent_kernel)
    return states


FORWARD = {"lstm": lstm, "gru": gru, "rnn": rnn}
CELL_NAMES = {"lstm": "lstm_cell", "gru": "gru_cell", "rnn": "simple_rnn_cell"}
