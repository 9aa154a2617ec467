"""The fit of members beside the network trained here, and of the weights of all.

Weights are found on the validation block, from forecasts by members that were fitted on
the rows before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklstm._forecasting import adjusted_member
from sklstm._forecasting.fine_tuning import FineTuning, TrainingRows
from sklstm._forecasting.members import (
    BOUNDS,
    MEDIAN,
    AdjustedLinear,
    Members,
    PretrainedReader,
    Reader,
    Rows,
    context_forecasts,
    median_of,
    outputs_by_name,
)
from sklstm._networks.pretrained import LONGEST_CONTEXT, shipped_digest
from sklstm._series.missing import row_means
from sklstm._training.window_fit import ValidationBlock
from sklstm._windows.problem import SeriesForecastProblem
from sklstm._windows.scaling import Scaler

# Rows that the pretrained network reads on the validation block: those of 256 whole
# contexts beside a network that is trained, and of 16 in a fit that trains nothing,
# which is to take no longer than the forecasts of a few series.
MOST_ROWS, MOST_ROWS_UNTRAINED = 256 * LONGEST_CONTEXT, 16 * LONGEST_CONTEXT
# Rows of the windows by which the linear model's penalty is chosen.
MOST_ROWS_ADJUSTED = 64 * LONGEST_CONTEXT
# A smaller weight moves no forecast, but would cost the time of the member.
SMALLEST_WEIGHT = 0.05
# The errors of a short block say little. The pretrained network, which has seen many
# series, is therefore trusted as if it alone had been right on so many more blocks,
# each as long as the horizon.
PRIOR_BLOCKS = 0.5
# No short block makes an error so many times as large by chance.
LARGEST_ERROR = 20
# From fewer blocks no standard error can be estimated.
LEAST_BLOCKS = 4


def weights_of_errors(errors: Mapping[str, float], prior: float) -> dict[str, float]:
    """Return the weights of members from their errors.

    Weights are in inverse proportion to squared errors (Bates and Granger, 1969, "The
    combination of forecasts", Operational Research Quarterly 20), shrunk towards the
    pretrained network.

    Parameters
    ----------
    errors : dict of str to float
        Mean absolute errors by member.
    prior : float
        Share of the weights that the pretrained network has before its error is known.
    """
    if not errors["trained"]:
        return {name: float(name == "trained") for name in errors}
    # Relative errors, so that squares of tiny ones neither vanish nor overflow.
    squares = {n: max(e / errors["trained"], 1e-6) ** -2 for n, e in errors.items()}
    total = sum(squares.values())
    weights = {name: square / total for name, square in squares.items()}
    pretrained = weights["pretrained"]
    if pretrained * LARGEST_ERROR**2 >= max(weights.values()):
        weights = {name: (1 - prior) * weight for name, weight in weights.items()}
        weights["pretrained"] += prior
    kept = {name: w for name, w in weights.items() if w >= SMALLEST_WEIGHT}
    return {name: kept.get(name, 0.0) / sum(kept.values()) for name in weights}


@dataclass(frozen=True)
class CombinedOnBlock:
    """Members fitted on the rows before a validation block, and their forecasts of it.

    Parameters
    ----------
    members : Members
    penalty : float
        Of the linear model, with the smallest error on the block.
    n_patches : int
        Length of the contexts on which the pretrained network was fine-tuned; 0 where
        it was not.
    trained, combined : ValidationBlock
        Sampled windows, with forecasts by the network trained here, and with combined
        forecasts.
    """

    members: Members
    penalty: float
    n_patches: int
    trained: ValidationBlock
    combined: ValidationBlock

    def is_worse(self, metric: Callable, n_blocks: float) -> bool:
        """Return whether the mean is worse than the network trained here alone.

        The difference of their errors must be larger than two standard errors, because
        a mean that lost on a block by chance is the better forecast after it.

        Parameters
        ----------
        n_blocks : float
            Validation rows in horizons. Windows that overlap err alike, so it stands
            for their number in the standard error.
        """
        if n_blocks < LEAST_BLOCKS:
            return False
        excess = self.combined.errors(metric) - self.trained.errors(metric)
        shares = self.trained.data.weights(self.trained.rows)
        mean = np.average(excess, weights=shares)
        variance = np.average((excess - mean) ** 2, weights=shares)
        return bool(mean > 2 * np.sqrt(variance / n_blocks))


def combine_on_block(
    problem: SeriesForecastProblem,
    block: ValidationBlock,
    most_rows: int,
    tuning: FineTuning,
    prior: float,
) -> CombinedOnBlock:
    """Fit members on the rows before the validation block, and find their weights.

    The pretrained network is fine-tuned if that lowers its error on the block.

    Parameters
    ----------
    most_rows : int
        Rows that the pretrained network may read; windows are sampled to that number.
    tuning : FineTuning
    prior : float
        See `weights_of_errors`.
    """
    adjusted, penalty = linear_before(problem, block)
    series = series_before(problem, block)
    n_patches = tuning.n_patches(series)
    tuned = tuning.fit(series, n_patches) if n_patches else None
    # Beside X a forecast may well lie where the series alone would not go.
    levels = BOUNDS if prior else MEDIAN
    readers: dict[str, Reader] = {"pretrained": PretrainedReader(levels=levels)}
    if adjusted is not None:
        readers["adjusted"] = adjusted
    if tuned is not None:
        readers["tuned"] = PretrainedReader(tuned, levels)
    taken = block.take(some_windows(problem, block.rows, most_rows))
    outputs = outputs_by_name(
        readers, outputs_on_block(problem, taken, [*readers.values()])
    )
    medians = {name: median_of(output) for name, output in outputs.items()}
    errors = errors_on_block(taken, {"trained": taken.outputs, **medians})
    if tuned is not None:
        of_tuned = outputs.pop("tuned"), errors.pop("tuned")
        if of_tuned[1] < errors["pretrained"]:
            outputs["pretrained"], errors["pretrained"] = of_tuned
        else:
            tuned = None
    weights = weights_of_errors(errors, prior)
    members = Members(
        weights["pretrained"],
        errors,
        shipped_digest(),
        adjusted if weights.get("adjusted") else None,
        weights.get("adjusted", 0.0),
        tuned if weights["pretrained"] else None,
        bounded=prior > 0,
    )
    others = {name: outputs[name] for name in members.readers}
    combined = replace(taken, outputs=members.weighted_mean(taken.outputs, others))
    return CombinedOnBlock(members, penalty, n_patches, taken, combined)


def errors_on_block(
    block: ValidationBlock, forecasts: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Return the mean absolute error of each of some forecasts of a block."""
    shares = block.data.weights(block.rows)
    return {
        name: float(np.average(absolute_errors(block, outputs), weights=shares))
        for name, outputs in forecasts.items()
    }


def fit_on_all_rows(
    problem: SeriesForecastProblem,
    found: CombinedOnBlock,
    scalers: Sequence[Scaler],
    tuning: FineTuning,
) -> Members:
    """Return members with the same weights, fitted on all rows.

    Parameters
    ----------
    scalers : sequence of Scaler
        Of each series after the fit.
    """
    members = found.members
    if members.adjusted is not None:
        model = adjusted_member.fit(problem, scalers[0], found.penalty)
        members = replace(members, adjusted=model)
    if members.tuned is not None:
        pairs = zip(problem.histories, scalers, strict=True)
        series = [TrainingRows(history.y, scaler) for history, scaler in pairs]
        members = replace(members, tuned=tuning.fit(series, found.n_patches))
    return members


def series_before(
    problem: SeriesForecastProblem, block: ValidationBlock
) -> list[TrainingRows]:
    """Return the rows of each series before the first origin of a block."""
    series, origins = series_and_origins(problem, block.rows)
    ends = np.array([len(history) for history in problem.histories])
    np.minimum.at(ends, series, origins)
    pairs = zip(problem.histories, block.scalers[0], ends, strict=True)
    return [TrainingRows(history.y[:end], scaler) for history, scaler, end in pairs]


def some_windows(problem, rows, most_rows) -> np.ndarray:
    """Return positions of evenly spaced windows, as many as `most_rows` allows."""
    _, origins = series_and_origins(problem, rows)
    n_rows = np.minimum(origins, LONGEST_CONTEXT).mean() * problem.n_targets
    n_taken = int(np.clip(most_rows / n_rows, 1, len(rows)))
    return np.linspace(0, len(rows) - 1, n_taken).round().astype(int)


def series_and_origins(problem, rows) -> tuple[np.ndarray, np.ndarray]:
    """Return the series of each window, and the row of it after the window."""
    starts = problem.starts[rows]
    series = np.searchsorted(problem.first_rows, starts, side="right") - 1
    return series, starts - problem.first_rows[series] + problem.window_length


def linear_before(
    problem: SeriesForecastProblem, block: ValidationBlock
) -> tuple[AdjustedLinear | None, float]:
    """Return the linear model of the rows before a block, and its best penalty there.

    The model is None where there is none for such a problem.
    """
    path = None
    if adjusted_member.applies_to(problem):
        _, origins = series_and_origins(problem, block.rows)
        first = int(origins.min())
        path = adjusted_member.fit_path(problem, block.scalers[0][0], first)
    if path is None:
        return None, np.inf
    taken = block.take(some_windows(problem, block.rows, MOST_ROWS_ADJUSTED))
    penalties = adjusted_member.Penalties(path)
    outputs = outputs_on_block(problem, taken, [penalties])
    targets = taken.data.targets(taken.rows)
    errors = [np.nanmean((output - targets) ** 2) for output in outputs]
    penalty = adjusted_member.ALL_PENALTIES[int(np.argmin(errors))]
    return AdjustedLinear(*path.solution(penalty)), penalty


def outputs_on_block(
    problem: SeriesForecastProblem, block: ValidationBlock, readers: Sequence[Reader]
) -> np.ndarray:
    """Return normalized forecasts, of shape (n_outputs, n_windows, horizon, n_targets).

    They are comparable to the outputs of the network.
    """
    series, origins = series_and_origins(problem, block.rows)
    numbers, first = np.unique(series, return_index=True)
    scalers, _ = block.scalers
    parts = [
        Rows(problem.histories[i].y, scalers[i], own)
        for i, own in zip(numbers, np.split(origins, first[1:]), strict=True)
    ]
    seasons, horizon = problem.norm.seasons, problem.horizon
    forecasts = context_forecasts(parts, seasons, horizon, readers)
    level, scale = block.data.level_and_scale(block.rows)
    return (forecasts - level[:, -horizon:]) / scale


def absolute_errors(block: ValidationBlock, outputs: np.ndarray) -> np.ndarray:
    """Return the mean absolute error in each window, on the scaler's axis."""
    _, scale = block.data.level_and_scale(block.rows)
    return row_means(np.abs(outputs - block.data.targets(block.rows)) * scale)
