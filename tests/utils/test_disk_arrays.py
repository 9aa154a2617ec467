"""Training from files and from parts that come one by one."""

import io
import tempfile

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster
from sklstm._series import missing
from sklstm._utils import disk_arrays
from sklstm._utils.disk_arrays import in_file, on_disk
from sklstm._windows import dataset, problem

# The pretrained network reads more rows than the series here have.
SMALL = {
    "window_length": 6,
    "horizon": 2,
    "units": 3,
    "epochs": 1,
    "pretrained": False,
    "random_state": 0,
}


@pytest.fixture
def small_blocks(monkeypatch):
    """Shrink blocks, so that every computation takes many of them."""
    monkeypatch.setattr(disk_arrays.blocks, "__defaults__", (16,))
    for function in (
        missing.independent_parts,
        missing.interpolate_parts,
        missing.last_seen_parts,
    ):
        monkeypatch.setattr(function, "__defaults__", (16,))
    monkeypatch.setattr(problem, "BLOCK", 16)
    monkeypatch.setattr(dataset, "SHUFFLED", 32)
    monkeypatch.setattr(dataset, "NEIGHBOURS", 4)


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(0)
    parts = {
        key: pd.Series(
            rng.normal(size=n).cumsum() + 20,
            pd.date_range("2024-01-01", periods=n, freq="D", name="day"),
        )
        for key, n in {"a": 60, "b": 45, "c": 70}.items()
    }
    parts["b"].iloc[[3, 17, 18, 44]] = np.nan
    return pd.concat(parts, names=["shop", "day"]).rename("sales")


def test_arrays_in_files():
    parts = [np.ones((2, 3), np.float32), np.zeros((4, 3), np.float32)]
    made = on_disk(parts)
    assert in_file(made) and in_file(made[1:]) and not in_file(parts[0])
    np.testing.assert_array_equal(made, np.concatenate(parts))
    assert made.dtype == np.float32
    assert on_disk([np.empty((0, 2))]).shape == (0, 2)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_mapped_series_trains_as_in_memory(tmp_path, small_blocks, gaps, dtype):
    series = np.sin(np.arange(150.0) / 5).astype(dtype)
    if gaps:
        series[[0, 17, 31, 32, 33, 34, 149]] = np.nan
    file = np.memmap(tmp_path / "series", dtype, "w+", shape=150)
    file[:] = series
    f = LSTMForecaster(**SMALL).fit(series)
    expected = f.forecast(5), f.forecast_quantiles(quantiles=(0.9,))
    f.fit(file)
    assert in_file(f._state.series[None].history.y)
    found = f.forecast(5), f.forecast_quantiles(quantiles=(0.9,))
    for pair in zip(found, expected, strict=True):
        # Lines over gaps have the digits of the file.
        np.testing.assert_allclose(*pair, rtol=1e-5 if dtype == "float32" else 0)


def test_mapped_inputs(tmp_path, small_blocks, regression):
    X, y = (part.to_numpy() for part in regression)
    file = np.memmap(tmp_path / "X", "float64", "w+", shape=X.shape)
    file[:] = X
    f = LSTMForecaster(**SMALL).fit(X[:-2], y[:-2])
    expected = f.predict(X[-2:])
    mapped = LSTMForecaster(**SMALL).fit(file[:-2], y[:-2])
    np.testing.assert_array_equal(mapped.predict(file[-2:]), expected)


def by_series(panel):
    return (panel.loc[[key]] for key in panel.index.unique("shop"))


def by_time(panel):
    days = panel.index.get_level_values("day")
    return (panel[days.month == month] for month in (1, 2, 3))


@pytest.mark.parametrize("parts", [by_series, by_time])
@pytest.mark.parametrize("calendar", [None, ("dayofweek",)])
def test_frames_one_by_one_train_as_one(panel, small_blocks, parts, calendar):
    f = LSTMForecaster(**SMALL, calendar=calendar).fit(panel)
    expected = f.forecast(3)
    interval = f.forecast_interval(3)
    f.fit(parts(panel))
    pd.testing.assert_series_equal(f.forecast(3), expected)
    pd.testing.assert_frame_equal(f.forecast_interval(3), interval)
    # Only what forecasts need is kept, and it goes on from there.
    assert [len(own.history) for own in f._state.series.values()] == [6, 7, 6]
    rows = f.forecast(4)
    assert f.backtest(rows, steps=2).origin.min() == pd.Timestamp("2024-02-14")
    assert f.update(rows).forecast(1).index[0] == ("a", pd.Timestamp("2024-03-05"))


def test_pairs_one_by_one(regression):
    X, y = regression
    X, y = (pd.concat(dict.fromkeys("ab", part), names=["k"]) for part in (X, y))
    f = LSTMForecaster(**SMALL, past_covariates=("b",), calendar=("hour",))
    after = X.loc["a"].index[-1] + pd.to_timedelta([1, 2], "h")
    rows = X.loc["a"].iloc[:2].set_axis(after)
    ahead = pd.concat(dict.fromkeys("ab", rows), names=["k", X.index.names[1]])
    expected = f.fit(X, y).forecast(2, X=ahead)
    f.fit((X.loc[[k]], y.loc[[k]]) for k in "ab")
    pd.testing.assert_series_equal(f.forecast(2, X=ahead), expected)
    assert f._state.series["a"].history.X.shape == (6, 2)


def test_gaps_in_past_covariates_of_parts(regression, small_blocks):
    X, y = regression
    X = X.assign(b=X["b"].mask(np.arange(len(X)) % 7 > 3))
    X.loc[X.index[-9:], "b"] = np.nan  # more than a window
    f = LSTMForecaster(**SMALL, past_covariates=("b",))
    ahead = X.iloc[:2].set_axis(X.index[-1] + X.index.freq * np.arange(1, 3))
    expected = f.fit(X, y).forecast(2, X=ahead)
    X, y, ahead = (pd.concat({"k": part}, names=["k"]) for part in (X, y, ahead))
    f.fit((X[row : row + 50], y[row : row + 50]) for row in range(0, len(X), 50))
    np.testing.assert_array_equal(f.forecast(2, X=ahead), expected)
    assert 6 < len(f._state.series["k"].history) < 40


def test_rows_after_a_mapped_series_keep_their_digits(tmp_path):
    file = np.memmap(tmp_path / "series", "float32", "w+", shape=50)
    file[:] = np.arange(50) % 7
    f = LSTMForecaster(**SMALL).fit(file).update([0.1, 0.2])
    assert f._state.series[None].history.y[-2:, 0].tolist() == [0.1, 0.2]


def test_arrays_one_by_one_are_a_list(passengers):
    values = passengers.to_numpy()
    parts = [values, values[:50], 2 * values[20:]]
    f = LSTMForecaster(**SMALL).fit(parts)
    expected = f.forecast(3)
    f.fit(part for part in parts)
    np.testing.assert_array_equal(f.forecast(3), expected)
    assert f._state.series[1].history.index[0] == 44


def test_partial_fit_takes_frame_after_frame(panel):
    f = LSTMForecaster(**SMALL)
    for part in by_series(panel):
        f.partial_fit(part)
    assert f.forecast(1).index.get_level_values("shop") == ["c"]


@pytest.mark.parametrize(
    "parts, message",
    [
        ([], "X gave no part"),
        (["panel", "values"], "differs from the parts before it"),
        (["panel", "panel"], "more than once|not sorted"),
        (["hours", "periods"], "indexes of one kind"),
    ],
)
def test_parts_that_do_not_fit_together(panel, parts, message):
    days = panel.index.get_level_values("day")
    kinds = {
        "panel": panel,
        "values": panel.to_numpy(),
        "hours": panel.loc["a"],
        "periods": panel.loc["a"].to_period("D"),
    }
    assert len(days)
    with pytest.raises(ValueError, match=message):
        LSTMForecaster(**SMALL).fit(kinds[part] for part in parts)


def test_nothing_comes_beside_parts(panel):
    with pytest.raises(ValueError, match="Let it give pairs"):
        LSTMForecaster(**SMALL).fit(iter([panel]), panel)


def test_no_static_features_beside_parts(panel):
    static = pd.DataFrame({"size": [1, 2, 3]}, index=["a", "b", "c"])
    f = LSTMForecaster(**SMALL)
    with pytest.raises(ValueError, match="static_features cannot come beside it"):
        f.fit(by_series(panel), static_features=static)
    f.fit(panel, static_features=static).fit(by_series(panel))
    assert f._state.static_encoder is None


def test_many_rows_are_shuffled_in_groups(small_blocks):
    rows = np.arange(101)
    found = list(dataset.batches_of_many(rows, 8, np.random.RandomState(0)))
    assert [len(part) for part in found] == 12 * [8] + [5]
    assert sorted(np.concatenate(found)) == rows.tolist()
    again = np.concatenate(
        list(dataset.batches_of_many(rows, 8, np.random.RandomState(1)))
    )
    assert (again != np.concatenate(found)).any()


def test_parquet(panel, tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import dataset, table

    from sklstm.preprocessing import panel_from_long

    long = panel.reset_index()
    dataset.write_dataset(
        table(long.to_dict("list")), tmp_path, partitioning=["shop"], format="parquet"
    )
    parts = dataset.dataset(tmp_path, partitioning=["shop"])
    frames = (
        panel_from_long(batch.to_pandas(), series="shop", time="day")
        for batch in parts.to_batches(batch_size=40)
        if len(batch)
    )
    f = LSTMForecaster(**SMALL).fit(frames)
    assert sorted(f._state.series) == ["a", "b", "c"]
    assert len(f._state.series) == 3 and f.forecast(1).notna().all()


def test_parquet_by_dask(panel, tmp_path):
    frames = pytest.importorskip("dask.dataframe")

    from sklstm.preprocessing import panel_from_long

    columns = {"series": "shop", "time": "day"}
    panel.reset_index().to_parquet(tmp_path, partition_cols=["shop"])
    frame = frames.read_parquet(tmp_path)
    f = LSTMForecaster(**SMALL)
    expected = f.fit(panel).forecast(3)
    found = f.fit(panel_from_long(frame, **columns)).forecast(3)
    np.testing.assert_array_equal(found, expected)
    assert sorted(f._state.series) == ["a", "b", "c"]
    for part in panel_from_long(frame, **columns):
        f.partial_fit(part)
    assert f.forecast(1).index.get_level_values("shop") == ["c"]
    assert len(list(panel_from_long(frame[frame["shop"] == "b"], **columns))) == 1
    with pytest.raises(ValueError, match="no column 'ds'"):
        panel_from_long(frame, series="shop")
    for whole in (frame, frame["sales"]):
        with pytest.raises(TypeError, match=r"X is a frame of Dask.* panel_from_long"):
            f.fit(whole)


def test_zarr(passengers):
    zarr = pytest.importorskip("zarr")
    values = passengers.to_numpy()
    chunked = zarr.array(values, chunks=(50,))
    f = LSTMForecaster(**SMALL)
    expected = f.fit(values).forecast(3)
    np.testing.assert_array_equal(f.fit(chunked).forecast(3), expected)
    assert in_file(f._state.series[None].history.y)


def test_a_full_disk_is_told_with_its_folder(monkeypatch):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(OSError, match="is full: No space left .* TMPDIR") as told:
        on_disk([np.ones(3)])
    assert told.value.errno == 28
