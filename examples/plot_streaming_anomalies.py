"""
Streaming anomaly detection
===========================

`observe` appends new rows without training, and returns their forecast errors. A row is
an anomaly if its error is larger than nearly all errors of normal rows. In this example
hourly bike rentals arrive day by day, and in twelve hours of daylight nine of ten
rentals are not reported.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

from sklstm import LSTMForecaster
from sklstm.datasets import load_bike_sharing

_, users = load_bike_sharing(return_X_y=True)
users = users["2012-05":"2012-09"]
train, stream = users[: -49 * 24], users[-49 * 24 :].copy()
rng = np.random.default_rng(0)
rows = np.arange(21 * 24, len(stream))
daylight = rows[(rows % 24 >= 8) & (rows % 24 < 20)]
wrong = rng.choice(daylight, 12, replace=False)
stream.iloc[wrong] *= 0.1

settings = {"window_length": 48, "calendar": ("hour", "dayofweek"), "random_state": 0}
settings |= {"pretrained": False, "stride": 2, "learning_rate": 0.005}
lstm = LSTMForecaster(**settings, epochs=10).fit(train)
ridge = LSTMForecaster(**settings, epochs=0).fit(train)


def stream_errors(forecaster):
    """Observe a day at a time, as the rows would arrive."""
    days = [stream[i : i + 24] for i in range(0, len(stream), 24)]
    return pd.concat([forecaster.observe(day) for day in days])


errors = {"LSTM": stream_errors(lstm), "ridge": stream_errors(ridge)}
errors["same hour a week ago"] = stream - users.shift(168)[-len(stream) :]

# %%
# The first three weeks are normal, and show how large errors usually are. Errors are
# larger in rush hours, so each error is divided by the mean error of its hour of the
# day. The limit is the 99.5 % quantile of these ratios.

normal = slice(0, 21 * 24)
is_wrong = np.isin(np.arange(len(stream)), wrong)
sizes, results = {}, {}
for name, error in errors.items():
    hour, size = error.index.hour, error.abs()
    scale = size[normal].groupby(hour[normal]).mean()
    sizes[name] = size / scale.loc[hour].to_numpy()
    limit = sizes[name][normal].quantile(0.995)
    alarm = sizes[name] > limit
    results[name] = {
        "found of 12": (alarm & is_wrong).sum(),
        "false alarms": (alarm & ~is_wrong)[21 * 24 :].sum(),
    }
table = pd.DataFrame(results).T
print(table.to_string())
best = table.sort_values(["found of 12", "false alarms"], ascending=[False, True])
print(f"Verdict: {best.index[0]} finds the most hours with losses.")

figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(7, 5), sharex=True, layout="constrained"
)
size = sizes["LSTM"]
top.plot(stream, color="0.5", lw=1)
top.plot(stream.iloc[wrong], "o", color="#D55E00", label="not reported in full")
bottom.plot(size, color="#0072B2", lw=1)
bottom.plot(size.iloc[wrong], "o", color="#D55E00")
bottom.axhline(size[normal].quantile(0.995), color="0.3", ls=":", label="limit")
top.set(title="Bike rentals by hour", ylabel="users", ylim=(0, 1300))
bottom.set(title="Forecast error of the LSTM", ylabel="mean errors of the hour")
bottom.xaxis.set_major_formatter(ConciseDateFormatter(bottom.xaxis.get_major_locator()))
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
plt.show()
