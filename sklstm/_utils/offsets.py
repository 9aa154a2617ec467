"""Steps of pandas time indexes as plain data.

A frequency string does not hold the holidays of a business calendar or the months of a
`pandas.DateOffset`, so those are kept as the name of the offset and its arguments.
"""

import datetime

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

CALENDAR = ("weekmask", "holidays")
# A span of `pandas.DateOffset`, and what it sets in the stamps that it makes.
SPANS = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"]
SPANS += ["milliseconds", "microseconds", "nanoseconds"]
FIELDS = ("year", "month", "day", "weekday", "hour", "minute", "second", "microsecond")
# Offsets that a file may name, and their arguments.
ARGUMENTS = {
    "BusinessHour": ("start", "end"),
    "CustomBusinessDay": CALENDAR,
    "CustomBusinessHour": (*CALENDAR, "start", "end"),
    "CustomBusinessMonthBegin": CALENDAR,
    "CustomBusinessMonthEnd": CALENDAR,
    "DateOffset": (*SPANS, *FIELDS),
    "Easter": ("method",),
    "LastWeekOfMonth": ("weekday",),
    "Week": ("weekday",),
    "WeekOfMonth": ("week", "weekday"),
    "BusinessDay": (),
    **dict.fromkeys(("MonthBegin", "MonthEnd"), ()),
    **dict.fromkeys(("BusinessMonthBegin", "BusinessMonthEnd"), ()),
    **dict.fromkeys(("SemiMonthBegin", "SemiMonthEnd"), ("day_of_month",)),
    **dict.fromkeys(("QuarterBegin", "QuarterEnd"), ("startingMonth",)),
    **dict.fromkeys(("BQuarterBegin", "BQuarterEnd"), ("startingMonth",)),
    **dict.fromkeys(("YearBegin", "YearEnd", "BYearBegin", "BYearEnd"), ("month",)),
}


def offset_to_data(offset) -> str | dict | None:
    """Return a frequency string, or the name and arguments of an offset.

    Raises
    ------
    TypeError
        If neither gives the same offset again.
    """
    if offset is None:
        return None
    for encode in (lambda offset: offset.freqstr, arguments_of):
        data = encode(offset)
        try:
            if same_offset(offset_from_data(data), offset):
                return data
        except (ValueError, TypeError, KeyError):
            continue
    raise TypeError(
        f"the step {offset!r}, which cannot be stored. Give the series another regular "
        "index, for example by asfreq('D')"
    )


def offset_from_data(data):
    """Return the offset of what `offset_to_data` gave."""
    if data is None or isinstance(data, str):
        return None if data is None else to_offset(data)
    name = data["offset"]
    arguments = {key: data[key] for key in ARGUMENTS[name] if key in data}
    return getattr(pd.offsets, name)(
        data["n"], normalize=data["normalize"], **arguments
    )


def arguments_of(offset):
    """Return the name and arguments of an offset as plain data."""
    name, known = type(offset).__name__, offset.kwds
    data = {"offset": name, "n": int(offset.n), "normalize": bool(offset.normalize)}
    for key in ARGUMENTS.get(name, ()):
        if key in known:
            data[key] = plain(known[key])
    return data


def plain(value):
    """Return an argument of an offset as a number, string or list of strings."""
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, np.datetime64):
        return str(value.astype("M8[D]"))
    if isinstance(value, datetime.date):
        return str(np.datetime64(value, "D"))
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M")
    return value if value is None or isinstance(value, str) else int(value)


def same_offset(one, other) -> bool:
    """Return whether offsets step alike; pandas's equality ignores some arguments."""
    return one == other and arguments_of(one) == arguments_of(other)
