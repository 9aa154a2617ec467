"""Seconds of a grid search of twelve candidates in four folds, by library.

1,500 windows of 24 values; six architectures at two learning rates, so half of the
candidates have the shape of another one; 5 epochs in batches of 32. Each run starts
with nothing compiled. The other libraries run in the environment whose Python PEERS
names (`make bench-speed`)::

    PEERS=.venv-peers/bin/python python benchmarks/speed_search.py [rounds]
"""

import time

import numpy as np
from contest import main, repeated
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid

N, LENGTH, EPOCHS, BATCH = 1500, 24, 5, 32
UNITS, RATES = [8, 12, 16, 20, 24, 32], [0.001, 0.003]
FOLDS = KFold(4)
TASKS = {"12 candidates × 4 folds": ()}
BARS = {"12 candidates × 4 folds": {"scikeras_tensorflow": 0.09, "keras_jax_loop": 0.1}}


def windows():
    values = np.sin(np.arange(N + LENGTH) / 5) + np.arange(N + LENGTH) / N
    spans = np.lib.stride_tricks.sliding_window_view(values.astype("f"), LENGTH + 1)
    return spans[:, :-1, None].copy(), spans[:, -1].copy()


def sklstm():
    from sklstm import LSTMForecaster
    from sklstm._training import compiled

    X, y = windows()
    forecaster = LSTMForecaster(
        epochs=EPOCHS,
        batch_size=BATCH,
        dropout=0,
        linear_skip=False,
        validation_fraction=0,
        early_stopping=False,
        scaler=None,
        random_state=0,
    )
    grid = {"units": UNITS, "learning_rate": RATES}

    def search():
        compiled._cache.clear()
        GridSearchCV(forecaster, grid, cv=FOLDS, refit=False).fit(X, y)

    return repeated(search, 1)


def network(units=8, learning_rate=0.001):
    import keras

    layers = [keras.Input((LENGTH, 1)), keras.layers.LSTM(units)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    return model


def scikeras():
    from scikeras.wrappers import KerasRegressor

    X, y = windows()
    wrapper = KerasRegressor(network, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    grid = {"model__units": UNITS, "model__learning_rate": RATES}
    search = GridSearchCV(wrapper, grid, cv=FOLDS, refit=False)
    return repeated(lambda: search.fit(X, y), 1)


def keras_loop():
    X, y = windows()

    def run():
        start = time.perf_counter()
        for candidate in ParameterGrid({"units": UNITS, "learning_rate": RATES}):
            for train, test in FOLDS.split(X):
                model = network(**candidate)
                options = {"epochs": EPOCHS, "batch_size": BATCH, "verbose": 0}
                model.fit(X[train], y[train], **options)
                model.predict(X[test], verbose=0)
        return time.perf_counter() - start

    return run


PREPARE = {
    "sklstm": sklstm,
    "scikeras_tensorflow": scikeras,
    "keras_jax_loop": keras_loop,
}

if __name__ == "__main__":
    main(
        __file__,
        "Seconds of a grid search",
        "The table shows the seconds of a grid search of twelve candidates (six\n"
        "architectures, two learning rates) in four folds of 1,500 windows, with 5\n"
        "epochs each and nothing compiled at the start: `GridSearchCV` with sklstm\n"
        "and with scikeras, and Keras in a hand-written loop.",
        PREPARE,
        TASKS,
        BARS,
        n_rounds=1,
    )
