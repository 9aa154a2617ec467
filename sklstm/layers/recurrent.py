"""Recurrent Keras layers, and the choice of the loop that runs their steps."""

from sklstm._utils.cells import CELLS, spread_memories
from sklstm._utils.keras_backend import load_keras

keras = load_keras()
ops = keras.ops
BACKEND = keras.backend.backend()
if BACKEND == "jax":
    import jax

    from sklstm.layers import cudnn, jax_loops
elif BACKEND == "torch":
    from sklstm.layers import torch_loops

__all__ = ["GRU", "LSTM", "SLSTM", "SLSTMCell", "SimpleRNN"]


def on_cpu():
    """Return whether layers run where the fast loops are faster."""
    if BACKEND == "jax":
        return jax.default_backend() == "cpu"
    return BACKEND == "torch" and not torch_loops.on_gpu()


def on_cudnn():
    """Return whether layers run where cuDNN does, through JAX."""
    return BACKEND == "jax" and cudnn.on_gpu()


def first(mask):
    """Return the mask of the first gate, for all gates, so that one product serves."""
    return mask[0] if isinstance(mask, list) else mask


class FastLoop:
    """What the layers share: the cases that a fast loop covers, and the calls of it.

    Attributes
    ----------
    kind : Cell
    has_cudnn : bool
        Whether `loop` runs in cuDNN where that is.
    """

    has_cudnn = False

    def covered(self, mask=None):
        cell = self.cell
        if BACKEND == "torch" and self.kind.torch_operator is None:
            return False
        # Without a mask Keras calls cuDNN by itself.
        by_lengths = on_cudnn() and self.has_cudnn and mask is not None
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
        steps, mask = self.in_order(ops.swapaxes(sequences, 0, 1), mask)
        if BACKEND == "torch":
            states, *last = self.torch_loop(steps, mask, h, *others)
        else:
            states, *last = self.loop(steps, mask, drop, h, *others)
            last = [states[-1], *last]
        outputs = states
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(mask, states, 0)
        return outputs[-1], ops.swapaxes(outputs, 0, 1), last

    def in_order(self, steps, mask):
        """Return steps, and the mask of a batch by step, as the loop takes them."""
        if mask is not None:
            mask = ops.swapaxes(ops.cast(mask, "bool"), 0, 1)[:, :, None]
        if self.go_backwards:
            steps = ops.flip(steps, 0)
            mask = None if mask is None else ops.flip(mask, 0)
        return steps, mask

    def own_loop(self, steps, mask, drop, *state):
        kernel, bias, *weights = self.loop_weights()
        bias = ops.zeros_like(kernel[0]) if bias is None else bias
        gates = jax_loops.project(steps, kernel, bias)
        return self.run(gates, None, mask, drop, *weights, *state)

    loop = own_loop

    def loop_weights(self):
        """Return the kernel and bias of the gates, and what else the loop reads."""
        cell = self.cell
        bias = cell.bias.value if cell.use_bias else None
        return cell.kernel.value, bias, cell.recurrent_kernel.value

    def read(self, words, mask, training):
        """Return what `call` does, of `Words`."""
        cell, (table_rows, mask) = self.cell, self.in_order(words.table_rows, mask)
        h, *others = self.get_initial_state(table_rows.shape[1])
        drop = None
        if training and cell.recurrent_dropout:
            drop = first(cell.get_recurrent_dropout_mask(h))
            cell.reset_recurrent_dropout_mask()
        kernel, bias, *weights = self.loop_weights()
        gates = words.projected(kernel, bias)
        states, *_ = self.run(gates, table_rows, mask, drop, *weights, h, *others)
        return ops.swapaxes(states, 0, 1) if self.return_sequences else states[-1]

    def torch_loop(self, steps, mask, *state):
        cell = self.cell
        bias = cell.bias.value if cell.use_bias else ops.zeros(cell.kernel.shape[-1:])
        biases = tuple(bias) if bias.ndim == 2 else (bias, ops.zeros_like(bias))
        weights = cell.kernel.value, cell.recurrent_kernel.value
        return torch_loops.run(self.kind, steps, mask, *weights, biases, state)


def served(sequences, mask):
    """Return whether a loop serves this mask; for torch this depends on its values."""
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

    kind = CELLS["lstm"]
    has_cudnn = True

    def loop(self, steps, mask, drop, h, c):
        if not on_cudnn():
            return self.own_loop(steps, mask, drop, h, c)
        cell = self.cell
        weights = cell.kernel.value, cell.recurrent_kernel.value
        bias = cell.bias.value if cell.use_bias else ops.zeros(4 * self.units)
        return jax.lax.cond(
            # Masks are known when the compiled step runs, so both ways are compiled.
            cudnn.serves(mask[..., 0]),
            lambda: cudnn.lstm(steps, mask[..., 0], *weights, bias, h, c),
            lambda: self.own_loop(steps, mask, drop, h, c),
        )

    def loop_weights(self):
        cell, halved = self.cell, jax_loops.halved
        bias = halved(cell.bias.value) if cell.use_bias else None
        kernels = halved(cell.kernel.value), halved(cell.recurrent_kernel.value)
        return kernels[0], bias, kernels[1]

    def run(self, *given):
        return jax_loops.lstm(*given)


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

    kind = CELLS["gru"]

    def loop_weights(self):
        cell = self.cell
        bias, inner = None, ops.zeros_like(cell.kernel[0])
        if cell.use_bias:
            bias, inner = cell.bias[0], cell.bias[1]
        return cell.kernel.value, bias, cell.recurrent_kernel.value, inner

    def run(self, *given):
        return (jax_loops.gru(*given),)


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

    kind = CELLS["rnn"]

    def run(self, *given):
        return (jax_loops.rnn(*given),)


@keras.saving.register_keras_serializable("sklstm")
class SpreadForgetBias(keras.initializers.Initializer):
    """Zeros, but for the forget gate: see `spread_memories`."""

    def __call__(self, shape, dtype=None):
        return ops.convert_to_tensor(spread_memories(shape[0] // 4), dtype=dtype)

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable("sklstm")
class SLSTMCell(keras.layers.LSTMCell):
    """One step of `SLSTM`.

    Parameters
    ----------
    units : int
    bias_initializer : str or keras.initializers.Initializer, default=None
        None is `SpreadForgetBias`.
    **options
        Of ``keras.layers.LSTMCell``, but for its activations and `unit_forget_bias`.
    """

    def __init__(self, units, bias_initializer=None, **options):
        bias_initializer = bias_initializer or SpreadForgetBias()
        options |= {"bias_initializer": bias_initializer, "unit_forget_bias": False}
        super().__init__(units, **options)
        self.dropout_mask_count = None  # one mask for all gates
        self.state_size = [units] * CELLS["slstm"].n_states

    def call(self, inputs, states, training=False):
        h, c, n = states
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        if training and self.recurrent_dropout:
            h = h * self.get_recurrent_dropout_mask(h)
        raw = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        raw = raw + self.bias if self.use_bias else raw
        i, f, z, o = ops.split(raw, 4, axis=1)
        # Gates stay logarithms until a sigmoid of their difference, so none overflows.
        old = n + ops.log_sigmoid(f)
        c = c + ops.sigmoid(i - old) * (ops.tanh(z) - c)
        h = ops.sigmoid(o) * c
        return h, [h, c, ops.logaddexp(old, i)]

    def get_initial_state(self, batch_size=None):
        shape, dtype = (batch_size, self.units), self.compute_dtype
        return [ops.full(shape, v, dtype) for v in CELLS["slstm"].initial_state]

    def get_config(self):
        config = super().get_config()
        for name in ("activation", "recurrent_activation", "unit_forget_bias"):
            del config[name]
        return config


@keras.saving.register_keras_serializable("sklstm")
class SLSTM(FastLoop, keras.layers.RNN):
    """Scalar-memory LSTM of xLSTM (Beck et al., 2024) with a fast loop.

    The input gate is exponential and the forget gate a sigmoid; the recurrent matrix is
    full, so the layer is one head of the paper. The three states are the output, the
    cell divided by the normalizer, and the logarithm of the normalizer. In this form
    nothing overflows, and the paper's stabilizer state is not needed.

    Parameters
    ----------
    units : int
    **options
        Of ``keras.layers.LSTM``, but for its activations, `unit_forget_bias`,
        `implementation` and `use_cudnn`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.layers import SLSTM
    >>> SLSTM(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """

    kind = CELLS["slstm"]
    cell_options = ("use_bias", "dropout", "recurrent_dropout", "seed") + tuple(
        f"{part}_{role}"
        for role in ("initializer", "regularizer", "constraint")
        for part in ("kernel", "recurrent", "bias")
    )

    def __init__(self, units, **options):
        of_cell = {k: options.pop(k) for k in self.cell_options if k in options}
        of_both = {k: options[k] for k in ("dtype", "trainable") if k in options}
        cell = SLSTMCell(units, name="slstm_cell", **of_cell, **of_both)
        super().__init__(cell, **options)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def run(self, *given):
        return jax_loops.slstm(*given)

    def reset_state(self):
        """Reset the states of a stateful layer."""
        if self.states is not None:
            initial = self.get_initial_state(self.states[0].shape[0])
            for variable, value in zip(self.states, initial, strict=True):
                variable.assign(value)

    def get_config(self):
        config, of_cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        config["units"] = self.cell.units
        regularizer = keras.regularizers.serialize(self.activity_regularizer)
        config["activity_regularizer"] = regularizer
        return config | {name: of_cell[name] for name in self.cell_options}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
