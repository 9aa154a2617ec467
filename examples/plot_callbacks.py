"""
Callbacks: learning rate schedule and a callback of your own
============================================================

All callbacks of Keras work in training. In this example `ReduceLROnPlateau` lowers the
learning rate when the loss no longer falls, and a class of your own records values at
each epoch.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_monthly_sunspots

import keras  # isort: skip  # after sklstm, which chooses JAX as backend

RATES = []


class RecordRate(keras.callbacks.Callback):
    """Record the learning rate of each epoch that has a validation loss."""

    def on_epoch_end(self, epoch, logs=None):
        if "val_loss" in logs:
            RATES.append(float(logs["learning_rate"]))


sunspots = load_monthly_sunspots()
train, test = sunspots[:-132], sunspots[-132:]
settings = {"window_length": 132, "horizon": 12, "stride": 4, "pretrained": False}
settings |= {"epochs": 20, "n_iter_no_change": 20, "random_state": 0}
# `fit` ends with a second training on all rows, which has no validation loss.
plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1)
constant = LSTMForecaster(**settings, learning_rate=0.02).fit(train)
lowered = LSTMForecaster(
    **settings, learning_rate=0.02, callbacks=[plateau, RecordRate]
).fit(train)

# %%
# `fit` trains with copies of callbacks, so the record is kept outside the class.

figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(7, 5), sharex=True, height_ratios=[2, 1], layout="constrained"
)
epochs = range(1, len(RATES) + 1)
top.plot(epochs, constant.history_["val_loss"], color="#E69F00", label="constant rate")
top.plot(epochs, lowered.history_["val_loss"], color="#0072B2", label="lowered rate")
top.set(title="Validation loss", ylabel="MSE, scaled")
top.legend(frameon=False)
bottom.step(epochs, RATES, where="mid", color="#0072B2")
bottom.set(title="Learning rate", xlabel="epoch", yscale="log")
rates = sorted(set(RATES))
bottom.set_yticks(rates, [f"{rate:.2g}" for rate in rates], minor=False)
bottom.minorticks_off()
bottom.xaxis.get_major_locator().set_params(integer=True)
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)

# %%
# The table compares the error of forecasts of a year with ridge regression and with the
# same month a year ago.

ridge = LSTMForecaster(**settings | {"epochs": 0}).fit(train)
models = {"constant rate": constant, "lowered rate": lowered, "ridge": ridge}
errors = {}
for name, model in models.items():
    table = model.backtest(test)
    errors[name] = (table["y_true"] - table["y_pred"]).abs().mean()
errors["same month a year ago"] = (test - sunspots.shift(12)[-132:]).abs().mean()
errors = pd.Series(errors)
print(errors.round(1).rename("mean absolute error").to_string())
print(f"Verdict: {errors.idxmin()} has the smallest error.")
plt.show()
