"""Import of Keras on first use, on the backend that the user selects."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path


def select_backend() -> None:
    """Make JAX the backend of Keras, unless the user selected another.

    ``KERAS_BACKEND`` comes first, then the file ``keras.json`` of Keras, if its backend
    is installed: Keras writes TensorFlow into that file unasked.
    """
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return
    backend = configured_backend()
    if backend is None or find_spec(backend) is None:
        os.environ["KERAS_BACKEND"] = "jax"


def configured_backend() -> str | None:
    """Return the backend that ``keras.json`` names, or None."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    try:
        config = json.loads((Path(home) / "keras.json").read_text("utf-8"))
        return str(config["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no file, or one that Keras ignores as well


def load_keras():
    """Import Keras, on JAX unless the user selects another backend."""
    if "keras" not in sys.modules:
        select_backend()
        if "JAX_COMPILATION_CACHE_DIR" in os.environ:
            # JAX caches programs that compile for a second or more; training steps take
            # less, so the threshold has to be 0.
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    import keras

    return keras


def to_numpy(variable):
    """Return a copy of a Keras variable's value."""
    import numpy as np

    # Of the value, because variables of Keras lack the copy argument of NumPy 2.
    value = getattr(variable, "value", variable)
    return np.array(load_keras().ops.convert_to_numpy(value))
