"""A recurrent layer over words, each distinct word of a batch projected once.

A batch of 64 texts of 200 words has about 3,000 distinct words. Their share of the
gates is computed once, in a table that the loops in C++ read. In the backward pass,
gradients of all steps that read a word are added up before they meet the weights. Where
XLA runs the loops, this is slower than to project the word of every step, because XLA
adds row by row.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from sklstm._utils.keras_backend import load_keras
from sklstm.layers import native

keras = load_keras()
ops = keras.ops
CHUNK = 256  # words that are projected at once
PARTS = ("embedding", "dropout", "layer")  # of a `WordReader`


@dataclass(frozen=True)
class Words:
    """The words of a batch.

    Parameters
    ----------
    values : array of shape (n_tokens, width)
        The embedding.
    ids : array of int
        The distinct words; ids that the embedding lacks have zeros.
    n : array of int
        How many of `ids` there are.
    table_rows : array of int of shape (n_steps, batch)
        The position of each step's word in `ids`.
    """

    values: jax.Array
    ids: jax.Array
    n: jax.Array
    table_rows: jax.Array

    def projected(self, kernel, bias):
        """Return the distinct words' share of the gates."""
        bias = jnp.zeros_like(kernel[0]) if bias is None else bias
        return project(self.values, self.ids, self.n, kernel, bias)


@jax.custom_vjp
def project(values, ids, n, kernel, bias):
    """Return ``values[ids] @ kernel + bias``, defined for the first `n` ids."""
    return project_forward(values, ids, n, kernel, bias)[0]


def project_forward(values, ids, n, kernel, bias):
    def body(i, table):
        rows = rows_at(values, part(ids, i)) @ kernel + bias
        return jax.lax.dynamic_update_slice(table, rows, (i * CHUNK, 0))

    # Rows of later chunks are never read, so that zeros would be a waste; older
    # versions of JAX have nothing else.
    table = getattr(jax.lax, "empty", jnp.zeros)((len(ids), len(bias)), bias.dtype)
    return over_chunks(n, body, table), (values, ids, n, kernel)


def project_backward(kept, d_table):
    values, ids, n, kernel = kept

    def body(i, gradients):
        d_values, d_kernel, d_bias = gradients
        is_word = i * CHUNK + jnp.arange(CHUNK) < n
        d_rows = jnp.where(is_word[:, None], part(d_table, i), 0)
        own = part(ids, i)
        d_kernel += rows_at(values, own).T @ d_rows
        d_values = d_values.at[own].add(d_rows @ kernel.T, mode="drop")
        return d_values, d_kernel, d_bias + d_rows.sum(0)

    start = jnp.zeros_like(values), jnp.zeros_like(kernel), jnp.zeros_like(kernel[0])
    d_values, d_kernel, d_bias = over_chunks(n, body, start)
    return d_values, None, None, d_kernel, d_bias


project.defvjp(project_forward, project_backward)


def part(rows, i):
    return jax.lax.dynamic_slice_in_dim(rows, i * CHUNK, CHUNK)


def rows_at(values, ids):
    return values.at[ids].get(mode="fill", fill_value=0)


def over_chunks(n, body, start):
    return jax.lax.fori_loop(0, (n + CHUNK - 1) // CHUNK, body, start)


@keras.saving.register_keras_serializable("sklstm")
class WordReader(keras.layers.Layer):
    """An embedding, dropout of words, and a recurrent layer, which may read both ways.

    Parameters
    ----------
    embedding : keras.layers.Embedding
    dropout : keras.layers.Dropout or None
        Of whole words.
    layer : FastLoop or keras.layers.Bidirectional
        Both directions are put side by side.
    """

    def __init__(self, embedding, dropout, layer, **options):
        super().__init__(**options)
        self.supports_masking = True
        self.embedding, self.dropout, self.layer = embedding, dropout, layer
        # Built here, weights keep the names that they have without a reader.
        embedding.build(None)
        layer.build((None, None, embedding.output_dim))
        self.ways = [layer]
        if isinstance(layer, keras.layers.Bidirectional):
            self.ways = [layer.forward_layer, layer.backward_layer]

    def build(self, shape):
        self.built = True

    def get_config(self):
        parts = {name: getattr(self, name) for name in PARTS}
        own = {k: keras.saving.serialize_keras_object(v) for k, v in parts.items()}
        return super().get_config() | own

    @classmethod
    def from_config(cls, config):
        make = keras.saving.deserialize_keras_object
        return cls(**config | {name: make(config[name]) for name in PARTS})

    def compute_mask(self, tokens, mask=None):
        return None  # No layer above asks for it.

    def compute_output_spec(self, tokens, mask=None, training=False):
        n_axes = 2 if self.ways[0].return_sequences else 1
        width = sum(way.cell.units for way in self.ways)
        shape = *tokens.shape[:n_axes], width
        return keras.KerasTensor(shape, self.compute_dtype)

    def call(self, tokens, mask=None, training=False):
        values = ops.convert_to_tensor(self.embedding.embeddings)
        if not native.serves(values):
            state = self.embedding(tokens)
            if self.dropout is not None:
                state = self.dropout(state, training=training)
            return self.layer(state, mask=mask)
        words = self.words(values, tokens, training)
        states = [way.read(words, mask, training) for way in self.ways]
        if len(states) > 1 and states[1].ndim == 3:
            states[1] = ops.flip(states[1], 1)
        return ops.concatenate(states, -1)

    def words(self, values, tokens, training):
        """Return the words of a batch; those dropped are one without a vector."""
        n_tokens = len(values)
        if self.dropout is not None and training:
            ones = jnp.ones((*tokens.shape, 1), values.dtype)
            is_kept = self.dropout(ones, training=True)[..., 0] > 0
            tokens = jnp.where(is_kept, tokens, n_tokens)
            values = values / (1 - self.dropout.rate)
        most = min(tokens.size, n_tokens + 1)
        size = -(-most // CHUNK) * CHUNK
        ids, table_rows, n = native.distinct(tokens.astype("int32").T, size)
        return Words(values, ids, n, table_rows)
