"""The arithmetic of the recurrent cells in NumPy and ONNX, one module a cell.

Every module has these functions, of arrays of shape (..., units) or (..., n_gates *
units):

- ``prepared(layer)``: the kernel, recurrent kernel and bias as ``stepper`` reads them.
- ``stepper(kernel, bias, *states)``: a function that takes the states one step further,
  in place, from the input's share of the gates. A single forecast is many calls on few
  numbers, so all that can be made before the first step is.
- ``step_and_back(gates, kernel, bias, *states)``: the states after a step, and the
  backward pass from their gradients to those of the gates and of the states before.
- ``onnx_step(graph, gates, kernel, *states)``, only where ONNX has no operator: the
  states after a step, as nodes of a graph.
"""

from importlib import import_module
from types import ModuleType

import numpy as np

from sklstm._utils.cells import CELLS


def arithmetic(cell: str) -> ModuleType:
    """Return the module that holds a cell's functions."""
    return _MODULES[cell]


def layer_weights(
    cell: str, weights: dict[str, np.ndarray], name: str
) -> list[np.ndarray]:
    """Return the kernel, recurrent kernel and bias of the layer `name`."""
    prefix = f"{name}/{CELLS[cell].weight_prefix}"
    return [weights[f"{prefix}/{p}"] for p in ("kernel", "recurrent_kernel", "bias")]


_MODULES = {cell: import_module(f"{__name__}.{cell}") for cell in CELLS}
