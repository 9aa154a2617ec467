import numpy as np
import pytest

from sklstm._series.history import History
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.problem import SeriesForecastProblem, WindowForecastProblem
from sklstm._windows.protocols import ForecastProblem
from sklstm._windows.scaling import ColumnScaler


def series_problem(*lengths, weights=None, **parameters):
    rng = np.random.RandomState(0)
    histories = [History(rng.normal(size=(n, 1)), None, None) for n in lengths]
    defaults = {
        "window_length": 6,
        "horizon": 3,
        "stride": 1,
        "scaler": "standard",
        "norm": WindowNorm("last"),
    }
    return SeriesForecastProblem(histories, weights, **(defaults | parameters))


def window_problem(n_windows=40):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(n_windows, 6, 1)), rng.normal(size=(n_windows, 1, 2))
    return WindowForecastProblem(X, y, np.ones(n_windows), "standard")


def owners(problem, rows):
    found = np.searchsorted(problem.first_rows, problem.starts[rows], side="right")
    return found - 1


def test_windows_stay_within_their_series():
    problem = series_problem(30, 12, 50)
    last = problem.starts + 6 + 3 - 1
    series = np.searchsorted(problem.first_rows, problem.starts, side="right")
    ends_in = np.searchsorted(problem.first_rows, last, side="right")
    assert (series == ends_in).all()
    assert len(problem.starts) == 22 + 4 + 42
    assert problem.n_windows.tolist() == [22, 4, 42]


def test_each_series_has_its_own_validation_block():
    problem = series_problem(60, 100)
    split = problem.split(0.2, None)
    assert split.cuts == (48, 80)
    for i, cut in enumerate(split.cuts):
        train, validation = (
            problem.starts[rows[owners(problem, rows) == i]] - problem.first_rows[i] + 6
            for rows in (split.train, split.validation)
        )
        assert validation.min() == cut and train.max() + 3 <= cut - 3


def test_a_series_without_room_for_a_block_is_all_training():
    problem = series_problem(100, 10)
    split = problem.split(0.2, None)
    assert (owners(problem, split.validation) == 0).all()
    assert (owners(problem, split.train) == 1).sum() == 2
    assert split.cuts == (80, 10)


def test_all_rows_have_no_validation_block():
    problem = series_problem(30, 12)
    split = problem.all_rows()
    assert split.train.tolist() == list(range(22 + 4)) and not split.has_validation
    assert split.cuts == (30, 12)


def test_series_count_the_same_however_long():
    problem = series_problem(30, 12, 50)
    data = problem.data(problem.fit_scalers(problem.split(0.2, None)))
    everything = np.arange(len(problem.starts))
    weights = data.weights(everything)
    sums = np.bincount(owners(problem, everything), weights)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    assert weights.mean() == pytest.approx(1)
    some = np.arange(10, 40)
    sums = np.bincount(owners(problem, some), problem.weights_by_series(some))
    np.testing.assert_allclose(sums, 1)


def test_series_of_one_length_keep_their_weights():
    assert series_problem(30, 30).row_weights is None
    weights = [np.arange(30.0), np.arange(30.0)]
    rows = series_problem(30, 30, weights=weights).row_weights
    np.testing.assert_array_equal(rows, [*weights[0], *weights[1]])


def test_scalers_are_fitted_on_rows_before_the_cuts_of_the_split():
    problem = series_problem(60, 100)
    split, whole = problem.split(0.2, None), problem.all_rows()

    def statistics(split):
        return [scaler.statistics for scaler in problem.fit_scalers(split)[0]]

    before = statistics(split)
    assert statistics(whole) != before
    for history, cut in zip(problem.histories, split.cuts, strict=True):
        history.y[cut:] = 1e6
    assert statistics(split) == before


def test_scalers_of_one_series_are_kept_and_those_of_many_are_fitted_again():
    kept = [ColumnScaler(np.array([5.0]), np.array([1.0]))], None
    problem = series_problem(60)
    assert problem.fit_scalers(problem.all_rows(), kept) is kept
    many = series_problem(60, 70)
    y_scalers, x_scaler = many.fit_scalers(many.all_rows(), (kept[0] * 2, "of X"))
    assert x_scaler == "of X" and y_scalers[0].center != 5


def test_naive_errors_are_those_written_out():
    problem = series_problem(60, norm=WindowNorm(None, (2,)), scaler=None)
    split = problem.split(0.2, None)
    data = problem.data(problem.fit_scalers(split))
    errors = problem.naive_errors(data, split.validation, np.square)
    y = problem.histories[0].y[:, 0]
    ends = problem.starts[split.validation] + 6
    last = [np.mean((y[e : e + 3] - y[e - 1]) ** 2) for e in ends]
    season = [np.mean((y[e : e + 3] - y[[e - 2, e - 1, e - 2]]) ** 2) for e in ends]
    assert errors["last_value"] == pytest.approx(np.mean(last), rel=1e-5)
    assert errors["seasonal_naive"] == pytest.approx(np.mean(season), rel=1e-5)


@pytest.mark.parametrize("make", [lambda: series_problem(60), window_problem])
def test_both_forms_of_problem_meet_the_protocol(make):
    problem: ForecastProblem = make()
    split = problem.split(0.25, np.random.RandomState(0))
    data = problem.data(problem.fit_scalers(split))
    window, context = data.inputs(split.train)
    assert window.shape[1:] == problem.window_shape
    assert context.shape[1:] == (problem.n_context,)
    assert data.targets(split.train).shape[1:] == problem.output_shape
    assert len(data.weights(split.train)) == len(split.train)
    errors = problem.naive_errors(data, split.validation, np.abs)
    assert errors and all(error > 0 for error in errors.values())


def test_ready_made_windows_belong_to_no_series():
    assert window_problem().weights_by_series(np.arange(3)) is None
    assert window_problem().split(0.2, np.random.RandomState(0)).cuts == ()


def test_no_weight_is_left():
    with pytest.raises(ValueError, match="no weight is left to train on"):
        series_problem(30, weights=[np.zeros(30)])


def test_a_series_whose_values_never_follow_a_window_is_refused():
    history = History(np.array([[0.2], [np.nan], [-0.4]]), None, None)
    with pytest.raises(ValueError, match="No observed value follows a window"):
        SeriesForecastProblem(
            [history],
            None,
            window_length=1,
            horizon=1,
            stride=1,
            scaler="standard",
            norm=WindowNorm("last"),
        )
