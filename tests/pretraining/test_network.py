"""The network: Keras and NumPy agree, and a killed training goes on."""

import argparse
import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest

from pretraining import batches, checkpoint
from pretraining import train as training
from pretraining.batches import job_batches, make_batch
from pretraining.export import export
from pretraining.network import Architecture, build, features, n_parameters
from sklstm._networks.pretrained import Pretrained, load_weights

SMALL = Architecture(patch=4, units=6, n_layers=2, hidden=5)


def random_weights():
    rng = np.random.default_rng(0)
    return {
        variable.path: rng.normal(0, 0.3, variable.shape).astype(np.float32)
        for variable in build(SMALL).trainable_variables
    }


@pytest.fixture(scope="module")
def network():
    model, weights = build(SMALL), random_weights()
    for variable in model.trainable_variables:
        variable.assign(weights[variable.path])
    return model, Pretrained(SMALL, weights)


def test_the_number_of_weights_is_as_counted(network):
    assert network[0].count_params() == n_parameters(SMALL)


def test_numpy_gives_what_keras_gives(network):
    model, pretrained = network
    batch = make_batch(7, 6, SMALL.patch, 0, last_origin=True)
    n = 6 * SMALL.patch
    read = features(np, SMALL, batch.values[:, :n], batch.known[:, :n], batch.step)
    expected = np.asarray(model(read))[:, -1].reshape(7, SMALL.horizon, -1)
    made = pretrained.outputs(read, np.full(7, 6))
    np.testing.assert_allclose(made, expected, atol=2e-5)


@pytest.fixture
def contexts():
    rng = np.random.default_rng(0)
    return [np.cumsum(rng.normal(size=n)) + 20 for n in (9, 120, 500, 30)]


def test_series_are_forecast_the_same_alone_and_together(network, contexts):
    together = network[1].forecast(contexts, 10)
    for k, context in enumerate(contexts):
        np.testing.assert_allclose(
            network[1].forecast([context], 10)[0], together[k], rtol=1e-4
        )


def test_forecasts_go_with_the_units_of_the_series(network, contexts):
    plain = network[1].forecast(contexts, 60)
    other = network[1].forecast([1e3 * c - 5e4 for c in contexts], 60)
    assert plain.shape == (4, 60, len(SMALL.quantiles))
    np.testing.assert_allclose(other, 1e3 * plain - 5e4, rtol=1e-3, atol=1)


def test_quantiles_rise(network, contexts):
    assert (np.diff(network[1].forecast(contexts, 48), axis=2) >= 0).all()


def test_turned_upside_down_the_forecast_turns(network, contexts):
    plain = network[1].forecast(contexts, 20, flip=True)
    turned = network[1].forecast([-c for c in contexts], 20, flip=True)
    np.testing.assert_allclose(turned, -plain[:, :, ::-1], rtol=1e-4)


def test_a_constant_series_goes_on(network):
    made = network[1].forecast([np.full(20, 3.0)], 5)
    np.testing.assert_array_equal(made, np.full((1, 5, len(SMALL.quantiles)), 3.0))


def settings(folder, total):
    return argparse.Namespace(
        folder=str(folder),
        total=total,
        minutes=10,
        seed=0,
        batch_size=4,
        rate=1e-2,
        warm_up=8,
        cooldown=0.2,
        workers=1,
        held_out=4,
        log_minutes=10,
        save_minutes=0,
    )


class Jobs:
    """A queue that makes its jobs when asked, and is killed at one of them."""

    def __init__(self, first, killed_at):
        self.job, self.killed_at = first, killed_at

    def get(self):
        if self.job == self.killed_at:
            raise KeyboardInterrupt
        self.job += 1
        return self.job - 1, job_batches(0, self.job - 1, SMALL.patch, 4)


def trained(monkeypatch, folder, killed_at=None):
    """The weights after 40 series, trained in one go or after a kill."""

    def start(n_workers, seed, first, patch, batch_size):
        return [], [Jobs(first, killed_at)]

    monkeypatch.setattr(training, "start_producers", start)
    training.train(settings(folder, 40), SMALL)
    return checkpoint.load(folder / "checkpoint.npz")


def test_a_killed_training_goes_on_as_if_it_had_not_been(monkeypatch, tmp_path):
    for module in (batches, training):
        monkeypatch.setattr(module, "LENGTHS", (2, 3))
    monkeypatch.setattr(batches, "LENGTH_SHARES", (0.5, 0.5))
    monkeypatch.setattr(training.jax.config, "update", lambda *_: None)
    whole, record = trained(monkeypatch, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(monkeypatch, tmp_path / "killed", killed_at=3)
    resumed, _ = trained(monkeypatch, tmp_path / "killed")
    assert record["seen"] == 40
    assert whole["count"] == 10
    for name, values in whole.items():
        np.testing.assert_array_equal(resumed[name], values, err_msg=name)


def test_learning_rates_warm_up_hold_and_cool_down(tmp_path):
    args = settings(tmp_path, 1000)
    rates = [training.learning_rate(seen, args) for seen in (0, 100, 700, 900, 1000)]
    np.testing.assert_allclose(rates, [1e-2 / 8, 1e-2, 1e-2, 5e-3, 0])


@pytest.mark.parametrize("half", [True, False])
def test_exported_weights_forecast_as_the_checkpoint(
    monkeypatch, tmp_path, contexts, half
):
    pytest.importorskip("safetensors")
    network = {"weights/" + k: v for k, v in random_weights().items()}
    record = {"seen": 3, "architecture": asdict(SMALL)}
    checkpoint.save(tmp_path / "checkpoint.npz", network, record)
    path = export(tmp_path / "checkpoint.npz", tmp_path, part="weights", half=half)
    stored = load_weights(path)
    expected = Pretrained(SMALL, random_weights()).forecast(contexts, 5)
    made = stored.forecast(contexts, 5)
    np.testing.assert_allclose(made, expected, rtol=1e-2, atol=0.02)
    digest = json.loads((tmp_path / "digest.json").read_text())[path.name]
    assert digest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
