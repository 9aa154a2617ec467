"""Keras, loaded when it is first needed, on the backend that the user chose."""

import os
import sys


def load_keras():
    """Import Keras, on JAX unless the user chose another backend."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    return keras
