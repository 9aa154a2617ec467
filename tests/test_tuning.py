"""Search spaces, searches in time order, and resumed budgets."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingGridSearchCV,
    ParameterSampler,
    TimeSeriesSplit,
)

from sklstm import LSTMForecaster, LSTMTextClassifier
from sklstm._training import compiled
from sklstm.model_selection import PanelTimeSeriesSplit
from sklstm.tuning import continued, pruning_callback, search_space, suggest

SMALL = {"window_length": 12, "horizon": 3, "units": 4, "random_state": 0}


@pytest.fixture
def batches_trained(monkeypatch):
    """Count the batches trained so far."""
    batches = []
    train = compiled.CompiledNetwork.train_block

    def counted(self, *block):
        batches.append(block[-1])
        return train(self, *block)

    monkeypatch.setattr(compiled.CompiledNetwork, "train_block", counted)
    return lambda: sum(batches)


@pytest.mark.parametrize("estimator", [LSTMForecaster(), LSTMTextClassifier()])
def test_spaces_hold_what_the_estimator_takes(estimator):
    for candidate in ParameterSampler(search_space(estimator), 20, random_state=0):
        estimator.set_params(**candidate)._validate_params()
        assert estimator._units()


def test_suggest_scores_on_later_rows_only(passengers):
    space = {"window_norm": ["last", None]}
    found = suggest(
        LSTMForecaster(**SMALL, epochs=1), passengers, space=space, n_iter=2, n_splits=2
    )
    assert type(found.cv) is TimeSeriesSplit
    assert found.best_params_["window_norm"] in space["window_norm"]


def test_suggest_keeps_a_gap_between_windows():
    rows = np.arange(40.0)
    X, y = rows[:, None] + np.arange(4), rows[:, None] + 4 + np.arange(3)
    f = LSTMForecaster(units=4, epochs=1, random_state=0)
    found = suggest(f, X, y, space={"dropout": [0.0]}, n_iter=1, n_splits=2)
    for train, test in found.cv.split(X):
        assert y[train].max() < y[test].min()


def test_suggest_refuses_what_has_no_order(passengers):
    with pytest.raises(TypeError, match="it needs an LSTMForecaster"):
        suggest(LSTMTextClassifier(), ["a", "b"], [0, 1])
    with pytest.raises(ValueError, match=r"pd.concat\(dict\(enumerate\(X\)\)\)"):
        suggest(LSTMForecaster(), [passengers, passengers])


@pytest.mark.parametrize("with_X", [False, True])
def test_suggest_cuts_many_series_by_date(passengers, with_X):
    panel = pd.concat({"p": passengers[:60], "q": 2 * passengers[20:60]})
    months = panel.index.get_level_values(-1).month.to_numpy()
    data = (panel,)
    if with_X:
        data = pd.DataFrame({"month": np.sin(months)}, panel.index), panel
    space = {"learning_rate": [0.001, 0.01]}
    f = LSTMForecaster(**SMALL, epochs=1)
    found = suggest(f, *data, space=space, n_iter=2, n_splits=2)
    assert type(found.cv) is PanelTimeSeriesSplit and found.cv.n_splits == 2
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    assert list(found.best_estimator_._state.series) == ["p", "q"]


def test_suggest_raises_what_a_split_raises(passengers):
    with pytest.raises(ValueError, match="^The scorer .* compares predictions with y"):
        suggest(LSTMForecaster(**SMALL), passengers, scoring="r2", n_splits=2)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_continued_fit_is_the_whole_fit(passengers, early_stopping, batches_trained):
    f = LSTMForecaster(**SMALL, early_stopping=early_stopping, min_skill=0, refit=False)
    whole = f.set_params(epochs=6).fit(passengers)
    expected, history = whole.forecast(5), whole.history_
    n_whole = batches_trained()
    with continued():
        for epochs in (2, 4, 6):
            f.set_params(epochs=epochs).fit(passengers)
    assert f.forecast(5).equals(expected) and f.history_ == history
    # The pretrained network is fine-tuned anew, by as many steps as epochs.
    assert batches_trained() == 2 * n_whole + 2 + 4


def test_other_data_start_anew(passengers, batches_trained):
    f = LSTMForecaster(**SMALL, epochs=2, early_stopping=False, refit=False)
    alone = f.fit(passengers[:-5]).forecast(3)
    n_alone = batches_trained()
    with continued():
        f.fit(passengers)
        assert f.fit(passengers[:-5]).forecast(3).equals(alone)
    f.fit(passengers)  # and nothing is remembered after
    assert batches_trained() == 4 * n_alone


def test_halving_trains_survivors_on(passengers, batches_trained):
    f = LSTMForecaster(**SMALL, early_stopping=False, refit=False)
    cv = TimeSeriesSplit(2)
    grid = {"learning_rate": [0.001, 0.003, 0.01, 0.03]}
    search = HalvingGridSearchCV(
        f,
        grid,
        resource="epochs",
        min_resources=2,
        max_resources=8,
        factor=2,
        cv=cv,
        refit=False,
        random_state=0,
    )
    values = passengers.to_numpy()
    f.set_params(epochs=8)
    for train, _ in cv.split(values):
        f.fit(values[train])
    one_whole = batches_trained()
    with continued():
        search.fit(values)
    # Budgets 2, 4 and 8 of 4, 2 and 1 candidates: 2 are dropped at 2, 1 at 4.
    spent = (batches_trained() - one_whole) / one_whole
    survivor = spent - 2 * 2 / 8 - 4 / 8
    assert survivor == pytest.approx(1.0)
    assert search.n_resources_ == [2, 4, 8]


def test_optuna_prunes(passengers):
    optuna = pytest.importorskip("optuna")
    optuna.logging.disable_default_handler()

    def objective(trial):
        rate = trial.suggest_categorical("learning_rate", [0.001, 1e-7])
        f = LSTMForecaster(
            **SMALL,
            epochs=4,
            early_stopping=False,
            linear_skip=False,
            learning_rate=rate,
            callbacks=[pruning_callback(trial)],
        )
        return min(f.fit(passengers).history_["val_loss"])

    study = optuna.create_study(
        sampler=optuna.samplers.GridSampler({"learning_rate": [0.001, 1e-7]}, seed=0),
        pruner=optuna.pruners.ThresholdPruner(upper=0, n_warmup_steps=1),
    )
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["PRUNED", "PRUNED"]
    assert [len(trial.intermediate_values) for trial in study.trials] == [2, 2]


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
@pytest.mark.filterwarnings("ignore:`optuna.terminator` module:FutureWarning")
def test_the_search_of_optuna(passengers):
    optuna = pytest.importorskip("optuna")
    OptunaSearchCV = pytest.importorskip("optuna_integration").OptunaSearchCV
    optuna.logging.disable_default_handler()
    rate = optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)
    norm = optuna.distributions.CategoricalDistribution(["last", None])
    texts = [f"{word} film of {i}" for i in range(10) for word in ("good", "bad")]
    searches = [
        (
            LSTMForecaster(**SMALL, epochs=1),
            {"learning_rate": rate, "window_norm": norm},
            TimeSeriesSplit(2),
            (passengers,),
        ),
        (
            LSTMTextClassifier(units=4, epochs=1, random_state=0),
            {"optimizer__learning_rate": rate},  # a word of scikeras
            2,
            (texts, [1, 0] * 10),
        ),
    ]
    for estimator, space, cv, data in searches:
        search = OptunaSearchCV(estimator, space, cv=cv, n_trials=2, random_state=0)
        search.fit(*data)
        assert set(search.best_params_) == set(space)
        assert search.best_estimator_.learning_rate <= 1e-2
        assert len(search.predict(data[0])) == len(data[0])


def test_says_how_to_install_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'sklstm\[optuna\]'"):
        pruning_callback(None)
