"""
The course program on a series: LSTM versus simple RNN
======================================================

In courses, students normalise a series, cut windows, train an LSTM and a simple RNN,
draw predictions and actual values, and report MSE and RMSE. Here one call of `fit` does
the normalisation, the windows and the training.
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
    "ridge": LSTMForecaster(12, epochs=0, pretrained=False).fit(train),
}

# %%
# Predictions are one month ahead and in the units of the series, so the errors are in
# thousand passengers.

predictions = {name: network.predict(test) for name, network in networks.items()}
predictions["same month a year ago"] = passengers.shift(12)[-24:]
table = pd.DataFrame(
    {
        name: {
            "MSE": mean_squared_error(test, predicted),
            "RMSE": root_mean_squared_error(test, predicted),
        }
        for name, predicted in predictions.items()
    }
).T
ratio = table.loc["LSTM", "MSE"] / table.loc["ridge", "MSE"]
print(table.round(1).to_string())
print(
    f"Verdict: {table['MSE'].idxmin()} has the smallest error. The MSE of the LSTM "
    f"alone is {ratio:.1f} times that of ridge regression."
)

# %%
# The lag in the legend is the shift at which predictions correlate best with actual
# values. A lag of 1 means that the network repeats the last value, which the curves
# alone do not show.

display = PredictionDisplay.from_predictions(test, predictions["LSTM"])
display.ax_.plot(predictions["ridge"], ":", color="#E69F00", label="ridge")
display.ax_.set(title="LSTM alone, one month ahead", ylabel="thousand passengers")
display.ax_.legend(frameon=False)

# %%
# The next pictures show the lag, the residuals, and the training of both networks.

figure, axes = plt.subplots(3, 1, figsize=(7, 9), layout="constrained")
display.plot(axes[0], kind="lag")
display.plot(axes[1], kind="residuals")
both = {name: networks[name] for name in ("LSTM", "simple RNN")}
TrainingHistoryDisplay.from_estimator(both, ax=axes[2])
axes[2].set_yscale("log")
plt.show()
