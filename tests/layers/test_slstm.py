"""The sLSTM against the equations of its paper, and its fast loop against Keras's."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklstm._networks import numpy_backward, numpy_forward
from sklstm._networks.cells import slstm
from sklstm.layers import SLSTM, SLSTMCell

jax = pytest.importorskip("jax")
if keras.backend.backend() != "jax":
    pytest.skip("the fast loop is JAX's", allow_module_level=True)
from sklstm.layers import jax_loops  # noqa: E402

jnp = jax.numpy
N_FEATURES, UNITS = 3, 5


def of_the_paper(x, kernel, recurrent_kernel, bias):
    """Outputs of every step by equations 8 to 17 of Beck et al. (2024), 64 bits."""
    h, c, n = np.zeros((3, len(x), len(recurrent_kernel)))
    m = np.full(h.shape, -np.inf)
    outputs = []
    for t in range(x.shape[1]):
        raw = x[:, t] @ kernel + h @ recurrent_kernel + bias
        i, f, z, o = np.split(raw, 4, axis=1)
        log_f = -np.logaddexp(0, -f)
        new_m = np.maximum(log_f + m, i)
        i, f, m = np.exp(i - new_m), np.exp(log_f + m - new_m), new_m
        c = f * c + i * np.tanh(z)
        n = f * n + i
        h = c / n / (1 + np.exp(-o))
        outputs.append(h)
    return np.stack(outputs, axis=1)


def drawn(rng, scale=0.5):
    shapes = (N_FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,)
    return [rng.normal(scale=scale, size=shape) for shape in shapes]


def built(weights, **options):
    """The fast layer, and the same steps in Keras's loop."""
    layers = [SLSTM(UNITS, **options)]
    cell = {k: options.pop(k) for k in list(options) if k in SLSTM.cell_options}
    layers.append(keras.layers.RNN(SLSTMCell(UNITS, **cell), **options))
    for layer in layers:
        layer.build((None, None, N_FEATURES))
        layer.set_weights(weights[: len(layer.get_weights())])
    return layers


@pytest.mark.parametrize("scale", [0.5, 30], ids=["usual", "huge"])
def test_equals_the_equations_of_the_paper(scale):
    rng = np.random.default_rng(0)
    weights, x = drawn(rng, scale), rng.normal(size=(4, 9, N_FEATURES))
    expected = of_the_paper(x, *weights)
    named = {
        f"r/slstm_cell/{part}": value
        for part, value in zip(
            ("kernel", "recurrent_kernel", "bias"), weights, strict=True
        )
    }
    lengths = np.full(4, 9)
    layer = numpy_forward.prepared_weights("slstm", named, "r")
    inputs = numpy_forward.inputs_of(x, layer)
    states, _ = numpy_forward.recurrent("slstm", layer, inputs, lengths)
    assert_allclose(states, expected, rtol=1e-9, atol=1e-9)
    states, _ = numpy_backward.recurrent("slstm", named, "r", x)
    assert_allclose(states, expected, rtol=1e-9, atol=1e-9)
    # Huge weights multiply what 32 bits leave off.
    if scale < 1:
        layer = [part.astype("f") for part in layer]
        inputs = numpy_forward.inputs_of(x.astype("f"), layer)
        states, _ = numpy_forward.recurrent("slstm", layer, inputs, lengths)
        assert_allclose(states, expected, atol=2e-6)
        for keras_layer in built(weights, return_sequences=True):
            assert_allclose(keras_layer(x.astype("f")), expected, atol=2e-6)


def test_gates_beyond_the_range_of_exp_overflow_nowhere():
    raw = np.array([[-1e3, -200.0, 0, 200, 1e3]])
    i, f = np.meshgrid(raw, raw)
    gates = np.concatenate([i, f, np.ones_like(i), np.ones_like(i)], axis=1)
    kernel = np.zeros((5, 20))
    start = [np.zeros((5, 5)), np.full((5, 5), 0.5), np.zeros((5, 5))]
    states, back = slstm.step_and_back(gates, kernel, None, *start)
    found = [*states, *back(*np.ones((3, 5, 5)))]
    none = [None] * 3
    values, way_back = jax.vjp(
        lambda x, *s: jax_loops.slstm(x[None], *none, jnp.asarray(kernel), *s),
        *(jnp.asarray(part, "float32") for part in (gates, *start)),
    )
    gradients = way_back((jnp.ones((1, 5, 5)), *jnp.ones((2, 5, 5))))
    for part in [*found, *values, *gradients]:
        assert np.isfinite(part).all()
    assert_allclose(values[2], states[2], rtol=1e-6, atol=1e-5)


def values_and_gradients(layer, x, mask, state):
    def total(weights, x, state):
        values, _ = layer.stateless_call(
            weights, seeds, x, mask=mask, initial_state=state
        )
        sums = [
            jnp.sum(jnp.sin(p + jnp.arange(p.size).reshape(p.shape)))
            for p in jax.tree.leaves(values)
        ]
        return sum(sums), values

    weights = [w.value for w in layer.trainable_variables]
    seeds = [s.value for s in layer.non_trainable_variables]
    call = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2), has_aux=True))
    (_, values), gradients = call(weights, x, state)
    return jax.tree.leaves((values, gradients))


@pytest.mark.parametrize("kind", [None, "right", "any"])
@pytest.mark.parametrize("backwards", [False, True])
def test_fast_loop_equals_that_of_keras(kind, backwards):
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(4, 7, N_FEATURES)), "float32")
    state = [jnp.asarray(rng.normal(size=(4, UNITS)), "float32") for _ in range(3)]
    masks = {
        None: None,
        "right": np.arange(7) < np.array([[3], [0], [7], [1]]),
        "any": rng.uniform(size=(4, 7)) < 0.6,
    }
    fast, slow = built(
        drawn(rng),
        return_sequences=not backwards,
        return_state=True,
        go_backwards=backwards,
        use_bias=not backwards,
    )
    assert fast.covered()
    found = [
        values_and_gradients(layer, x, masks[kind], state) for layer in (fast, slow)
    ]
    for mine, other in zip(*found, strict=True):
        assert_allclose(mine, other, rtol=2e-5, atol=2e-5)


def test_dropout_is_one_mask_for_all_steps_and_gates():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 7, N_FEATURES)).astype("f")
    both = built(drawn(rng), dropout=0.4, recurrent_dropout=0.4, return_sequences=True)
    kept = rng.uniform(size=(4, N_FEATURES)) < 0.6, rng.uniform(size=(4, UNITS)) < 0.6
    masks = [jnp.asarray(mask, "float32") / 0.6 for mask in kept]
    for layer in both:
        layer.cell._dropout_mask, layer.cell._recurrent_dropout_mask = masks
    mine, other = (layer(x, training=True) for layer in both)
    assert_allclose(mine, other, atol=1e-5)
    still = [layer(x, training=False) for layer in both]
    assert_allclose(*still, atol=1e-5)
    assert not np.allclose(still[0], mine)


def test_other_options_run_in_the_loop_of_keras():
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(2, 4, N_FEATURES)).astype("f"), drawn(rng)
    expected = built(weights)[0](x)
    layer = built(weights, unroll=True)[0]
    assert not layer.covered()
    assert_allclose(layer(x), expected, atol=1e-6)
    half = built(weights, dtype="mixed_bfloat16")[0]
    assert not half.covered()
    assert_allclose(np.asarray(half(x), "f"), expected, atol=0.05)


def test_units_start_with_memories_of_different_lengths():
    layer = SLSTM(UNITS)
    layer.build((None, None, N_FEATURES))
    bias = np.asarray(layer.cell.bias).reshape(4, UNITS)
    assert (bias[[0, 2, 3]] == 0).all()
    assert bias[1, 0] == 5 and bias[1, -1] == -7 and (np.diff(bias[1]) < 0).all()
    alone = SLSTM(1)
    alone.build((None, None, N_FEATURES))
    assert_allclose(alone.cell.bias, [0, 5, 0, 0])


def test_a_stateful_layer_goes_on_and_forgets():
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(2, 6, N_FEATURES)).astype("f"), drawn(rng)
    whole = built(weights)[0](x)
    layer = SLSTM(UNITS, stateful=True)
    layer.build((2, 6, N_FEATURES))
    layer.set_weights(weights)
    first = layer(x[:, :3])
    assert_allclose(layer(x[:, 3:]), whole, atol=1e-6)
    layer.reset_state()
    assert_allclose(layer(x[:, :3]), first, atol=1e-6)


def test_models_with_it_are_saved_and_loaded(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 7, N_FEATURES)).astype("f")
    inner = SLSTM(4, dropout=0.1, kernel_regularizer="l2", return_sequences=True)
    model = keras.Sequential(
        [
            keras.Input((None, N_FEATURES)),
            keras.layers.Bidirectional(inner),
            SLSTM(3, seed=1, activity_regularizer="l1"),
            keras.layers.Dense(1),
        ]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict_on_batch(x), model.predict_on_batch(x))
    config = inner.get_config()
    assert SLSTM.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="activation"):
        SLSTM(3, activation="relu")
