"""Forecast sunspots a year ahead; compare with ridge regression and naive forecasts.

This program draws the picture of the README.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from sklstm import LSTMForecaster, make_windows
from sklstm.datasets import load_monthly_sunspots

WINDOW, YEAR, N_TEST = 132, 12, 120
LSTM, RIDGE, NAIVE = "LSTMForecaster", "ridge on lags", "seasonal naive (11 years)"

sunspots = load_monthly_sunspots()
train, test = sunspots[:-N_TEST], sunspots[-N_TEST:]
f = LSTMForecaster(window_length=WINDOW, horizon=YEAR, random_state=0, verbose=1)
f.fit(train)
print(f.summary())

# All forecasts are made at the end of each year, for the twelve months that follow.
table = f.backtest(test, stride=YEAR, quantiles=(0.1, 0.9))
ridge = RidgeCV(alphas=np.logspace(-3, 6, 19))
ridge.fit(*make_windows(train, WINDOW, YEAR))
windows, _ = make_windows(sunspots, WINDOW, YEAR)
forecasts = pd.DataFrame(
    {
        LSTM: table["y_pred"].to_numpy(),
        RIDGE: ridge.predict(windows[YEAR - N_TEST - 1 :: YEAR]).ravel(),
        NAIVE: sunspots.shift(WINDOW)[-N_TEST:].to_numpy(),
    },
    index=test.index,
)
mse = forecasts.sub(test, axis=0).pow(2).mean()
print(mse.round(1).to_string())
change = mse[LSTM] / mse[RIDGE] - 1
word = "below" if change < 0 else "above"
print(f"The squared error of {LSTM} is {abs(change):.0%} {word} that of {RIDGE}.")

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4), width_ratios=[3, 1], layout="constrained"
)
colours = {NAIVE: "#BBBBBB", RIDGE: "#E69F00", LSTM: "#0072B2"}
bounds = table[0.1].clip(lower=0), table[0.9]  # there are no negative sunspots
left.fill_between(test.index, *bounds, color=colours[LSTM], alpha=0.15, linewidth=0)
left.plot(test, color="black", linewidth=1, label="actual")
for name, colour in colours.items():
    label = f"{name}, 80 % interval" if name == LSTM else name
    left.plot(forecasts[name], color=colour, linewidth=1.6, label=label)
left.set(title="Sunspots, forecast a year ahead each January", ylabel="sunspot number")
left.legend(frameon=False)
right.bar(range(3), mse, color=[colours[name] for name in mse.index])
right.set(title="Mean squared error", xticks=[])
right.bar_label(right.containers[0], fmt="%.0f")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "first_forecast.png", dpi=100)
