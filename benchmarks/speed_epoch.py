"""Seconds of one epoch on ETTh1 by library, on the same windows and network.

A linear layer turns the last state of an LSTM into all steps of the horizon; batches of
32 windows, Adam, no validation. The other libraries run in the environment whose Python
PEERS names (`make bench-speed`); the rows come from the folder SKLSTM_DATA::

    PEERS=.venv-peers/bin/python python benchmarks/speed_epoch.py [rounds]
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from contest import difference, main

DATA = Path(os.environ.get("SKLSTM_DATA", "../shared/data")) / "series"
BATCH, N_ROWS = 32, 8640
# Window length, horizon, units.
TASKS = {"window 96, 64 units": (96, 24, 64), "window 24, 20 units": (24, 24, 20)}
LARGE, SMALL = TASKS
BARS = {
    LARGE: {
        "torch_loop": 0.6,
        "keras_jax": 0.4,
        "darts": 0.45,
        "skorch": 0.55,
        "neuralforecast": 0.3,
        "skforecast": 0.2,
    },
    SMALL: {"torch_loop": 0.35, "keras_jax": 0.55},
}


def series():
    y = pd.read_csv(DATA / "etth1.csv.xz")["OT"].to_numpy()[:N_ROWS]
    return ((y - y.mean()) / y.std()).astype("float32")


def windows(length, horizon):
    spans = np.lib.stride_tricks.sliding_window_view(series(), length + horizon)
    return spans[:, :length, None].copy(), spans[:, length:].copy()


def sklstm(length, horizon, units):
    from sklstm import LSTMForecaster

    def fit(epochs):
        LSTMForecaster(
            length,
            horizon,
            units=units,
            batch_size=BATCH,
            epochs=epochs,
            linear_skip=False,
            window_norm=None,
            scaler=None,
            validation_fraction=0,
            early_stopping=False,
            random_state=0,
        ).fit(y)

    y = series()
    fit(1)
    return difference(fit)


def torch_network(units, horizon):
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(1, units, batch_first=True)
            self.head = torch.nn.Linear(units, horizon)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    return Network()


def torch_loop(length, horizon, units):
    import torch

    data = torch.utils.data.TensorDataset(
        *map(torch.from_numpy, windows(length, horizon))
    )
    network = torch_network(units, horizon)
    optimizer = torch.optim.Adam(network.parameters())

    def fit(epochs):
        for _ in range(epochs):
            order = torch.randperm(len(data))
            for rows in order.split(BATCH):
                x, y = data[rows]
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(network(x), y).backward()
                optimizer.step()

    fit(1)
    return difference(fit)


def keras_fit(length, horizon, units):
    import keras

    layers = keras.Input((length, 1)), keras.layers.LSTM(units)
    model = keras.Sequential([*layers, keras.layers.Dense(horizon)])
    model.compile("adam", "mse")
    X, y = windows(length, horizon)

    def fit(epochs):
        model.fit(X, y, batch_size=BATCH, epochs=epochs, verbose=0)

    fit(1)
    return difference(fit)


def skorch(length, horizon, units):
    import torch
    from skorch import NeuralNetRegressor

    X, y = windows(length, horizon)

    def fit(epochs):
        NeuralNetRegressor(
            torch_network(units, horizon),
            optimizer=torch.optim.Adam,
            max_epochs=epochs,
            batch_size=BATCH,
            train_split=None,
            iterator_train__shuffle=True,
            verbose=0,
        ).fit(X, y)

    fit(1)
    return difference(fit)


def darts(length, horizon, units):
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    y = TimeSeries.from_values(series())
    quiet = {"accelerator": "cpu", "enable_progress_bar": False, "logger": False}

    def fit(epochs):
        BlockRNNModel(
            length,
            horizon,
            model="LSTM",
            hidden_dim=units,
            batch_size=BATCH,
            n_epochs=epochs,
            pl_trainer_kwargs=quiet | {"enable_model_summary": False},
        ).fit(y)

    fit(1)
    return difference(fit)


def neuralforecast(length, horizon, units):
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    y = series()
    stamps = pd.date_range("2000", periods=len(y), freq="h")
    frame = pd.DataFrame({"unique_id": "y", "ds": stamps, "y": y})
    n_steps = -(-(len(y) - length - horizon + 1) // BATCH)

    def fit(epochs):
        model = LSTM(
            h=horizon,
            input_size=length,
            encoder_hidden_size=units,
            encoder_n_layers=1,
            decoder_hidden_size=units,
            batch_size=1,
            windows_batch_size=BATCH,
            max_steps=epochs * n_steps,
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
        )
        NeuralForecast([model], freq="h").fit(frame)

    fit(1)
    return difference(fit)


def skforecast(length, horizon, units):
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    index = pd.date_range("2000", periods=N_ROWS, freq="h")
    frame = pd.DataFrame({"y": series()}, index)

    def fit(epochs):
        model = create_and_compile_model(
            frame,
            lags=length,
            steps=horizon,
            levels="y",
            recurrent_units=units,
            dense_units=None,
        )
        options = {"epochs": epochs, "batch_size": BATCH, "verbose": 0}
        forecaster = ForecasterRnn(model, levels="y", lags=length, fit_kwargs=options)
        forecaster.fit(frame, suppress_warnings=True)

    fit(1)
    return difference(fit)


PREPARE = {
    "sklstm": sklstm,
    "torch_loop": torch_loop,
    "keras_jax": keras_fit,
    "darts": darts,
    "skorch": skorch,
    "neuralforecast": neuralforecast,
    "skforecast": skforecast,
}


if __name__ == "__main__":
    main(
        __file__,
        "Seconds an epoch",
        "The table shows the seconds of one training epoch: a third of the\n"
        "difference between four epochs and one. The data are the first 8,640 hours\n"
        "of ETTh1 `OT`, with horizon 24 and batches of 32 windows. A linear layer\n"
        "reads the last state of an LSTM; the optimizer is Adam.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=3,
    )
