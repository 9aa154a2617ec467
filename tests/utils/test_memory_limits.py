import math
import sys

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._base import memory_message
from sklstm._utils import memory_limits
from sklstm.preprocessing import SlidingWindowTransformer, TextSequencer

QUICK = {"epochs": 1, "units": 3, "random_state": 0}
SINE = np.sin(np.arange(60) / 3)
TEXTS, LABELS = ["good film", "bad film", "so good", "so bad"] * 5, [1, 0] * 10
HUGE = 10**12


@pytest.fixture
def forecaster():
    return LSTMForecaster(12, 2, **QUICK).fit(SINE)


@pytest.fixture
def container(monkeypatch, tmp_path):
    """Write the files of a container with a limit of 3,000 bytes and 1,000 used."""
    for name, content in (("max", "3000\n"), ("stat", "anon 1000\nfile 900\n")):
        (tmp_path / name).write_text(content)
    files = ((tmp_path / "max", tmp_path / "stat", "anon"),)
    monkeypatch.setattr(memory_limits, "CONTAINERS", files)
    return tmp_path


def test_the_least_of_machine_container_and_limit_is_left(container, monkeypatch):
    assert memory_limits.available() == memory_limits.of_the_container() == 2000
    monkeypatch.setattr(memory_limits, "of_the_limit", lambda: -5)
    assert memory_limits.available() == 0
    (container / "max").write_text("max\n")
    assert memory_limits.of_the_container() == math.inf
    (container / "max").unlink()
    assert memory_limits.of_the_container() == math.inf
    assert memory_limits.of_the_machine() > 2**28


def test_without_proc_there_is_as_much_as_the_machine_has(monkeypatch):
    monkeypatch.setattr(memory_limits, "numbers_in", lambda *_, **__: {})
    assert memory_limits.of_the_machine() > 2**28
    monkeypatch.setattr(memory_limits.os, "sysconf", None)
    with pytest.raises(TypeError):
        memory_limits.of_the_machine()
    monkeypatch.delattr(memory_limits.os, "sysconf")
    assert memory_limits.of_the_machine() == math.inf
    monkeypatch.setitem(sys.modules, "resource", None)
    assert memory_limits.of_the_limit() == math.inf


def test_little_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(memory_limits, "available", lambda: 0)
    memory_limits.check_memory(memory_limits.SMALL - 1, "This", "Ask for less.")
    with pytest.raises(MemoryError, match=r"This needs 0.268 GB at .* have 0 GB. Ask"):
        memory_limits.check_memory(memory_limits.SMALL, "This", "Ask for less.")
    assert memory_limits.in_words(3 * 10**13) == "30 TB"


@pytest.mark.parametrize("steps", [10**8, HUGE, 2**62])
@pytest.mark.parametrize(
    "method", ["forecast", "forecast_interval", "forecast_quantiles", "sample_paths"]
)
def test_steps_without_end_are_refused(forecaster, method, steps):
    with pytest.raises(ValueError, match="steps at a horizon of 2 .* Ask for fewer"):
        getattr(forecaster, method)(steps=steps)


def test_numbers_that_no_array_holds_are_refused(forecaster):
    for call in (
        lambda n: forecaster.forecast(n),
        lambda n: forecaster.sample_paths(n),
        lambda n: forecaster.backtest(SINE, stride=n),
        lambda n: forecaster.backtest(SINE, refit=1, max_train_size=n),
    ):
        with pytest.raises(ValueError, match=r"must be below 2\*\*63. .*: lower it"):
            call(10**30)


def test_many_paths_and_many_series_are_counted_first(forecaster, monkeypatch):
    with pytest.raises(MemoryError, match="2 steps from 10+ origins needs .* TB"):
        forecaster.sample_paths(HUGE)
    many = LSTMForecaster(12, 2, **QUICK).fit([SINE] * 3)
    monkeypatch.setattr(memory_limits, "available", lambda: 10**6)
    monkeypatch.setattr(memory_limits, "SMALL", 10**6)
    with pytest.raises(MemoryError, match="from 3 origins .* 0.001 GB. Ask for fewer"):
        many.forecast(10**6)
    assert len(many.forecast(100)) == 3


def test_a_long_forecast_begins_like_a_short_one(forecaster):
    long = forecaster.forecast(3000)
    assert np.isfinite(long).all()
    np.testing.assert_array_equal(long[:7], forecaster.forecast(7))


def test_an_index_whose_calendar_ends_is_told():
    index = pd.date_range("2261", periods=60, freq="D", unit="ns")
    f = LSTMForecaster(12, 2, **QUICK).fit(pd.Series(SINE, index))
    with pytest.raises(ValueError, match="does not reach 600 steps .* Ask for fewer"):
        f.forecast(600)


@pytest.mark.parametrize(
    "parameter", ["units", "batch_size", "n_members", "window_length", "horizon"]
)
@pytest.mark.parametrize("value", [HUGE, 2**63 - 1])
def test_a_forecaster_of_any_size_says_what_it_needs(parameter, value):
    f = LSTMForecaster(**({"window_length": 12, **QUICK, parameter: value}))
    error, match = MemoryError, rf"The fit needs .* can have .* {parameter}={value}"
    if parameter in ("window_length", "horizon"):
        # The pretrained network alone needs no window in the rows.
        with pytest.raises(error, match=match):
            f.fit(SINE)
        f.set_params(pretrained=False)
        error, match = ValueError, rf"The series has 60 .* {parameter}={value}"
    with pytest.raises(error, match=match):
        f.fit(SINE)


@pytest.mark.parametrize("parameter", ["units", "batch_size", "embedding_dim"])
def test_a_classifier_of_any_size_says_what_it_needs(parameter):
    for value in (HUGE, 2**63 - 1):
        clf = LSTMTextClassifier(**(QUICK | {parameter: value}))
        with pytest.raises(MemoryError, match=rf"The fit needs .* {parameter}={value}"):
            clf.fit(TEXTS, LABELS)
        assert vars(clf) == clf.get_params()


@pytest.mark.parametrize(
    "parameter", ["stride", "seasonal_period", "recurrent_length", "n_iter_no_change"]
)
def test_what_costs_nothing_may_be_huge(parameter):
    f = LSTMForecaster(12, 2, **QUICK, **{parameter: 2**63 - 1})
    assert np.isfinite(f.fit(SINE).forecast(3)).all()
    with pytest.raises(ValueError, match=rf"'{parameter}' .* in the range \[1, "):
        f.set_params(**{parameter: 2**63}).fit(SINE)


def test_what_costs_nothing_may_be_huge_for_texts():
    huge = dict.fromkeys(["max_features", "max_length", "n_iter_no_change"], 2**63 - 1)
    clf = LSTMTextClassifier(**QUICK, **huge, ngram_range=(1, HUGE), clipnorm=10**30)
    assert np.isfinite(clf.fit(TEXTS, LABELS).predict_proba(TEXTS)).all()
    for low in (40, HUGE, 10**400):
        clf.set_params(ngram_range=(low, low))
        with pytest.raises(ValueError, match="no n-gram of ngram_range=.* Lower min_"):
            clf.fit(TEXTS, LABELS)


@pytest.mark.parametrize("value", [(3, 1), (0, 1), (1,), (1, 2, 3), ("a", 2), (1, 2.0)])
def test_ngram_range_is_a_pair(value):
    with pytest.raises(ValueError, match=r"ngram_range must be a tuple \(low, high\)"):
        LSTMTextClassifier(ngram_range=value).fit(TEXTS, LABELS)


def test_preprocessing_counts_first():
    X = SINE[:, None]
    with pytest.raises(MemoryError, match=f"window_length={HUGE} .* Shorten window"):
        SlidingWindowTransformer(HUGE).fit(X)
    with pytest.raises(MemoryError, match=f"max_length={HUGE} .* Lower max_length"):
        TextSequencer(max_length=HUGE).fit(TEXTS)


def test_weights_are_counted_as_they_are(forecaster):
    sizes = sum(weight.size for weight in forecaster.weights_.values())
    assert memory_limits.n_weights(forecaster._spec_) == sizes
    clf = LSTMTextClassifier(**QUICK).fit(TEXTS, LABELS)
    sizes = sum(weight.size for weight in clf.weights_.values())
    assert memory_limits.n_weights(clf._spec_) == sizes
    one, two = (memory_limits.bytes_of_training(clf._spec_, n, 16, 64) for n in (1, 2))
    assert 0 < one < two < 2 * one


def test_of_a_network_of_ones_own_its_inputs_are_counted(monkeypatch):
    f = LSTMForecaster(12, network=lambda *_: 1 / 0, batch_size=HUGE)
    with pytest.raises(MemoryError, match="The fit needs 48 TB"):
        f.fit(SINE)


@pytest.mark.parametrize(
    "told, words",
    [
        ("Unable to allocate 7.45 GiB for an array", "8 GB"),
        ("Out of memory allocating 1600000000000 bytes.", "1.6 TB"),
        ("Out of memory", "more memory"),
    ],
)
def test_an_allocation_that_failed_is_told_in_one_unit(told, words):
    said = memory_message(LSTMForecaster(), MemoryError(told))
    assert said.startswith(f"The fit needs {words} at once") and said.endswith(told)


def test_the_linear_model_of_a_wide_frame_is_counted(monkeypatch):
    wide = np.random.default_rng(0).normal(size=(1000, 160))
    monkeypatch.setattr(memory_limits, "available", lambda: 2**28)
    f = LSTMForecaster(24, 12, **QUICK)
    with pytest.raises(MemoryError, match=r"The fit needs 0.277 .* window_length=24"):
        f.fit(wide)
    assert np.isfinite(f.fit(wide[:60, :2]).forecast(2)).all()
