"""The loops in C++ against those of XLA, with every set of instructions there is."""

import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

jax = pytest.importorskip("jax")
if keras.backend.backend() != "jax":
    pytest.skip("the loops are called by JAX", allow_module_level=True)
from sklstm._utils import native_library  # noqa: E402
from sklstm._utils.cells import CELLS  # noqa: E402
from sklstm.layers import jax_loops, native  # noqa: E402

needs_library = pytest.mark.skipif(
    native.in_use is None, reason="the library was not built, or is turned off"
)
jnp = jax.numpy


@pytest.fixture(params=native_library.INSTRUCTIONS)
def instructions(request):
    if not native_library.use(request.param):
        pytest.skip("this processor, or this build, lacks them")
    yield request.param
    native_library.use(native_library.in_use)


def drawn(rng, *shape):
    return jnp.asarray(rng.normal(size=shape), "float32")


def case(cell, n_steps, batch, units, options, seed=0):
    """Arguments of a loop, and gradients of what it gives."""
    rng = np.random.default_rng(seed)
    width = CELLS[cell].n_gates * units
    mask = rng.uniform(size=(n_steps, batch, 1)) < 0.7 if "mask" in options else None
    drop = drawn(rng, batch, units) if "drop" in options else None
    kernel = drawn(rng, units, width) / np.sqrt(units)
    bias = [drawn(rng, width)] if cell == "gru" else []
    states = [drawn(rng, batch, units) for _ in CELLS[cell].initial_state]
    mask = None if mask is None else jnp.asarray(mask)
    gates, place = drawn(rng, n_steps, batch, width), None
    if "words" in options:
        gates, place = drawn(rng, 9, width), rng.integers(0, 7, (n_steps, batch))
        # Places that no step reads have sums that nobody reads; here one in between.
        place = jnp.asarray(np.where(place == 3, 8, place), "int32")
    loop = gates, place, mask, drop, kernel, *bias, *states
    gradients = drawn(rng, n_steps, batch, units), *states[1:]
    return loop, gradients if len(states) > 1 else gradients[0]


def there_and_back(cell, loop, gradients):
    """What a loop gives, then its gradients."""

    @jax.jit
    def both(loop, gradients):
        given, back = jax.vjp(getattr(jax_loops, cell), *loop)
        return given, back(gradients)

    made = jax.tree.leaves(both(loop, gradients))
    return [np.asarray(v) for v in made if v.dtype != jax.dtypes.float0]  # masks


def of_xla(cell, loop, gradients, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(native, "in_use", None)
        return there_and_back(cell, loop, gradients)


@needs_library
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 13, 20), (4, 9, 64), (3, 7, 85)])
@pytest.mark.parametrize("options", [(), ("mask", "drop"), ("words", "mask")])
def test_equal_those_of_xla(cell, shape, options, instructions, monkeypatch):
    loop, gradients = case(cell, *shape, options)
    found = there_and_back(cell, loop, gradients)
    expected = of_xla(cell, loop, gradients, monkeypatch)
    assert len(found) == len(expected)
    for mine, other in zip(found, expected, strict=True):
        if "words" in options and len(mine) == 9:
            highest = int(loop[1].max())
            mine, other = mine[: highest + 1], other[: highest + 1]
        assert_allclose(mine, other, atol=3e-6 * max(1, abs(other).max()))


@needs_library
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [(), ("mask", "drop")])
def test_a_row_has_the_same_bytes_in_any_batch(cell, options, instructions):
    loop, gradients = case(cell, 4, 17, 37, options)
    of_batch = by_row(cell, there_and_back(cell, loop, gradients))
    for first, last in [(0, 1), (2, 4), (5, 8), (3, 7), (12, 17), (1, 7), (4, 11)]:
        rows = slice(first, last)
        part = [cut(value, 17, rows) for value in loop]
        parts = jax.tree.map(lambda value, rows=rows: cut(value, 17, rows), gradients)
        alone = by_row(cell, there_and_back(cell, part, parts))
        for mine, whole in zip(alone, of_batch, strict=True):
            assert_array_equal(mine, whole[rows])


def cut(value, batch, rows):
    """Some rows of an array whose first or second axis is the batch; others whole."""
    if value is None or batch not in value.shape[:2]:
        return value
    return value[rows] if value.shape[0] == batch else value[:, rows]


def by_row(cell, values):
    """Outputs and gradients by row, without those of weights, which sum over rows."""
    n_states = CELLS[cell].n_states
    states, d_gates = values[:n_states], values[n_states]
    first, *last = states
    d_first = values[-n_states:]
    return [first.swapaxes(0, 1), *last, d_gates.swapaxes(0, 1), *d_first]


@needs_library
def test_one_thread_and_many_give_the_same_bytes():
    code = (
        "import os, sys, hashlib\n"
        "if sys.argv[1] == 'one':\n"
        "    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import test_native as t\n"
        "for cell in t.CELLS:\n"
        "    made = t.there_and_back(cell, *t.case(cell, 9, 40, 33, ()))\n"
        "    made = t.by_row(cell, made)\n"
        "    print(hashlib.sha256(b''.join(v.tobytes() for v in made)).hexdigest())\n"
    )
    here = os.path.dirname(__file__)
    paths = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    found = [
        subprocess.run(
            [sys.executable, "-c", code, n_threads],
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n_threads in ("one", "many")
    ]
    assert found[0] == found[1] and found[0].count("\n") == len(CELLS)


@needs_library
def test_other_dtypes_and_a_keras_distribution_are_left_to_xla(monkeypatch):
    gates = jnp.zeros((2, 3, 4), "float32")
    assert native.serves(gates)
    assert not native.serves(gates.astype("bfloat16"))
    monkeypatch.setattr(keras.distribution, "distribution", lambda: "shared")
    assert not native.serves(gates)


@pytest.mark.skipif(not hasattr(jax, "ffi"), reason="this JAX has no jax.ffi")
@pytest.mark.parametrize(
    "major, minor, expected",
    [(0, 3, True), (0, 2, True), (0, 1, False), (0, 4, False), (1, 3, False)],
)
def test_a_library_for_another_interface_of_xla_is_not_loaded(
    major, minor, expected, tmp_path, monkeypatch
):
    header = tmp_path / "xla" / "ffi" / "api" / "c_api.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define XLA_FFI_API_MAJOR 0\n#define XLA_FFI_API_MINOR 3\n")
    monkeypatch.setattr(jax.ffi, "include_dir", lambda: str(tmp_path))
    library = SimpleNamespace(sklstm_major=lambda: major, sklstm_minor=lambda: minor)
    assert native.has_interface_of(library) == expected


@pytest.mark.parametrize(
    "wish, expected", [("0", "None"), ("plain", "plain"), ("no such set", "None")]
)
def test_the_environment_chooses(wish, expected):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from sklstm.layers import native; print(native.in_use)",
        ],
        env=os.environ | {"SKLSTM_NATIVE": wish},
        capture_output=True,
        text=True,
        check=True,
    )
    built = native_library.LIBRARY.exists() and hasattr(jax, "ffi")
    assert done.stdout.strip() == (expected if built else "None")
