"""Warnings that name the line of the user's program that caused them."""

import sys
import warnings

# A call of the user passes through these on its way to what warns: scikit-learn wraps
# `fit`, and its searches call it by way of joblib.
LIBRARIES = {"sklstm", "sklearn", "joblib"}


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the innermost line outside this library and those it is called through.

    Python shows a warning once a line, and by default shows some kinds at lines of the
    program alone. A fixed `stacklevel` would go wrong with each function that comes in
    between.

    Parameters
    ----------
    message : str
    category : type of Warning
    """
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and library_of(frame) in LIBRARIES:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def library_of(frame):
    """Return the top-level package of the module that a frame runs."""
    return frame.f_globals.get("__name__", "").partition(".")[0]
