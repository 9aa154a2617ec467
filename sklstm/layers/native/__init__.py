"""Recurrent loops in C++ for a CPU, if sklstm was installed with SKLSTM_NATIVE=1.

XLA runs the steps of a loop on one core, packs the recurrent weights again at every
step, and starts several kernels a step. Here one call runs all steps of a layer:

- `kernels.cpp` is a library of handlers for XLA's foreign function interface, whose
  headers jaxlib ships. It makes no use of Python's interface, so that one build serves
  every version of Python.
- A handler packs the recurrent weights once, then shares the rows of the batch between
  the threads of XLA's own pool. Rows do not depend on each other, so that no thread
  waits for another before the end.
- A tile of six rows and 16 units keeps all gates of these units in registers. Gates,
  cell and state leave the tile finished, in the same pass.
- A row has the same bytes whatever the number of threads and the rows beside it,
  because every tile sums over the state in the same order.
- `loops.h` is written for vectors of any width, and compiled for AVX-512, for AVX2 with
  FMA, and for what every processor of a platform has (NEON on ARM). The processor
  decides when the library is loaded.
- For the backward pass the loops keep what those of `jax_loops` keep. The products over
  all steps, of inputs and of weights' gradients, stay with XLA, which shares them
  between all cores.

Values are of 32 bits; other dtypes, and batches that Keras shares between devices, run
in `jax_loops`. `_utils.native_library` loads the library, and predictions call it
without JAX.
"""

import ctypes
import re
from pathlib import Path

import jax
import jax.numpy as jnp

from sklstm._utils import native_library
from sklstm._utils.cells import CELLS
from sklstm._utils.keras_backend import load_keras

MOST_MINOR_VERSIONS = 1  # by which jaxlib may be newer than the library
HANDLERS = [f"{cell}_{way}" for cell in CELLS for way in ("forward", "backward")]
HANDLERS += ["distinct", "sum_rows"]


def has_interface_of(library: ctypes.CDLL) -> bool:
    """Return whether the installed jaxlib takes handlers of the library's version.

    XLA itself would refuse them too late: no JAX program on a CPU would start. It takes
    handlers of some earlier minor versions, and of no later one.
    """
    header = Path(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h").read_text()
    major, minor = (
        int(re.findall(rf"define XLA_FFI_API_{part} (\d+)", header)[0])
        for part in ("MAJOR", "MINOR")
    )
    newer_by = minor - library.sklstm_minor()
    return major == library.sklstm_major() and 0 <= newer_by <= MOST_MINOR_VERSIONS


def register(library: ctypes.CDLL) -> None:
    """Tell XLA the handlers of the library."""
    for name in HANDLERS:
        handler = jax.ffi.pycapsule(getattr(library, f"sklstm_{name}"))
        jax.ffi.register_ffi_target(f"sklstm_{name}", handler, platform="cpu")


def registered() -> str | None:
    """Return the set of instructions in use, or None where XLA runs the loops."""
    library = native_library.library
    if library is None or not hasattr(jax, "ffi") or not has_interface_of(library):
        return None
    register(library)
    return native_library.in_use


in_use = registered()


def serves(gates: jax.Array) -> bool:
    """Return whether the library runs a loop of these gates."""
    return (
        in_use is not None
        and gates.dtype == jnp.float32
        and jax.default_backend() == "cpu"
        and load_keras().distribution.distribution() is None
    )


def call(name, shapes, first, *others, in_place=True):
    """Call a handler.

    Parameters
    ----------
    name : str
    shapes : list of tuple
        Of the outputs.
    first : array
        What the handler reads value by value before it writes there, if `in_place`: the
        first output then takes its memory.
    """
    types = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    options: dict = {"vmap_method": "sequential"}
    if in_place:
        options["input_output_aliases"] = {0: 0}
    return jax.ffi.ffi_call(f"sklstm_{name}", types, **options)(first, *others)


def optional(mask, drop):
    """Return arrays without values for what is None."""
    mask = jnp.zeros(0, bool) if mask is None else mask
    return mask, jnp.zeros(0, jnp.float32) if drop is None else drop


def forward(cell, shapes, gates, table_rows, mask, drop, *others, in_place=True):
    """Call the handler of a forward pass."""
    in_place = in_place and table_rows is None
    table_rows = jnp.zeros(0, jnp.int32) if table_rows is None else table_rows
    others = (table_rows, *optional(mask, drop), *others)
    return call(f"{cell}_forward", shapes, gates, *others, in_place=in_place)


def distinct(tokens, size):
    """Return distinct words, the position of each token among them, and their number.

    Zeros follow the words up to `size`, since XLA needs to know the shape.
    """
    types = [jax.ShapeDtypeStruct(s, jnp.int32) for s in [(size,), tokens.shape, ()]]
    return jax.ffi.ffi_call("sklstm_distinct", types, vmap_method="sequential")(tokens)


def sum_rows(rows, table_rows, n):
    """Add up the gradients of the steps that read the same row of a table of `n` rows.

    Sums beyond the last distinct word hold no defined values.

    Parameters
    ----------
    rows : array of shape (n_steps, batch, width)
    table_rows : array of int of shape (n_steps, batch)
    n : int
    """
    (sums,) = call("sum_rows", [(n, rows.shape[-1])], rows, table_rows, in_place=False)
    return sums


# What each loop takes and gives is described in `jax_loops`; states are those of every
# step but for gradients, which are those of the first states.


def lstm_forward(gates, table_rows, mask, drop, kernel, h, c):
    """Return the tanh of the gates, states and cells."""
    steps = steps_of(gates, table_rows)
    states = (*steps, h.shape[1])
    shapes = (*steps, gates.shape[-1]), states, states
    return forward("lstm", shapes, gates, table_rows, mask, drop, kernel, h, c)


def steps_of(gates, table_rows):
    """Return the numbers of steps and rows."""
    return gates.shape[:2] if table_rows is None else table_rows.shape


def lstm_backward(t, c, mask, drop, kernel, c0, dh_steps, dc_last):
    """Return the gradients of gates, state and cell."""
    shapes, others = (t.shape, c0.shape, c0.shape), (c, kernel, c0, dh_steps, dc_last)
    return call("lstm_backward", shapes, t, *optional(mask, drop), *others)


def gru_forward(gates, table_rows, mask, drop, kernel, bias, h):
    """Return z, r, the new value, what r scales, and states."""
    shapes = [(*steps_of(gates, table_rows), h.shape[1])] * 5
    others = kernel, bias, h
    return forward(
        "gru", shapes, gates, table_rows, mask, drop, *others, in_place=False
    )


def gru_backward(kept, h, mask, drop, kernel, h0, dh_steps):
    """Return the gradients of the product, of the new value's input, and of state."""
    shapes = (*h.shape[:2], 3 * h.shape[2]), h.shape, h0.shape
    z, *others = kept
    others = (*optional(mask, drop), *others, h, kernel, h0, dh_steps)
    return call("gru_backward", shapes, z, *others, in_place=False)


def rnn_forward(gates, table_rows, mask, drop, kernel, h):
    """Return the states."""
    shapes = [(*steps_of(gates, table_rows), h.shape[1])]
    (states,) = forward("rnn", shapes, gates, table_rows, mask, drop, kernel, h)
    return states


def rnn_backward(h, mask, drop, kernel, h0, dh_steps):
    """Return the gradients of gates and state."""
    shapes = h.shape, h0.shape
    return call("rnn_backward", shapes, dh_steps, *optional(mask, drop), h, kernel)


def slstm_forward(gates, table_rows, mask, drop, kernel, h, c, n):
    """Return sigmoid(-f), z, o and shares, side by side; then states, cells, last n."""
    steps = steps_of(gates, table_rows)
    states = (*steps, h.shape[1])
    shapes = (*steps, gates.shape[-1]), states, states, n.shape
    return forward("slstm", shapes, gates, table_rows, mask, drop, kernel, h, c, n)


def slstm_backward(kept, c, mask, drop, kernel, c0, dh_steps, last):
    """Return the gradients of gates, state, cell and normalizer."""
    shapes = kept.shape, c0.shape, c0.shape, c0.shape
    others = (*optional(mask, drop), c, kernel, c0, dh_steps, *last)
    return call("slstm_backward", shapes, kept, *others)
