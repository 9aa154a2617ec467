"""A network over windows as an estimator: ridge beside it, and both fitted again."""

from collections.abc import Callable

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions

from sklstm._base import POSITIVE_INT, BaseLSTM
from sklstm._networks import ensemble, numpy_forward, quantiles, ridge
from sklstm._networks.quantiles import QuantileNetwork
from sklstm._networks.spec import NetworkSpec
from sklstm._series.missing import row_means
from sklstm._training.losses import Pinball, measure_of

# Older steps moved no error on ETTh1 once the linear model had them.
AUTO_RECURRENT_LENGTH = 48


class BaseWindowNetwork(BaseLSTM):
    """A network trained on a problem of windows; see `_problems`."""

    _parameter_constraints = {
        **BaseLSTM._parameter_constraints,
        "recurrent_length": [POSITIVE_INT, StrOptions({"auto"}), None],
        "network": [Callable, None],
        "n_members": [POSITIVE_INT],
        "quantiles": [tuple, list, None],
        "loss": [str, Callable],
        "refit": ["boolean"],
    }

    def _whole_spec(self, problem):
        """The spec of all that is trained: members and quantiles."""
        levels = quantiles.quantile_levels(self.quantiles)
        spec = quantiles.quantile_spec(self._spec(problem), levels)
        return ensemble.ensemble_spec(spec, self.n_members)

    @property
    def _loss(self):
        return Pinball((0.5,)) if self.quantiles is not None else self.loss

    def _recurrent_length(self, window_length):
        length = self.recurrent_length
        if length == "auto":
            length = AUTO_RECURRENT_LENGTH if self.linear_skip else None
        return None if length is None or length >= window_length else int(length)

    def _spec(self, problem):
        return NetworkSpec(
            window_shape=tuple(problem.window_shape),
            n_context=problem.n_context,
            output_shape=tuple(problem.output_shape),
            n_levels=problem.n_levels,
            cell=self.cell,
            units=self._units(),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            linear_skip=self.linear_skip,
            recurrent_length=self._recurrent_length(problem.window_shape[0]),
            network=self.network,
            n_static=problem.n_static,
        )

    def _train(self, problem, *, last=None, epochs=None):
        """Choose penalty and epochs on the validation block, then train on all rows.

        Parameters
        ----------
        last : FittedForecaster, default=None
            Continue from its weights and scalers.
        epochs : int, default=None
            Train exactly so many epochs, without a validation block.

        Returns
        -------
        dict
            The fitted attributes.
        """
        from sklstm._training.loop import first_weights, train

        rng = check_random_state(self.random_state)
        kept = None, None
        if last is not None:
            kept = last.scalers, last.network.trained.weights
        fraction = self.validation_fraction if epochs is None else 0
        rows, validation = problem.split(fraction, rng)
        levels = quantiles.quantile_levels(self.quantiles)
        spec = quantiles.quantile_spec(self._spec(problem), levels)
        loss = Pinball(levels) if levels else self.loss
        measure = measure_of(self.loss)
        levels_at = np.prod(problem.window_shape, dtype=int)
        level_inputs = levels_at + np.arange(problem.n_levels)
        choice, baselines = ridge.Choice(), None
        seeds = rng.randint(2**31 - 1, size=self.n_members)
        starts = [None] * self.n_members
        if kept[1] is not None:
            starts = ensemble.split_members(spec, kept[1], self.n_members)

        def run(rows, validation, n_epochs):
            nonlocal choice, baselines
            scalers = problem.learn_scalers(rows, kept[0])
            data = problem.data(scalers)
            path, skip = ridge.fit_path(data, rows, measure), None
            if len(validation):
                baselines = problem.naive_error(validation, data, measure)
                if path is not None:
                    choice, error, skip = ridge.choose(
                        path, data, validation, level_inputs, self.min_skill, measure
                    )
                    baselines["ridge"] = error
                    # A gain that small does not outlive the validation block.
                    last_value = baselines.get("last_value", np.inf)
                    if problem.anchored and error > last_value * (1 - self.min_skill):
                        choice.penalty, skip = np.inf, None
            if path is not None and skip is None:
                skip = choice.solution(path, data)
            path = None  # training need not hold it
            if levels and skip is not None:
                skip = ridge.quantile_ridge(skip, data, rows, levels)
            members = []
            for n, start, seed in zip(n_epochs, starts, seeds, strict=True):
                # After Ctrl-C the others stay at their start.
                n = 0 if members and members[-1].interrupted else n
                trained = train(
                    spec,
                    self._settings(n, loss),
                    data,
                    rows,
                    validation,
                    first_weights(skip, start),
                    np.random.RandomState(seed),
                )
                trained.interrupted |= bool(members) and members[-1].interrupted
                members.append(trained)
            return members, scalers, data

        def whole(members):
            weights = ensemble.merge_members(
                spec, [member.weights for member in members]
            )
            return QuantileNetwork(
                levels, ensemble.ensemble_spec(spec, self.n_members), weights
            )

        n_epochs = [self.epochs if epochs is None else epochs] * self.n_members
        members, scalers, data = run(rows, validation, n_epochs)
        # One more epoch on some rows moves errors little, and has no block to tell.
        skill, spread = None, None
        if last is not None and epochs is not None:
            spread = last.calibration
        if len(validation):
            network = whole(members)
            output = self._outputs(*network.median(), data, validation)
            error = np.average(
                row_means(measure(output - data.targets(validation))),
                weights=data.weights(validation),
            )
            best = min(baselines.values())
            skill = float(1 - error / best) if best > 0 else 0.0
            fan = self._fan(network, data, validation) if levels else None
            spread = problem.spread(output, validation, data, fan, levels)
        first = members[0]
        if len(validation) and self.refit and not members[-1].interrupted:
            rows = problem.all_rows()
            best_epochs = [member.best_epoch for member in members]
            refitted, its_scalers, _ = run(rows, rows[:0], best_epochs)
            if not refitted[-1].interrupted:  # else what was chosen has come further
                members, scalers = refitted, its_scalers
        network = whole(members)
        spec, weights = network.median()
        return {
            "weights_": weights,
            "history_": first.history,
            "n_iter_": len(first.history["loss"]),
            "best_epoch_": first.best_epoch,
            "baseline_scores_": baselines or {},
            "skill_": skill,
            "_scalers": scalers,
            "_spread": spread,
            "_spec_": spec,
            "_quantile_network": network if levels else None,
        }

    def _fan(self, network, data, indices):
        """Scaled quantiles of shape (n, n_levels, horizon, n_targets)."""
        output = numpy_forward.predict(network.spec, network.weights, data, indices)
        return quantiles.rearrange_quantiles(output, network.levels)

    def _outputs(self, spec, weights, data, indices):
        """Scaled outputs of a network, by NumPy where it is a standard one."""
        if spec.network is None:
            return numpy_forward.predict(spec, weights, data, indices)
        from sklstm._training.loop import predict_with_keras

        return predict_with_keras(spec, weights, data, indices, self.batch_size)
