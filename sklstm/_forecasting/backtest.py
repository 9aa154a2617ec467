"""Backtests: forecasts of known rows from rolling origins, as one tidy table."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal

import joblib
import numpy as np
import pandas as pd

from sklstm._forecasting.fitting import fitted_before
from sklstm._forecasting.model import ORIGINS_AT_ONCE, Origins
from sklstm._forecasting.state import FittedForecaster
from sklstm._series.history import History
from sklstm._series.panel import errors_naming
from sklstm._series.reader import read_observations
from sklstm._series.validation import check_positive_int, check_probabilities
from sklstm._training.progress_bar import ProgressBar
from sklstm._utils.disk_arrays import groups


@dataclass(frozen=True)
class BacktestPlan:
    """From which origins to forecast, and how; see `LSTMForecaster.backtest`.

    Raises
    ------
    ValueError, TypeError
        For a number that is none, or two that do not go together.
    """

    steps: int
    stride: int = 1
    gap: int = 0
    refit: int | Literal["warm"] | None = None
    max_train_size: int | None = None
    quantiles: Sequence = ()

    def __post_init__(self):
        check_positive_int("steps", self.steps)
        check_positive_int("stride", self.stride)
        check_gap(self.gap)
        check_probabilities("quantiles", self.quantiles)
        check_refit(self.refit, self.max_train_size)

    @property
    def lead(self) -> np.ndarray:
        """Rows between an origin and each row forecast from it."""
        return np.arange(self.gap, self.gap + self.steps)

    def origins(self, n_known: int, n_rows: int) -> np.ndarray:
        """Return the rows of one series before which forecasts stand.

        Raises
        ------
        ValueError
            If there are new rows, but too few for one origin.
        """
        n_new = n_rows - n_known
        if 0 < n_new < self.gap + self.steps:
            after = f" after gap={self.gap}" if self.gap else ""
            raise ValueError(
                f"X has {n_new} rows, but steps={self.steps}{after} needs at least "
                f"{self.gap + self.steps}. Pass more rows, or lower steps."
            )
        return np.arange(n_known, n_rows - self.gap - self.steps + 1, self.stride)

    def parts(
        self, origins: dict[Hashable, np.ndarray]
    ) -> Iterator[tuple[dict, dict | None]]:
        """Yield origins that belong together, whatever the number of workers.

        Parameters
        ----------
        origins : dict of series to ndarray of int

        Yields
        ------
        part : dict of series to ndarray of int
        fit_at : dict of series to int, or None
            The row before which to fit anew.
        """
        refit = 1 if self.refit == "warm" else self.refit
        if refit is None:
            yield from ((part, None) for part in parts_of_one_fit(origins))
            return
        for first in range(0, max(map(len, origins.values())), refit):
            part = {key: rows[first : first + refit] for key, rows in origins.items()}
            part = {key: rows for key, rows in part.items() if len(rows)}
            fit_at = {key: int(rows[0]) for key, rows in part.items()}
            yield part, fit_at if first else None


def parts_of_one_fit(origins: dict[Hashable, np.ndarray]) -> Iterator[dict]:
    """Yield origins of some series, about as many as forecasts take at once."""
    known = (item for item in origins.items() if len(item[1]))
    yield from map(dict, groups(known, lambda item: len(item[1]), ORIGINS_AT_ONCE))


def backtest(
    forecaster, X, y, plan: BacktestPlan, *, n_jobs: int | None = None, verbose: int = 0
) -> pd.DataFrame:
    """Forecast rows that follow the history; see `LSTMForecaster.backtest`.

    Parameters
    ----------
    forecaster : LSTMForecaster
        Stays as it is.
    X, y : array-like
    plan : BacktestPlan

    Returns
    -------
    DataFrame
    """
    check_n_jobs(n_jobs)
    known = forecaster._state
    state = known.extended(read_observations(forecaster, X, y, "backtest"))
    origins = {}
    for key, series in state.series.items():
        with errors_naming(key):
            n_known = len(known.series[key].history)
            origins[key] = plan.origins(n_known, len(series.history))
    parts = list(plan.parts(origins))
    warm = plan.refit == "warm" or plan.refit is not None and forecaster.warm_start
    bar = ProgressBar(len(parts)) if verbose and len(parts) > 1 else None
    if warm or n_jobs == 1 or len(parts) == 1:
        done = tables_in_turn(forecaster, state, parts, plan, warm, bar)
    else:
        done = InParallel(n_jobs=n_jobs, bar=bar)(
            joblib.delayed(tables_of_part)(forecaster, X, y, *part, plan)
            for part in parts
        )
    if bar is not None:
        bar.close()
    tables = [table for part in done for table in part]
    position = {key: number for number, key in enumerate(state.series)}
    # Python's sort is stable, so the origins of a series stay in order.
    tables.sort(key=lambda table: position[table[0]])
    return pd.concat([table for _, table in tables], ignore_index=True)


def tables_in_turn(
    forecaster,
    state: FittedForecaster,
    parts: list,
    plan: BacktestPlan,
    warm: bool,
    bar: ProgressBar | None,
) -> list:
    """Return tables of each part, with `warm` from fits that go on from the last."""
    done, fitted = [], forecaster
    for part, fit_at in parts:
        if fit_at is not None:
            start = fitted if warm else forecaster
            fitted = fitted_before(start, state, fit_at, plan.max_train_size, keep=warm)
        done.append(tables(fitted._state, state, part, plan))
        if bar is not None:
            bar.update(len(done), {})
    return done


def tables_of_part(
    forecaster, X, y, part: dict, fit_at: dict | None, plan: BacktestPlan
) -> list:
    """Return (series, table) of the origins of each series in a part."""
    fitted = forecaster
    state = fitted._state.extended(read_observations(forecaster, X, y, "backtest"))
    if fit_at is not None:
        fitted = fitted_before(forecaster, state, fit_at, plan.max_train_size)
    return tables(fitted._state, state, part, plan)


def tables(
    fitted: FittedForecaster, state: FittedForecaster, rows: dict, plan: BacktestPlan
) -> list:
    """Return (series, table) of the forecasts of each series.

    Parameters
    ----------
    fitted : FittedForecaster
        What forecasts.
    state : FittedForecaster
        With all rows, those after the origins included.
    rows : dict of series to ndarray of int
    """
    origins = {
        key: Origins(replace(fitted.series[key], history=state.series[key].history), r)
        for key, r in rows.items()
    }
    model, given = fitted.series_model, list(origins.values())
    forecasts = model.forecast(given, plan.lead[-1] + 1)
    spread = [forecasts]
    if len(plan.quantiles):
        spread += [*fitted.intervals.quantiles(forecasts, given, plan.quantiles)]
    spread = [values[:, plan.lead] for values in spread]
    ends = np.cumsum([len(r) for r in rows.values()])[:-1]
    parts = zip(*(np.split(values, ends) for values in spread), strict=True)
    columns = ["y_pred", *plan.quantiles]
    result = []
    for (key, (series, r)), values in zip(origins.items(), parts, strict=True):
        names = state.output.target_names(key, model.n_targets)
        table = actual_values(series.history, r, plan.lead, names)
        table |= {c: v.ravel() for c, v in zip(columns, values, strict=True)}
        result.append((key, pd.DataFrame(table)))
    return result


def actual_values(
    history: History, rows: np.ndarray, lead: np.ndarray, names: list
) -> dict[str, np.ndarray]:
    """Return the columns of a table that need no forecast."""
    shape = (len(rows), len(lead), len(names))
    labels = np.empty(len(names), object)
    labels[:] = names
    return {
        "series": np.tile(labels, len(rows) * len(lead)),
        "origin": history.stamps_at(rows - 1).repeat(len(lead) * len(names)),
        "step": np.broadcast_to(lead[:, None] + 1, shape).ravel(),
        "y_true": history.y[rows[:, None] + lead].ravel(),
    }


class InParallel(joblib.Parallel):
    """Workers whose finished tasks a progress bar counts, or joblib by its verbose."""

    def __init__(self, n_jobs, bar):
        # The first part needs no fit, and joblib would take it for the length of others
        # and send these by twos, to one worker while the other has none.
        verbose = {} if bar is None else {"verbose": 0}
        super().__init__(n_jobs=n_jobs, batch_size=1, **verbose)
        self.bar = bar

    def print_progress(self):
        if self.bar is None:
            super().print_progress()
        else:
            self.bar.update(self.n_completed_tasks, {})


def check_n_jobs(n_jobs):
    if n_jobs is not None and (not isinstance(n_jobs, Integral) or n_jobs == 0):
        raise ValueError(
            f"n_jobs must be an int other than 0, or None. Got {n_jobs!r}."
        )


def check_gap(gap):
    whole = isinstance(gap, Integral) and not isinstance(gap, bool)
    if not whole or gap < 0:
        raise ValueError(f"gap must be an int of 0 or more. Got {gap!r}.")


def check_refit(refit, max_train_size):
    if isinstance(refit, (str, bool)) and refit != "warm":
        raise ValueError(
            "refit must be an int, the number of origins between two fits, 'warm' or "
            f"None. Got {refit!r}. Pass refit=1 to fit before each forecast."
        )
    if refit is not None and refit != "warm":
        check_positive_int("refit", refit)
    if max_train_size is not None:
        check_positive_int("max_train_size", max_train_size)
        if refit is None:
            raise ValueError(
                f"max_train_size={max_train_size} says on how many rows refit fits, "
                "and refit is None. Set refit, or leave max_train_size out."
            )
