"""Small real series that ship with the package."""

from importlib import resources

import pandas as pd


def _read(name, column):
    with resources.files("sklstm.data").joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file, parse_dates=[column], index_col=column)


def load_air_passengers():
    """Monthly totals of international airline passengers, 1949 to 1960, in thousands.

    Source: Box and Jenkins (1976), "Time Series Analysis: Forecasting and Control",
    series G.

    Returns
    -------
    pandas.Series of shape (144,)

    Examples
    --------
    >>> from sklstm.datasets import load_air_passengers
    >>> load_air_passengers().iloc[-1]
    np.float64(432.0)
    """
    frame = _read("air_passengers.csv", "month")
    return frame["passengers"].astype(float).asfreq("MS")


def load_sunspots():
    """Yearly mean sunspot numbers, 1700 to 2008.

    Source: SIDC, Royal Observatory of Belgium; public domain.

    Returns
    -------
    pandas.Series of shape (309,)
        With a yearly PeriodIndex.

    Examples
    --------
    >>> from sklstm.datasets import load_sunspots
    >>> load_sunspots().iloc[0]
    np.float64(5.0)
    """
    with resources.files("sklstm.data").joinpath("sunspots_yearly.csv").open() as file:
        frame = pd.read_csv(file)
    index = pd.PeriodIndex(frame["year"].astype(int).astype(str), freq="Y", name="year")
    return pd.Series(frame["sunspots"].to_numpy(), index=index, name="sunspots")
