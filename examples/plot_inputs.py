"""
Exogenous variables: known ahead or not
=======================================

The load of a shop depends on the weather, which has a forecast, and on the number of
calls, which is known only afterwards. `past_covariates` names the latter.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklstm import LSTMForecaster

rng = np.random.default_rng(0)
index = pd.date_range("2026-01-01", periods=600, freq="h", name="hour")
warm = 10 + 8 * np.sin(2 * np.pi * np.arange(600) / 24) + rng.normal(0, 2, 600)
calls = rng.poisson(20, 600).astype(float)
load = 50 + 2 * warm + np.roll(calls, 1) + rng.normal(0, 1, 600)
X = pd.DataFrame({"warm": warm, "calls": calls}, index)
y = pd.Series(load, index, name="load")
X_train, X_test, y_train, y_test = X[:-24], X[-24:].copy(), y[:-24], y[-24:]

settings = {"horizon": 6, "epochs": 8, "random_state": 0}
alone = LSTMForecaster(window_length=24, **settings).fit(y_train)
with_inputs = LSTMForecaster(
    window_length=24, past_covariates=("calls",), **settings
).fit(X_train, y_train)

# %%
# Future values of past covariates may be missing, because they are not read.

X_test["calls"] = np.nan
forecasts = pd.DataFrame(
    {
        "actual": y_test,
        "series alone": alone.forecast(24),
        "with inputs": with_inputs.forecast(X=X_test),
    }
)
errors = forecasts.drop(columns="actual").sub(y_test, axis=0).abs().mean()
print(errors.round(2).rename("mean absolute error").to_string())
figure, ax = plt.subplots(layout="constrained")
forecasts.plot(style=["-", "--", "-"], color=["0.3", "#D55E00", "#0072B2"], ax=ax)
ax.set_ylabel("load")
plt.show()
