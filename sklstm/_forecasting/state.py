"""All that a fit of `LSTMForecaster` learned, which the next fit replaces whole."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from sklstm._forecasting.intervals import IntervalForecaster
from sklstm._forecasting.members import Members
from sklstm._forecasting.model import (
    FittedSeries,
    ForecastModel,
    Origins,
    WindowModel,
)
from sklstm._series.calendar import inputs_at
from sklstm._series.history import History
from sklstm._series.output_format import OutputFormat
from sklstm._series.panel import SINGLE_SERIES, errors_naming
from sklstm._series.reader import SeriesRows
from sklstm._series.static import StaticEncoder
from sklstm._training.fitted_network import FittedNetwork
from sklstm._utils.archive import storable
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.problem import scale_values
from sklstm._windows.scaling import fit_scaler, stored_scaler


@storable
@dataclass(frozen=True)
class TrainingRecord:
    """How training went; see the attributes of `LSTMForecaster`.

    Parameters
    ----------
    trained_skill : float or None
        The skill of the network trained here, without the other members.
    """

    history: dict = field(default_factory=lambda: {"loss": []})
    n_iter: int = 0
    best_epoch: int = 0
    baseline_scores: dict = field(default_factory=dict)
    skill: float | None = None
    trained_skill: float | None = None

    @property
    def best_skill(self) -> float | None:
        """The larger skill of the forecasts and of the network trained here.

        A mean of members may lose on a short block by chance.
        """
        known = [s for s in (self.skill, self.trained_skill) if s is not None]
        return max(known, default=None)


@storable
@dataclass(frozen=True)
class FittedForecaster:
    """The fitted state.

    Parameters
    ----------
    form : {"series", "regression", "windows"}
    output : OutputFormat
    model : ForecastModel, or WindowModel for ready-made windows
    series : dict of series to FittedSeries
        Empty for ready-made windows, which are not kept.
    calibration : tuple of ConformalErrors or None
        Errors on the validation block, for intervals.
    static_encoder : StaticEncoder or None
    record : TrainingRecord
    n_epochs : int
        Epochs of all fits that went on from each other.
    training : tuple of TrainingState
        Where `partial_fit` left each member; empty after `fit`.
    """

    form: str
    output: OutputFormat
    model: ForecastModel | WindowModel
    series: dict[Hashable, FittedSeries] = field(default_factory=dict)
    calibration: tuple | None = None
    static_encoder: StaticEncoder | None = None
    record: TrainingRecord = field(default_factory=TrainingRecord)
    n_epochs: int = 0
    training: tuple = ()

    @property
    def network(self) -> FittedNetwork:
        return self.model.network

    @property
    def series_model(self) -> ForecastModel:
        """The model, where series were fitted."""
        assert isinstance(self.model, ForecastModel), "ready-made windows were fitted"
        return self.model

    @property
    def window_model(self) -> WindowModel:
        """The model, where ready-made windows were fitted."""
        assert isinstance(self.model, WindowModel), "series were fitted"
        return self.model

    @property
    def norm(self) -> WindowNorm | None:
        """Normalization of windows; None for ready-made windows."""
        return None if self.form == "windows" else self.series_model.norm

    @property
    def intervals(self) -> IntervalForecaster:
        """Quantiles about the forecasts."""
        return IntervalForecaster(self.series_model, self.calibration)

    @property
    def is_single(self) -> bool:
        """Whether the forecaster was fitted on one series."""
        return SINGLE_SERIES in self.series

    @property
    def has_many_series(self) -> bool:
        """Whether the forecaster was fitted on several series."""
        return len(self.series) > 1

    @property
    def scaler_statistics(self):
        """Scaler of the target; for many series a dict of them by series."""
        if self.form == "windows":
            return self.window_model.y_scaler.statistics
        if self.is_single:
            return self.series[SINGLE_SERIES].scaler.statistics
        return {key: fitted.scaler.statistics for key, fitted in self.series.items()}

    @property
    def members(self) -> Members | None:
        """Weights of the combined networks; None for the one trained here alone."""
        return None if self.form == "windows" else self.series_model.members

    @property
    def is_trained(self) -> bool:
        """Whether there is a network that training can continue."""
        members = self.members
        return members is None or members.weight < 1 or bool(members.scores)

    @property
    def members_table(self) -> dict[str, dict]:
        """Weights and scores of the networks whose forecasts are combined."""
        return (self.members or Members(0.0, {}, "")).table

    def with_weights(self, **weights: float) -> "FittedForecaster":
        """Return a state that gives members other weights; see `Members`."""
        model = self.series_model
        assert model.members is not None, "there is a pretrained network"
        members = model.members.with_weights(**weights)
        return replace(self, model=replace(model, members=members))

    @property
    def scalers(self) -> tuple:
        """Scalers of targets and of inputs, as training takes and gives them."""
        if self.form == "windows":
            return self.window_model.y_scaler, self.model.x_scaler
        return [fitted.scaler for fitted in self.series.values()], self.model.x_scaler

    def with_histories(self, histories: dict[Hashable, History]) -> "FittedForecaster":
        """Return a state that stands at the end of other histories of its series."""
        changed = {
            key: replace(self.series[key], history=history)
            for key, history in histories.items()
        }
        return replace(self, series=self.series | changed)

    def extended(self, rows: SeriesRows) -> "FittedForecaster":
        """Return the state after rows that follow the histories.

        Raises
        ------
        ValueError
            If they do not follow at once, or cannot be scaled.
        """
        model, histories = self.series_model, {}
        for key, new in rows.histories().items():
            with errors_naming(key):
                histories[key] = with_new_rows(self.series[key], new, model)
        return self.with_histories(histories)

    def at_end_of(
        self, histories: dict[Hashable, History], scaler
    ) -> "FittedForecaster":
        """Return a state that stands at the end of other series.

        Parameters
        ----------
        histories : dict of series to History
        scaler : str, transformer or None
            The parameter of the estimator. Where there are many series, each is scaled
            by its rows here, because the series may be new.
        """
        series = {}
        for key, history in histories.items():
            with errors_naming(key):
                if self.is_single:
                    fitted_scaler = self.series[SINGLE_SERIES].scaler
                else:
                    fitted_scaler = fit_scaler(history.y, scaler)
                scale_values(history.y, fitted_scaler)  # raises where it cannot
            series[key] = FittedSeries(history, fitted_scaler, len(history))
        return replace(self, series=series)

    def origins_at_end(
        self,
        series: Iterable[Hashable],
        ahead: dict[Hashable, np.ndarray] | None = None,
    ) -> dict[Hashable, Origins]:
        """Return the `Origins` after the last row of each series.

        Parameters
        ----------
        series : iterable of keys
        ahead : dict of series to ndarray, default=None
            Inputs of the rows after it.
        """
        result = {}
        for key in series:
            fitted = self.series[key]
            history = fitted.history
            if ahead is not None:
                fitted = replace(fitted, history=history.with_inputs(ahead[key]))
            result[key] = Origins(fitted, np.array([len(history)]))
        return result

    def restore(self, forecasts: dict[Hashable, np.ndarray], names=None):
        """Return forecasts after the end of series in the form that `fit` got.

        Parameters
        ----------
        forecasts : dict of series to ndarray
            Of shape (steps, n_targets), or (steps, n_targets, n_names) with `names`.
        """
        parts = {}
        for key, values in forecasts.items():
            index = self.series[key].history.after(len(values))
            if names is None:
                parts[key] = self.output.restore(values, index)
            else:
                parts[key] = self.output.restore_named(values, index, names)
        return self.output.combine(parts)

    def values_by_target(self) -> dict[Hashable, np.ndarray]:
        """Return the known values of each target, in order of time, by its name."""
        return {
            name: column
            for key, series in self.series.items()
            for name, column in zip(
                self.output.target_names(key, self.series_model.n_targets),
                series.history.y.T,
                strict=True,
            )
        }

    @property
    def n_bytes(self) -> int:
        """Bytes of arrays, by which engines decide to send a forecaster once."""
        arrays = list(self.network.weights.values())
        for series in self.series.values():
            arrays += [series.history.y]
            arrays += [] if series.history.X is None else [series.history.X]
        return sum(values.nbytes for values in arrays)


def with_new_rows(fitted: FittedSeries, new: History, model: ForecastModel) -> History:
    """Return the history of a series with rows that follow it at once."""
    history = fitted.history.appended(new.y, new.X, new.index)
    # Rows that cannot be scaled could neither be forecast from nor loaded.
    scale_values(new.y, fitted.scaler)
    if new.X is not None:
        new_rows = np.arange(len(history) - len(new), len(history))
        inputs = inputs_at(history, model.calendar, new_rows)
        scale_values(inputs, model.x_scaler)
    return history


def upgraded(attributes: dict) -> FittedForecaster:
    """Return the state of attributes of a file that was written before there was one.

    Parameters
    ----------
    attributes : dict
        Of the estimator, parameters included. Those that the state holds are removed
        from it.
    """
    take = attributes.pop
    form, (y_scalers, x_scaler) = take("_form"), take("_scalers")
    x_scaler = stored_scaler(x_scaler)
    network = FittedNetwork(
        take("_spec_"),
        take("weights_"),
        take("_quantile_network", None),
        attributes.get("batch_size", 64),
    )
    names = ("history_", "n_iter_", "best_epoch_", "baseline_scores_", "skill_")
    record = TrainingRecord(*map(take, names))
    form_names = ("_container", "_names", "_levels", "_one_d")
    output = OutputFormat(*(take(name, None) for name in form_names))
    histories, n_fitted = take("_histories", {}), take("_n_fitted", [])
    norm, past_only = take("_norm", None), take("_past", None)
    encoder, calibration = take("_static_encoder", None), take("_spread", None)
    take("window_length_", None)
    if form == "windows":  # may hold a series of an earlier fit, which goes
        shape = () if output.one_dimensional else network.spec.output_shape[1:]
        windows = WindowModel(network, x_scaler, stored_scaler(y_scalers), shape)
        return FittedForecaster(form, output, windows, record=record)
    model = ForecastModel(
        network,
        norm,
        x_scaler,
        past_only,
        attributes.get("calendar"),
        attributes.get("n_features_in_", 0) if form == "regression" else 0,
    )
    fitted = zip(
        histories.items(), map(stored_scaler, y_scalers), n_fitted, strict=True
    )
    series = {key: FittedSeries(known, s, n) for (key, known), s, n in fitted}
    return FittedForecaster(form, output, model, series, calibration, encoder, record)


def chosen_series(state: FittedForecaster, series) -> list:
    """Return the keys of the series to forecast; `series=None` means all."""
    if series is None:
        return list(state.series)
    is_key = isinstance(series, str) or not isinstance(series, Iterable)
    # A tuple may be the key of one series, or the keys of several.
    if is_key or (isinstance(series, tuple) and series in state.series):
        series = [series]
    keys = list(series)
    if not keys:
        raise ValueError("series is empty. Name a series, or pass None for all.")
    unknown = [key for key in keys if key not in state.series]
    if unknown or state.is_single:
        known = f"{list(state.series)[:5]}"
        known += " and so on." if len(state.series) > 5 else "."
        raise ValueError(
            f"series has {unknown[:1] or series}, but the forecaster knows "
            + ("one series alone." if state.is_single else known)
            + " Give the past of a new series by history=."
        )
    fitted = {key: key for key in state.series}
    return [fitted[key] for key in keys]  # 1, where 1.0 is asked for
