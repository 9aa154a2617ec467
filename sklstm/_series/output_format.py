"""The form in which results go back: the container and names of what `fit` got."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sklstm._series.panel import SINGLE_SERIES, has_levels, is_list_of_series
from sklstm._series.validation import is_pandas, n_dims, names_of_columns
from sklstm._utils.archive import storable


@storable
@dataclass(frozen=True)
class OutputFormat:
    """How arrays of shape (n_timesteps, n_targets) become what the user passed.

    Parameters
    ----------
    container : type or None
        ``pandas.Series`` or ``pandas.DataFrame``; None for arrays.
    names : list, object or None
        Column names of a frame, or the name of a Series.
    index_names : list or None
        Names of the index levels of many series in one frame.
    one_dimensional : bool
        Whether the target had no axis of columns.
    column_names : list or None
        Names of the levels of a frame's columns.
    input_names : list or None
        Column names of inputs that are not all text; scikit-learn keeps those that are.
    """

    container: type | None = None
    names: Any = None
    index_names: list | None = None
    one_dimensional: bool = True
    column_names: list | None = None
    input_names: list | None = None

    @classmethod
    def of(cls, data, target, inputs=None) -> "OutputFormat":
        """Read the form of a target.

        Parameters
        ----------
        data : object
            The target as the user passed it: one series or many.
        target : DataFrame, Series or ndarray
            Its rows as one table.
        inputs : DataFrame, ndarray or None
        """
        column_names = input_names = None
        if isinstance(inputs, pd.DataFrame):
            is_text = all(isinstance(name, str) for name in inputs.columns)
            input_names = None if is_text else list(inputs.columns)
        if isinstance(target, pd.DataFrame):
            names: Any = list(target.columns)
            column_names = list(target.columns.names)
        else:
            names = names_of_columns(target)
            if isinstance(target, pd.Series):
                names = target.name
        return cls(
            container=type(target) if is_pandas(target) else None,
            names=names,
            index_names=list(data.index.names) if has_levels(data) else None,
            one_dimensional=n_dims(target) == 1,
            column_names=column_names,
            input_names=input_names,
        )

    def restore(self, values, index):
        """Return values of shape (n_timesteps, n_targets) in the container of `fit`."""
        if self.one_dimensional:
            values = values[:, 0]
        if self.container is None or index is None:
            return values
        if self.one_dimensional:
            return pd.Series(values, index=index, name=self.names)
        return pd.DataFrame(values, index=index, columns=self.columns)

    @property
    def columns(self) -> pd.Index:
        """Columns of a frame of targets, of one level or of several."""
        names = self.column_names or [None]
        if len(names) > 1:
            return pd.MultiIndex.from_tuples(self.names, names=names)
        # Tuples may be names of one level, which pandas would split into several.
        return pd.Index(self.names, name=names[0], tupleize_cols=False)

    def restore_like(self, X, values, rows_by_series):
        """Return values of the rows of X as `fit` got them, on the index of X."""
        if is_list_of_series(X):
            parts = zip(X, rows_by_series.values(), strict=True)
            return [
                self.restore_like(part, values[rows], rows_by_series)
                for part, (rows, _) in parts
            ]
        return self.restore(values, X.index if is_pandas(X) else None)

    def restore_named(self, values, index, names):
        """Return one column for each name, such as a quantile, of each target.

        Parameters
        ----------
        values : ndarray of shape (n_timesteps, n_targets, n_names)
        """
        if self.container is None:
            return values[:, 0] if self.one_dimensional else values
        columns = list(names)
        if not self.one_dimensional:
            columns = self.named_columns(names)
        flat = values.reshape(len(values), -1)
        return pd.DataFrame(flat, index=index, columns=columns)

    def named_columns(self, names):
        """Return columns with the names as a further, last level."""
        levels = [*(self.column_names or [None]), None]
        tuples = [
            (*(target if len(levels) > 2 else (target,)), name)
            for target in self.names
            for name in names
        ]
        return pd.MultiIndex.from_tuples(tuples, names=levels)

    def combine(self, parts):
        """Combine the results of all series in the form in which `fit` got the series.

        Parameters
        ----------
        parts : dict of series to restored values
        """
        if SINGLE_SERIES in parts:
            return parts[SINGLE_SERIES]
        if self.index_names is None:
            return list(parts.values())
        return pd.concat(list(parts.values()), keys=list(parts), names=self.index_names)

    def target_names(self, series: Hashable, n_targets: int) -> list:
        """Return the names of the targets of a series in tables of all series."""
        names = self.names if isinstance(self.names, list) else [self.names]
        if len(names) != n_targets:
            names = list(range(n_targets))
        if series is SINGLE_SERIES:
            return names
        return [series] if len(names) == 1 else [(series, name) for name in names]
