"""Series too short to train on, which the pretrained network forecasts alone."""

from dataclasses import replace

import numpy as np

from sklstm._networks.spec import NetworkSpec
from sklstm._series.reader import TrainingSeries
from sklstm._training.fitted_network import FittedNetwork
from sklstm._windows.options import WindowOptions, make_problem
from sklstm._windows.problem import SeriesForecastProblem
from sklstm._windows.splits import Split, split_chronological

# The pretrained network was trained on no shorter series.
LEAST_ROWS = 8
# A series of so many rows has room for a validation block.
LONG = 2**16


class ShortProblem(SeriesForecastProblem):
    """Series whose windows are not made, because there may be no room for one."""

    def __post_init__(self):
        self.starts = np.arange(0)

    def all_rows(self) -> Split:
        """Return no windows, with all rows of each series before its cut."""
        return Split(self.starts, self.starts, tuple(map(len, self.histories)))


def short_problem(
    data: TrainingSeries, options: WindowOptions, validation_fraction: float
) -> ShortProblem | None:
    """Return the problem of series that are too short to train on; None for others.

    A single series is too short as well if it has no room for a validation block,
    because the pretrained network then forecasts it better.
    """
    longest = max(map(len, data.histories.values()))
    plain = replace(options, deseasonalize=False)
    problem = make_problem(data, plain, kind=ShortProblem)
    assert isinstance(problem, ShortProblem), "ready-made windows have no length"
    length, seasons = problem.window_length, problem.norm.seasons
    too_short = longest < length + problem.horizon
    if options.deseasonalize is True and options.window_length is None:
        too_short |= length < 2 * min(seasons, default=0)
    if data.form == "series" and validation_fraction and longest < LONG:
        too_short |= not has_block(problem, longest, validation_fraction)
    return problem if too_short and longest >= LEAST_ROWS else None


def has_block(problem: ShortProblem, n_rows: int, fraction: float) -> bool:
    """Return whether `n_rows` rows have room for a validation block."""
    length, horizon = problem.window_length, problem.horizon
    starts = np.arange(0, n_rows - length - horizon + 1, problem.stride)
    _, validation, _ = split_chronological(
        starts, length, horizon, n_rows, fraction, problem.n_windows_needed
    )
    return len(validation) > 0


def untrained_network(spec: NetworkSpec) -> FittedNetwork:
    """Return a network of zeros, which takes the place of one that is trained."""
    shapes = spec.weight_shapes()
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return FittedNetwork(spec, weights)
