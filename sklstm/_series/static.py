"""What is known of a whole series, such as its place or kind, as numbers of its own."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sklstm._series.panel import SINGLE_SERIES, is_list_of_series
from sklstm._utils.archive import storable


@storable
@dataclass
class StaticEncoder:
    """Numbers from static features: columns of numbers scaled, categories one-hot.

    Parameters
    ----------
    columns : list
    categories : list of (list or None)
        Of each column; None says that it holds numbers.
    center, scale : ndarray of shape (n_columns,)
    """

    columns: list
    categories: list
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, table):
        """Learn from a table of one row a series."""
        categories, center, scale = [], [], []
        for _, column in table.items():
            numeric = pd.api.types.is_numeric_dtype(column.dtype)
            values = column.to_numpy(float) if numeric else np.zeros(1)
            known = None if numeric else sorted(set(column.tolist()), key=str)
            spread = values.std()
            categories.append(known)
            center.append(values.mean())
            scale.append(spread if spread > 0 else 1.0)
        return cls(list(table.columns), categories, np.array(center), np.array(scale))

    @property
    def names(self):
        """What each number is of."""
        names = []
        for column, known in zip(self.columns, self.categories, strict=True):
            names += [column] if known is None else [f"{column}={c}" for c in known]
        return names

    def encode(self, table):
        """Numbers of shape (n_series, n_static); none for a category never seen."""
        if list(table.columns) != self.columns:
            raise ValueError(
                f"static_features has the columns {list(table.columns)}, but the "
                f"forecaster was fitted with {self.columns}. Pass the same."
            )
        parts = []
        for place, known in enumerate(self.categories):
            column = table.iloc[:, place]
            if known is None:
                values = check_numeric(column).to_numpy(float)
                values = (values - self.center[place]) / self.scale[place]
                parts.append(values[:, None])
            else:
                values = np.array(column.tolist(), object)
                parts += [(values == category)[:, None] for category in known]
        return np.concatenate(parts, axis=1).astype(float)


def check_numeric(column):
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    raise TypeError(
        f"Column {column.name!r} of static_features held numbers at fit, but now it "
        f"holds {column.dtype}. Pass numbers."
    )


def with_static(histories, given, encoder, data):
    """Histories that know their static features, and the encoder of these.

    Parameters
    ----------
    histories : dict of key to History
    given : DataFrame, Series or array-like of shape (n_series, n_columns), or None
    encoder : StaticEncoder or None
        Of a fitted forecaster; None learns one.
    data : object
        What the histories were read from; rows of a list of series go by their place.
    """
    if given is None:
        return histories, None
    if SINGLE_SERIES in histories:
        raise ValueError(
            "static_features tell many series apart, but there is one. Pass a frame "
            "indexed by (series, time), or a list of series."
        )
    table = rows_of(given, list(histories), is_list_of_series(data))
    encoder = StaticEncoder.learn(table) if encoder is None else encoder
    parts = zip(histories.items(), encoder.encode(table), strict=True)
    return {key: replace(own, static=row) for (key, own), row in parts}, encoder


def rows_of(given, keys, by_place):
    """A table of one row for each series, in their order."""
    if not isinstance(given, (pd.Series, pd.DataFrame)):
        given = np.asarray(given)
    table = pd.DataFrame(given)
    if not table.shape[1]:
        raise ValueError("static_features has no column. Pass at least one.")
    if by_place and len(table) != len(keys):
        raise ValueError(
            f"static_features has {len(table)} rows, but there are {len(keys)} series. "
            "Pass one row for each, in their order."
        )
    if not by_place:
        if table.index.has_duplicates:
            twice = table.index[table.index.duplicated()][0]
            raise ValueError(
                f"static_features has more than one row of the series {twice!r}. Pass "
                "one row for each."
            )
        places = table.index.get_indexer(pd.Index(keys))
        if (places < 0).any():
            raise ValueError(
                f"static_features has no row of the series {keys[np.argmin(places)]!r}."
                " Its index must hold the keys of all series."
            )
        table = table.iloc[places]
    gone = table.isna().any()
    if gone.any():
        raise ValueError(
            f"static_features has a missing value in column {gone.idxmax()!r}. Fill it "
            "first; for a category, a word such as 'unknown' will do."
        )
    return table
