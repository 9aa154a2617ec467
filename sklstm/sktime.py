"""Native sktime forecaster around `sklstm.LSTMForecaster`."""

import copy
import inspect

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from sklstm import _forecaster
from sklstm._series.missing import interpolate_gaps
from sklstm._series.panel import SINGLE_SERIES, axis_of, rows_by_series
from sklstm._series.reader import read_history
from sklstm._series.time_index import continued_index, positions, step_of
from sklstm._series.validation import match_columns
from sklstm._utils.offsets import same_offset

try:
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as error:
    raise ImportError(
        "sklstm.sktime needs the package sktime. Install it with "
        "pip install 'sklstm[sktime]'."
    ) from error

__all__ = ["LSTMForecaster"]


class LSTMForecaster(BaseForecaster):
    """sktime forecaster with sktime's tags, data containers and forecasting horizons.

    Parameters and defaults are those of `sklstm.LSTMForecaster`, whose documentation
    explains them. Without exogenous X the forecaster is fitted on the series; with X it
    is fitted as a regression, and all columns of X but those in `past_covariates` are
    known ahead.

    All series of a panel or hierarchy train one network. Forecasts begin after the
    latest row of all series, also for series that end earlier. `pretrain` fits a
    network to a panel. A later `fit` on other series keeps this network, scales each
    series by itself, and trains further only with ``warm_start``.

    `update` appends rows; with ``update_params=True`` it then continues training on all
    rows from the current weights. Rows of the past are forecast one step ahead, each
    from all rows before it. Missing values of X are interpolated linearly, like those
    of the series.

    Attributes
    ----------
    forecaster_ : sklstm.LSTMForecaster
        The fitted forecaster.
    pretrained_ : sklstm.LSTMForecaster
        The forecaster that `pretrain` fitted.

    Examples
    --------
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.sktime import LSTMForecaster
    >>> passengers = load_air_passengers()
    >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
    >>> forecast = f.fit(passengers[:-12], fh=[1, 12]).predict()
    >>> [str(month) for month in forecast.index.date]
    ['1960-01-01', '1960-12-01']
    """

    _tags = {
        "authors": ["The sklstm developers"],
        "maintainers": ["The sklstm developers"],
        "python_dependencies": ["keras", "scikit-learn"],
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": True,
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:non_contiguous_X": True,
        "capability:categorical_in_X": False,
        "capability:insample": True,
        "capability:missing_values": True,
        "capability:unequal_length": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
        "capability:pretrain": True,
        "pretrain:fitted_params": ["pretrained_"],
        "capability:random_state": True,
        "property:randomness": "derandomized",
    }
    # The wrapped forecaster holds the history; a copy in sktime would double memory.
    _config = {"remember_data": False}

    def __init__(self, *args, **kwargs):
        _forecaster.LSTMForecaster.__init__(self, *args, **kwargs)
        self._y = self._X = None
        super().__init__()

    # sktime reads the parameters of a forecaster from this signature.
    __init__.__signature__ = inspect.signature(_forecaster.LSTMForecaster.__init__)

    def _pretrain(self, y, X=None, fh=None):
        core = _forecaster.LSTMForecaster(**self.get_params(deep=False))
        self.pretrained_ = core.fit(*as_arguments(*align(y, X)))
        return self

    def _pretrain_update(self, y, X=None, fh=None):
        core = copy.deepcopy(self.pretrained_).set_params(warm_start=True)
        self.pretrained_ = core.fit(*as_arguments(*align(y, X)))
        return self

    def _fit(self, y, X, fh):
        self._rows, self._inputs = align(y, X)
        self._levels, self._columns = list(y.index.names), y.columns
        pretrained = getattr(self, "pretrained_", None)
        self._alone = pretrained is None and SINGLE_SERIES in self._rows
        data = as_arguments(self._rows, self._inputs, self._alone)
        if pretrained is not None and not self.warm_start:
            # Without warm_start the network is not trained on the new series.
            history = data[0] if X is None else data
            self.forecaster_ = pretrained._copy()
            histories = read_history(pretrained, history)
            self.forecaster_._state = pretrained._state.at_end_of(
                histories, pretrained.scaler
            )
            return self
        # A copy, because another fit may start from the same pretrained network.
        core = copy.deepcopy(pretrained)
        if core is None:
            core = _forecaster.LSTMForecaster(**self.get_params(deep=False))
        self.forecaster_ = core.fit(*data)
        return self

    def _update(self, y, X=None, update_params=True):
        y = series_of(unnamed(match_columns(y, list(self._columns))))
        X = series_of(self._in_order(X))
        unknown = [key for key in y if key not in self._rows]
        if unknown:
            raise ValueError(
                f"update has rows of the series {unknown[0]!r}, which fit did not get. "
                "Fit with it, or pretrain on many series and fit on this one."
            )
        if (X is None) != (self._inputs is None):
            raise ValueError(
                "update takes what fit took: X where fit got X, and none otherwise."
            )
        new_y: dict = {}
        new_X: dict | None = None if X is None else {}
        for key, known in self._rows.items():
            rows = y.get(key, known.iloc[:0])
            steps = rows_at(rows.index, known.index).max(initial=-1) + 1 - len(known)
            index = known.index[:0]
            if steps > 0:
                index = continued_index(known.index, steps)
            # Stamps that sktime left out become missing values: steps stay regular.
            new_y[key] = rows.reindex(index)
            if new_X is not None:
                new_X[key] = inputs_at(
                    index, X.get(key, self._inputs[key]), self._inputs[key]
                )
        if any(map(len, new_y.values())):
            self.forecaster_.update(*as_arguments(new_y, new_X, self._alone))
            self._rows = append_rows(self._rows, new_y)
            self._inputs = None if X is None else append_rows(self._inputs, new_X)
        if update_params:
            core = self.forecaster_.set_params(warm_start=True)
            core.fit(*as_arguments(self._rows, self._inputs, self._alone))
        return self

    def _predict(self, fh, X):
        stamps, where = self._where(fh)
        forecasts, steps = [], self._steps(where)
        if any((where[key] < len(y)).any() for key, y in self._rows.items()):
            # Only rows from the first one asked for: predicting all would take longer.
            rows = {
                key: data.iloc[np.clip(where[key].min(), 0, len(data) - 1) :]
                for key, data in (self._inputs or self._rows).items()
            }
            data = as_arguments(rows, None, self._alone)
            forecasts.append(self.forecaster_.predict(*data))
        if steps > 0:
            ahead = self._ahead(X, where, steps)
            forecasts.append(self.forecaster_.forecast(steps, ahead))
        return self._at(stamps, forecasts, self._columns)

    def _predict_quantiles(self, fh, X, alpha):
        stamps, where = self._where(fh)
        steps = self._steps(where)
        ahead = self._ahead(X, where, steps)
        quantiles = self.forecaster_.forecast_quantiles(steps, ahead, quantiles=alpha)
        columns = pd.MultiIndex.from_product([self._columns, alpha])
        return self._at(stamps, [quantiles], columns)

    def _where(self, fh):
        """Return the stamps of a horizon, and their row numbers in each series."""
        index = max((y.index for y in self._rows.values()), key=lambda index: index[-1])
        step = step_of(index)
        if fh.is_relative and not is_frequency_of(index, step):
            steps = np.asarray(fh.to_pandas()) + len(index) - 1
            if steps.min() < 0:
                raise ValueError(
                    f"fh asks for a row {-steps.min()} before the first of the fitted "
                    "series. Leave it out."
                )
            ahead = continued_index(index, max(steps.max() + 1 - len(index), 1), step)
            stamps = index.append(ahead)[steps]
        elif isinstance(index, pd.DatetimeIndex):
            # sktime infers no frequency from a panel, so relative horizons need it.
            fh = ForecastingHorizon(
                fh.to_pandas(), is_relative=fh.is_relative, freq=step
            )
            stamps = fh.to_absolute_index(self.cutoff)
        else:
            stamps = fh.to_absolute_index(self.cutoff)
        stamps = stamps.rename(self._levels[-1])
        return stamps, {key: rows_at(stamps, y.index) for key, y in self._rows.items()}

    def _steps(self, where):
        """Return the steps from the end of a series to the furthest row asked for."""
        return max(where[key].max() + 1 - len(y) for key, y in self._rows.items())

    def _ahead(self, X, where, steps):
        """Return X at the steps after each series, interpolated between its rows."""
        if self._inputs is None or X is None:
            return X  # The forecaster's own error says whether X is missing or unused.
        inputs, ahead = series_of(self._in_order(self._with_past(X))), {}
        horizon = self.forecaster_._spec_.output_shape[0]
        n_read = -(-steps // horizon) * horizon
        for key, known in self._rows.items():
            index = continued_index(known.index, n_read)
            if key in inputs:  # rows beyond the steps count as far as they are given
                given = index.isin(inputs[key].index)
                last = n_read - int(np.argmax(given[::-1])) if given.any() else 0
                index = index[: max(last, steps)]
            asked = index[where[key][where[key] >= len(known)] - len(known)]
            if key not in inputs or not asked.isin(inputs[key].index).all():
                raise ValueError(
                    "X must hold a row for every stamp of fh after the fitted series, "
                    f"of each series: from {asked[0]} to {asked[-1]}. Add the rows."
                )
            ahead[key] = inputs_at(index, inputs[key], self._inputs[key])
        return as_arguments(ahead, None, self._alone)[0]

    def _with_past(self, X):
        """Return X with columns that are not known ahead, which may be left out."""
        columns = next(iter(self._inputs.values())).columns
        left_out = set(columns) - set(X.columns)
        if left_out and left_out <= set(self.past_covariates or ()):
            return X.reindex(columns=columns)
        return X

    def _in_order(self, X):
        """Return X with its columns in the order of `fit`."""
        if X is None or self._inputs is None:
            return X
        return match_columns(X, list(next(iter(self._inputs.values())).columns), "X")

    def _at(self, stamps, forecasts, columns):
        """Select forecasts at the stamps, in sktime's container."""
        if self._alone:
            forecasts = [[frame] for frame in forecasts]
        frames = [
            pd.concat(parts).reindex(stamps) for parts in zip(*forecasts, strict=True)
        ]
        parts = [frame.set_axis(stamps).set_axis(columns, axis=1) for frame in frames]
        if SINGLE_SERIES in self._rows:
            return parts[0]
        return pd.concat(parts, keys=list(self._rows), names=self._levels)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameters with which sktime tests the class.

        Parameters
        ----------
        parameter_set : str, default="default"
            Ignored; all sets of parameters are the same.

        Returns
        -------
        list of dict
        """
        small = {"window_length": 3, "units": 2, "epochs": 1, "random_state": 0}
        return [small, small | {"horizon": 2, "cell": "gru", "window_norm": None}]


def is_frequency_of(index, step) -> bool:
    """Whether sktime finds a step: it is 1, the index has it, or its name gives it."""
    if isinstance(index, pd.PeriodIndex):
        return step == index.freq
    if isinstance(step, int):
        return step == 1
    try:
        return same_offset(to_offset(step.freqstr), step)
    except ValueError:
        return False


def unnamed(y):
    """Number the columns of y, because a pretrained network meets other names."""
    return y.set_axis(range(y.shape[1]), axis=1)


def series_of(data):
    """Return {key: frame with a regular time index}, or None if data is None."""
    if data is None:
        return None
    if data.index.nlevels == 1:
        return {SINGLE_SERIES: data.set_axis(axis_of(data.index, "y"))}
    parts = rows_by_series(data, "y").items()
    return {key: data.iloc[rows].set_axis(index) for key, (rows, index) in parts}


def align(y, X):
    """Return the series of y, and the inputs of X at the same rows."""
    y, X = series_of(unnamed(y)), series_of(X)
    if X is None:
        return y, None
    return y, {
        key: inputs_at(rows.index, X[key], X[key].iloc[:0]) for key, rows in y.items()
    }


def as_arguments(y, X=None, alone=False):
    """Return the forecaster's arguments: (y,) or (X, y), of one series or of many."""
    parts = [list(data.values()) for data in (X, y) if data is not None]
    return tuple(series[0] for series in parts) if alone else tuple(parts)


def rows_at(stamps, index):
    """Return row numbers of stamps, also beyond the index; -1 before its first row."""
    if isinstance(index, pd.RangeIndex):
        numbers = np.asarray(stamps)
        off = (numbers - index.start) % index.step != 0
        if off.any():
            raise ValueError(
                f"A row is asked for or given at {numbers[off][0]}, but the rows of "
                f"the fitted series are {index.step} apart, from {index.start} on. "
                "Name rows on that grid."
            )
        return np.maximum((numbers - index.start) // index.step, -1)
    rows = np.full(len(stamps), -1)
    later = stamps >= index[0]
    rows[later] = positions(stamps[later], index, len(index), step_of(index))
    return rows


def inputs_at(index, X, known):
    """Return X at an index after the known rows, with missing values interpolated."""
    # The last known row is the left end of a line over a gap at the start.
    rows = pd.concat([known.iloc[-1:], X.reindex(index)]).astype(float)
    rows = interpolate_gaps(rows.to_numpy())[len(rows) - len(index) :]
    return pd.DataFrame(rows, index, X.columns)


def append_rows(series, new):
    return {key: pd.concat([rows, new[key]]) for key, rows in series.items()}
