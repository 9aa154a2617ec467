"""
Missing data: gaps in a series
==============================

Values of a series may be missing, and need no imputation before `fit`. The network
reads gaps interpolated linearly, missing targets are left out of the loss, and a
forecast may begin in a gap. In this example a third of the yearly sunspot numbers is
deleted.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_sunspots

spots = load_sunspots()
train, test = spots[:-66], spots[-66:]
rng = np.random.default_rng(0)
gaps = train.copy()
gaps[rng.random(len(train)) < 0.2] = np.nan
for start in (40, 120, 200):
    gaps.iloc[start : start + 12] = np.nan
print(f"{gaps.isna().mean():.0%} of the training values are missing.")
fills = {
    "left as NaN": gaps,
    "last value carried forward": gaps.ffill().bfill(),
    "replaced by the mean": gaps.fillna(gaps.mean()),
    "nothing missing": train,
}

# %%
# The picture shows the gaps, and how they are filled for each forecaster.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
years = slice("1800", "1850")
x = gaps[years].index.to_timestamp()
ax.plot(x, train[years], color="0.8", lw=4, label="complete series")
ax.plot(
    x,
    fills["last value carried forward"][years],
    "--",
    color="#E69F00",
    label="carried forward",
)
ax.plot(x, fills["replaced by the mean"][years], ":", color="#009E73", label="mean")
ax.plot(x, gaps[years], "o-", color="#0072B2", label="with gaps")
ax.set(title="Sunspots by year, a third of them missing", ylabel="sunspot number")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, ncols=2)

# %%
# Every forecaster is tested on the same complete rows. The table also has ridge
# regression, fitted to the series with NaN, and the values of the last cycle.

settings = {"window_length": 22, "horizon": 5, "units": 16, "pretrained": False}
settings |= {"random_state": 0, "learning_rate": 0.005}
models = {
    name: LSTMForecaster(**settings, epochs=20).fit(series)
    for name, series in fills.items()
}
models["ridge, left as NaN"] = LSTMForecaster(**settings, epochs=0).fit(gaps)
errors = {}
for name, model in models.items():
    table = model.backtest(test)
    errors[name] = (table["y_true"] - table["y_pred"]).abs().mean()
errors["last cycle"] = (test - spots.shift(11)[-66:]).abs().mean()
errors = pd.Series(errors)
print(errors.round(1).rename("mean absolute error").to_string())
gapped = errors.drop(["nothing missing", "last cycle"])
best = gapped.index[gapped <= 1.001 * gapped.min()]
print(f"Verdict: with gaps in the series, {' and '.join(best)} had the smallest error.")

# %%
# The last forecast begins in a gap, because the last three years are missing.

recent = spots.copy()
recent[-3:] = np.nan
print(models["left as NaN"].forecast(4, history=recent).round(1).to_string())
plt.show()
