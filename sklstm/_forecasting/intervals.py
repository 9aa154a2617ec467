"""How far off a forecast may be: quantiles and intervals."""

from collections.abc import Iterable
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from sklstm._forecasting.conformal import nearest, restless
from sklstm._networks.quantiles import pairs_of, widths
from sklstm._series.missing import rows_since_seen
from sklstm._series.validation import check_positive_int
from sklstm._windows import scaling

# What width sampled paths are to have at least in their middle.
PATHS_COVERAGE = 0.8
DEFAULT_QUANTILES = (0.1, 0.5, 0.9)
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
        static_features=None,
        quantiles=None,
    ):
        """Values that the future stays below with given probabilities.

        The spread is that of the errors on the validation block (split-conformal
        prediction [1]_): symmetric about the forecast on the scaler's axis, wider with
        each step, and wider where the last `window_length` rows move more. With the
        parameter `quantiles` it is that of the network, to either side, corrected by
        these errors [3]_. Rows that `update` or `backtest` have added since the fit
        correct it further: where more of them were missed than should be, it widens,
        and narrows where fewer were [2]_.

        Parameters
        ----------
        steps, X, history, series, static_features
            As for `forecast`.
        quantiles : sequence of float, default=None
            Probabilities, each between 0 and 1. None means those of the parameter
            `quantiles`, or else 0.1, 0.5 and 0.9.

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
        .. [3] Romano, Patterson and Candès (2019), "Conformalized quantile regression",
           NeurIPS 32.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> f.fit(load_air_passengers()).forecast_quantiles(6).shape
        (6, 3)
        """
        if quantiles is None:
            quantiles = self.quantiles or DEFAULT_QUANTILES
        check_probabilities("quantiles", quantiles)
        known = steps, X, history, series, static_features
        return self._spread_out(known, quantiles, quantiles)

    def forecast_interval(
        self,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        static_features=None,
        coverage=0.9,
    ):
        """Intervals that hold the future with a given probability, step by step.

        Parameters
        ----------
        steps, X, history, series, static_features
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
        known = steps, X, history, series, static_features
        return self._spread_out(known, tails, ("lower", "upper"))

    def sample_paths(
        self,
        n_samples=100,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        static_features=None,
        random_state=None,
    ):
        """Futures that could come, each a whole path whose steps belong together.

        A path adds the errors of one window of the validation block, step by step and
        target by target, to the forecast, so that sums and extremes over steps are as
        spread as they should be, which quantiles of each step do not tell. Beyond
        `horizon` a path goes on from its own values.

        Parameters
        ----------
        n_samples : int, default=100
            Number of paths of each series.
        steps, X, history, series, static_features
            As for `forecast`.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same paths at each call.

        Returns
        -------
        DataFrame or ndarray
            One row a step and one column a path, in the units of the target; with
            several targets, columns (target, path), or an array of shape
            (steps, n_targets, n_samples).

        Raises
        ------
        ValueError
            If `n_samples` is not positive, there was no validation block, or `forecast`
            raises.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> paths = f.fit(load_air_passengers()).sample_paths(50, random_state=0)
        >>> paths.sum().quantile([0.1, 0.9]).shape  # of the year's passengers
        (2,)
        """
        check_positive_int("n_samples", n_samples)
        known = X, history, series, static_features
        at, steps, origins, _ = self._forecasts(steps, *known)
        at._check_has_spread()
        n_paths = len(origins) * int(n_samples)
        at._check_reach(n_paths, steps, at_once=n_samples)
        rng = check_random_state(random_state)
        paths = [at._paths_of(*o, steps, n_samples, rng) for o in origins.items()]
        return at._framed(origins, np.array(paths), range(n_samples))

    def _paths_of(self, key, origin, steps, n_samples, rng):
        """Paths of one series, of shape (steps, n_targets, n_samples)."""
        history, rows, scaler = origin
        # Where the history ends in missing values, a path starts before them.
        late = int(rows_since_seen(history.y, rows)[0])
        spread = nearest(self._spread, PATHS_COVERAGE)
        noise = spread.sampled(n_samples, self._n_blocks(steps + late), rng)
        start = origin._replace(rows=rows - late)
        below, above = self._error_units(start, self._horizon)[spread.coverage]
        errors, units = self._errors_since_fit(key, origin)
        factor = spread.tracked(errors, units[spread.coverage], PATHS_COVERAGE)[-1]
        unit = np.where(noise > 0, above[0], below[0])
        noise *= np.maximum(unit, spread.floor) * factor
        spans = self._spans(
            history, np.repeat(rows - late, n_samples), scaler, steps + late
        )
        paths = self._roll_spans([(spans, scaler)], steps + late, noise)
        return np.moveaxis(paths[:, late:], 0, -1)

    def _spread_out(self, known, quantiles, names):
        at, _, origins, forecasts = self._forecasts(*known)
        spread = np.moveaxis(at._quantiles(forecasts, origins, quantiles), 0, -1)
        return at._framed(origins, spread, names)

    def _framed(self, origins, values, names):
        """Values of shape (n_series, steps, n_targets, n_names), each named, as pandas.

        As they are where the target came as an array.
        """
        made = {
            key: (own, self._histories[key].after(len(own)))
            for key, own in zip(origins, values, strict=True)
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

        return self._gathered(made, framed)

    def _check_has_spread(self):
        if self._spread is None:
            raise ValueError(
                "Quantiles need errors on a validation block, and there was none. Fit "
                "with validation_fraction above 0, on a longer series if need be."
            )

    def _quantiles(self, forecasts, origins, quantiles):
        """Quantiles about forecasts of shape (n_origins, steps, n_targets).

        Parameters
        ----------
        origins : dict of key to Origins

        Returns
        -------
        ndarray of shape (n_quantiles, n_origins, steps, n_targets)
        """
        self._check_has_spread()
        ends = np.cumsum([len(rows) for _, rows, _ in origins.values()])[:-1]
        parts = zip(origins.items(), np.split(forecasts, ends), strict=True)
        spread = [self._spread_of(*origin, own, quantiles) for origin, own in parts]
        return np.concatenate(spread, axis=1)

    def _spread_of(self, key, origins, forecasts, quantiles):
        """Quantiles of one series, of shape (n_quantiles, *forecasts.shape)."""
        _, rows, scaler = origins
        sides = self._error_units(origins, forecasts.shape[1])
        errors, units = self._errors_since_fit(key, origins)
        # They start where they are first known, and end with the origins.
        rows = rows - rows.max() - 1
        center = scaling.apply(forecasts, scaler)
        result = []
        for q in quantiles:
            coverage = abs(2 * q - 1)
            spread = nearest(self._spread, coverage)
            factor = spread.tracked(errors, units[spread.coverage], coverage)
            side = sides[spread.coverage][int(q > 0.5)]
            width = spread.half_width(coverage, side, factor[rows])
            result.append(scaling.invert(center + np.sign(q - 0.5) * width, scaler))
        # Each has a factor of its own, so that close ones could cross.
        result = np.array(result)
        result[np.argsort(quantiles)] = np.sort(result, axis=0)
        return result

    def _error_units(self, origins, steps):
        """{coverage of a `Spread`: units of errors below and above the forecast}.

        Each has the shape (n_origins, steps, n_targets) and is scaled.
        """
        history, rows, scaler = origins
        network = self._quantile_network
        pairs = {} if network is None else pairs_of(network.levels)
        if not pairs:
            past = np.maximum(rows[:, None] + np.arange(-self.window_length_, 0), 0)
            moves = restless(scaling.apply(history.windows(past), scaler))
            unit = np.repeat(moves[:, None], steps, axis=1)
            return {None: (unit, unit)}
        fan = scaling.apply(self._roll([origins], steps, fan=True), scaler)
        return {c: widths(fan, network.levels, pair) for c, pair in pairs.items()}

    def _errors_since_fit(self, key, origins):
        """Scaled errors of all rows from the end of the fit to the last one, and units.

        The errors have the shape (n_rows, horizon, n_targets), NaN where they are not
        known yet; units of this shape are a dict as that of `_error_units`.
        """
        n_fitted = dict(zip(self._histories, self._n_fitted, strict=True))[key]
        history, rows, scaler = origins
        first = max(min(n_fitted, rows.min()), rows.min() - MAX_TRACKED)
        origins = origins._replace(rows=np.arange(first, rows.max() + 1))
        rows = origins.rows
        errors = np.full((len(rows), self._horizon, self._n_targets), np.nan)
        if len(rows) > 1:
            ahead = rows[:, None] + np.arange(self._horizon)
            known = ahead < len(history)
            actual = errors.copy()
            actual[known] = history.y[ahead[known]]
            forecasts = self._roll([origins], self._horizon)
            errors = scaling.apply(actual, scaler) - scaling.apply(forecasts, scaler)
        return errors, {
            coverage: np.where(errors > 0, above, below)
            for coverage, (below, above) in self._error_units(
                origins, self._horizon
            ).items()
        }


def check_probabilities(name, values):
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a tuple, such as (0.1, 0.9). Got {values!r}.")
    for value in values:
        if not isinstance(value, Real) or not 0 < value < 1:
            raise ValueError(
                f"{name} must lie between 0 and 1, without them. Got {value!r}: pass "
                "a probability such as 0.9."
            )
