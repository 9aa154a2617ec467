"""Prediction intervals: quantiles about forecasts, and paths that could come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklstm._forecasting.conformal import mean_width, movement_scale, nearest
from sklstm._forecasting.members import consecutive, quantile_distances
from sklstm._forecasting.model import ForecastModel, Origins
from sklstm._networks.quantiles import half_widths, level_pairs
from sklstm._series.missing import rows_since_seen

# Sampled paths have the right width in their middle at least, at this coverage.
PATHS_COVERAGE = 0.8
# A width follows misses for so many origins before the first one that is asked for.
MAX_TRACKED = 1000
# So many where each of their forecasts takes the pretrained network a millisecond.
MAX_TRACKED_COMBINED = 100


@dataclass(frozen=True)
class IntervalForecaster:
    """Quantiles of forecasts, from errors on the validation block and since the fit.

    Parameters
    ----------
    model : ForecastModel
    calibration : tuple of ConformalErrors or None
        Errors of each pair of quantiles on the validation block; one where the network
        has no quantiles.
    """

    model: ForecastModel
    calibration: tuple | None

    @property
    def has_quantiles(self) -> bool:
        """Whether there are errors or a pretrained network to make intervals of."""
        return self.calibration is not None or self.model.is_combined

    def check_calibrated(self) -> None:
        """Raise where there was no validation block to learn errors from."""
        if self.calibration is None:
            raise ValueError(
                "Quantiles need errors on a validation block, and there was none. Fit "
                "with validation_fraction above 0, on a longer series if need be."
            )

    def quantiles(
        self,
        forecasts: np.ndarray,
        origins: list[Origins],
        probabilities: Sequence[float],
    ) -> np.ndarray:
        """Return quantiles about forecasts.

        Parameters
        ----------
        forecasts : ndarray of shape (n_origins, steps, n_targets)
            In the units of the target.
        origins : list of Origins
        probabilities : sequence of float

        Returns
        -------
        ndarray of shape (n_quantiles, n_origins, steps, n_targets)
        """
        if self.calibration is None and self.model.is_combined:
            return self._by_pretrained(forecasts, origins, probabilities)
        self.check_calibrated()
        where = zip(origins, consecutive(rows for _, rows in origins), strict=True)
        parts = [
            self._of_one_series(origin, forecasts[at], probabilities)
            for origin, at in where
        ]
        return np.concatenate(parts, axis=1)

    def _by_pretrained(self, forecasts, origins, probabilities):
        """Return quantiles as far from forecasts as the pretrained ones are."""
        distances = self._distances(origins, forecasts.shape[1], probabilities)
        result = np.empty_like(distances)
        where = consecutive(origin.rows for origin in origins)
        for at, (series, _) in zip(where, origins, strict=True):
            centers = series.scaler.apply(forecasts[at])
            result[:, at] = series.scaler.invert(centers + distances[:, at])
        return result

    def _distances(self, origins, steps, probabilities):
        """Return scaled distances of pretrained quantiles from their median."""
        parts = [origin.context_rows for origin in origins]
        return quantile_distances(parts, self.model.norm.seasons, steps, probabilities)

    def sample_paths(
        self, origin: Origins, steps: int, n_samples: int, rng: np.random.RandomState
    ) -> np.ndarray:
        """Return paths from one origin, of shape (steps, n_targets, n_samples)."""
        series, rows = origin
        # Where the history ends in missing values, a path starts before them.
        late = int(rows_since_seen(series.history.y, rows)[0])
        errors = nearest(self.calibration, PATHS_COVERAGE)
        noise = errors.sample(n_samples, self.model.n_blocks(steps + late), rng)
        start = Origins(series, rows - late)
        below, above = self._error_units(start, self.model.horizon)[errors.coverage]
        since, known, units = self._errors_since_fit(origin)
        unit = np.where(noise > 0, above[0], below[0])
        tails = (1 - PATHS_COVERAGE) / 2, (1 + PATHS_COVERAGE) / 2
        (other,) = self._other_widths(since, known, tails[:1])
        factor = errors.coverage_correction(
            known, units[errors.coverage], PATHS_COVERAGE, other
        )[-1]
        factor = factor * errors.small_block_factor(PATHS_COVERAGE)
        if self._reads_pretrained:
            # Paths are as much wider or narrower than errors as intervals are.
            width = errors.half_width(
                PATHS_COVERAGE, (above + below) / 2, np.ones_like(known[-1:])
            )
            pair = np.abs(self._distances([start], self.model.horizon, tails))
            ratio = pair.mean(axis=0) / np.maximum(width, 1e-12)
            factor = factor * (1 + ratio[0]) / 2
        noise *= np.maximum(unit, errors.floor) * factor
        paths = self.model.simulate(start, steps + late, noise)
        return np.moveaxis(paths[:, late:], 0, -1)

    def _of_one_series(self, origins, forecasts, probabilities):
        """Return quantiles of shape (n_quantiles, *forecasts.shape)."""
        scaler, rows, steps = origins.series.scaler, origins.rows, forecasts.shape[1]
        sides = self._error_units(origins, steps)
        since, known, units = self._errors_since_fit(origins)
        distances = [None] * len(probabilities)
        if self._reads_pretrained:
            distances = np.abs(self._distances([origins], steps, probabilities))
        others = self._other_widths(since, known, probabilities)
        # Factors start where errors are first known, and end with the origins.
        rows = rows - rows.max() - 1
        center = scaler.apply(forecasts)
        result = []
        for q, distance, other in zip(probabilities, distances, others, strict=True):
            coverage = abs(2 * q - 1)
            errors = nearest(self.calibration, coverage)
            unit = units[errors.coverage]
            factor = errors.coverage_correction(known, unit, coverage, other)[rows]
            side = sides[errors.coverage][int(q > 0.5)]
            width = errors.half_width(coverage, side, np.ones_like(factor))
            step = np.arange(steps) % factor.shape[1]
            width = mean_width(width, distance) * factor[:, step]
            result.append(scaler.invert(center + np.sign(q - 0.5) * width))
        # Each quantile has its own factor, so that close ones could cross.
        values = np.array(result)
        values[np.argsort(probabilities)] = np.sort(values, axis=0)
        return values

    @property
    def _reads_pretrained(self):
        """Whether widths are the mean with those of the pretrained network.

        Errors of a short block tell little about the widths of this series, and
        those of other series, from which the network learned, say more.
        """
        members = self.model.members
        return members is not None and members.weight > 0

    def _other_widths(self, origins, errors, probabilities):
        """Return half widths of pretrained quantiles on the side of errors.

        There is one array for each probability, of the interval between it and its
        opposite, or None where no error is known or that network takes no part.
        """
        if not self._reads_pretrained or np.isnan(errors).all():
            return [None] * len(probabilities)
        tails = np.sort([(q, 1 - q) for q in probabilities], axis=1)
        distances = self._distances([origins], errors.shape[1], tails.ravel())
        pairs = np.abs(distances).reshape(*tails.shape, *errors.shape)
        return [np.where(errors > 0, above, below) for below, above in pairs]

    def _error_units(self, origins, steps):
        """Return {coverage of errors: units below and above the forecast}.

        Each unit has the shape (n_origins, steps, n_targets) and is scaled.
        """
        (series, rows), model = origins, self.model
        levels = model.network.trained.levels
        pairs = level_pairs(levels)
        if not pairs:
            past = np.maximum(rows[:, None] + np.arange(-model.window_length, 0), 0)
            windows = series.scaler.apply(series.history.windows(past))
            unit = np.repeat(movement_scale(windows)[:, None], steps, axis=1)
            return {None: (unit, unit)}
        quantiles = model.forecast([origins], steps, quantiles=True)
        quantiles = series.scaler.apply(quantiles)
        return {c: half_widths(quantiles, levels, pair) for c, pair in pairs.items()}

    def _errors_since_fit(self, origins):
        """Return origins of all rows from the end of the fit on, scaled errors, units.

        The errors have the shape (n_rows, horizon, n_targets), NaN where they are not
        known yet; units of this shape are a dict as that of `_error_units`.
        """
        (series, rows), horizon = origins, self.model.horizon
        history, scaler = series.history, series.scaler
        tracked = MAX_TRACKED_COMBINED if self.model.is_combined else MAX_TRACKED
        first = max(min(series.n_fitted, rows.min()), rows.min() - tracked)
        origins = Origins(series, np.arange(first, rows.max() + 1))
        rows = origins.rows
        errors = np.full((len(rows), horizon, self.model.n_targets), np.nan)
        if len(rows) > 1:
            ahead = rows[:, None] + np.arange(horizon)
            known = ahead < len(history)
            actual = errors.copy()
            actual[known] = history.y[ahead[known]]
            forecasts = self.model.forecast([origins], horizon)
            errors = scaler.apply(actual) - scaler.apply(forecasts)
        sides = self._error_units(origins, horizon).items()
        units = {c: np.where(errors > 0, above, below) for c, (below, above) in sides}
        return origins, errors, units
