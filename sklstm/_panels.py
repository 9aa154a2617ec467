"""Tables of many series: from the long form of other libraries. pandas only."""

import pandas as pd


def panel_from_long(frame, *, series="unique_id", time="ds", freq=None):
    """Index a long table by (series, time), as `LSTMForecaster` takes many series.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        One row for each time stamp of each series, in any order. One of Dask, such as
        that of a Parquet data set, may be larger than memory.
    series : str or list of str, default="unique_id"
        Column, or columns, that tell series apart.
    time : str, default="ds"
        Column of time stamps, periods or whole numbers.
    freq : str or pandas offset, default=None
        With it, time stamps that a series leaves out between its first and its last
        get a row of missing values. None leaves the rows as they are.

    Returns
    -------
    Series, DataFrame or iterator of them
        Sorted by series, in order of their first row, and by time. A Series where one
        column is left besides those of the index. Of a frame of Dask its partitions,
        one by one, as `fit` takes them.

    Raises
    ------
    ValueError
        If a column is not there, no column is left, or a series has two rows of one
        time stamp.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklstm.preprocessing import panel_from_long
    >>> long = pd.DataFrame(
    ...     {"unique_id": ["b", "b", "a"], "ds": [1, 0, 0], "y": [3.0, 2.0, 1.0]}
    ... )
    >>> panel_from_long(long)
    unique_id  ds
    b          0     2.0
               1     3.0
    a          0     1.0
    Name: y, dtype: float64
    """
    keys = [series] if isinstance(series, str) else list(series)
    missing = [name for name in (*keys, time) if name not in frame.columns]
    if missing:
        raise ValueError(
            f"The frame has no column {missing[0]!r}; its columns are "
            f"{list(frame.columns)}. Say by series= and time= which hold what."
        )
    if len(frame.columns) == len(keys) + 1:
        raise ValueError(
            f"The frame has no column besides {[*keys, time]}, so no values of series."
        )
    if hasattr(frame, "partitions"):
        parts = (part.compute() for part in frame.partitions)
        return (
            panel_from_long(part, series=series, time=time, freq=freq)
            for part in parts
            if len(part)
        )
    repeated = frame.duplicated([*keys, time])
    if repeated.any():
        row = frame.loc[repeated, [*keys, time]].iloc[0].to_list()
        raise ValueError(
            f"The frame has two rows of {row[:-1]} at {row[-1]}. Aggregate them first."
        )
    parts = {}
    # Columns that partitions were named by are categories, those of others among them.
    for key, part in frame.groupby(keys, sort=False, dropna=False, observed=True):
        own = part.drop(columns=keys).set_index(time).sort_index()
        parts[key] = own if freq is None else own.asfreq(freq)
    panel = pd.concat(parts, names=[*keys, time])
    panel.index = panel.index.remove_unused_levels()
    return panel.iloc[:, 0] if panel.shape[1] == 1 else panel
