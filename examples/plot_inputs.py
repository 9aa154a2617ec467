"""
Exogenous variables: known ahead, or only in the past
=====================================================

The load of a shop depends on the temperature, for which there is a forecast, and on the
number of calls, which is known only afterwards. `past_covariates` names the variables
that are not known ahead. The data are simulated, so that the effects of both are known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

from sklstm import LSTMForecaster

N = 2000
rng = np.random.default_rng(0)
index = pd.date_range("2026-01-01", periods=N, freq="h", name="hour")
warm = 10 + 8 * np.sin(2 * np.pi * np.arange(N) / 24) + rng.normal(0, 2, N)
calls = rng.poisson(20, N).astype(float)
load = 50 + 0.2 * warm**2 + np.roll(calls, 1) + rng.normal(0, 1, N)
X = pd.DataFrame({"warm": warm, "calls": calls}, index)
y = pd.Series(load, index, name="load")
X_train, X_test, y_train, y_test = X[:-72], X[-72:], y[:-72], y[-72:]

settings = {"window_length": 24, "horizon": 6, "pretrained": False, "random_state": 0}
settings |= {"learning_rate": 0.005}
inputs = {**settings, "past_covariates": ("calls",)}
alone = LSTMForecaster(**settings, epochs=15).fit(y_train)
lstm = LSTMForecaster(**inputs, epochs=15).fit(X_train, y_train)
ridge = LSTMForecaster(**inputs, epochs=0).fit(X_train, y_train)

# %%
# Future values of past covariates may be missing, because the network does not read
# them.

ahead = X_test[:6].assign(calls=np.nan)
lstm.forecast(X=ahead).round(1).to_frame("forecast").join(y_test.rename("actual"))

# %%
# A backtest forecasts three days, six hours ahead. The load grows with the square of
# the temperature, which a linear model cannot express.

forecasts = pd.DataFrame(
    {
        "LSTM with inputs": lstm.backtest(X_test, y_test, stride=6)["y_pred"],
        "ridge with inputs": ridge.backtest(X_test, y_test, stride=6)["y_pred"],
        "LSTM, series alone": alone.backtest(y_test, stride=6)["y_pred"],
        "same hour of yesterday": y.shift(24)[-72:].to_numpy(),
    }
).set_index(y_test.index)
errors = forecasts.sub(y_test, axis=0).abs().mean()
print(errors.round(2).rename("mean absolute error").to_string())
ratio = errors["ridge with inputs"] / errors["LSTM with inputs"]
print(
    f"Verdict: {errors.idxmin()} is best; ridge regression has {ratio:.1f} times the "
    "error of the LSTM."
)

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(y_test, color="0.4", label="actual")
ax.plot(forecasts["LSTM with inputs"], color="#0072B2", label="LSTM with inputs")
ax.plot(
    forecasts["ridge with inputs"], "--", color="#E69F00", label="ridge with inputs"
)
ax.plot(
    forecasts["LSTM, series alone"], ":", color="#D55E00", label="LSTM, series alone"
)
ax.set(title="Three days of load, six hours ahead from known weather", ylabel="load")
ax.spines[["top", "right"]].set_visible(False)
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.12))
plt.show()
