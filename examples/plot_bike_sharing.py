"""
Bike sharing: forecasting hourly demand from weather
====================================================

Weather forecasts exist for the next day, so the columns of the weather are exogenous
variables that are known ahead. `calendar` adds the hour and the day of the week. The
effects depend on each other: rain matters in the rush hour of a working day, and hardly
at night.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

from sklstm import LSTMForecaster
from sklstm.datasets import load_bike_sharing

X, y = load_bike_sharing(return_X_y=True)
X = X[["workingday", "temp", "hum"]].assign(rain=X["weather"] == "rain").astype(float)
X, y, n_test = X["2011-07":"2012-10-28"], y["2011-07":"2012-10-28"], 28 * 24
X_train, X_test, y_train, y_test = X[:-n_test], X[-n_test:], y[:-n_test], y[-n_test:]
settings = {"window_length": 24, "horizon": 24, "calendar": ("hour", "dayofweek")}
settings |= {"stride": 3, "learning_rate": 0.005, "pretrained": False}
settings["random_state"] = 0
lstm = LSTMForecaster(**settings, epochs=10).fit(X_train, y_train)
ridge = LSTMForecaster(**settings, epochs=0).fit(X_train, y_train)
blind = LSTMForecaster(**settings, epochs=10).fit(y_train)

# %%
# The picture shows forecasts of four test weeks, made one day ahead at each midnight.
# They are compared with ridge regression on the same inputs, with the same LSTM without
# weather, and with the same hour a week before.

forecasts = pd.DataFrame(
    {
        "LSTM with weather": lstm.backtest(X_test, y_test, stride=24)["y_pred"],
        "ridge with weather": ridge.backtest(X_test, y_test, stride=24)["y_pred"],
        "LSTM without weather": blind.backtest(y_test, stride=24)["y_pred"],
        "same hour a week ago": y.shift(168)[-n_test:].to_numpy(),
    }
).set_index(y_test.index)
errors = forecasts.sub(y_test, axis=0).abs().mean()
print(errors.round(1).rename("mean absolute error, users an hour").to_string())
gain = 1 - errors["LSTM with weather"] / errors["ridge with weather"]
print(
    f"Verdict: {errors.idxmin()} is best. The error of the LSTM with weather is "
    f"{abs(gain):.0%} {'below' if gain > 0 else 'above'} that of ridge regression."
)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
week = slice("2012-10-15", "2012-10-19")
ax.plot(y_test[week], color="0.4", label="actual")
for name, style in {
    "LSTM with weather": {"color": "#0072B2"},
    "ridge with weather": {"color": "#E69F00", "linestyle": "--"},
    "same hour a week ago": {"color": "#009E73", "linestyle": ":"},
}.items():
    ax.plot(forecasts.loc[week, name], label=name, **style)
ax.set(title="Bike rentals of five days, one day ahead", ylabel="users an hour")
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, -0.32))
plt.show()
