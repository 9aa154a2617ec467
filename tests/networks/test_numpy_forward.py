import numpy as np
import pytest
from threadpoolctl import threadpool_info

from sklstm._networks import numpy_forward
from sklstm._networks.initial_weights import initial_weights
from sklstm._networks.spec import POOLINGS, NetworkSpec, TextNetworkSpec
from sklstm._text.sequences import Sequences
from sklstm._utils.blas import one_thread
from sklstm._utils.cells import CELLS
from sklstm._windows.dataset import ReadyWindows


class WithContext(ReadyWindows):
    def inputs(self, indices):
        return self.X[indices], self.X[indices, :3, 0]


def starts_as_keras_builds(spec, model):
    """Check names and shapes, in order because weights are drawn in it, and biases."""
    shapes = [(v.path, v.shape) for v in model.weights]
    assert list(spec.weight_shapes().items()) == shapes
    first = initial_weights(spec, np.random.RandomState(0))
    for variable in model.weights:
        if variable.path.endswith("bias"):
            np.testing.assert_array_equal(variable, first[variable.path])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [(3,), (5, 4)])
@pytest.mark.parametrize(
    "n_context, n_last_values, n_static",
    [(0, 0, 0), (3, 0, 0), (3, 2, 0), (3, 3, 0), (3, 1, 2)],
)
@pytest.mark.parametrize("linear_skip, recurrent_length", [(True, 4), (False, None)])
def test_equals_keras(
    cell, units, n_context, n_last_values, n_static, linear_skip, recurrent_length
):
    spec = NetworkSpec(
        (6, 2),
        n_context,
        (2, 3),
        n_last_values,
        cell,
        units,
        linear_skip=linear_skip,
        recurrent_length=recurrent_length,
        n_static=n_static,
    )
    model = spec.build()
    starts_as_keras_builds(spec, model)
    rng = np.random.default_rng(0)
    weights = {v.path: rng.normal(size=v.shape) for v in model.weights}
    for variable in model.weights:
        variable.assign(weights[variable.path])
    X = rng.normal(size=(7, 6, 2))
    data = (WithContext if n_context else ReadyWindows)(X)
    rows = np.arange(7)
    window, context = data.inputs(rows)
    inputs = [window.astype("float32"), context.astype("float32")]
    expected = model.predict_on_batch(inputs if n_context else inputs[0])
    ours = numpy_forward.predict(spec, weights, data, rows)
    np.testing.assert_allclose(ours, expected, atol=2e-5)
    one = numpy_forward.predict(spec, weights, data, rows[3:4])
    np.testing.assert_allclose(one[0], ours[3], rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("units, bidirectional", [((3,), False), ((4, 3), True)])
def test_texts_equal_keras(cell, units, bidirectional, pooling):
    spec = TextNetworkSpec(
        9, 2, 5, cell=cell, units=units, bidirectional=bidirectional, pooling=pooling
    )
    model = spec.build()
    starts_as_keras_builds(spec, model)
    rng = np.random.default_rng(0)
    weights = {v.path: rng.normal(size=v.shape) for v in model.weights}
    for variable in model.weights:
        variable.assign(weights[variable.path])
    lengths = np.array([3, 0, 7, 1, 7])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequences = Sequences(rng.integers(1, 9, offsets[-1]), offsets)
    linear = rng.normal(size=(5, 2))
    expected = model.predict_on_batch([sequences.padded(10), linear.astype("float32")])
    ours = numpy_forward.predict_text(spec, weights, sequences, linear)
    np.testing.assert_allclose(ours, expected, atol=2e-5)
    one = numpy_forward.predict_text(spec, weights, sequences.take([3]), linear[3:4])
    np.testing.assert_allclose(one[0], ours[3], rtol=1e-10)


def test_many_tokens_are_read_in_32_bits_alike(monkeypatch):
    spec = TextNetworkSpec(30, 1, 8, units=(16,), pooling="attention")
    rng = np.random.default_rng(0)
    weights = {v.path: rng.normal(size=v.shape) for v in spec.build().weights}
    weights = {name: w / np.sqrt(max(w.shape[0], 1)) for name, w in weights.items()}
    lengths = rng.integers(0, 200, 50)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequences = Sequences(rng.integers(1, 30, offsets[-1]), offsets)
    linear = np.zeros((50, 1))
    exact = numpy_forward.predict_text(spec, weights, sequences, linear)
    monkeypatch.setattr(numpy_forward, "MANY_TOKENS", 0)
    fast = numpy_forward.predict_text(spec, weights, sequences, linear)
    assert (exact != fast).any()
    np.testing.assert_allclose(fast, exact, atol=2e-6)


def test_parts_side_by_side_leave_blas_as_it_was(monkeypatch):
    def n_threads():
        info = threadpool_info()
        return [one["num_threads"] for one in info if one["user_api"] == "blas"]

    before, results = n_threads(), np.zeros(9)

    def work(part):
        results[part] = part + 1

    numpy_forward.side_by_side(work, list(range(9)))
    np.testing.assert_array_equal(results, np.arange(9) + 1)
    with pytest.raises(ZeroDivisionError):
        numpy_forward.side_by_side(lambda part: 1 / part, list(range(9)))
    assert n_threads() == before
    with one_thread:  # another thread is at it: this one works alone, and does not wait
        numpy_forward.side_by_side(work, list(range(9)))
        assert set(n_threads()) == {1}
    assert n_threads() == before


def test_many_windows_equal_few():
    spec = NetworkSpec((6, 1), 0, (1, 1), units=(3,), linear_skip=False)
    rng = np.random.default_rng(0)
    weights = {n: rng.normal(size=shape) for n, shape in spec.weight_shapes().items()}
    data = ReadyWindows(rng.normal(size=(2100, 6, 1)), np.zeros((2100, 1, 1)))
    together = numpy_forward.predict(spec, weights, data, np.arange(2100))
    alone = numpy_forward.predict(spec, weights, data, np.arange(2000, 2100))
    np.testing.assert_allclose(together[2000:], alone, rtol=1e-10)
