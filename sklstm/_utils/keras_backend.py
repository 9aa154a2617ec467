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
    # Keras takes an empty variable for none.
    if "keras" in sys.modules or os.environ.get("KERAS_BACKEND"):
        return
    backend = configured_backend()
    if backend is None or not is_installed(backend):
        os.environ["KERAS_BACKEND"] = "jax"


def is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # of names that no package can have
        return False


def configured_backend() -> str | None:
    """Return the backend that ``keras.json`` names, or None."""
    # Path.home raises where the user has no home, as in some containers.
    home = os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras")
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


class Process:
    """Whether Keras's backend has run in this process, or in one it was forked from."""

    def __init__(self):
        self.has_run, self.is_forked = False, False

    def after_fork(self):
        self.is_forked = self.is_forked or self.has_run or jax_has_run()


process = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process.after_fork)


def jax_has_run() -> bool:
    """Tell whether JAX has started its threads, by whomever it was used."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    # JAX has no public name for it. Its function of this name takes a lock, which
    # another thread may have held when the process was forked.
    return bool(getattr(bridge, "_backends", None))


def check_process() -> None:
    """Raise in a fork of a process that has run a network, where it would hang."""
    if process.is_forked:
        raise RuntimeError(
            "This process was forked from one that has trained or run a network, and "
            "the threads of Keras's backend did not come along: it would hang. Start "
            'workers by multiprocessing.get_context("spawn"), or by joblib. In forked '
            "workers LSTMForecaster and LSTMTextClassifier can still predict."
        )
    process.has_run = True


def to_numpy(variable):
    """Return a copy of a Keras variable's value."""
    import numpy as np

    # Of the value, because variables of Keras lack the copy argument of NumPy 2.
    value = getattr(variable, "value", variable)
    return np.array(load_keras().ops.convert_to_numpy(value))
