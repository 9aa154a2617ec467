import numpy as np
import pandas as pd
import pytest

# Tests import keras themselves; sklstm, imported before, selects an installed backend.
from sklstm.datasets import load_air_passengers


@pytest.fixture(scope="session")
def passengers():
    return load_air_passengers()


@pytest.fixture(scope="session")
def regression():
    """y depends on its past and on X at the same row."""
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-03-01", periods=220, freq="h", tz="Europe/Berlin")
    X = pd.DataFrame(rng.normal(size=(220, 2)), index=index, columns=["a", "b"])
    y = np.zeros(220)
    for t in range(1, 220):
        y[t] = 0.6 * y[t - 1] + 2 * X["a"].iloc[t] + 0.1 * rng.normal()
    return X, pd.Series(y, index=index, name="load")
