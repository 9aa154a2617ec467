"""Seconds of one forecast of twelve steps from a fitted forecaster, by library.

A monthly series, window 36. The other libraries run in the environment whose Python
PEERS names (`make bench-speed`)::

    PEERS=.venv-peers/bin/python python benchmarks/speed_forecast.py [rounds]
"""

import numpy as np
from contest import main, repeated

LENGTH, HORIZON, UNITS, N_CALLS = 36, 12, 32, 50
# The value of `pretrained`: the others have no pretrained network to run beside theirs.
TASKS = {"default": ("auto",), "pretrained=False": (False,)}
BARS = {
    task: {
        "darts": 0.05,
        "neuralforecast": 0.05,
        "skforecast": 0.05,
        "keras_predict_jax": 0.6,
        "keras_predict_tensorflow": 0.05,
    }
    for task in TASKS
}


def series():
    """Return a monthly series with trend, season and noise.

    A series without noise is forecast by its season alone, so that the networks have no
    weight in the mean and are not run.
    """
    import pandas as pd

    steps = np.arange(144)
    noise = np.random.default_rng(0).normal(0, 5, 144)
    values = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12) + noise
    index = pd.date_range("1949-01", periods=144, freq="MS")
    return pd.Series(values.astype("f"), index, name="y")


def sklstm(pretrained):
    from sklstm import LSTMForecaster

    f = LSTMForecaster(
        LENGTH,
        HORIZON,
        units=UNITS,
        epochs=2,
        early_stopping=False,
        pretrained=pretrained,
        random_state=0,
    ).fit(series())
    assert f.weights_["head/kernel"].any()
    return repeated(lambda: f.forecast(HORIZON), N_CALLS)


def darts(_):
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    quiet = {"accelerator": "cpu", "enable_progress_bar": False, "logger": False}
    model = BlockRNNModel(
        LENGTH,
        HORIZON,
        model="LSTM",
        hidden_dim=UNITS,
        n_epochs=2,
        pl_trainer_kwargs=quiet | {"enable_model_summary": False},
    )
    model.fit(TimeSeries.from_series(series()))
    return repeated(lambda: model.predict(HORIZON), N_CALLS)


def neuralforecast(_):
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    y = series()
    model = LSTM(
        h=HORIZON,
        input_size=LENGTH,
        encoder_hidden_size=UNITS,
        encoder_n_layers=1,
        max_steps=4,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
    )
    f = NeuralForecast([model], freq="MS")
    f.fit(y.rename_axis("ds").reset_index().assign(unique_id="y"))
    return repeated(f.predict, N_CALLS)


def skforecast(_):
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    frame = series().to_frame()
    model = create_and_compile_model(
        frame, lags=LENGTH, steps=HORIZON, levels="y", recurrent_units=UNITS
    )
    options = {"epochs": 2, "verbose": 0}
    f = ForecasterRnn(model, levels="y", lags=LENGTH, fit_kwargs=options)
    f.fit(frame, suppress_warnings=True)
    return repeated(lambda: f.predict(suppress_warnings=True), N_CALLS)


def keras_predict(_):
    import keras

    layers = [keras.Input((LENGTH, 1)), keras.layers.LSTM(UNITS)]
    model = keras.Sequential([*layers, keras.layers.Dense(HORIZON)])
    window = series().to_numpy()[None, -LENGTH:, None]
    model.predict(window, verbose=0)
    return repeated(lambda: model.predict(window, verbose=0), N_CALLS)


PREPARE = {
    "sklstm": sklstm,
    "darts": darts,
    "neuralforecast": neuralforecast,
    "skforecast": skforecast,
    "keras_predict_jax": keras_predict,
    "keras_predict_tensorflow": keras_predict,
}

if __name__ == "__main__":
    main(
        __file__,
        "Seconds of one forecast",
        "The table shows the seconds of a forecast of twelve steps from a fitted\n"
        "forecaster of one monthly series, with a window of 36 and 32 units: the\n"
        "median of 50 calls in each round. The aim for sklstm itself is 0.001 s.\n"
        "The `predict` of Keras computes the network alone, without scaling and\n"
        "index.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=5,
    )
