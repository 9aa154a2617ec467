"""Which network is fitted to windows, and on which rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklstm._networks.ensemble import ensemble_spec
from sklstm._networks.quantiles import quantile_spec
from sklstm._networks.spec import NetworkSpec
from sklstm._windows.protocols import ForecastProblem

# Steps that recurrent layers read by default beside a linear model: older steps
# changed no error on ETTh1.
AUTO_RECURRENT_LENGTH = 48


@dataclass(frozen=True)
class NetworkOptions:
    """Parameters of `LSTMForecaster` that define networks and their training rows.

    `quantile_levels` rise and hold the median, or are empty.
    """

    cell: str
    units: tuple
    dropout: float
    recurrent_dropout: float
    linear_skip: bool
    recurrent_length: int | str | None
    network: Callable | None
    n_members: int
    pretrained: Any
    quantile_levels: tuple
    validation_fraction: float
    refit: bool
    random_state: Any

    def build_spec(self, problem: ForecastProblem) -> NetworkSpec:
        """Return the spec of one member, of one forecast a step."""
        return NetworkSpec(
            window_shape=tuple(problem.window_shape),
            n_context=problem.n_context,
            output_shape=tuple(problem.output_shape),
            n_last_values=problem.n_last_values,
            cell=self.cell,
            units=self.units,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            linear_skip=self.linear_skip,
            recurrent_length=self._recurrent_length(problem.window_shape[0]),
            network=self.network,
            n_static=problem.n_static,
        )

    def build_member_spec(self, problem: ForecastProblem) -> NetworkSpec:
        """Return the spec of one member, of all quantiles."""
        return quantile_spec(self.build_spec(problem), self.quantile_levels)

    def build_whole_spec(self, problem: ForecastProblem) -> NetworkSpec:
        """Return the spec of all members side by side, of all quantiles."""
        return ensemble_spec(self.build_member_spec(problem), self.n_members)

    def _recurrent_length(self, window_length: int) -> int | None:
        length: Any = self.recurrent_length
        if length == "auto":
            length = AUTO_RECURRENT_LENGTH if self.linear_skip else None
        return None if length is None or length >= window_length else int(length)
