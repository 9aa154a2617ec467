"""Searches and backtests on Dask: copies of data, progress, a killed worker."""

import contextlib
import os
import signal
import threading
import time

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster, LSTMTextClassifier

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

# What Dask and its event loops leave behind while workers die.
pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = {"window_length": 12, "horizon": 3, "units": 4, "epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def client():
    # The memory manager drops copies of scattered data while workers wait, so that they
    # are sent again, or lost with the one worker that holds them.
    kept = {"distributed.scheduler.active-memory-manager.start": False}
    with (
        dask.config.set(kept),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def copies_sent(client, monkeypatch):
    """Count the copies of the data that a call sends to and between workers."""
    from distributed.comm.tcp import TCP

    sizes, write = [], TCP.write  # of this process, which is client and scheduler

    async def counted(*arguments, **options):
        sizes.append(await write(*arguments, **options))
        return sizes[-1]

    def sent():
        by_worker = client.run(
            lambda dask_worker: dask_worker.transfer_outgoing_bytes_total
        )
        return sum(sizes) + sum(by_worker.values())

    def copies(data, work):
        before = sent()
        work()
        return (sent() - before) / data.nbytes

    monkeypatch.setattr(TCP, "write", counted)
    return copies


LONG = np.sin(np.arange(500_000) / 4)


@pytest.mark.parametrize("n_candidates", [1, 4])
def test_a_search_sends_its_data_once(client, copies_sent, n_candidates):
    cv = [(np.arange(n), np.arange(n, 3000)) for n in (60, 80)]
    grid = {"learning_rate": np.geomspace(0.001, 0.01, n_candidates).tolist()}
    search = GridSearchCV(LSTMForecaster(**SMALL), grid, cv=cv, refit=False)
    # Dask names data by their values. It loses those that are scattered again while
    # their first copy is released, so each search has values of its own.
    y = LONG + n_candidates

    def work():
        with parallel_config(backend="dask", scatter=[y]):
            search.fit(y)

    # One to the scheduler and each of two workers; numbers of rows take 0.02 a fit.
    assert 3 < copies_sent(y, work) < 3.3


def test_a_backtest_sends_its_history_once(client, copies_sent):
    f, rows = LSTMForecaster(**SMALL).fit(LONG[:100]), LONG[-40:]
    f.update(LONG[100:-40])

    def work():
        with parallel_config(backend="dask", scatter=[f, rows]):
            f.backtest(rows, refit=5, max_train_size=80)

    assert 1 < copies_sent(LONG, work) < 3.2


def test_a_random_search_of_texts(client):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["good", "bad", "film"], 3)) for _ in range(60)]
    labels = rng.integers(0, 2, 60)
    search = RandomizedSearchCV(
        LSTMTextClassifier(units=4, epochs=2, random_state=0, linear_skip=False),
        {"learning_rate": loguniform(1e-3, 1e-1)},
        n_iter=2,
        scoring="neg_log_loss",
        cv=2,
        random_state=0,
        refit=False,
    )
    expected = search.fit(texts, labels).cv_results_["mean_test_score"]
    with parallel_config(backend="dask", scatter=[texts]):
        search.fit(texts, labels)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
    assert len(set(expected)) == 2


def test_progress_is_shown(client, passengers, capsys):
    values = passengers.to_numpy()
    f = LSTMForecaster(**SMALL)
    search = GridSearchCV(f, {"epochs": [1, 2]}, cv=TimeSeriesSplit(2), refit=False)
    with parallel_config(backend="dask", verbose=10):
        search.fit(values)
        assert "Done   4 out of   4" in capsys.readouterr().err
        f.fit(values[:100]).backtest(values[100:], refit=14)
        assert "Done   3 out of   3" in capsys.readouterr().err
        f.set_params(verbose=1).backtest(values[100:], refit=14)
        told = capsys.readouterr()
        assert told.out.splitlines()[-1].startswith("3/3 [####") and not told.err


@contextlib.contextmanager
def one_killed(client):
    """Kill the first busy worker, and check that one was killed."""
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
