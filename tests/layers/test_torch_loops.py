"""The fast layers on torch against Keras's own."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("Keras runs on another backend", allow_module_level=True)
import torch  # noqa: E402
from numpy.testing import assert_allclose  # noqa: E402

from sklstm import layers  # noqa: E402
from sklstm.layers import torch_loops  # noqa: E402

NAMES = ["LSTM", "GRU", "SimpleRNN"]
STEPS = np.arange(7)
MASKS = {
    "none": None,
    "right": STEPS < np.array([[3], [0], [7], [1]]),
    "left": STEPS >= np.array([[3], [7], [0], [6]]),
    "block": (STEPS >= 2) & (STEPS < np.array([[3], [5], [2], [7]])),
    "any": np.random.RandomState(1).uniform(size=(4, 7)) < 0.6,
}


def pair(name, **options):
    both = [getattr(home, name)(5, **options) for home in (layers, keras.layers)]
    for layer in both:
        layer.build((None, None, 3))
    rng = np.random.RandomState(0)
    drawn = [rng.normal(scale=0.5, size=w.shape) for w in both[0].get_weights()]
    for layer in both:
        layer.set_weights(drawn)
    return both


def values_and_gradients(layer, x, mask):
    x = torch.tensor(x, requires_grad=True)
    rng = np.random.RandomState(2)
    n_states = 2 if "LSTM" in type(layer).__name__ else 1
    state = [
        torch.tensor(rng.normal(size=(4, 5)).astype("f"), requires_grad=True)
        for _ in range(n_states)
    ]
    mask = None if mask is None else torch.tensor(mask)
    parts = layer(x, mask=mask, initial_state=state)
    total = sum(
        torch.sin(part + torch.arange(part.numel()).reshape(part.shape)).sum()
        for part in parts
    )
    weights = [v.value for v in layer.trainable_variables]
    gradients = torch.autograd.grad(total, [x, *state, *weights])
    return [part.detach().numpy() for part in [*parts, *gradients]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("backwards", [False, True])
def test_equals_keras_in_values_and_gradients(name, mask, backwards):
    x = np.random.RandomState(3).normal(size=(4, 7, 3)).astype("float32")
    fast, slow = pair(
        name,
        return_sequences=not backwards,
        return_state=True,
        go_backwards=backwards,
        use_bias=not backwards,
    )
    assert fast.covered()
    mine, theirs = (values_and_gradients(one, x, MASKS[mask]) for one in (fast, slow))
    for one, other in zip(mine, theirs, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_masks_with_gaps_are_left_to_keras():
    x = torch.zeros(4, 7, 3)
    served = {
        name: torch_loops.serves(x, None if mask is None else torch.tensor(mask))
        for name, mask in MASKS.items()
    }
    assert served == dict.fromkeys(MASKS, True) | {"any": False}
    assert not torch_loops.serves(x.to("meta"), None)


def test_recurrent_dropout_is_left_to_keras():
    assert not layers.LSTM(3, recurrent_dropout=0.1).covered()
    assert layers.LSTM(3, dropout=0.1).covered()
