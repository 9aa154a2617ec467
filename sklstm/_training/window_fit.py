"""Fit a network over windows: choose on the validation block, then train on all rows.

The validation block decides the linear model's penalty and the epochs of each member,
and tells how large errors are. With `refit` both models are then fitted again on all
rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sklstm._networks import ensemble, ridge
from sklstm._networks.quantiles import QuantileNetwork
from sklstm._series.missing import row_means
from sklstm._training.fitted_network import FittedNetwork
from sklstm._training.loop import Trained, first_weights, train
from sklstm._training.losses import Pinball, fitted_loss, metric_for
from sklstm._training.network_options import NetworkOptions
from sklstm._training.resume import TrainingState, generator_of
from sklstm._training.settings import Settings
from sklstm._windows.protocols import ForecastProblem, WindowDataset
from sklstm._windows.splits import Split


@dataclass(frozen=True)
class ValidationBlock:
    """Windows held out, and their forecasts by the network trained without them.

    Parameters
    ----------
    data : WindowDataset
    rows : ndarray of int of shape (n_windows,)
    outputs : ndarray of shape (n_windows, horizon, n_targets)
        Comparable to `data.targets` of these rows.
    quantiles : ndarray of shape (n_windows, n_levels, horizon, n_targets) or None
    levels : tuple of float
        Of the quantiles.
    weights : ndarray of shape (n_windows,) or None
        Every series counts the same under them; None for ready-made windows.
    scalers : tuple
        Of targets and of inputs, as `data` is scaled.
    """

    data: Any
    rows: np.ndarray
    outputs: np.ndarray
    quantiles: np.ndarray | None
    levels: tuple
    weights: np.ndarray | None
    scalers: Any

    def errors(self, metric: Callable) -> np.ndarray:
        """Return the mean of a metric of differences in each window."""
        return row_means(metric(self.outputs - self.data.targets(self.rows)))

    def mean_error(self, metric: Callable) -> float:
        """Return the weighted mean of a metric of differences."""
        return np.average(self.errors(metric), weights=self.data.weights(self.rows))

    def take(self, positions: np.ndarray) -> "ValidationBlock":
        """Return some of the windows as a block."""
        return replace(
            self,
            rows=self.rows[positions],
            outputs=self.outputs[positions],
            quantiles=None if self.quantiles is None else self.quantiles[positions],
            weights=None if self.weights is None else self.weights[positions],
        )


@dataclass(frozen=True)
class EarlierFit:
    """What training continues.

    Parameters
    ----------
    scalers : tuple
    weights : dict of str to ndarray
    n_epochs : int
        Epochs trained so far.
    training : tuple of TrainingState
        Where `partial_fit` left each member; empty after `fit`.
    """

    scalers: Any
    weights: dict
    n_epochs: int = 0
    training: tuple[TrainingState, ...] = ()


@dataclass(frozen=True)
class WindowFit:
    """The result of `fit_window_network`.

    Parameters
    ----------
    scalers : tuple
        Of targets and of inputs.
    network : FittedNetwork
    history : dict of str to list of float
        Loss and metrics of each epoch of the first member, while epochs were chosen.
    best_epoch : int
        Of the first member.
    baseline_scores : dict of str to float
        Mean errors of simple models on the validation block.
    skill : float or None
        1 less the network's mean error over that of the best of them.
    validation : ValidationBlock or None
    training : tuple of TrainingState
        Where each member stands; empty unless `epochs` was given.
    """

    scalers: Any
    network: FittedNetwork
    history: dict
    best_epoch: int
    baseline_scores: dict
    skill: float | None
    validation: ValidationBlock | None
    training: tuple[TrainingState, ...]

    @property
    def n_iter(self) -> int:
        """Epochs trained while they were chosen."""
        return len(self.history["loss"])


@dataclass(frozen=True)
class LinearModel:
    """The linear model beside the network.

    Parameters
    ----------
    choice : ridge.Choice
        What the validation block decided; defaults without one.
    solution : tuple (kernel, bias) or None
        None where windows are too wide for a linear model.
    baseline_scores : dict of str to float
        Mean errors of this and of naive forecasts on the validation block.
    """

    choice: ridge.Choice
    solution: tuple | None
    baseline_scores: dict


@dataclass(frozen=True)
class Candidate:
    """Models fitted on the training rows of one split."""

    scalers: Any
    data: WindowDataset
    linear: LinearModel
    members: list[Trained]

    @property
    def interrupted(self) -> bool:
        return any(member.interrupted for member in self.members)


def fit_window_network(
    problem: ForecastProblem,
    options: NetworkOptions,
    settings: Settings,
    *,
    kept: EarlierFit | None = None,
    epochs: int | None = None,
) -> WindowFit:
    """Choose penalty and epochs on the validation block, then train on all rows.

    Parameters
    ----------
    problem : ForecastProblem
    options : NetworkOptions
    settings : Settings
        With the loss of one forecast, which may be "auto"; quantiles have the pinball
        loss instead.
    kept : EarlierFit, default=None
    epochs : int, default=None
        Train exactly so many epochs, without a validation block.

    Returns
    -------
    WindowFit
    """
    rng = check_random_state(options.random_state)
    fraction = options.validation_fraction if epochs is None else 0
    split = problem.split(fraction, rng)
    training = WindowTraining(problem, options, settings, rng, kept)
    if epochs is not None:
        training.keep_states()
    n_epochs = [settings.epochs if epochs is None else epochs] * options.n_members
    chosen = final = training.run(split, n_epochs)
    validation, skill = None, None
    if split.has_validation:
        validation = training.validate(chosen, split.validation)
        skill = training.skill(chosen, validation)
        if options.refit and not chosen.interrupted:
            best_epochs = [member.best_epoch for member in chosen.members]
            choice = chosen.linear.choice
            refitted = training.run(problem.all_rows(), best_epochs, choice)
            # Of a refit that Ctrl-C ended, what was chosen has come further.
            final = chosen if refitted.interrupted else refitted
    first = chosen.members[0]
    return WindowFit(
        final.scalers,
        training.network(final),
        first.history,
        first.best_epoch,
        chosen.linear.baseline_scores,
        skill,
        validation,
        tuple(member.state for member in final.members if member.state is not None),
    )


class WindowTraining:
    """How a problem is learned on the rows of any split.

    Members start from the same weights and seeds in each run, so that a refit takes
    the way that was chosen.

    Parameters
    ----------
    problem : ForecastProblem
    options : NetworkOptions
    settings : Settings
    rng : RandomState
        Of the members' seeds.
    kept : EarlierFit or None
    """

    def __init__(
        self,
        problem: ForecastProblem,
        options: NetworkOptions,
        settings: Settings,
        rng: np.random.RandomState,
        kept: EarlierFit | None = None,
    ):
        self.problem, self.levels = problem, options.quantile_levels
        loss = fitted_loss(settings.loss, problem.has_many_series)
        self.metric = metric_for(loss)
        loss = Pinball(self.levels) if self.levels else loss
        self.settings = replace(settings, loss=loss)
        self.spec = options.build_member_spec(problem)
        self.whole_spec = options.build_whole_spec(problem)
        n_members = options.n_members
        self.seeds = rng.randint(2**31 - 1, size=n_members)
        self.kept = kept
        self.starts: Sequence[dict | None] = [None] * n_members
        self.states: Sequence[TrainingState | None] = [None] * n_members
        if kept is not None:
            self.starts = ensemble.split_members(self.spec, kept.weights, n_members)

    @property
    def n_before(self) -> int:
        """Epochs of earlier fits."""
        return 0 if self.kept is None else self.kept.n_epochs

    def keep_states(self) -> None:
        """Go on where each member stands, and keep where it stands at the end."""
        empty = [TrainingState(n_epochs=self.n_before)] * len(self.seeds)
        self.states = (self.kept and self.kept.training) or empty

    def run(
        self, split: Split, n_epochs: list[int], choice: ridge.Choice | None = None
    ) -> Candidate:
        """Fit scalers, linear model and members.

        Parameters
        ----------
        split : Split
        n_epochs : list of int
            Of each member, at most.
        choice : ridge.Choice, default=None
            Of the linear model; None lets the validation block decide.
        """
        scalers = self.problem.fit_scalers(split, self.kept and self.kept.scalers)
        data = self.problem.data(scalers)
        if split.has_validation:
            linear = self._choose_linear(data, split)
        else:
            linear = self._fit_linear(data, split.train, choice or ridge.Choice())
        skip = linear.solution
        if self.levels and skip is not None:
            skip = ridge.quantile_ridge(skip, data, split.train, self.levels)
        members = self._train_members(data, split, skip, n_epochs)
        return Candidate(scalers, data, linear, members)

    def network(self, candidate: Candidate) -> FittedNetwork:
        """Return the network of all members."""
        weights = [member.weights for member in candidate.members]
        merged = ensemble.merge_members(self.spec, weights)
        network = QuantileNetwork(self.levels, self.whole_spec, merged)
        return FittedNetwork.of(network, self.settings.batch_size)

    def validate(self, candidate: Candidate, rows: np.ndarray) -> ValidationBlock:
        """Forecast the rows of the validation block."""
        network, data = self.network(candidate), candidate.data
        return ValidationBlock(
            data,
            rows,
            network.outputs(data, rows),
            network.quantiles(data, rows) if self.levels else None,
            self.levels,
            self.problem.weights_by_series(rows),
            candidate.scalers,
        )

    def skill(self, candidate: Candidate, block: ValidationBlock) -> float:
        """Return the share of the best simple model's error that the network avoids."""
        best = min(candidate.linear.baseline_scores.values())
        # Where a simple model makes no error, none can be avoided.
        return float(1 - block.mean_error(self.metric) / best) if best > 0 else 0.0

    def _fit_linear(
        self, data: WindowDataset, rows: np.ndarray, choice: ridge.Choice
    ) -> LinearModel:
        path = ridge.fit_path(data, rows, self.metric)
        solution = None if path is None else choice.solution(path, data)
        return LinearModel(choice, solution, {})

    def _choose_linear(self, data: WindowDataset, split: Split) -> LinearModel:
        problem, min_skill = self.problem, self.settings.min_skill
        path = ridge.fit_path(data, split.train, self.metric)
        scores = problem.naive_errors(data, split.validation, self.metric)
        if path is None:
            return LinearModel(ridge.Choice(), None, scores)
        n_window = np.prod(problem.window_shape, dtype=int)
        last_values = n_window + np.arange(problem.n_last_values)
        choice, error, solution = ridge.choose(
            path, data, split.validation, last_values, min_skill, self.metric
        )
        # So small a gain over the last value does not outlive the validation block. Of
        # many series a few make up the gain, and the model that all share outlives it.
        last_value = scores.get("last_value", np.inf)
        may_drop = problem.zero_is_last_value and not problem.has_many_series
        if may_drop and error > last_value * (1 - min_skill):
            choice = replace(choice, penalty=np.inf)
            solution = choice.solution(path, data)
        return LinearModel(choice, solution, scores | {"ridge": error})

    def _train_members(
        self, data: WindowDataset, split: Split, skip: tuple | None, n_epochs: list[int]
    ) -> list[Trained]:
        members: list[Trained] = []
        interrupted = False
        for n, start, seed, state in zip(
            n_epochs, self.starts, self.seeds, self.states, strict=True
        ):
            # After Ctrl-C the other members stay at their start.
            trained = train(
                self.spec,
                replace(self.settings, epochs=0 if interrupted else n),
                data,
                split.train,
                split.validation,
                first_weights(skip, start),
                generator_of(seed, self.n_before),
                kept=state,
            )
            interrupted |= trained.interrupted
            members.append(trained)
        return members
