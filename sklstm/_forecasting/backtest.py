"""Forecasts of rows that are known by now, and how far off they were."""

from numbers import Integral

import joblib
import numpy as np
import pandas as pd

from sklstm._forecasting.intervals import check_probabilities
from sklstm._forecasting.rolling import ORIGINS_AT_ONCE
from sklstm._series.panel import ALONE
from sklstm._series.validation import check_positive_int
from sklstm._training.progress_bar import ProgressBar


class Backtesting:
    """How `LSTMForecaster` is tested on rows that follow its history."""

    def backtest(
        self,
        X,
        y=None,
        *,
        steps=None,
        stride=1,
        gap=0,
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
        gap : int, default=0
            Rows between an origin and the first row forecast from it, which neither
            fits nor windows see: with hours, 12 for a forecast of tomorrow made at
            noon. In the regression form inputs known ahead are read there.
        refit : int or "warm", default=None
            Fit anew after so many origins, on all rows up to the next one and without
            weights; None means never. "warm" fits at each origin from the last fit's
            weights and scaler, as does an int with `warm_start`. The estimator itself
            stays as it is.
        max_train_size : int, default=None
            Fit anew on so many of the last rows of each series, a sliding window; None
            means all, an expanding one.
        quantiles : sequence of float, default=()
            Probabilities whose quantiles are given too; see `forecast_quantiles`.
        n_jobs : int, default=None
            Workers that fit anew, or forecast some of many series, at the same time; -1
            means as many as there are processors, and 1 this process. None means 1, or
            what ``joblib.parallel_config`` says, which may be those of Dask or Ray. The
            result is the same; the `verbose` of either shows how much is done. Warm
            fits wait for each other, so that one worker makes them all.

        Returns
        -------
        DataFrame
            Columns series (its key, or the name of the target; both as a tuple for many
            series of several targets), origin (last row known), step (rows from there,
            the first is ``gap + 1``), y_true, y_pred, in the units of the target, and
            one column a quantile, named by it.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once, are fewer than
            ``gap + steps``, or `max_train_size` comes without `refit`.

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
        check_gap(gap)
        check_probabilities("quantiles", quantiles)
        check_refit(refit, max_train_size)
        if n_jobs is not None and (not isinstance(n_jobs, Integral) or n_jobs == 0):
            raise ValueError(
                f"n_jobs must be an int other than 0, or None. Got {n_jobs!r}."
            )
        full = self._copy().update(X, y)._histories
        rows = {}
        for key, known in full.items():
            n_known = len(self._histories[key])
            n_new = len(known) - n_known
            if 0 < n_new < gap + steps:
                after = f" after gap={gap}" if gap else ""
                raise ValueError(
                    f"X has {n_new} rows, but steps={steps}{after} needs at least "
                    f"{gap + steps}. Pass more rows, or lower steps."
                )
            rows[key] = np.arange(n_known, len(known) - gap - steps + 1, stride)
        warm = refit is not None and (refit == "warm" or self.warm_start)
        parts = list(parts_of(rows, 1 if refit == "warm" else refit))
        lead = np.arange(gap, gap + steps)
        bar = ProgressBar(len(parts)) if self.verbose else None
        if warm or n_jobs == 1 or len(parts) == 1:
            done = self._tables_in_turn(
                full, parts, max_train_size, lead, quantiles, warm, bar
            )
        else:
            done = InParallel(n_jobs=n_jobs, bar=bar)(
                joblib.delayed(tables_of)(
                    self, X, y, *part, max_train_size, lead, quantiles
                )
                for part in parts
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

    def _fitted_before(self, full, cuts, max_train_size, *, keep=False):
        """A copy fitted on the rows before the cuts; whole where there is none."""
        histories, ends = {}, []
        for key, known in full.items():
            ends.append(cuts.get(key, len(known)))
            n_rows = ends[-1] if max_train_size is None else max_train_size
            histories[key] = known.cut(ends[-1] - n_rows, ends[-1])
        other = self._copy()
        other.verbose = 0  # the bar of the backtest is the one that is seen
        norm = None
        if keep:  # windows stay what the network was trained on
            other.window_length, norm = self.window_length_, self._norm
        problem, fitted = other._problem_of(histories, norm=norm)
        vars(other).update(fitted | other._learn(problem, keep=keep))
        # Origins are rows of the whole history, whatever part of it was fitted.
        other._n_fitted = ends
        return other

    def _tables_in_turn(self, full, parts, max_train_size, lead, quantiles, warm, bar):
        """Tables of each part, with `warm` from fits that go on from the one before."""
        done, model = [], self
        for part, fit_at in parts:
            if fit_at is not None:
                model = (model if warm else self)._fitted_before(
                    full, fit_at, max_train_size, keep=warm
                )
            done.append(model._tables(full, part, lead, quantiles))
            if bar is not None:
                bar.update(len(done), {})
        return done

    def _tables(self, full, rows, lead, quantiles):
        """(key, table) of the forecasts of each series.

        Parameters
        ----------
        lead : ndarray of int of shape (n_steps,)
            Rows between an origin and each one forecast.
        """
        origins = self._origins({key: full[key] for key in rows}, rows)
        forecasts = self._roll(list(origins.values()), lead[-1] + 1)
        spread = [forecasts]
        if len(quantiles):
            spread += [*self._quantiles(forecasts, origins, quantiles)]
        spread = [values[:, lead] for values in spread]
        columns = ["y_pred", *quantiles]
        ends = np.cumsum([len(own) for own in rows.values()])[:-1]
        parts = zip(*(np.split(values, ends) for values in spread), strict=True)
        tables = []
        for (key, (known, own, _)), values in zip(origins.items(), parts, strict=True):
            shape = (len(own), len(lead), self._n_targets)
            stamps = known.stamps_at(own - 1)
            names = np.empty(self._n_targets, object)
            names[:] = self._names_of(key)
            step = np.broadcast_to(lead[:, None] + 1, shape)
            table = {
                "series": np.tile(names, len(own) * len(lead)),
                "origin": stamps.repeat(len(lead) * self._n_targets),
                "step": step.ravel(),
                "y_true": known.y[own[:, None] + lead].ravel(),
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


def tables_of(model, X, y, part, fit_at, max_train_size, lead, quantiles):
    """(key, table) of the origins of each series in a part."""
    full = model._copy().update(X, y)._histories
    if fit_at is not None:
        model = model._fitted_before(full, fit_at, max_train_size)
    return model._tables(full, part, lead, quantiles)


def check_gap(gap):
    whole = isinstance(gap, Integral) and not isinstance(gap, bool)
    if not whole or gap < 0:
        raise ValueError(f"gap must be an int of 0 or more. Got {gap!r}.")


def check_refit(refit, max_train_size):
    if isinstance(refit, str) and refit != "warm":
        raise ValueError(
            "refit must be an int, the number of origins between two fits, 'warm' or "
            f"None. Got {refit!r}."
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
