"""The three forms of input of `LSTMForecaster`: read, checked, made into a problem."""

from collections.abc import Iterator
from dataclasses import replace
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_sample_weight,
    _get_feature_names,
    validate_data,
)

from sklstm._series.calendar import calendar_features, check_calendar
from sklstm._series.history import History
from sklstm._series.missing import columns_seen
from sklstm._series.out_of_core import Spool
from sklstm._series.panel import ALONE, has_levels, is_panel, joined, places
from sklstm._series.static import with_static
from sklstm._series.time_index import season_of
from sklstm._series.validation import (
    check_columns,
    check_numbers,
    check_positive_int,
    check_size,
    check_values,
    check_weight_size,
    is_pandas,
    n_dims,
)
from sklstm._utils.disk_arrays import blocks, in_file, unloaded
from sklstm._windows.dataset import merge_repeated
from sklstm._windows.normalization import WindowNorm, check_holds_seasons
from sklstm._windows.problem import SeriesProblem, WindowsProblem


class InputForms:
    """How `LSTMForecaster` reads X and y.

    Each `_*_problem` returns what is to be learned, and the fitted attributes that
    follow from the data alone.
    """

    def _problem(self, X, y, sample_weight, reset, static=None):
        if isinstance(X, Iterator):
            return self._spooled_problem(X, y, sample_weight, reset, static)
        X, y = unloaded(X), unloaded(y)
        if y is None:
            return self._series_problem(X, sample_weight, reset, static)
        if self.window_length is None or (not is_panel(X) and n_dims(X) == 3):
            if static is not None:
                raise ValueError(
                    "static_features are of series, but the rows of X are ready-made "
                    "windows. Put them into X."
                )
            return self._windows_problem(X, y, sample_weight, reset)
        return self._regression_problem(X, y, sample_weight, reset, static)

    def _series_problem(self, X, sample_weight, reset, static):
        where, table, y = self._read_series(X, reset)
        return self._row_problem(
            "series", X, table, where, y, None, sample_weight, reset, static
        )

    def _read_series(self, X, reset):
        """Whose rows are which, the rows, and their values."""
        where, table = places(X), joined(X)
        y = check_values(table, allow_nan=True)
        if n_dims(table) == 2:
            validate_data(self, table, skip_check_array=True, reset=reset)
        else:
            self.n_features_in_ = 1
            self.__dict__.pop("feature_names_in_", None)
        if self.past_covariates is not None:
            raise ValueError(
                "past_covariates names columns of X, but the series came without any. "
                "Fit with fit(X, y), or put them into the series as more targets."
            )
        return where, table, y

    def _regression_problem(self, X, y, sample_weight, reset, static):
        where, target, y_values, X = self._read_inputs(X, y, reset)
        return self._row_problem(
            "regression", y, target, where, y_values, X, sample_weight, reset, static
        )

    def _read_inputs(self, X, y, reset):
        """As `_read_series`, of the target; and values of the inputs."""
        where, target = matching_places(X, y), joined(y)
        X = self._input_values(joined(X), reset)
        y_values = check_values(target, "y", allow_nan=True)
        check_same_length(X, y_values)
        for column in range(X.shape[1]):
            own = X[:, column][:, None]
            parts = blocks(len(own))
            if all((own[i] == y_values[i]).all(axis=0).any() for i in parts):
                raise ValueError(
                    f"Column {column} of X equals y, which would leak the target. "
                    "Remove it: past values of y are used already."
                )
        return where, target, y_values, X

    def _spooled_problem(self, parts, y, sample_weight, reset, static):
        """The problem of frames, or series, that come one by one; see `Spool`."""
        if static is not None:
            raise ValueError(
                "X gives its parts one by one, and static_features cannot come beside "
                "it. Put them into the X of pairs (X, y), as columns that do not "
                "change within a series; or pass all series at once."
            )
        if y is not None or sample_weight is not None:
            raise ValueError(
                "X gives its parts one by one, so neither y nor sample_weight can come "
                "beside it. Let it give pairs (X, y) instead; weights it cannot have."
            )
        spool, fitted = Spool(), None
        for number, part in enumerate(parts):
            first = reset and fitted is None
            X = None
            if isinstance(part, tuple):
                given = part[1]
                where, target, values, X = self._read_inputs(*part, first)
            else:
                given = part
                where, target, values = self._read_series(part, first)
            form = "series" if X is None else "regression"
            now = self._container_of(form, given, target)
            if (fitted or now) != now:
                raise ValueError(
                    f"Part {number} of X is not of the kind of those before it: it has "
                    "another container, other columns or other levels of the index. "
                    "Let all be like the first."
                )
            fitted = now
            histories = histories_of(where, values, X)
            if ALONE in histories:  # as in a list of series
                histories = {number: histories[ALONE]}
            spool.add({k: self._with_calendar(own) for k, own in histories.items()})
        if fitted is None:
            raise ValueError("X gave no part. Let it give frames or series to fit on.")
        histories = spool.histories()
        norm = None if reset else getattr(self, "_norm", None)
        problem, of_data = self._problem_of(histories, norm=norm, has_calendar=True)
        n_features = None if X is None else self.n_features_in_
        # Files go with the problem; forecasts need the ends alone.
        kept = {
            key: own.end(problem.window_length, n_features)
            for key, own in histories.items()
        }
        of_data |= {
            "_static_encoder": None,
            "_histories": kept,
            "_n_fitted": [len(own) for own in kept.values()],
        }
        return problem, fitted | of_data

    def _row_problem(
        self, form, given, target, where, y, X, sample_weight, reset, static
    ):
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                joined(sample_weight),
                np.nan_to_num(y),
                dtype=np.float64,
                ensure_non_negative=True,
            )
            check_weight_size(weights)
            weights = [weights[rows] for rows, _ in where.values()]
        encoder = None if reset else getattr(self, "_static_encoder", None)
        histories, encoder = with_static(
            histories_of(where, y, X), static, encoder, given
        )
        norm = None if reset else getattr(self, "_norm", None)
        problem, fitted = self._problem_of(histories, weights, norm)
        fitted["_static_encoder"] = encoder
        return problem, fitted | self._container_of(form, given, target)

    def _container_of(self, form, given, target):
        """Fitted attributes of what forecasts are given in."""
        if isinstance(target, pd.DataFrame):
            names = list(target.columns)
        else:
            names = target.name if isinstance(target, pd.Series) else None
        return {
            "_form": form,
            "_container": type(target) if is_pandas(target) else None,
            "_names": names,
            "_levels": list(given.index.names) if has_levels(given) else None,
            "_one_d": n_dims(target) == 1,
        }

    def _problem_of(self, histories, weights=None, norm=None, has_calendar=False):
        """The problem of histories, and the fitted attributes that follow from them.

        Parameters
        ----------
        norm : WindowNorm, default=None
            Of a network that is trained further.
        has_calendar : bool
            Whether the inputs of histories end in calendar features already.
        """
        for key, history in histories.items():
            seen = columns_seen(history.y)
            if not seen.all():
                whose = "" if key is ALONE else f" of the series {key!r}"
                raise ValueError(
                    f"Column {int(np.argmin(seen))}{whose} holds no value at all, so "
                    "that there is nothing to forecast. Drop it."
                )
        past = self._past_columns()
        norm = self._norm_of(histories) if norm is None else norm
        problem = SeriesProblem(
            [
                history if has_calendar else self._with_calendar(history)
                for history in histories.values()
            ],
            weights,
            window_length=self._window_length(histories, norm),
            horizon=self.horizon,
            stride=self.stride,
            scaler=self.scaler,
            norm=norm,
            past=past,
        )
        return problem, {
            "_histories": histories,
            "_n_fitted": [len(history) for history in histories.values()],
            "_past": past,
            "_norm": problem.norm,
            "window_length_": problem.window_length,
        }

    def _norm_of(self, histories):
        """What windows are measured by."""
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
        # The level of one series is a place it may come back to; of many, each is new.
        shows_level = kind == "level" and len(histories) == 1
        return WindowNorm(
            "last" if kind == "level" else kind,
            tuple(map(int, seasons)),
            self.deseasonalize,
            shows_level,
        )

    def _window_length(self, histories, norm):
        if self.window_length is None:
            usual = int(np.median([len(history) for history in histories.values()]))
            wanted = 2 * max(norm.seasons, default=12)
            length = max(1, min(wanted, usual // 3))
        else:
            length = self.window_length
        if norm.deseasonalize:
            check_holds_seasons(length, norm.seasons)
        return length

    def _with_static(self, histories, static, data):
        """Histories with the static features given, or those of the same key."""
        encoder = getattr(self, "_static_encoder", None)
        if encoder is None and static is not None:
            raise ValueError(
                "The forecaster was fitted without static_features, so it knows "
                "nothing to do with them. Leave them out, or fit with them."
            )
        if encoder is not None and static is None:
            new = [key for key in histories if key not in self._histories]
            if new or self._levels is None:
                raise ValueError(
                    "The forecaster was fitted with static_features, and those of the "
                    f"series {(new or list(histories))[0]!r} are not known. Pass "
                    "static_features= beside history=."
                )
            known = self._histories
            return {
                key: replace(history, static=known[key].static)
                for key, history in histories.items()
            }
        return with_static(histories, static, encoder, data)[0]

    def _with_calendar(self, history):
        """A history whose inputs end in calendar features."""
        if self.calendar is None:  # inputs may lie in a file, and stay there
            return history
        return replace(history, X=self._inputs_at(history, np.arange(len(history))))

    def _inputs_at(self, history, rows):
        """Inputs and calendar features at rows, on a last axis; None without any."""
        parts = []
        if history.X is not None:
            parts.append(history.inputs(rows))
        if self.calendar is not None:
            check_calendar(self.calendar, history.index)
            first = rows.min()
            stamps = history.stamps(first, rows.max() + 1)
            parts.append(calendar_features(stamps, self.calendar)[rows - first])
        return np.concatenate(parts, axis=-1) if parts else None

    def _past_columns(self):
        """Which columns of X, then of the calendar, are not known ahead, or None."""
        if self.past_covariates is None:
            return None
        names = list(getattr(self, "feature_names_in_", range(self.n_features_in_)))
        unknown = [name for name in self.past_covariates if name not in names]
        if unknown:
            raise ValueError(
                f"past_covariates has {unknown}, but the columns of X are {names}. "
                "Name some of these."
            )
        past = [name in self.past_covariates for name in names]
        n_calendar = sum(2 if isinstance(c, str) else 1 for c in self.calendar or ())
        return np.array(past + n_calendar * [False])

    def _windows_problem(self, X, y, sample_weight, reset):
        timed = is_pandas(X) and isinstance(X.index, (pd.DatetimeIndex, pd.PeriodIndex))
        if timed or is_panel(X) and is_panel(y):
            raise ValueError(
                "X has a time index or many series and comes with y, so its rows are "
                "time steps, but window_length is None, which means ready-made "
                "windows. Set window_length, or pass X.to_numpy()."
            )
        X, y = self._check_windows(X, y, reset)
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        check_weight_size(weights)
        if not weights.any():
            raise ValueError(
                "sample_weight is zero for every row, so no weight is left to train on."
            )
        X, columns, weights = merge_repeated(X, y.reshape(len(y), 1, -1), weights)
        problem = WindowsProblem(X, columns, weights, self.scaler)
        return problem, {
            "_form": "windows",
            "_one_d": y.ndim == 1,
            "window_length_": X.shape[1],
        }

    def _check_windows(self, X, y=None, reset=False):
        """Windows of shape (n_windows, window_length, n_features), and y."""
        target = {} if y is None else {"y": y, "multi_output": True, "y_numeric": True}
        check_columns(X)
        three_d = n_dims(X) == 3
        check_numbers(X)
        if y is not None:
            check_numbers(y, "y")
        if not three_d:
            checked = validate_data(
                self,
                X,
                reset=reset,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                **target,
            )
            if y is None:
                return check_size(checked)[:, :, None], None
            X, y = checked
            return check_size(X)[:, :, None], check_size(y.astype(np.float64), "y")
        finite = {"ensure_all_finite": "allow-nan"}
        X = check_array(X, dtype=np.float64, allow_nd=True, input_name="X", **finite)
        if self.window_length is not None:
            if X.shape[1] < self.window_length:
                raise ValueError(
                    f"X has windows of {X.shape[1]} steps, but window_length="
                    f"{self.window_length} needs at least as many. Pass longer windows "
                    "or shorten window_length."
                )
            X = X[:, -self.window_length :]
        if not X.size:
            raise ValueError(
                f"X has windows of shape {X.shape[1:]}, which hold no value. Pass at "
                "least one step and one feature."
            )
        check_size(X)
        if not reset and X.shape[1:] != self._spec_.window_shape:
            raise ValueError(
                f"X has windows of shape {X.shape[1:]}, but LSTMForecaster was fitted "
                f"with {self._spec_.window_shape}. Pass windows of that shape."
            )
        if y is not None:
            _, y = check_X_y(X[:, 0], y, multi_output=True, y_numeric=True, **finite)
            y = check_size(y.astype(np.float64), "y")
        if reset:
            self.n_features_in_ = X.shape[2]
            self.__dict__.pop("feature_names_in_", None)
        return X, y

    def _check_rows(self, X, ahead=False):
        """Values of rows like those passed to `fit`, and which rows are whose.

        Of rows ahead, `past_covariates` are not read.
        """
        where, table = places(X), joined(X)
        if self._form == "series":
            values = check_values(table, allow_nan=True)
            n_columns = self._n_targets
            if n_dims(table) == 2:
                validate_data(self, table, skip_check_array=True, reset=False)
            elif values.shape[1] != n_columns:
                raise ValueError(
                    f"X has 1 column, but the fitted series has {n_columns}. Pass rows "
                    "of shape (n_timesteps, n_columns)."
                )
        else:
            if ahead:
                table = self._without_past(table)
            values = self._input_values(table)
        self._check_keys(where)
        return values, where

    def _input_values(self, table, reset=False):
        """Inputs as numbers; those that `past_covariates` names may be missing."""
        partly = self.past_covariates is not None
        if is_pandas(table):
            check_values(table, allow_nan=partly)
        else:
            check_numbers(table)
        finite = {"ensure_all_finite": "allow-nan" if partly else True}
        dtype = FLOAT_DTYPES if in_file(table) else np.float64
        X = validate_data(self, table, reset=reset, dtype=dtype, **finite)
        if partly:
            past = self._past_columns()[: X.shape[1]]
            if any(np.isnan(X[i][:, ~past]).any() for i in blocks(len(X))):
                check_values(np.where(past, 0.0, X))  # says where
        return check_size(X)

    def _without_past(self, X):
        """X with zeros for what is not known ahead."""
        if self._past is None or np.shape(X)[1:] != (self.n_features_in_,):
            return X  # validate_data says what is wrong
        names = _get_feature_names(X)  # of polars and Arrow frames, too
        frame = pd.DataFrame(X if is_pandas(X) else np.asarray(X)).copy()
        if names is not None:
            frame.columns = names
        frame[frame.columns[self._past[: self.n_features_in_]]] = 0.0
        return frame if is_pandas(X) or names is not None else frame.to_numpy()

    def _check_keys(self, where):
        """Raise where rows of one series come for many, or the other way round."""
        alone = ALONE in self._histories
        if alone != (ALONE in where):
            raise ValueError(
                "The forecaster was fitted with "
                + ("one series, but X holds many." if alone else "many series, but X ")
                + ("" if alone else "does not say whose its rows are.")
                + " Pass rows in the form that fit took."
            )
        unknown = [key for key in where if key not in self._histories]
        if unknown:
            raise ValueError(
                f"X has rows of {unknown[0]!r}, a series that is not in the history. "
                "Give forecast its past by history=, or fit with it."
            )


def histories_of(where, y, X):
    """{key: `History`} of tables of rows."""
    return {
        key: History(y[rows], None if X is None else X[rows], index)
        for key, (rows, index) in where.items()
    }


def matching_places(X, y):
    """`places` of X and y, whose rows must be the same."""
    where, of_y = places(X), places(y, "y")
    timed = ALONE not in where or where[ALONE][1] is not None
    if timed and is_pandas(X) and is_pandas(y) and not y.index.equals(X.index):
        raise ValueError(
            "X and y have different indexes. Align them first, for example "
            "y = y.loc[X.index]."
        )
    if ALONE in where and ALONE in of_y:
        return where if timed else of_y
    if has_levels(X) and not is_panel(y):
        return where
    if {key: len(rows) for key, (rows, _) in where.items() if key is not ALONE} != {
        key: len(rows) for key, (rows, _) in of_y.items() if key is not ALONE
    }:
        raise ValueError(
            "X and y hold other series, or series of other lengths. Pass both as lists "
            "of equally long parts, or with the same index."
        )
    return where


def check_same_length(X, y):
    if len(X) != len(y):
        raise ValueError(
            f"X has {len(X)} rows, but y has {len(y)}. Pass a row of X for each of y."
        )
