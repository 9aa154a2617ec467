"""Any input gives a valid result, or an error that says what is wrong.

`make fuzz` tries many more cases than the few hundred of a usual run.
"""

import linecache
import math
import os
import pickle
import traceback
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklstm import LSTMForecaster, LSTMTextClassifier

# A failure is told together with what it came from, however long that is.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
N_CASES = int(os.environ.get("SKLSTM_FUZZ_CASES", 500))
DOCUMENTED = (ValueError, TypeError, NotFittedError, MemoryError)
# Warnings for a user to read; others, such as NumPy's of an overflow, are faults.
FOR_USERS = (UserWarning, ConvergenceWarning)
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, 1e-300, 1e12, 1e-12, 5e-324]
NAMES = ["a", "", "ä b", 0, 1.5, None, ("a", 1), "a", b"a", pd.Timestamp("2020")]


def mostly(usual, odd):
    """Draw one of the usual kinds in three of four cases."""
    usual, odd = st.sampled_from(usual.split()), st.sampled_from(odd.split())
    return st.one_of(usual, usual, usual, odd)


def cases(share):
    return settings(
        max_examples=max(1, math.ceil(N_CASES * share)),
        deadline=None,
        database=None,
        derandomize="SKLSTM_FUZZ_CASES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )


def raised_on_purpose(error):
    """Tell whether a `raise` of sklstm or of scikit-learn's checks made the error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = any(name in last.filename for name in ("sklstm", "sklearn", "narwhals"))
    line = linecache.getline(last.filename, last.lineno)
    return ours and line.strip().startswith("raise")


def contents(data):
    """Return the contents of data, without the caches of pandas."""
    if isinstance(data, list | tuple):
        return [contents(part) for part in data]
    if isinstance(data, pd.Index):
        return type(data), data.tolist(), data.names
    if isinstance(data, pd.Series | pd.DataFrame):
        axes = [(type(axis), axis.tolist(), axis.names) for axis in data.axes]
        return joblib.hash([data.to_numpy(), repr(axes)])
    return joblib.hash(data)


def state(estimator):
    """Return the attributes of an estimator, with indexes as strings.

    The bytes that joblib hashes of an index change once pandas is asked for one of its
    stamps, since it keeps something beside them.
    """
    held = dict(vars(estimator))
    histories = held.pop("_histories", None) or {}
    if any(hasattr(history, "index") for history in histories.values()):
        histories = {
            key: (joblib.hash([h.y, h.X]), stamps_of(h.index))
            for key, h in histories.items()
        }
    return joblib.hash(held), repr(histories)


def stamps_of(index):
    return None if index is None else (type(index), str(index.dtype), index.tolist())


def outcome(call, estimator, *inputs):
    """Return the result of a call or its documented error, after general checks."""
    before, came = state(estimator), contents(inputs)
    result = None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            result = call(*inputs)
        except DOCUMENTED as error:
            assert raised_on_purpose(error), "".join(traceback.format_exception(error))
            assert len(str(error)) > 20, f"says nothing: {error!r}"
            assert state(estimator) == before, f"changed by: {error}"
    faults = [w for w in told if not issubclass(w.category, FOR_USERS)]
    faults = [w for w in faults if "accept a copy keyword" not in str(w.message)]
    assert result is None or not faults, (
        f"{faults[0].category.__name__}: {faults[0].message}"
    )
    assert contents(inputs) == came, "the input was changed"
    return result


def finite(result):
    if isinstance(result, list):
        return all(map(finite, result))
    return np.isfinite(np.asarray(result, dtype=float)).all()


@st.composite
def arrays(draw, n_dims=(1, 1, 1, 1, 2, 2, 0, 3, 4), lengths=(40,) * 6 + (25, 3, 1, 0)):
    """Arrays of numbers, and objects that look like numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape = [draw(st.sampled_from(lengths)), draw(st.sampled_from([1, 2, 2, 2, 3, 0]))]
    shape = (shape + [draw(st.sampled_from([1, 2])), 2])[
        : draw(st.sampled_from(n_dims))
    ]
    values = rng.normal(size=shape)
    kind = draw(st.sampled_from(["", "", "", "ramp", "constant", "steps", "scale"]))
    if kind == "ramp":
        values = np.arange(values.size, dtype=float).reshape(shape)
    elif kind == "constant":
        values = np.full(shape, draw(st.sampled_from([0.0, 1.0, -1e12, 1e-12, 3.3])))
    elif kind == "steps":
        values = np.round(values)
    elif kind == "scale":
        values = values * draw(st.sampled_from([1e12, 1e-12, 1e30, 1e-300, 1e150]))
    values = np.asarray(values)
    if values.size and draw(st.integers(0, 5)) == 5:
        n_bad = draw(st.sampled_from([1, values.size]))
        places = rng.choice(values.size, n_bad, replace=False)
        values.reshape(-1)[places] = draw(st.sampled_from(SPECIAL))
    dtype = draw(
        st.sampled_from(
            [None] * 24
            + ["float32", "float16", "int64", "uint8", "bool", "complex128", "object"]
            + ["str", "datetime64[ns]", "bytes", "longdouble", ">f8"]
        )
    )
    if dtype is not None:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = np.asarray(values.astype(dtype))
    if dtype == "object" and values.size:
        odd = [None, "a", 1, True, 2**70, 1j, [1], (), {}, pd.NA, pd.NaT, b"", 0.5]
        values.reshape(-1)[rng.integers(values.size)] = draw(st.sampled_from(odd))
    return values


@st.composite
def indexes(draw, n):
    odd = "down text float mixed delta twice nat shuffled gap far"
    kind = draw(mostly("hour day month period zone range from5 levels", odd))
    times = pd.date_range("2024-01-31", periods=n, freq="h")
    if kind == "day":
        return times[:0].append(pd.date_range("2024-02-28", periods=n, freq="D"))
    if kind == "month":
        return pd.date_range("2000-01-31", periods=n, freq="ME")
    if kind == "period":
        return pd.period_range("2000-01", periods=n, freq="M")
    if kind == "zone":
        return pd.date_range("2024-03-30", periods=n, freq="h", tz="Europe/Berlin")
    if kind in ("twice", "nat", "shuffled", "gap"):
        rows = np.arange(n)
        if n > 2:
            rows[1] = {"twice": 0, "gap": n + 9}.get(kind, 1)
            rows = rows[::-1] if kind == "shuffled" else np.sort(rows)
        times = pd.Timestamp("2024-01-31") + pd.to_timedelta(rows, "h")
        return times.where(rows != 1) if kind == "nat" else times
    simple = {
        "hour": times,
        "range": pd.RangeIndex(n),
        "from5": pd.RangeIndex(5, 5 + 3 * n, 3),
        "down": pd.RangeIndex(n, 0, -1),
        "text": pd.Index([f"r{i}" for i in range(n)], dtype=object),
        "float": pd.Index(np.arange(n) / 3),
        "mixed": pd.Index([i if i % 2 else str(i) for i in range(n)], dtype=object),
        "delta": pd.to_timedelta(np.arange(n), "h"),
        "far": pd.date_range("1677-09-22", periods=n, freq="D"),
    }
    if kind in simple:
        return simple[kind]
    n_keys = draw(st.sampled_from([1, 2, 3]))
    keys = np.arange(n) * n_keys // max(n, 1)
    steps = np.concatenate([np.arange((keys == k).sum()) for k in range(n_keys)])
    second = draw(st.sampled_from(["int", "time", "text"]))
    if second == "time":
        steps = pd.Timestamp("2024") + pd.to_timedelta(steps, "D")
    elif second == "text":
        steps = [str(s) for s in steps]
    return pd.MultiIndex.from_arrays([keys, steps], names=["key", "time"])


@st.composite
def series(draw, values=None):
    """A series in any container that a user may pass."""
    values = draw(arrays()) if values is None else values
    odd = "tuple scalar none text dict ragged deep parts set matrix uneven type"
    kind = draw(mostly("array pandas pandas list unwritable reversed parts", odd))
    if kind == "pandas" and values.ndim in (1, 2):
        n = len(values)
        index = draw(indexes(n))
        if values.ndim == 1:
            return pd.Series(values, index, name=draw(st.sampled_from(NAMES[:7])))
        columns = [draw(st.sampled_from(NAMES)) for _ in range(values.shape[1])]
        frame = pd.DataFrame(values, index)
        frame.columns = pd.Index(columns, dtype=object)
        return frame
    if kind == "list":
        return values.tolist()
    if kind == "tuple" and values.ndim:
        return tuple(values.tolist())
    if kind == "parts" and values.ndim:
        return [values, values[: len(values) // 2]]
    if kind == "uneven" and values.ndim:
        return [values, values[:, None], pd.Series([1.0, 2.0])]
    if kind == "unwritable" and values.ndim:
        values.flags.writeable = False
        return values
    if kind == "reversed" and values.ndim:
        return values[::-1]
    if kind == "deep":
        deep = [1.0, 2.0]
        for _ in range(draw(st.sampled_from([3, 40, 100]))):
            deep = [deep]
        return deep
    others = {
        "scalar": 3.0, "none": None, "text": "series", "dict": {"a": [1, 2]},
        "ragged": [[1.0], [1.0, 2.0], []], "set": {1.0, 2.0}, "type": float,
        "matrix": [values, None],
    }  # fmt: skip
    return others.get(kind, values)


PARAMETERS = st.fixed_dictionaries(
    {
        "window_length": st.sampled_from([4, 4, 4, 1, None]),
        "horizon": st.sampled_from([2, 2, 1]),
        "validation_fraction": st.sampled_from([0.2, 0.2, 0.0]),
        "scaler": st.sampled_from(["standard", "minmax", None]),
        "window_norm": st.sampled_from(["level", "last", "scale", None]),
    }
)


def small(**parameters):
    quick = {"epochs": 1, "units": 2, "batch_size": 16, "random_state": 0}
    return LSTMForecaster(**(quick | {"refit": False} | parameters))


@cases(0.3)
@given(PARAMETERS, series(), st.data())
def test_any_series(parameters, X, data):
    f = small(**parameters)
    if outcome(f.fit, f, X) is f:
        forecast = outcome(f.forecast, f, data.draw(st.sampled_from([1, 3])))
        assert finite(forecast)


@cases(0.25)
@given(PARAMETERS, st.data())
def test_any_inputs_and_target(parameters, data):
    values = data.draw(arrays(n_dims=(2, 2, 2, 3, 1), lengths=(40, 40, 40, 8, 1, 0)))
    X = data.draw(series(values))
    y = data.draw(series(data.draw(arrays(n_dims=(1, 1, 2), lengths=(40, 40, 8)))))
    if data.draw(st.integers(0, 2)) and isinstance(X, pd.DataFrame):
        y = pd.Series(np.random.default_rng(0).normal(size=len(X)), X.index)
    weights = data.draw(st.none() | st.none() | arrays(n_dims=(1,), lengths=(40,)))
    f = small(**parameters)
    if outcome(f.fit, f, X, y, weights) is f:
        predicted = outcome(f.predict, f, X)
        assert predicted is None or finite(predicted)


@pytest.fixture(scope="module")
def fitted():
    """Pickled fitted forecasters, so that each case loads its own copy."""
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-31", periods=40, freq="h")
    y = pd.Series(rng.normal(size=40), index, name="a")
    X = pd.DataFrame(rng.normal(size=(40, 2)), index, columns=["a", "b"])
    panel = pd.concat({0: y, 1: y * 2}, names=["key", "time"])
    some = [
        small(window_length=4, horizon=2).fit(y.to_numpy()),
        small(window_length=4, horizon=2).fit(y),
        small(window_length=4, horizon=2).fit(X),
        small(window_length=4, horizon=2).fit(panel),
        small(window_length=4, horizon=2).fit(X, y),
        small(window_length=4, horizon=2).fit(X.to_numpy(), y.to_numpy()),
        small().fit(X.to_numpy(), y.to_numpy()),
    ]
    return [pickle.dumps(f) for f in some]


@cases(0.25)
@given(
    st.integers(0, 6),
    series(),
    series(),
    st.sampled_from([1, 2, 5, 0, -1, 1.5, None, True, "2", 1000, 10**9, 2**100]),
    st.integers(0, 12),
)
def test_anything_after_a_fit(fitted, which, X, y, steps, call):
    f = pickle.loads(fitted[which])
    calls = [
        (f.predict, X),
        (f.forecast, steps),
        (f.forecast, steps, X),
        (f.forecast, steps, None, X),
        (f.forecast_interval, steps),
        (f.score, X),
        (f.score, X, y),
        (f.update, X),
        (f.update, X, y),
        (f.partial_fit, X),
        (f.partial_fit, X, y),
        (f.backtest, X),
        (f.observe, X),
    ]
    call, *inputs = calls[call]
    result = outcome(call, f, *inputs)
    if isinstance(result, np.ndarray | pd.Series):
        assert call.__name__ == "observe" or finite(result)


CHARACTERS = st.characters(exclude_categories=()) | st.sampled_from("ab \n\t.,'’İ\0")
TEXT = st.text(CHARACTERS, max_size=30) | st.sampled_from(
    ["", " ", "good film", "bad", "a" * 1000, "\ud800", "\N{ZERO WIDTH JOINER}" * 9]
)
LONG = st.sampled_from(["x" * 10**6, "a b " * 50_000, "é" * 10**5])


@st.composite
def texts(draw, n):
    found = [draw(TEXT) for _ in range(n)]
    odd = "text none dict bytes mixed nested nan long ids set frame missing"
    kind = draw(mostly("list array object series tuple column string", odd))
    if kind == "mixed" and n:
        found[0] = draw(st.sampled_from([1, None, np.nan, b"a", ["a"], pd.NA, "a"]))
    if kind == "long" and n:
        found[-1] = draw(LONG)
    forms = {
        "array": lambda: np.array(found),
        "object": lambda: np.array(found, dtype=object),
        "series": lambda: pd.Series(found, index=range(5, 5 + n), dtype=object),
        "string": lambda: pd.Series(
            [t.encode(errors="replace").decode() for t in found], dtype="str"
        ),
        "tuple": lambda: tuple(found),
        "text": lambda: "one text",
        "none": lambda: None,
        "dict": lambda: dict(enumerate(found)),
        "column": lambda: np.array(found, dtype=object)[:, None],
        "bytes": lambda: [t.encode(errors="replace") for t in found],
        "nested": lambda: [[t] for t in found],
        "nan": lambda: [np.nan] * n,
        "missing": lambda: pd.Series([None, *found[1:]], dtype=object),
        "ids": lambda: draw(arrays(n_dims=(2, 2, 1), lengths=(n,))),
        "set": lambda: set(found),
        "frame": lambda: pd.DataFrame({"t": found}, dtype=object),
    }
    return forms.get(kind, lambda: found)()


@st.composite
def labels(draw, n):
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    odd = "one each float nan none mixed tuples dates short object text big bytes"
    kind = draw(mostly("two two two three words bool category many columns", odd))
    two = rng.integers(0, 2, n)
    forms = {
        "three": lambda: rng.integers(0, 3, n) - 1,
        "words": lambda: np.array(["ja", "nein \0", ""])[rng.integers(0, 3, n)],
        "bool": lambda: (two > 0).tolist(),
        "one": lambda: [7] * n,
        "each": lambda: list(range(n)),
        "float": lambda: rng.normal(size=n),
        "nan": lambda: [np.nan, *two[1:].astype(float)],
        "none": lambda: None,
        "mixed": lambda: [1, "a", *two[2:].tolist()],
        "tuples": lambda: [(1, int(t)) for t in two],
        "dates": lambda: pd.to_datetime(two, unit="D"),
        "category": lambda: pd.Series(pd.Categorical(two, [0, 1, 2])),
        "short": lambda: two[:-1],
        "many": lambda: rng.integers(0, 2, (n, 3)),
        "object": lambda: np.array([None, *two[1:]], dtype=object),
        "text": lambda: "labels",
        "big": lambda: [2**70 * int(t) for t in two],
        "columns": lambda: two[:, None],
        "bytes": lambda: [b"a" if t else b"b" for t in two],
    }
    return forms.get(kind, lambda: two)()


@cases(0.2)
@given(st.sampled_from([12, 12, 12, 5, 2, 1, 0]), st.data())
def test_any_texts_and_labels(n, data):
    X, y = data.draw(texts(n)), data.draw(labels(n))
    clf = LSTMTextClassifier(
        units=2, embedding_dim=2, epochs=1, max_length=8, batch_size=16, random_state=0
    )
    if outcome(clf.fit, clf, X, y) is not clf:
        return
    for new in (X, data.draw(texts(3))):
        proba = outcome(clf.predict_proba, clf, new)
        if proba is not None:
            assert finite(proba) and proba.min() >= 0
    outcome(clf.predict, clf, data.draw(texts(3)))
