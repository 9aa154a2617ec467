"""
Prediction intervals
====================

Prediction intervals come from errors on the validation block, and widen with each step
ahead. Good intervals have the nominal coverage and are narrow.
"""

import matplotlib.pyplot as plt

from sklstm import LSTMForecaster
from sklstm.datasets import load_sunspots
from sklstm.metrics import interval_coverage
from sklstm.plotting import ForecastDisplay

spots = load_sunspots()
train, test = spots[:-44], spots[-44:]
forecaster = LSTMForecaster(33, 11, epochs=15, random_state=0).fit(train)
ForecastDisplay.from_estimator(forecaster, 11, y_true=test[:11], n_history=55)
plt.ylabel("sunspots")

# %%
# The share of values inside the intervals, over all origins in the last four cycles:

table = forecaster.backtest(test, quantiles=(0.1, 0.9))
columns = list(table.columns)
lower, upper = (table[name] for name in columns[-2:])
inside = interval_coverage(table["y_true"], lower, upper)
print(f"80 % intervals cover {inside:.0%} of the values")
by_step = ((table["y_true"] >= lower) & (table["y_true"] <= upper)).groupby(
    table["step"]
)
width = (upper - lower).groupby(table["step"]).mean()

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
axes[0].bar(by_step.mean().index, by_step.mean(), color="#0072B2")
axes[0].axhline(0.8, color="#D55E00", ls="--")
axes[0].set(xlabel="steps ahead", title="share inside 80 % intervals")
axes[1].plot(width, "o-", color="#0072B2")
axes[1].set(xlabel="steps ahead", title="mean width", ylim=(0, None))
plt.show()
