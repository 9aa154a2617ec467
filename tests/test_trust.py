"""Fitted estimators in other processes, threads and formats."""

import copy
import io
import json
import os
import pickle
import pickletools
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.preprocessing import RobustScaler

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._utils import keras_backend

TEXTS = ["a good film", "very good", "a bad film", "very bad"] * 5
QUICK = {"epochs": 1, "units": 3, "random_state": 0}

WITHOUT_KERAS = """
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"keras", "jax", "jaxlib", "torch", "tensorflow"}:
            raise ModuleNotFoundError(f"{name} is blocked")


sys.meta_path.insert(0, Blocked())
import json
import sklstm

forecaster, classifier = map(sklstm.load, sys.argv[1:])
print(json.dumps([
    forecaster.forecast(3).tolist(),
    forecaster.forecast_interval(3).to_numpy().tolist(),
    classifier.predict_proba(["good film", ""]).tolist(),
]))
"""

WORKERS = """
import multiprocessing
import sys

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers

SERIES = load_air_passengers()
TEXTS, LABELS = ["good", "bad film"] * 9, [1, 0] * 9
QUICK = {"epochs": 1, "units": 3, "random_state": 0}


def predict(pair):
    f, clf = pair
    return f.forecast(3).tolist(), clf.predict_proba(TEXTS).tolist()


def fit(pair):
    f, clf = pair
    return predict((f.fit(SERIES), clf.fit(TEXTS, LABELS)))


def by_worker(kind, work, *data):
    with multiprocessing.get_context(kind).Pool(1) as pool:
        return pool.apply_async(work, data).get(100)


if __name__ == "__main__":
    pair = LSTMForecaster(12, 3, **QUICK), LSTMTextClassifier(**QUICK)
    of_fork = by_worker("fork", fit, pair)  # before this process trains
    expected = fit(pair)
    assert of_fork == expected
    for kind, work in (("spawn", predict), ("spawn", fit), ("fork", predict)):
        assert by_worker(kind, work, pair) == expected
    for estimator, *data in ((pair[0], SERIES), (pair[1], TEXTS, LABELS)):
        try:
            by_worker("fork", type(estimator).fit, estimator, *data)
        except RuntimeError as error:
            print(error)
"""


CAPPED = """
import resource

import numpy as np

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.datasets import load_air_passengers

series = load_air_passengers()
f = LSTMForecaster(12, 2, epochs=1, units=3, random_state=0).fit(series)
expected = f.forecast(3)
(line,) = (line for line in open("/proc/self/status") if line.startswith("VmSize"))
cap = int(line.split()[1]) * 1024 + 10**9
resource.setrlimit(resource.RLIMIT_AS, (cap, cap))
words = " ".join(f"w{i}" for i in range(400))
large = [
    (LSTMForecaster(60, units=512, batch_size=2**14), np.arange(9000.0) % 7),
    (LSTMTextClassifier(units=512, batch_size=2**13), [words] * 20, [0, 1] * 10),
    (f.set_params(units=512, window_length=60, batch_size=2**14), np.arange(9000.0)),
]
for estimator, *data in large:
    try:
        estimator.set_params(epochs=1, random_state=0).fit(*data)
    except MemoryError as error:
        print(str(error).split(": ")[0])
assert (f.forecast(3) == expected).all()
f.set_params(units=3, window_length=12, batch_size=32).fit(series)
print(sorted(vars(large[0][0])) == sorted(large[0][0].get_params()))
"""


@pytest.fixture(scope="module")
def forecaster(passengers):
    return LSTMForecaster(12, 3, **QUICK).fit(passengers)


@pytest.fixture(scope="module")
def classifier():
    return LSTMTextClassifier(**QUICK).fit(TEXTS, [1, 1, 0, 0] * 5)


def test_a_process_without_keras_loads_and_predicts(forecaster, classifier, tmp_path):
    for name, estimator in (("f", forecaster), ("c", classifier)):
        estimator.save(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS, tmp_path / "f", tmp_path / "c"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        forecaster.forecast(3).tolist(),
        forecaster.forecast_interval(3).to_numpy().tolist(),
        classifier.predict_proba(["good film", ""]).tolist(),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_workers_forecast_and_fit_or_say_why_not(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("forked from one that has trained") == 2


AFTER_KERAS = """
import multiprocessing

import sklstm
import keras

from sklstm.scikeras import KerasRegressor, build_regressor

series = sklstm.datasets.load_air_passengers()
f = sklstm.LSTMForecaster(12, epochs=1, units=3, refit=False, random_state=0)
windows, y = sklstm.make_windows(series, 12)
wrapper = KerasRegressor(build_regressor, epochs=1, verbose=0)


def work():
    for task in (lambda: f.fit(series), lambda: wrapper.fit(windows[..., None], y)):
        try:
            task()
        except RuntimeError as error:
            print(error, flush=True)


if __name__ == "__main__":
    keras.ops.ones(3)  # the backend runs, though sklstm did not use it
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(100)
    child.kill()
"""


@pytest.mark.skipif(
    sys.platform == "win32" or os.environ.get("KERAS_BACKEND", "jax") != "jax",
    reason="Windows does not fork, and only JAX tells whether it runs",
)
def test_f14_a_fork_of_a_process_that_used_keras_is_an_error(tmp_path):
    pytest.importorskip("scikeras")
    script = tmp_path / "fork.py"
    script.write_text(AFTER_KERAS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True
    )
    assert done.stdout.count("forked from one that has trained or run") == 2, done


def test_f14_a_fork_builds_no_model(classifier, monkeypatch):
    monkeypatch.setattr(keras_backend.process, "is_forked", True)
    for build in (lambda: classifier.model_, classifier.to_keras):
        with pytest.raises(RuntimeError, match="forked from one that has trained"):
            build()


def test_threads_predict_what_one_does(forecaster, classifier, passengers):
    def answers(i):
        text = TEXTS[i % 4]
        past = passengers[: 60 + i % 30]
        return forecaster.forecast(3, history=past), classifier.predict_proba([text])

    alone = [answers(i) for i in range(64)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(answers, range(64)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_joblib_keeps_every_number(forecaster, classifier):
    for estimator, X in ((forecaster, None), (classifier, TEXTS[:2])):
        file = io.BytesIO()
        joblib.dump(estimator, file)
        file.seek(0)
        assert_same_answers(joblib.load(file), estimator, X)


def assert_same_answers(loaded, estimator, X):
    if X is None:
        assert loaded.forecast(3).equals(estimator.forecast(3))
    else:
        np.testing.assert_array_equal(
            loaded.predict_proba(X), estimator.predict_proba(X)
        )


def many_series(passengers):
    parts = {("a", 1): passengers, ("b", 2): 3 * passengers}
    holidays = [pd.Timestamp("1950-01-01")]
    f = LSTMForecaster(12, calendar=["month", holidays], scaler=RobustScaler(), **QUICK)
    return f.fit(pd.concat(parts))


def with_quantiles(passengers):
    frame = pd.DataFrame({"a": passengers, "b": 2 * passengers})
    return LSTMForecaster(12, 3, quantiles=(0.1, 0.9), **QUICK).fit(frame)


@pytest.mark.parametrize(
    "which", ["forecaster", "classifier", many_series, with_quantiles]
)
def test_the_estimator_is_the_one_class_that_formats_meet(which, request, passengers):
    skops_io = pytest.importorskip("skops.io")
    fitted = which(passengers) if callable(which) else request.getfixturevalue(which)
    content = skops_io.dumps(fitted)
    with pytest.raises(skops_io.exceptions.UntrustedTypesFoundException):
        skops_io.loads(content)
    types = skops_io.get_untrusted_types(data=content)
    cls = type(fitted)
    assert types == [f"{cls.__module__}.{cls.__name__}"]
    globals_of_pickle = [
        argument
        for code, argument, _ in pickletools.genops(pickle.dumps(fitted, protocol=2))
        if code.name == "GLOBAL" and "sklstm" in argument
    ]
    assert globals_of_pickle == [f"{cls.__module__} {cls.__name__}"]
    for again in (
        skops_io.loads(content, trusted=types),
        pickle.loads(pickle.dumps(fitted)),
        copy.deepcopy(fitted),
    ):
        assert vars(again).keys() == vars(fitted).keys()
        assert type(again.get_params()["units"]) is type(fitted.get_params()["units"])
        assert_same_answers(again, fitted, TEXTS[:2] if which == "classifier" else None)


def test_what_is_no_data_stays_in_pickles_as_it_is(passengers, tmp_path):
    f = LSTMForecaster(12, learning_rate_schedule=schedule, units=(3, 2), epochs=1)
    f.set_params(checkpoint=tmp_path, random_state=0).fit(passengers)
    again = pickle.loads(pickle.dumps(f))
    assert again.get_params() == f.get_params()
    unfitted = pickle.loads(pickle.dumps(clone(f)))
    assert vars(unfitted) == f.get_params()


def schedule(epoch, rate):
    return rate


@pytest.mark.skipif(sys.platform != "linux", reason="the cap is one of Linux")
def test_a_fit_without_memory_says_how_much_it_needs():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CAPPED], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    *said, unchanged = done.stdout.splitlines()
    assert len(said) == 3 and unchanged == "True"
    for words, length in zip(said, ("window", "max", "window"), strict=True):
        pattern = rf"The fit needs [\d.]+ GB at once, .* units=512, .*{length}_length="
        assert re.match(pattern, words), words
