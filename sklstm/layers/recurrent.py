"""Recurrent Keras layers: which loop runs, and the road around it."""

from sklstm._utils.keras_backend import load_keras

keras = load_keras()
ops = keras.ops
BACKEND = keras.backend.backend()
if BACKEND == "jax":
    import jax

    from sklstm.layers import cudnn, jax_loops
elif BACKEND == "torch":
    from sklstm.layers import torch_loops

__all__ = ["GRU", "LSTM", "SimpleRNN"]


def on_cpu():
    """Whether layers run where the fast loops are faster."""
    if BACKEND == "jax":
        return jax.default_backend() == "cpu"
    return BACKEND == "torch" and not torch_loops.on_gpu()


def on_cudnn():
    """Whether layers run where cuDNN does, through JAX."""
    return BACKEND == "jax" and cudnn.on_gpu()


def first(mask):
    """The mask of the first gate, which all share, so that one product serves all."""
    return mask[0] if isinstance(mask, list) else mask


class FastLoop:
    """What the three layers share: which cases are fast, and the road around a loop."""

    def covered(self, mask=None):
        cell = self.cell
        # Without a mask Keras calls cuDNN by itself.
        by_lengths = on_cudnn() and self.kind == "lstm" and mask is not None
        return (
            (on_cpu() or by_lengths)
            and not (cell.recurrent_dropout and (BACKEND == "torch" or by_lengths))
            and not self.unroll
            and self.compute_dtype in ("float32", "float64")
            and cell.activation is keras.activations.tanh
            and getattr(cell, "recurrent_activation", keras.activations.sigmoid)
            is keras.activations.sigmoid
            and getattr(cell, "reset_after", True)
        )

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if isinstance(mask, list | tuple):
            mask = mask[0]
        if not self.covered(mask) or not served(sequences, mask):
            return super().inner_loop(
                sequences, initial_state, mask=mask, training=training
            )
        cell = self.cell
        h, *others = initial_state
        drop = None
        if training and cell.dropout:
            sequences = (
                sequences * first(cell.get_dropout_mask(sequences[:, 0]))[:, None]
            )
        if training and cell.recurrent_dropout:
            drop = first(cell.get_recurrent_dropout_mask(h))
        steps = ops.swapaxes(sequences, 0, 1)
        if mask is not None:
            mask = ops.swapaxes(ops.cast(mask, "bool"), 0, 1)[:, :, None]
        if self.go_backwards:
            steps = ops.flip(steps, 0)
            mask = None if mask is None else ops.flip(mask, 0)
        if BACKEND == "torch":
            states, *last = self.torch_loop(steps, mask, h, *others)
        else:
            states, *last = self.loop(steps, mask, drop, h, *others)
            last = [states[-1], *last]
        outputs = states
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(mask, states, 0)
        return outputs[-1], ops.swapaxes(outputs, 0, 1), last

    def torch_loop(self, steps, mask, *state):
        cell = self.cell
        bias = cell.bias.value if cell.use_bias else ops.zeros(cell.kernel.shape[-1:])
        biases = tuple(bias) if bias.ndim == 2 else (bias, ops.zeros_like(bias))
        weights = cell.kernel.value, cell.recurrent_kernel.value
        return torch_loops.run(self.kind, steps, mask, *weights, biases, state)


def served(sequences, mask):
    """Whether a loop serves this mask, which torch's tells by its values."""
    return BACKEND != "torch" or torch_loops.serves(sequences, mask)


@keras.saving.register_keras_serializable("sklstm")
class LSTM(FastLoop, keras.layers.LSTM):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997) with a fast loop.

    Parameters, shapes and errors are those of ``keras.layers.LSTM``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.layers import LSTM
    >>> LSTM(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """

    kind = "lstm"

    def loop(self, steps, mask, drop, h, c):
        if not on_cudnn():
            return self.own_loop(steps, mask, drop, h, c)
        cell = self.cell
        weights = cell.kernel.value, cell.recurrent_kernel.value
        bias = cell.bias.value if cell.use_bias else ops.zeros(4 * self.units)
        return jax.lax.cond(
            cudnn.serves(mask[..., 0]),
            lambda: cudnn.lstm(steps, mask[..., 0], *weights, bias, h, c),
            lambda: self.own_loop(steps, mask, drop, h, c),
        )

    def own_loop(self, steps, mask, drop, h, c):
        cell = self.cell
        gates = steps @ jax_loops.halved(cell.kernel.value)
        if cell.use_bias:
            gates = gates + jax_loops.halved(cell.bias.value)
        kernel = jax_loops.halved(cell.recurrent_kernel.value)
        return jax_loops.lstm(gates, mask, drop, kernel, h, c)


@keras.saving.register_keras_serializable("sklstm")
class GRU(FastLoop, keras.layers.GRU):
    """Gated recurrent unit (Cho et al., 2014) with a fast loop.

    Parameters, shapes and errors are those of ``keras.layers.GRU``.

    The fast loop needs ``reset_after=True``, Keras's default.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.layers import GRU
    >>> GRU(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """

    kind = "gru"

    def loop(self, steps, mask, drop, h):
        cell = self.cell
        gates = steps @ cell.kernel.value
        inner = ops.zeros_like(gates[0, 0])
        if cell.use_bias:
            gates, inner = gates + cell.bias[0], cell.bias[1]
        return (
            jax_loops.gru(gates, mask, drop, cell.recurrent_kernel.value, inner, h),
        )


@keras.saving.register_keras_serializable("sklstm")
class SimpleRNN(FastLoop, keras.layers.SimpleRNN):
    """Simple recurrent network (Elman, 1990) with a fast loop.

    Parameters, shapes and errors are those of ``keras.layers.SimpleRNN``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.layers import SimpleRNN
    >>> SimpleRNN(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """

    kind = "rnn"

    def loop(self, steps, mask, drop, h):
        cell = self.cell
        gates = steps @ cell.kernel.value
        if cell.use_bias:
            gates = gates + cell.bias
        return (jax_loops.rnn(gates, mask, drop, cell.recurrent_kernel.value, h),)
