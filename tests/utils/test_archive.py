import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from sklstm import LSTMForecaster
from sklstm._utils import archive
from sklstm._utils.archive import STORABLE, Decoder, Encoder, LoadError, storable


@pytest.fixture(autouse=True)
def forget_classes():
    """Classes of these tests are not to be known to others."""
    yield
    for name, cls in list(STORABLE.items()):
        if cls.__module__ == __name__:
            del STORABLE[name]


def stored(value):
    encoder = Encoder()
    return json.loads(json.dumps(encoder.encode(value, "value"))), encoder.arrays


def older(value, name, state):
    """What an older version stored for a value, under another name and state."""
    data, arrays = stored(value)
    return Decoder(arrays).decode(data | {"object": name, "state": state(data)})


def make_range(**hooks):
    """A class of today, which an older version knew by other names."""

    @storable
    @dataclass
    class Range:
        low: float
        high: float

        def width(self):
            return self.high - self.low

    for name, hook in hooks.items():
        setattr(Range, name, hook)
    return storable(Range)


def test_a_class_and_its_fields_are_found_by_their_former_names():
    Range = make_range(_former_names=("Span",), _renamed_fields={"start": "low"})
    value = Range(1.0, 2.0)
    state = {"start": 1.0, "high": 2.0}
    assert older(value, "Span", lambda _: state) == value
    data, _ = stored(value)
    assert data == {"object": "Range", "state": {"low": 1.0, "high": 2.0}}


def test_a_state_that_was_of_another_kind_is_converted():
    def from_stored(cls, state):
        if "bounds" in state:
            state["low"], state["high"] = state.pop("bounds")
        return state

    Range = make_range(_from_stored=classmethod(from_stored))
    value = Range(1.0, 2.0)
    assert older(value, "Range", lambda data: data["state"]) == value
    assert older(value, "Range", lambda _: {"bounds": [1.0, 2.0]}) == value


def test_a_class_of_today_goes_before_one_that_had_its_name():
    @storable
    @dataclass
    class Span:
        steps: int

    make_range(_former_names=("Span",))
    assert older(Span(3), "Span", lambda data: data["state"]) == Span(3)


def test_no_renamed_field_replaces_a_method():
    Range = make_range(_renamed_fields={"start": "width"})
    with pytest.raises(LoadError, match="The file sets 'width' on a Range"):
        older(Range(1.0, 2.0), "Range", lambda data: data["state"] | {"start": 1.0})


def test_pickles_and_copies_of_estimators_are_converted(monkeypatch):
    f = LSTMForecaster(3, epochs=1, units=2, random_state=0).fit(np.arange(30.0))
    f._old_name = 7
    content = pickle.dumps(f)
    fields = {"_old_name": "_new_name"}
    monkeypatch.setattr(LSTMForecaster, "_renamed_fields", fields, raising=False)
    for again in (pickle.loads(content), copy.deepcopy(f)):
        assert again._new_name == 7 and not hasattr(again, "_old_name")
        np.testing.assert_array_equal(again.forecast(2), f.forecast(2))


@pytest.mark.parametrize("path", [".", "", "folder"])
def test_a_folder_is_no_file_to_write_to(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder. Pass the name of a file"):
        archive.write(path, b"")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
