import numpy as np
import pytest

from sklstm import LSTMForecaster, make_windows
from sklstm._windows.dataset import SeriesWindows, rows_in_order
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.splits import split_chronological, split_shuffled


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
@pytest.mark.parametrize("stride", [1, 4])
def test_windows_are_views_that_hold_the_series(shape, stride):
    series = np.random.default_rng(0).normal(size=shape)
    X, y = make_windows(series, 5, 2, stride=stride)
    assert X.shape == (len(range(0, 14, stride)), 5, *shape[1:])
    for i, start in enumerate(range(0, 14, stride)):
        np.testing.assert_array_equal(X[i], series[start : start + 5])
        np.testing.assert_array_equal(y[i], series[start + 5 : start + 7])
    assert np.shares_memory(X, series) and np.shares_memory(y, series)


def test_shortest_series_gives_one_window():
    X, y = make_windows([1.0, 2.0, 3.0], 2, 1)
    assert X.shape == (1, 2) and y.shape == (1, 1)


@pytest.mark.parametrize(
    "parameters, error, match",
    [
        ({"window_length": 0}, ValueError, "window_length must be an int of 1 or more"),
        ({"window_length": 2.5}, TypeError, "window_length must be an int"),
        ({"window_length": 2, "horizon": -1}, ValueError, "horizon must be an int"),
        ({"window_length": 2, "stride": True}, TypeError, "stride must be an int"),
        (
            {"window_length": 9, "horizon": 2},
            ValueError,
            "has 10 time steps, but window_length=9 with horizon=2 needs at least 11",
        ),
    ],
)
def test_bad_lengths(parameters, error, match):
    with pytest.raises(error, match=match):
        make_windows(np.arange(10), **parameters)


def test_bad_dimensions():
    with pytest.raises(ValueError, match="must have 1 or 2 dimensions"):
        make_windows(np.zeros((2, 2, 2)), 1)


@pytest.fixture
def rows():
    return np.array([0, 7, 19])


def series_windows(norm, **parameters):
    y = np.random.default_rng(0).normal(size=(30, 2))
    X = np.column_stack([np.arange(30.0), -np.arange(30.0)])
    return SeriesWindows(y, X, np.arange(20), 6, 3, norm, **parameters)


def test_windows_are_normalized_by_their_last_value(rows):
    data = series_windows(WindowNorm("last", shows_level=True))
    window, context = data.inputs(rows)
    y = data.y
    np.testing.assert_allclose(window[1, :, :2] + y[12], y[7:13])
    np.testing.assert_allclose(window[1, -1, :2], 0)
    np.testing.assert_array_equal(window[1, :, 2], data.X[7:13, 0])
    np.testing.assert_array_equal(context[1], [*y[12], 13, -13, 14, -14, 15, -15])
    np.testing.assert_allclose(data.targets(rows)[1] + y[12], y[13:16])


@pytest.mark.parametrize("deseasonalize", [False, True])
@pytest.mark.parametrize("kind", [None, "last", "scale"])
def test_targets_are_restored(kind, deseasonalize, rows):
    data = series_windows(WindowNorm(kind, (2, 3), deseasonalize))
    restored = data.restored(data.targets(rows), rows)
    np.testing.assert_allclose(restored[2], data.y[25:28])


def test_windows_that_look_alike_but_for_size_are_alike(rows):
    norm = WindowNorm("scale", (2,))
    data, larger = series_windows(norm), series_windows(norm)
    larger.y = 7 + 40 * larger.y
    for a, b in zip(data.inputs(rows), larger.inputs(rows), strict=True):
        np.testing.assert_allclose(a, b)
    np.testing.assert_allclose(data.targets(rows), larger.targets(rows))
    moves = np.abs(data.y[9:13] - data.y[7:11]).mean(axis=0)
    np.testing.assert_allclose(data.level_and_scale(rows)[1][1, 0], moves)


@pytest.mark.parametrize("kind", [None, "last", "scale"])
def test_what_a_window_repeats_is_taken_off(kind, rows):
    data = series_windows(WindowNorm(kind, (3,), deseasonalize=True))
    data.y = data.y + 50 * np.resize([-1.0, 2.0, -1.0], 30)[:, None]
    window, _ = data.inputs(rows)
    assert np.ptp(window[:, :, :2]) < 20
    assert np.ptp(data.targets(rows)) < 20
    if kind == "last":
        np.testing.assert_allclose(window[:, -1, :2], 0, atol=1e-12)


def test_a_window_that_stands_still_keeps_its_scale(rows):
    data = series_windows(WindowNorm("scale"))
    data.y = np.full((30, 2), 5.0)
    assert (data.targets(rows) == 0).all()


def test_columns_known_in_the_past_alone_are_not_in_the_context(rows):
    data = series_windows(WindowNorm("last"), past_only=np.array([False, True]))
    window, context = data.inputs(rows)
    np.testing.assert_array_equal(window[1, :, 3], -np.arange(7, 13))
    np.testing.assert_array_equal(context[1], [13, 14, 15])


def test_chronological_split_never_straddles_the_cut():
    starts = np.arange(0, 100 - 10 - 3 + 1)
    train, validation, cut = split_chronological(starts, 10, 3, 100, 0.2, 8)
    assert cut == 80
    assert (starts[validation] + 10 >= cut).all()
    assert starts[train].max() + 10 + 3 == cut - 3
    assert not set(train) & set(validation)


def test_no_validation_block_where_the_series_is_short():
    train, validation, cut = split_chronological(np.arange(8), 10, 3, 20, 0.2, 8)
    assert len(train) == 8 and len(validation) == 0 and cut == 20


@pytest.mark.parametrize("n_windows", [1, 5, 50])
def test_shuffled_split_is_a_partition(n_windows):
    split = split_shuffled(n_windows, 0.2, np.random.RandomState(0))
    assert sorted([*split.train, *split.validation]) == list(range(n_windows))
    assert len(split.validation) == (10 if n_windows == 50 else 0)
    assert split.has_validation == (n_windows == 50)


def test_whole_weights_repeat_rows_in_a_fixed_order():
    X = np.array([[[1.0]], [[2.0]], [[1.0]], [[np.nan]], [[3.0]]])
    y = np.array([[5.0], [6.0], [5.0], [7.0], [8.0]])
    whole = np.array([2.0, 4.0, 2.0, 2.0, 0.0])
    rows, weights = rows_in_order(X, y, whole)
    np.testing.assert_array_equal(X[rows].ravel(), [np.nan, 1, 1, 2, 2])
    np.testing.assert_array_equal(weights, 1)
    order = np.array([3, 1, 4, 2, 0])
    again, _ = rows_in_order(X[order], y[order], whole[order])
    np.testing.assert_array_equal(X[order][again], X[rows])
    rows, weights = rows_in_order(X, y, np.array([0.3, 0.5, 0.1, 0.771, 0]))
    np.testing.assert_array_equal(X[rows].ravel(), [np.nan, 1, 1, 2])
    np.testing.assert_allclose(weights * 1.671 / 4, [0.771, 0.1, 0.3, 0.5])


def test_f1_windows_of_few_kinds_are_learned_as_others_are():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (1500, 4)).astype(float)
    y = X[:, 0] * X[:, 1] - X[:, 2]
    scores = []
    for noise in (0, 1e-4):
        f = LSTMForecaster(units=8, epochs=12, learning_rate=0.01, linear_skip=False)
        windows = X + noise * rng.normal(size=X.shape)
        scores.append(f.set_params(random_state=0).fit(windows, y).score(X, y))
    assert min(scores) > 0.97
