"""Keras models of the standard networks: encoders and heads, and what composes them."""

import numpy as np

from sklstm._utils.cells import CELLS


def build_network(spec, plain=False):
    """Return the Keras model of a spec: (window[, context]) -> (horizon, n_targets).

    window ─ recurrent layers ─ dropout ─┬─ head ─┐
    context ─ hidden layer ──────────────┘        ├─ sum ─ forecast
    window, context ─ linear skip ────────────────┘

    Only the linear skip reads the first `n_last_values` values of the context, because
    units saturate at a level outside the training range, and a linear model does not.
    The recurrent layers, too, read its last `n_static` values, at each step.
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
    if spec.n_context > spec.n_last_values:
        ahead = context[:, spec.n_last_values :]
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


def build_pretrained(arch, every_patch=False):
    """Return the Keras model of the pretrained network: features -> quantiles.

    patches ─ embedding ─ residual LSTM layers ─┬─ hidden layer ─ head ─ sum ─ quantiles
    patches ────────────────────────────────────┴─ skip ──────────────┘

    Parameters
    ----------
    arch : Architecture
    every_patch : bool
        Whether there are outputs of shape (horizon * n_quantiles,) at every patch, as
        pretraining needs them. Else they are those of the last patch, one quantile
        after the other, as the pinball loss takes them.
    """
    from keras import Input, Model, layers

    from sklstm.layers import LSTM

    patches = seen = Input((None, arch.n_features))
    # Only pretraining starts from random weights.
    kernel, kernels = blank(every_patch), blank(every_patch, recurrent=True)
    state = layers.Dense(arch.units, name="embedding", **kernel)(patches)
    for k in range(arch.n_layers):
        layer = LSTM(arch.units, return_sequences=True, name=f"lstm_{k}", **kernels)
        state = layers.add([state, layer(state)])
    if not every_patch:
        state, seen = state[:, -1], patches[:, -1]
    both = layers.concatenate([state, seen])
    hidden = layers.Dense(arch.hidden, "relu", name="hidden", **kernel)(both)
    output = layers.Dense(arch.n_outputs, name="head", **blank(False))(hidden)
    skip = layers.Dense(arch.n_outputs, use_bias=False, name="skip", **blank(False))
    output = layers.add([output, skip(seen)])
    if not every_patch:
        by_step = layers.Reshape((arch.horizon, -1))(output)
        output = layers.Reshape((-1, 1))(layers.Permute((2, 1))(by_step))
    return Model(patches, output)


def recent(window, spec):
    """Return the last steps of the window, which the recurrent layers read."""
    from keras import layers

    older = spec.window_shape[0] - (spec.recurrent_length or spec.window_shape[0])
    return layers.Cropping1D((older, 0), name="recent")(window) if older else window


def encode(window, spec, plain):
    """Return the last state of stacked recurrent layers, with dropout after each."""
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
    """Return the dtype of the last layers and of the linear model, under any policy.

    A mixed policy computes in half precision, whose three digits are too few for them.
    """
    from keras.config import dtype_policy

    return dtype_policy().variable_dtype


def blank(plain, *, recurrent=False):
    """Return options by which kernels start at zero, as `initial_weights` draws them.

    Keras would compile each of its draws for each shape, which takes seconds. A plain
    model belongs to its user, and starts as models of Keras do.
    """
    if plain:
        return {}
    kernels = ["kernel"] + ["recurrent"] * recurrent
    return {f"{kernel}_initializer": "zeros" for kernel in kernels}


def seeded(plain):
    """Return options by which dropout layers get a seed, which each fit sets anew.

    Without a seed Keras calls the dropout of torch, which follows torch's global seed.
    """
    return {} if plain else {"seed": 0}


def recurrent_layer(spec, plain, units, name, return_sequences, **options):
    """Return a fast layer of `sklstm.layers`, or the Keras layer that it replaces.

    A cell that Keras lacks has the layer of `sklstm.layers` in plain networks, too.
    """
    cell = CELLS[spec.cell]
    if plain and cell.keras_layer is not None:
        from keras import layers

        layer = getattr(layers, cell.keras_layer)
    else:
        from sklstm import layers

        layer = getattr(layers, cell.layer)
    return layer(
        units,
        return_sequences=return_sequences,
        recurrent_dropout=spec.recurrent_dropout,
        name=name,
        **blank(plain, recurrent=True),
        **seeded(plain),
        **options,
    )


def build_text_network(spec, plain=False):
    """Return the Keras model of a text spec: (tokens[, linear logits]) -> logits.

    tokens ─ embedding ─ word dropout ─ recurrent layers ─ pooling ─ dropout ─ head ─┐
    linear logits of the n-gram model ────────────────────────────────────────── sum ┴─
    """
    from keras import Input, Model, layers, ops

    tokens = Input((None,), dtype="int32", name="tokens")
    mask = ops.not_equal(tokens, 0)
    state = tokens
    for i, units in enumerate(spec.units):
        sequences = i < len(spec.units) - 1 or spec.pooling != "last"
        # Padding is on the right: no state before it sees it, and pooling leaves out
        # the states after it. So only a backward layer and a last state need the mask.
        needed = {"mask": mask} if spec.bidirectional or not sequences else {}
        layer = text_layer(spec, plain, units, i, sequences)
        if not i:
            layer = over_words(spec, plain, layer)
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


def text_layer(spec, plain, units, i, sequences):
    """Return the recurrent layer at depth `i`, of both directions if so specified."""
    from keras import layers

    layer = recurrent_layer(spec, plain, units, f"recurrent_{i}", sequences)
    if not spec.bidirectional:
        return layer
    backward = recurrent_layer(
        spec, plain, units, f"backward_{i}", sequences, go_backwards=True
    )
    return layers.Bidirectional(layer, backward_layer=backward, name=f"both_{i}")


def over_words(spec, plain, layer):
    """Return a function of tokens: embedding, word dropout and the recurrent layer."""
    from keras import layers

    embedding = layers.Embedding(
        spec.n_tokens,
        spec.embedding_dim,
        embeddings_initializer="uniform" if plain else "zeros",
        trainable=spec.trainable_embeddings,
        name="embedding",
    )
    dropout = None
    if spec.word_dropout:
        noise_shape = (None, None, 1)
        options = {"noise_shape": noise_shape, "name": "words", **seeded(plain)}
        dropout = layers.Dropout(spec.word_dropout, **options)
    if not plain and loops_in_cpp():
        from sklstm.layers.words import WordReader

        return WordReader(embedding, dropout, layer, name="reader")

    def read(tokens, **mask):
        values = embedding(tokens)
        return layer(values if dropout is None else dropout(values), **mask)

    return read


def loops_in_cpp():
    """Return whether the loops of JAX run in the library in C++."""
    from keras import backend

    if backend.backend() != "jax":
        return False
    from sklstm.layers import native

    return native.in_use is not None


def pool(states, mask, pooling, plain):
    """Return one state a document, from those at its tokens; zeros without tokens."""
    from keras import layers, ops

    dtype = exact_dtype()
    # The numbers that hide padding are infinite in half precision.
    if states.dtype != dtype:
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
