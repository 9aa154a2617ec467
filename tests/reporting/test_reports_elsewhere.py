"""Model cards of skops and reports of skore, on both estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit

from sklstm import LSTMForecaster, LSTMTextClassifier

LABELS = ["bad", "good"] * 12
TEXTS = pd.DataFrame({"text": [f"a {word} film" for word in LABELS]})


def small(estimator, **parameters):
    return estimator(units=3, epochs=1, random_state=0, **parameters)


@pytest.mark.parametrize("kind", [LSTMForecaster, LSTMTextClassifier])
def test_skops_card(kind, passengers, tmp_path):
    card, io = pytest.importorskip("skops.card"), pytest.importorskip("skops.io")
    given = (passengers,) if kind is LSTMForecaster else (TEXTS, LABELS)
    fitted = small(kind).fit(*given)
    path = tmp_path / "model.skops"
    io.dump(fitted, path)
    trusted = [f"{kind.__module__}.{kind.__name__}"]
    for model in (card.Card(fitted), card.Card(path, trusted=trusted)):
        text = model.add_metrics(score=0.5).render()
        for name in fitted.get_params():
            assert f" {name} " in text
        assert kind.__name__ in text and "score" in text


def test_skore_of_a_forecaster(passengers):
    skore = pytest.importorskip("skore")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(144, 2)), passengers.index, ["a", "b"])
    f = small(LSTMForecaster, window_length=12)
    splitter = TimeSeriesSplit(2)
    report = skore.CrossValidationReport(f, X, passengers, splitter=splitter)
    train, test = list(splitter.split(X))[-1]
    expected = f.fit(X.iloc[train], passengers.iloc[train])
    score = expected.score(X.iloc[test], passengers.iloc[test])
    assert report.reports_[-1].metrics.r2() == pytest.approx(score)


def test_skore_of_a_text_classifier():
    skore = pytest.importorskip("skore")
    report = skore.EstimatorReport(
        small(LSTMTextClassifier),
        X_train=TEXTS[:16],
        y_train=LABELS[:16],
        X_test=TEXTS[16:],
        y_test=LABELS[16:],
    )
    assert report.metrics.accuracy() == 1
    assert 0 < report.metrics.log_loss() < 1
