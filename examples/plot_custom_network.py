"""
A custom network: convolution before an LSTM
============================================

`network` takes a function that builds a Keras model. Windows, scaling, early stopping,
prediction intervals and backtests work as with the standard network. In this example a
convolution smooths monthly sunspots and shortens the window before an LSTM reads it.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_monthly_sunspots
from sklstm.plotting import BacktestDisplay

import keras  # isort: skip  # after sklstm, which chooses JAX as backend


def convolution_and_lstm(window_shape, n_context, output_shape):
    """Return a model from the window and its context to (horizon, n_targets)."""
    window = keras.Input(window_shape, name="window")
    context = keras.Input((n_context,), name="context")
    shorter = keras.layers.Conv1D(16, 12, strides=6, activation="relu")(window)
    state = keras.layers.LSTM(16)(shorter)
    state = keras.layers.Concatenate()([state, context])
    outputs = keras.layers.Dense(output_shape[0] * output_shape[1])(state)
    return keras.Model([window, context], keras.layers.Reshape(output_shape)(outputs))


sunspots = load_monthly_sunspots()
train, test = sunspots[:-132], sunspots[-132:]
settings = {"window_length": 132, "horizon": 12, "random_state": 0}
settings |= {"pretrained": False}
custom = LSTMForecaster(
    **settings, network=convolution_and_lstm, epochs=16, learning_rate=0.003
)
custom.fit(train)
print(custom.summary())

# %%
# A backtest compares the custom network with ridge regression, the last value and the
# same month a year ago.

ridge = LSTMForecaster(**settings, epochs=0).fit(train)
display = BacktestDisplay.from_estimator(
    {"convolution and LSTM": custom, "ridge": ridge}, test, stride=2
)
display.ax_.set_title("Sunspots: error by months ahead")
errors = display.errors.mean()
print(errors.round(1).rename("mean absolute error").to_string())
gain = 1 - errors["convolution and LSTM"] / errors["ridge"]
print(
    f"Verdict: {errors.idxmin()} has the smallest error. The error of the custom "
    f"network is {abs(gain):.0%} {'below' if gain > 0 else 'above'} that of ridge."
)

# %%
# Forecasts after the end of the data have an index and prediction intervals, as with
# the standard network.

custom.update(test)
table = custom.forecast_interval(6, coverage=0.8).assign(forecast=custom.forecast(6))
print(pd.DataFrame(table).round(1).to_string())
plt.show()
