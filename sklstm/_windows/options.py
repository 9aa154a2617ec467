"""How series become windows: their length, seasons and normalization."""

from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sklstm._series.calendar import n_calendar_features, with_calendar
from sklstm._series.history import History
from sklstm._series.missing import columns_seen
from sklstm._series.panel import errors_naming
from sklstm._series.reader import TrainingSeries
from sklstm._series.time_index import seasons_of
from sklstm._series.validation import check_positive_int
from sklstm._series.window_reader import TrainingWindows
from sklstm._windows.dataset import rows_in_order
from sklstm._windows.normalization import WindowNorm, check_holds_seasons
from sklstm._windows.problem import SeriesForecastProblem, WindowForecastProblem

# Rows of a season where none is known: the window has two of them.
USUAL_SEASON = 12
# Seasons of a week in rows of days and of business days, and weeks in their window.
WEEKS_OF_DAYS, N_WEEKS = (5, 7), 8
# From so many rows on a window holds two of a season, and three of a shorter one.
LONG_SEASON = 52
# Numbers in a default window, a week of ten minutes: the linear model decomposes a
# square matrix of them.
MOST_INPUTS = 1008


@dataclass(frozen=True)
class WindowOptions:
    """Parameters of `LSTMForecaster` that define windows."""

    window_length: int | None
    horizon: int
    stride: int
    scaler: object
    window_norm: str | None
    seasonal_period: Any  # of one season, a sequence of several, "auto" or None
    deseasonalize: bool | str
    calendar: object

    def seasons(self, histories: dict[Hashable, History]) -> tuple[int, ...]:
        """Return the rows in each season, the main one first."""
        seasons = self.seasonal_period
        if seasons == "auto":
            seasons = seasons_of(next(iter(histories.values())).index)
        if seasons is None:
            seasons = ()
        elif isinstance(seasons, Integral):
            seasons = (seasons,)
        for season in seasons:
            check_positive_int("seasonal_period", season)
        return tuple(map(int, seasons))

    def length(
        self, histories: dict[Hashable, History], seasons: tuple[int, ...]
    ) -> int:
        """Return the number of rows in a window."""
        if self.window_length is not None:
            return self.window_length
        width = columns_of_inputs(histories, self.calendar)
        width += next(iter(histories.values())).y.shape[1]
        wanted = usual_length(seasons, MOST_INPUTS // width)
        n_rows = int(np.median([len(history) for history in histories.values()]))
        length = min(max(wanted, self.horizon), n_rows // 3)
        # The last rows are held out, and the windows before them need their targets.
        room = n_rows - 3 * self.horizon
        if room >= max(min(seasons, default=1), self.horizon):
            length = min(length, room)
        return max(1, length)

    def normalization(
        self, histories: dict[Hashable, History], seasons: tuple[int, ...], length: int
    ) -> WindowNorm:
        """Return the normalization of windows of these series."""
        kind, deseasonalize = self.window_norm, self.deseasonalize
        if deseasonalize == "auto":
            # A length that is given was found for windows with their seasons.
            chosen = self.window_length is None
            has_inputs = columns_of_inputs(histories, self.calendar) > 0
            gains = gains_by_adjustment(seasons, length)
            deseasonalize = chosen and gains and not has_inputs
        elif deseasonalize:
            if self.seasonal_period == "auto":
                # Of a day and a week, a short window may hold days alone.
                seasons = tuple(s for s in seasons if 2 * s <= length) or seasons[:1]
            check_holds_seasons(length, seasons)
        return WindowNorm(
            "last" if kind == "level" else kind,
            seasons,
            bool(deseasonalize),
            # One series may come back to its level; of many series, each level is new.
            shows_level=kind == "level" and len(histories) == 1,
        )


def columns_of_inputs(histories: dict[Hashable, History], calendar) -> int:
    """Return how many inputs stand beside the target at each row."""
    X = next(iter(histories.values())).X
    return n_calendar_features(calendar) + (0 if X is None else X.shape[1])


def gains_by_adjustment(seasons: tuple[int, ...], length: int) -> bool:
    """Return whether windows are forecast better without their seasonal pattern.

    They are where a series has few seasons, as those of a year are. Of days and weeks
    there are so many that the linear model learns the pattern as well.
    """
    if len(seasons) != 1 or seasons[0] in WEEKS_OF_DAYS:
        return False
    return 2 <= seasons[0] <= length // 2


def usual_length(seasons: tuple[int, ...], most: int) -> int:
    """Return the rows of a default window, which holds whole seasons.

    Parameters
    ----------
    seasons : tuple of int
    most : int
        Rows that are affordable. The shortest season is held twice, whatever it takes.
    """
    if not seasons:
        return 2 * USUAL_SEASON
    longest = max(seasons)
    n_seasons = 3 if longest < LONG_SEASON else 2
    if longest in WEEKS_OF_DAYS:
        n_seasons = N_WEEKS
    if n_seasons * longest <= most:
        return n_seasons * longest
    shortest = min(seasons)
    return shortest * max(2, most // shortest)


def make_problem(
    data: TrainingSeries | TrainingWindows,
    options: WindowOptions,
    norm: WindowNorm | None = None,
    kind: type[SeriesForecastProblem] = SeriesForecastProblem,
) -> SeriesForecastProblem | WindowForecastProblem:
    """Return the `ForecastProblem` of a fit.

    Parameters
    ----------
    data : TrainingSeries or TrainingWindows
    options : WindowOptions
    norm : WindowNorm, default=None
        Of a network that is trained further; None chooses one from the series.
    kind : type
        Of the problem of series.

    Returns
    -------
    SeriesForecastProblem or WindowForecastProblem
    """
    if isinstance(data, TrainingWindows):
        # Repeated rows and weights must train the same network.
        y = data.y.reshape(len(data.y), 1, -1)
        rows, weights = rows_in_order(data.X, y, data.weights)
        return WindowForecastProblem(data.X[rows], y[rows], weights, options.scaler)
    histories = data.histories
    check_seen(histories)
    seasons = options.seasons(histories)
    length = options.length(histories, seasons)
    if norm is None:
        norm = options.normalization(histories, seasons, length)
    calendar = None if data.in_files else options.calendar
    return kind(
        [with_calendar(history, calendar) for history in histories.values()],
        data.weights,
        window_length=length,
        horizon=options.horizon,
        stride=options.stride,
        scaler=options.scaler,
        norm=norm,
        past_only=data.past_only,
        n_calendar=n_calendar_features(options.calendar),
        keys=list(histories),
    )


def check_seen(histories: dict[Hashable, History]) -> None:
    """Raise where a column of a series holds no value at all."""
    for key, history in histories.items():
        seen = columns_seen(history.y)
        with errors_naming(key):
            if not seen.all():
                raise ValueError(
                    f"Column {int(np.argmin(seen))} holds no value at all, so that "
                    "there is nothing to forecast. Drop it."
                )
