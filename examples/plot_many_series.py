"""
A global model of many series, and a cold start
===============================================

The data are thirty short series of the same kind and of different sizes. Each series is
too short to train a network. One network that is trained on all thirty series, each
scaled by itself, is more accurate, and can forecast a series that was not in the
training data.
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
actual = sales.drop(known.index)
settings = {"window_length": 14, "horizon": 6, "random_state": 0}
all_shops = LSTMForecaster(**settings, epochs=10).fit(known)
ForecastDisplay.from_estimator(
    all_shops, 6, series="shop 3", y_true=actual["shop 3"], n_history=24
)

# %%
# The picture shows relative errors of five shops over the last six months. It compares
# the network of all thirty shops, ridge regression on all thirty shops, one network for
# each shop, and the same month a year ago.

five = [f"shop {i}" for i in range(5)]
ridge = LSTMForecaster(**settings, epochs=0, pretrained=False).fit(known)
forecasts = {
    "one network of thirty shops": all_shops.forecast(6, series=five),
    "one ridge of thirty shops": ridge.forecast(6, series=five),
    "five networks, one for each": pd.concat(
        [LSTMForecaster(**settings, epochs=10).fit(known[s]).forecast() for s in five]
    ),
    "same month a year ago": pd.concat([known[s][-12:-6] for s in five]),
}
truth = actual.loc[five].to_numpy()
errors = pd.Series(
    {
        name: np.abs(np.ravel(made) / truth - 1).mean()
        for name, made in forecasts.items()
    }
)
print(errors.map("{:.1%}".format).rename("relative error").to_string())
print(f"Verdict: {errors.idxmin()} has the smallest error.")

# %%
# A new shop needs no training (cold start): pass the known rows of the shop as
# ``history``.

new = pd.concat({"new shop": simulate(5000.0)}, names=["shop"])
print(all_shops.forecast(6, history=new).round(0).to_string())
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(errors.index, errors, color="#0072B2")
ax.set_title("Relative error of five shops")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
