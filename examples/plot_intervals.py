"""
Prediction intervals of counts: coverage and width
==================================================

Prediction intervals are computed from errors on the validation block, and widen with
each step ahead. Good intervals have the nominal coverage and are narrow. Sunspot
numbers cannot be negative; intervals on a square-root scale stay above zero.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklstm import LSTMForecaster
from sklstm.datasets import load_sunspots
from sklstm.metrics import interval_coverage
from sklstm.plotting import ForecastDisplay


def square(root):
    return np.square(np.clip(root, 0, None))


spots = load_sunspots()
train, test = spots[:-55], spots[-55:]
root = FunctionTransformer(np.sqrt, square, check_inverse=False)
settings = {"window_length": 33, "horizon": 11, "random_state": 0}
plain = LSTMForecaster(**settings, epochs=15).fit(train)
rooted = LSTMForecaster(
    **settings, epochs=15, scaler=make_pipeline(root, StandardScaler())
).fit(train)
display = ForecastDisplay.from_estimator(rooted, 11, y_true=test[:11], n_history=44)
display.ax_.set(
    title="Sunspots by year, intervals on a square-root scale", ylim=(0, None)
)

# %%
# The picture shows the share of values inside 80 % intervals, and the width of the
# intervals, over all origins of the test years. It compares with intervals around the
# values of eleven years before, from quantiles of the errors on the training rows.

spans, widths = {}, {}
for name, forecaster in {"default scale": plain, "square root": rooted}.items():
    table = forecaster.backtest(test, quantiles=(0.1, 0.9))
    spans[name] = table["step"], table["y_true"], table[0.1], table[0.9]
lower, upper = (train - train.shift(11)).quantile([0.1, 0.9])
before = spots.shift(11).loc[test.index].to_numpy()
rows = np.arange(len(test) - 10)[:, None] + np.arange(11)
naive = pd.Series(before[rows].ravel(), table.index)
spans["last cycle"] = table["step"], table["y_true"], naive + lower, naive + upper

figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for name, (step, y_true, low, high) in spans.items():
    inside = ((y_true >= low) & (y_true <= high)).groupby(step).mean()
    axes[0].plot(inside, "o-", markersize=3, label=name)
    axes[1].plot((high - low).groupby(step).mean(), "o-", markersize=3, label=name)
    widths[name] = np.mean(high - low)
    print(
        f"{name}: {interval_coverage(y_true, low, high):.0%} inside, mean width "
        f"{widths[name]:.0f}, lowest bound {np.min(low):.0f}"
    )
print(
    "Verdict: on the square-root scale no interval reaches below zero, and the width "
    f"is {widths['square root'] / widths['default scale']:.0%} of the default scale's."
)
axes[0].axhline(0.8, color="0.5", ls=":")
axes[0].set(xlabel="years ahead", title="share inside 80 % intervals", ylim=(0, 1))
axes[1].set(xlabel="years ahead", title="mean width", ylim=(0, None))
axes[1].legend(frameon=False)
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
