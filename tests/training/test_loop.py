import pickle
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._networks import ridge
from sklstm._text import ngram_fit
from sklstm._training import compiled
from sklstm._training.keras_arguments import Cosine


@pytest.fixture
def traces(monkeypatch):
    """Counts how often a loss is traced, which happens once for each compilation."""
    seen = []
    original = keras.Model.compute_loss

    def spy(self, *args, **kwargs):
        seen.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "compute_loss", spy)
    return seen


def small(**parameters):
    defaults = {"window_length": 6, "epochs": 3, "units": 4, "random_state": 0}
    return LSTMForecaster(**(defaults | parameters))


@pytest.fixture
def sine():
    return np.sin(np.arange(120) / 3)


def test_second_fit_of_an_architecture_compiles_nothing(sine, traces):
    small(units=5).fit(sine)
    assert traces
    traces.clear()
    small(units=5, learning_rate=0.01, random_state=3).fit(sine[:90] * 7 + 3)
    assert not traces


def test_cache_is_bounded(sine, monkeypatch):
    monkeypatch.setattr(compiled, "MAX_CACHED", 2)
    for units in (2, 3, 4):
        small(units=units, epochs=1).fit(sine)
    assert len(compiled._cache) == 2


@pytest.mark.parametrize("parameters", [{}, {"dropout": 0.3, "recurrent_dropout": 0.2}])
def test_same_seed_same_bytes_whatever_came_before(sine, parameters):
    first = small(**parameters).fit(sine)
    small(**parameters, optimizer="sgd").fit(sine[::-1])
    small(**parameters, random_state=9).fit(sine[::-1])
    np.random.seed(7)
    state = np.random.get_state()[1].copy()
    second = small(**parameters).fit(sine)
    assert (np.random.get_state()[1] == state).all()
    for name, weight in first.weights_.items():
        assert weight.tobytes() == second.weights_[name].tobytes()
    other = small(**parameters, random_state=9).fit(sine)
    assert other.history_["loss"] != first.history_["loss"]


def test_history_and_best_epoch(sine):
    f = small(epochs=40, linear_skip=False, learning_rate=0.01).fit(sine)
    losses = f.history_["val_loss"]
    assert len(f.history_["loss"]) == len(losses) == f.n_iter_
    assert losses[f.best_epoch_ - 1] == min(losses)
    assert losses[-1] < losses[0] and f.history_["loss"][-1] < f.history_["loss"][0]


def test_fixed_epochs_without_early_stopping(sine):
    f = small(epochs=7, early_stopping=False, refit=False).fit(sine)
    assert f.n_iter_ == f.best_epoch_ == 7 == len(f.history_["val_loss"])
    no_block = small(validation_fraction=0).fit(sine)
    assert set(no_block.history_) == {"loss"} and no_block.skill_ is None


@pytest.mark.parametrize("loss", ["mae", "huber", keras.losses.mean_squared_error])
def test_losses(sine, loss):
    assert np.isfinite(small(loss=loss).fit(sine).forecast(2)).all()


def test_learning_rate_schedules(sine):
    rates = []

    def schedule(epoch, rate):
        rates.append((epoch, rate))
        return rate / (epoch + 1)

    small(learning_rate_schedule=schedule, refit=False).fit(sine)
    assert rates == [(0, 0.001), (1, 0.001), (2, 0.001)]
    cosine = small(learning_rate_schedule="cosine").fit(sine)
    constant = small().fit(sine)
    assert cosine.history_["loss"] != constant.history_["loss"]


def test_cosine_is_as_long_as_epochs_says():
    schedule = Cosine(4)
    rates = [schedule(epoch, 2.0) for epoch in range(6)]
    np.testing.assert_allclose(rates[:3], [2, 1 + 0.5**0.5, 1])
    assert rates[3] == rates[4] == rates[5] == pytest.approx(1 - 0.5**0.5)
    assert Cosine(0)(1, 2.0) == 2


def test_callbacks_are_copied_and_heard(sine):
    class Stop(keras.callbacks.Callback):
        epochs = []

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(epoch)
            self.model.stop_training = epoch == 1

    callback = Stop()
    f = small(callbacks=[callback], epochs=9, refit=False).fit(sine)
    assert f.n_iter_ == 2 and Stop.epochs == [0, 1]
    assert getattr(callback, "_model", None) is None


def test_diverging_training_keeps_the_last_good_weights(sine):
    broken = {"learning_rate": 1e30, "clipnorm": None, "optimizer": "sgd"}
    with pytest.warns(ConvergenceWarning, match="diverged .* Lower learning_rate"):
        f = small(**broken, refit=False).fit(sine)
    assert np.isfinite(f.forecast(3)).all()


def steep(y_true, y_pred):
    return 1e38 * (y_true - y_pred) ** 2


@pytest.mark.parametrize(
    "changed, scale, message",
    [
        ({"scaler": None, "window_norm": None}, 1e15, "reach 1e.15: scale them"),
        ({"loss": steep}, 1, "Look whether loss=<function steep.* are finite"),
    ],
)
def test_the_likely_cause_of_divergence_is_named(sine, changed, scale, message):
    quick = {"clipnorm": None, "optimizer": "sgd", "linear_skip": False, "epochs": 9}
    quick |= {"learning_rate": 1e3, "early_stopping": False}
    with pytest.warns(ConvergenceWarning, match=message):
        small(**quick, **changed).fit(sine * scale)


def test_weights_that_only_the_last_step_broke_are_not_kept(sine):
    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            variable = self.model.trainable_variables[0]
            variable.assign(np.full(variable.shape, np.nan))

    once = {"epochs": 1, "batch_size": 1000, "validation_fraction": 0}
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 1, .* of epoch 0"):
        f = small(callbacks=[Break()], **once).fit(sine)
    assert np.isfinite(f.forecast(3)).all()


@pytest.fixture
def ctrl_c():
    """Ctrl-C as Python has it, also where a shell started the tests without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the third epoch of the first or the second training of a fit."""

    calls = []

    def __init__(self, training):
        super().__init__()
        self.training = training

    def on_train_begin(self, logs=None):
        Interrupt.calls.append("began")

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2 and len(Interrupt.calls) == self.training:
            signal.raise_signal(signal.SIGINT)


def same_weights(one, other):
    return one.weights_.keys() == other.weights_.keys() and all(
        np.array_equal(one.weights_[name], w) for name, w in other.weights_.items()
    )


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("training", [1, 2])
def test_interrupt_keeps_the_weights_so_far(sine, training):
    Interrupt.calls.clear()
    parameters = {"early_stopping": False, "epochs": 4}
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 epochs"):
        f = small(callbacks=[Interrupt(training)], **parameters).fit(sine)
    # While choosing there is nothing to train again; while training again, what was
    # chosen has come further.
    assert len(Interrupt.calls) == training
    n_epochs = 2 if training == 1 else 4
    parameters["epochs"] = n_epochs
    assert same_weights(f, small(**parameters, refit=False).fit(sine))
    assert f.best_epoch_ == n_epochs
    # It is a fitted estimator like any other.
    assert np.isfinite(f.predict(sine[:5])).all()
    assert np.isfinite(f.forecast_interval(3)).all()
    again = pickle.loads(pickle.dumps(f.set_params(callbacks=None)))
    np.testing.assert_array_equal(again.forecast(3), f.forecast(3))
    assert f.update(sine[:3]).partial_fit(sine).forecast(3).shape == (3,)


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_keeps_the_best_of_the_epochs_so_far(sine):
    wild = {"learning_rate": 0.5, "linear_skip": False, "refit": False}
    Interrupt.calls.clear()
    with pytest.warns(ConvergenceWarning, match="weights of epoch [12] are kept"):
        f = small(callbacks=[Interrupt(1)], epochs=9, **wild).fit(sine)
    two = small(epochs=2, **wild).fit(sine)
    assert same_weights(f, two) and f.history_ == two.history_
    losses = f.history_["val_loss"]
    assert f.best_epoch_ == 1 + int(np.argmin(losses)) and len(losses) == 2


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_of_texts_keeps_the_best_weights_so_far():
    labels = [1, 0] * 18
    texts = [f"{'good' if y else 'bad'} film {i}" for i, y in enumerate(labels)]
    parameters = {"units": 3, "embedding_dim": 4, "random_state": 0}
    parameters |= {"linear_skip": False, "n_iter_no_change": 9, "learning_rate": 0.1}
    Interrupt.calls.clear()
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 epochs"):
        clf = LSTMTextClassifier(callbacks=[Interrupt(1)], epochs=9, **parameters)
        clf.fit(texts, labels)
    two = LSTMTextClassifier(epochs=2, **parameters).fit(texts, labels)
    assert same_weights(clf, two) and clf.history_ == two.history_
    losses = clf.history_["val_loss"]
    assert clf.best_epoch_ == 1 + int(np.argmin(losses)) and len(losses) == 2
    proba = pickle.loads(pickle.dumps(clf.set_params(callbacks=None)))
    proba = proba.predict_proba(texts)
    np.testing.assert_array_equal(proba, clf.predict_proba(texts))
    assert set(clf.predict(texts)) <= {0, 1} and np.isfinite(proba).all()
    assert clf.partial_fit(texts, labels).predict(texts).shape == (36,)


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_before_training_leaves_what_there_was(sine, monkeypatch):
    def ctrl_c(*_, **__):
        signal.raise_signal(signal.SIGINT)

    f = small().fit(sine)
    clf = LSTMTextClassifier(units=3, epochs=1).fit(["good", "bad"] * 9, [1, 0] * 9)
    for estimator, *data, module, name in (
        (f, sine * 2, ridge, "fit_path"),
        (clf, ["so", "as"] * 9, [1, 0] * 9, ngram_fit, "calibrate"),
    ):
        before = dict(vars(estimator))
        monkeypatch.setattr(module, name, ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(*data)
        after = vars(estimator)
        assert after.keys() == before.keys()
        assert all(after[name] is before[name] for name in before)


def test_own_network(sine):
    def build(window_shape, n_context, output_shape):
        window = keras.Input(window_shape)
        context = keras.Input((n_context,))
        state = keras.layers.GRU(3)(window)
        flat = keras.layers.Dense(int(np.prod(output_shape)))(state)
        forecast = keras.layers.Reshape(output_shape)(flat)
        return keras.Model([window, context], forecast)

    f = small(network=build, horizon=2, epochs=5).fit(sine)
    assert f.forecast(5).shape == (5,)
    again = small(network=build, horizon=2, epochs=5).fit(sine)
    np.testing.assert_array_equal(f.forecast(5), again.forecast(5))
    # Keras names the layers of each model it builds anew.
    for model in (f.model_, f.to_keras()):
        for value, variable in zip(f.weights_.values(), model.weights, strict=True):
            np.testing.assert_array_equal(value, variable)


def test_model_is_the_fitted_network(sine):
    f = small().fit(sine)
    for variable in f.model_.weights:
        value = keras.ops.convert_to_numpy(variable)
        np.testing.assert_array_equal(value, f.weights_[variable.path])


def test_progress_bar_only_when_asked(sine, capsys):
    small().fit(sine)
    assert capsys.readouterr().out == ""
    small(verbose=1).fit(sine)
    told = capsys.readouterr().out
    start = "ended at epoch 3, none better than the start - "
    assert told.startswith(start) and "val_loss" in told
    small(verbose=1, linear_skip=False).fit(sine)
    assert capsys.readouterr().out.startswith("ended at epoch 3, best 3 - ")
    small(verbose=1, early_stopping=False, linear_skip=False).fit(sine)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("trained 3 epochs on all rows - ")


def test_clipping_changes_the_steps(sine):
    clipped = small(clipnorm=1e-6, optimizer="sgd", linear_skip=False).fit(sine)
    free = small(clipnorm=None, optimizer="sgd", linear_skip=False).fit(sine)
    assert clipped.history_["loss"] != free.history_["loss"]


def test_a_gain_too_small_keeps_the_linear_model(sine):
    noisy = sine + np.random.default_rng(0).normal(size=120)
    linear = small(min_skill=0.99, refit=False).fit(noisy)
    assert linear.best_epoch_ == 0 and linear.n_iter_ == 3
    assert not linear.weights_["head/kernel"].any()
    assert small(min_skill=0.99, early_stopping=False).fit(noisy).best_epoch_ == 3


def test_fits_without_epochs_need_no_keras(passengers):
    code = (
        "import sys; sys.modules.update(keras=None, jax=None)\n"
        "from sklstm import LSTMForecaster, LSTMTextClassifier\n"
        "from sklstm.datasets import load_air_passengers\n"
        "y = load_air_passengers()\n"
        "f = LSTMForecaster(horizon=4, epochs=0, random_state=0).fit(y)\n"
        "texts = ['good film', 'bad film', 'good', 'bad'] * 9\n"
        "t = LSTMTextClassifier(epochs=0).fit(texts, [1, 0] * 18)\n"
        "print(f.forecast().tolist(), t.predict(texts[:2]).tolist(), f.history_)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    f = LSTMForecaster(horizon=4, epochs=0, random_state=0).fit(passengers)
    history = {"loss": [], "val_loss": []}
    assert done.stdout.strip() == f"{f.forecast().tolist()} [1, 0] {history}"


@pytest.mark.parametrize("changed", [{"loss": "none"}, {"optimizer": "none"}])
def test_without_epochs_unknown_names_are_refused_as_well(sine, changed):
    with pytest.raises(ValueError, match="Keras knows"):
        small(epochs=0, **changed).fit(sine)
