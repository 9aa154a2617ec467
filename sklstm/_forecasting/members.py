"""Forecasts as a convex combination: the network trained here and the pretrained one.

Both forecast from the rows before an origin, each along its own path. Their weights are
found on the validation block.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklstm._forecasting.pretrained_member import Rows, pretrained_forecasts
from sklstm._networks.pretrained import LONGEST_CONTEXT, shipped_digest
from sklstm._series.missing import row_means
from sklstm._training.window_fit import ValidationBlock
from sklstm._utils.archive import storable
from sklstm._utils.warn import warn_user
from sklstm._windows.problem import SeriesForecastProblem

# Rows that the pretrained network reads on the validation block: those of 256 whole
# contexts beside a network that is trained, and of 16 in a fit that trains nothing,
# which is to take no longer than the forecasts of a few series.
MOST_ROWS, MOST_ROWS_UNTRAINED = 256 * LONGEST_CONTEXT, 16 * LONGEST_CONTEXT
# A smaller weight moves no forecast, but would cost the time of the pretrained network.
SMALLEST_WEIGHT = 0.05


@storable
@dataclass(frozen=True)
class Members:
    """The weights of both members, and the errors from which they were found.

    Parameters
    ----------
    weight : float
        Of the pretrained network; 1 where series are too short to train on.
    scores : dict of str to float
        Mean absolute error of each member on the validation block, scaled; empty
        without one.
    digest : str
        Of the pretrained weights for which they were found.
    """

    weight: float
    scores: dict
    digest: str

    @classmethod
    def of(cls, weight: float, scores: dict | None = None) -> "Members":
        """Return members for the pretrained weights of this package."""
        return cls(float(weight), scores or {}, shipped_digest())

    @property
    def table(self) -> dict[str, dict]:
        """What users see as `members_`."""
        weights = {"trained": 1 - self.weight, "pretrained": self.weight}
        return {
            name: {"weight": weight, "score": self.scores.get(name)}
            for name, weight in weights.items()
        }

    def combine(self, trained: np.ndarray, pretrained: np.ndarray) -> np.ndarray:
        """Return the weighted mean; the trained member's where there is no other."""
        weight = np.where(np.isnan(pretrained), 0, self.weight)
        return (1 - weight) * trained + weight * np.nan_to_num(pretrained)

    def check_weights(self) -> None:
        """Warn where the package has other pretrained weights than at the fit."""
        if self.weight and self.digest != shipped_digest():
            warn_user(
                "The forecaster was fitted with other weights of the pretrained "
                "network than this version of sklstm has, so its forecasts are not "
                "those after the fit. Fit again, or install the version that fitted "
                "it.",
                UserWarning,
            )


def weight_of_errors(trained: float, pretrained: float) -> float:
    """Return the weight of the pretrained network from the errors of both members.

    Weights are in inverse proportion to squared errors (Bates and Granger, 1969, "The
    combination of forecasts", Operational Research Quarterly 20).
    """
    total = trained**2 + pretrained**2
    weight = trained**2 / total if total > 0 else 0.0
    return weight if weight >= SMALLEST_WEIGHT else 0.0


def combine_on_block(
    problem: SeriesForecastProblem, block: ValidationBlock, most_rows: int
) -> tuple[Members, ValidationBlock, ValidationBlock]:
    """Find the weights of both members on the validation block.

    Parameters
    ----------
    most_rows : int
        Rows that the pretrained network may read; of many windows some are taken.

    Returns
    -------
    members : Members
    trained, combined : ValidationBlock
        Of the windows that were taken, with forecasts by the network trained here, and
        with combined ones.
    """
    taken = block.take(some_windows(problem, block.rows, most_rows))
    outputs, scale = pretrained_outputs(problem, taken)
    errors = {
        "trained": absolute_error(taken, taken.outputs, scale),
        "pretrained": absolute_error(taken, outputs, scale),
    }
    members = Members.of(weight_of_errors(*errors.values()), errors)
    combined = members.combine(taken.outputs, outputs)
    return members, taken, replace(taken, outputs=combined)


def some_windows(problem, rows, most_rows) -> np.ndarray:
    """Return positions of windows, evenly over the block, whose contexts fit."""
    _, origins = series_and_origins(problem, rows)
    n_rows = np.minimum(origins, LONGEST_CONTEXT).mean() * problem.n_targets
    n_taken = int(np.clip(most_rows / n_rows, 1, len(rows)))
    return np.linspace(0, len(rows) - 1, n_taken).round().astype(int)


def series_and_origins(problem, rows) -> tuple[np.ndarray, np.ndarray]:
    """Return the series of windows, and the rows of it that come after them."""
    starts = problem.starts[rows]
    series = np.searchsorted(problem.first_rows, starts, side="right") - 1
    return series, starts - problem.first_rows[series] + problem.window_length


def pretrained_outputs(problem, block) -> tuple[np.ndarray, np.ndarray]:
    """Return normalized forecasts of windows, and the scale that normalizes them."""
    series, origins = series_and_origins(problem, block.rows)
    numbers, first = np.unique(series, return_index=True)
    scalers, _ = block.scalers
    parts = [
        Rows(problem.histories[i].y, scalers[i], own)
        for i, own in zip(numbers, np.split(origins, first[1:]), strict=True)
    ]
    seasons, horizon = problem.norm.seasons, problem.horizon
    (forecasts,) = pretrained_forecasts(parts, seasons, horizon)
    level, scale = block.data.level_and_scale(block.rows)
    return (forecasts - level[:, -horizon:]) / scale, scale


def absolute_error(block, outputs, scale) -> float:
    """Return the weighted mean absolute error of outputs, on the scaler's axis."""
    errors = np.abs(outputs - block.data.targets(block.rows)) * scale
    weights = block.data.weights(block.rows)
    return float(np.average(row_means(errors), weights=weights))
