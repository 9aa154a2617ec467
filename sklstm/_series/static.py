"""Static features of a series, such as its region or kind, encoded as numbers."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sklstm._series.history import History
from sklstm._series.panel import SINGLE_SERIES, is_list_of_series
from sklstm._series.validation import (
    LARGEST_SCALED,
    as_numbers,
    check_size,
    columns_in_order,
)
from sklstm._utils.archive import storable

# Kinds of objects, in the words of pandas, that are numbers, and times.
NUMBERS = ("decimal", "integer", "floating", "mixed-integer-float")
TIMES = ("date", "datetime", "datetime64", "period", "timedelta", "timedelta64", "time")


@storable
@dataclass
class StaticEncoder:
    """Encoder of static features: scaled numbers, and one-hot categories.

    Parameters
    ----------
    columns : list
    categories : list of (list or None)
        The categories of each column; None marks a column of numbers.
    center, scale : ndarray of shape (n_columns,)
        Statistics of columns of numbers; 0 and 1 for categories.
    """

    columns: list
    categories: list
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, table):
        """Fit an encoder to a table of one row a series."""
        categories, center, scale = [], [], []
        for _, column in table.items():
            check_no_times(column)
            numeric = pd.api.types.is_numeric_dtype(column.dtype)
            values = column.to_numpy(float) if numeric else np.zeros(1)
            # key=str, because categories of mixed types cannot be compared.
            levels = None if numeric else sorted(set(column.tolist()), key=str)
            deviation = values.std()
            categories.append(levels)
            center.append(values.mean())
            # A constant column has no spread to divide by.
            scale.append(deviation if deviation > 0 else 1.0)
        return cls(list(table.columns), categories, np.array(center), np.array(scale))

    @property
    def names(self):
        """Names of the encoded columns."""
        names = []
        for column, levels in zip(self.columns, self.categories, strict=True):
            names += [column] if levels is None else [f"{column}={c}" for c in levels]
        return names

    def encode(self, table):
        """Encode to shape (n_series, n_static); unknown categories become zeros."""
        ordered = columns_in_order(table, self.columns)
        if ordered is None:
            raise ValueError(
                f"static_features has the columns {list(table.columns)}, but the "
                f"forecaster was fitted with {self.columns}. Pass the same."
            )
        table = ordered
        encoded = []
        for i, levels in enumerate(self.categories):
            column = table.iloc[:, i]
            if levels is None:
                values = check_numeric(column).to_numpy(float)
                values = (values - self.center[i]) / self.scale[i]
                if np.abs(values).max() > LARGEST_SCALED:
                    raise ValueError(
                        f"Column {column.name!r} of static_features holds values that "
                        "are too far from those of fit to compute with, such as "
                        f"{column.max()}. Check its unit."
                    )
                encoded.append(values[:, None])
            else:
                values = np.array(column.tolist(), object)
                encoded += [(values == category)[:, None] for category in levels]
        return np.concatenate(encoded, axis=1).astype(float)


def table_of_numbers(given) -> pd.DataFrame:
    """Return a table in which numbers among objects, such as Decimal, are floats."""
    if hasattr(given, "to_pandas"):  # of polars or Arrow
        given = given.to_pandas()
    if not isinstance(given, (pd.Series, pd.DataFrame)):
        given = np.asarray(given)
    table = pd.DataFrame(given).copy()
    for number, (_, column) in enumerate(table.items()):
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if column.dtype.kind == "O" and kind in NUMBERS:
            table.isetitem(number, as_numbers(column))
    return table


def check_no_times(column):
    """Raise for dates, which as categories would tell nothing of a later date."""
    if pd.api.types.infer_dtype(column, skipna=True) in TIMES:
        raise TypeError(
            f"Column {column.name!r} of static_features holds dates or times "
            f"({column.dtype}), which are neither numbers nor categories. Pass a "
            "number, such as a year or the days since a date; or text, for categories."
        )


def check_numeric(column):
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    raise TypeError(
        f"Column {column.name!r} of static_features held numbers at fit, but now it "
        f"holds {column.dtype}. Pass numbers."
    )


def with_static(
    histories: dict[Hashable, History], given, encoder: StaticEncoder | None, data
) -> tuple[dict[Hashable, History], StaticEncoder | None]:
    """Return histories with their encoded static features, and the encoder.

    Parameters
    ----------
    histories : dict of key to History
    given : DataFrame, Series or array-like of shape (n_series, n_columns), or None
        The static features.
    encoder : StaticEncoder or None
        The encoder of a fitted forecaster; None fits one.
    data : object
        The data of the histories; if it is a list of series, rows of `given` match by
        position.
    """
    if given is None:
        return histories, None
    if SINGLE_SERIES in histories:
        raise ValueError(
            "static_features distinguish many series, but the data hold one. Pass a "
            "frame indexed by (series, time), or a list of series."
        )
    table = rows_of(given, list(histories), is_list_of_series(data))
    encoder = StaticEncoder.learn(table) if encoder is None else encoder
    parts = zip(histories.items(), encoder.encode(table), strict=True)
    return {key: replace(own, static=row) for (key, own), row in parts}, encoder


def with_static_of(
    state, histories: dict[Hashable, History], static, data
) -> dict[Hashable, History]:
    """Return histories with the static features given, or those of the same key."""
    encoder = state.static_encoder
    if encoder is None and static is not None:
        raise ValueError(
            "The forecaster was fitted without static_features, so it "
            "cannot use them. Leave them out, or fit with them."
        )
    if encoder is None or static is not None:
        return with_static(histories, static, encoder, data)[0]
    new = [key for key in histories if key not in state.series]
    if new or state.output.index_names is None:
        raise ValueError(
            "The forecaster was fitted with static_features, and those of the "
            f"series {(new or list(histories))[0]!r} are not known. Pass "
            "static_features= beside history=."
        )
    return {
        key: replace(history, static=state.series[key].history.static)
        for key, history in histories.items()
    }


def rows_of(given, keys, by_position):
    """Return a table of one row a series, in the order of `keys`."""
    table = table_of_numbers(given)
    if not table.shape[1]:
        raise ValueError("static_features has no column. Pass at least one.")
    if by_position and len(table) != len(keys):
        raise ValueError(
            f"static_features has {len(table)} rows, but there are {len(keys)} series. "
            "Pass one row for each series, in the order of the series."
        )
    if not by_position:
        if table.index.has_duplicates:
            twice = table.index[table.index.duplicated()][0]
            raise ValueError(
                f"static_features has more than one row of the series {twice!r}. Pass "
                "one row for each series."
            )
        rows = table.index.get_indexer(pd.Index(keys))
        if (rows < 0).any():
            raise ValueError(
                f"static_features has no row of the series {keys[np.argmin(rows)]!r}."
                " Its index must hold the keys of all series, but it begins with "
                f"{list(table.index[:3])}."
            )
        # Rows may come in any order; the networks read them in the order of the series.
        table = table.iloc[rows]
    numeric = table.select_dtypes("number")
    infinite = np.isinf(numeric.to_numpy(float, na_value=np.nan)).any(axis=0)
    if infinite.any():
        raise ValueError(
            "static_features has an infinite value in column "
            f"{numeric.columns[np.argmax(infinite)]!r}. Pass finite numbers."
        )
    check_size(numeric.to_numpy(float, na_value=np.nan), "static_features")
    gone = table.isna().any()
    if gone.any():
        raise ValueError(
            f"static_features has a missing value in column {gone.idxmax()!r}. Fill it "
            "first; for a category, a word such as 'unknown' will do."
        )
    return table
