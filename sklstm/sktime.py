"""The forecaster as a native one of sktime, on sktime's own data and horizons."""

import copy
import inspect

import numpy as np
import pandas as pd

from sklstm import _forecaster
from sklstm._series.missing import bridged
from sklstm._series.panel import SINGLE_SERIES, axis_of, rows_by_series
from sklstm._series.time_index import continued_index, positions, step_of

try:
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as error:
    raise ImportError(
        "sklstm.sktime needs the package sktime. Install it with "
        "pip install 'sklstm[sktime]'."
    ) from error

__all__ = ["LSTMForecaster"]


class LSTMForecaster(BaseForecaster):
    """`sklstm.LSTMForecaster` for sktime: its tags, data and forecasting horizons.

    Parameters and defaults are those of `sklstm.LSTMForecaster`, which says what they
    do. Without exogenous X it is fitted in its series form, with X in its regression
    form: X holds what is known ahead, but for the columns in `past_covariates`.

    Of panels and hierarchies all series train one network; a forecast stands after
    the last row of all, also of series that end before it. `pretrain` learns a network
    from a panel, which `fit` then takes over: it stands at the end of the series that
    it is given, each scaled by itself, and trains on from there with ``warm_start``
    alone.

    `update` appends rows; with ``update_params=True`` it then trains further on all
    of them, from the weights it has. Rows of the past are forecast one step ahead, each
    from all rows before it. Missing values of X are bridged by lines, as those of
    the series are.

    Attributes
    ----------
    forecaster_ : sklstm.LSTMForecaster
        Fitted.
    pretrained_ : sklstm.LSTMForecaster
        After `pretrain`.

    Examples
    --------
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.sktime import LSTMForecaster
    >>> passengers = load_air_passengers()
    >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
    >>> f.fit(passengers[:-12], fh=[1, 12]).predict().index
    DatetimeIndex(['1960-01-01', '1960-12-01'], dtype='datetime64[...]', ...)
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
    # The forecaster keeps its history itself: sktime need not, but may be told to.
    _config = {"remember_data": False}

    def __init__(self, *args, **kwargs):
        _forecaster.LSTMForecaster.__init__(self, *args, **kwargs)
        self._y = self._X = None
        super().__init__()

    # Where sktime reads what the parameters are.
    __init__.__signature__ = inspect.signature(_forecaster.LSTMForecaster.__init__)

    def _pretrain(self, y, X=None, fh=None):
        core = _forecaster.LSTMForecaster(**self.get_params(deep=False))
        self.pretrained_ = core.fit(*as_given(*aligned(y, X)))
        return self

    def _pretrain_update(self, y, X=None, fh=None):
        core = copy.deepcopy(self.pretrained_).set_params(warm_start=True)
        self.pretrained_ = core.fit(*as_given(*aligned(y, X)))
        return self

    def _fit(self, y, X, fh):
        self._rows, self._inputs = aligned(y, X)
        self._levels, self._columns = list(y.index.names), y.columns
        pretrained = getattr(self, "pretrained_", None)
        self._alone = pretrained is None and SINGLE_SERIES in self._rows
        given = as_given(self._rows, self._inputs, self._alone)
        if pretrained is not None and not self.warm_start:
            history = given[0] if X is None else given
            self.forecaster_ = pretrained._copy()
            self.forecaster_._state = pretrained._state_after(history)
            return self
        core = copy.deepcopy(pretrained)
        if core is None:
            core = _forecaster.LSTMForecaster(**self.get_params(deep=False))
        self.forecaster_ = core.fit(*given)
        return self

    def _update(self, y, X=None, update_params=True):
        y, X = series_of(unnamed(y)), series_of(X)
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
        new_y, new_X = {}, None if X is None else {}
        for key, known in self._rows.items():
            own = y.get(key, known.iloc[:0])
            steps = rows_at(own.index, known.index).max(initial=-1) + 1 - len(known)
            index = known.index[:0]
            if steps > 0:
                index = continued_index(known.index, steps)
            new_y[key] = own.reindex(index)
            if X is not None:
                new_X[key] = inputs_at(
                    index, X.get(key, self._inputs[key]), self._inputs[key]
                )
        if any(map(len, new_y.values())):
            self.forecaster_.update(*as_given(new_y, new_X, self._alone))
            self._rows = appended(self._rows, new_y)
            self._inputs = None if X is None else appended(self._inputs, new_X)
        if update_params:
            core = self.forecaster_.set_params(warm_start=True)
            core.fit(*as_given(self._rows, self._inputs, self._alone))
        return self

    def _predict(self, fh, X):
        stamps, where = self._where(fh)
        made, steps = [], self._steps(where)
        if any((where[key] < len(y)).any() for key, y in self._rows.items()):
            rows = {
                key: own.iloc[np.clip(where[key].min(), 0, len(own) - 1) :]
                for key, own in (self._inputs or self._rows).items()
            }
            made.append(self.forecaster_.predict(*as_given(rows, None, self._alone)))
        if steps > 0:
            ahead = self._ahead(X, where, steps)
            made.append(self.forecaster_.forecast(steps, ahead))
        return self._at(stamps, made, self._columns)

    def _predict_quantiles(self, fh, X, alpha):
        stamps, where = self._where(fh)
        steps = self._steps(where)
        ahead = self._ahead(X, where, steps)
        spread = self.forecaster_.forecast_quantiles(steps, ahead, quantiles=alpha)
        columns = pd.MultiIndex.from_product([self._columns, alpha])
        return self._at(stamps, [spread], columns)

    def _where(self, fh):
        """The stamps of a horizon, and which rows of each series they are."""
        index = next(iter(self._rows.values())).index
        if isinstance(index, pd.DatetimeIndex):  # sktime knows no step of panels
            values, step = fh.to_pandas(), step_of(index)
            fh = ForecastingHorizon(values, is_relative=fh.is_relative, freq=step)
        stamps = fh.to_absolute_index(self.cutoff).rename(self._levels[-1])
        return stamps, {key: rows_at(stamps, y.index) for key, y in self._rows.items()}

    def _steps(self, where):
        """How far after the end of its series the furthest row stands."""
        return max(where[key].max() + 1 - len(y) for key, y in self._rows.items())

    def _ahead(self, X, where, steps):
        """Inputs of the steps after each series; between given rows stand lines."""
        if self._inputs is None or X is None:
            return X  # the forecaster says which of the two is wrong
        given, ahead = series_of(X), {}
        for key, known in self._rows.items():
            index = continued_index(known.index, steps)
            asked = index[where[key][where[key] >= len(known)] - len(known)]
            if key not in given or not asked.isin(given[key].index).all():
                raise ValueError(
                    "X must hold a row for every stamp of fh after the fitted series, "
                    f"of each series. {asked[0]} to {asked[-1]} are asked for."
                )
            ahead[key] = inputs_at(index, given[key], self._inputs[key])
        return as_given(ahead, None, self._alone)[0]

    def _at(self, stamps, made, columns):
        """Rows at the stamps of what the forecaster gave, as sktime wants them."""
        if self._alone:
            made = [[frame] for frame in made]
        parts = [pd.concat(own).reindex(stamps) for own in zip(*made, strict=True)]
        parts = [own.set_axis(stamps).set_axis(columns, axis=1) for own in parts]
        if SINGLE_SERIES in self._rows:
            return parts[0]
        return pd.concat(parts, keys=list(self._rows), names=self._levels)

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Parameters with which sktime tests the class.

        Parameters
        ----------
        parameter_set : str, default="default"

        Returns
        -------
        list of dict
        """
        small = {"window_length": 3, "units": 2, "epochs": 1, "random_state": 0}
        return [small, small | {"horizon": 2, "cell": "gru", "window_norm": None}]


def unnamed(y):
    """A target without names: another series may take a pretrained network over."""
    return y.set_axis(range(y.shape[1]), axis=1)


def series_of(data):
    """{key: frame on a regular time index} of one series or many; None of None."""
    if data is None:
        return None
    if data.index.nlevels == 1:
        return {SINGLE_SERIES: data.set_axis(axis_of(data.index, "y"))}
    parts = rows_by_series(data, "y").items()
    return {key: data.iloc[rows].set_axis(index) for key, (rows, index) in parts}


def aligned(y, X):
    """Series, and their inputs at the same rows."""
    y, X = series_of(unnamed(y)), series_of(X)
    if X is None:
        return y, None
    return y, {
        key: inputs_at(own.index, X[key], X[key].iloc[:0]) for key, own in y.items()
    }


def as_given(y, X=None, alone=False):
    """What the forecaster's methods take: (y,) or (X, y), of one series or many."""
    parts = [list(data.values()) for data in (X, y) if data is not None]
    return tuple(own[0] for own in parts) if alone else tuple(parts)


def rows_at(stamps, index):
    """Which rows of an axis, and beyond it, stamps are; -1 before its first."""
    if isinstance(index, pd.RangeIndex):
        return np.maximum((np.asarray(stamps) - index.start) // index.step, -1)
    rows = np.full(len(stamps), -1)
    later = stamps >= index[0]
    rows[later] = positions(stamps[later], index, len(index), step_of(index))
    return rows


def inputs_at(index, given, known):
    """Inputs at an index that follows known rows, with lines over what is missing."""
    rows = pd.concat([known.iloc[-1:], given.reindex(index)]).astype(float)
    rows = bridged(rows.to_numpy())[len(rows) - len(index) :]
    return pd.DataFrame(rows, index, given.columns)


def appended(parts, others):
    return {key: pd.concat([part, others[key]]) for key, part in parts.items()}
