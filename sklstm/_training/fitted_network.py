"""A trained network that forecasts from scaled windows."""

from dataclasses import dataclass

import numpy as np

from sklstm._networks import numpy_forward
from sklstm._networks.quantiles import QuantileNetwork, rearrange_quantiles
from sklstm._networks.spec import NetworkSpec
from sklstm._training.loop import predict_with_keras
from sklstm._utils.archive import storable
from sklstm._windows.protocols import WindowDataset


@storable
@dataclass(frozen=True)
class FittedNetwork:
    """A network of one forecast a step, and the one of all quantiles around it.

    Parameters
    ----------
    spec : NetworkSpec
        Of the network that forecasts the mean, or the median.
    weights : dict of str to ndarray
    quantile_network : QuantileNetwork or None
    batch_size : int
        Windows that a network of the user's own takes at once.
    """

    spec: NetworkSpec
    weights: dict
    quantile_network: QuantileNetwork | None = None
    batch_size: int = 64

    @classmethod
    def of(cls, trained: QuantileNetwork, batch_size: int) -> "FittedNetwork":
        """Return the network of the median, and keep that of all quantiles."""
        spec, weights = trained.median()
        return cls(spec, weights, trained if trained.levels else None, batch_size)

    def outputs(self, data: WindowDataset, indices: np.ndarray) -> np.ndarray:
        """Return scaled forecasts of shape (n_windows, horizon, n_targets)."""
        if self.spec.network is None:
            return numpy_forward.predict(self.spec, self.weights, data, indices)
        return predict_with_keras(
            self.spec, self.weights, data, indices, self.batch_size
        )

    def quantiles(self, data: WindowDataset, indices: np.ndarray) -> np.ndarray:
        """Return scaled quantiles: (n_windows, n_levels, horizon, n_targets)."""
        whole = self.trained
        output = numpy_forward.predict(whole.spec, whole.weights, data, indices)
        return rearrange_quantiles(output, whole.levels)

    @property
    def window_length(self) -> int:
        return self.spec.window_shape[0]

    @property
    def trained(self) -> QuantileNetwork:
        """All that was trained, of which `weights` forecast the median."""
        return self.quantile_network or QuantileNetwork((), self.spec, self.weights)
