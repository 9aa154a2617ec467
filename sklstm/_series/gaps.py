"""Messages on time steps that are not regular: the fault, and what to do."""

import warnings

import numpy as np
import pandas as pd

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A step that makes rows so many times as many is no step of these rows.
MOST_ROWS = 4
# Weeks after which a weekday without a row is taken for one that never has any.
ENOUGH_WEEKS = 4
# Steps of opening hours are counted one by one.
MOST_OPENING_HOURS = 20_000
# The last day that offsets of half months take.
LAST_HALF = 27
# Offsets that leave out hours or days of a plainer step.
CLOSING = (
    pd.offsets.CustomBusinessDay,
    pd.offsets.CustomBusinessHour,
    pd.offsets.SemiMonthBegin,
    pd.offsets.SemiMonthEnd,
)


def wall_times(index):
    """Return stamps of local time, with the midnights that the clocks skipped."""
    local = index.tz_localize(None)
    if index.tz is None:
        return local
    days = local.normalize()
    starts = days.tz_localize(
        index.tz, nonexistent="shift_forward", ambiguous=np.ones(len(days), bool)
    )
    return local.where(starts != index, days)


def offset_of(stamps):
    """Return the commonest step of local stamps, whole days as days of any length."""
    return span_as_offset(pd.Series(stamps).diff().mode()[0])


def span_as_offset(span):
    """Return a time span as an offset, whole days as days of any length."""
    days = span / pd.Timedelta("1D")
    if days == int(days):
        return pd.offsets.Day(int(days))
    return pd.tseries.frequencies.to_offset(span)


def gap_in_words(index):
    """Describe irregular time stamps in words, and say what to do."""
    offset = usual_step(index)
    if offset is None:
        return irregular_in_words(index)
    plain, step = plain_step(index, offset)
    return way_over_gap(
        index, first_gap(index, plain), step, f"asfreq({written(offset)})"
    )


def gap_of_periods(index, row, step):
    """Describe the first gap between periods in words, and say what to do."""
    every = step.n // index.freq.n
    way = "reindex(pd.period_range(index[0], index[-1])"
    way += ")" if every == 1 else f"[::{every}])"
    # A multiple of a frequency has the name of stamps, such as 2ME.
    name = index.freqstr if every == 1 else f"{every} * {index.freqstr}"
    return way_over_gap(index, row, name, way)


def way_over_gap(index, row, step, way):
    """Describe the first gap of an index, after `row`, and say what to do."""
    return (
        f"The time steps are not regular: the index goes from {index[row]} to "
        f"{index[row + 1]}, but its usual step is {step!r}. Give every step a row, "
        f"which may hold missing values: for one series with {way}, for many series "
        "with sklstm.preprocessing.panel_from_long(frame, freq=...)."
    )


def irregular_in_words(index):
    """Describe time stamps that follow no offset of pandas, and say what to do."""
    local = wall_times(index)
    steps = np.diff(local.asi8)
    _, counts = np.unique(steps, return_counts=True)
    middle = pd.Series(local).diff().median()
    units = {"D": "1D", "h": "1h", "min": "1min", "s": "1s"}
    fitting = (name for name, span in units.items() if middle >= pd.Timedelta(span))
    unit = next(fitting, "ms")
    way = f"Round the time stamps, for example with index.round({unit!r}), or average"
    if (local == local.round(unit)).all():
        way, days = "Average", int(middle / pd.Timedelta("1D"))
        unit = f"{days}D" if days > 1 else unit
    return (
        "The time steps are not regular: their commonest length is that of "
        f"{counts.max() / len(steps):.0%} of them. {way} the values over equal steps, "
        f"for example with resample({unit!r}).mean()."
    )


def written(offset):
    """Return an offset as code that `asfreq` takes."""
    if type(offset) is pd.DateOffset:  # has no name that asfreq would take
        return f"pd.DateOffset(months={offset.kwds['months']})"
    if isinstance(offset, pd.offsets.LastWeekOfMonth):
        return f"pd.offsets.LastWeekOfMonth(weekday={offset.weekday})"
    mask = f"weekmask={getattr(offset, 'weekmask', None)!r}"
    if isinstance(offset, pd.offsets.CustomBusinessDay):
        return f"pd.offsets.CustomBusinessDay({mask})"
    if isinstance(offset, pd.offsets.CustomBusinessHour):
        start, end = (part[0].strftime("%H:%M") for part in (offset.start, offset.end))
        return f"pd.offsets.CustomBusinessHour({start=}, {end=}, {mask})"
    return repr(offset.freqstr)


def plain_step(index, offset):
    """Return the step that a gap is one of, and its name.

    Closed hours and days are gaps as well: of the commonest step.
    """
    if type(offset) is pd.DateOffset:
        return offset, f"{offset.kwds['months']} months"
    if isinstance(offset, CLOSING):
        offset = offset_of(wall_times(index))
    return offset, offset.freqstr


def usual_step(index):
    """Return the offset of the fewest steps that has all stamps on it, or None.

    `asfreq` with it loses no row, since it goes on from the first one.
    """
    local = wall_times(index)
    best, fewest = None, MOST_ROWS * len(local) + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # offsets of months are added one by one
        for offset in possible_steps(local):
            if isinstance(offset, pd.offsets.Tick):
                # A grid of seconds over years may exceed memory: it is counted first.
                n_steps = (local[-1] - local[0]) / pd.Timedelta(offset.nanos, "ns")
                if n_steps >= fewest:
                    continue
            grid = pd.date_range(local[0], local[-1], freq=offset)
            if len(grid) < fewest and local.isin(grid).all():
                best, fewest = offset, len(grid)
    return best


def possible_steps(local):
    """Yield offsets that local stamps may follow, the plainest first."""
    steps = np.diff(local.as_unit("ns").asi8)
    common = span_as_offset(pd.Timedelta(int(np.gcd.reduce(steps)), "ns"))
    yield common
    hours, days = pd.Timedelta("1h"), pd.Timedelta("1D")
    half_month = half_months(local)
    if half_month is not None:
        yield half_month
    if steps.min() >= 13 * days.value:
        yield from steps_of_months(local)
    span = local[-1] - local[0]
    weekdays = sorted(set(local.day_of_week))
    if isinstance(common, pd.offsets.Day) and common.n == 1:
        if weekdays[-1] < 5:
            yield pd.offsets.BDay()
        if span >= ENOUGH_WEEKS * 7 * days and len(weekdays) < 7:
            yield pd.offsets.CustomBusinessDay(weekmask=mask_of(weekdays))
    first, last = local.hour.min(), local.hour.max()
    if (
        common == pd.tseries.frequencies.to_offset(hours)
        and len(local) <= MOST_OPENING_HOURS
        and local.hour.nunique() == last - first + 1 < 23
        and last < 23
    ):
        yield pd.offsets.CustomBusinessHour(
            start=f"{first:02}:00", end=f"{last + 1:02}:00", weekmask=mask_of(weekdays)
        )


def steps_of_months(local):
    """Yield offsets of months, of half ones, and of a week in each."""
    numbers = np.asarray(local.year * 12 + local.month)
    months = int(np.gcd.reduce(np.diff(numbers)))
    if months:
        yield pd.offsets.MonthBegin(months)
        yield pd.offsets.MonthEnd(months)
        yield pd.offsets.BMonthBegin(months)
        yield pd.offsets.BMonthEnd(months)
        yield pd.DateOffset(months=months)
    yield pd.offsets.SemiMonthBegin()
    yield pd.offsets.SemiMonthEnd()
    weekday = int(local[0].weekday())
    yield pd.offsets.WeekOfMonth(week=min((local[0].day - 1) // 7, 3), weekday=weekday)
    yield pd.offsets.LastWeekOfMonth(weekday=weekday)


def half_months(local):
    """Return an offset to the first or last day of a month and another, or None."""
    days, is_last = np.asarray(local.day), np.asarray(local.is_month_end)
    other = np.unique(days[days > 1])
    if len(other) == 1 and other[0] <= LAST_HALF and (days == 1).any():
        return pd.offsets.SemiMonthBegin(day_of_month=int(other[0]))
    other = np.unique(days[~is_last])
    if len(other) == 1 and other[0] <= LAST_HALF and is_last.any():
        return pd.offsets.SemiMonthEnd(day_of_month=int(other[0]))
    return None


def mask_of(weekdays):
    return " ".join(WEEKDAYS[day] for day in weekdays)


def first_gap(index, offset):
    """Return the row before the first step that is not the usual one."""
    local = wall_times(index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # offsets of months are added one by one
        regular = local[:-1] + offset == local[1:]
    return int(np.argmin(regular))
