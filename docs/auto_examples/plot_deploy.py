"""
Deploying without Keras
=======================

A fitted estimator is plain arrays in one file. Reading it runs nothing, and forecasting
from it needs neither Keras nor a backend.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

passengers = load_air_passengers()
forecaster = LSTMForecaster(24, 12, epochs=5, random_state=0).fit(passengers)
path = Path(tempfile.mkdtemp()) / "passengers.sklstm"
forecaster.save(path)
print(f"{path.stat().st_size / 1024:.0f} KiB")

# %%
# Another process, such as a server: it loads, forecasts, and never imports Keras.

program = """
import sys
import sklstm

forecaster = sklstm.load(sys.argv[1])
print(*forecaster.forecast(12).round(3), sep=",")
print("Keras loaded:", "keras" in sys.modules, file=sys.stderr)
"""
done = subprocess.run(
    [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
)
print(done.stderr)

# %%
# The forecasts are the same.

there = [float(number) for number in done.stdout.split(",")]
here = forecaster.forecast(12)
print("largest difference:", f"{abs(here - there).max():.4f}")
plt.plot(here, label="here")
plt.plot(here.index, there, "--", label="there")
plt.legend()
plt.show()
