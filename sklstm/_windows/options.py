"""How series become windows: their length, seasons and normalization."""

from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sklstm._series.calendar import with_calendar
from sklstm._series.history import History
from sklstm._series.missing import columns_seen
from sklstm._series.panel import SINGLE_SERIES
from sklstm._series.reader import TrainingSeries
from sklstm._series.time_index import season_of
from sklstm._series.validation import check_positive_int
from sklstm._series.window_reader import TrainingWindows
from sklstm._windows.dataset import rows_in_order
from sklstm._windows.normalization import WindowNorm, check_holds_seasons
from sklstm._windows.problem import SeriesForecastProblem, WindowForecastProblem

# Rows of a season where none is known: the window has two of them.
USUAL_SEASON = 12


@dataclass(frozen=True)
class WindowOptions:
    """Parameters of `LSTMForecaster` that say what a window is."""

    window_length: int | None
    horizon: int
    stride: int
    scaler: object
    window_norm: str | None
    seasonal_period: Any  # of one season, a sequence of several, "auto" or None
    deseasonalize: bool
    calendar: object

    def normalization(self, histories: dict[Hashable, History]) -> WindowNorm:
        """Return what windows of these series are measured by."""
        seasons = self.seasonal_period
        if seasons == "auto":
            seasons = season_of(next(iter(histories.values())).index)
        if seasons is None:
            seasons = ()
        elif isinstance(seasons, Integral):
            seasons = (seasons,)
        for season in seasons:
            check_positive_int("seasonal_period", season)
        kind = self.window_norm
        # One series may come back to its level; of many series, each level is new.
        shows_level = kind == "level" and len(histories) == 1
        return WindowNorm(
            "last" if kind == "level" else kind,
            tuple(map(int, seasons)),
            self.deseasonalize,
            shows_level,
        )

    def length(self, histories: dict[Hashable, History], norm: WindowNorm) -> int:
        """Return the number of rows in a window."""
        length = self.window_length
        if length is None:
            usual = int(np.median([len(history) for history in histories.values()]))
            wanted = 2 * max(norm.seasons, default=USUAL_SEASON)
            length = max(1, min(wanted, usual // 3))
        if norm.deseasonalize:
            check_holds_seasons(length, norm.seasons)
        return length


def make_problem(
    data: TrainingSeries | TrainingWindows,
    options: WindowOptions,
    norm: WindowNorm | None = None,
    kind: type[SeriesForecastProblem] = SeriesForecastProblem,
) -> SeriesForecastProblem | WindowForecastProblem:
    """Return what a fit learns from.

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
    norm = options.normalization(histories) if norm is None else norm
    calendar = None if data.in_files else options.calendar
    return kind(
        [with_calendar(history, calendar) for history in histories.values()],
        data.weights,
        window_length=options.length(histories, norm),
        horizon=options.horizon,
        stride=options.stride,
        scaler=options.scaler,
        norm=norm,
        past_only=data.past_only,
    )


def check_seen(histories: dict[Hashable, History]) -> None:
    """Raise where a column of a series holds no value at all."""
    for key, history in histories.items():
        seen = columns_seen(history.y)
        if not seen.all():
            whose = "" if key is SINGLE_SERIES else f" of the series {key!r}"
            raise ValueError(
                f"Column {int(np.argmin(seen))}{whose} holds no value at all, so "
                "that there is nothing to forecast. Drop it."
            )
