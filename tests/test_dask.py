"""Searches and backtests on worker processes of Dask, one of which is killed."""

import contextlib
import os
import signal
import threading
import time

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster

distributed = pytest.importorskip("distributed")

# What Dask and its event loops leave behind while workers die.
pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = {"window_length": 12, "horizon": 3, "units": 4, "epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def one_killed(client):
    """Kill the first worker that is at work; there must have been one."""
    client.wait_for_workers(2)
    pids, killed, ended = client.run(os.getpid), [], threading.Event()

    def kill_one_at_work():
        while not killed and not ended.wait(0.05):
            at_work = [w for w, tasks in client.processing().items() if tasks]
            if at_work:
                time.sleep(0.2)  # it may still be reading its task
                os.kill(pids[at_work[0]], signal.SIGKILL)
                killed.append(at_work[0])

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    yield
    ended.set()
    killer.join()
    assert killed and killed[0] in pids


def test_a_search_outlives_a_worker(client, passengers):
    grid = {"learning_rate": [0.001, 0.003, 0.01]}
    search = GridSearchCV(LSTMForecaster(**SMALL), grid, cv=TimeSeriesSplit(2))
    values = passengers.to_numpy()
    expected = search.fit(values).cv_results_["mean_test_score"]
    with one_killed(client), parallel_config(backend="dask", scatter=[values]):
        search.fit(values)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)


def test_a_backtest_outlives_a_worker(client, passengers):
    f = LSTMForecaster(**SMALL).fit(passengers[:100])
    rows = passengers[100:]
    expected = f.backtest(rows, refit=7)
    with one_killed(client), parallel_config(backend="dask", scatter=[f, rows]):
        found = f.backtest(rows, refit=7)
    assert found.equals(expected)
