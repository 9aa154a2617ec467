"""From data to the fitted state: train, calibrate intervals, keep the series."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sklstm._forecasting.conformal import conformal_errors
from sklstm._forecasting.fine_tuning import FineTuning
from sklstm._forecasting.member_fit import (
    MOST_ROWS,
    MOST_ROWS_UNTRAINED,
    PRIOR_BLOCKS,
    combine_on_block,
    fit_on_all_rows,
)
from sklstm._forecasting.members import Members, n_context_rows
from sklstm._forecasting.model import FittedSeries, ForecastModel, WindowModel
from sklstm._forecasting.state import FittedForecaster, TrainingRecord
from sklstm._forecasting.zero_shot import (
    ShortProblem,
    short_problem,
    untrained_network,
)
from sklstm._networks.spec import NetworkSpec, differences
from sklstm._series.panel import is_list_of_series
from sklstm._series.reader import TrainingSeries
from sklstm._series.validation import (
    check_probabilities,
    is_pandas,
    n_dims,
)
from sklstm._series.window_reader import TrainingWindows
from sklstm._training.fitted_network import FittedNetwork
from sklstm._training.losses import fitted_loss, metric_for
from sklstm._training.network_options import NetworkOptions
from sklstm._training.settings import Settings
from sklstm._training.window_fit import EarlierFit, WindowFit, fit_window_network
from sklstm._windows.options import WindowOptions, make_problem
from sklstm._windows.problem import SeriesForecastProblem, WindowForecastProblem


def problem_of(
    data: TrainingSeries | TrainingWindows,
    windows: WindowOptions,
    options: NetworkOptions,
    last: FittedForecaster | None,
    epochs: int | None = None,
) -> SeriesForecastProblem | WindowForecastProblem:
    """Return the `ForecastProblem` of a fit; parameters are those of `fit_state`."""
    if last is not None:  # windows stay what the network was trained on
        length = windows.window_length or last.network.window_length
        return make_problem(data, replace(windows, window_length=length), last.norm)
    zero_shot = options.pretrained and options.network is None and epochs is None
    if zero_shot and isinstance(data, TrainingSeries):
        problem = short_problem(data, windows, options.validation_fraction)
        if problem is not None:
            return problem
    return make_problem(data, windows)


def fit_state(
    data: TrainingSeries | TrainingWindows,
    problem: SeriesForecastProblem | WindowForecastProblem,
    options: NetworkOptions,
    settings: Settings,
    *,
    last: FittedForecaster | None = None,
    epochs: int | None = None,
) -> FittedForecaster:
    """Train a network, and return the state that forecasts with it.

    Parameters
    ----------
    last : FittedForecaster, default=None
        State whose weights and scalers training continues.
    epochs : int, default=None
        Train exactly so many epochs, without a validation block.
    """
    # Without windows to train on, the pretrained network forecasts alone.
    if isinstance(problem, ShortProblem):
        network = untrained_network(options.build_spec(problem))
        scalers = problem.fit_scalers(problem.all_rows())
        return untrained_state(data, problem, network, scalers, Members.of(1))
    kept = None if last is None else earlier_fit(last)
    fit = fit_window_network(problem, options, settings, kept=kept, epochs=epochs)
    members, trained_skill = None, fit.skill
    if options.pretrained and isinstance(problem, SeriesForecastProblem):
        # Inputs may tell what the series does not, so the pretrained network, which
        # reads none, is trusted with them no further than a block says.
        n_trusted = 0.0 if data.form == "regression" else PRIOR_BLOCKS
        members, fit = combined(problem, fit, options, settings, last, n_trusted)
        if members is None:
            members = Members.of(0.5 if n_trusted else 0.0)
    calibration = None
    if fit.validation is not None:
        calibration = conformal_errors(fit.validation)
    elif last is not None and epochs is not None:
        # `partial_fit` has no validation block, so it keeps the interval calibration
        # of the last `fit`.
        calibration = last.calibration
    record = TrainingRecord(
        fit.history,
        fit.n_iter,
        fit.best_epoch,
        fit.baseline_scores,
        fit.skill,
        trained_skill,
    )
    state = untrained_state(data, problem, fit.network, fit.scalers, members)
    n_epochs = fit.n_iter + (0 if last is None else last.n_epochs)
    return replace(
        state,
        record=record,
        calibration=calibration,
        n_epochs=n_epochs,
        training=fit.training,
    )


def earlier_fit(last: FittedForecaster) -> EarlierFit:
    """Return the part of a fitted state that training continues."""
    weights = last.network.trained.weights
    return EarlierFit(last.scalers, weights, last.n_epochs, last.training)


def combined(
    problem: SeriesForecastProblem,
    fit: WindowFit,
    options: NetworkOptions,
    settings: Settings,
    last: FittedForecaster | None,
    n_trusted: float,
) -> tuple[Members | None, WindowFit]:
    """Return the weights of network and other members, and the fit of all.

    A mean can be worse than its best member. It is left out where a long block shows
    that it is worse than the network trained here; see `is_worse`. Without a validation
    block the weights are those of the last state, if any.

    Parameters
    ----------
    n_trusted : float
        Blocks for which the trust in the pretrained network counts.
    """
    if fit.validation is None or fit.skill is None:
        return None if last is None else last.members, fit
    seed = check_random_state(options.random_state).randint(2**31 - 1)
    seasons, horizon = problem.norm.seasons, problem.horizon
    n_steps = settings.epochs if options.pretrained == "auto" else 0
    tuning = FineTuning(seasons, horizon, n_steps, seed)
    most_rows = MOST_ROWS if settings.epochs else MOST_ROWS_UNTRAINED
    n_blocks = len(fit.validation.rows) * problem.stride / horizon
    prior = n_trusted / (n_trusted + n_blocks)
    found = combine_on_block(problem, fit.validation, most_rows, tuning, prior)
    members = found.members
    if not members.is_combined:
        return members, fit
    # Scores of simple models are those of the whole block, the ratio of some windows.
    metric = metric_for(fitted_loss(settings.loss, problem.has_many_series))
    if found.is_worse(metric, n_blocks):
        return members.trained_alone, fit
    ratio = found.combined.mean_error(metric) / found.trained.mean_error(metric)
    if options.refit:
        members = fit_on_all_rows(problem, found, fit.scalers[0], tuning)
    skill = 1 - (1 - fit.skill) * ratio
    return members, replace(fit, validation=found.combined, skill=float(skill))


def untrained_state(
    data: TrainingSeries | TrainingWindows,
    problem: Any,
    network: FittedNetwork,
    scalers: tuple,
    members: Members | None = None,
) -> FittedForecaster:
    """Return the state of a network and scalers, without a record of training."""
    y_scalers, x_scaler = scalers
    if isinstance(data, TrainingWindows):
        windows = WindowModel(network, x_scaler, y_scalers, data.target_shape)
        return FittedForecaster("windows", data.output, windows)
    n_kept = problem.window_length
    if members is not None:
        n_kept = max(n_kept, n_context_rows(problem.norm.seasons))
    histories = data.histories_to_keep(n_kept)
    series = {
        key: FittedSeries(history, scaler, len(history))
        for (key, history), scaler in zip(histories.items(), y_scalers, strict=True)
    }
    model = ForecastModel(
        network,
        problem.norm,
        x_scaler,
        data.past_only,
        data.calendar,
        data.n_inputs,
        members,
    )
    return FittedForecaster(
        data.form, data.output, model, series, None, data.static_encoder
    )


def rows_before(
    state: FittedForecaster, cuts: dict, max_train_size: int | None
) -> tuple[TrainingSeries, dict]:
    """Return the rows of each series before its cut as training data, and the cuts.

    Series without a cut are taken whole.
    """
    histories, ends = {}, {}
    model = state.series_model
    for key, series in state.series.items():
        end = ends[key] = cuts.get(key, len(series.history))
        n_rows = end if max_train_size is None else max_train_size
        histories[key] = series.history.cut(end - n_rows, end)
    data = TrainingSeries(
        state.form,
        state.output,
        histories,
        past_only=model.past_only,
        static_encoder=state.static_encoder,
        calendar=model.calendar,
        n_inputs=model.n_inputs,
    )
    return data, ends


def fitted_before(
    forecaster,
    state: FittedForecaster,
    cuts: dict,
    max_train_size: int | None = None,
    *,
    keep: bool = False,
):
    """Return a copy of a forecaster, fitted on the rows before the cuts.

    Parameters
    ----------
    forecaster : LSTMForecaster
    state : FittedForecaster
        With all rows.
    cuts : dict of series to int
        Series without a cut are taken whole.
    max_train_size : int, default=None
        Rows of each series before its cut; None means all.
    keep : bool, default=False
        Go on from the fitted weights and scalers.
    """
    data, ends = rows_before(state, cuts, max_train_size)
    other, last = forecaster._copy(), forecaster._state if keep else None
    other.verbose = 0  # the bar of the backtest is the one that is seen
    options = other._network_options()
    problem = problem_of(data, other._window_options(), options, last)
    settings = other._settings(other.epochs, other.loss)
    fitted = fit_state(data, problem, options, settings, last=last)
    # Origins are rows of the whole history, whatever part of it was fitted.
    series = {
        key: replace(one, n_fitted=ends[key], first_row=ends[key] - len(one.history))
        for key, one in fitted.series.items()
    }
    other._state = replace(fitted, series=series)
    return other


def check_same_network(last: FittedForecaster | None, asked: NetworkSpec) -> None:
    """Raise where training cannot continue, because the network has another shape."""
    if last is not None and asked != last.network.trained.spec:
        raise ValueError(
            "Training cannot continue, since data or parameters ask for a network "
            f"of another shape: {differences(last.network.trained.spec, asked)}. "
            "Fit anew with warm_start=False."
        )


def check_not_swapped(X, y) -> None:
    """Raise where `fit` gets the target first and the inputs second."""
    if y is None or is_list_of_series(X) or n_dims(X) != 1 or n_dims(y) != 2:
        return
    is_table = np.shape(y)[1] > 1 or (is_pandas(X) and is_pandas(y))
    if is_table and np.shape(X)[0] == np.shape(y)[0]:
        raise ValueError(
            f"X is one column of {len(X)} values, and y a table of {np.shape(y)[1]}: "
            "they look swapped. Pass inputs first and the target second, fit(X, y), "
            "and one column of inputs as a frame, for example X.to_frame()."
        )


def check_network(forecaster, form: str) -> None:
    """Raise where parameters ask for a network that does not exist."""
    if hasattr(forecaster.network, "get_weights"):
        raise TypeError(
            "network must be a function that returns a model, called as "
            "network(window_shape, n_context, output_shape), but it is a model. Pass "
            "the function that builds it; LSTMForecaster.from_keras takes a model that "
            "to_keras made."
        )
    if forecaster.network is not None and forecaster.n_members > 1:
        raise ValueError(
            f"n_members={forecaster.n_members} takes networks of this library, and "
            "network= gives another. Average its forecasts, for example with "
            "VotingRegressor, or leave network out."
        )
    if forecaster.quantiles is None:
        return
    check_probabilities("quantiles", forecaster.quantiles)
    if form == "windows":
        raise ValueError(
            "quantiles are those of a forecast, and ready-made windows have no "
            "order in time. Fit with fit(series), or leave quantiles out."
        )
    if forecaster.network is not None or forecaster.loss not in ("auto", "mse"):
        other = "loss" if forecaster.network is None else "network"
        raise ValueError(
            f"quantiles come with a network and a loss of their own, so {other} "
            f"must stay at its default. Got {getattr(forecaster, other)!r}. Leave "
            f"out quantiles or {other}."
        )
