"""A layer over words beside the network that projects every place of a batch."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

if keras.backend.backend() != "jax":
    pytest.skip("only loops of JAX read words", allow_module_level=True)
from sklstm._networks import keras_models  # noqa: E402
from sklstm._networks.spec import TextNetworkSpec  # noqa: E402
from sklstm._training import losses  # noqa: E402
from sklstm._training.compiled import CompiledNetwork  # noqa: E402
from sklstm._training.settings import Settings  # noqa: E402
from sklstm.layers import native  # noqa: E402

N_TOKENS, BATCH, LENGTH, N_STEPS = 400, 8, 24, 2
pytestmark = pytest.mark.skipif(
    native.in_use is None, reason="the library was not built, or is turned off"
)


def batches(seed=0):
    """Return padded texts, one of them empty, and targets."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, N_TOKENS, (N_STEPS, BATCH, LENGTH)).astype("int32")
    lengths = rng.integers(1, LENGTH, (N_STEPS, BATCH, 1))
    lengths[0, 0] = 0
    tokens[np.arange(LENGTH) >= lengths] = 0
    return tokens, rng.integers(0, 2, (N_STEPS, BATCH, 1)).astype("float32")


def trained(spec):
    """Return losses and weights after two steps of gradient descent."""
    settings = Settings(
        1, BATCH, "sgd", 0.1, None, None, losses.binary_loss, False, 1, 0, 0
    )
    network = CompiledNetwork(spec, settings)
    rng = np.random.default_rng(1)
    start = {
        name: rng.normal(scale=0.3, size=value.shape)
        for name, value in network.get_weights().items()
    }
    network.reset(start, 0.1, np.random.RandomState(2))
    weights = np.ones((N_STEPS, BATCH), "float32")
    found = network.train_block(*batches(), weights, N_STEPS)
    return network, found, network.test_block(*batches(3), weights, N_STEPS)


@pytest.mark.parametrize(
    "options",
    [
        {"word_dropout": 0.3, "recurrent_dropout": 0.2, "units": (12, 8)},
        {"cell": "gru", "bidirectional": False, "pooling": "last"},
        {"cell": "rnn", "trainable_embeddings": False},
        {"cell": "slstm", "pooling": "last", "word_dropout": 0.3},
    ],
    ids=str,
)
def test_training_equals_that_of_every_place(options, monkeypatch):
    shape = {"n_tokens": N_TOKENS, "n_outputs": 1, "embedding_dim": 20}
    spec = TextNetworkSpec(**shape, linear_skip=False, **({"units": (12,)} | options))
    network, *found = trained(spec)
    assert any(layer.name == "reader" for layer in network.model.layers)
    monkeypatch.setattr(keras_models, "loops_in_cpp", lambda: False)
    other, *expected = trained(spec)
    assert list(network.variables) == list(other.variables)
    for mine, theirs in zip(found, expected, strict=True):
        assert_allclose(mine, theirs, atol=1e-6)
    after = other.get_weights()
    for name, value in network.get_weights().items():
        assert_allclose(value, after[name], atol=1e-6, err_msg=name)


def test_a_reader_comes_back_from_its_configuration():
    spec = TextNetworkSpec(9, 1, 4, units=(3,), word_dropout=0.2, linear_skip=False)
    model = spec.build()
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    tokens = np.array([[1, 8, 0, 0], [3, 3, 3, 2]])
    assert_array_equal(again.predict_on_batch(tokens), model.predict_on_batch(tokens))


def test_half_precision_reads_every_place(monkeypatch):
    spec = TextNetworkSpec(N_TOKENS, 1, 4, units=(3,), linear_skip=False)
    with monkeypatch.context() as patch:
        patch.setattr(native, "distinct", None)
        previous = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            _, found, _ = trained(spec)
        finally:
            keras.config.set_dtype_policy(previous)
    assert np.isfinite(found).all()


def test_places_lead_back_to_the_tokens():
    tokens = np.array([[5, 0, 5], [7, 5, 2**17]], "int32")
    ids, place, n = native.distinct(tokens, 6)
    assert n == 4
    assert_array_equal(np.asarray(ids)[np.asarray(place)], tokens)
    assert_array_equal(ids, [5, 0, 7, 2**17, 0, 0])
