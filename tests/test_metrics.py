import numpy as np
import pytest

from sklstm.metrics import (
    interval_coverage,
    interval_score,
    overall_weighted_average,
    weighted_quantile_loss,
)
from sklstm.metrics import mean_absolute_scaled_error as mase
from sklstm.metrics import root_mean_squared_scaled_error as rmsse
from sklstm.metrics import symmetric_mean_absolute_percentage_error as smape

rng = np.random.default_rng(0)
TRAIN, TRUE, PRED = (rng.normal(5, 1, n) for n in (40, 12, 12))


def test_seasonal_naive_in_training_scores_one():
    y = np.random.default_rng(0).normal(size=100)
    assert mase(y[7:], y[:-7], y_train=y, seasonal_period=7) == pytest.approx(1)


def test_too_short_training_series():
    with pytest.raises(ValueError, match="y_train has 3 values, .* needs at least 5"):
        mase([1], [1], y_train=[1, 2, 3], seasonal_period=4)


def test_constant_training_series():
    with pytest.raises(ValueError, match="makes no error on y_train"):
        mase([1], [1], y_train=[2, 2, 2])


@pytest.mark.parametrize("season", [1, 4])
def test_scaled_errors_by_hand(season):
    naive = [TRAIN[t] - TRAIN[t - season] for t in range(season, 40)]
    absolute = sum(abs(a - b) for a, b in zip(TRUE, PRED, strict=True)) / 12
    expected = absolute / (sum(abs(n) for n in naive) / len(naive))
    assert mase(TRUE, PRED, y_train=TRAIN, seasonal_period=season) == pytest.approx(
        expected
    )
    squared = sum((a - b) ** 2 for a, b in zip(TRUE, PRED, strict=True)) / 12
    expected = (squared / (sum(n * n for n in naive) / len(naive))) ** 0.5
    assert rmsse(TRUE, PRED, y_train=TRAIN, seasonal_period=season) == pytest.approx(
        expected
    )


def test_percentage_error_by_hand():
    parts = [
        abs(a - b) / ((abs(a) + abs(b)) / 2) for a, b in zip(TRUE, PRED, strict=True)
    ]
    assert smape(TRUE, PRED) == pytest.approx(100 * sum(parts) / 12)
    assert smape([0, 0], [0, 1]) == 100
    assert overall_weighted_average(1, 4, naive_smape=2, naive_mase=2) == 1.25


def test_quantile_loss_by_hand_and_its_errors():
    quantiles, columns = (0.2, 0.5), np.column_stack([TRUE - 1, TRUE + 1])
    expected = 2 * (12 * 0.2 * 1 + 12 * 0.5 * 1) / 2 / np.abs(TRUE).sum()
    found = weighted_quantile_loss(TRUE, columns, quantiles=quantiles)
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="2 columns, but there are 1 quantiles"):
        weighted_quantile_loss(TRUE, columns, quantiles=[0.5])
    with pytest.raises(ValueError, match="All actual values are 0"):
        weighted_quantile_loss([0.0, 0], columns[:2], quantiles=quantiles)


def test_interval_measures_by_hand():
    lower, upper = np.full(12, 4.0), np.full(12, 6.0)
    inside = [4 <= y <= 6 for y in TRUE]
    assert 0 < sum(inside) < 12
    assert interval_coverage(TRUE, lower, upper) == pytest.approx(np.mean(inside))
    outside = [max(4 - y, 0) + max(y - 6, 0) for y in TRUE]
    expected = 2 + 2 / 0.2 * np.mean(outside)
    assert interval_score(TRUE, lower, upper, coverage=0.8) == pytest.approx(expected)
    assert interval_coverage([4, 6], [4, 4], [6, 6]) == 1  # ends count


def test_other_libraries_have_the_same_figures():
    # Those of utilsforecast 0.2.17, and the interval score of darts 0.48.1.
    train, true = [5, 7, 6, 9, 8, 10, 12, 11, 13, 12], [14, 11, 15, 13]
    lower, pred, upper = [10, 9, 13.5, 14], [12, 12, 14, 16], [13, 14, 16, 18]
    for season, scaled, squared in ((1, 1.05, 1.0787924283), (4, 0.5, 0.5085476276)):
        known = {"y_train": train, "seasonal_period": season}
        assert mase(true, pred, **known) == pytest.approx(scaled)
        assert rmsse(true, pred, **known) == pytest.approx(squared)
    # Theirs is a share, over the sum of both sizes instead of their mean.
    assert smape(true, pred) == pytest.approx(200 * 0.06458309306885018)
    pair = np.column_stack([lower, upper])
    loss = weighted_quantile_loss(true, pair, quantiles=(0.1, 0.9))
    assert loss == pytest.approx(2 * 0.43125 / np.mean(true))
    assert interval_coverage(true, lower, upper) == 0.5
    assert interval_score(true, lower, upper, coverage=0.8) == pytest.approx(8.625)


def test_lengths_must_agree():
    for metric in (smape, lambda a, b: mase(a, b, y_train=TRAIN)):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            metric(TRUE, PRED[:3])
