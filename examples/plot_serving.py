"""
Serving a forecaster: ONNX and FastAPI
======================================

`to_onnx` converts a fitted forecaster, including its scaling, to a graph that runs
without Python. A web service needs a few lines of FastAPI: it loads the file that
`save` wrote, and forecasts in NumPy, without Keras. Both return the same numbers as
`forecast`.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd
from fastapi import FastAPI
from matplotlib.dates import ConciseDateFormatter

import sklstm
from sklstm import LSTMForecaster
from sklstm.datasets import load_air_passengers

passengers = load_air_passengers()
train, test = passengers[:-12], passengers[-12:]
forecaster = LSTMForecaster(24, 12, epochs=10, random_state=0).fit(train)
folder = Path(tempfile.mkdtemp())
forecaster.save(folder / "passengers.sklstm")
forecaster.to_onnx(folder / "passengers.onnx")

# %%
# The graph takes the last rows of the series in their own units.

session = onnxruntime.InferenceSession(folder / "passengers.onnx")
n_rows = session.get_inputs()[0].shape[1]
rows = train.to_numpy()[None, -n_rows:]
by_onnx = session.run(["forecast"], {"y": rows})[0][0]

# %%
# The service takes new observations and returns forecasts of the months after them. In
# production ``uvicorn`` runs the app; this example calls it with a test client, without
# a network.

app = FastAPI()
served = sklstm.load(folder / "passengers.sklstm")


@app.post("/forecast")
def forecast(values: list[float]) -> list[float]:
    """Forecast the year after the given months."""
    history = pd.Series(values, pd.date_range("1949", periods=len(values), freq="MS"))
    return served.forecast(12, history=history).tolist()


async def ask(values):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        return (await client.post("/forecast", json=values)).json()


by_service = asyncio.run(ask(train.tolist()))

# %%
# All three forecasts agree. The training set is small, so the network adds nothing to
# ridge regression.

by_estimator = forecaster.forecast(12)
for name, made in {"ONNX": by_onnx, "FastAPI": by_service}.items():
    print(f"{name}: largest difference {np.abs(by_estimator - made).max():.1e}")
ridge = LSTMForecaster(24, 12, epochs=0, pretrained=False).fit(train).forecast(12)
year_ago = pd.Series(passengers[-24:-12].to_numpy(), test.index)
errors = pd.Series(
    {
        "served forecast": np.abs(test - by_service).mean(),
        "ridge": (test - ridge).abs().mean(),
        "same month a year ago": (test - year_ago).abs().mean(),
    }
)
print(errors.round(1).rename("mean absolute error").to_string())
best = errors.index[errors <= 1.001 * errors.min()]
print(f"Verdict: {' and '.join(best)} had the smallest error.")

start = time.perf_counter()
for _ in range(100):
    session.run(["forecast"], {"y": rows})
print(f"one forecast by ONNX: {(time.perf_counter() - start) * 10:.2f} ms")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(passengers[-36:], color="0.4", label="actual")
ax.plot(test.index, by_service, color="#0072B2", label="served by FastAPI")
ax.plot(test.index, by_onnx, "o", color="#D55E00", ms=4, label="ONNX graph")
ax.plot(year_ago, ":", color="#009E73", label="same month a year ago")
ax.set(title="A year of passengers, from a service", ylabel="thousand passengers")
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
