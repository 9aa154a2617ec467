"""
A course program: forecasting a series
======================================

Courses normalise a series, cut windows, train an LSTM and a simple RNN, draw
predictions on actual values, and report MSE and RMSE. One call of `fit` replaces a page
of NumPy.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import mean_squared_error, root_mean_squared_error

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers
from sklstm.plotting import PredictionDisplay, TrainingHistoryDisplay

passengers = load_air_passengers()
train, test = passengers[:-24], passengers[-24:]
settings = {"window_length": 12, "linear_skip": False, "units": 16}
settings |= {"learning_rate": 0.01, "epochs": 40, "random_state": 0}
networks = {
    "LSTM": LSTMForecaster(**settings, cell="lstm").fit(train),
    "simple RNN": LSTMForecaster(**settings, cell="rnn").fit(train),
    "LSTM and linear model": LSTMForecaster(12, epochs=20, random_state=0).fit(train),
}

# %%
# Predictions are in original units, so errors are in thousand passengers.

predictions = {name: network.predict(test) for name, network in networks.items()}
pd.DataFrame(
    {
        name: {
            "MSE": mean_squared_error(test, predicted),
            "RMSE": root_mean_squared_error(test, predicted),
        }
        for name, predicted in predictions.items()
    }
).round(1)

# %%
# The lag in the legend is the shift at which predictions fit actual values best. A lag
# of 1 means that the network repeats the last value, which the curves alone do not
# show.

figure, axes = plt.subplots(2, 2, figsize=(11, 7), layout="constrained")
display = PredictionDisplay.from_predictions(test, predictions["LSTM"], ax=axes[0, 0])
axes[0, 0].set_title("LSTM alone")
display.plot(axes[0, 1], kind="lag")
display.plot(axes[1, 0], kind="residuals")
alone = {name: networks[name] for name in ("LSTM", "simple RNN")}
TrainingHistoryDisplay.from_estimator(alone, ax=axes[1, 1])
axes[1, 1].set(title="Training", yscale="log")

# %%
# Beside a linear model, accuracy depends less on how well the network trains.

PredictionDisplay.from_predictions(test, predictions["LSTM and linear model"])
plt.show()
