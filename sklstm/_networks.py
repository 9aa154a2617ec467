"""Recurrent encoders and heads as functions; the `build_*` functions compose them."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sklstm._archive import storable

CELLS = ("lstm", "gru", "rnn")
CELL_NAMES = {"lstm": "lstm_cell", "gru": "gru_cell", "rnn": "simple_rnn_cell"}
POOLINGS = ("last", "max", "mean", "attention")


@storable
@dataclass(frozen=True)
class NetworkSpec:
    """All that decides a network's shape; equal specs share one compiled network."""

    window_shape: tuple
    n_context: int
    output_shape: tuple
    n_levels: int = 0
    cell: str = "lstm"
    units: tuple = (32,)
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    linear_skip: bool = True
    recurrent_length: int | None = None
    network: Any = None
    n_static: int = 0

    def build(self, plain=False):
        return build_network(self, plain)

    def weight_shapes(self):
        """Shapes of a standard network's weights by name."""
        shapes, width = {}, self.window_shape[1] + self.n_static
        for i, units in enumerate(self.units):
            shapes |= cell_shapes(self.cell, f"recurrent_{i}", width, units)
            width = units
        n_outputs = int(np.prod(self.output_shape))
        if self.n_context > self.n_levels:
            ahead = self.n_context - self.n_levels
            shapes |= dense_shapes("context_hidden", ahead, width)
            width *= 2
        shapes |= dense_shapes("head", width, n_outputs)
        if self.linear_skip:
            n_inputs = int(np.prod(self.window_shape)) + self.n_context
            shapes |= dense_shapes("skip", n_inputs, n_outputs)
        return shapes

    @property
    def starts_linear(self):
        """Whether the network before its first step is the linear model."""
        return self.linear_skip and self.network is None


@storable
@dataclass(frozen=True)
class TextNetworkSpec:
    """The same for a text classifier; its inputs are token ids and linear logits."""

    n_tokens: int
    n_outputs: int
    embedding_dim: int
    exclusive: bool = True
    trainable_embeddings: bool = True
    cell: str = "lstm"
    units: tuple = (64,)
    bidirectional: bool = True
    pooling: str = "max"
    word_dropout: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    linear_skip: bool = True

    def build(self, plain=False):
        return build_text_network(self, plain)

    def weight_shapes(self):
        """Shapes of the network's weights by name."""
        width = self.embedding_dim
        shapes = {"embedding/embeddings": (self.n_tokens, width)}
        for i, units in enumerate(self.units):
            names = [f"recurrent_{i}"]
            if self.bidirectional:
                names = [f"both_{i}/forward_recurrent_{i}", f"both_{i}/backward_{i}"]
            for name in names:
                shapes |= cell_shapes(self.cell, name, width, units)
            width = units * len(names)
        if self.pooling == "attention":
            shapes["attention/kernel"] = (width, 1)
        return shapes | dense_shapes("head", width, self.n_outputs)

    @property
    def starts_linear(self):
        return self.linear_skip


def differences(spec, other):
    """In words, in what two specs of one class differ: was and is."""
    pairs = (
        (f.name, getattr(spec, f.name), getattr(other, f.name)) for f in fields(spec)
    )
    return ", ".join(f"{name} was {a} and is {b}" for name, a, b in pairs if a != b)


def dense_shapes(name, n_inputs, n_outputs):
    return {f"{name}/kernel": (n_inputs, n_outputs), f"{name}/bias": (n_outputs,)}


def cell_shapes(cell, name, n_inputs, units):
    n_gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
    prefix = f"{name}/{CELL_NAMES[cell]}"
    width = n_gates * units
    return {
        f"{prefix}/kernel": (n_inputs, width),
        f"{prefix}/recurrent_kernel": (units, width),
        f"{prefix}/bias": (2, width) if cell == "gru" else (width,),
    }


def build_network(spec, plain=False):
    """The Keras model of a spec: (window[, context]) -> (horizon, n_targets).

    window ─ recurrent layers ─ dropout ─┬─ head ─┐
    context ─ hidden layer ──────────────┘        ├─ sum ─ forecast
    window, context ─ linear skip ────────────────┘

    The context's first `n_levels` values are read by the linear skip alone: a level
    outside the training range is a case for a line, not for units that saturate. Its
    last `n_static` values are read by the recurrent layers, too, at each step.
    """
    if spec.network is not None:
        return spec.network(spec.window_shape, spec.n_context, spec.output_shape)
    from keras import Input, Model, layers

    window = Input(spec.window_shape, name="window")
    flat = layers.Flatten(name="flat", dtype=exact_dtype())(window)
    inputs, linear_inputs = [window], [flat]
    read = recent(window, spec)
    if spec.n_context:
        context = Input((spec.n_context,), name="context")
        inputs.append(context)
        linear_inputs.append(context)
    if spec.n_static:
        static = context[:, -spec.n_static :]
        static = layers.RepeatVector(read.shape[1], name="static")(static)
        read = layers.Concatenate(name="read")([read, static])
    state = encode(read, spec, plain)
    if spec.n_context > spec.n_levels:
        ahead = context[:, spec.n_levels :]
        hidden = layers.Dense(
            spec.units[-1], "tanh", name="context_hidden", **blank(plain)
        )(ahead)
        state = layers.Concatenate(name="state")([state, hidden])
    n_outputs = int(np.prod(spec.output_shape))
    exact = {"dtype": exact_dtype()}
    output = layers.Dense(n_outputs, name="head", **blank(plain), **exact)(state)
    if spec.linear_skip:
        if len(linear_inputs) > 1:
            flat = layers.Concatenate(name="linear_inputs", **exact)(linear_inputs)
        else:
            flat = linear_inputs[0]
        # The ridge solution stays as it is, since gradient steps would undo its
        # penalty: on few windows the sum then gets worse before the network helps.
        fixed = {"trainable": False, **blank(plain), **exact}
        skip = layers.Dense(n_outputs, name="skip", **fixed)(flat)
        output = layers.Add(name="sum", **exact)([output, skip])
    forecast = layers.Reshape(spec.output_shape, name="forecast", **exact)(output)
    return Model(inputs if spec.n_context else window, forecast)


def recent(window, spec):
    """The window's last steps, which the recurrent layers read."""
    from keras import layers

    older = spec.window_shape[0] - (spec.recurrent_length or spec.window_shape[0])
    return layers.Cropping1D((older, 0), name="recent")(window) if older else window


def encode(window, spec, plain):
    """The last state of stacked recurrent layers, with dropout after each."""
    from keras import layers

    state = window
    for i, units in enumerate(spec.units):
        last = i == len(spec.units) - 1
        state = recurrent_layer(spec, plain, units, f"recurrent_{i}", not last)(state)
        if spec.dropout:
            state = layers.Dropout(spec.dropout, name=f"dropout_{i}", **seeded(plain))(
                state
            )
    return state


def exact_dtype():
    """Of the layers that end a network and of its linear model, under any policy.

    A mixed policy computes in half precision, whose three digits are too few for these.
    """
    from keras.config import dtype_policy

    return dtype_policy().variable_dtype


def blank(plain, *, recurrent=False):
    """How kernels are built: at zero, since `initial_weights` draws them afterwards.

    Keras would compile each of its draws for each shape, which takes seconds. A plain
    model is its user's, and starts as Keras's own do.
    """
    if plain:
        return {}
    kernels = ["kernel"] + ["recurrent"] * recurrent
    return {f"{kernel}_initializer": "zeros" for kernel in kernels}


def seeded(plain):
    """How layers that drop are built: a seed of their own, set anew before each fit.

    Without one, Keras takes torch's own dropout, which the global seed decides.
    """
    return {} if plain else {"seed": 0}


def recurrent_layer(spec, plain, units, name, return_sequences, **options):
    """A fast layer of `sklstm.layers`, or the plain one of Keras it stands for."""
    if plain:
        from keras import layers
    else:
        from sklstm import layers

    cell = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[spec.cell]
    return cell(
        units,
        return_sequences=return_sequences,
        recurrent_dropout=spec.recurrent_dropout,
        name=name,
        **blank(plain, recurrent=True),
        **seeded(plain),
        **options,
    )


def build_text_network(spec, plain=False):
    """The Keras model of a text spec: (tokens[, linear logits]) -> logits.

    tokens ─ embedding ─ word dropout ─ recurrent layers ─ pooling ─ dropout ─ head ─┐
    linear logits of the n-gram model ────────────────────────────────────────── sum ┴─
    """
    from keras import Input, Model, layers, ops

    tokens = Input((None,), dtype="int32", name="tokens")
    mask = ops.not_equal(tokens, 0)
    state = layers.Embedding(
        spec.n_tokens,
        spec.embedding_dim,
        embeddings_initializer="uniform" if plain else "zeros",
        trainable=spec.trainable_embeddings,
        name="embedding",
    )(tokens)
    if spec.word_dropout:
        noise_shape = (None, None, 1)
        words = {"noise_shape": noise_shape, "name": "words", **seeded(plain)}
        state = layers.Dropout(spec.word_dropout, **words)(state)
    for i, units in enumerate(spec.units):
        sequences = i < len(spec.units) - 1 or spec.pooling != "last"
        # Padding is on the right: no state before it sees it, and pooling leaves out
        # those after it. It is in the way only backwards, and for a last state.
        needed = {"mask": mask} if spec.bidirectional or not sequences else {}
        layer = recurrent_layer(spec, plain, units, f"recurrent_{i}", sequences)
        if spec.bidirectional:
            backward = recurrent_layer(
                spec, plain, units, f"backward_{i}", sequences, go_backwards=True
            )
            layer = layers.Bidirectional(
                layer, backward_layer=backward, name=f"both_{i}"
            )
        state = layer(state, **needed)
    if spec.pooling != "last":
        state = pool(state, mask, spec.pooling, plain)
    if spec.dropout:
        state = layers.Dropout(spec.dropout, name="dropout", **seeded(plain))(state)
    exact = {"dtype": exact_dtype()}
    logits = layers.Dense(spec.n_outputs, name="head", **blank(plain), **exact)(state)
    if not spec.linear_skip:
        return Model(tokens, logits)
    linear = Input((spec.n_outputs,), name="linear")
    return Model([tokens, linear], layers.Add(name="logits", **exact)([logits, linear]))


def pool(states, mask, pooling, plain):
    """One state of each document from those at its tokens; zero where it has none."""
    from keras import layers, ops

    dtype = exact_dtype()
    if states.dtype != dtype:  # what hides padding is infinite in half precision
        states = ops.cast(states, dtype)
    present = ops.cast(mask, states.dtype)[:, :, None]
    if pooling == "max":
        # States lie between -1 and 1.
        highest = ops.max(states * present - 2 * (1 - present), axis=1)
        return highest * ops.max(present, axis=1)
    if pooling == "mean":
        n_tokens = ops.maximum(ops.sum(present, axis=1), 1)
        return ops.sum(states * present, axis=1) / n_tokens
    options = {"use_bias": False, "dtype": dtype, **blank(plain)}
    scores = layers.Dense(1, name="attention", **options)(states)
    scores = scores - 1e9 * (1 - present)
    return ops.sum(ops.softmax(scores, axis=1) * states * present, axis=1)


def initial_weights(shapes, built, rng, skip=None, embeddings=None):
    """Draw a network's first weights with NumPy, alike on every backend.

    Kernels are Glorot-uniform (Glorot and Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014); head and skip start at zero, or the skip at the ridge solution,
    so that an untrained network is the simple model. Others keep what Keras gave them,
    which sets an LSTM's forget bias to one.

    Parameters
    ----------
    shapes : dict of str to tuple
    built : dict of str to ndarray
        The weights Keras built the network with.
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


def orthogonal(shape, rng):
    """Rows (or columns, the fewer) that are orthonormal."""
    rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
