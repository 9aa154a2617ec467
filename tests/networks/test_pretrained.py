"""The pretrained network of the package: properties that hold whatever its weights."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open

from sklstm._networks import pretrained
from sklstm._networks.pretrained import FOLDER, WEIGHTS, shipped_network

# Sums in single precision depend on the number of rows; values are about 10.
FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def contexts():
    rng = np.random.default_rng(0)
    walks = [np.cumsum(rng.normal(size=n)) + 20 for n in (1, 9, 120, 500, 30)]
    walks[2][40:45] = np.nan
    return walks


@pytest.fixture(scope="module")
def forecasts(contexts):
    return shipped_network().forecast(contexts, 60)


def test_forecasts_are_finite_and_quantiles_rise(forecasts):
    assert forecasts.shape == (5, 60, len(shipped_network().arch.quantiles))
    assert np.isfinite(forecasts).all()
    assert (np.diff(forecasts, axis=2) >= 0).all()


def test_intervals_go_on_widening_beyond_the_horizon(forecasts):
    horizon = shipped_network().arch.horizon
    width = forecasts[:, :, -1] - forecasts[:, :, 0]
    assert (width[:, horizon:] >= width[:, [horizon - 1]] * (1 - 1e-9)).all()


def test_series_are_forecast_alike_alone_and_together(contexts, forecasts):
    many = shipped_network().forecast(contexts * 30, 60)
    np.testing.assert_allclose(many, np.tile(forecasts, (30, 1, 1)), **FLOAT32)
    for context, expected in zip(contexts, forecasts, strict=True):
        alone = shipped_network().forecast([context], 60)[0]
        np.testing.assert_allclose(alone, expected, **FLOAT32)


def test_forecasts_go_with_the_units_of_series(contexts, forecasts):
    other = shipped_network().forecast([1e3 * c - 5e4 for c in contexts], 60)
    np.testing.assert_allclose(other, 1e3 * forecasts - 5e4, rtol=1e-3, atol=1)


def test_turned_upside_down_the_forecast_turns(contexts):
    network = shipped_network()
    plain = network.forecast(contexts, 20, flip=True)
    turned = network.forecast([-c for c in contexts], 20, flip=True)
    np.testing.assert_allclose(turned, -plain[:, :, ::-1], **FLOAT32)


def test_rows_before_the_longest_context_are_not_read(contexts, forecasts):
    longer = np.concatenate([np.full(50, 1e6), contexts[3]])
    found = shipped_network().forecast([longer], 60)[0]
    np.testing.assert_allclose(found, forecasts[3], **FLOAT32)


def test_a_constant_series_goes_on():
    made = shipped_network().forecast([np.full(20, 3.0)], 5)
    np.testing.assert_array_equal(made, np.full_like(made, 3.0))


def test_the_weights_are_small_and_have_a_licence():
    folder = pretrained.resources.files("sklstm").joinpath(FOLDER)
    path = folder / WEIGHTS
    assert path.stat().st_size <= 4e6
    with safe_open(path, "numpy") as stored:
        assert stored.metadata()["license"] == "BSD-3-Clause"


def test_damaged_weights_are_not_used(monkeypatch):
    monkeypatch.setattr(pretrained, "shipped_digest", lambda: "0" * 64)
    with pytest.raises(OSError, match="forecaster.safetensors, are damaged"):
        shipped_network.__wrapped__()


def test_forecasts_need_no_keras():
    code = (
        "import sys, numpy as np\n"
        "from sklstm._networks.pretrained import shipped_network\n"
        "shipped_network().forecast([np.arange(30.0)], 3)\n"
        "print({'keras', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
