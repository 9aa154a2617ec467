"""Forward pass of the standard networks in NumPy: no Keras, thread-safe.

Where the library in C++ is installed, it reads the recurrent layers; see
`native_forward`. It computes in 32 bits, and differs by no more than 1e-6.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sklstm._networks import native_forward
from sklstm._networks.cells import arithmetic, layer_weights
from sklstm._text.sequences import PADDING, Sequences
from sklstm._utils.blas import one_thread
from sklstm._utils.cells import CELLS
from sklstm._utils.disk_arrays import blocks

CHUNK = 512
TOKENS_AT_ONCE = 2**16
MANY_TOKENS = 2**18
MANY_PARTS = 4


def predict(
    spec, weights: dict[str, np.ndarray], data, indices: np.ndarray
) -> np.ndarray:
    """Return scaled outputs of shape (n_windows, horizon, n_targets), float64.

    The sums run in float64, so that other rows of a batch change a row's forecast by no
    more than its last bits.
    """
    weights = in_double(weights)
    result = np.empty((len(indices), *spec.output_shape))

    def predict_part(part):
        window, context = data.inputs(indices[part])
        result[part] = forward(
            spec, weights, window.astype(np.float64), context.astype(np.float64)
        )

    starts = range(0, len(indices), CHUNK)
    side_by_side(predict_part, [slice(first, first + CHUNK) for first in starts])
    return result


def in_double(weights):
    """Return weights in 64 bits, but those that the library in C++ reads in 32."""
    in_single = "recurrent_" if native_forward.is_available() else ()
    return {
        name: w if name.startswith(in_single) else np.asarray(w, np.float64)
        for name, w in weights.items()
    }


def side_by_side(work: Callable, parts: list) -> None:
    """Do the work of many parts in as many threads as BLAS has, each with its own BLAS.

    A step of a recurrent network is a small product and much else that the threads of
    BLAS do not share, so that threads of ours halve the time on two cores.
    """
    with one_thread as n_threads:
        if len(parts) >= MANY_PARTS and n_threads > 1:
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(work, parts))
        else:
            for part in parts:
                work(part)


def forward(spec, weights, window, context):
    output = weights["head/bias"][None].repeat(len(window), axis=0)
    # A head of zeros tells that the network was no better than the linear model.
    if weights["head/kernel"].any():
        output += encode(spec, weights, window, context) @ weights["head/kernel"]
    if spec.linear_skip:
        flat = np.concatenate([window.reshape(len(window), -1), context], axis=1)
        output += flat @ weights["skip/kernel"] + weights["skip/bias"]
    return output.reshape(-1, *spec.output_shape)


def encode(spec, weights, window, context):
    """Return the state that the head reads."""
    # A recurrent_length of None keeps every step.
    states = window[:, -(spec.recurrent_length or 0) :]
    if spec.n_static:
        static = np.repeat(context[:, None, -spec.n_static :], states.shape[1], axis=1)
        states = np.concatenate([states, static], axis=2)
    for i in range(len(spec.units)):
        result = "all" if i < len(spec.units) - 1 else "last"
        layer = layer_reader(spec.cell, weights, f"recurrent_{i}")
        states = layer(states, result=result)
    last = states
    if spec.n_context == spec.n_last_values:
        return last
    ahead = context[:, spec.n_last_values :]
    hidden = ahead @ weights["context_hidden/kernel"] + weights["context_hidden/bias"]
    return np.concatenate([last, np.tanh(hidden)], axis=1)


def predict_text(
    spec, weights: dict[str, np.ndarray], sequences: Sequences, linear=None
) -> np.ndarray:
    """Return logits of shape (n_documents, n_outputs), float64.

    Documents are read longest first, so that a step runs over those that still last.
    Many tokens are read in 32 bits, which takes a third of the time and moves no
    probability by more than 1e-6.
    """
    dtype = np.float64 if len(sequences.ids) < MANY_TOKENS else np.float32
    weights = {name: np.asarray(w, dtype) for name, w in weights.items()}
    tables, row_of_id = word_gates(spec, weights, sequences.ids)
    result = np.empty((len(sequences), spec.n_outputs))
    order = np.argsort(-sequences.lengths, kind="stable")
    parts, first = [], 0
    while first < len(order):
        longest = max(int(sequences.lengths[order[first]]), 1)
        parts.append(order[first : first + max(TOKENS_AT_ONCE // longest, 1)])
        first += len(parts[-1])

    def predict_part(rows):
        chunk = sequences.take(rows)
        words = row_of_id[chunk.padded(max(int(chunk.lengths.max()), 1))]
        result[rows] = forward_text(spec, weights, tables, words, chunk.lengths)

    side_by_side(predict_part, parts)
    return result + linear if spec.linear_skip else result


def word_gates(spec, weights, ids):
    """Return the distinct words of some token ids, projected by the first layers.

    Each word is projected once, however often it occurs.

    Returns
    -------
    tables : list of ndarray of shape (n_words, n_gates * units)
        The words' share of the gates, for each direction.
    row_of_id : ndarray of shape (n_tokens,)
        The row of a token id in the tables.
    """
    used = np.zeros(spec.n_tokens, bool)
    used[PADDING] = True
    for part in blocks(len(ids)):
        used[ids[part]] = True
    words, names = weights["embedding/embeddings"][used], spec.layer_names(0)
    if native_forward.is_available():
        project, prepare = native_forward.project, native_forward.loop_weights
    else:
        project, prepare = projected, prepared_weights
    tables = [project(words, prepare(spec.cell, weights, name)) for name in names]
    return tables, np.cumsum(used) - 1


def forward_text(spec, weights, tables, words, lengths):
    """Return logits of documents, sorted by falling length.

    Parameters
    ----------
    tables : list of ndarray
    words : ndarray of int of shape (n_documents, n_tokens)
        Rows of the tables; see `word_gates`.
    """
    states: Any = None
    for i in range(len(spec.units)):
        is_last = i == len(spec.units) - 1
        result = spec.pooling if is_last and spec.pooling != "attention" else "all"
        parts = []
        for backward, name in enumerate(spec.layer_names(i)):
            given = (tables[backward], words) if states is None else (states,)
            options = {"lengths": lengths, "backward": backward, "result": result}
            parts.append(layer_reader(spec.cell, weights, name)(*given, **options))
        states = beside(parts)
    state = states.astype(weights["head/kernel"].dtype, copy=False)
    if spec.pooling == "attention":
        state = attend(state, weights["attention/kernel"], lengths)
    return state @ weights["head/kernel"] + weights["head/bias"]


def layer_reader(cell: str, weights: dict[str, np.ndarray], name: str) -> Callable:
    """Return `read` of the layer `name`, in C++ where the library is."""
    if native_forward.is_available():
        layer = native_forward.loop_weights(cell, weights, name)
        return functools.partial(native_forward.read, cell, layer)
    return functools.partial(read, cell, prepared_weights(cell, weights, name))


def read(
    cell: str,
    layer: list[np.ndarray],
    values: np.ndarray,
    words: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    *,
    backward: bool = False,
    result: str,
) -> np.ndarray:
    """Return states that a layer has of each row.

    Parameters
    ----------
    layer : list of ndarray
        Of `prepared_weights`.
    values : ndarray of shape (n_rows, n_steps, n_inputs) or (n_words, n_gates * units)
        Sequences; or the words' share of the gates, of `word_gates`.
    words : ndarray of int of shape (n_rows, n_steps), optional
        The word of each step.
    lengths : ndarray of int of shape (n_rows,), optional
        Falling; by default all steps are read.
    result : {"all", "last", "max", "mean"}
        States of all steps, zeros after the end of a row; the last one; or the largest
        or the mean over the row's steps, zeros without any.
    """
    if words is not None:
        inputs = looked_up(values, words)
    else:
        inputs = inputs_of(values, layer)
    if lengths is None:
        lengths = np.full(len(values), values.shape[1])
    keep = result != "last"
    states, last = recurrent(cell, layer, inputs, lengths, backward, keep)
    if result in ("max", "mean"):
        return pool(states, lengths, result)
    return states if keep else last


def beside(parts: list[np.ndarray]) -> np.ndarray:
    """Return the states of all directions side by side, without a copy for one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def present_in(states, lengths):
    return (np.arange(states.shape[1]) < lengths[:, None])[:, :, None]


def pool(states, lengths, pooling):
    """Return one state a document, as `keras_models.pool` does.

    States after a document's end are zero.
    """
    if pooling == "mean":
        return states.sum(axis=1) / np.maximum(lengths, 1)[:, None]
    present = present_in(states, lengths)
    # States lie between -1 and 1, so -2 is never the largest.
    return np.where(present, states, -2).max(axis=1) * present.any(axis=1)


def attend(states, kernel, lengths):
    """Return one state a document, of those at its tokens by their attention."""
    # Padding gets no attention: exp(-1e9) is 0.
    scores = np.where(present_in(states, lengths), states @ kernel, -1e9)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True) * states).sum(axis=1)


def prepared_weights(cell, weights, name):
    """Return the kernel, recurrent kernel and bias as the cell's stepper reads them."""
    return arithmetic(cell).prepared(layer_weights(cell, weights, name))


def inputs_of(values, layer):
    """Return the input's share of the gates, from one product for all steps."""
    gates = projected(values, layer)
    return lambda step, rows: gates[rows, step]


def looked_up(table, words):
    """Return the same for words, from their rows of a table."""
    return lambda step, rows: table[words[rows, step]]


def projected(values: np.ndarray, layer) -> np.ndarray:
    kernel, _, bias = layer
    return values @ kernel + bias.reshape(-1, bias.shape[-1])[0]


def recurrent(cell, layer, inputs, lengths, backward=False, keep=True):
    """Return all states, and the last, of documents sorted by falling length.

    Parameters
    ----------
    inputs : callable
        ``inputs(step, rows)`` gives some rows' share of the gates at a step.
    keep : bool
        Whether states of all steps are needed; they are None otherwise.
    """
    _, kernel, bias = layer
    n_documents, n_steps, units = len(lengths), int(lengths[0]), kernel.shape[0]
    state = np.empty((CELLS[cell].n_states, n_documents, units), kernel.dtype)
    state[...] = np.reshape(CELLS[cell].initial_state, (-1, 1, 1))
    states = None
    if keep:
        states = np.zeros((n_documents, max(n_steps, 1), units), kernel.dtype)
    lasting = (lengths[:, None] > np.arange(n_steps)).sum(axis=0).tolist()
    n = None
    for step in reversed(range(n_steps)) if backward else range(n_steps):
        if lasting[step] != n:
            n = lasting[step]
            rows = slice(n) if n_documents > 1 else 0  # one is a vector: much faster
            now = state[:, rows]
            # A stepper works in buffers of one shape, so fewer rows need another.
            advance = arithmetic(cell).stepper(kernel, bias, *now)
        advance(inputs(step, rows))
        if states is not None:
            states[rows, step] = now[0]
    return states, state[0]
