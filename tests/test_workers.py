"""Worker processes of `n_jobs` give the same bytes, and limit their threads."""

import numpy as np
from joblib import Parallel, cpu_count, delayed
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from threadpoolctl import threadpool_info

from sklstm import LSTMForecaster
from sklstm._utils.blas import one_thread


def blas_threads():
    info = threadpool_info()
    return [one["num_threads"] for one in info if one["user_api"] == "blas"]


def test_workers_give_the_same_bytes():
    """Windows are wide enough for BLAS to divide their sums between threads."""
    rng = np.random.default_rng(0)
    series = np.sin(np.arange(1500) * np.pi / 12) + rng.normal(scale=0.3, size=1500)
    f = LSTMForecaster(96, 24, units=4, epochs=1, random_state=0)
    grid = {"linear_skip": [True, False]}
    searches = [
        GridSearchCV(f, grid, cv=TimeSeriesSplit(2), n_jobs=n_jobs).fit(series)
        for n_jobs in (1, 2)
    ]
    for split in ("split0_test_score", "split1_test_score"):
        one, two = (search.cv_results_[split].tobytes() for search in searches)
        assert one == two


def trained_threads():
    LSTMForecaster(6, units=2, epochs=1, random_state=0).fit(np.arange(60.0) % 7)
    return blas_threads()


def test_workers_have_blas_threads_for_their_share_of_the_cores():
    share = max(1, cpu_count() // 2)
    for blas in Parallel(2)(delayed(trained_threads)() for _ in range(2)):
        assert max(blas) <= share


def test_blas_gets_its_threads_back():
    before = blas_threads()
    with one_thread, one_thread:
        assert set(blas_threads()) == {1}
    LSTMForecaster(12, epochs=0).fit(np.arange(300.0) % 7)
    assert blas_threads() == before
