"""Columns and frames of polars and Arrow, in and out."""

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm.preprocessing import SeriesScaler, SlidingWindowTransformer, TextSequencer

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

COLUMNS = {
    "polars": pl.Series,
    "arrow": pa.array,
    "arrow chunks": lambda values: pa.chunked_array([values[:9], values[9:]]),
    "pandas on arrow": lambda values: pd.Series(pa.array(values)),
}
FRAMES = {"polars": pl.DataFrame, "arrow": pa.table}


def small(**parameters):
    defaults = {"window_length": 12, "units": 4, "epochs": 1, "random_state": 0}
    return LSTMForecaster(**(defaults | parameters))


@pytest.fixture(scope="module")
def values(passengers):
    return passengers.to_numpy()


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=146) for name in "ab"}


@pytest.mark.parametrize("column", ["polars", "arrow", "arrow chunks"])
def test_series(column, values):
    made = COLUMNS[column]
    expected = small().fit(values).forecast(2)
    f = small().fit(made(values))
    np.testing.assert_array_equal(f.forecast(2), expected)
    other = small().fit([made(values), made(values[:50])])
    np.testing.assert_array_equal(
        other.forecast(2)[1], small().fit([values, values[:50]]).forecast(2)[1]
    )


def test_nulls_are_missing_values(values):
    gap = values.astype(float)
    gap[50] = np.nan
    nulls = [None if value != value else value for value in gap]
    f = small().fit(pl.Series(nulls))
    np.testing.assert_array_equal(f.forecast(2), small().fit(gap).forecast(2))


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("past", [None, ("b",)])
def test_inputs(library, past, values, inputs):
    made = FRAMES[library]
    table = np.stack([inputs["a"], inputs["b"]], axis=1)
    known = None if past is None else (1,)
    expected = small(past_covariates=known).fit(table[:144], values)
    f = small(past_covariates=past)
    f.fit(made({name: x[:144] for name, x in inputs.items()}), values)
    assert f.feature_names_in_.tolist() == ["a", "b"]
    ahead = {name: x[144:] for name, x in inputs.items()}
    np.testing.assert_array_equal(
        f.forecast(X=made(ahead)), expected.forecast(X=table[144:])
    )
    with pytest.raises(ValueError, match="feature names should match"):
        f.forecast(X=made(dict(reversed(ahead.items()))))


@pytest.mark.parametrize("column", COLUMNS)
def test_texts(column):
    texts = ["a good film", "a bad film", "good", "bad", "so good", "so bad"] * 4
    labels = ["bad" if "bad" in text else "good" for text in texts]
    clf = LSTMTextClassifier(units=3, embedding_dim=3, epochs=1, random_state=0)
    expected = clf.fit(texts, labels).predict_proba(texts)
    made = COLUMNS[column]
    clf.fit(made(texts), made(labels))
    np.testing.assert_array_equal(clf.predict_proba(made(texts)), expected)
    assert clf.classes_.tolist() == ["bad", "good"]


@pytest.mark.parametrize("library", FRAMES)
def test_texts_in_one_column(library):
    texts = ["a good film", "a bad film", "good", "bad", "so good", "so bad"] * 4
    clf = LSTMTextClassifier(units=3, embedding_dim=3, epochs=1, random_state=0)
    labels = np.array(["bad" in text for text in texts])
    expected = clf.fit(texts, labels).predict_proba(texts)
    np.testing.assert_array_equal(
        clf.predict_proba(FRAMES[library]({"text": texts})), expected
    )


@pytest.mark.parametrize(
    "transformer, names",
    [
        (SeriesScaler(), ["a"]),
        (SlidingWindowTransformer(3), ["a_lag2", "a_lag1", "a_lag0"]),
    ],
)
def test_transformers_give_polars(transformer, names, values):
    frame = pl.DataFrame({"a": values})
    made = transformer.set_output(transform="polars").fit_transform(frame)
    assert isinstance(made, pl.DataFrame) and made.columns == names
    plain = transformer.set_output(transform="default").transform(frame)
    np.testing.assert_array_equal(made.to_numpy(), plain)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_text_sequencer_gives_frames(library):
    texts = pd.Series(["a good film", "bad"], index=[5, 7])
    given = texts if library == "pandas" else pl.Series(texts)
    plain = TextSequencer().fit_transform(texts)
    sequencer = TextSequencer().set_output(transform=library)
    made = sequencer.fit_transform(given)
    assert isinstance(made, {"pandas": pd, "polars": pl}[library].DataFrame)
    assert list(made.columns) == ["token0", "token1", "token2"]
    np.testing.assert_array_equal(made.to_numpy(), plain)
    if library == "pandas":
        assert made.index.tolist() == [5, 7]
        assert sequencer.transform(texts.to_frame()).equals(made)


def test_an_arrow_table_with_the_index_of_a_frame_is_refused(values, passengers):
    X = pd.DataFrame({"a": np.sin(values)}, passengers.index)
    table, match = pa.Table.from_pandas, r"index of a frame.*Pass X\.to_pandas\(\)"
    past = small(past_covariates=("a",), epochs=0, pretrained=False)
    f = small(epochs=0, pretrained=False).fit(X[:140], passengers[:140])
    for call in (
        lambda: f.forecast(2, X=table(X[140:142])),
        lambda: f.predict(table(X[140:142])),
        lambda: f.update(table(X[140:142]), passengers[140:142]),
        lambda: f.forecast(2, X=X[140:], history=(table(X[:140]), passengers[:140])),
        lambda: past.fit(X, passengers).forecast(2, X=table(X[140:142])),
        lambda: small().fit(table(X), passengers),
    ):
        with pytest.raises(TypeError, match=match):
            call()
    with pytest.raises(TypeError, match=r"for one series with X\.to_pandas\(\)"):
        small().fit(pl.DataFrame({"day": list(passengers.index), "y": values}))


@pytest.mark.parametrize("library", FRAMES)
def test_displays_of_one_column(library, values):
    pytest.importorskip("matplotlib")
    made = FRAMES[library]
    f = small(epochs=0).fit(made({"a": values[:-5]}))
    display = f.plot(5, y_true=made({"a": values[-5:]}))
    np.testing.assert_array_equal(display.y_true, values[-5:])
    with pytest.raises(ValueError, match="y_true has 5 rows.*shows 2 steps"):
        f.plot(2, y_true=made({"a": values[-5:]}))


@pytest.mark.parametrize("frame", [pl.Series, lambda x: pl.DataFrame({"a": x})])
def test_no_index_in_is_none_out(frame, values):
    """polars has no index that a forecast could continue, so results are arrays."""
    f = small().fit(frame(values[:-5]))
    expected = small().fit(values[:-5])
    calls = {
        "forecast": (2,),
        "forecast_quantiles": (2,),
        "predict": (frame(values[-5:]),),
    }
    for name, given in calls.items():
        made = getattr(f, name)(*given)
        assert isinstance(made, np.ndarray)
        plain = [np.asarray(value) for value in given]
        wanted = getattr(expected, name)(*plain if name == "predict" else given)
        np.testing.assert_array_equal(made.ravel(), wanted.ravel())
    assert isinstance(f.backtest(frame(values[-5:])), pd.DataFrame)
