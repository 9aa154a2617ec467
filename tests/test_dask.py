"""A search on the worker processes of a Dask cluster, one of which is killed."""

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


def test_a_search_outlives_a_worker(passengers):
    f = LSTMForecaster(window_length=12, horizon=3, units=4, epochs=2, random_state=0)
    grid = {"learning_rate": [0.001, 0.003, 0.01]}
    search = GridSearchCV(f, grid, cv=TimeSeriesSplit(2))
    values = passengers.to_numpy()
    expected = search.fit(values).cv_results_["mean_test_score"]
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        killed = []

        def kill_one_at_work():
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not killed:
                at_work = [w for w, tasks in client.processing().items() if tasks]
                if at_work:
                    os.kill(pids[at_work[0]], signal.SIGKILL)
                    killed.append(at_work[0])
                time.sleep(0.05)

        killer = threading.Thread(target=kill_one_at_work)
        killer.start()
        with parallel_config(backend="dask", scatter=[values]):
            search.fit(values)
        killer.join()
    assert killed and killed[0] in pids
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
