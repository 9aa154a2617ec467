"""
Saving a forecaster, and serving it without Keras
=================================================

`save` writes a fitted estimator as plain arrays to one file. Loading the file runs no
code, and forecasting needs neither Keras nor a backend. A server appends new
observations with `update`, without training.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

import sklstm
from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

passengers = load_air_passengers()
train, test = passengers[:-24], passengers[-24:]
forecaster = LSTMForecaster(24, 12, epochs=5, random_state=0).fit(train)
path = Path(tempfile.mkdtemp()) / "passengers.sklstm"
forecaster.save(path)
print(f"{path.stat().st_size / 1024:.0f} KiB")

# %%
# Another process, such as a server, loads the file and forecasts without importing
# Keras. Its forecasts equal those of this process.

program = """
import sys
import sklstm

forecaster = sklstm.load(sys.argv[1])
print(*forecaster.forecast(12), sep=",")
print("Keras loaded:", "keras" in sys.modules, file=sys.stderr)
"""
done = subprocess.run(
    [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
)
print(done.stderr)
other = [float(number) for number in done.stdout.split(",")]
print("largest difference:", abs(forecaster.forecast(12) - other).max())

# %%
# A year later the server knows twelve more months. The forecast of the second year from
# these months is more accurate than the forecast that was made two years ahead.

server = sklstm.load(path)
made = {"at the start": server.forecast(24)}
made["after twelve months of update"] = server.update(test[:12]).forecast(12)
made["same month a year ago"] = pd.Series(
    passengers[-24:-12].to_numpy(), test.index[12:]
)
errors = pd.Series({k: (v - test)[-12:].abs().mean() for k, v in made.items()})
print(errors.round(1).rename("error of the second year").to_string())
print(f"Verdict: the forecast made {errors.idxmin()} has the smallest error.")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(passengers[-48:], color="0.4", label="actual")
for (name, values), style in zip(made.items(), ("--", "-", ":"), strict=True):
    ax.plot(values, style, label=name)
ax.set(title="Forecasts of a loaded file", ylabel="thousand passengers")
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
