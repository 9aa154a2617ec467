from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import sklstm
from sklstm import LSTMForecaster
from sklstm._series.static import StaticEncoder, rows_of
from sklstm.inspection import lag_attributions

TABLE = pd.DataFrame(
    {"size": [1.0, 3.0, 5.0], "kind": ["x", "y", "x"]}, index=["a", "b", "c"]
)


def test_numbers_are_scaled_and_categories_apart():
    encoder = StaticEncoder.learn(TABLE)
    found = encoder.encode(TABLE)
    assert encoder.names == ["size", "kind=x", "kind=y"]
    np.testing.assert_allclose(found[:, 0], [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_array_equal(found[:, 1:], [[1, 0], [0, 1], [1, 0]])
    new = pd.DataFrame({"size": [3.0], "kind": ["never seen"]})
    np.testing.assert_array_equal(encoder.encode(new), [[0, 0, 0]])
    constant = StaticEncoder.learn(TABLE[["size"]] * 0 + 7)
    np.testing.assert_array_equal(constant.encode(TABLE[["size"]] * 0 + 7), 0)


def test_rows_go_by_key_or_by_position():
    by_key = rows_of(TABLE[::-1], ["a", "b", "c"], by_position=False)
    pd.testing.assert_frame_equal(by_key, TABLE)
    pd.testing.assert_frame_equal(rows_of(TABLE, [0, 1, 2], by_position=True), TABLE)
    pairs = TABLE.set_axis(pd.MultiIndex.from_tuples([("u", 1), ("u", 2), ("v", 1)]))
    found = rows_of(pairs, [("v", 1), ("u", 1)], by_position=False)
    assert found["size"].tolist() == [5, 1]


@pytest.fixture(scope="module")
def signed():
    """Return noise that repeats or negates its last value, by kind of series."""
    rng, parts, kinds, n = np.random.default_rng(0), {}, {}, 24
    for i in range(n):
        kind = ["kept", "turned"][i % 2]
        sign, y = (1 if kind == "kept" else -1), rng.normal(size=60)
        for t in range(1, 60):
            y[t] = sign * 0.95 * y[t - 1] + 0.3 * rng.normal()
        index = pd.date_range("2024", periods=60, freq="D")
        parts[f"s{i}"], kinds[f"s{i}"] = pd.Series(y, index), kind
    static = pd.DataFrame({"kind": pd.Series(kinds), "noise": rng.normal(size=n)})
    return pd.concat(parts, names=["id", "day"]).rename("y"), static


SETTINGS = {
    "window_length": 1,
    "window_norm": None,
    "scaler": None,
    "units": 8,
    "epochs": 20,
    "learning_rate": 0.02,
    "random_state": 0,
}
SETTINGS |= {"pretrained": False}


@pytest.fixture(scope="module")
def fitted(signed):
    y, static = signed
    train = y.groupby(level=0).head(50)
    return LSTMForecaster(**SETTINGS).fit(train, static_features=static)


def error(f, y):
    table = f.backtest(y.groupby(level=0).tail(10), steps=1)
    return ((table["y_true"] - table["y_pred"]) ** 2).mean()


def test_they_help_where_they_carry_the_signal(signed, fitted):
    y, _ = signed
    without = LSTMForecaster(**SETTINGS).fit(y.groupby(level=0).head(50))
    assert error(fitted, y) < 0.5 * error(without, y)
    assert error(fitted, y) < 2 * 0.3**2


def test_new_series_bring_theirs(signed, fitted):
    y, static = signed
    expected = fitted.forecast(2)
    train = y.groupby(level=0).head(50)
    order = train.loc[["s3", "s2"]]
    found = fitted.forecast(2, history=order)  # known by key
    pd.testing.assert_series_equal(found, expected.loc[["s3", "s2"]])
    new = train.rename({"s2": "n2", "s3": "n3"}).loc[["n2", "n3"]]
    known = static.rename({"s2": "n2", "s3": "n3"})[::-1]
    found = fitted.forecast(2, history=new, static_features=known)
    np.testing.assert_allclose(found, expected.loc[["s2", "s3"]], rtol=1e-12)
    interval = fitted.forecast_interval(2, history=new, static_features=known)
    paths = fitted.sample_paths(3, 2, history=new, static_features=known)
    assert len(interval) == len(paths) == 4
    turned = known.assign(kind="turned")
    other = fitted.forecast(1, history=new, static_features=turned)
    assert np.sign(other.loc["n2"].iloc[0]) != np.sign(found.loc["n2"].iloc[0])
    with pytest.raises(ValueError, match="of the series 'n2' are not known"):
        fitted.forecast(2, history=new)


def test_they_stay_through_update_file_refit_and_more_training(
    signed, fitted, tmp_path
):
    y, static = signed
    expected = fitted.forecast(2)
    fitted.save(tmp_path / "f")
    again = sklstm.load(tmp_path / "f")
    pd.testing.assert_series_equal(again.forecast(2), expected)
    rest = y.groupby(level=0).tail(10)
    again.update(rest.groupby(level=0).head(5))
    assert again._state.series["s1"].history.static is not None
    table = again.backtest(rest.groupby(level=0).tail(5), stride=4, refit=1)
    assert np.isfinite(table["y_pred"]).all()
    again.partial_fit(y, static_features=static)
    assert np.isfinite(again.forecast(2)).all()
    with pytest.raises(ValueError, match="ask for a network of another shape"):
        again.partial_fit(y)


def test_lists_go_by_position(signed):
    y, static = signed
    parts = [y[key].to_numpy() for key in static.index[:6]]
    f = LSTMForecaster(**SETTINGS | {"epochs": 1})
    f.fit(parts, static_features=static[:6])
    numbers = np.array([[0.0], [1.0]] * 3)
    alike = LSTMForecaster(**SETTINGS | {"epochs": 1}).fit(
        parts, None, None, static_features=numbers
    )
    assert len(f.forecast(2)) == len(alike.forecast(2)) == 6
    new = f.forecast(2, history=parts[:2], static_features=static[:2])
    np.testing.assert_allclose(new[0], f.forecast(2)[0], rtol=1e-12)
    with pytest.raises(ValueError, match="of the series 0 are not known"):
        f.forecast(2, history=parts[:2])
    with pytest.raises(ValueError, match="has 3 rows, but there are 6 series"):
        f.fit(parts, static_features=static[:3])


def test_beside_inputs_and_calendar(signed):
    y, static = signed
    X = pd.DataFrame({"x": np.arange(len(y)) % 3.0}, y.index)
    settings = SETTINGS | {"window_length": 4, "epochs": 1, "calendar": ("dayofweek",)}
    f = LSTMForecaster(**settings, n_members=2).fit(X, y, static_features=static)
    index = pd.date_range("2024-03-01", periods=2, freq="D")
    ahead = pd.concat(dict.fromkeys(static.index, pd.DataFrame({"x": 0.0}, index)))
    assert f.forecast(2, ahead).shape == (48,)
    assert f._spec_.n_static == 3


def test_attributions_name_them(fitted):
    found = lag_attributions(fitted, series="s1")
    names = found.attributions.index.get_level_values("input")
    assert list(names) == ["y", "kind=kept", "kind=turned", "noise"]
    assert np.abs(found.gap).max() < 1e-6


def test_a_graph_holds_those_of_its_series(signed, fitted):
    runtime = pytest.importorskip("onnxruntime")
    y, _ = signed
    for key in ("s2", "s3"):
        session = runtime.InferenceSession(
            fitted.to_onnx(series=key).SerializeToString()
        )
        last = y[key].iloc[49:50].to_numpy()[None]
        (found,) = session.run(None, {"y": last})
        expected = fitted.forecast(1, series=[key])
        np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "change, error, match",
    [
        (lambda s: s[["kind"]][:0], ValueError, "has no row of the series 's0'"),
        (lambda s: s[[]], ValueError, "static_features has no column"),
        (lambda s: pd.concat([s, s]), ValueError, "more than one row of the series"),
        (lambda s: s.mask(s["noise"] > 0), ValueError, "a missing value in column"),
    ],
)
def test_bad_tables(signed, change, error, match):
    y, static = signed
    with pytest.raises(error, match=match):
        LSTMForecaster(**SETTINGS).fit(y, static_features=change(static))


def test_where_they_cannot_be(signed, fitted):
    y, static = signed
    f = LSTMForecaster(**SETTINGS | {"epochs": 1})
    with pytest.raises(ValueError, match="but the data hold one"):
        f.fit(y["s0"], static_features=static)
    windows = LSTMForecaster(epochs=1)
    with pytest.raises(ValueError, match="the rows of X are ready-made windows"):
        windows.fit(np.zeros((9, 3)), np.zeros(9), static_features=static)
    with pytest.raises(ValueError, match="come with the series of history="):
        fitted.forecast(2, static_features=static)
    with pytest.raises(ValueError, match="has the columns .*'kind'.*, but the"):
        fitted.forecast(2, history=y, static_features=static[["kind"]])
    with pytest.raises(TypeError, match="Column 'noise' .* held numbers at fit"):
        fitted.forecast(2, history=y, static_features=static.assign(noise="much"))
    plain = f.fit(y)
    with pytest.raises(ValueError, match="was fitted without static_features"):
        plain.forecast(2, history=y, static_features=static)


@pytest.mark.parametrize("kind", ["decimal", "object", "arrow", "polars"])
def test_numbers_among_objects_are_numbers(signed, kind):
    numbers = pd.DataFrame({"size": [1.5, 4.0]})
    table = {
        "decimal": lambda: numbers.map(Decimal),
        "object": lambda: numbers.astype(object),
        "arrow": lambda: numbers.map(Decimal).convert_dtypes(dtype_backend="pyarrow"),
        "polars": lambda: pytest.importorskip("polars").DataFrame(numbers),
    }[kind]()
    encoder = StaticEncoder.learn(rows_of(table, range(2), by_position=True))
    assert encoder.categories == [None] and encoder.columns == ["size"]
    np.testing.assert_allclose(encoder.center, [2.75])
