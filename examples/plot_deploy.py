"""
Deployment without Keras
========================

`save` writes a fitted estimator as plain arrays to one file. Loading it runs no code,
and forecasting needs neither Keras nor a backend.
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
# Another process, such as a server, loads the file and forecasts without importing
# Keras.

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
# The forecasts of both processes are equal.

loaded = [float(number) for number in done.stdout.split(",")]
fitted = forecaster.forecast(12)
print("largest difference:", f"{abs(fitted - loaded).max():.4f}")
plt.plot(fitted, label="this process")
plt.plot(fitted.index, loaded, "--", label="the other process")
plt.legend()
plt.show()
