"""Import of Keras on first use, on the backend that the user selects."""

import os
import sys

import numpy as np


def load_keras():
    """Import Keras, on JAX unless the user selects another backend."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        if "JAX_COMPILATION_CACHE_DIR" in os.environ:
            # JAX caches programs that compile for a second or more; training steps take
            # less, so the threshold has to be 0.
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    import keras

    return keras


def to_numpy(variable):
    """Return a copy of a Keras variable's value."""
    return np.array(load_keras().ops.convert_to_numpy(variable))
