import keras
import numpy as np
import pytest

from sklstm import LSTMForecaster
from sklstm._training import compiled, jax_steps
from sklstm._training.jax_steps import StepLoops

BATCH = 4


def model(**options):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 1))
    state = keras.layers.LSTM(3)(inputs)
    state = keras.layers.Dropout(0.5, seed=1)(state)
    one = keras.Model(
        inputs, keras.layers.Dense(1)(keras.layers.BatchNormalization()(state))
    )
    one.compile("adam", "mse", weighted_metrics=["mae"], **options)
    one.optimizer.build(one.trainable_variables)
    return one


@pytest.fixture
def block():
    rng = np.random.default_rng(0)
    shapes = (6, BATCH, 5, 1), (6, BATCH, 1), (6, BATCH)
    X, y, weights = (rng.random(shape).astype("float32") for shape in shapes)
    return X, y, weights


@pytest.mark.parametrize("options", [{}, {"loss_weights": 2.0}])
def test_a_block_is_as_good_as_its_batches_one_by_one(block, options):
    X, y, weights = block
    one_by_one, at_once = model(**options), model(**options)
    expected = []
    for i in range(4):
        one_by_one.reset_metrics()
        expected.append(one_by_one.train_on_batch(X[i], y[i], sample_weight=weights[i]))
    loops = StepLoops(at_once, 2)
    np.testing.assert_allclose(loops.train(block, 4), expected, rtol=1e-5)
    for a, b in zip(at_once.variables, one_by_one.variables, strict=True):
        if "seed" not in a.path:
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert int(at_once.optimizer.iterations) == 4

    expected = []
    for i in range(3):
        one_by_one.reset_metrics()
        expected.append(one_by_one.test_on_batch(X[i], y[i], sample_weight=weights[i]))
    before = [np.array(v) for v in at_once.trainable_variables]
    np.testing.assert_allclose(loops.test(block, 3), expected, rtol=1e-4)
    for value, variable in zip(before, at_once.trainable_variables, strict=True):
        np.testing.assert_array_equal(value, variable)


def test_any_number_of_steps_is_compiled_once(block):
    at_once, calls = model(), []
    step = at_once.train_step
    at_once.train_step = lambda *args: calls.append(1) or step(*args)
    loops = StepLoops(at_once, 2)
    for n in (1, 6, 3):
        assert loops.train(block, n).shape == (n, 2)
    assert len(calls) == 1


def test_steps_that_are_not_optimised_are_as_good(block):
    values = []
    for unoptimised in (False, True):
        loops = StepLoops(model(), 2)
        loops.unoptimised = unoptimised
        values.append([loops.train(block, 4), loops.test(block, 4)])
    np.testing.assert_allclose(values[0], values[1], rtol=1e-4)


def test_only_short_training_is_not_optimised(monkeypatch, passengers):
    used = []
    block = compiled.CompiledNetwork.train_block

    def noted(network, *batch):
        used.append(network.step_loops.unoptimised)
        return block(network, *batch)

    monkeypatch.setattr(compiled.CompiledNetwork, "train_block", noted)
    f = LSTMForecaster(12, 3, units=3, epochs=1, early_stopping=False, random_state=0)
    f.set_params(pretrained="frozen").fit(passengers)  # Fine-tuning is not short.
    assert set(used) == {True}
    monkeypatch.setattr(compiled, "FEW_PRODUCTS", 0)
    f.fit(passengers)
    assert used[-1] is False


def test_versions_of_jax_without_the_options_optimise(block, monkeypatch):
    jit, probe = jax_steps.jax.jit, jax_steps.compiles_unoptimised.__wrapped__
    monkeypatch.setattr(jax_steps.jax, "jit", lambda run: jit(run))
    monkeypatch.setattr(jax_steps, "compiles_unoptimised", probe)
    assert not probe()
    loops = StepLoops(model(), 2)
    loops.unoptimised = True
    assert loops.train(block, 2).shape == (2, 2)
