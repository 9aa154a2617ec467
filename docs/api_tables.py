"""Tables of parameters and methods for the API pages, generated from the docstrings.

The lists below say only in which group a name stands. `tests/test_docs.py` compares
them with the signatures of the constructors and with the public methods.
"""

import inspect
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from numpydoc.docscrape import NumpyDocString

TRAINING = (
    "optimizer",
    "learning_rate",
    "learning_rate_schedule",
    "clipnorm",
    "epochs",
    "batch_size",
    "callbacks",
)
STOPPING = ("validation_fraction", "early_stopping", "n_iter_no_change", "tol")
RUNNING = ("checkpoint", "warm_start", "random_state", "verbose")

PARAMETERS = {
    "LSTMForecaster": {
        "Windowing": ("window_length", "horizon", "stride", "window_norm"),
        "Seasons and scaling": ("scaler", "seasonal_period", "deseasonalize"),
        "Exogenous variables": ("calendar", "past_covariates"),
        "Network": (
            "cell",
            "units",
            "dropout",
            "recurrent_dropout",
            "linear_skip",
            "recurrent_length",
            "network",
        ),
        "Members and quantiles": ("n_members", "pretrained", "quantiles"),
        "Training": ("loss", *TRAINING),
        "Validation and early stopping": (*STOPPING, "min_skill", "refit"),
        "Reproducibility and progress": RUNNING,
    },
    "LSTMTextClassifier": {
        "Tokens": (
            "analyzer",
            "lowercase",
            "strip_accents",
            "token_pattern",
            "tokenizer",
        ),
        "Vocabulary and length": ("max_features", "min_df", "max_length", "truncate"),
        "N-gram model": ("linear_skip", "ngram_range"),
        "Word vectors": ("embedding_dim", "embeddings", "trainable_embeddings"),
        "Network": (
            "cell",
            "units",
            "bidirectional",
            "pooling",
            "word_dropout",
            "dropout",
            "recurrent_dropout",
        ),
        "Training": ("class_weight", *TRAINING),
        "Validation and early stopping": (*STOPPING, "min_skill"),
        "Reproducibility and progress": RUNNING,
    },
}

SAVING = ("save", "load", "to_keras")
METHODS = {
    "LSTMForecaster": {
        "Fit": ("fit", "partial_fit"),
        "Forecast": (
            "forecast",
            "predict",
            "forecast_interval",
            "forecast_quantiles",
            "sample_paths",
        ),
        "Update": ("update", "observe"),
        "Evaluate": ("score", "backtest", "report"),
        "Inspect": ("summary", "plot"),
        "Save and convert": (*SAVING, "from_keras", "to_onnx"),
        "Parameters": ("set_params",),
    },
    "LSTMTextClassifier": {
        "Fit": ("fit", "partial_fit"),
        "Predict": (
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
        ),
        "Evaluate": ("report",),
        "Inspect": ("summary",),
        "Save and convert": (*SAVING, "keras_inputs", "to_onnx"),
        "Parameters": ("set_params",),
    },
}


def first_sentence(lines):
    """Return the first sentence of a description, on one line."""
    text = " ".join(" ".join(lines).split())
    return re.split(r"(?<=[.;])\s", text)[0].rstrip(".;")


def table(title, rows):
    """Return the lines of a table of two columns in reStructuredText."""
    lines = [".. list-table:: " + title, "   :widths: 30 70", ""]
    for left, right in rows:
        lines += [f"   * - {left}", f"     - {right}"]
    return [*lines, ""]


def parameter_tables(name):
    """Return a table for each group of the parameters of a class."""
    import sklstm

    cls = getattr(sklstm, name)
    documented = {
        parameter.name: parameter
        for parameter in NumpyDocString(inspect.getdoc(cls))["Parameters"]
    }
    defaults = inspect.signature(cls).parameters
    lines = []
    for title, names in PARAMETERS[name].items():
        rows = [
            (
                f"``{own}={defaults[own].default!r}``",
                first_sentence(documented[own].desc),
            )
            for own in names
        ]
        lines += table(title, rows)
    return lines


def method_tables(name):
    """Return a table for each group of the methods of a class."""
    import sklstm

    cls = getattr(sklstm, name)
    lines = []
    for title, names in METHODS[name].items():
        rows = [
            (
                f":py:meth:`{own} <sklstm.{name}.{own}>`",
                first_sentence([inspect.getdoc(getattr(cls, own)).split("\n\n")[0]]),
            )
            for own in names
        ]
        lines += table(title, rows)
    return lines


class Tables(Directive):
    """Insert the tables of a class of sklstm, at ``.. api-parameters:: LSTM...``."""

    required_arguments = 1
    tables = staticmethod(parameter_tables)

    def run(self):
        lines = StringList(self.tables(self.arguments[0]), source="sklstm")
        node = nodes.container()
        self.state.nested_parse(lines, self.content_offset, node)
        return node.children


class MethodTables(Tables):
    tables = staticmethod(method_tables)


def setup(app):
    app.add_directive("api-parameters", Tables)
    app.add_directive("api-methods", MethodTables)
    return {"parallel_read_safe": True}
