"""How far off a forecast may be: quantiles and intervals."""

from numbers import Real

import numpy as np
import pandas as pd

from sklstm import _scaling
from sklstm._conformal import restless
from sklstm._missing import windows_of

# Origins before the first one asked for that its width still depends on.
MAX_TRACKED = 1000


class Intervals:
    """Quantiles of the forecasts of `LSTMForecaster`."""

    def forecast_quantiles(
        self,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        quantiles=(0.1, 0.5, 0.9),
    ):
        """Values that the future stays below with given probabilities.

        The spread is that of the errors on the validation block (split-conformal
        prediction [1]_): symmetric about the forecast on the scaler's axis, wider with
        each step, and wider where the last `window_length` rows move more. Rows that
        `update` or `backtest` have added since the fit correct it: where more of them
        were missed than should be, it widens, and narrows where fewer were [2]_.

        Parameters
        ----------
        steps, X, history, series
            As for `forecast`.
        quantiles : sequence of float, default=(0.1, 0.5, 0.9)
            Probabilities, each between 0 and 1.

        Returns
        -------
        DataFrame or ndarray
            One row a step and one column a quantile, in the units of the target; with
            several targets, columns (target, quantile), or an array of shape
            (steps, n_targets, n_quantiles).

        Raises
        ------
        ValueError
            If a quantile is not between 0 and 1, there was no validation block, or
            `forecast` raises.

        References
        ----------
        .. [1] Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018),
           "Distribution-free predictive inference for regression", JASA 113.
        .. [2] Angelopoulos, Candès and Tibshirani (2023), "Conformal PID control for
           time series prediction", NeurIPS 36.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> f.fit(load_air_passengers()).forecast_quantiles(6).shape
        (6, 3)
        """
        check_probabilities("quantiles", quantiles)
        return self._spread_out(steps, X, history, series, quantiles, quantiles)

    def forecast_interval(
        self, steps=None, X=None, history=None, *, series=None, coverage=0.9
    ):
        """Intervals that hold the future with a given probability, step by step.

        Parameters
        ----------
        steps, X, history, series
            As for `forecast`.
        coverage : float, default=0.9
            Share of future values inside, between 0 and 1. As many are left out below
            as above.

        Returns
        -------
        DataFrame or ndarray
            Columns lower and upper; see `forecast_quantiles`, which names errors and
            source.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> list(f.fit(load_air_passengers()).forecast_interval(6).columns)
        ['lower', 'upper']
        """
        check_probabilities("coverage", (coverage,))
        tails = (0.5 - coverage / 2, 0.5 + coverage / 2)
        return self._spread_out(steps, X, history, series, tails, ("lower", "upper"))

    def _spread_out(self, steps, X, history, series, quantiles, names):
        at, steps, origins, forecasts = self._forecasts(steps, X, history, series)
        spread = np.moveaxis(at._quantiles(forecasts, origins, quantiles), 0, -1)
        made = {
            key: (values, at._ahead(at._histories[key], steps))
            for key, values in zip(origins, spread, strict=True)
        }

        def framed(part):
            values, index = part
            if self._container is None:
                return values[:, 0] if self._one_d else values
            columns = list(names)
            if not self._one_d:
                columns = pd.MultiIndex.from_product([self._names, names])
            flat = values.reshape(len(values), -1)
            return pd.DataFrame(flat, index=index, columns=columns)

        return at._gathered(made, framed)

    def _quantiles(self, forecasts, origins, quantiles):
        """Quantiles about forecasts of shape (n_origins, steps, n_targets).

        The spread is symmetric about the scaled forecast, so that quantiles never
        cross.

        Parameters
        ----------
        origins : dict of key to Origins

        Returns
        -------
        ndarray of shape (n_quantiles, n_origins, steps, n_targets)
        """
        if self._spread is None:
            raise ValueError(
                "Quantiles need errors on a validation block, and there was none. Fit "
                "with validation_fraction above 0, on a longer series if need be."
            )
        ends = np.cumsum([len(rows) for _, rows, _ in origins.values()])[:-1]
        parts = zip(origins.items(), np.split(forecasts, ends), strict=True)
        spread = [self._spread_of(*origin, own, quantiles) for origin, own in parts]
        return np.concatenate(spread, axis=1)

    def _spread_of(self, key, origins, forecasts, quantiles):
        """Quantiles of one series, of shape (n_quantiles, *forecasts.shape)."""
        n_fitted = dict(zip(self._histories, self._n_fitted, strict=True))[key]
        history, rows, scaler = origins
        first = max(min(n_fitted, rows.min()), rows.min() - MAX_TRACKED)
        since_fit = origins._replace(rows=np.arange(first, rows.max() + 1))
        errors, moves = self._errors(since_fit)
        center = _scaling.apply(forecasts, scaler)
        result = []
        for q in quantiles:
            coverage = abs(2 * q - 1)
            factor = self._spread.tracked(errors, moves, coverage)
            width = self._spread.half_width(
                coverage, forecasts.shape[1], moves[rows - first], factor[rows - first]
            )
            result.append(_scaling.invert(center + np.sign(q - 0.5) * width, scaler))
        return result

    def _errors(self, origins):
        """Scaled errors of origins, as far as known, and how their windows move."""
        history, rows, scaler = origins
        past = np.maximum(rows[:, None] + np.arange(-self.window_length_, 0), 0)
        moves = restless(_scaling.apply(windows_of(history.y, past), scaler))
        actual = np.full((len(rows), *self._spread.scale.shape), np.nan)
        if len(rows) == 1:
            return actual, moves
        ahead = rows[:, None] + np.arange(actual.shape[1])
        known = ahead < len(history)
        actual[known] = history.y[ahead[known]]
        forecasts = self._roll([origins], actual.shape[1])
        errors = _scaling.apply(actual, scaler) - _scaling.apply(forecasts, scaler)
        return errors, moves


def check_probabilities(name, values):
    for value in values:
        if not isinstance(value, Real) or not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1. Got {value!r}.")
