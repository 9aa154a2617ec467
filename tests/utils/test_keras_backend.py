"""The backend of Keras is JAX unless the user chose another: case F8."""

import json
import os
import sys

import pytest

from sklstm._utils import keras_backend


@pytest.fixture
def selected(monkeypatch, tmp_path):
    """Return a function that selects a backend as at the first import of sklstm."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "")

    def select(config=None):
        if config is not None:
            (tmp_path / "keras.json").write_text(json.dumps(config))
        keras_backend.select_backend()
        return os.environ["KERAS_BACKEND"]

    return select


@pytest.mark.parametrize(
    "config",
    [None, [1], {"backend": None}, {"backend": ""}, {"backend": "no.such.package"}],
)
def test_f8_without_a_backend_that_can_be_imported_it_is_jax(config, selected):
    assert selected(config) == "jax"


def test_f8_an_installed_backend_of_the_user_is_kept(selected):
    assert selected({"backend": "numpy"}) == ""


def test_f8_a_user_without_a_home_has_a_backend(selected, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as without a home
    assert selected() == "jax"
