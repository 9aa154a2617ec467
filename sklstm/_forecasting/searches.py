"""Checks of scikit-learn's searches from inside `fit`.

A search turns an error of its scorer into a score of NaN, and names a best candidate
all the same. If every fit fails, it raises. So what cannot be scored has to fail in
`fit`.
"""

import inspect
import sys
import warnings
from types import FrameType

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
    check_cv,
)
from sklearn.pipeline import Pipeline

from sklstm._forecasting.backtest import BacktestPlan
from sklstm._series.alignment import align_X_y, check_regular, histories_by_series
from sklstm._series.history import History
from sklstm._series.panel import (
    concatenate_series,
    has_levels,
    is_list_of_series,
    rows_by_series,
)
from sklstm._series.validation import as_numbers, check_values, n_dims
from sklstm.metrics import BacktestScorer

# The functions of scikit-learn that fit one split, and score or predict it.
FIT_AND_SCORE = "sklearn.model_selection._validation", "_fit_and_score"
FIT_AND_PREDICT = "sklearn.model_selection._validation", "_fit_and_predict"
SCORE = "sklearn.model_selection._validation", "_score"
# Splitters whose splits are known only with the groups, and never all in order.
OF_GROUPS = (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
)
# More splits than these are rarely asked for without a size of the tests.
MOST_SPLITS = 10


def search_split():
    """Return the arguments of the split that a search fits now, or None.

    Its splitter is among them as "cv". A worker knows that of a search, and none of
    `cross_validate`.
    """
    frame: FrameType | None = sys._getframe()
    split = None
    while frame is not None:
        called = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if split is None and called in (FIT_AND_SCORE, FIT_AND_PREDICT):
            split = dict(frame.f_locals)
        elif split is not None and "cv" in frame.f_code.co_varnames:
            return split | {"cv": frame.f_locals.get("cv")}
        frame = frame.f_back
    if split is None or split.get("caller") is None:
        return split
    return split | {"cv": check_cv(split["caller"].cv)}


def scored_rows():
    """Return the rows that a search scores now, the first training row being 0.

    None outside of a search.
    """
    frame: FrameType | None = sys._getframe()
    scored = None
    while frame is not None:
        caller = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if caller == SCORE:
            scored = frame.f_locals.get("X_test")
        elif caller == FIT_AND_SCORE and scored is not None:
            split = frame.f_locals
            part = "train" if scored is split.get("X_train") else "test"
            return row_numbers(split[part]) - row_numbers(split["train"])[0]
        frame = frame.f_back
    return None


def row_numbers(part) -> np.ndarray:
    """Return the rows of a part of a split, which a splitter may give as a mask."""
    part = np.asarray(part)
    return np.flatnonzero(part) if part.dtype == bool else part


def rows_on_axis(history: History, index: pd.Index | None, n_rows: int) -> np.ndarray:
    """Return where rows stand on the axis of a history, whose first row is 0.

    Rows without an index follow it at once, but for those that a search scores: they
    may be those of training, or come after a gap.
    """
    rows = scored_rows() if index is None else None
    if rows is not None and len(rows) == n_rows:
        return rows
    return history.where(index, n_rows)


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
    if "scorer" not in split:
        raise ValueError(
            "cross_val_predict, which stacking uses as well, also predicts rows that "
            "come before the training rows, but a forecaster is fitted on the rows "
            "before those that it forecasts. Call backtest for forecasts of past "
            "rows, or combine forecasters in a VotingRegressor."
        )
    for part in ("train", "test"):
        split[part] = row_numbers(split[part])
    scorer = split["scorer"]
    scorers = list(getattr(scorer, "_scorers", {"score": scorer}).values())
    if split["y"] is None:
        check_needs_no_y(scorers)
    splits, is_ordered = splits_of_search(split), not may_be_unordered(split)
    # The last split of KFold is in order, but the search needs all of them.
    for train, test in [(split["train"], split["test"]), *(splits or ())]:
        check_order(split["X"], train, test, is_ordered)
    check_whole(split["X"], split["y"])
    tests = None if splits is None else [test for _, test in splits]
    tests = tests or rows_of_equal_tests(split)
    backtests = [own for own in scorers if isinstance(own, BacktestScorer)]
    if backtests:
        check_backtests(backtests, split, tests)
    check_scorers([own for own in scorers if own not in backtests], split, tests)


def check_whole(X, y):
    """Raise if any later split could not be fitted, so that all splits fail alike."""
    where = rows_by_series(X) if y is None else align_X_y(X, y)
    target = concatenate_series(X if y is None else y)
    check_regular(
        histories_by_series(where, check_values(target, allow_nan=True), None)
    )


def check_scorers(scorers, split, tests):
    """Raise if a scorer could not score even forecasts without an error.

    Metrics of scikit-learn read no missing value, and R² needs two rows. All splits
    have to fail alike, so all values of y are tried that a split may test.

    Parameters
    ----------
    tests : list of ndarray or None
        The rows that each split tests; None if they are not known.
    """
    values = target_values(split)
    for scorer in scorers:
        metric = getattr(scorer, "_score_func", None)
        if metric is None:
            check_two_known(values, [split["test"]] if tests is None else tests)
            continue
        # Where other test rows are not known, they may be any.
        everything = slice(None) if tests is None else np.concatenate(tests)
        for rows in values[split["test"]], values[everything]:
            try_metric(scorer, metric, rows)


def target_values(split) -> np.ndarray:
    """Return the target of a search, of shape (n_rows, n_targets)."""
    target = split["X"] if split["y"] is None else split["y"]
    values = as_numbers(concatenate_series(target))
    return values.reshape(len(values), -1)


def check_two_known(values, tests):
    """Raise if R² of the test rows of a split would be that of fewer than two."""
    few = [test for test in tests if (~np.isnan(values[test])).sum() < 2]
    if few:
        raise ValueError(
            "R² needs two known values, but the test rows "
            f"{few[0].min()} to {few[0].max()} hold fewer. Pass a splitter with more "
            "rows, such as TimeSeriesSplit(test_size=2), or leave these rows out."
        )


def splits_of_search(split) -> list | None:
    """Return (training rows, test rows) of each split, or None if they are not known.

    Workers of `cross_validate` do not know them, nor does a splitter by groups.
    """
    try:
        splits = split["cv"].split(split["X"], split["y"])
        return [(row_numbers(train), row_numbers(test)) for train, test in splits]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def may_be_unordered(split) -> bool:
    """Return whether other splits may be out of order where this one is in order.

    So is the last one of groups that follow each other. A worker of `cross_validate`
    does not know the splitter; the tests of KFold hold all rows but fewer than there
    are splits.
    """
    if isinstance(split.get("cv"), OF_GROUPS):
        return True
    if "cv" in split or not split.get("split_progress"):
        return False
    n_splits = split["split_progress"][1]
    return len(split["X"]) - n_splits * len(split["test"]) < n_splits


def rows_of_equal_tests(split) -> list | None:
    """Return the rows of all tests from those of one, if they are equal and last.

    A worker knows one split alone. Those of TimeSeriesSplit and PanelTimeSeriesSplit
    have tests of one size, which end at the last date.
    """
    dates = date_numbers(split["X"])
    n_dates, tested = dates.max() + 1, np.unique(dates[split["test"]])
    size, behind = len(tested), n_dates - 1 - tested[-1]
    if split.get("split_progress"):  # of searches
        number, n_splits = split["split_progress"]
        is_known = behind == (n_splits - 1 - number) * size
    else:
        n_splits = n_dates // (size + 1)  # as many as have this size by default
        is_known = behind % size == 0 and behind < n_splits * size
        is_known &= n_splits <= MOST_SPLITS
    first = n_dates - n_splits * size
    if not is_known or first < 0:
        return None
    return [
        np.flatnonzero((dates >= start) & (dates < start + size))
        for start in range(first, n_dates, size)
    ]


def date_numbers(X) -> np.ndarray:
    """Return the number of the date of each row, from 0."""
    if not has_levels(X):
        return np.arange(len(X))
    return np.unique(X.index.get_level_values(-1), return_inverse=True)[1]


def try_metric(scorer, metric, values):
    """Raise if a metric cannot score forecasts that are hardly off."""
    values = values[:, 0] if values.shape[1] == 1 else values
    forecasts = values + 1e-3 * (1 + np.abs(values))  # no whole numbers, and positive
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = metric(values, forecasts, **getattr(scorer, "_kwargs", {}))
        fault = None if np.isfinite(score).all() else f"the score is {score}"
    except (TypeError, ValueError) as error:
        fault = str(error).partition("\n")[0].rstrip(".")
    if fault is not None:
        raise ValueError(
            f"The scorer {scorer} cannot score the rows of the test parts: {fault}. "
            "Leave scoring out for R² of the rows whose values are known, pass "
            "scoring=make_backtest_scorer(mean_absolute_error) of sklstm.metrics, or "
            "leave these rows out."
        )


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


def check_backtests(scorers, split, tests):
    """Raise if there is no backtest, or none of the test rows.

    Parameters
    ----------
    scorers : list of BacktestScorer
    tests : list of ndarray or None
        The rows that each split tests; None if they are not known.
    """
    estimator = split["estimator"]
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if not hasattr(estimator, "backtest"):
        raise ValueError(
            "A backtest needs a forecaster, or a pipeline that ends in one, but "
            f"{type(estimator).__name__} has no backtest. Pass a scorer by name, such "
            "as scoring='neg_mean_absolute_error'."
        )
    if split.get("return_train_score"):
        raise ValueError(
            "A backtest scores rows that follow the training part, and has no training "
            "score. Pass return_train_score=False, or leave scoring out for R²."
        )
    dates = date_numbers(split["X"])
    train, test = dates[split["train"]], dates[split["test"]]
    if np.min(test) != np.max(train) + 1:
        raise ValueError(
            "The splitter leaves a gap between training and test rows, but a backtest "
            "starts at the row after the training part. Pass gap= to "
            "make_backtest_scorer instead of to the splitter."
        )
    values, series = target_values(split), series_numbers(split["X"])
    for scorer in scorers:
        steps = estimator.horizon if scorer.steps is None else scorer.steps
        plan = BacktestPlan(steps, scorer.stride, scorer.gap)
        for rows in [split["test"], *(tests or ())]:
            for n_rows in np.bincount(series[rows]):
                plan.origins(0, n_rows)
            if np.isnan(values[rows]).all():
                raise ValueError(
                    f"The test rows {rows.min()} to {rows.max()} hold no known value, "
                    "so a backtest has nothing to compare with. Leave these rows out, "
                    "or pass a splitter with larger tests."
                )


def series_numbers(X) -> np.ndarray:
    """Return the number of the series of each row, from 0."""
    if not has_levels(X):
        return np.zeros(len(X), int)
    return pd.factorize(X.index.droplevel(-1))[0]
