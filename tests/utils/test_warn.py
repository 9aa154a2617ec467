import functools
import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import LSTMForecaster
from sklstm._utils.warn import warn_user

careful = functools.partial(warn_user, "careful", UserWarning)


def places(call, category=UserWarning):
    """Files and lines that the warnings of a call name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", category)
        call()
    return {(warning.filename, warning.lineno) for warning in caught}


def next_line():
    return sys._getframe(1).f_lineno + 1


def through(module, call):
    """The call, made by a function of a module."""
    names = {"__name__": module, "call": call}
    exec("def made(): call()", names)
    return names["made"]


@pytest.mark.parametrize("depth", [0, 1, 5])
@pytest.mark.parametrize("module", ["sklstm._training.loop", "sklearn.base"])
def test_a_warning_names_the_line_outside_at_any_depth(module, depth):
    call = careful
    for _ in range(depth):
        call = through(module, call)
    here = next_line()
    assert places(lambda: call()) == {(__file__, here)}


def test_a_module_whose_name_only_begins_alike_is_the_users():
    assert places(through("sklstm_of_mine", careful)) == {("<string>", 1)}


@pytest.mark.parametrize("how", ["fit", "partial_fit", "search"])
def test_a_warning_of_training_names_the_line_that_called_it(how):
    broken = {"learning_rate": 1e30, "clipnorm": None, "optimizer": "sgd"}
    broken |= {"linear_skip": False, "batch_size": 8, "refit": False}
    f = LSTMForecaster(6, epochs=1, units=2, random_state=0, **broken)
    X, y = np.arange(60.0)[:, None] % 7, np.sin(np.arange(60.0))
    if how == "search":
        f = GridSearchCV(f, {"units": [2]}, cv=TimeSeriesSplit(2), refit=False)
    call = f.partial_fit if how == "partial_fit" else f.fit
    here = next_line()
    assert places(lambda: call(X, y), ConvergenceWarning) == {(__file__, here)}
