"""Parameters and weights of a fitted Keras model, from which a forecaster is made."""

import numpy as np

from sklstm._utils.cells import CELLS
from sklstm._utils.keras_backend import to_numpy


def keras_weights(model) -> dict[str, np.ndarray]:
    """Return copies of the weights of a Keras model by their paths."""
    return {variable.path: to_numpy(variable) for variable in model.weights}


def model_of(wrapper):
    """Return the Keras model that a wrapper of scikeras trained."""
    if not hasattr(wrapper, "model_"):
        raise ValueError(
            f"{type(wrapper).__name__} is not fitted, so it has no model to take over. "
            "Call its fit first."
        )
    return wrapper.model_


def keras_parameters(model, weights: dict[str, np.ndarray], is_series: bool) -> dict:
    """Return the parameters of a forecaster with the network of a Keras model."""
    cell, units = recurrent_layers(model, weights)
    if any(layer.name == "probabilities" for layer in model.layers):
        raise ValueError(
            "The model gives probabilities of classes, which are no forecast. Take "
            "over one that build_regressor made, or keep the classifier as it is."
        )
    window_length = int(model.inputs[0].shape[1])
    for layer in model.layers:
        if layer.name == "steps":  # rows hold several values a step
            window_length = int(layer.target_shape[0])
    older = [layer.cropping[0] for layer in model.layers if layer.name == "recent"]
    result = {
        "cell": cell,
        "units": units,
        "linear_skip": "skip/kernel" in weights,
        "recurrent_length": window_length - older[0] if older else None,
        "horizon": int(np.shape(model.output)[1]),
    }
    return result | ({"window_length": window_length} if is_series else {})


def recurrent_layers(model, weights: dict) -> tuple[str, tuple[int, ...]]:
    """Return the cell of a model, and the units of each of its recurrent layers."""
    found = [
        (cell.name, f"recurrent_0/{cell.weight_prefix}/recurrent_kernel")
        for cell in CELLS.values()
        if f"recurrent_0/{cell.weight_prefix}/recurrent_kernel" in weights
    ]
    if not found:
        raise ValueError(
            "The model is none of sklstm's networks: it has no layer recurrent_0 among "
            f"{[layer.name for layer in model.layers]}. Build it with to_keras or "
            "sklstm.scikeras.build_regressor."
        )
    cell, kernel = found[0]
    units = []
    while kernel in weights:
        units.append(int(weights[kernel].shape[0]))
        kernel = kernel.replace(f"_{len(units) - 1}/", f"_{len(units)}/")
    return cell, tuple(units)
