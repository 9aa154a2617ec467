"""Keras, loaded when it is first needed, on the backend that the user chose."""

import os
import sys

import numpy as np


def load_keras():
    """Import Keras, on JAX unless the user chose another backend."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        if "JAX_COMPILATION_CACHE_DIR" in os.environ:
            # JAX keeps what took a second to compile; a step of ours takes less.
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    import keras

    return keras


def to_numpy(variable):
    """Return a copy of a Keras variable's value."""
    return np.array(load_keras().ops.convert_to_numpy(variable))
