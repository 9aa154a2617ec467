"""
A first forecast
================

Two years of air passengers, forecast on their own index and in their own units, and
how far off such forecasts were over rolling origins.
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
# The fan tells where the values will be in 50, 80 and 95 of 100 cases. Its width comes
# from the errors on the validation block, which the network was not trained on.

ForecastDisplay.from_estimator(forecaster, 24, y_true=test)
plt.ylabel("thousand passengers a month")

# %%
# One forecast may be lucky. A backtest forecasts from every row of the test years, and
# stands beside the naive forecasts that any model has to beat.

BacktestDisplay.from_estimator(forecaster, test)
plt.show()
