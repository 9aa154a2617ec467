"""The network as a Keras model, from features to outputs at every patch."""

import math

from sklstm._networks.keras_models import build_pretrained
from sklstm._networks.pretrained_inputs import Architecture, features
from sklstm._networks.spec import PretrainedSpec
from sklstm._utils.keras_backend import load_keras

keras = load_keras()

__all__ = ["Architecture", "build", "features", "keras", "n_parameters"]


def build(arch):
    """Return the Keras model from features to outputs at every patch."""
    return build_pretrained(arch, every_patch=True)


def n_parameters(arch):
    """Return the number of weights."""
    shapes = PretrainedSpec(arch).weight_shapes().values()
    return sum(math.prod(shape) for shape in shapes)
