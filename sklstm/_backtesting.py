"""Forecasts of rows that are known by now, and how far off they were."""

from numbers import Integral

import joblib
import numpy as np
import pandas as pd

from sklstm._history import ALONE
from sklstm._intervals import check_probabilities
from sklstm._progress import ProgressBar
from sklstm._rolling import ORIGINS_AT_ONCE
from sklstm._windows import check_positive_int


class Backtesting:
    """How `LSTMForecaster` is tested on rows that follow its history."""

    def backtest(
        self,
        X,
        y=None,
        *,
        steps=None,
        stride=1,
        refit=None,
        max_train_size=None,
        quantiles=(),
        n_jobs=None,
    ):
        """Forecast rows that follow the history from rolling origins.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs. Of many series
            any may be given.
        y : array-like, default=None
            The target at these rows, in the regression form.
        steps : int, default=None
            Lead times of each origin; None means `horizon`.
        stride : int, default=1
            Rows between two origins.
        refit : int, default=None
            Fit anew after so many origins, on all rows up to the next one and without
            weights; None means never. The estimator itself stays as it is.
        max_train_size : int, default=None
            Fit anew on so many of the last rows of each series; None means all.
        quantiles : sequence of float, default=()
            Probabilities whose quantiles are given too; see `forecast_quantiles`.
        n_jobs : int, default=None
            Workers that fit anew, or forecast some of many series, at the same time; -1
            means as many as there are processors. None means 1, or what
            ``joblib.parallel_config`` says, which may be those of Dask or Ray. The
            result is the same; `verbose` shows how much is done.

        Returns
        -------
        DataFrame
            Columns series (its key, or the name of the target; both as a tuple for many
            series of several targets), origin (last row known), step, y_true, y_pred,
            in the units of the target, and one column a quantile, named by it.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once, are fewer than `steps`, or
            `max_train_size` comes without `refit`.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> passengers = load_air_passengers()
        >>> f = LSTMForecaster(window_length=12, horizon=3, epochs=1, random_state=0)
        >>> f.fit(passengers[:-6]).backtest(passengers[-6:], stride=3)[["step"]].T
              0  1  2  3  4  5
        step  1  2  3  1  2  3
        """
        self._check_has_history("backtest")
        steps = self.horizon if steps is None else steps
        check_positive_int("steps", steps)
        check_positive_int("stride", stride)
        check_probabilities("quantiles", quantiles)
        if refit is not None:
            check_positive_int("refit", refit)
        if n_jobs is not None and (not isinstance(n_jobs, Integral) or n_jobs == 0):
            raise ValueError(
                f"n_jobs must be an int other than 0, or None. Got {n_jobs!r}."
            )
        if max_train_size is not None:
            check_positive_int("max_train_size", max_train_size)
            if refit is None:
                raise ValueError("max_train_size says what refit fits on. Set refit.")
        full = self._copy().update(X, y)._histories
        rows = {}
        for key, known in full.items():
            n_known = len(self._histories[key])
            n_new = len(known) - n_known
            if 0 < n_new < steps:
                raise ValueError(
                    f"X has {n_new} rows, but steps={steps} needs at least as many."
                )
            rows[key] = np.arange(n_known, len(known) - steps + 1, stride)
        tasks = [
            (self, X, y, part, fit_at, max_train_size, steps, quantiles)
            for part, fit_at in parts_of(rows, refit)
        ]
        bar = ProgressBar(len(tasks)) if self.verbose else None
        done = InParallel(n_jobs=n_jobs, bar=bar)(
            joblib.delayed(tables_of)(*task) for task in tasks
        )
        if bar is not None:
            bar.close()
        tables = [table for part in done for table in part]
        places = {key: place for place, key in enumerate(full)}
        tables.sort(key=lambda table: places[table[0]])
        return pd.concat([table for _, table in tables], ignore_index=True)

    def __sizeof__(self):
        """Bytes of what `fit` learned and keeps, which engines decide to send once."""
        arrays = list(getattr(self, "weights_", {}).values())
        for history in getattr(self, "_histories", {}).values():
            arrays += [history.y, *([] if history.X is None else [history.X])]
        return super().__sizeof__() + sum(values.nbytes for values in arrays)

    def _fitted_before(self, full, cuts, max_train_size):
        """A copy fitted anew on the rows before the cuts; whole where there is none."""
        histories = {}
        for key, known in full.items():
            last = cuts.get(key, len(known))
            n_rows = last if max_train_size is None else max_train_size
            histories[key] = known.cut(last - n_rows, last)
        other = self._copy()
        other.verbose = 0  # the bar of the backtest is the one that is seen
        problem, fitted = other._problem_of(histories)
        vars(other).update(fitted | other._learn(problem))
        return other

    def _tables(self, full, rows, steps, quantiles):
        """(key, table) of the forecasts of each series."""
        origins = self._origins({key: full[key] for key in rows}, rows)
        forecasts = self._roll(list(origins.values()), steps)
        spread = [forecasts]
        if len(quantiles):
            spread += [*self._quantiles(forecasts, origins, quantiles)]
        columns = ["y_pred", *quantiles]
        ends = np.cumsum([len(own) for own in rows.values()])[:-1]
        parts = zip(*(np.split(values, ends) for values in spread), strict=True)
        tables = []
        for (key, (known, own, _)), values in zip(origins.items(), parts, strict=True):
            shape = (len(own), steps, self._n_targets)
            stamps = known.stamps_at(own - 1)
            names = np.empty(self._n_targets, object)
            names[:] = self._names_of(key)
            step = np.broadcast_to(np.arange(1, steps + 1)[:, None], shape)
            table = {
                "series": np.tile(names, len(own) * steps),
                "origin": stamps.repeat(steps * self._n_targets),
                "step": step.ravel(),
                "y_true": known.y[own[:, None] + np.arange(steps)].ravel(),
            }
            table |= {c: v.ravel() for c, v in zip(columns, values, strict=True)}
            tables.append((key, pd.DataFrame(table)))
        return tables

    def _names_of(self, key):
        """What `backtest` calls the targets of a series."""
        names = self._names if isinstance(self._names, list) else [self._names]
        if len(names) != self._n_targets:
            names = list(range(self._n_targets))
        if key is ALONE:
            return names
        return [key] if len(names) == 1 else [(key, name) for name in names]

    def _past_by_name(self):
        """Rows known of each target, without missing ones, named as in `backtest`."""
        return {
            name: column[~np.isnan(column)]
            for key, history in self._histories.items()
            for name, column in zip(self._names_of(key), history.y.T, strict=True)
        }

    def observe(self, X, y=None):
        """Append rows as `update` does, and tell how far off their forecasts were.

        Each row is forecast one step ahead, from all rows before it: a large error is a
        row that the past did not announce.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs.
        y : array-like, default=None
            The target at these rows, in the regression form.

        Returns
        -------
        ndarray, Series, DataFrame or list of them
            Actual less forecast values, in the units of the target and in the form of
            `predict`.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once; it then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklstm import LSTMForecaster
        >>> wave = np.sin(np.arange(200) / 3)
        >>> f = LSTMForecaster(window_length=12, epochs=1, random_state=0)
        >>> errors = f.fit(wave[:190]).observe([*wave[190:195], 5.0])
        >>> np.abs(errors).argmax()
        np.int64(5)
        """
        self._check_has_history("observe")
        full = self._copy().update(X, y)._histories
        _, where = self._check_rows(X)
        new = {
            key: np.arange(len(self._histories[key]), len(full[key])) for key in where
        }
        origins = self._origins({key: full[key] for key in where}, new)
        forecasts = self._roll(list(origins.values()), 1)[:, 0]
        ends = np.cumsum([len(rows) for rows in new.values()])[:-1]
        errors = np.empty_like(forecasts)
        for (key, (rows, _)), forecast in zip(
            where.items(), np.split(forecasts, ends), strict=True
        ):
            errors[rows] = full[key].y[new[key]] - forecast
        self._histories = full
        return self._like(X, errors, where)


class InParallel(joblib.Parallel):
    """Workers whose finished tasks a progress bar counts."""

    def __init__(self, n_jobs, bar):
        super().__init__(n_jobs=n_jobs)
        self.bar = bar

    def print_progress(self):
        if self.bar is not None:
            self.bar.update(self.n_completed_tasks, {})


def parts_of(rows, refit):
    """Origins that belong together, whatever the number of workers.

    Parameters
    ----------
    rows : dict of key to ndarray of int
        Origins of each series.
    refit : int or None

    Yields
    ------
    part : dict of key to ndarray of int
    fit_at : dict of key to int, or None
        The row before which to fit anew.
    """
    if refit is None:
        part, n_origins = {}, 0
        for key, own in rows.items():
            if len(own):
                part[key], n_origins = own, n_origins + len(own)
            if n_origins >= ORIGINS_AT_ONCE:
                yield part, None
                part, n_origins = {}, 0
        if part:
            yield part, None
        return
    for first in range(0, max(map(len, rows.values())), refit):
        part = {key: own[first : first + refit] for key, own in rows.items()}
        fit_at = None
        if first:
            fit_at = {key: int(own[0]) for key, own in part.items() if len(own)}
        yield {key: own for key, own in part.items() if len(own)}, fit_at


def tables_of(model, X, y, part, fit_at, max_train_size, steps, quantiles):
    """(key, table) of the origins of each series in a part."""
    full = model._copy().update(X, y)._histories
    if fit_at is not None:
        model = model._fitted_before(full, fit_at, max_train_size)
    return model._tables(full, part, steps, quantiles)
