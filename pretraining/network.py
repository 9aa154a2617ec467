"""The network as a Keras model, from features to outputs at every patch."""

from sklstm._networks.pretrained_inputs import Architecture, features
from sklstm._utils.keras_backend import load_keras
from sklstm.layers import LSTM

keras = load_keras()

__all__ = ["Architecture", "build", "features", "keras", "n_parameters"]


def build(arch):
    """Return the Keras model from features to outputs at every patch."""
    layers = keras.layers
    inputs = keras.Input((None, arch.n_features))
    x = layers.Dense(arch.units, name="embedding")(inputs)
    for k in range(arch.n_layers):
        x = layers.add(
            [x, LSTM(arch.units, return_sequences=True, name=f"lstm_{k}")(x)]
        )
    x = layers.concatenate([x, inputs])
    h = layers.Dense(arch.hidden, activation="relu", name="hidden")(x)
    out = layers.Dense(arch.n_outputs, kernel_initializer="zeros", name="head")(h)
    skip = layers.Dense(
        arch.n_outputs, use_bias=False, kernel_initializer="zeros", name="skip"
    )(inputs)
    return keras.Model(inputs, layers.add([out, skip]))


def n_parameters(arch):
    """Return the number of weights."""
    units, total = arch.units, (arch.n_features + 1) * arch.units
    total += arch.n_layers * 4 * units * (2 * units + 1)
    total += (units + arch.n_features + 1) * arch.hidden
    total += (arch.hidden + 1 + arch.n_features) * arch.n_outputs
    return total
