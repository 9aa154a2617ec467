"""The library in C++ beside the forward pass in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm._networks import native_forward, numpy_forward
from sklstm._networks.pretrained import shipped_network
from sklstm._networks.spec import POOLINGS, NetworkSpec, TextNetworkSpec, cell_shapes
from sklstm._text.sequences import Sequences
from sklstm._utils import native_library
from sklstm._utils.cells import CELLS
from sklstm._windows.dataset import ReadyWindows

pytestmark = pytest.mark.skipif(
    native_library.in_use is None, reason="the library was not built, or is turned off"
)


@pytest.fixture(params=native_library.INSTRUCTIONS)
def instructions(request):
    if not native_library.use(request.param):
        pytest.skip("this processor, or this build, lacks them")
    yield request.param
    native_library.use(native_library.in_use)


def drawn(shapes):
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=shape) / np.sqrt(max(shape[0], 1))
        for name, shape in shapes.items()
    }


def both(function, monkeypatch):
    """Return what the library and NumPy give."""
    found = function()
    with monkeypatch.context() as patch:
        patch.setattr(native_forward, "is_available", lambda: False)
        return found, function()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("result", native_forward.RESULTS)
@pytest.mark.parametrize("units", [1, 20, 33])
def test_layers_equal_those_in_numpy(
    cell, backward, result, units, instructions, monkeypatch
):
    weights = drawn(cell_shapes(cell, "r", 3, units))
    rng = np.random.default_rng(1)
    values = rng.normal(size=(60, 5, 3))
    lengths = np.sort(rng.integers(0, 6, 60))[::-1].copy()
    lengths[0] = 5
    for given in (None, lengths):
        found, expected = both(
            lambda given=given: numpy_forward.layer_reader(cell, weights, "r")(
                values, None, given, backward=backward, result=result
            ),
            monkeypatch,
        )
        assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_has_the_same_bytes_in_any_batch(cell, instructions):
    weights = drawn(cell_shapes(cell, "r", 3, 20))
    values = np.random.default_rng(1).normal(size=(60, 5, 3))
    lengths = np.arange(60)[::-1] // 11

    def read(rows):
        layer = numpy_forward.layer_reader(cell, weights, "r")
        return layer(values[rows], None, lengths[rows], result="all")

    together = read(slice(None))
    for first, last in [(0, 1), (59, 60), (3, 8), (7, 58)]:
        assert_array_equal(read(slice(first, last)), together[first:last])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("many_tokens", [0, 2**18])
def test_texts_equal_those_in_numpy(pooling, many_tokens, monkeypatch):
    monkeypatch.setattr(numpy_forward, "MANY_TOKENS", many_tokens)
    spec = TextNetworkSpec(30, 2, 5, units=(9, 4), pooling=pooling, linear_skip=False)
    weights, rng = drawn(spec.weight_shapes()), np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 9, 70))])
    texts = Sequences(rng.integers(1, 30, offsets[-1]), offsets)
    found, expected = both(
        lambda: numpy_forward.predict_text(spec, weights, texts), monkeypatch
    )
    assert_allclose(found, expected, atol=1e-6)
    assert (found != expected).any()


def test_windows_equal_those_in_numpy(monkeypatch):
    spec = NetworkSpec((6, 2), 0, (2, 3), units=(9, 4))
    weights = drawn(spec.weight_shapes())
    data = ReadyWindows(np.random.default_rng(1).normal(size=(60, 6, 2)))
    found, expected = both(
        lambda: numpy_forward.predict(spec, weights, data, np.arange(60)), monkeypatch
    )
    assert_allclose(found, expected, atol=1e-6)
    assert (found != expected).any()


def test_the_pretrained_network_equals_that_in_numpy(monkeypatch):
    rng, network = np.random.default_rng(0), shipped_network()
    contexts = [rng.normal(size=n).cumsum() for n in (336, 40, 5)]
    # Not the shared network, which keeps its layers.
    found, expected = both(lambda: replace(network).forecast(contexts, 50), monkeypatch)
    assert_allclose(found, expected, atol=1e-4)
    assert (found != expected).any()
