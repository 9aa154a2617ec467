"""Checks of scikit-learn's searches from inside `fit`.

A search turns an error of its scorer into a score of NaN, and names a best candidate
all the same. If every fit fails, it raises. So what cannot be scored has to fail in
`fit`.
"""

import inspect
import sys
from types import FrameType

import numpy as np
from sklearn.model_selection import KFold

from sklstm._series.panel import has_levels, is_list_of_series
from sklstm._series.validation import n_dims
from sklstm.metrics import BacktestScorer

# The function of scikit-learn that fits and scores one split.
FIT_AND_SCORE = "sklearn.model_selection._validation", "_fit_and_score"


def search_split():
    """Return the arguments of the split that a search fits now, or None.

    Its splitter is among them as "cv", unless the split is fitted by a worker.
    """
    frame: FrameType | None = sys._getframe()
    split = None
    while frame is not None:
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if split is None and (module, function) == FIT_AND_SCORE:
            split = dict(frame.f_locals)
        elif split is not None and "cv" in frame.f_code.co_varnames:
            return split | {"cv": frame.f_locals.get("cv")}
        frame = frame.f_back
    return split


def check_search(window_length, X, y):
    """Raise if this fit is part of a search whose splits cannot be scored.

    Parameters
    ----------
    window_length : int or None
    X, y : array-like
        What `fit` got. Ready-made windows are independent rows, which any split suits.
    """
    split = search_split()
    if split is None:
        return
    if y is not None and (window_length is None or n_dims(X) == 3):
        return
    scorer = split.get("scorer")
    scorers = list(getattr(scorer, "_scorers", {"score": scorer}).values())
    if split["y"] is None:
        check_needs_no_y(scorers)
    # The last split of KFold is in order, but the search needs all of them.
    is_ordered = not isinstance(split.get("cv"), KFold)
    check_order(split["X"], split["train"], split["test"], is_ordered)
    if any(isinstance(scorer, BacktestScorer) for scorer in scorers):
        check_backtest(split)


def check_needs_no_y(scorers):
    """Raise if a scorer compares predictions with y, which a series alone lacks."""
    for scorer in scorers:
        try:
            inspect.signature(scorer).bind("estimator", "X")
        except TypeError as error:
            raise ValueError(
                f"The scorer {scorer} compares predictions with y, but the search has "
                "a series alone, without y. Leave scoring out for R², or pass for "
                "example scoring=make_backtest_scorer(mean_absolute_error) of "
                "sklstm.metrics."
            ) from error


def check_order(X, train, test, is_ordered):
    """Raise unless the training rows are whole and come before the test rows."""
    if is_list_of_series(X):
        raise ValueError(
            "scikit-learn splits a list of series into whole series, whose test parts "
            "have no past. Pass pd.concat(dict(enumerate(X))), and "
            "cv=PanelTimeSeriesSplit() of sklstm.model_selection."
        )
    if has_levels(X):
        times = X.index.get_level_values(-1)
        if not is_ordered or times[train].max() >= times[test].min():
            raise ValueError(
                "The splits train on rows that are no earlier than those that they "
                "test, so the future leaks. Pass cv=PanelTimeSeriesSplit() of "
                "sklstm.model_selection."
            )
        return
    in_one_piece = (np.diff(train) == 1).all() and np.max(train) < np.min(test)
    if not is_ordered or not in_one_piece:
        raise ValueError(
            "The splits do not train on the rows right before those that they test, "
            "as a series needs, but on later rows, or on rows drawn at random. Pass "
            "cv=TimeSeriesSplit(), and to a halving search a resource such as "
            "'epochs' instead of 'n_samples'."
        )


def check_backtest(split):
    """Raise if a backtest cannot start at the row after the training part."""
    if split.get("return_train_score"):
        raise ValueError(
            "A backtest scores rows that follow the training part, and has no training "
            "score. Pass return_train_score=False, or leave scoring out for R²."
        )
    train, test = split["train"], split["test"]
    if has_levels(split["X"]):
        times = split["X"].index.get_level_values(-1)
        dates = times.unique().sort_values()
        train, test = dates.get_indexer(times[train]), dates.get_indexer(times[test])
    if np.min(test) != np.max(train) + 1:
        raise ValueError(
            "The splitter leaves a gap between training and test rows, but a backtest "
            "starts at the row after the training part. Pass gap= to "
            "make_backtest_scorer instead of to the splitter."
        )
