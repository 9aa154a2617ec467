"""
Quantile training for skewed data
=================================

On some days a house needs far more electricity than on most days, so the distribution
is skewed. With `quantiles` the network learns quantiles by minimising the pinball loss,
and its prediction intervals reach further upwards than downwards. The intervals of a
network that learns the mean are symmetric.
"""

import warnings

import matplotlib.pyplot as plt
import pandas as pd

from sklstm import LSTMForecaster, SkillWarning
from sklstm.datasets import load_household_power
from sklstm.metrics import interval_coverage, weighted_quantile_loss
from sklstm.plotting import ForecastDisplay

power = load_household_power()["other"] / 1000
train, test = power[:-140], power[-140:]
levels = (0.1, 0.5, 0.9)
settings = {"window_length": 28, "horizon": 7, "pretrained": False, "random_state": 0}
with warnings.catch_warnings():
    # The warning compares squared errors, for which a median is not the best forecast.
    warnings.simplefilter("ignore", SkillWarning)
    learned = LSTMForecaster(**settings, quantiles=levels, epochs=12).fit(train)
display = ForecastDisplay.from_estimator(
    learned, 14, y_true=test[:14], coverages=(0.8,), n_history=28
)
display.ax_.set(
    title="House: forecast and learned 80 % interval", ylabel="kilowatt-hours a day"
)

# %%
# The weighted quantile loss is low if intervals are narrow and contain the nominal
# share of values. The table compares with a network that learns the mean, with ridge
# regression, and with the quantiles of the last year, which are the same for every day.

models = {
    "quantiles learned": learned,
    "mean learned": LSTMForecaster(**settings, epochs=12).fit(train),
    "ridge": LSTMForecaster(**settings, epochs=0).fit(train),
}
quantiles = {
    name: model.backtest(test, quantiles=levels) for name, model in models.items()
}
y_true = quantiles["ridge"]["y_true"]
last_year = train[-365:].quantile(levels)
quantiles["quantiles of the last year"] = pd.DataFrame(
    {level: last_year[level] for level in levels}, y_true.index
)
table = pd.DataFrame(
    {
        name: {
            "weighted quantile loss": weighted_quantile_loss(
                y_true, made[list(levels)], quantiles=levels
            ),
            "inside 80 %": interval_coverage(y_true, made[0.1], made[0.9]),
            "mean width": (made[0.9] - made[0.1]).mean(),
            "lowest bound": made[0.1].min(),
        }
        for name, made in quantiles.items()
    }
).T
print(table.round(3).to_string())
loss = table["weighted quantile loss"]
print(
    f"Verdict: {loss.idxmin()} is best; the loss of learned quantiles is "
    f"{loss['quantiles learned'] / loss['mean learned']:.0%} of the learned mean's."
)
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.barh(loss.index[::-1], loss[::-1], color="#0072B2")
ax.set_title("Weighted quantile loss, one to seven days ahead")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
