"""Forward passes of recurrent layers by the library in C++, without Keras or JAX.

The library computes in 32 bits, and in one thread for each caller. The states of a row
have the same bytes whatever other rows a call holds.
"""

import ctypes
from ctypes import c_int64, c_void_p

import numpy as np

from sklstm._networks.cells import arithmetic, layer_weights
from sklstm._utils.cells import CELLS
from sklstm._utils.native_library import in_use, library

NUMBERS = ("cell", "rows", "steps", "depth", "units", "backward", "result")
RESULTS = ("last", "all", "max", "mean")
ARRAYS = (
    *("values", "table_rows", "lengths", "input_kernel", "input_bias"),
    *("kernel", "bias", "initial", "states"),
)


INITIAL_STATES = {
    name: np.array(record.initial_state, np.float32) for name, record in CELLS.items()
}


class Sequences(ctypes.Structure):
    """What `sklstm_read` reads, and where it writes."""

    _fields_ = [(name, c_int64) for name in NUMBERS]
    _fields_ += [(name, c_void_p) for name in ARRAYS]


def call(name: str, *arguments) -> None:
    """Call a function of the library; see `is_available`."""
    assert library is not None
    getattr(library, name)(*arguments)


def is_available() -> bool:
    return in_use is not None


def single(values) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def loop_weights(
    cell: str, weights: dict[str, np.ndarray], name: str
) -> list[np.ndarray]:
    """Return a layer's kernel, recurrent kernel, and biases of both.

    The library itself halves the weights of gates, except those of an LSTM.
    """
    layer = layer_weights(cell, weights, name)
    if cell == "lstm":
        layer = arithmetic(cell).prepared(layer)
    kernel, recurrent, bias = map(single, layer)
    biases = bias.reshape(-1, bias.shape[-1])
    return [kernel, recurrent, biases[0], biases[-1]]


def address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


def project(values: np.ndarray, layer: list[np.ndarray]) -> np.ndarray:
    """Return the rows' share of the gates."""
    kernel, _, bias, _ = layer
    values = single(values)
    (rows, depth), width = values.shape, len(bias)
    gates = np.empty((rows, width), np.float32)
    arrays = map(c_void_p, map(address, (values, kernel, bias, gates)))
    call("sklstm_project", *map(c_int64, (rows, depth, width)), *arrays)
    return gates


def read(
    cell: str,
    layer: list[np.ndarray],
    values: np.ndarray,
    table_rows: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    *,
    backward: bool = False,
    result: str,
) -> np.ndarray:
    """Return states of each row; see `numpy_forward.read`.

    Parameters
    ----------
    layer : list of ndarray
        Of `loop_weights`.
    values : ndarray of shape (n_rows, n_steps, n_inputs) or (n_words, n_gates * units)
        Sequences; or words' share of the gates, of `project`.
    table_rows : ndarray of int of shape (n_rows, n_steps), optional
        The word of each step.
    lengths : ndarray of int of shape (n_rows,), optional
        Steps of each row.
    """
    kernel, recurrent, input_bias, bias = layer
    values, units = single(values), len(recurrent)
    if table_rows is None:
        rows, steps, depth = values.shape
    else:
        table_rows = np.ascontiguousarray(table_rows, np.int32)
        (rows, steps), depth = table_rows.shape, 0
    if lengths is not None:
        lengths = np.ascontiguousarray(lengths, np.int64)
    shape = (rows, steps, units) if result == "all" else (rows, units)
    states, initial = np.empty(shape, np.float32), INITIAL_STATES[cell]
    sizes = rows, steps, depth, units
    numbers = list(CELLS).index(cell), *sizes, backward, RESULTS.index(result)
    arrays = values, table_rows, lengths, kernel, input_bias, recurrent, bias, initial
    pointers = map(address, (*arrays, states))
    call("sklstm_read", ctypes.byref(Sequences(*numbers, *pointers)))
    return states
