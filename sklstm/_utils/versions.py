"""Versions of everything that a result depends on, for reports of bugs."""

import importlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import sklstm
from sklstm._utils import native_library
from sklstm._utils.keras_backend import load_keras

PACKAGES = (
    "numpy scipy pandas scikit-learn threadpoolctl safetensors keras jax jaxlib torch "
    "tensorflow matplotlib onnx sktime scikeras"
).split()


def show_versions():
    """Print versions of Python and of dependencies, the backend and its devices.

    The output also shows whether recurrent loops run in the library in C++.

    Examples
    --------
    >>> import sklstm
    >>> sklstm.show_versions()
    sklstm: ...
    Python: 3...
    """
    lines = {"sklstm": sklstm.__version__, "Python": sys.version.replace("\n", " ")}
    lines |= {"platform": platform.platform()}
    for package in PACKAGES:
        try:
            lines[package] = version(package)
        except PackageNotFoundError:
            lines[package] = "not installed"
    lines["recurrent loops on a CPU"] = native_library.description()
    backend = load_keras().config.backend()
    lines["Keras backend"] = backend
    if backend == "jax":
        devices = importlib.import_module("jax").devices()
        lines["JAX devices"] = ", ".join(map(str, devices))
    print("\n".join(f"{name}: {value}" for name, value in lines.items()))
