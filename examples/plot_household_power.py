"""
Household power: one network for a panel of circuits
====================================================

The data are four electric circuits of a house: four series in one frame, indexed by
circuit and date (a panel). One network is trained on all four series, each scaled by
itself, and forecasts a week of each.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster
from sklstm.datasets import load_household_power
from sklstm.plotting import ForecastDisplay

panel = load_household_power() / 1000
dates = panel.index.get_level_values("date")
train, test = panel[dates < "2010-09-01"], panel[dates >= "2010-09-01"]
settings = {"window_length": 56, "horizon": 7, "random_state": 0}
lstm = LSTMForecaster(**settings, epochs=6).fit(train)
display = ForecastDisplay.from_estimator(
    lstm, 14, series="heating", y_true=test["heating"][:14], n_history=42
)
display.ax_.set_ylabel("kilowatt-hours a day")

# %%
# A backtest forecasts a week from every day of the test months. The picture compares
# with ridge regression on all circuits and with the same day of the week before.

ridge = LSTMForecaster(**settings, epochs=0, pretrained=False).fit(train)
errors = {}
for name, model in {"LSTM": lstm, "ridge": ridge}.items():
    table = model.backtest(test)
    errors[name] = (table["y_true"] - table["y_pred"]).abs().groupby(table["series"])
    errors[name] = errors[name].mean()
before = (panel - panel.groupby(level="circuit").shift(7)).loc[test.index]
errors["same day a week ago"] = before.abs().groupby(level="circuit").mean()
errors = pd.DataFrame(errors)
print(errors.round(2).to_string())
wins = (errors["LSTM"] < errors["ridge"]).sum()
print(
    f"Verdict: the LSTM is better than ridge regression in {wins} of {len(errors)} "
    f"circuits, with {errors['LSTM'].sum() / errors['ridge'].sum():.1%} of its error."
)
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
errors.plot.bar(ax=ax, color=["#0072B2", "#E69F00", "#009E73"], rot=0)
ax.set(title="Error of forecasts up to a week ahead", xlabel="", ylabel="kWh a day")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
