"""
Backtest with refit: expanding and sliding window
=================================================

A backtest measures the errors that a forecaster would have made in use, including the
refits. Bike sharing in Washington grew from year to year, so the errors of a forecaster
that was fitted in 2011 and is never refitted grow in 2012.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

from sklstm import LSTMForecaster
from sklstm.datasets import load_bike_sharing

X, y = load_bike_sharing(return_X_y=True)
y = (y.resample("D").sum() / 1000).rename("thousand rentals a day")
X = X[["workingday", "temp", "hum"]].assign(rain=X["weather"] == "rain")
X = X.astype(float).resample("D").mean()
n_test = 364
train, test = (X[:-n_test], y[:-n_test]), (X[-n_test:], y[-n_test:])
settings = {"window_length": 14, "horizon": 7, "learning_rate": 0.005}
settings |= {"pretrained": False, "random_state": 0}
lstm = LSTMForecaster(**settings, epochs=10).fit(*train)
ridge = LSTMForecaster(**settings, epochs=0).fit(*train)

# %%
# Forecast origins are a week apart. At every fourth origin the forecaster is fitted
# again, either on all rows before the origin (expanding window) or on the half year
# before it (sliding window).

tables = {
    "LSTM, never refitted": lstm.backtest(*test, stride=7),
    "LSTM, expanding window": lstm.backtest(*test, stride=7, refit=4),
    "LSTM, sliding window": lstm.backtest(*test, stride=7, refit=4, max_train_size=182),
    "ridge, expanding window": ridge.backtest(*test, stride=7, refit=4),
}
forecasts = pd.DataFrame(
    {name: table["y_pred"].to_numpy() for name, table in tables.items()}, test[1].index
)
forecasts["same day a week ago"] = y.shift(7)[-n_test:]
errors = forecasts.sub(test[1], axis=0).abs()
means = errors.mean()
print(means.round(3).rename("mean absolute error, thousands").to_string())
change = means["LSTM, expanding window"] / means["LSTM, never refitted"] - 1
print(
    f"Verdict: {means.idxmin()} is best. Refitting changes the error of the LSTM by "
    f"{change:+.0%}."
)

# %%
# The picture shows the errors of each month.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), style in zip(
    errors.resample("MS").mean().items(), ("-", "-", "--", "-.", ":"), strict=True
):
    ax.plot(values, style, label=name)
ax.set(title="Error of forecasts of a week, by month", ylabel="thousand rentals a day")
ax.set_ylim(0, None)
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
