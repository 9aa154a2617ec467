"""The fast layers against Keras's own: values, gradients, config."""

import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax.experimental import rnn  # noqa: E402
from numpy.testing import assert_allclose  # noqa: E402

from sklstm import layers  # noqa: E402
from sklstm.layers import recurrent  # noqa: E402

NAMES = ["LSTM", "GRU", "SimpleRNN"]
N_FEATURES = 3


def pair(name, units=5, covered=True, **options):
    """Build the fast layer and Keras's layer with the same weights."""
    both = [getattr(home, name)(units, **options) for home in (layers, keras.layers)]
    for layer in both:
        layer.build((None, None, N_FEATURES))
    rng = np.random.RandomState(0)
    # Larger ones make a simple network chaotic: seven steps then multiply the last
    # digit, in which processors differ, beyond any tolerance.
    drawn = [rng.normal(scale=0.5, size=w.shape) for w in both[0].get_weights()]
    both[1].set_weights(drawn)
    both[0].set_weights(both[1].get_weights())
    assert both[0].covered() == covered
    return both


def mask_of(kind, batch, n_steps):
    if kind is None:
        return None
    mask = np.random.RandomState(1).uniform(size=(batch, n_steps)) < 0.6
    if kind == "right":
        mask = np.arange(n_steps) < np.arange(batch)[:, None] % (n_steps + 1)
    return jnp.asarray(mask)


def values_and_gradients(layer, x, mask, state):
    """Return outputs, and gradients of a weighted sum without symmetry."""

    def total(weights, x, state):
        values, _ = layer.stateless_call(
            weights, seeds, x, mask=mask, initial_state=state
        )
        parts = jax.tree.leaves(values)
        sums = [
            jnp.sum(jnp.sin(p + jnp.arange(p.size).reshape(p.shape))) for p in parts
        ]
        return sum(sums), parts

    weights = [w.value for w in layer.trainable_variables]
    seeds = [s.value for s in layer.non_trainable_variables]
    calls = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2), has_aux=True))
    (_, parts), gradients = calls(weights, x, state)
    return parts + jax.tree.leaves(gradients)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "mask, batch, n_steps", [(None, 1, 1), (None, 4, 7), ("right", 4, 7), ("any", 4, 7)]
)
def test_equals_keras_in_values_and_gradients(name, mask, batch, n_steps):
    rng = np.random.RandomState(2)
    x = jnp.asarray(rng.normal(size=(batch, n_steps, N_FEATURES)), jnp.float32)
    state = [jnp.asarray(rng.normal(size=(batch, 5)), jnp.float32)]
    state = state * (2 if name == "LSTM" else 1)
    for backwards in [False, True]:
        fast, slow = pair(
            name,
            return_sequences=not backwards,
            return_state=True,
            go_backwards=backwards,
            use_bias=not backwards,
        )
        mine = values_and_gradients(fast, x, mask_of(mask, batch, n_steps), state)
        theirs = values_and_gradients(slow, x, mask_of(mask, batch, n_steps), state)
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def cudnn_stand_in(x, h, c, weights, lengths, n_features, units, *_):
    """Compute step by step what `jax.experimental.rnn.lstm` returns, without a GPU."""
    parts = rnn.unpack_lstm_weights(weights, n_features, units, 1, False)
    kernel, recurrent, bias, second = (part[0] for part in parts)

    def step(state, inputs):
        h, c = state
        row, t = inputs
        gates = row @ kernel.T + h @ recurrent.T + bias + second
        i, f, g, o = jnp.split(gates, 4, axis=1)
        present = (t < lengths)[:, None]
        new_c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        new_h = jax.nn.sigmoid(o) * jnp.tanh(new_c)
        state = jnp.where(present, new_h, h), jnp.where(present, new_c, c)
        return state, jnp.where(present, new_h, 0)

    steps = x.swapaxes(0, 1), jnp.arange(x.shape[1])
    (h, c), states = jax.lax.scan(step, (h[0], c[0]), steps)
    return states.swapaxes(0, 1), h[None], c[None]


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that layers run on a GPU; return the lengths passed to cuDNN."""
    told = []

    def stand_in(*values):
        jax.debug.callback(lambda lengths: told.append(lengths.tolist()), values[4])
        return cudnn_stand_in(*values)

    monkeypatch.setattr(recurrent, "on_cpu", lambda: False)
    monkeypatch.setattr(recurrent, "on_cudnn", lambda: True)
    monkeypatch.setattr(rnn, "lstm", stand_in)
    return told


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
def test_on_a_gpu_cudnn_reads_padded_rows_by_their_lengths(gpu, backwards, use_bias):
    rng = np.random.RandomState(2)
    x = jnp.asarray(rng.normal(size=(4, 7, N_FEATURES)), jnp.float32)
    state = [jnp.asarray(rng.normal(size=(4, 5)), jnp.float32) for _ in "hc"]
    options = {"return_sequences": True, "return_state": True}
    options |= {"go_backwards": backwards, "use_bias": use_bias}
    fast, slow = pair("LSTM", covered=False, **options)
    for kind, lengths in [("right", [1, 1, 2, 3]), ("any", None)]:
        gpu.clear()
        mask = mask_of(kind, 4, 7)
        mine = values_and_gradients(fast, x, mask, state)
        theirs = values_and_gradients(slow, x, mask, state)
        jax.effects_barrier()
        # Blocks alone, and a row without a step asks for one that is not looked at.
        assert gpu == ([lengths] if lengths else [])
        for one, other in zip(mine, theirs, strict=True):
            assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("gpu")
def test_on_a_gpu_the_rest_is_left_to_keras():
    mask = mask_of("right", 4, 7)
    assert layers.LSTM(5).covered(mask)
    assert not layers.LSTM(5).covered()  # Keras calls cuDNN
    assert not layers.LSTM(5, recurrent_dropout=0.2).covered(mask)
    assert not layers.GRU(5).covered(mask)


@pytest.mark.parametrize("name", NAMES)
def test_a_masked_output_can_be_zero(name):
    x = np.random.RandomState(0).normal(size=(4, 7, N_FEATURES)).astype("float32")
    both = pair(name, return_sequences=True, zero_output_for_mask=True)
    mine, theirs = (layer(x, mask=mask_of("right", 4, 7)) for layer in both)
    assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_one_mask_for_all_steps_and_gates(name):
    """Keras draws a mask for each gate; with all of them alike, it agrees."""
    x = np.random.RandomState(0).normal(size=(4, 7, N_FEATURES)).astype("float32")
    both = pair(name, dropout=0.4, recurrent_dropout=0.4, return_sequences=True)
    if name == "GRU" and not hasattr(both[1].cell, "dropout_mask_count"):
        pytest.skip("this Keras keeps what its GRU dropped out of the state")
    rng = np.random.RandomState(3)
    for width, kind in [(N_FEATURES, "_dropout_mask"), (5, "_recurrent_dropout_mask")]:
        drawn = jnp.asarray(rng.uniform(size=(4, width)) < 0.6, jnp.float32) / 0.6
        for layer in both:
            n_gates = getattr(layer.cell, "dropout_mask_count", None)
            shared = drawn if n_gates is None else [drawn] * n_gates
            setattr(layer.cell, kind, shared)
    mine, theirs = (layer(x, training=True) for layer in both)
    assert_allclose(mine, theirs, atol=1e-5)
    still = [layer(x, training=False) for layer in both]
    assert_allclose(*still, atol=1e-5)
    assert not np.allclose(still[0], mine)


@pytest.mark.parametrize("name", NAMES)
def test_stacked_and_bidirectional_models_train_alike(name):
    rng = np.random.RandomState(0)
    x = rng.normal(size=(16, 6, N_FEATURES)).astype("float32")
    y = rng.normal(size=(16, 2)).astype("float32")
    models = []
    for home in (keras.layers, layers):
        model = keras.Sequential(
            [
                keras.layers.Masking(),
                keras.layers.Bidirectional(
                    getattr(home, name)(4, return_sequences=True)
                ),
                getattr(home, name)(3),
                keras.layers.Dense(2),
            ]
        )
        model(x)
        model.compile("adam", "mse")
        models.append(model)
    weights = [rng.normal(scale=0.5, size=w.shape) for w in models[0].get_weights()]
    for model in models:
        model.set_weights(weights)
        model.fit(x, y, epochs=3, shuffle=False, verbose=0)
    for mine, theirs in zip(*(model.get_weights() for model in models), strict=True):
        assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_config_is_that_of_keras(name):
    fast, slow = pair(name, dropout=0.1, recurrent_dropout=0.2, go_backwards=True)
    mine, theirs = fast.get_config(), slow.get_config()
    del mine["name"], theirs["name"]
    assert mine == theirs
    again = type(fast).from_config(fast.get_config())
    assert again.get_config() == fast.get_config()
    assert [w.path.split("/")[1:] for w in fast.weights] == [
        w.path.split("/")[1:] for w in slow.weights
    ]


def test_without_a_chosen_backend_keras_is_loaded_on_jax():
    free = {name: v for name, v in os.environ.items() if name != "KERAS_BACKEND"}
    code = "import sklstm.layers, keras; print(keras.backend.backend())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=free, capture_output=True, text=True)
    assert done.stdout.strip() == "jax", done.stderr


@pytest.mark.parametrize(
    "options",
    [{"activation": "relu"}, {"unroll": True}, {"dtype": "mixed_bfloat16"}],
    ids=["activation", "unroll", "half precision"],
)
@pytest.mark.parametrize("name", NAMES)
def test_other_options_run_in_the_loop_of_keras(name, options):
    fast, slow = (getattr(home, name)(5, **options) for home in (layers, keras.layers))
    x = np.random.RandomState(0).normal(size=(4, 7, N_FEATURES)).astype("float32")
    slow(x), fast(x)
    fast.set_weights(slow.get_weights())
    assert not fast.covered()
    assert_allclose(
        np.asarray(fast(x), "float32"), np.asarray(slow(x), "float32"), atol=1e-5
    )
