"""Gradients of the standard networks with respect to their inputs, in NumPy.

`numpy_forward` only forecasts; this module keeps every state of the forward pass for
the backward pass. All rows of a batch are of one length, so no step is masked.
"""

import numpy as np

from sklstm._networks.cells import arithmetic, layer_weights
from sklstm._utils.cells import CELLS


def integrated(gradient, start, end, n_steps):
    """Return integrated gradients (Sundararajan et al., 2017) from `start` to `end`.

    Parameters
    ----------
    gradient : callable
        From points of shape (n_steps, ...) on the straight path to gradients there.
    start, end : ndarray
    n_steps : int
        Nodes of the Gauss-Legendre rule. A smooth path needs few of them.

    Returns
    -------
    ndarray
        Of the shape of `end`. It sums to the change of the value, but for the error of
        the rule.
    """
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    shares = (nodes + 1).reshape(-1, *[1] * np.ndim(end)) / 2
    slopes = gradient(start + shares * (end - start))
    return (end - start) * np.tensordot(weights / 2, slopes, axes=1)


def window_network(spec, weights, window, context):
    """Return the outputs, and the backward pass.

    Returns
    -------
    output : ndarray of shape (n_rows, n_outputs)
    back : callable
        From a gradient with respect to the output to those of window and context.
    """
    n_rows, n_last_values = len(window), spec.n_last_values
    state, encoder_back = encode(spec, weights, window, context)
    width = state.shape[1]
    if spec.n_context > n_last_values:
        hidden = np.tanh(
            context[:, n_last_values:] @ weights["context_hidden/kernel"]
            + weights["context_hidden/bias"]
        )
        state = np.concatenate([state, hidden], axis=1)
    output = state @ weights["head/kernel"] + weights["head/bias"]
    if spec.linear_skip:
        flat = np.concatenate([window.reshape(n_rows, -1), context], axis=1)
        output = output + flat @ weights["skip/kernel"] + weights["skip/bias"]

    def back(d_output):
        d_state = d_output @ weights["head/kernel"].T
        d_window, d_context = encoder_back(d_state[:, :width])
        if spec.n_context > n_last_values:
            d_hidden = d_state[:, width:] * (1 - hidden**2)
            kernel = weights["context_hidden/kernel"]
            d_context[:, n_last_values:] += d_hidden @ kernel.T
        if spec.linear_skip:
            d_flat = d_output @ weights["skip/kernel"].T
            n_flat = window[0].size
            d_window += d_flat[:, :n_flat].reshape(window.shape)
            d_context += d_flat[:, n_flat:]
        return d_window, d_context

    return output, back


def encode(spec, weights, window, context):
    """Return the last state of the recurrent layers, and the backward pass.

    Returns
    -------
    state : ndarray of shape (n_rows, units)
    back : callable
        From a gradient with respect to the state to those of window and context.
    """
    read = window[:, -(spec.recurrent_length or 0) :]
    states, backs = read, []
    if spec.n_static:
        static = np.repeat(context[:, None, -spec.n_static :], read.shape[1], axis=1)
        states = np.concatenate([read, static], axis=2)
    for i in range(len(spec.units)):
        states, step_back = recurrent(spec.cell, weights, f"recurrent_{i}", states)
        backs.append(step_back)

    def back(d_state):
        d_window, d_context = np.zeros(window.shape), np.zeros(context.shape)
        d_states = np.zeros(states.shape)
        d_states[:, -1] = d_state
        for step in reversed(backs):
            d_states = step(d_states)
        d_window[:, -read.shape[1] :] += d_states[:, :, : window.shape[2]]
        if spec.n_static:
            d_static = d_states[:, :, window.shape[2] :].sum(axis=1)
            d_context[:, -spec.n_static :] += d_static
        return d_window, d_context

    return states[:, -1], back


def text_network(spec, weights, vectors):
    """Return the network's own logits, and the backward pass.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_tokens, embedding_dim)
        Of the words.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_outputs)
    back : callable
        From a gradient with respect to the logits to that of the vectors.
    """
    states, backs = vectors, []
    for i in range(len(spec.units)):
        parts = [
            recurrent(spec.cell, weights, name, states, bool(backward))
            for backward, name in enumerate(spec.layer_names(i))
        ]
        states = np.concatenate([part for part, _ in parts], axis=2)
        backs.append([back for _, back in parts])
    state, unpool = pool(spec, weights, states)
    logits = state @ weights["head/kernel"] + weights["head/bias"]

    def back(d_logits):
        d_states = unpool(d_logits @ weights["head/kernel"].T)
        for directions in reversed(backs):
            halves = np.split(d_states, len(directions), axis=2)
            d_states = sum(
                step(half) for step, half in zip(directions, halves, strict=True)
            )
        return d_states

    return logits, back


def pool(spec, weights, states):
    """Return one state of each row, and the backward pass; see `numpy_forward.pool`."""
    n_steps, width = states.shape[1:]
    if spec.pooling == "attention":
        scores = states @ weights["attention/kernel"]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = shares / shares.sum(axis=1, keepdims=True)
        pooled = (shares * states).sum(axis=1)

        def unpool(d_state):
            d_state = d_state[:, None]
            excess = (d_state * (states - pooled[:, None])).sum(axis=2, keepdims=True)
            return shares * (d_state + excess * weights["attention/kernel"][:, 0])

        return pooled, unpool
    # The other poolings take a fixed share of each step, unit by unit.
    if spec.pooling == "mean":
        shares = np.full(states.shape, 1 / n_steps)
    elif spec.pooling == "max":
        steps = np.arange(n_steps)[:, None]
        shares = (steps == states.argmax(axis=1)[:, None]).astype(float)
    else:
        shares = np.zeros(states.shape)
        forward = width // 2 if spec.bidirectional else width
        shares[:, -1, :forward] = 1
        shares[:, 0, forward:] = 1
    return (shares * states).sum(axis=1), lambda d_state: shares * d_state[:, None]


def recurrent(cell, weights, name, inputs, backward=False):
    """Return the states of every step, and the backward pass to the inputs.

    Parameters
    ----------
    inputs : ndarray of shape (n_rows, n_steps, n_inputs)
    backward : bool, default=False
        Whether to read from the last step to the first.
    """
    kernel, inner, bias = (
        np.asarray(part, float) for part in layer_weights(cell, weights, name)
    )
    bias = bias.reshape(-1, kernel.shape[1])
    gates = inputs @ kernel + bias[0]
    order = range(inputs.shape[1])[:: -1 if backward else 1]
    states = np.empty((*inputs.shape[:2], len(inner)))
    carry = tuple(
        np.full((len(inputs), len(inner)), value) for value in CELLS[cell].initial_state
    )
    advance = arithmetic(cell).step_and_back
    steps_back = {}
    for t in order:
        carry, steps_back[t] = advance(gates[:, t], inner, bias[-1], *carry)
        states[:, t] = carry[0]

    def back(d_states):
        d_gates = np.empty(gates.shape)
        carried = [0.0] * len(carry)
        for t in reversed(order):
            # A state has an effect through the next step, and as an output of its own.
            carried[0] = carried[0] + d_states[:, t]
            d_gates[:, t], *carried = steps_back[t](*carried)
        return d_gates @ kernel.T

    return states, back
