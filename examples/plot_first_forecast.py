"""
A first forecast: monthly sunspots
==================================

The sunspot cycle lasts between 9 and 14 years, so no season of fixed length describes
it. This example fits a forecaster to 224 years of monthly sunspot numbers, and compares
its forecasts of one year with ridge regression and with naive forecasts.
"""

import matplotlib.pyplot as plt

from sklstm import LSTMForecaster
from sklstm.datasets import load_monthly_sunspots
from sklstm.plotting import BacktestDisplay

sunspots = load_monthly_sunspots()
train, test = sunspots[:-132], sunspots[-132:]
lstm = LSTMForecaster(window_length=132, horizon=12, random_state=0).fit(train)
lstm.forecast(12).round(1).to_frame("forecast").join(test.rename("actual")).head()

# %%
# With ``epochs=0`` and ``pretrained=False`` a forecaster is ridge regression on the
# same window. The picture compares it with the LSTM on eleven test years; the forecasts
# of each year are made at the end of the year before.

ridge = LSTMForecaster(132, 12, epochs=0, pretrained=False).fit(train)
years = {
    name: model.backtest(test, stride=12).set_index(test.index)["y_pred"]
    for name, model in {"LSTM": lstm, "ridge": ridge}.items()
}
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(test, color="0.4", label="actual")
ax.plot(years["LSTM"], color="#0072B2", label="LSTMForecaster")
ax.plot(years["ridge"], "--", color="#E69F00", label="ridge")
ax.plot(sunspots.shift(12)[-132:], ":", color="#009E73", label="same month a year ago")
ax.set(title="Sunspots, forecast year by year", ylabel="sunspot number")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)

# %%
# Eleven forecasts may be accurate by chance. A backtest therefore forecasts from every
# month of the test years, and shows the error by the number of months ahead.

display = BacktestDisplay.from_estimator({"LSTMForecaster": lstm, "ridge": ridge}, test)
errors = display.errors.mean()
print(errors.round(1).rename("mean absolute error").to_string())
change = 1 - errors["LSTMForecaster"] / errors["ridge"]
print(
    f"Verdict: {errors.idxmin()} has the smallest error. The error of the LSTM is "
    f"{abs(change):.0%} {'below' if change > 0 else 'above'} that of ridge regression."
)

# %%
# `update` appends the test years without training, and the next forecast begins after
# them. `forecast_interval` returns prediction intervals of each month.

lstm.update(test)
lstm.forecast_interval(12, coverage=0.8).assign(forecast=lstm.forecast(12)).round(1)
