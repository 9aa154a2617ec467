import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from sklstm._series.output_format import OutputFormat
from sklstm._series.panel import SINGLE_SERIES, concatenate_series, rows_by_series

DAYS = pd.date_range("2024", periods=3, name="day")
SERIES = pd.Series([1.0, 2.0, 3.0], DAYS, name="y")
FRAME = pd.DataFrame({"a": SERIES, "b": -SERIES})


@pytest.mark.parametrize("target", [SERIES, FRAME], ids=["Series", "DataFrame"])
def test_restoring_gives_back_what_was_read(target):
    output = OutputFormat.of(target, target)
    values = target.to_numpy().reshape(3, -1)
    equal = assert_series_equal if target is SERIES else assert_frame_equal
    equal(output.restore(values, target.index), target, check_freq=False)


def test_arrays_stay_arrays():
    flat, table = np.arange(3.0), np.ones((3, 2))
    assert OutputFormat.of(flat, flat).restore(flat[:, None], DAYS).ndim == 1
    assert OutputFormat.of(table, table).restore(table, DAYS) is table


def test_one_row_keeps_its_axis():
    output = OutputFormat.of(FRAME, FRAME)
    assert output.restore(np.ones((1, 2)), DAYS[:1]).shape == (1, 2)


@pytest.mark.parametrize("as_list", [False, True])
def test_many_series_come_back_as_they_came(as_list):
    data = pd.concat({"p": SERIES, "q": -SERIES}, names=["series", "day"])
    if as_list:
        data = [SERIES, -SERIES]
    output = OutputFormat.of(data, concatenate_series(data))
    where = rows_by_series(data)
    values = np.asarray(concatenate_series(data)).reshape(-1, 1)
    restored = output.restore_like(data, values, where)
    parts = {
        key: output.restore(values[rows], index) for key, (rows, index) in where.items()
    }
    combined = output.combine(parts)
    for found in (restored, combined):
        if as_list:
            for one, other in zip(found, data, strict=True):
                assert_series_equal(one, other, check_names=False, check_freq=False)
        else:
            assert_series_equal(found, data, check_freq=False)


def test_one_column_for_each_name_of_each_target():
    values = np.arange(12.0).reshape(3, 2, 2)
    frame = OutputFormat.of(FRAME, FRAME).restore_named(values, DAYS, ("lo", "hi"))
    assert frame[("b", "hi")].tolist() == values[:, 1, 1].tolist()
    single = OutputFormat.of(SERIES, SERIES).restore_named(
        values[:, :1], DAYS, ("lo", "hi")
    )
    assert list(single.columns) == ["lo", "hi"]
    array = np.zeros((3, 2))
    assert OutputFormat.of(array, array).restore_named(values, None, "ab") is values


def test_targets_are_named_by_series_and_column():
    assert OutputFormat.of(FRAME, FRAME).target_names("s", 2) == [
        ("s", "a"),
        ("s", "b"),
    ]
    assert OutputFormat.of(SERIES, SERIES).target_names(SINGLE_SERIES, 1) == ["y"]
    assert OutputFormat().target_names("s", 1) == ["s"]
