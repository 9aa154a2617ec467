"""A search and a backtest on workers of Ray, if it is installed."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster

ray = pytest.importorskip("ray")

# What Ray leaves open, and says of the fork it starts its processes by.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    from ray.util.joblib import register_ray

    register_ray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else workers wait for all others
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
    ray.shutdown()


def test_a_search_and_a_backtest(passengers, capsys):
    f = LSTMForecaster(12, 3, units=4, epochs=2, random_state=0)
    grid = {"learning_rate": [0.001, 0.01]}
    search = GridSearchCV(f, grid, cv=TimeSeriesSplit(2), refit=False)
    values = passengers.to_numpy()
    expected = search.fit(values).cv_results_["mean_test_score"]
    f.fit(values[:100])
    table = f.backtest(values[100:], refit=14)
    with parallel_config(backend="ray", n_jobs=2, verbose=10):
        search.fit(values)
        assert "Done   4 out of   4" in capsys.readouterr().err
        found = f.backtest(values[100:], refit=14)
        assert "Done   3 out of   3" in capsys.readouterr().err
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
    assert found.equals(table)
