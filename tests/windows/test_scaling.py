import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer

from sklstm._windows.scaling import (
    SCALERS,
    ColumnScaler,
    fit_scaler,
    kind_for_inputs,
    stored_scaler,
)

KINDS = [*SCALERS, None, PowerTransformer()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(50, 2), (5, 10, 2)])
def test_invert_undoes_apply(kind, shape):
    values = np.random.default_rng(0).gamma(2.0, 3.0, size=shape)
    scaler = fit_scaler(values.reshape(-1, 2), kind)
    scaled = scaler.apply(values)
    assert scaled.shape == shape
    np.testing.assert_allclose(scaler.invert(scaled), values, rtol=1e-6)


@pytest.mark.parametrize("kind", SCALERS)
def test_weights_count_as_repetition(kind):
    rng = np.random.default_rng(0)
    values, weights = rng.gamma(2.0, size=(30, 2)), rng.integers(0, 4, 30)
    weighted = fit_scaler(values, kind, weights.astype(float))
    repeated = fit_scaler(np.repeat(values, weights, axis=0), kind)
    np.testing.assert_allclose(weighted.center, repeated.center)
    np.testing.assert_allclose(weighted.scale, repeated.scale)


@pytest.mark.parametrize("kind", ["standard", "robust", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e12, -1e-12])
def test_constant_column_stays_finite(kind, value):
    scaler = fit_scaler(np.full((7, 1), value), kind)
    np.testing.assert_array_equal(scaler.scale, 1)


@pytest.mark.parametrize("kind", [*SCALERS, None])
def test_a_gap_in_one_column_drops_no_row_of_another(kind):
    values = np.random.default_rng(0).gamma(2.0, size=(30, 2))
    gaps = values.copy()
    gaps[3:9, 1] = np.nan
    both, alone = fit_scaler(gaps, kind), fit_scaler(values[:, :1], kind)
    assert both.center[0] == alone.center[0] and both.scale[0] == alone.scale[0]
    rest = fit_scaler(np.delete(values[:, 1:], slice(3, 9), axis=0), kind)
    assert both.center[1] == rest.center[0] and both.log == (kind == "log")


def test_transformers_take_rows_without_gaps_and_stay_as_they_are():
    values = np.array([[1.0, 2.0], [np.nan, 9.0], [3.0, 4.0]])
    given = MinMaxScaler()
    scaler = fit_scaler(values, given)
    np.testing.assert_array_equal(scaler.statistics.data_max_, [3, 4])
    assert not hasattr(given, "data_max_")


def test_a_transformer_must_keep_the_shape():
    halves = FunctionTransformer(lambda X: X[:, :1])
    scaler = fit_scaler(np.zeros((3, 2)), halves)
    with pytest.raises(ValueError, match=r"transform made \(3, 1\) of \(3, 2\)"):
        scaler.apply(np.zeros((3, 2)))


def test_logarithms_need_positive_values():
    with pytest.raises(ValueError, match="needs positive values, but the smallest is"):
        fit_scaler(np.array([[1.0], [0.0]]), "log")
    scaler = fit_scaler(np.array([[1.0], [2.0]]), "log")
    assert (scaler.invert(np.array([[-50.0]])) > 0).all()
    with pytest.raises(ValueError, match="Add a constant"):
        scaler.apply(np.array([[-1.0]]))


def test_inputs_need_not_be_positive():
    assert kind_for_inputs("log") == "standard" and kind_for_inputs(None) is None
    given = MinMaxScaler()
    assert kind_for_inputs(given) is given


def test_some_columns_are_scaled_as_among_all():
    values = np.random.default_rng(0).normal(size=(9, 3))
    scaler = fit_scaler(values, "standard")
    some = scaler.columns(np.array([2, 0])).apply(values[:, [2, 0]])
    np.testing.assert_array_equal(some, scaler.apply(values)[:, [2, 0]])


def test_what_older_files_hold_is_a_scaler_again():
    values = np.random.default_rng(0).gamma(2.0, size=(9, 2))
    for kind in ("log", MinMaxScaler()):
        scaler = fit_scaler(values, kind)
        again = stored_scaler(scaler.statistics)
        assert type(again) is type(scaler)
        np.testing.assert_array_equal(again.apply(values), scaler.apply(values))
    assert stored_scaler(None) is None
    assert isinstance(
        stored_scaler({"center": 0, "scale": 1, "log": False}), ColumnScaler
    )


def test_unknown_scaler():
    with pytest.raises(ValueError, match="scaler must be one of .* Got 'zscore'"):
        fit_scaler(np.zeros((2, 1)), "zscore")


def test_a_column_without_a_value():
    with pytest.raises(ValueError, match="column without a value.* Drop columns"):
        fit_scaler(np.full((3, 1), np.nan), "standard")
