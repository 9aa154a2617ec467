import numpy as np
import pytest

from sklstm._series.history import History
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.problem import SeriesProblem


def problem(*lengths, weights=None, **parameters):
    rng = np.random.RandomState(0)
    histories = [History(rng.normal(size=(n, 1)), None, None) for n in lengths]
    defaults = {
        "window_length": 6,
        "horizon": 3,
        "stride": 1,
        "scaler": "standard",
        "norm": WindowNorm("last"),
    }
    return SeriesProblem(histories, weights, **(defaults | parameters))


def owners(made, rows):
    return np.searchsorted(made.firsts, made.starts[rows], side="right") - 1


def test_windows_stay_within_their_series():
    made = problem(30, 12, 50)
    last = made.starts + 6 + 3 - 1
    first = np.searchsorted(made.firsts, made.starts, side="right")
    assert (first == np.searchsorted(made.firsts, last, side="right")).all()
    assert len(made.starts) == 22 + 4 + 42


def test_each_series_has_its_own_validation_block():
    made = problem(60, 100)
    train, validation = made.split(0.2, None)
    for i, n in enumerate((60, 100)):
        ends = {
            name: made.starts[rows[owners(made, rows) == i]] - made.firsts[i] + 6
            for name, rows in (("train", train), ("validation", validation))
        }
        assert ends["validation"].min() == 0.8 * n
        assert ends["train"].max() + 3 <= 0.8 * n - 3


def test_a_series_without_room_for_a_block_is_all_training():
    made = problem(100, 10)
    train, validation = made.split(0.2, None)
    assert (owners(made, validation) == 0).all()
    assert (owners(made, train) == 1).sum() == 2


def test_series_count_the_same_however_long():
    made = problem(30, 12, 50)
    data = made.data(made.learn_scalers(None) if made.split(0.2, None) else None)
    everything = np.arange(len(made.starts))
    weights = data.weights(everything)
    sums = np.bincount(owners(made, everything), weights)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    assert weights.mean() == pytest.approx(1)


def test_scalers_are_learned_before_the_cut():
    made = problem(60, 100)
    rows, _ = made.split(0.2, None)
    before, _ = made.learn_scalers(rows)
    for history, cut in zip(made.histories, made.cuts, strict=True):
        history.y[cut:] = 1e6
    again, _ = made.learn_scalers(rows)
    assert before == again


def test_naive_errors_are_those_written_out():
    made = problem(60, norm=WindowNorm(None, (2,)), scaler=None)
    rows, validation = made.split(0.2, None)
    data = made.data(made.learn_scalers(rows))
    found = made.naive_error(validation, data, np.square)
    y = made.histories[0].y[:, 0]
    ends = made.starts[validation] + 6
    last = [np.mean((y[e : e + 3] - y[e - 1]) ** 2) for e in ends]
    season = [np.mean((y[e : e + 3] - y[[e - 2, e - 1, e - 2]]) ** 2) for e in ends]
    assert found["last_value"] == pytest.approx(np.mean(last), rel=1e-5)
    assert found["seasonal_naive"] == pytest.approx(np.mean(season), rel=1e-5)


def test_no_weight_is_left():
    with pytest.raises(ValueError, match="no weight is left to train on"):
        problem(30, weights=[np.zeros(30)])


def test_a_series_whose_values_never_follow_a_window_is_refused():
    history = History(np.array([[0.2], [np.nan], [-0.4]]), None, None)
    with pytest.raises(ValueError, match="No value of the series follows a window"):
        SeriesProblem(
            [history],
            None,
            window_length=1,
            horizon=1,
            stride=1,
            scaler="standard",
            norm=WindowNorm("last"),
        )
