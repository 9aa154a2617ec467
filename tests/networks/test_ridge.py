import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor, Ridge

from sklstm import LSTMForecaster
from sklstm._networks import ridge
from sklstm._reporting.summary import skill_in_words
from sklstm._windows.dataset import ReadyWindows, SeriesWindows
from sklstm._windows.normalization import WindowNorm


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4, 1))
    y = X[:, :2] + 0.1 * rng.normal(size=(80, 2, 1)) + 5
    return ReadyWindows(X, y, rng.uniform(0.5, 2, 80))


def test_equals_scikit_learns_ridge(data):
    rows = np.arange(60)
    path = ridge.fit_path(data, rows)
    kernel, bias = path.solution(3.0)
    other = Ridge(3.0 * path.values.mean()).fit(
        data.X[rows, :, 0], data.y[rows, :, 0], sample_weight=data.weights(rows)
    )
    np.testing.assert_allclose(kernel.T, other.coef_, rtol=1e-5)
    np.testing.assert_allclose(bias, other.intercept_, rtol=1e-5)


def test_absolute_errors_are_as_small_as_least_absolute_deviations(data):
    rows = np.arange(80)
    y = data.y[:, :1].copy()
    y[::9] += np.random.default_rng(1).standard_cauchy((9, 1, 1)) * 5
    data = ReadyWindows(data.X, y, data.weights(rows))
    solution = ridge.fit_path(data, rows, np.abs).solution(1e-9)
    found = ridge.errors(data, rows, ridge.linear([solution]), np.abs)
    best = QuantileRegressor(alpha=0).fit(
        data.X[..., 0], y[:, 0, 0], sample_weight=data.weights(rows)
    )
    best = ridge.linear([(best.coef_[:, None], best.intercept_)])
    best = ridge.errors(data, rows, best, np.abs)
    squares = ridge.fit_path(data, rows).solution(1e-9)
    assert best < found < 1.01 * best
    assert found < 0.8 * ridge.errors(data, rows, ridge.linear([squares]), np.abs)


def test_the_linear_model_follows_the_loss():
    rng = np.random.default_rng(0)
    y = rng.normal(size=300).cumsum() + 5 * np.sin(np.arange(300))
    y[50::60] += 100  # single values far off
    y = pd.Series(y)
    f = LSTMForecaster(8, 2, epochs=0, pretrained=False, random_state=0).fit(y)
    absolute = clone(f).set_params(loss="mae").fit(y)
    errors = [np.median(np.abs(y - g.predict(y))[8:]) for g in (f, absolute)]
    assert errors[1] < 0.8 * errors[0]
    by_size, by_square = absolute.baseline_scores_, f.baseline_scores_
    assert by_size["last_value"] < np.sqrt(by_square["last_value"])
    assert "absolute error is" in skill_in_words(absolute)


def test_nothing_to_weigh_where_nothing_is_off():
    data = ReadyWindows(np.ones((30, 3, 1)), np.ones((30, 1, 1)))
    kernel, bias = ridge.fit_path(data, np.arange(30), np.abs).solution(1.0)
    assert (kernel == 0).all() and bias == 1


def test_an_infinite_penalty_forecasts_no_change(data):
    kernel, bias = ridge.fit_path(data, np.arange(60)).solution(np.inf)
    assert kernel.shape == (4, 2) and (kernel == 0).all() and (bias == 0).all()


def test_inputs_left_out_are_as_if_they_were_not_there(data):
    rows, without = np.arange(60), ReadyWindows(data.X[:, [0, 2]], data.y)
    data = ReadyWindows(data.X, data.y)
    path, other = ridge.fit_path(data, rows), ridge.fit_path(without, rows)
    # Penalties are relative to the inputs' mean variance, which differs.
    penalty = 3.0 * path.values.mean() / other.values.mean()
    kernel, bias = path.solution(3.0, np.array([1, 3]))
    expected, expected_bias = other.solution(penalty)
    np.testing.assert_allclose(kernel[[0, 2]], expected, rtol=1e-9)
    np.testing.assert_allclose(bias, expected_bias, rtol=1e-9)
    assert (kernel[[1, 3]] == 0).all()


@pytest.mark.parametrize(
    ("pull", "n_rows", "kept"), [(0.0, 600, False), (0.3, 600, True), (0.0, 60, True)]
)
def test_levels_are_kept_where_a_long_block_shows_that_they_help(pull, n_rows, kept):
    noise = np.random.default_rng(0).normal(size=n_rows)
    y = np.zeros(n_rows)
    for i in range(2, n_rows):  # changes go on, so that the last value is no rival
        y[i] = (1 - pull) * y[i - 1] + 0.8 * (y[i - 1] - y[i - 2]) + noise[i]
    f = LSTMForecaster(3, 3, epochs=0, random_state=0).fit(y)
    assert (f.weights_["skip/kernel"][3] != 0).any() == kept


def test_targets_that_read_their_own_past_are_as_if_they_stood_alone():
    rng, norm = np.random.default_rng(0), WindowNorm("last", shows_level=True)
    y, X = rng.normal(size=(90, 2)), rng.normal(size=(90, 3))
    rows, past = np.arange(60), np.array([True, False, False])
    static = {"static": (rng.normal(size=(2, 2)), np.arange(80) % 2)}
    both = SeriesWindows(y, X, np.arange(80), 5, 3, norm, past, **static)
    assert len(both.owners) == ridge.design(both, rows).shape[1]
    path = ridge.SharedPaths(ridge.fit_path(both, rows), both.owners, 0.0)
    levels = 5 * (2 + 3) + np.arange(2)
    for left_out, its_level in (((), ()), (levels, [5 * (1 + 3)])):
        kernel, bias = path.solution(3.0, left_out)
        forecasts = ridge.design(both, rows) @ kernel + bias
        for target in (0, 1):
            own = y[:, [target]]
            alone = SeriesWindows(own, X, np.arange(80), 5, 3, norm, past, **static)
            kernel, bias = ridge.fit_path(alone, rows).solution(3.0, its_level)
            expected = ridge.design(alone, rows) @ kernel + bias
            np.testing.assert_allclose(forecasts[:, target::2], expected, rtol=1e-6)


def test_a_share_of_other_targets_pasts_is_a_penalty_on_them():
    rng, norm = np.random.default_rng(0), WindowNorm("last")
    y, rows, share = rng.normal(size=(90, 2)), np.arange(60), 0.2
    data = SeriesWindows(y, None, np.arange(80), 5, 3, norm)
    path = ridge.fit_path(data, rows)
    penalties = 3.0, 30.0
    kernel, _ = ridge.SharedPaths(path, data.owners, share).solution(penalties)
    X, targets = ridge.design(data, rows), data.targets(rows)
    for target in (0, 1):
        scaled = X * np.where(data.owners == target, 1, share)
        alpha = penalties[target] * scaled.var(axis=0).mean()
        expected = Ridge(alpha).fit(scaled, targets[:, :, target]).coef_.T
        expected *= np.where(data.owners == target, 1, share)[:, None]
        np.testing.assert_allclose(kernel[:, target::2], expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("n_rows", [120, 60])
@pytest.mark.parametrize("n_features", [0, 2])
@pytest.mark.parametrize("share", [1.0, 0.0, ridge.SMALL_SHARE])
def test_wide_frames_have_the_solutions_of_a_decomposition_for_each_target(
    monkeypatch, n_rows, n_features, share
):
    rng, norm = np.random.default_rng(0), WindowNorm("last", shows_level=True)
    y = rng.normal(size=(n_rows, 5)).cumsum(axis=0)
    X = rng.normal(size=(n_rows, 2)) if n_features else None
    data = SeriesWindows(y, X, np.arange(n_rows - 10), 6, 3, norm)
    rows, validation = np.split(np.arange(n_rows - 10), [n_rows * 3 // 5])
    levels = 6 * (5 + n_features) + np.arange(5)
    for left_out in ((), levels):
        found = []
        for bound in (np.inf, 0):
            monkeypatch.setattr(ridge, "MAX_DECOMPOSED", bound)
            all_inputs = ridge.fit_path(data, rows)
            path = ridge.path_at_share(all_inputs, data.owners, share)
            choice = ridge.choose_penalty(path, data, validation, left_out)
            found.append((*choice, *path.solution(choice[0], left_out)))
            assert not path.solution(np.inf, left_out)[0].any()
        for few, wide in zip(*found, strict=True):
            np.testing.assert_allclose(wide, few, rtol=1e-6, atol=1e-9)


def test_each_target_stands_alone_only_where_that_is_no_longer_way(monkeypatch):
    owners = np.repeat([0, 1, 2, -1], [3, 3, 3, 30])
    assert ridge.shares_to_try(None) == [1.0]
    assert ridge.shares_to_try(owners) == [1.0, 0.0]
    monkeypatch.setattr(ridge, "MAX_DECOMPOSED", 0)
    assert ridge.shares_to_try(owners) == [1.0]
    assert ridge.shares_to_try(owners[:12]) == [1.0, 0.0]


@pytest.mark.parametrize("own", [True, False])
def test_the_validation_block_tells_whether_columns_read_each_other(own):
    noise = np.random.default_rng(0).normal(size=(500, 2))
    y = np.zeros((500, 2))
    for i in range(2, 500):  # the second column is or is not what the first one was
        y[i] = 0.7 * y[i - 1] + noise[i]
        y[i, 1] = y[i, 1] if own else y[i - 2, 0] + 0.1 * noise[i, 1]
    f = LSTMForecaster(6, 2, epochs=0, random_state=0).fit(y)
    kernel = f.weights_["skip/kernel"].reshape(-1, 2, 2, 2)  # step, read, ahead, target
    assert (np.abs(kernel[:6, 0, :, 1]).max() < 0.01) == own
    assert (kernel[:6, 0, :, 0] != 0).all()


def test_chosen_penalty_has_the_smallest_error(data):
    path = ridge.fit_path(data, np.arange(60))
    validation = np.arange(60, 80)
    chosen, error = ridge.choose_penalty(path, data, validation)
    solutions = [path.solution(p) for p in ridge.PENALTIES]
    errors = ridge.errors(data, validation, ridge.linear(solutions))
    assert errors[list(ridge.PENALTIES).index(chosen)] == errors.min() == error


def test_each_target_has_the_penalty_with_its_smallest_error():
    y = np.random.default_rng(0).normal(size=(90, 2)).cumsum(axis=0)
    data = SeriesWindows(y, None, np.arange(80), 5, 3, WindowNorm("last"))
    rows, validation = np.arange(60), np.arange(60, 80)
    paths = ridge.SharedPaths(ridge.fit_path(data, rows), data.owners, 0.0)
    chosen, error = ridge.choose_penalty(paths, data, validation)
    alone = []
    for target in (0, 1):
        own = SeriesWindows(y[:, [target]], None, np.arange(80), 5, 3, data.norm)
        path = ridge.fit_path(own, rows)
        alone.append(ridge.choose_penalty(path, own, validation))
    np.testing.assert_array_equal(chosen, [penalty for penalty, _ in alone])
    assert error == pytest.approx(np.mean([found for _, found in alone]))


def test_too_wide_a_window_has_no_linear_model():
    wide = ReadyWindows(np.zeros((2, ridge.MAX_FEATURES + 1, 1)))
    assert ridge.fit_path(wide, np.arange(2)) is None
