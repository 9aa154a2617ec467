import numpy as np
import pytest

from sklstm.metrics import mean_absolute_scaled_error as mase


def test_seasonal_naive_in_training_scores_one():
    y = np.random.default_rng(0).normal(size=100)
    assert mase(y[7:], y[:-7], y_train=y, seasonal_period=7) == pytest.approx(1)


def test_too_short_training_series():
    with pytest.raises(ValueError, match="y_train has 3 values, .* needs at least 5"):
        mase([1], [1], y_train=[1, 2, 3], seasonal_period=4)


def test_constant_training_series():
    with pytest.raises(ValueError, match="makes no error on y_train"):
        mase([1], [1], y_train=[2, 2, 2])
