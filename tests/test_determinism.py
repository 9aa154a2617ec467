"""The same seed gives the same bytes, independent of other fits and processes.

`make test-matrix` runs these on each backend of Keras.
"""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers

# Without early stopping the network is kept, whatever it is worth.
QUICK = {"epochs": 2, "units": 3, "random_state": 0, "early_stopping": False}
QUICK |= {"dropout": 0.2, "recurrent_dropout": 0.1}
SERIES = load_air_passengers()
TEXTS = ["a good film", "very good", "a bad film", "very bad"] * 6
FITS = {
    "series": (LSTMForecaster(12, 3, **QUICK), (SERIES,)),
    "quantiles": (LSTMForecaster(12, 3, quantiles=(0.1, 0.9), **QUICK), (SERIES,)),
    "texts": (LSTMTextClassifier(**QUICK), (TEXTS, [1, 1, 0, 0] * 6)),
}


def digest(name):
    """Return a digest of the weights and predictions of a new fit."""
    estimator, data = FITS[name]
    fitted = clone(estimator).fit(*data)
    if name == "texts":
        predicted = fitted.predict_proba(TEXTS)
    else:
        predicted = fitted.forecast_quantiles(5).to_numpy()
    found = hashlib.sha256(predicted.tobytes())
    for key in sorted(fitted.weights_):
        found.update(fitted.weights_[key].tobytes())
    return found.hexdigest()


@pytest.fixture(scope="module")
def digests():
    return {name: digest(name) for name in FITS}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_again_and_after_others(name, digests):
    assert digest(name) == digests[name]
    LSTMForecaster(6, 2, epochs=1, units=5, random_state=1).fit(SERIES)
    LSTMTextClassifier(epochs=1, units=5).fit(TEXTS, [0, 1] * 12)
    assert digest(name) == digests[name]


@pytest.mark.parametrize("name", FITS)
def test_other_seeds_are_neither_read_nor_written(name, digests):
    import keras

    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        keras.utils.set_random_seed(seed)
        before = random.getstate(), np.random.get_state()[1].copy()
        assert digest(name) == digests[name]
        assert random.getstate() == before[0]
        np.testing.assert_array_equal(np.random.get_state()[1], before[1])


def test_another_seed_gives_other_bytes(digests):
    other = clone(FITS["series"][0]).set_params(random_state=1)
    fitted, again = other.fit(SERIES), clone(FITS["series"][0]).fit(SERIES)
    name = "recurrent_0/lstm_cell/kernel"
    assert (fitted.weights_[name] != again.weights_[name]).any()


def test_fresh_processes_that_compile_and_that_find_compiled_steps(digests, tmp_path):
    code = "import test_determinism as t; print(*map(t.digest, t.FITS))"
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    cache = tmp_path / "compiled"
    changes = {"PYTHONPATH": paths, "JAX_COMPILATION_CACHE_DIR": str(cache)}

    def fitted(hash_seed):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | changes | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split(), {path.name for path in cache.glob("*-cache")}

    import keras

    result, kept = fitted("1")
    assert result == list(digests.values())
    assert bool(kept) == (keras.backend.backend() == "jax")
    assert fitted("2") == (result, kept)


@pytest.mark.parametrize("name", ["series", "texts"])
def test_one_worker_and_two(name):
    estimator, data = FITS[name]
    if name == "series":
        data = np.arange(len(SERIES))[:, None] % 12, SERIES.to_numpy()
    searches = [
        GridSearchCV(
            estimator,
            {"learning_rate": [0.001, 0.01]},
            cv=TimeSeriesSplit(2),
            n_jobs=n_jobs,
            scoring=None if name == "series" else "neg_log_loss",
        ).fit(*data)
        for n_jobs in (1, 2)
    ]
    for key in ("split0_test_score", "split1_test_score"):
        one, two = (search.cv_results_[key] for search in searches)
        assert one.tobytes() == two.tobytes()
    one, two = (search.best_estimator_.weights_ for search in searches)
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
