import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklstm.preprocessing import SeriesScaler, SlidingWindowTransformer, TextSequencer

# A window holds the rows before it, so a row alone or moved has another one.
ORDER = {
    "check_methods_sample_order_invariance": "a row's window depends on earlier rows",
    "check_methods_subset_invariance": "a row's window depends on earlier rows",
}


def expected(estimator):
    return ORDER if isinstance(estimator, SlidingWindowTransformer) else {}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [SeriesScaler(), SeriesScaler("robust"), SlidingWindowTransformer()],
    expected_failed_checks=expected,
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_windows_hold_the_rows_before():
    X = np.arange(10.0).reshape(5, 2)
    result = SlidingWindowTransformer(3).fit_transform(X)
    np.testing.assert_array_equal(result[4], X[2:5].ravel())
    np.testing.assert_array_equal(result[0], np.tile(X[0], 3))


def test_set_output_names_lags():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    result = SlidingWindowTransformer(2).set_output(transform="pandas")
    assert list(result.fit_transform(frame)) == ["a_lag1", "b_lag1", "a_lag0", "b_lag0"]


@pytest.mark.parametrize("method", ["standard", "robust", "minmax", None])
def test_scaler_round_trip(method):
    X = np.random.default_rng(0).normal(size=(20, 3))
    scaler = SeriesScaler(method).fit(X)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X)


# Texts --------------------------------------------------------------------------


def test_text_sequencer_round_trip():
    texts = ["a good film", "a film", "not a good good film"]
    sequencer = TextSequencer()
    ids = sequencer.fit_transform(texts)
    assert ids.dtype == np.int32 and ids.shape == (3, 5) == (3, sequencer.max_length_)
    np.testing.assert_array_equal(ids, TextSequencer().fit(texts).transform(texts))
    assert sequencer.inverse_transform(ids) == texts
    assert sequencer.transform(["a new film"])[0].tolist() == [2, 1, 3, 0, 0]
    assert sequencer.inverse_transform([[2, 1, 3]]) == ["a <unknown> film"]
    with pytest.raises(ValueError, match="vocabulary has ids from 0 to 5"):
        sequencer.inverse_transform([[6]])
    characters = TextSequencer(analyzer="char", max_length=2, truncate="tail")
    assert characters.inverse_transform(characters.fit_transform(["房间好"])) == [
        "间好"
    ]
    assert len(TextSequencer(max_features=2).fit(texts).vocabulary_) == 2
    with pytest.raises(TypeError, match="position 1"):
        sequencer.transform(["a", None])
