import keras
import numpy as np
import pytest

from sklstm import LSTMForecaster

SINE = np.sin(np.arange(60) / 3)


def flat_network(n_outputs, with_context=True):
    def build(window_shape, n_context, output_shape):
        inputs = [keras.Input(window_shape), keras.Input((n_context,))]
        state = keras.layers.Flatten()(inputs[0])
        if with_context:
            state = keras.layers.Concatenate()([state, inputs[1]])
        output = keras.layers.Dense(n_outputs)(state)
        return keras.Model(inputs if with_context else inputs[0], output)

    return build


@pytest.mark.parametrize(
    "parameters, error, match",
    [
        ({"loss": "no"}, ValueError, "loss='no' is no loss .* such as 'mse'"),
        ({"optimizer": "no"}, ValueError, "optimizer='no' is none .* such as 'adam'"),
        ({"optimizer": None}, TypeError, "optimizer must be a name, .* Got None"),
        (
            {"learning_rate_schedule": lambda epoch, rate: None},
            ValueError,
            "learning_rate_schedule gave None for epoch 0. Let it return a finite",
        ),
        (
            {"learning_rate_schedule": lambda epoch, rate: np.nan},
            ValueError,
            "learning_rate_schedule gave nan for epoch 0",
        ),
        (
            {"callbacks": ["early"]},
            TypeError,
            "instances of keras.callbacks.Callback. Got 'early'.* early_stopping",
        ),
        ({"network": lambda *_: None}, TypeError, "return a keras.Model. Got None"),
        (
            {"network": flat_network(7)},
            ValueError,
            r"from inputs of shapes \[\(12, 1\), \(1,\)\] to \[\(7,\)\], but needed",
        ),
        (
            {"network": flat_network(1, with_context=False)},
            ValueError,
            r"\[\(12, 1\)\] to .* needed are \[\(12, 1\), \(1,\)\]",
        ),
    ],
)
def test_what_cannot_be_used_is_named(parameters, error, match):
    f = LSTMForecaster(12, epochs=1, units=3, random_state=0, **parameters)
    with pytest.raises(error, match=match):
        f.fit(SINE)
    assert vars(f) == f.get_params()


def test_a_flat_output_will_do():
    f = LSTMForecaster(12, network=flat_network(1), epochs=1, random_state=0)
    assert f.fit(SINE).forecast(3).shape == (3,)


def test_an_optimizer_stays_as_it_is():
    optimizer = keras.optimizers.SGD(0.5)
    f = LSTMForecaster(12, optimizer=optimizer, clipnorm=2, epochs=1, units=3)
    f.fit(SINE)
    assert optimizer.clipnorm is None and not optimizer.built
