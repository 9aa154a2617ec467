"""The recurrent cells: all that tells one from another, but for its arithmetic.

The arithmetic lies in the module of a cell's name in `_networks/cells` (NumPy and ONNX)
and in its Keras layer in `layers`. A cell is added there and here, and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def remembering(units: int) -> np.ndarray:
    """Return zeros, but ones for the forget gate (Jozefowicz et al., 2015)."""
    return np.repeat([0.0, 1.0, 0.0, 0.0], units)


def spread_memories(units: int) -> np.ndarray:
    """Return zeros, but a power law over the units for the forget gate, from 5 to -7.

    It gives units memories of different lengths, as in the code of Beck et al. (2024).
    """
    ranks = np.arange(units) / max(units - 1, 1)
    return np.repeat([0.0, 1.0, 0.0, 0.0], units) * np.tile(5 - 12 * ranks**0.3, 4)


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent cell.

    Parameters
    ----------
    name : str
        The value of the parameter `cell`.
    label : str
        The name in reports.
    article : {"A", "An"}
        The article before the label.
    layer : str
        The class in `sklstm.layers`.
    keras_layer : str or None
        The class in `keras.layers` that has the same weights and results, if any.
    weight_prefix : str
        The name of the Keras cell, under which a layer's weights are stored.
    n_gates : int
        Blocks of `units` columns in each kernel.
    n_biases : int
        Rows of the bias; a second one belongs to the recurrent product.
    first_bias : callable or None
        ``first_bias(units)`` is the bias before training; None stands for zeros.
    initial_state : tuple of float
        The value of each state before the first step; the first state is the output.
    onnx_operator : str or None
        The ONNX operator, if any; otherwise a Scan runs the steps.
    onnx_gates, torch_gates : tuple of int
        The Keras gates in the order of ONNX and of torch.
    onnx_attributes : tuple of (str, int)
        Further attributes of the ONNX operator.
    torch_operator : str or None
        The function of torch that runs all steps, if any.
    is_reference : bool
        Whether reports fit a network of this cell beside the user's.
    """

    name: str
    label: str
    article: str
    layer: str
    keras_layer: str | None
    weight_prefix: str
    n_gates: int
    n_biases: int = 1
    first_bias: Callable[[int], np.ndarray] | None = None
    initial_state: tuple[float, ...] = (0.0,)
    onnx_operator: str | None = None
    onnx_gates: tuple[int, ...] = ()
    onnx_attributes: tuple[tuple[str, int], ...] = ()
    torch_operator: str | None = None
    torch_gates: tuple[int, ...] = ()
    is_reference: bool = True

    @property
    def n_states(self) -> int:
        return len(self.initial_state)


CELLS = {
    cell.name: cell
    for cell in (
        Cell(
            name="lstm",
            label="LSTM",
            article="An",
            layer="LSTM",
            keras_layer="LSTM",
            weight_prefix="lstm_cell",
            n_gates=4,
            first_bias=remembering,
            initial_state=(0.0, 0.0),
            # Keras has the gates i, f, c, o; ONNX i, o, f, c; torch i, f, c, o.
            onnx_operator="LSTM",
            onnx_gates=(0, 3, 1, 2),
            torch_operator="lstm",
            torch_gates=(0, 1, 2, 3),
        ),
        Cell(
            name="gru",
            label="GRU",
            article="A",
            layer="GRU",
            keras_layer="GRU",
            weight_prefix="gru_cell",
            n_gates=3,
            n_biases=2,
            # Keras and ONNX have the gates z, r, h; torch r, z, h.
            onnx_operator="GRU",
            onnx_gates=(0, 1, 2),
            onnx_attributes=(("linear_before_reset", 1),),  # as Keras resets
            torch_operator="gru",
            torch_gates=(1, 0, 2),
        ),
        Cell(
            name="rnn",
            label="simple RNN",
            article="A",
            layer="SimpleRNN",
            keras_layer="SimpleRNN",
            weight_prefix="simple_rnn_cell",
            n_gates=1,
            onnx_operator="RNN",
            onnx_gates=(0,),
            torch_operator="rnn_tanh",
            torch_gates=(0,),
        ),
        Cell(
            name="slstm",
            label="sLSTM",
            article="An",
            layer="SLSTM",
            keras_layer=None,
            weight_prefix="slstm_cell",
            n_gates=4,
            first_bias=spread_memories,
            # The last state is a logarithm: before the first step it is that of a
            # number which is zero in any precision.
            initial_state=(0.0, 0.0, -1e4),
            is_reference=False,
        ),
    )
}
