import numpy as np
import pytest

from sklstm._networks.ensemble import ensemble_spec, merge_members, split_members
from sklstm._networks.numpy_forward import forward
from sklstm._networks.spec import NetworkSpec
from sklstm._utils.cells import CELLS


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("n_context", [1, 5])
def test_the_wide_network_gives_the_mean_of_its_members(cell, n_context):
    rng = np.random.default_rng(0)
    spec = NetworkSpec((6, 2), n_context, (3, 1), 1, cell, units=(4, 3))
    shapes = spec.weight_shapes()
    members = [
        {
            name: rng.normal(size=shape).astype(np.float32)
            for name, shape in shapes.items()
        }
        for _ in range(3)
    ]
    together = merge_members(spec, members)
    both = ensemble_spec(spec, 3)
    assert {name: w.shape for name, w in together.items()} == both.weight_shapes()
    window, context = rng.normal(size=(5, 6, 2)), rng.normal(size=(5, n_context))
    alone = [forward(spec, member, window, context) for member in members]
    actual = forward(both, together, window, context)
    np.testing.assert_allclose(actual, np.mean(alone, axis=0), rtol=1e-4, atol=1e-5)
    again = split_members(spec, together, 3)
    for member, own in zip(again, members, strict=True):
        for name in set(own) - {"head/bias", "skip/kernel", "skip/bias"}:
            np.testing.assert_allclose(member[name], own[name], rtol=1e-6)
    np.testing.assert_array_equal(
        merge_members(spec, again)["head/kernel"], together["head/kernel"]
    )
