"""Calendar features of a time index, as numbers between -1 and 1."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sklstm._series.history import History
from sklstm._utils.warn import warn_user

# name: (value of a DatetimeIndex, length of the cycle in the same unit)
CYCLES = {
    "hour": (lambda t: t.hour + t.minute / 60, 24),
    "dayofweek": (lambda t: t.day_of_week, 7),
    "day": (lambda t: t.day - 1, 31),
    "month": (lambda t: t.month - 1, 12),
    "dayofyear": (lambda t: t.day_of_year - 1, 365.25),
}


def calendar_features(index: pd.Index, calendar) -> np.ndarray:
    """Return sine and cosine of the position in each cycle, and marks of holidays.

    Parameters
    ----------
    index : DatetimeIndex or PeriodIndex
        With a time zone, features are of local time. Cycles are those of the start of
        a period.
    calendar : sequence of str or of lists of dates
        Names of cycles, or dates of holidays.

    Returns
    -------
    ndarray of shape (n_timesteps, n_calendar_features)
    """
    times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    columns = []
    for part in calendar:
        if isinstance(part, str):
            value, length = CYCLES[part]
            # Both sine and cosine, because one alone gives two values the same number.
            angle = 2 * np.pi * np.asarray(value(times), float) / length
            columns += [np.sin(angle), np.cos(angle)]
        else:
            columns.append(is_holiday(index, part).astype(float))
    return np.column_stack(columns)


def is_holiday(index, dates) -> np.ndarray:
    """Return which local times lie on one of the dates, or which periods hold one."""
    days = dates_of(dates).tz_localize(None).normalize().unique().sort_values()
    if isinstance(index, pd.PeriodIndex):
        first, last = index.start_time.normalize(), index.end_time
        return days.searchsorted(last, side="right") > days.searchsorted(first)
    return index.tz_localize(None).normalize().isin(days)


def dates_of(part) -> pd.DatetimeIndex:
    """Return a list of dates as time stamps; a period stands for its start.

    Raises
    ------
    TypeError, ValueError
        For numbers, and for text whose day and month could be taken for each other.
    """
    dates = pd.Index(list(part))
    kind = pd.api.types.infer_dtype(dates, skipna=False)
    if kind == "period":
        return pd.PeriodIndex(dates).to_timestamp()
    if kind in ("string", "empty"):
        return pd.to_datetime(dates, format="ISO8601")
    if kind not in ("date", "datetime", "datetime64"):
        raise TypeError(f"it holds values of the kind {kind}")
    if dates.hasnans:
        raise ValueError("a date is missing")
    return pd.DatetimeIndex(dates)


def check_holidays(calendar, histories) -> None:
    """Raise where a list of dates meets no row of the training data.

    Its column would be constant, so that the network could learn nothing from it. Warn
    where dates lie between rows.

    Parameters
    ----------
    calendar : sequence of str or of lists of dates, or None
    histories : collection of History
    """
    for part in calendar or ():
        if isinstance(part, str):
            continue
        for history in histories:
            check_calendar(calendar, history.index)
            times = history.index
            if is_holiday(times, part).any():
                warn_of_dates_between_rows(times, part)
                break
        else:
            dates = dates_of(part)
            span = f"from {dates.min()} to {dates.max()}" if len(dates) else "empty"
            raise ValueError(
                f"calendar has a list of dates ({span}), but none of them is the date "
                f"of a row, and the last series goes from {times[0]} to {times[-1]}. "
                "Pass dates of its rows, or leave the list out."
            )


def warn_of_dates_between_rows(index, dates) -> None:
    """Warn where stamps of weeks, months and so on meet some of the dates alone."""
    if isinstance(index, pd.PeriodIndex) or len(index) < 2:
        return
    days = dates_of(dates).tz_localize(None).normalize()
    local = index.tz_localize(None).normalize()
    lost = days[(days > local[0]) & (days < local[-1]) & ~days.isin(local)]
    if len(lost) and np.median(np.diff(local)) > np.timedelta64(1, "D"):
        warn_user(
            f"Of a list of {len(days)} dates in calendar, {len(lost)} lie between the "
            f"rows and mark none, such as {lost[0].date()}. Pass the time stamps of "
            "rows, or give the series a PeriodIndex, whose periods are marked by each "
            "date in them.",
            UserWarning,
        )


def check_calendar(calendar, index: pd.Index | None) -> None:
    """Raise unless the index has times, and the calendar known names or dates."""
    if not isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        raise ValueError(
            "calendar needs rows with a DatetimeIndex or PeriodIndex. Got "
            f"{'none' if index is None else type(index).__name__}. Pass pandas data "
            "with a time index, or calendar=None."
        )
    if isinstance(calendar, str) or not len(calendar):
        raise ValueError(
            f"calendar must be a non-empty tuple of names or lists of dates. Got "
            f"{calendar!r}. For one name write {(calendar or 'hour',)!r}."
        )
    for part in calendar:
        if isinstance(part, str):
            if part not in CYCLES:
                raise ValueError(
                    f"calendar has the part {part!r}, which is unknown. Pass names "
                    f"among {sorted(CYCLES)}, or lists of dates, such as "
                    "calendar=(['2026-12-25'],)."
                )
            continue
        try:
            dates_of(part)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"calendar has the part {shortened(part)}, which is not a list of "
                f"dates: {error}. Pass lists of dates or of text, such as "
                "calendar=(['2026-12-25'],)."
            ) from error


def shortened(part) -> str:
    """Return the text of a part of the calendar, without its middle if it is long."""
    text = repr(part)
    return text if len(text) < 80 else f"{text[:50]} ... {text[-20:]}"


def n_calendar_features(calendar) -> int:
    """Return how many columns `calendar_features` makes."""
    return sum(2 if isinstance(part, str) else 1 for part in calendar or ())


def inputs_at(history: History, calendar, rows: np.ndarray) -> np.ndarray | None:
    """Return inputs and calendar features at rows, on a last axis; None without any.

    Parameters
    ----------
    history : History
    calendar : sequence of str or of lists of dates, or None
    rows : ndarray of int
        Of the history or beyond its end.
    """
    parts = []
    if history.X is not None:
        parts.append(history.inputs(rows))
    if calendar is not None:
        check_calendar(calendar, history.index)
        first = rows.min()
        stamps = history.stamps(first, rows.max() + 1)
        parts.append(calendar_features(stamps, calendar)[rows - first])
    return np.concatenate(parts, axis=-1) if parts else None


def with_calendar(history: History, calendar) -> History:
    """Return the history with inputs that end in calendar features."""
    if calendar is None:  # inputs may lie in a file, and stay there
        return history
    return replace(history, X=inputs_at(history, calendar, np.arange(len(history))))
