"""
A global model of many series
=============================

Thirty short series are of one kind and of different sizes. Each is too short to train a
network. One network trained on all of them, with each series scaled by itself, is more
accurate, and forecasts series that it has never seen.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.plotting import ForecastDisplay

rng = np.random.default_rng(0)
months = pd.period_range("2022-01", periods=48, freq="M", name="month")


def simulate(size):
    season = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(48) + 2) / 12)
    walk = np.exp(rng.normal(0, 0.03, 48).cumsum())
    return pd.Series(size * season * walk, months)


sales = pd.concat(
    {f"shop {i}": simulate(10 ** rng.uniform(1, 4)) for i in range(30)}, names=["shop"]
)
known = sales[sales.index.get_level_values("month") < "2025-07"]
settings = {"window_length": 14, "horizon": 6, "epochs": 10, "random_state": 0}
all_shops = LSTMForecaster(**settings).fit(known)
all_shops.forecast(6, series=["shop 0", "shop 1"]).round(1).unstack("shop")

# %%
# Relative errors over the last six months.

actual = sales.drop(known.index)


def error(forecast):
    return np.abs(np.asarray(forecast) / np.asarray(actual) - 1).mean()


one_by_one = [
    LSTMForecaster(**settings).fit(known[f"shop {i}"]).forecast() for i in range(5)
]
few = np.abs(np.concatenate(one_by_one) / np.asarray(actual[: 5 * 6]) - 1).mean()
first = all_shops.forecast(6)[: 5 * 6]
print(f"five shops, one network for each: {few:.1%} error")
shared = np.abs(np.asarray(first) / np.asarray(actual[: 5 * 6]) - 1).mean()
print(f"the same shops, network of thirty: {shared:.1%} error")
print(f"all thirty shops:                  {error(all_shops.forecast(6)):.1%} error")

# %%
# A new shop needs no training, because its history suffices.

new = pd.concat({"new": simulate(5000.0)}, names=["shop"])
print(all_shops.forecast(6, history=new).round(0).to_string())
ForecastDisplay.from_estimator(
    all_shops, 6, series="shop 3", y_true=actual["shop 3"], n_history=24
)
plt.show()
