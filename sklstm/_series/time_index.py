"""Time indexes: their order, step, season and continuation. pandas only."""

import warnings

import numpy as np
import pandas as pd

from sklstm._series.gaps import (
    gap_in_words,
    gap_of_periods,
    half_months,
    offset_of,
    wall_times,
)
from sklstm._series.validation import are_dates, holds_dates, is_pandas

# Rows between the history and those of X, each of which must be forecast first.
LONGEST_GAP = 100_000
# Years that whole numbers such as 20241, a quarter, are read as.
YEARS = 1900, 2100
TIME_INDEXES = (pd.DatetimeIndex, pd.PeriodIndex, pd.RangeIndex)
# Steps in the seasons of a unit, the shortest season first: of hours a day and a week.
SEASONS = {
    "s": (3600,),
    "min": (1440, 10080),
    "h": (24, 168),
    "D": (7,),
    "B": (5,),
    "W": (52,),
    "SM": (24,),
    "M": (12,),
    "Q": (4,),
    "H": (2,),
}
# Units by the arguments of pandas.DateOffset.
UNITS = {"months": "M", "weeks": "W", "days": "D", "hours": "h", "minutes": "min"}
# Units by the rule codes of pandas where the code is another.
CODES = {
    "C": "B",
    "SME": "SM",
    "SMS": "SM",
    **dict.fromkeys(("ME", "MS", "BME", "BMS", "CBME", "CBMS", "WOM", "LWOM"), "M"),
    **dict.fromkeys(("QE", "QS", "BQE", "BQS", "REQ"), "Q"),
    **dict.fromkeys(("HYE", "HYS", "BHYE", "BHYS"), "H"),
}


def time_index(data, name: str = "X") -> pd.Index | None:
    """Return the time index of `data`, None where it has none.

    Whole numbers, of whatever dtype, count as a RangeIndex, and objects of dates as a
    DatetimeIndex.

    Raises
    ------
    ValueError
        For stamps that are missing, repeated or not in order, for dates as text, and
        for time spans.
    """
    if not is_pandas(data) or isinstance(data.index, pd.MultiIndex):
        return None
    index = plain_index(data.index)
    if pd.api.types.is_numeric_dtype(index.dtype) and index.hasnans:
        check_order(index, name)
    if holds_whole_numbers(index):
        return whole_number_index(index, name)
    if isinstance(index, pd.TimedeltaIndex):
        raise ValueError(
            f"The index of {name} holds time spans, whose season is not known. Let "
            f'them start at a date: {name}.index = pd.Timestamp("2000-01-01") + '
            f"{name}.index."
        )
    if index.dtype == object or pd.api.types.is_string_dtype(index.dtype):
        index = times_of_objects(index, name)
        if holds_whole_numbers(index):
            return whole_number_index(index, name)
    return check_order(index, name) if isinstance(index, TIME_INDEXES) else None


def plain_index(index):
    """Return values of Arrow, or categories, as an index of pandas' own dtypes."""
    if isinstance(index.dtype, pd.CategoricalDtype):
        index = index.astype(index.categories.dtype)
    if isinstance(index.dtype, pd.ArrowDtype) and index.dtype.kind in "OM":
        return pd.Index(list(index), name=index.name)
    return index


def holds_whole_numbers(index):
    """Return whether an index numbers its rows, in a dtype of integers or floats."""
    if pd.api.types.is_float_dtype(index.dtype):
        numbers = index.to_numpy(np.float64, na_value=np.nan)
        whole = np.isfinite(numbers) & (np.floor(numbers) == numbers)
        return len(index) > 0 and bool(whole.all())
    return pd.api.types.is_integer_dtype(index.dtype) and len(index) > 0


def whole_number_index(index, name="X"):
    """Return whole numbers as a RangeIndex with their step."""
    numbers = np.asarray(index, np.int64)
    steps = np.diff(numbers)
    if len(steps) and (steps <= 0).any():
        row = int(np.argmax(steps <= 0))
        raise ValueError(
            f"The rows of {name} are not in order of time, or repeat one. Sort "
            "them with sort_index() and aggregate repeated ones; "
            f"{numbers[row + 1]} stands after {numbers[row]}."
        )
    step = int(steps.min()) if len(steps) else 1
    if len(steps) and (steps != step).any():
        row = int(np.argmax(steps != step))
        way = (
            "Give every step a row, which may hold missing values, for example with "
            f"reindex(range({numbers[0]}, {numbers[-1] + step}, {step}))."
        )
        found = dates_in_numbers(numbers)
        if found is not None:
            what, convert, _ = found
            way = f"If they are {what}, convert them: {convert}."
        raise ValueError(
            f"The rows of {name} have a gap in time: its index goes from "
            f"{numbers[row]} to {numbers[row + 1]}, but its step is {step}. {way}"
        )
    first = int(numbers[0])
    return pd.RangeIndex(first, first + step * len(index), step, name=index.name)


def date_format(numbers):
    """Return the format of whole numbers that look like dates, as 202412 does."""
    for form, digits in ("%Y%m%d", 8), ("%Y%m", 6):
        if len(str(numbers[0])) == len(str(numbers[-1])) == digits:
            texts = pd.Series(numbers.astype(str))
            if pd.to_datetime(texts, format=form, errors="coerce").notna().all():
                return form
    return None


def dates_in_numbers(numbers) -> tuple[str, str, int] | None:
    """Return which dates whole numbers look like, or None.

    Returns
    -------
    what : str
    convert : str
        The call that converts an index of them.
    year : int
        Distance of the numbers of two years.
    """
    form, texts = date_format(numbers), "index.astype(int).astype(str)"
    if form is not None:
        what = "dates" if form == "%Y%m%d" else "years and months"
        year = 10_000 if form == "%Y%m%d" else 100
        return what, f"pd.to_datetime({texts}, format={form!r})", year
    for what, year, last in ("years and quarters", 10, 4), ("years and weeks", 100, 53):
        years, parts = np.divmod(numbers, year)
        is_year = (years >= YEARS[0]) & (years <= YEARS[1])
        if (is_year & (parts >= 1) & (parts <= last)).all():
            convert = f"pd.to_datetime({texts} + '1', format='%G%V%u')"
            if last == 4:
                quarter = "f'{number // 10}Q{number % 10}'"
                convert = (
                    f"pd.PeriodIndex([{quarter} for number in index.astype(int)], "
                    "freq='Q')"
                )
            return what, convert, year
    return None


def check_no_dates_in_numbers(index: pd.RangeIndex) -> None:
    """Raise for dates as whole numbers within a year, which would go on in it for ever.

    From 202401 to 202412 they have a step of 1, but no month follows that is 202413.
    """
    found = dates_in_numbers(np.asarray(index)) if len(index) > 1 else None
    if found is not None and index.step % found[2]:
        what, convert, _ = found
        raise ValueError(
            f"The whole numbers of the index, from {index[0]} to {index[-1]}, look "
            f"like {what}, but would be continued with {index[-1] + index.step} and "
            f"so on, beyond the end of the year. Convert them: {convert}."
        )


def times_of_objects(index, name):
    """Convert objects that are dates, periods or numbers; leave others as they are."""
    kind = pd.api.types.infer_dtype(index, skipna=True)
    if kind in ("date", "datetime", "datetime64"):
        return pd.DatetimeIndex(index)
    if kind == "period":
        return pd.PeriodIndex(index)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return index.astype(np.float64)
    if kind == "string" and all(text.isdecimal() for text in index):
        found = dates_in_numbers(np.asarray(index, dtype=np.int64))
        if found is not None:
            raise ValueError(
                f"The index of {name} holds text, such as {index[0]!r}, that looks "
                f"like {found[0]}. Convert it first: {found[1]}."
            )
    if kind == "string" and holds_dates(index):
        whole = name.partition(" at ")[0]
        order = "" if are_dates(index, dayfirst=False) else ", dayfirst=True"
        way = f"{name}.index = pd.to_datetime({name}.index{order})"
        if whole != name:  # a level of many series
            way = (
                f"{whole}.index = {whole}.index.set_levels("
                f"pd.to_datetime({whole}.index.levels[-1]{order}), level=-1)"
            )
        raise ValueError(
            f"The index of {name} holds dates as text, such as {index[0]!r}, whose "
            f"order and steps are not read. Convert it first: {way}."
        )
    return index


def check_order(index: pd.Index, name: str) -> pd.Index:
    """Return a time index, and raise unless its stamps are unique and sorted."""
    if index.hasnans:
        raise ValueError(
            f"The index of {name} has a missing time stamp. Drop that row."
        )
    if index.has_duplicates:
        repeated = index[index.duplicated()][0]
        raise ValueError(
            f"The index of {name} has {repeated} more than once. Each time stamp "
            "must be unique: aggregate or drop the repeated rows; rows of many series "
            "need an index of (series, time), as panel_from_long makes it."
        )
    if not index.is_monotonic_increasing:
        row = int(np.argmax(index[1:] < index[:-1]))
        raise ValueError(
            f"The index of {name} is not sorted by time. Call sort_index() on "
            f"{name.partition(' at ')[0]} first; {index[row + 1]} stands after "
            f"{index[row]}."
        )
    return index


def step_of(index):
    """Return the step of a regular index: a whole number, or a pandas offset.

    Raises
    ------
    ValueError
        If the index has too few rows to tell, or is not regular; the message names
        the first gap.
    """
    if isinstance(index, pd.RangeIndex):
        return index.step
    if isinstance(index, pd.PeriodIndex):
        return step_of_periods(index)
    if index.freq is not None:
        return index.freq
    if len(index) < 2:
        raise ValueError(
            "The time index has no frequency and too few rows to infer one. Set it, "
            "for example with asfreq()."
        )
    step = inferred_step(index)
    if step is None:
        raise ValueError(gap_in_words(index))
    return step


def name_of_step(step):
    """Return a whole number as it is, and the name of an offset, such as D."""
    return getattr(step, "freqstr", step)


def inferred_step(index):
    """Return the offset that a DatetimeIndex without a frequency follows, or None."""
    local = wall_times(index)
    offset = inferred_offset(index, local)
    if offset is not None:
        return offset
    months = months_apart(index)
    if months is not None:
        return pd.DateOffset(months=months)
    steps = np.diff(local)
    if len(np.unique(steps)) == 1:
        # Days of local time, some of which have 23 or 25 hours.
        return offset_of(local[:2])
    half_month = half_months(local) if len(local) > 3 else None
    if half_month is not None and follows(local, half_month):
        return half_month
    last_week = pd.offsets.LastWeekOfMonth(weekday=local[0].weekday())
    is_monthly = pd.Timedelta("28D") <= steps.min() <= steps.max()
    return last_week if is_monthly and follows(local, last_week) else None


def inferred_offset(index, local):
    """Return the offset that pandas infers from stamps, or from local ones, or None."""
    for stamps in (index,) if index.tz is None else (index, local):
        with warnings.catch_warnings():
            # pandas 4 will return an offset, which to_offset takes as well.
            warnings.simplefilter("ignore")
            inferred = pd.infer_freq(stamps) if len(stamps) > 2 else None
        if inferred is None:
            continue
        offset = pd.tseries.frequencies.to_offset(inferred)
        # pandas looks at some weeks of the month alone, and at no gaps between them.
        is_week = isinstance(offset, pd.offsets.WeekOfMonth)
        # Hours of local time that follow each other may be two hours apart.
        if (not is_week or follows(local, offset)) and (
            stamps is index or not is_span(offset)
        ):
            return offset
    return None


def follows(local, offset):
    """Return whether each local stamp is one offset after the one before it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # offsets of months are added one by one
        return bool((local[:-1] + offset == local[1:]).all())


def months_apart(index):
    """Return the months between stamps of one day of the month, or None.

    Days that a month does not have count as its last day.
    """
    local = wall_times(index)
    numbers = np.asarray(local.year * 12 + local.month)
    steps = np.unique(np.diff(numbers))
    if len(steps) != 1 or steps[0] < 1 or len(index) < 3:
        return None
    day, time = local.day.max(), local - local.normalize()
    usual = np.minimum(day, np.asarray(local.days_in_month))
    if (np.asarray(local.day) != usual).any() or time.nunique() > 1:
        return None
    return int(steps[0])


def step_of_periods(index):
    """Return the step of periods: every second month is as regular as every month.

    Raises
    ------
    ValueError
        If some periods are further apart than others.
    """
    steps = np.diff(index.asi8)
    common = int(np.gcd.reduce(steps)) if len(steps) else index.freq.n
    wide = np.flatnonzero(steps != common)
    step = index.freq.base * common
    if len(wide):
        raise ValueError(gap_of_periods(index, int(wide[0]), step))
    return step


def later_periods(index, steps, step):
    """Return the periods after the last one, which may leave some out between them."""
    numbers = index.asi8[-1] + step.n * np.arange(1, steps + 1)
    return pd.PeriodIndex.from_ordinals(numbers, freq=index.freq, name=index.name)


def tells_no_step(index: pd.Index | None) -> bool:
    """Return whether an index has too few rows to tell a month from 31 days."""
    if index is None or len(index) > 2:
        return False
    return not isinstance(index, pd.DatetimeIndex) or index.freq is None


def with_step(index: pd.Index, step) -> pd.Index:
    """Return an index of one or two rows with a given step, if its rows allow it.

    Raises
    ------
    ValueError
        If two rows are further apart than the step.
    """
    of_numbers = isinstance(index, pd.RangeIndex)
    if not len(index) or of_numbers != isinstance(step, int):
        return index
    if of_numbers:
        first = pd.RangeIndex(index[0], index[0] + step, step, name=index.name)
    elif isinstance(index, pd.DatetimeIndex):
        first = with_frequency(index[:1], step)
        if first.freq is None:  # the stamp is not on the grid of the others
            return index
    else:
        first = index[:1]
    if len(index) == 2 and index[1] > continued_index(first, 1, step)[0]:
        raise ValueError(
            f"The time steps are not regular: the index goes from {index[0]} to "
            f"{index[1]}, but the step of the longer series is {name_of_step(step)}. "
            "Give every step "
            "a row, which may hold missing values."
        )
    return first if len(index) == 1 else with_frequency(index, step)


def with_frequency(index, step):
    """Return an index with its step as frequency, if its stamps allow that.

    Appending drops the frequency, and a calendar with holidays cannot be inferred.
    """
    if not isinstance(index, pd.DatetimeIndex):
        return index
    try:
        return pd.DatetimeIndex(index, freq=step)
    except ValueError:
        return index


def continued_index(index: pd.Index, steps: int, step=None) -> pd.Index:
    """Return the time stamps after an index; DST and time zones are kept."""
    step = step_of(index) if step is None else step
    if isinstance(index, pd.RangeIndex):
        first = index[-1] + step
        return pd.RangeIndex(first, first + steps * step, step, name=index.name)
    if isinstance(index, pd.PeriodIndex):
        return later_periods(index, steps, step)
    if type(step) is pd.DateOffset and set(step.kwds) == {"months"}:
        return months_after(index, steps, step)
    full = stamps_from(index[-1], steps + 1, step, index.name)
    # date_range starts at the first stamp on the grid, which index[-1] may miss.
    return full[1:] if full[0] == index[-1] else full[:steps]


def stamps_from(first, n, step, name):
    """Return time stamps from a first one on.

    Days whose midnight the change of clocks skips, as in Cairo, start an hour later.
    """
    if first.tz is None or is_span(step):
        return pd.date_range(first, periods=n, freq=step, name=name)
    start = wall_times(pd.DatetimeIndex([first]))[0]
    stamps = in_zone(pd.date_range(start, periods=n, freq=step, name=name), first.tz)
    return stamps if stamps[0] == first else stamps.insert(0, first)[:n]


def is_span(step) -> bool:
    """Return whether a step is so much time, whatever clocks do; a day is not."""
    return isinstance(step, pd.offsets.Tick) and not isinstance(step, pd.offsets.Day)


def in_zone(local, zone):
    """Return stamps of local time in a zone; times that do not exist move forward."""
    return local.tz_localize(
        zone, nonexistent="shift_forward", ambiguous=np.ones(len(local), bool)
    )


def grid_of_stamps(index, freq):
    """Return the stamps from the first to the last of an index, in steps of `freq`."""
    step = pd.tseries.frequencies.to_offset(freq)
    if is_span(step):
        return pd.date_range(index[0], index[-1], freq=step)
    local = wall_times(index)
    if type(step) is not pd.DateOffset or set(step.kwds) != {"months"}:
        return in_zone(pd.date_range(local[0], local[-1], freq=step), index.tz)
    months, day = step.kwds["months"] * step.n, int(local.day.max())
    starts = pd.date_range(
        local[0].replace(day=1), local[-1], freq=pd.offsets.DateOffset(months=months)
    )
    # A month that does not have the day has its last one.
    days = np.minimum(day, starts.days_in_month)
    return in_zone(starts + pd.to_timedelta(days - 1, unit="D"), index.tz)


def months_after(index, steps, step):
    """Return later stamps of one day of the month, which some months do not have."""
    months, recent = step.kwds["months"] * step.n, index[-12:]
    # A stamp of February 28 may stand for a day 30.
    row = int(np.argmax(recent.day))
    first = len(recent) - row
    stamps = [
        recent[row] + pd.DateOffset(months=months * ahead)
        for ahead in range(first, first + steps)
    ]
    return pd.DatetimeIndex(stamps, name=index.name, dtype=index.dtype)


def index_until(index, stamp, n_given, step):
    """Return the time stamps after an index up to a later one, or a little beyond.

    `n_given` of them are rows of X; those between may not be more than `LONGEST_GAP`.
    """
    steps, most = 1, n_given + LONGEST_GAP
    while True:
        try:
            ahead = continued_index(index, steps, step)
        except (ValueError, NotImplementedError, OverflowError):
            if steps == 1 or not isinstance(index, pd.DatetimeIndex):
                raise
            # Twice as far no calendar reaches, but the stamp is nearer than that.
            return pd.date_range(index[-1], stamp, freq=step)[1:]
        if ahead[-1] >= stamp:
            return ahead
        if steps == most:
            raise ValueError(
                f"X has a row at {stamp}, more than {most:,} steps of "
                f"{name_of_step(step)} after the last row of the fitted series, "
                f"{index[-1]}. At most {LONGEST_GAP:,} rows may be missing between "
                "them, since each is forecast first. Check the index of X, give the "
                "rows between to update, or fit anew."
            )
        # No formula counts the steps of every offset, so their number is doubled.
        steps = min(2 * steps, most)


def check_same_kind(index: pd.Index, history: pd.Index, name: str = "X") -> None:
    """Raise where rows have an index of another kind than the history."""
    if type(index) is not type(history):
        raise ValueError(
            f"{name} has a {type(index).__name__}, but the series was fitted with a "
            f"{type(history).__name__}. Convert one of them."
        )
    if isinstance(index, pd.DatetimeIndex) and (index.tz is None) != (
        history.tz is None
    ):
        raise ValueError(
            f"{name} has time stamps {zone_in_words(index)}, but the series was fitted "
            f"with those {zone_in_words(history)}. Give both a zone by tz_localize, or "
            "neither."
        )


def zone_in_words(index: pd.DatetimeIndex) -> str:
    return "without a zone" if index.tz is None else f"of the zone {index.tz}"


def positions(index: pd.Index, history: pd.Index, n_history: int, step) -> np.ndarray:
    """Return the positions of rows on the time axis of a history, whose first row is 0.

    Parameters
    ----------
    history : Index
        Of the history's last rows, as far back as `index` goes.
    """
    inside = index <= history[-1]
    result = np.empty(len(index), dtype=int)
    found = history.get_indexer(index[inside])
    result[inside] = np.where(found < 0, -1, found + n_history - len(history))
    after = index[~inside]
    if len(after):
        found = index_until(history, after[-1], len(after), step).get_indexer(after)
        result[~inside] = np.where(found < 0, -1, found + n_history)
    if (result < 0).any():
        stamp = index[np.argmin(result)]
        raise ValueError(
            f"X has a row at {stamp}, which does not continue the index of the fitted "
            f"series (last row {history[-1]}, step {name_of_step(step)}). Pass rows on "
            "that grid, or fit anew."
        )
    return result


def seasons_of(index: pd.Index | None) -> tuple[int, ...]:
    """Return the rows in each season by the frequency of a time index."""
    if index is None or isinstance(index, pd.RangeIndex) or len(index) < 3:
        return ()
    return seasons_of_step(step_of(index))


def seasons_of_step(step) -> tuple[int, ...]:
    """Return the steps in each season that has two or more, the shortest first."""
    unit, n = unit_of(step)
    seasons = working_seasons(step) or SEASONS.get(unit, ())
    return tuple(steps // n for steps in seasons if steps % n == 0 and steps > n)


def working_seasons(step) -> tuple[int, ...]:
    """Return the working days of a week, or the hours of a day and of a week.

    Opening hours and days of the week are those of the offset; other offsets have none.
    """
    is_custom = isinstance(step, pd.offsets.CustomBusinessDay)
    if is_custom or isinstance(step, pd.offsets.CustomBusinessHour):
        days = int(step.calendar.weekmask.sum())
    else:
        days = 5
    if is_custom:
        return (days,)
    if not isinstance(step, pd.offsets.BusinessHour):
        return ()
    spans = zip(step.start, step.end, strict=True)
    # Hours that end before they start go on to the next day.
    minutes = sum((minute_of(end) - minute_of(start)) % 1440 for start, end in spans)
    hours, rest = divmod(minutes, 60)
    return () if rest else (hours, hours * days)


def minute_of(time):
    return 60 * time.hour + time.minute


def unit_of(step):
    """Return a unit of `SEASONS`, and how many of it an offset spans."""
    if type(step) is pd.DateOffset:
        names = [*step.kwds]
        unit = UNITS.get(names[0]) if len(names) == 1 else None
        return unit, step.n * step.kwds[names[0]] if unit else 1
    try:
        code = step.rule_code.split("-")[0]
    except NotImplementedError:  # Easter has no code, and no season
        return None, 1
    week = {"D": 7, "B": 5}.get(code)
    if week is not None and step.n % week == 0:
        return "W", step.n // week
    if code == "s" and step.n % 60 == 0:
        return "min", step.n // 60
    return CODES.get(code, code), step.n
