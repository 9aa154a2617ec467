import io
import itertools
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import FunctionTransformer, RobustScaler

import sklstm
from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._utils.archive import ARRAYS, DIGEST_LENGTH, MANIFEST, STATE, digest
from sklstm._utils.cells import CELLS
from sklstm.datasets import load_air_passengers
from sklstm.serialization import LoadError

QUICK = {"epochs": 2, "units": 3, "random_state": 0}
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.sklstm"))
TEXTS = ["good film", "bad film", "so good", "so bad", "éß 漢字", "\ud800 \x00 odd"] * 6


@pytest.fixture(scope="module")
def passengers():
    return load_air_passengers()


@pytest.fixture(scope="module")
def content(passengers, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.sklstm"
    LSTMForecaster(window_length=6, **QUICK).fit(passengers[:60]).save(path)
    return path.read_bytes()


def reload(estimator, tmp_path):
    estimator.save(tmp_path / "model.sklstm")
    return sklstm.load(tmp_path / "model.sklstm")


def refused(content, tmp_path, match=None):
    path = tmp_path / "hostile.sklstm"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=match):
        sklstm.load(path)


def signed(members, compression=zipfile.ZIP_STORED):
    """Return a file with these members and a valid digest, as from a forger."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = b"0" * DIGEST_LENGTH
    content = buffer.getvalue()[:-DIGEST_LENGTH]
    return content + digest(content)


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(content, change):
    """Return the file after `change(state, arrays)`, with a valid digest."""
    from safetensors.numpy import load, save

    members = members_of(content)
    state = json.loads(members[STATE])
    arrays = load(members[ARRAYS])
    change(state["state"], arrays)
    members[STATE] = json.dumps(state)
    members[ARRAYS] = save(arrays)
    return signed(members.items())


@pytest.mark.parametrize("form", ["series", "regression", "windows", "frame", "many"])
@pytest.mark.parametrize("index", ["date", "period", "range", "zoned", "none"])
def test_a_loaded_forecaster_forecasts_the_same_bytes(
    form, index, passengers, tmp_path
):
    series = passengers[:60]
    series.index = {
        "date": series.index,
        "period": series.index.to_period("M"),
        "range": pd.RangeIndex(3, 63),
        "zoned": pd.date_range("2024-03-25", periods=60, freq="h", tz="Europe/Berlin"),
        "none": pd.RangeIndex(60),
    }[index]
    f = LSTMForecaster(window_length=6, horizon=2, **QUICK)
    if form == "windows":
        f.set_params(window_length=None)
        X = np.lib.stride_tricks.sliding_window_view(series.to_numpy(), 5)
        f.fit(X[:-1], series[5:])
        call = lambda f: f.predict(X)  # noqa: E731
    elif form == "regression":
        X = pd.DataFrame({"month": np.arange(60) % 12}, index=series.index)
        f.fit(X[:50], series[:50])
        call = lambda f: f.predict(X[50:])  # noqa: E731
    elif form == "frame":
        f.fit(pd.DataFrame({"a": series, "b": 2 * series}))
        call = lambda f: f.forecast(5)  # noqa: E731
    elif form == "many":
        f.set_params(scaler="log", window_norm="scale")
        parts = {("a", 1): series, ("b", 2): 3 * series[20:]}
        f.fit(list(parts.values()) if index == "none" else pd.concat(parts))
        call = lambda f: pd.concat(  # noqa: E731
            f.forecast(5) if index == "none" else [f.forecast(5)]
        )
    else:
        f.fit(series.to_numpy() if index == "none" else series)
        call = lambda f: f.forecast(5)  # noqa: E731
    again = reload(f, tmp_path)
    assert again.get_params() == f.get_params()
    assert again.history_ == f.history_
    left, right = call(f), call(again)
    if isinstance(left, pd.Series):
        pd.testing.assert_series_equal(left, right, check_exact=True)
    elif isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    else:
        assert_array_equal(left, right)
    again.warm_start = True
    assert set(vars(again)) == set(vars(f))


@pytest.mark.parametrize("labels", ["str", "int", "bool", "object", "indicator"])
def test_a_loaded_classifier_answers_the_same_bytes(labels, tmp_path):
    y = np.tile([1, 0, 1, 0, 1, 0], 6)
    y = {
        "str": np.where(y, "yes", "no"),
        "int": y,
        "bool": y.astype(bool),
        "object": np.where(y, "yes", "no").astype(object),
        "indicator": np.column_stack([y, 1 - y]),
    }[labels]
    clf = LSTMTextClassifier(embedding_dim=4, **QUICK).fit(TEXTS, y)
    again = reload(clf, tmp_path)
    assert again.vocabulary_ == clf.vocabulary_
    assert again.classes_.dtype == clf.classes_.dtype
    assert_array_equal(again.predict(TEXTS), clf.predict(TEXTS))
    assert_array_equal(again.predict_proba(TEXTS), clf.predict_proba(TEXTS))


def test_token_ids_and_three_classes_come_back(tmp_path):
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 9, (30, 5)), np.tile([0, 1, 2], 10)
    clf = LSTMTextClassifier(embedding_dim=4, linear_skip=False, **QUICK).fit(X, y)
    again = reload(clf, tmp_path)
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    again.partial_fit(X, y)  # training goes on


@pytest.mark.parametrize("cell", CELLS)
def test_shapes_of_weights_are_those_of_the_built_network(cell):
    from sklstm._networks.spec import NetworkSpec, TextNetworkSpec

    specs = [
        NetworkSpec((6, 2), 3, (2, 2), 2, cell, (4, 3)),
        NetworkSpec((6, 2), 0, (1, 1), 0, cell, (4,), linear_skip=False),
        TextNetworkSpec(8, 2, 5, cell=cell, units=(4, 3), pooling="attention"),
        TextNetworkSpec(8, 1, 5, cell=cell, units=(4,), bidirectional=False),
    ]
    for spec in specs:
        built = {w.path: tuple(w.shape) for w in spec.build().weights}
        assert built == spec.weight_shapes()


def test_equal_estimators_give_equal_files(content, passengers, tmp_path):
    f = LSTMForecaster(window_length=6, **QUICK).fit(passengers[:60])
    f.save(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content
    sklstm.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content


def test_a_scaler_of_scikit_learn_is_kept_and_others_are_refused(passengers, tmp_path):
    f = LSTMForecaster(6, scaler=RobustScaler(), **QUICK).fit(passengers[:60])
    again = reload(f, tmp_path)
    assert_array_equal(again.forecast(3), f.forecast(3))
    f.scaler = FunctionTransformer()
    with pytest.raises(TypeError, match=r"LSTMForecaster\.scaler holds Function"):
        f.save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_functions_are_refused_by_name(passengers, tmp_path):
    f = LSTMForecaster(6, learning_rate_schedule=lambda e, r: r, **QUICK)
    with pytest.raises(TypeError, match="learning_rate_schedule holds <function"):
        f.fit(passengers[:60]).save(tmp_path / "model")


def test_a_failed_save_leaves_the_old_file(content, passengers, tmp_path, monkeypatch):
    path = tmp_path / "model.sklstm"
    path.write_bytes(content)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    f = LSTMForecaster(window_length=6, **QUICK).fit(passengers[:50])
    with pytest.raises(OSError, match="No space"):
        f.save(path)
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["model.sklstm"]


def test_loading_and_predicting_need_no_keras(content, tmp_path):
    (tmp_path / "model").write_bytes(content)
    code = (
        "import sys; sys.modules.update(keras=None, jax=None)\n"
        "import sklstm; print(sklstm.load(sys.argv[1]).forecast(2).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = sklstm.load(tmp_path / "model").forecast(2).tolist()
    assert json.loads(done.stdout) == expected


def test_a_truncated_file_is_refused(content, tmp_path):
    for percent in range(100):
        refused(content[: len(content) * percent // 100], tmp_path, "digest")


def test_a_flipped_byte_anywhere_is_refused(content, tmp_path):
    for place in range(0, len(content), max(len(content) // 200, 1)):
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        refused(bytes(flipped), tmp_path, "digest")


def test_other_members_are_refused(content, tmp_path):
    members = list(members_of(content).items())
    refused(signed([*members, ("../../evil", b"")]), tmp_path, "other members")
    refused(signed(members[:-1]), tmp_path, "other members")
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = signed([*members, members[0]])
    refused(doubled, tmp_path, "other members")
    names = ["../" + members[0][0], *[name for name, _ in members[1:]]]
    moved = [(new, text) for new, (_, text) in zip(names, members, strict=True)]
    refused(signed(moved), tmp_path, "other members")


def test_a_zip_bomb_is_refused_unread(content, tmp_path):
    members = members_of(content) | {STATE: b" " * 10**8}
    bomb = signed(members.items(), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 10**6
    refused(bomb, tmp_path, "compressed")


@pytest.mark.parametrize("bits", [b"", b"[]", b"{", b"\xff", b"[" * 10**5])
@pytest.mark.parametrize("member", [MANIFEST, STATE, ARRAYS])
def test_members_that_are_not_what_they_should_be_are_refused(
    member, bits, content, tmp_path
):
    members = members_of(content) | {member: bits}
    refused(signed(members.items()), tmp_path)


def test_arrays_of_huge_declared_shapes_are_refused(content, tmp_path):
    header = json.dumps(
        {"0": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
    ).encode()
    arrays = len(header).to_bytes(8, "little") + header
    members = members_of(content) | {ARRAYS: arrays}
    refused(signed(members.items()), tmp_path)


def test_a_file_of_the_future_is_refused(content, tmp_path):
    members = members_of(content)
    manifest = json.loads(members[MANIFEST]) | {"format": 99}
    members[MANIFEST] = json.dumps(manifest)
    refused(signed(members.items()), tmp_path, "format 99.*Upgrade")


def fitted(state):
    """The fitted state of a forecaster's file."""
    return state["_state"]["state"]


def network(state):
    return fitted(state)["model"]["state"]["network"]["state"]


def history(state):
    return fitted(state)["series"]["values"][0]["state"]["history"]["state"]


def weights_of(state):
    entry = network(state)["weights"]
    return dict(
        zip(entry["keys"], (value["array"] for value in entry["values"]), strict=True)
    )


def spoil(kind):
    def change(state, arrays):
        name = weights_of(state)["head/bias"]
        if kind == "nan":
            arrays[name] = np.full_like(arrays[name], np.nan)
        elif kind == "dtype":
            arrays[name] = arrays[name].astype("float64")
        elif kind == "shape":
            arrays[name] = np.zeros(7, "float32")
        elif kind == "missing":
            del arrays[name]
        elif kind == "class":
            network(state)["spec"]["object"] = "Popen"
        elif kind == "method":
            state["predict"] = 1
        elif kind == "dunder":
            state["__class__"] = 1
        elif kind == "tag":
            fitted(state)["series"] = {"pickle": "gASV"}
        elif kind == "parameter":
            state["units"] = -3
        elif kind == "unfitted":
            del fitted(state)["series"]
        elif kind == "type":
            fitted(state)["series"] = "abc"
        elif kind == "huge":
            network(state)["spec"]["state"]["units"] = {"tuple": [10**12]}
        elif kind == "infinite history":
            arrays[history(state)["y"]["array"]][:] = np.inf

    return change


@pytest.mark.parametrize(
    "kind, match",
    [
        ("nan", "not all finite"),
        ("dtype", "not all finite 32-bit"),
        ("shape", "not of the shapes"),
        ("missing", "KeyError"),
        ("class", "'Popen', which this version"),
        ("method", "sets 'predict'"),
        ("dunder", "sets '__class__'"),
        ("tag", "unknown kind"),
        ("parameter", "units"),
        ("unfitted", None),
        ("type", None),
        ("huge", "not of the shapes"),
        ("infinite history", "not finite"),
    ],
)
def test_forged_content_is_refused(kind, match, content, tmp_path):
    refused(forged(content, spoil(kind)), tmp_path, match)


def put(data, path, value):
    *path, last = path
    for step in path:
        data = data[step]
    data[last] = value


def leaves(data, *path):
    """Yield paths to all values of a JSON document, except the tails of long lists."""
    parts = data.items() if isinstance(data, dict) else enumerate(data)
    for key, part in itertools.islice(parts, 50):
        if isinstance(part, dict | list):
            yield from leaves(part, *path, key)
        else:
            yield (*path, key)


def peak_of(call):
    """Return the result or LoadError of a call, and its peak memory."""
    tracemalloc.start()
    try:
        result = call()
    except LoadError as error:
        result = error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return result, peak


WINDOWS = np.lib.stride_tricks.sliding_window_view(np.sin(np.arange(30.0)), 5)
SMALL = {
    "series": lambda: LSTMForecaster(
        6, deseasonalize=True, seasonal_period=3, scaler="log", **QUICK
    ).fit(load_air_passengers()[:40]),
    "windows": lambda: LSTMForecaster(linear_skip=False, **QUICK).fit(
        WINDOWS, WINDOWS[:, 0]
    ),
    "texts": lambda: LSTMTextClassifier(embedding_dim=2, **QUICK).fit(
        TEXTS, [0, 1] * 18
    ),
    "ids": lambda: LSTMTextClassifier(embedding_dim=2, linear_skip=False, **QUICK).fit(
        np.arange(60).reshape(20, 3) % 7, [0, 1] * 10
    ),
}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.filterwarnings("ignore")  # what wrong statistics make NumPy say
def test_no_single_lie_takes_memory_time_or_another_error(kind, tmp_path):
    path = tmp_path / "model.sklstm"
    SMALL[kind]().save(path)
    members, n_loaded = members_of(path.read_bytes()), 0
    places = list(leaves(json.loads(members[STATE])["state"], "state"))
    for place, lie in itertools.product(places, (10**8, "x")):
        state = json.loads(members[STATE])
        put(state, place, lie)
        lying = members | {STATE: json.dumps(state)}
        path.write_bytes(signed(lying.items()))
        result, peak = peak_of(lambda: sklstm.load(path))
        assert peak < 2e6, (place, lie, peak)
        n_loaded += not isinstance(result, LoadError)
    assert 0 < n_loaded < 2 * len(places)  # a seed may well be another


def test_flipped_bytes_of_a_signed_file_give_a_model_or_the_error(content, tmp_path):
    path, n_refused, places = tmp_path / "forged", 0, range(0, len(content) - 64, 31)
    for place in places:
        flipped = bytearray(content[:-64])
        flipped[place] ^= 0xFF
        path.write_bytes(bytes(flipped) + digest(bytes(flipped)))
        result, peak = peak_of(lambda: sklstm.load(path))
        assert peak < 2e6
        n_refused += isinstance(result, LoadError)
    assert n_refused > len(places) / 2


@pytest.mark.parametrize("text", ["[],", "{},", '"a",', '{"tuple": []},', "1.5,"])
def test_memory_is_bounded_by_the_length_of_the_text(text, content, tmp_path):
    many = "[" + text * 20_000 + "0]"
    members = members_of(content) | {STATE: many}
    hostile = signed(members.items())
    (tmp_path / "hostile").write_bytes(hostile)
    result, peak = peak_of(lambda: sklstm.load(tmp_path / "hostile"))
    assert isinstance(result, LoadError)
    assert peak < 100 * len(hostile)


@pytest.mark.parametrize("zone", ["dateutil//etc/passwd", "../../etc/passwd", "/a", 3])
def test_no_other_file_is_read_for_a_time_zone(zone, content, tmp_path):
    def change(state, arrays):
        history(state)["index"]["tz"] = zone

    refused(forged(content, change), tmp_path, "zone" if zone != 3 else None)


def test_a_time_zone_without_a_name_is_refused_when_saving(passengers, tmp_path):
    f = LSTMForecaster(6, **QUICK)
    f.fit(passengers[:60].tz_localize("dateutil/Europe/Berlin"))
    with pytest.raises(TypeError, match="has the time zone tzfile.* Name it"):
        f.save(tmp_path / "model")


def test_parameters_that_came_after_the_file_have_their_defaults(content, tmp_path):
    def older(state, arrays):
        for name in ("clipnorm", "n_members", "quantiles"):
            del state[name]

    path = tmp_path / "older.sklstm"
    path.write_bytes(forged(content, older))
    f = sklstm.load(path)
    assert (f.clipnorm, f.n_members, f.quantiles) == (1.0, 1, None)
    path.write_bytes(content)
    assert_array_equal(f.forecast(3), sklstm.load(path).forecast(3))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_files_of_released_versions_keep_loading(path):
    estimator, expected = (
        sklstm.load(path),
        json.loads(path.with_suffix(".json").read_text()),
    )
    if hasattr(estimator, "classes_"):
        found = estimator.predict_proba(["a good film", ""])
    else:
        found = estimator.forecast_quantiles(3)
    assert_allclose(found, expected, rtol=1e-9)


def test_a_saved_file_is_as_open_to_others_as_any(content, tmp_path):
    path, other = tmp_path / "model.sklstm", tmp_path / "other"
    path.write_bytes(content)
    sklstm.load(path).save(path)
    other.write_text("")
    assert path.stat().st_mode == other.stat().st_mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.sklstm", "other"]


def test_only_fitted_estimators_are_saved_and_only_files_are_read(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        LSTMForecaster().save(tmp_path / "model")
    with pytest.raises(FileNotFoundError):
        sklstm.load(tmp_path / "model")


def test_rows_that_came_after_fit_are_saved(passengers, tmp_path):
    f = LSTMForecaster(6, **QUICK).fit(passengers[:60]).update(passengers[60:64])
    pd.testing.assert_series_equal(reload(f, tmp_path).forecast(3), f.forecast(3))


def test_a_path_is_kept_as_the_str_that_it_is(passengers, tmp_path):
    folder = tmp_path / "checkpoints"
    f = LSTMForecaster(6, **QUICK, checkpoint=folder).fit(passengers[:60])
    assert reload(f, tmp_path).checkpoint == str(folder)
