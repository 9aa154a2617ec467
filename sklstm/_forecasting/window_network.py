"""Parameters of a network over windows, and how an estimator trains one."""

from collections.abc import Callable

from sklearn.utils._param_validation import StrOptions

from sklstm._base import POSITIVE_INT, BaseLSTM
from sklstm._networks.quantiles import quantile_levels
from sklstm._training.losses import Pinball
from sklstm._training.network_options import NetworkOptions
from sklstm._training.window_fit import WindowFit, fit_window_network


class BaseWindowNetwork(BaseLSTM):
    """An estimator whose network is trained on a `ForecastProblem`."""

    _parameter_constraints = {
        **BaseLSTM._parameter_constraints,
        "recurrent_length": [POSITIVE_INT, StrOptions({"auto"}), None],
        "network": [Callable, None],
        "n_members": [POSITIVE_INT],
        "quantiles": [tuple, list, None],
        "loss": [str, Callable],
        "refit": ["boolean"],
    }

    @property
    def _loss(self):
        return Pinball((0.5,)) if self.quantiles is not None else self.loss

    def _network_options(self):
        return NetworkOptions(
            cell=self.cell,
            units=self._units(),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            linear_skip=self.linear_skip,
            recurrent_length=self.recurrent_length,
            network=self.network,
            n_members=self.n_members,
            quantile_levels=quantile_levels(self.quantiles),
            validation_fraction=self.validation_fraction,
            refit=self.refit,
            random_state=self.random_state,
        )

    def _train(self, problem, *, last=None, epochs=None) -> WindowFit:
        """Train on a problem, from the weights and scalers of the last state if any."""
        kept = None
        if last is not None:
            kept = last.scalers, last.network.trained.weights
        settings = self._settings(self.epochs, self.loss)
        return fit_window_network(
            problem, self._network_options(), settings, kept=kept, epochs=epochs
        )
