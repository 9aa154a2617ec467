"""Series too short to train on, which the pretrained network forecasts alone."""

from dataclasses import replace

import numpy as np

from sklstm._networks.spec import NetworkSpec
from sklstm._series.calendar import with_calendar
from sklstm._series.reader import TrainingSeries
from sklstm._training.fitted_network import FittedNetwork
from sklstm._windows.options import WindowOptions, check_seen
from sklstm._windows.problem import SeriesForecastProblem
from sklstm._windows.splits import Split

# The pretrained network was trained on no shorter series.
LEAST_ROWS = 8


class ShortProblem(SeriesForecastProblem):
    """Series without room for a window and its horizon, so that none is made."""

    def __post_init__(self):
        self.starts = np.arange(0)

    def all_rows(self) -> Split:
        """Return no windows, with all rows of each series before its cut."""
        return Split(self.starts, self.starts, tuple(map(len, self.histories)))


def short_problem(data: TrainingSeries, options: WindowOptions) -> ShortProblem | None:
    """Return the problem of series that are too short to train on; None for others."""
    histories, calendar = data.histories, None if data.in_files else options.calendar
    longest = max(map(len, histories.values()))
    check_seen(histories)
    plain = replace(options, deseasonalize=False)
    norm = plain.normalization(histories)
    length = plain.length(histories, norm)
    too_short = longest < length + options.horizon
    if options.deseasonalize and options.window_length is None:
        too_short |= length < 2 * max(norm.seasons, default=0)
    if not too_short or longest < LEAST_ROWS:
        return None
    return ShortProblem(
        [with_calendar(history, calendar) for history in histories.values()],
        data.weights,
        window_length=length,
        horizon=options.horizon,
        stride=options.stride,
        scaler=options.scaler,
        norm=norm,
        past_only=data.past_only,
    )


def untrained_network(spec: NetworkSpec) -> FittedNetwork:
    """Return a network of zeros, which takes the place of one that is trained."""
    shapes = spec.weight_shapes()
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return FittedNetwork(spec, weights)
