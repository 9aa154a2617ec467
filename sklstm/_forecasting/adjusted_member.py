"""A linear model of the seasonally adjusted rows of one series.

Seasons come from up to twelve cycles, additive or multiplicative, where those of a
window come from the few that it holds. Its window is shorter than that of the network,
so that the errors of both differ and their mean is better than either.
"""

from dataclasses import dataclass

import numpy as np

from sklstm._forecasting.members import (
    AdjustedLinear,
    differences,
    keeps_units,
    last_rows,
    n_context_rows,
)
from sklstm._networks.ridge import PENALTIES
from sklstm._networks.ridge_paths import RidgePath, decompose
from sklstm._utils.blas import one_thread
from sklstm._windows.adjustment import adjusted, filled
from sklstm._windows.problem import SeriesForecastProblem
from sklstm._windows.scaling import Scaler

# An infinite penalty makes the last value the forecast.
ALL_PENALTIES = (*PENALTIES, np.inf)
# Rows of a window, as a share of the network's window.
SHARE_OF_WINDOW = 2 / 3
# Only so many of the last rows are fitted, because more of them change little.
MOST_FITTED = 10_000
# Windows to fit on beside a validation block.
LEAST_WINDOWS = 8


@dataclass(frozen=True)
class Penalties:
    """The forecasts of a `RidgePath` at each penalty.

    Parameters
    ----------
    path : RidgePath
    """

    path: RidgePath

    @property
    def n_outputs(self) -> int:
        return len(ALL_PENALTIES)

    def read(self, contexts: list[np.ndarray], steps: int) -> np.ndarray:
        """Return forecasts of shape (n_penalties, n, steps), within the horizon."""
        rows = last_rows(contexts, len(self.path.x_mean) + 1)
        forecasts = self.path.forecasts(ALL_PENALTIES)(differences(rows))
        return rows[:, -1:] + np.array([*forecasts])[:, :, :steps]


def applies_to(problem: SeriesForecastProblem) -> bool:
    """Return whether the model fits the problem: one series, and nothing else.

    It was measured on such problems alone. Many series would need a scale for each.
    """
    alone = problem.window_shape[1] == 1 and not problem.has_many_series
    return alone and problem.n_static == 0 and problem.weights is None


@one_thread
def fit_path(
    problem: SeriesForecastProblem, scaler: Scaler, n_rows: int
) -> RidgePath | None:
    """Return the path of windows of the first rows; None where these are too few."""
    seasons, horizon = problem.norm.seasons, problem.horizon
    values = np.asarray(problem.histories[0].y[:n_rows][-MOST_FITTED:], float)
    values = filled(values.T).T
    values = values if keeps_units(scaler) else scaler.apply(values)
    length = int(SHARE_OF_WINDOW * problem.window_length + 0.5)
    length = min(max(length, 2), n_context_rows(seasons))
    if len(values) < length + horizon + LEAST_WINDOWS - 1:
        return None
    (rows,), _ = adjusted(values.T, sorted(seasons))
    windows = np.lib.stride_tricks.sliding_window_view(rows, length + horizon)
    x = differences(windows[:, :length])
    y = windows[:, length:] - windows[:, length - 1 : length]
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    x, y, n = x - x_mean, y - y_mean, len(windows)
    gram, cross = x.T @ x / n, x.T @ y / n
    # In units of their variance, so that small values are no rounding errors.
    variance = np.trace(gram) / len(gram) or 1.0
    values, vectors, projected = decompose(gram / variance, cross / variance)
    return RidgePath(values, vectors, projected, x_mean, y_mean, n)


def fit(
    problem: SeriesForecastProblem, scaler: Scaler, penalty: float
) -> AdjustedLinear:
    """Return the model of all rows."""
    path = fit_path(problem, scaler, len(problem.histories[0]))
    assert path is not None, "fewer rows were enough"
    return AdjustedLinear(*path.solution(penalty))
