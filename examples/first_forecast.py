"""A first forecast: two years of air passengers, their intervals and errors."""

import sys

import matplotlib.pyplot as plt

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers
from sklstm.plotting import BacktestDisplay, ForecastDisplay

passengers = load_air_passengers()
train, test = passengers[:-24], passengers[-24:]
f = LSTMForecaster(window_length=24, horizon=12, random_state=0).fit(train)
print(f.forecast_interval(24, coverage=0.8).round(1).join(test))

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
ForecastDisplay.from_estimator(f, 24, y_true=test, ax=left)
left.set(title="Passengers, two years ahead", ylabel="thousands a month")
BacktestDisplay.from_estimator(f, test, ax=right)
right.set(title="Error over rolling origins")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "first_forecast.png", dpi=80)
