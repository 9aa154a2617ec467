"""A fit replaces the fitted state whole, in memory, in files and in pickles."""

import itertools
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

import sklstm
from sklstm import LSTMForecaster, make_windows
from sklstm.preprocessing import panel_from_long

QUICK = {"window_length": 6, "units": 3, "epochs": 1, "random_state": 0}
INDEX = pd.date_range("2024-01-01", periods=60, freq="D", name="day")
WAVE = pd.Series(np.sin(np.arange(60.0)), INDEX, name="wave")
INPUTS = pd.DataFrame({"input": np.cos(np.arange(60.0))}, INDEX)
AHEAD = INPUTS[-4:].set_axis(INDEX[-4:] + 4 * INDEX.freq)
LONG = pd.DataFrame(
    {"unique_id": np.repeat(["a", "b"], 60), "ds": [*INDEX, *INDEX], "y": [*WAVE] * 2}
)
PANEL = panel_from_long(LONG)
WINDOWS = make_windows(WAVE.to_numpy(), 6)
STATIC = pd.DataFrame({"kind": ["x", "z"]}, ["a", "b"])
# How to fit in each form, and what else the fit is of.
FORMS = {
    "series": lambda f: f.fit(WAVE),
    "array": lambda f: f.fit(WAVE.to_numpy()),
    "columns": lambda f: f.fit(pd.DataFrame({"p": WAVE, "q": -WAVE})),
    "many series": lambda f: f.fit(PANEL),
    "static features": lambda f: f.fit(PANEL, static_features=STATIC),
    "parts": lambda f: f.fit(iter([PANEL.loc[["a"]], PANEL.loc[["b"]]])),
    "inputs": lambda f: f.fit(INPUTS, WAVE),
    "windows": lambda f: f.set_params(window_length=None).fit(
        WINDOWS[0], WINDOWS[1][:, 0]
    ),
    "quantiles": lambda f: f.set_params(quantiles=(0.1, 0.9)).fit(WAVE),
}
PAIRS = list(itertools.permutations(FORMS, 2))


@pytest.fixture(scope="module")
def fitted():
    return {form: fit(LSTMForecaster(**QUICK)) for form, fit in FORMS.items()}


def stored(forecaster, path):
    """What a file holds: its state and the bytes of its arrays."""
    forecaster.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return members


@pytest.mark.parametrize("first, second", PAIRS, ids=map(" then ".join, PAIRS))
def test_a_refit_in_another_form_leaves_nothing_behind(fitted, tmp_path, first, second):
    again = pickle.loads(pickle.dumps(fitted[first]))
    again.set_params(**LSTMForecaster(**QUICK).get_params())
    FORMS[second](again)
    assert vars(again).keys() == vars(fitted[second]).keys()
    assert stored(again, tmp_path / "again") == stored(fitted[second], tmp_path / "new")


def test_ready_made_windows_keep_no_series(fitted, tmp_path):
    state = json.loads(stored(fitted["windows"], tmp_path / "f")["state.json"])
    assert "History" not in json.dumps(state)
    assert "History" in stored(fitted["series"], tmp_path / "f")["state.json"].decode()


@pytest.mark.parametrize("form", FORMS)
def test_states_survive_files(fitted, tmp_path, form):
    fitted[form].save(tmp_path / "f")
    loaded = sklstm.load(tmp_path / "f")
    assert stored(loaded, tmp_path / "g") == stored(fitted[form], tmp_path / "f")
    if form == "windows":
        found, expected = (f.predict(WINDOWS[0]) for f in (loaded, fitted[form]))
    else:
        X = AHEAD if form == "inputs" else None
        found, expected = (f.forecast(4, X) for f in (loaded, fitted[form]))
    np.testing.assert_array_equal(found, expected)


def test_fitted_attributes_before_fit_say_so():
    with pytest.raises(AttributeError, match="no attribute 'history_' before fit"):
        _ = LSTMForecaster().history_
    assert not hasattr(LSTMForecaster(), "weights_")


def test_fitted_attributes_are_not_replaced_from_outside(fitted):
    with pytest.raises(AttributeError):
        fitted["series"].weights_ = {}
