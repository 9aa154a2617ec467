"""The three forms of input of `LSTMForecaster`: read, checked, made into a problem."""

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import _check_sample_weight, validate_data

from sklstm._calendar import calendar_features, check_calendar
from sklstm._problems import SeriesProblem, WindowsProblem
from sklstm._validation import (
    check_values,
    is_pandas,
    n_dims,
    season_of,
    time_index,
)
from sklstm._windows import merge_repeated


class InputForms:
    """How `LSTMForecaster` reads X and y.

    Each `_*_problem` returns what is to be learned, and the fitted attributes that
    follow from the data alone.
    """

    def _series_problem(self, X, sample_weight, reset):
        index = time_index(X)
        y = check_values(X)
        window_length = self.window_length
        if window_length is None:
            season = season_of(index)
            window_length = 24 if season is None else 2 * season
            window_length = max(1, min(window_length, len(y) // 3))
        if n_dims(X) == 2:
            validate_data(self, X, skip_check_array=True, reset=reset)
        else:
            self.n_features_in_ = 1
            self.__dict__.pop("feature_names_in_", None)
        return self._row_problem(
            "series", X, y, None, index, window_length, sample_weight
        )

    def _regression_problem(self, X, y, sample_weight, reset):
        index = time_index(X)
        if index is None:
            index = time_index(y, "y")
        elif is_pandas(y) and not y.index.equals(X.index):
            raise ValueError(
                "X and y have different indexes. Align them first, for example "
                "y = y.loc[X.index]."
            )
        if is_pandas(X):
            check_values(X)
        target = y
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            dtype=np.float64,
            multi_output=True,
            y_numeric=True,
        )
        y = check_values(y, "y")
        for column in range(X.shape[1]):
            if (X[:, column][:, None] == y).all(axis=0).any():
                raise ValueError(
                    f"Column {column} of X equals y, which would leak the target. "
                    "Remove it: past values of y are used already."
                )
        return self._row_problem(
            "regression", target, y, X, index, self.window_length, sample_weight
        )

    def _row_problem(self, form, target, y, X, index, window_length, sample_weight):
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
        inputs = X
        if self.calendar is not None:
            check_calendar(self.calendar, index)
            inputs = calendar_features(index, self.calendar)
            inputs = inputs if X is None else np.concatenate([X, inputs], axis=1)
        problem = SeriesProblem(
            y,
            inputs,
            weights,
            window_length,
            self.horizon,
            self.stride,
            self.scaler,
            self.window_norm == "last",
        )
        if isinstance(target, pd.DataFrame):
            names = list(target.columns)
        else:
            names = target.name if isinstance(target, pd.Series) else None
        return problem, {
            "_form": form,
            "_history": y,
            "_X_history": X,
            "_index": index,
            "_container": type(target) if is_pandas(target) else None,
            "_names": names,
            "_one_d": n_dims(target) == 1,
            "window_length_": window_length,
        }

    def _windows_problem(self, X, y, sample_weight, reset):
        if is_pandas(X) and isinstance(X.index, (pd.DatetimeIndex, pd.PeriodIndex)):
            raise ValueError(
                "X has a time index and comes with y, so its rows are time steps, but "
                "window_length is None, which means ready-made windows. Set "
                "window_length, or pass X.to_numpy()."
            )
        X, y = self._check_windows(X, y, reset)
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError(
                "sample_weight is zero for every row, so no weight is left to train on."
            )
        X, columns, weights = merge_repeated(X, y.reshape(len(y), 1, -1), weights)
        problem = WindowsProblem(X, columns, weights, self.scaler)
        return problem, {
            "_form": "windows",
            "_index": None,
            "_one_d": y.ndim == 1,
            "window_length_": X.shape[1],
        }

    def _check_windows(self, X, y=None, reset=False):
        """Windows of shape (n_windows, window_length, n_features), and y."""
        target = {} if y is None else {"y": y, "multi_output": True, "y_numeric": True}
        if n_dims(X) != 3:
            checked = validate_data(self, X, reset=reset, dtype=np.float64, **target)
            X, y = (checked, None) if y is None else checked
            return X[:, :, None], y
        X = check_array(X, dtype=np.float64, allow_nd=True, input_name="X")
        if self.window_length is not None:
            if X.shape[1] < self.window_length:
                raise ValueError(
                    f"X has windows of {X.shape[1]} steps, but window_length="
                    f"{self.window_length} needs at least as many. Pass longer windows "
                    "or shorten window_length."
                )
            X = X[:, -self.window_length :]
        if not reset and X.shape[1:] != self._spec_.window_shape:
            raise ValueError(
                f"X has windows of shape {X.shape[1:]}, but LSTMForecaster was fitted "
                f"with {self._spec_.window_shape}. Pass windows of that shape."
            )
        if y is not None:
            _, y = check_X_y(X[:, 0], y, multi_output=True, y_numeric=True)
        if reset:
            self.n_features_in_ = X.shape[2]
            self.__dict__.pop("feature_names_in_", None)
        return X, y

    def _check_rows(self, X):
        """Values and time index of rows like those passed to `fit`."""
        if self._form == "series":
            values = check_values(X)
            if n_dims(X) == 2:
                validate_data(self, X, skip_check_array=True, reset=False)
            elif values.shape[1] != self._history.shape[1]:
                raise ValueError(
                    f"X has 1 column, but the fitted series has "
                    f"{self._history.shape[1]}."
                )
            return values, time_index(X)
        if is_pandas(X):
            check_values(X)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return values, time_index(X)
