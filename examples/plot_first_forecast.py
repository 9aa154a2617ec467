"""
A first forecast
================

This example forecasts two years of air passengers on the series' index and in its
units, and measures the error of such forecasts over rolling origins.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers
from sklstm.plotting import BacktestDisplay, ForecastDisplay

passengers = load_air_passengers()
train, test = passengers[:-24], passengers[-24:]
forecaster = LSTMForecaster(window_length=24, horizon=12, epochs=20, random_state=0)
forecaster.fit(train)
pd.DataFrame({"forecast": forecaster.forecast(24), "actual": test}).head().round(1)

# %%
# The fan shows prediction intervals that cover 50, 80 and 95 % of future values. Their
# width comes from errors on the validation block, on which the network was not trained.

ForecastDisplay.from_estimator(forecaster, 24, y_true=test)
plt.ylabel("thousand passengers a month")

# %%
# A single forecast may be accurate by chance. A backtest forecasts from every row of
# the test years; naive forecasts show the errors that a model has to beat.

BacktestDisplay.from_estimator(forecaster, test)
plt.show()
