"""What both estimators share: parameters' constraints and how a network is fitted.

Think twice before adding to this class: every estimator carries it.
"""

from collections.abc import Callable
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from sklstm import _inference, _linear
from sklstm._networks import CELLS, NetworkSpec

POSITIVE_INT = Interval(Integral, 1, None, closed="left")
# Older steps moved no error on ETTh1 once the linear model had them.
AUTO_RECURRENT_LENGTH = 48
SHARE = Interval(Real, 0, 1, closed="left")


class BaseLSTM(BaseEstimator):
    """A network trained on a problem of windows; see `_problems`."""

    _parameter_constraints = {
        "cell": [StrOptions(set(CELLS))],
        "units": [POSITIVE_INT, tuple, list],
        "dropout": [SHARE],
        "recurrent_dropout": [SHARE],
        "linear_skip": ["boolean"],
        "recurrent_length": [POSITIVE_INT, StrOptions({"auto"}), None],
        "network": [Callable, None],
        "loss": [str, Callable],
        "optimizer": "no_validation",
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"cosine"}), Callable, None],
        "clipnorm": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [POSITIVE_INT],
        "validation_fraction": [SHARE],
        "early_stopping": ["boolean"],
        "n_iter_no_change": [POSITIVE_INT],
        "tol": [Interval(Real, 0, None, closed="left")],
        "min_skill": [SHARE],
        "refit": ["boolean"],
        "callbacks": [list, tuple, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def _units(self):
        if isinstance(self.units, Integral):
            return (int(self.units),)
        units = tuple(self.units)
        whole = all(
            isinstance(u, Integral) and not isinstance(u, bool) and u >= 1
            for u in units
        )
        if not units or not whole:
            raise ValueError(
                "units must be an int of 1 or more, or a tuple of them, one for each "
                f"layer. Got {self.units!r}."
            )
        return tuple(int(u) for u in units)

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
        )

    def _settings(self, epochs):
        # Keras is not needed to predict, so training is loaded only here.
        from sklstm._training import Settings

        return Settings(
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            learning_rate_schedule=self.learning_rate_schedule,
            clipnorm=self.clipnorm,
            loss=self.loss,
            early_stopping=self.early_stopping,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            min_skill=self.min_skill,
            callbacks=self.callbacks or (),
            verbose=int(self.verbose),
        )

    def _learn(self, problem, season, *, keep=False, epochs=None):
        """Choose penalty and epochs on the validation block, then train on all rows.

        Parameters
        ----------
        keep : bool
            Continue from the fitted weights and scalers.
        epochs : int, default=None
            Train exactly so many epochs, without a validation block.

        Returns
        -------
        dict
            The fitted attributes.
        """
        from sklstm._training import first_weights, train

        rng = check_random_state(self.random_state)
        kept = (self._scalers, self.weights_) if keep else (None, None)
        fraction = self.validation_fraction if epochs is None else 0
        rows, validation = problem.split(fraction, rng)
        spec = self._spec(problem)
        penalty, baselines = _linear.DEFAULT_PENALTY, None
        seed = rng.randint(2**31 - 1)

        def run(rows, validation, n_epochs):
            nonlocal penalty, baselines
            scalers = problem.learn_scalers(rows, kept[0])
            data = problem.data(scalers)
            path = _linear.fit_path(data, rows)
            if len(validation):
                baselines = problem.naive_error(validation, data, season)
                if path is not None:
                    penalty, error = _linear.choose_penalty(path, data, validation)
                    baselines["ridge"] = error
                    # A gain that small does not outlive the validation block.
                    last_value = baselines.get("last_value", np.inf)
                    if problem.anchored and error > last_value * (1 - self.min_skill):
                        penalty = np.inf
            skip = None if path is None else path.solution(penalty)
            trained = train(
                spec,
                self._settings(n_epochs),
                data,
                rows,
                validation,
                first_weights(skip, kept[1]),
                np.random.RandomState(seed),
            )
            return trained, scalers, data

        n_epochs = self.epochs if epochs is None else epochs
        trained, scalers, data = run(rows, validation, n_epochs)
        skill = None
        if len(validation):
            output = self._outputs(spec, trained.weights, data, validation)
            error = np.average(
                ((output - data.targets(validation)) ** 2).mean(axis=(1, 2)),
                weights=data.weights(validation),
            )
            best = min(baselines.values())
            skill = float(1 - error / best) if best > 0 else 0.0
        history, best_epoch = trained.history, trained.best_epoch
        if len(validation) and self.refit:
            rows = problem.all_rows()
            trained, scalers, _ = run(rows, rows[:0], best_epoch)
        return {
            "weights_": trained.weights,
            "history_": history,
            "n_iter_": len(history["loss"]),
            "best_epoch_": best_epoch,
            "baseline_scores_": baselines or {},
            "skill_": skill,
            "scaler_": scalers[0],
            "_scalers": scalers,
            "_spec_": spec,
        }

    def _outputs(self, spec, weights, data, indices):
        """Scaled outputs of a network, by NumPy where it is a standard one."""
        if spec.network is None:
            return _inference.predict(spec, weights, data, indices)
        from sklstm._training import predict_with_keras

        return predict_with_keras(spec, self._settings(1), weights, data, indices)

    @property
    def model_(self):
        """The Keras model with the fitted weights, built on demand."""
        from sklearn.utils.validation import check_is_fitted

        from sklstm._training import CompiledNetwork

        check_is_fitted(self, "weights_")
        network = CompiledNetwork(self._spec_, self._settings(1))
        network.set_weights(self.weights_)
        return network.model
