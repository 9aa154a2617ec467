import numpy as np
import pytest

from sklstm._networks import native_forward, numpy_backward, numpy_forward
from sklstm._networks.spec import POOLINGS, NetworkSpec, TextNetworkSpec
from sklstm._text.sequences import Sequences
from sklstm._utils.cells import CELLS

rng = np.random.default_rng(0)


def drawn(spec):
    return {name: rng.normal(size=s) for name, s in spec.weight_shapes().items()}


def by_differences(function, point, step=1e-6):
    """Return the gradient of a function by finite differences."""
    result = np.empty(point.size)
    for i in range(point.size):
        move = np.zeros(point.size)
        move[i] = step
        move = move.reshape(point.shape)
        result[i] = (function(point + move) - function(point - move)) / (2 * step)
    return result.reshape(point.shape)


@pytest.fixture(autouse=True)
def forward_in_64_bits(monkeypatch):
    monkeypatch.setattr(native_forward, "is_available", lambda: False)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [(3,), (4, 3)])
@pytest.mark.parametrize(
    "n_context, n_last_values, n_static", [(0, 0, 0), (3, 1, 0), (2, 2, 0), (3, 1, 2)]
)
@pytest.mark.parametrize("linear_skip, recurrent_length", [(True, 3), (False, None)])
def test_of_window_networks(
    cell, units, n_context, n_last_values, n_static, linear_skip, recurrent_length
):
    spec = NetworkSpec(
        (5, 2),
        n_context,
        (2, 1),
        n_last_values,
        cell,
        units,
        linear_skip=linear_skip,
        recurrent_length=recurrent_length,
        n_static=n_static,
    )
    weights = drawn(spec)
    window, context = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, n_context))
    output, back = numpy_backward.window_network(spec, weights, window, context)
    forecast = numpy_forward.forward(spec, weights, window, context)
    np.testing.assert_allclose(output.reshape(forecast.shape), forecast)
    chosen = rng.normal(size=output.shape)

    def value(window, context):
        return np.sum(
            chosen * numpy_backward.window_network(spec, weights, window, context)[0]
        )

    d_window, d_context = back(chosen)
    expected = by_differences(lambda w: value(w, context), window)
    np.testing.assert_allclose(d_window, expected, atol=1e-7)
    expected = by_differences(lambda c: value(window, c), context)
    np.testing.assert_allclose(d_context, expected, atol=1e-7)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("units, bidirectional", [((3,), False), ((4, 3), True)])
def test_of_text_networks(cell, pooling, units, bidirectional):
    spec = TextNetworkSpec(
        9, 2, 3, cell=cell, units=units, bidirectional=bidirectional, pooling=pooling
    )
    weights = drawn(spec)
    tokens = rng.integers(1, 9, (2, 4))
    vectors = weights["embedding/embeddings"][tokens]
    logits, back = numpy_backward.text_network(spec, weights, vectors)
    sequences = Sequences(tokens.ravel(), np.array([0, 4, 8]))
    expected = numpy_forward.predict_text(spec, weights, sequences, linear=0)
    np.testing.assert_allclose(logits, expected)
    chosen = rng.normal(size=logits.shape)

    def value(vectors):
        return np.sum(chosen * numpy_backward.text_network(spec, weights, vectors)[0])

    expected = by_differences(value, vectors)
    np.testing.assert_allclose(back(chosen), expected, atol=1e-7)


def test_integrated_of_a_polynomial_is_exact():
    # x * y: by symmetry each has half of what the path gains
    parts = numpy_backward.integrated(
        lambda p: p[:, ::-1], np.zeros(2), np.array([3, 4]), 2
    )
    np.testing.assert_allclose(parts, [6, 6])
