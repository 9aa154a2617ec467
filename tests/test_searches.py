"""Every search of scikit-learn, in the three forms of `fit` and for many series."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    RandomizedSearchCV,
    RepeatedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklstm import LSTMForecaster
from sklstm._forecasting.searches import may_be_unordered
from sklstm.metrics import make_backtest_scorer
from sklstm.model_selection import PanelTimeSeriesSplit

SMALL = LSTMForecaster(
    window_length=6, horizon=2, units=2, epochs=1, batch_size=16, random_state=0
)
NAMES = ["neg_mean_absolute_error", "r2"]
BACKTEST = make_backtest_scorer(mean_absolute_error)
GRID = {"learning_rate": [0.001, 0.01]}


def data_of(form, passengers, dated=True):
    """Return (X, y) of a form of `fit`, and the parameters that it takes."""
    series = passengers[:60]
    if form == "windows":
        X = np.lib.stride_tricks.sliding_window_view(series.to_numpy(), 8)
        return X[:, :6].copy(), X[:, 6:].copy()
    if "many" in form:
        parts = {key: size * series for key, size in [("a", 1), ("b", 3), ("c", 2)]}
        series = pd.concat(parts, names=["series", "month"])
    months = series.index.get_level_values(-1).month
    X = pd.DataFrame({"month": np.sin(months)}, series.index)
    if not dated:
        X, series = X.to_numpy(), series.to_numpy()
    return (X, series) if "regression" in form else (series, None)


def splitter(form, n_splits=2, gap=0):
    cv = PanelTimeSeriesSplit if "many" in form else TimeSeriesSplit
    return cv(n_splits, gap=gap)


def estimator_of(form):
    return clone(SMALL).set_params(window_length=None if form == "windows" else 6)


FORMS = ["series", "regression", "windows", "many", "many regression"]
forms = pytest.mark.parametrize("form", FORMS)
SEARCHES = {
    "grid": lambda f, cv: GridSearchCV(f, GRID, cv=cv),
    "random": lambda f, cv: RandomizedSearchCV(f, GRID, n_iter=2, cv=cv),
    "halving": lambda f, cv: HalvingGridSearchCV(
        f, GRID, cv=cv, resource="epochs", min_resources=1, max_resources=2, factor=2
    ),
}


@forms
@pytest.mark.parametrize("search", SEARCHES)
def test_searches(form, search, passengers):
    X, y = data_of(form, passengers)
    found = SEARCHES[search](estimator_of(form), splitter(form)).fit(X, y)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    assert found.best_params_["learning_rate"] in GRID["learning_rate"]
    assert len(found.predict(X)) == len(X)


@forms
@pytest.mark.parametrize("gap", [0, 3])
def test_cross_validation_with_training_scores(form, gap, passengers):
    X, y = data_of(form, passengers)
    cv = splitter(form, gap=gap)
    scores = cross_validate(
        estimator_of(form), X, y, cv=cv, return_train_score=True, error_score="raise"
    )
    for name in ("test_score", "train_score"):
        assert scores[name].shape == (2,) and np.isfinite(scores[name]).all()


@forms
def test_curves(form, passengers):
    X, y = data_of(form, passengers)
    f, options = estimator_of(form), {"cv": splitter(form), "error_score": "raise"}
    sizes, *scores = learning_curve(f, X, y, train_sizes=[0.8, 1.0], **options)
    assert sizes[0] < sizes[1]
    scores += validation_curve(
        f, X, y, param_name="learning_rate", param_range=[0.001, 0.01], **options
    )
    for values in scores:
        assert values.shape == (2, 2) and np.isfinite(values).all()


@pytest.mark.parametrize("form", ["regression", "windows", "many regression"])
def test_scorers_by_name_where_there_is_y(form, passengers):
    X, y = data_of(form, passengers)
    f, cv = estimator_of(form), splitter(form)
    for scoring in (NAMES, {name: name for name in NAMES}):
        scores = cross_validate(f, X, y, cv=cv, scoring=scoring, error_score="raise")
        assert all(np.isfinite(scores[f"test_{name}"]).all() for name in NAMES)
    found = GridSearchCV(f, GRID, cv=cv, scoring=NAMES, refit="r2").fit(X, y)
    assert np.isfinite(found.best_score_)


@pytest.mark.parametrize("form", ["series", "many"])
@pytest.mark.parametrize("scoring", ["r2", NAMES, {"mae": NAMES[0]}, lambda f, X, y: 0])
@pytest.mark.parametrize("as_step", [False, True])
def test_scorers_that_need_y_raise_for_a_series_alone(
    form, scoring, as_step, passengers
):
    X, _ = data_of(form, passengers)
    f = make_pipeline(estimator_of(form)) if as_step else estimator_of(form)
    said = r"compares predictions with y, but.*make_backtest_scorer\("
    with pytest.raises(ValueError, match=f"(?s)All the . fits failed.*{said}"):
        cross_validate(f, X, cv=splitter(form), scoring=scoring)
    refit = next(iter(scoring)) if isinstance(scoring, list | dict) else True
    search = GridSearchCV(f, {}, cv=splitter(form), scoring=scoring, refit=refit)
    with pytest.raises(ValueError, match=f"(?s)All the . fits failed.*{said}"):
        search.fit(X)
    assert not hasattr(search, "best_params_")


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("form", ["regression", "many regression"])
def test_scorers_that_read_no_missing_value_raise(form, n_jobs, passengers):
    X, y = data_of(form, passengers)
    y = y.mask(np.arange(len(y)) == len(y) - 5)
    f, cv = estimator_of(form).set_params(epochs=0), splitter(form)
    assert np.isfinite(cross_val_score(f, X, y, cv=cv, error_score="raise")).all()
    search = GridSearchCV(f, {}, cv=cv, scoring=NAMES[0], n_jobs=n_jobs)
    said = r"cannot score the rows of the test parts.*make_backtest_scorer\("
    with pytest.raises(ValueError, match=f"(?s)All the . fits failed.*{said}"):
        search.fit(X, y)
    assert not hasattr(search, "best_params_")


def test_missing_values_that_no_split_tests_do_not_matter(passengers):
    X, y = data_of("regression", passengers)
    y = y.mask(np.arange(len(y)) == 3)
    f = estimator_of("regression").set_params(epochs=0)
    scores = cross_val_score(f, X, y, cv=splitter("regression"), scoring=NAMES[0])
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("form", ["series", "regression"])
@pytest.mark.parametrize("fault", ["one row", "gap in time", "infinite", "classes"])
def test_searches_that_cannot_be_scored_raise_in_all_splits(form, fault, passengers):
    X, y = data_of(form, passengers)
    options, said = {"cv": splitter(form)}, "two known values"
    if fault == "one row":
        options["cv"] = TimeSeriesSplit(2, test_size=1)
    elif fault == "gap in time":
        X, y = (None if data is None else data.drop(data.index[50]) for data in (X, y))
        said = "not regular"
    elif fault == "infinite":
        target = X if y is None else y
        target.iloc[-2] = np.inf
        said = "contains infinity"
    elif form == "series":
        return
    else:
        options["scoring"], said = "accuracy", "can't handle a mix of"
    search = GridSearchCV(estimator_of(form).set_params(epochs=0), {}, **options)
    with pytest.raises(ValueError, match=f"(?s)All the . fits failed.*{said}"):
        search.fit(X, y)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("form", ["series", "many regression"])
def test_test_rows_of_one_split_that_are_all_missing_raise(form, n_jobs, passengers):
    X, y = data_of(form, passengers)
    target = X if y is None else y
    months = target.index.get_level_values(-1)
    target[(months >= months[20]) & (months < months[40])] = np.nan
    f = estimator_of(form).set_params(epochs=0, pretrained=False)
    search = GridSearchCV(f, {}, cv=splitter(form), n_jobs=n_jobs)
    with pytest.raises(ValueError, match="(?s)All the . fits failed.*two known values"):
        search.fit(X, y)
    with pytest.raises(ValueError, match="(?s)All the . fits failed.*two known values"):
        cross_val_score(f, X, y, cv=splitter(form), n_jobs=n_jobs)


def test_workers_of_a_search_know_its_splitter(passengers):
    f = estimator_of("series").set_params(epochs=0, pretrained=False)
    series = passengers[:60].copy()
    series.iloc[30:35] = np.nan
    cv = TimeSeriesSplit(8, test_size=5)
    with pytest.raises(ValueError, match="(?s)All the . fits failed.*two known values"):
        GridSearchCV(f, {}, cv=cv, n_jobs=2).fit(series)
    # Only tests of the user's own splits are scored, here not rows 42 to 47.
    series = passengers[:60].copy()
    series.iloc[36:48] = np.nan
    cv = [(np.arange(30), np.arange(30, 36)), (np.arange(48), np.arange(48, 60))]
    scores = GridSearchCV(f, {}, cv=cv, n_jobs=2).fit(series).cv_results_
    assert np.isfinite(scores["mean_test_score"]).all()


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("cv", [None, 7, LeaveOneOut(), RepeatedKFold(n_splits=2)])
def test_searches_by_splits_of_which_some_train_on_the_future_raise(
    cv, n_jobs, passengers
):
    search = GridSearchCV(estimator_of("series"), GRID, cv=cv, n_jobs=n_jobs)
    with pytest.raises(ValueError, match=r"(?s)All the .* fits.*cv=TimeSeriesSplit\("):
        search.fit(passengers[:59].to_numpy())


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("form", ["series", "regression"])
def test_searches_by_groups_raise_though_the_last_one_is_in_order(
    form, n_jobs, passengers
):
    X, y = data_of(form, passengers)
    groups = np.arange(len(X)) // 15
    search = GridSearchCV(
        estimator_of(form), GRID, cv=LeaveOneGroupOut(), n_jobs=n_jobs
    )
    with pytest.raises(ValueError, match=r"(?s)All the .* fits.*cv=TimeSeriesSplit\("):
        search.fit(X, y, groups=groups)


def test_the_last_split_of_k_fold_is_known_by_its_size_alone():
    for n_rows in range(8, 60):
        split = {"X": np.zeros(n_rows), "split_progress": (4, 5)}
        for cv, is_k_fold in (KFold(5), True), (TimeSeriesSplit(5), False):
            *_, (train, test) = cv.split(split["X"])
            # Fewer than 8 rows cannot be fitted, by which splitter whatever.
            if is_k_fold or n_rows - 5 * len(test) >= 8:
                assert may_be_unordered(split | {"test": test}) == is_k_fold


@pytest.mark.parametrize("form", ["series", "regression"])
@pytest.mark.parametrize("dated", [True, False])
def test_predictions_by_splits_that_train_on_the_future_raise(form, dated, passengers):
    X, y = data_of(form, passengers, dated)
    f = estimator_of(form).set_params(epochs=0)
    said = "before those that it forecasts. Call backtest"
    with pytest.raises(ValueError, match=said):
        cross_val_predict(f, X, y)
    if form == "regression":
        with pytest.raises(ValueError, match=said):
            StackingRegressor([("lstm", f)]).fit(X, y)
    windows = data_of("windows", passengers)
    assert cross_val_predict(estimator_of("windows"), *windows).shape == (53, 2)


def test_workers_do_not_guess_at_splits_of_another_kind(passengers):
    series = passengers[:60].copy()
    series.iloc[42:50] = np.nan
    f = estimator_of("series").set_params(epochs=0, pretrained=False)
    cv = [(np.arange(30), np.arange(30, 42)), (np.arange(50), np.arange(50, 54))]
    scores = cross_val_score(f, series, cv=cv, n_jobs=2)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("scoring", [None, NAMES[0]])
@pytest.mark.parametrize("gap", [0, 3])
def test_arrays_score_as_frames_do(scoring, gap, passengers):
    f = estimator_of("regression").set_params(epochs=0, seasonal_period=None)
    scores = []
    for dated in (True, False):
        X, y = data_of("regression", passengers, dated)
        options = {"cv": TimeSeriesSplit(2, gap=gap), "scoring": scoring}
        found = cross_validate(f, X, y, return_train_score=True, **options)
        scores.append([found["test_score"], found["train_score"]])
    np.testing.assert_allclose(*scores)


@pytest.mark.parametrize("form", ["series", "regression", "many", "many regression"])
def test_backtests_score_every_form_in_order_of_time(form, passengers):
    X, y = data_of(form, passengers)
    f = estimator_of(form)
    options = {"cv": splitter(form), "scoring": BACKTEST}
    assert np.isfinite(cross_val_score(f, X, y, error_score="raise", **options)).all()
    with pytest.raises(ValueError, match="has no training score"):
        cross_validate(f, X, y, return_train_score=True, **options)
    options["cv"] = splitter(form, gap=2)
    with pytest.raises(ValueError, match="Pass gap= to make_backtest_scorer"):
        cross_validate(f, X, y, **options)


@pytest.mark.parametrize("form", ["series", "regression", "many regression"])
def test_backtests_score_pipelines_as_their_last_step(form, passengers):
    X, y = data_of(form, passengers)
    X = X.to_frame() if y is None else X
    f, cv = estimator_of(form).set_params(epochs=0), splitter(form)
    pipe = make_pipeline(FunctionTransformer(), make_pipeline(f))
    options = {"cv": cv, "scoring": BACKTEST, "error_score": "raise"}
    alone = cross_val_score(f, X, y, **options)
    np.testing.assert_allclose(cross_val_score(pipe, X, y, **options), alone)
    search = GridSearchCV(pipe, {}, cv=cv, scoring=BACKTEST).fit(X, y)
    np.testing.assert_allclose(search.best_score_, alone.mean())


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("form", ["series", "regression", "many"])
@pytest.mark.parametrize("fault", ["short tests", "missing", "one ends early"])
def test_backtests_of_too_few_rows_raise_in_all_splits(form, fault, n_jobs, passengers):
    X, y = data_of(form, passengers)
    target = X if y is None else y
    scoring, said = BACKTEST, "needs at least 21. Pass more rows"
    if fault == "short tests":
        scoring = make_backtest_scorer(mean_absolute_error, steps=21)
    elif fault == "missing":
        months = target.index.get_level_values(-1)
        target[(months >= months[20]) & (months < months[40])] = np.nan
        said = "hold no known value"
    elif form != "many":
        return
    else:
        X, said = X.drop(X.loc[["b"]].index[41:]), "X has 1 rows, but steps=2 needs"
    f = estimator_of(form).set_params(epochs=0, pretrained=False)
    for both in scoring, {"backtest": scoring}:
        search = GridSearchCV(
            f, {}, cv=splitter(form), scoring=both, n_jobs=n_jobs, refit=False
        )
        with pytest.raises(ValueError, match=f"(?s)All the . fits failed.*{said}"):
            search.fit(X, y)


def test_scorers_beside_a_backtest_are_checked_as_well(passengers):
    X, y = data_of("regression", passengers)
    y = y.mask(np.arange(len(y)) == len(y) - 5)
    scoring = {"backtest": BACKTEST, "mae": NAMES[0]}
    f = estimator_of("regression").set_params(epochs=0)
    search = GridSearchCV(f, {}, cv=TimeSeriesSplit(2), scoring=scoring, refit=False)
    said = "(?s)All the . fits failed.*cannot score the rows of the test parts"
    with pytest.raises(ValueError, match=said):
        search.fit(X, y)


def test_backtests_of_what_has_none_raise(passengers):
    X, y = data_of("regression", passengers)
    rooted = TransformedTargetRegressor(estimator_of("regression"), func=np.sqrt)
    rooted.set_params(inverse_func=np.square)
    search = GridSearchCV(rooted, {}, cv=TimeSeriesSplit(2), scoring=BACKTEST)
    said = "(?s)All the . fits failed.*TransformedTargetRegressor has no backtest"
    with pytest.raises(ValueError, match=said):
        search.fit(X, y)


@pytest.mark.parametrize("form", ["series", "regression"])
@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("cv", [None, 3, KFold(3, shuffle=True, random_state=0)])
def test_splits_that_train_on_the_future_raise(form, dated, cv, passengers):
    X, y = data_of(form, passengers, dated)
    with pytest.raises(ValueError, match=r"Pass cv=TimeSeriesSplit\(\)"):
        cross_validate(estimator_of(form), X, y, cv=cv)


@pytest.mark.parametrize("form", ["many", "many regression"])
@pytest.mark.parametrize("cv", [None, TimeSeriesSplit(2)])
def test_splits_of_many_series_by_row_raise(form, cv, passengers):
    X, y = data_of(form, passengers)
    with pytest.raises(ValueError, match=r"Pass cv=PanelTimeSeriesSplit\(\)"):
        cross_validate(estimator_of(form), X, y, cv=cv)


def test_splits_of_a_list_into_series_raise(passengers):
    parts = [passengers[:40].to_numpy() for _ in range(6)]
    with pytest.raises(ValueError, match=r"pd.concat\(dict\(enumerate\(X\)\)\)"):
        cross_validate(estimator_of("many"), parts, cv=TimeSeriesSplit(2))


def test_halving_over_rows_raises(passengers):
    search = HalvingGridSearchCV(
        estimator_of("series"), GRID, cv=TimeSeriesSplit(2), min_resources=30
    )
    with pytest.raises(ValueError, match="'epochs' instead of 'n_samples'"):
        search.fit(passengers.to_numpy())


def test_workers_check_as_well(passengers):
    with pytest.raises(ValueError, match="compares predictions with y"):
        cross_validate(
            estimator_of("series"),
            passengers[:60],
            cv=TimeSeriesSplit(2),
            scoring="r2",
            n_jobs=2,
        )
