"""LSTM networks as scikit-learn estimators."""

import importlib

from sklstm._utils.keras_backend import select_backend

__version__ = "0.1.0"

# Before anybody imports Keras, which would look for TensorFlow.
select_backend()

# Loaded on first use, so that `import sklstm` costs nothing.
_PUBLIC = {
    "LSTMForecaster": "sklstm._forecaster",
    "LSTMTextClassifier": "sklstm._text_classifier",
    "SkillWarning": "sklstm._base",
    "load": "sklstm.serialization",
    "show_versions": "sklstm._utils.versions",
    "make_windows": "sklstm._windows.dataset",
}
_MODULES = {
    "datasets",
    "inspection",
    "layers",
    "metrics",
    "model_selection",
    "plotting",
    "preprocessing",
    "serialization",
    "testing",
    "tuning",
}
# Not in `dir`, because they need packages of their own.
_ADAPTERS = {"scikeras", "sktime"}

__all__ = [
    "LSTMForecaster",
    "LSTMTextClassifier",
    "SkillWarning",
    "__version__",
    "load",
    "make_windows",
    "show_versions",
]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _MODULES | _ADAPTERS:
        return importlib.import_module(f"sklstm.{name}")
    raise AttributeError(f"module 'sklstm' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_MODULES])
