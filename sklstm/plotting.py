"""Displays of training, forecasts, errors and attributions, as in scikit-learn.

``from_estimator`` computes and draws, the other class methods draw results that exist
already, and ``plot(ax=...)`` draws on given axes. Attributes hold the drawn lines.
``sklstm[plot]`` installs Matplotlib. ``sklstm[plotly]`` installs plotly, with which
``backend="plotly"`` draws interactive figures.
"""

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklstm._reporting.attribution_displays import (
    LagAttributionDisplay,
    TokenAttributionDisplay,
)
from sklstm._reporting.backtest_display import BacktestDisplay
from sklstm._reporting.display import (
    VERMILION,
    Display,
    finish,
    format_dates,
    legend_below,
    on_axis,
)
from sklstm._reporting.plotly_figures import (
    correlation_figure,
    forecast_figure,
    loss_figure,
    prediction_figure,
    residual_figure,
)
from sklstm._reporting.summary import counted
from sklstm._series.alignment import aligned_test_rows, check_same_dates
from sklstm._series.panel import has_levels, is_panel, rows_by_series
from sklstm._series.time_index import check_same_kind, continued_index, time_index
from sklstm._series.validation import as_numbers
from sklstm.metrics import correlations, lag

__all__ = [
    "BacktestDisplay",
    "ForecastDisplay",
    "LagAttributionDisplay",
    "PredictionDisplay",
    "TokenAttributionDisplay",
    "TrainingHistoryDisplay",
]


class TrainingHistoryDisplay(Display):
    """Loss or a metric on training rows and validation block at each epoch.

    Parameters
    ----------
    histories : dict of str to dict of str to list
        `history_` of each estimator by its name.
    best_epochs : dict of str to int, default=None
        Epochs to mark, by the name of the estimator; 0 means no epoch.

    Attributes
    ----------
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    lines_ : list of matplotlib.lines.Line2D
        Curves of training and validation.
    marks_ : dict of str to matplotlib.lines.Line2D
        Marks of best epochs, by the name of the estimator.

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.plotting import TrainingHistoryDisplay
    >>> f = LSTMForecaster(window_length=24, epochs=3, random_state=0)
    >>> f.fit(load_air_passengers())
    LSTMForecaster(...)
    >>> TrainingHistoryDisplay.from_estimator(f)  # doctest: +SKIP
    """

    def __init__(self, histories, best_epochs=None):
        self.histories, self.best_epochs = histories, best_epochs or {}

    @classmethod
    def from_estimator(cls, estimator, *, metric="loss", ax=None, backend="matplotlib"):
        """Draw the training of one or several fitted estimators.

        Parameters
        ----------
        estimator : estimator, or dict of str to estimator, or list of estimators
            The keys of a dict are names in the legend. A list holds folds, such as
            ``cross_validate(..., return_estimator=True)["estimator"]``.
        metric : str, default="loss"
            A key of `history_`, without ``val_``.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        TrainingHistoryDisplay
        """
        if isinstance(estimator, (list, tuple)):
            estimator = {f"fold {i}": e for i, e in enumerate(estimator, 1)}
        fitted = estimator if isinstance(estimator, dict) else {"": estimator}
        for one in fitted.values():
            if not hasattr(one, "history_"):
                check_is_fitted(one)
                raise TypeError(
                    "TrainingHistoryDisplay draws estimators with a history_, but got "
                    f"a {type(one).__name__}. Pass pipeline[-1] of a pipeline, and "
                    "best_estimator_ of a search."
                )
        histories = {name: e.history_ for name, e in fitted.items()}
        best = {name: e.best_epoch_ for name, e in fitted.items()}
        return cls.from_histories(
            histories, best, metric=metric, ax=ax, backend=backend
        )

    @classmethod
    def from_histories(
        cls,
        histories,
        best_epochs=None,
        *,
        metric="loss",
        ax=None,
        backend="matplotlib",
    ):
        """Draw histories; parameters as in the class and `from_estimator`."""
        return cls(histories, best_epochs).plot(ax, metric=metric, backend=backend)

    def plot(self, ax=None, *, metric="loss", backend="matplotlib"):
        """Draw the histories; parameters as in `from_estimator`."""
        self._check_metric(metric)
        return self._draw(backend, ax, metric)

    def _plotly_figure(self, metric):
        return loss_figure(self.histories, self.best_epochs, metric)

    def _draw_on(self, ax, metric):
        self.lines_, self.marks_ = [], {}
        several = len(self.histories) > 1
        styles = {metric: "-", f"val_{metric}": "--"}
        for i, (name, history) in enumerate(self.histories.items()):
            best = self.best_epochs.get(name)
            for key, style in styles.items():
                if key not in history:
                    continue
                values = history[key]
                # Of several estimators, both curves of one share its colour and label.
                color = self._colors[i % len(self._colors)]
                label = key
                if several:
                    label = name if key == metric else f"_{name}"
                elif key != metric:
                    color = VERMILION
                epochs = np.arange(1, len(values) + 1)
                self.lines_ += ax.plot(epochs, values, style, color=color, label=label)
            if best and several:
                mark = ax.plot(best, values[best - 1], "o", color=color)
                self.marks_[name] = mark[0]
            elif best:
                label = f"best epoch ({best})"
                self.marks_[name] = ax.axvline(best, color="0.5", ls=":", label=label)
        if several:
            # Empty curves explain line styles, because labels already name estimators.
            for key, style in styles.items():
                if any(key in history for history in self.histories.values()):
                    ax.plot([], [], style, color=self._ink, label=key)
            if self.marks_:
                ax.plot([], [], "o", color=self._ink, label="best epoch")
        ax.set(xlabel="epoch", ylabel=metric)
        ax.xaxis.get_major_locator().set_params(integer=True)
        if several:
            legend_below(ax)
        else:
            ax.legend(frameon=False)
        finish(ax, f"{metric[0].upper()}{metric[1:]} by epoch")

    def _check_metric(self, metric):
        for name, history in self.histories.items():
            if metric not in history:
                raise ValueError(
                    f"The history {name!r} has no {metric!r}. Choose metric among "
                    f"{sorted(history)}."
                )


def series_to_draw(state, series):
    """Return the key of the series that a display shows; None for the only one.

    Raises
    ------
    ValueError
        If there are several, none of this key, or ready-made windows.
    """
    if isinstance(series, list) and len(series) == 1:
        (series,) = series
    if state.form == "windows":
        raise ValueError(
            "The forecaster was fitted on ready-made windows, which have no order, "
            "so no forecast follows them. Pass their predictions to "
            "PredictionDisplay.from_predictions."
        )
    if isinstance(series, list) or series not in state.series:
        known = list(state.series)
        fault = f"The forecaster has {len(known)} series, and a display shows one"
        if series is not None:
            fault = f"The forecaster has no series {series!r}"
        some = f"{known[:5]}{' and others' if len(known) > 5 else ''}"
        raise ValueError(f"{fault}. Pass series=, one of {some}.")
    return series


def one_column(values):
    """Return a frame or array of one column without its axis of columns."""
    if np.ndim(values) == 2 and np.shape(values)[1] == 1:
        is_frame = isinstance(values, pd.DataFrame)
        return values.iloc[:, 0] if is_frame else np.asarray(values)[:, 0]
    return values


class ForecastDisplay(Display):
    """The end of the history, the forecast, and prediction intervals.

    Parameters
    ----------
    history : Series
        The last rows before the forecast.
    forecast : Series
    intervals : dict of float to array-like of shape (steps, 2), default=None
        Lower and upper bounds by coverage.
    y_true : Series, default=None
        Actual values.
    name : str, default=None
        Name of the series, for the title.

    Attributes
    ----------
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    lines_ : dict of str to matplotlib.lines.Line2D
        Curves "history", "forecast" and "actual".
    bands_ : dict of float to artist
        Intervals by coverage.
    """

    def __init__(self, history, forecast, intervals=None, y_true=None, name=None):
        self.history, self.forecast, self.y_true = history, forecast, y_true
        self.intervals, self.name = intervals or {}, name

    @classmethod
    def from_estimator(
        cls,
        forecaster,
        steps=None,
        X=None,
        *,
        series=None,
        y_true=None,
        coverages=(0.5, 0.8, 0.95),
        n_history=None,
        **drawing,
    ):
        """Forecast one series, and draw the forecast.

        Parameters
        ----------
        forecaster : LSTMForecaster
            A forecaster fitted on one target.
        steps, X
            As for `LSTMForecaster.forecast`.
        series : key, default=None
            The series to draw, among many.
        y_true : array-like of shape (steps,), default=None
            Actual values.
        coverages : sequence of float, default=(0.5, 0.8, 0.95)
            Coverages of the intervals. There are none if the fit had no validation
            block.
        n_history : int, default=None
            Rows of the history to draw; None means three times `steps`.
        **drawing
            `ax` and `backend`, as for `plot`.

        Returns
        -------
        ForecastDisplay
        """
        check_is_fitted(forecaster, "weights_")
        state = forecaster._state
        series = series_to_draw(state, series)
        chosen = None if series is None else [series]
        forecast = one_column(alone(forecaster.forecast(steps, X, series=chosen)))
        if np.ndim(forecast) != 1:
            raise ValueError(
                f"The forecaster has {forecast.shape[1]} targets, and a display shows "
                "one. Pass the columns of one target to from_predictions."
            )
        past = state.series[series].history
        # A history keeps only its last time stamps; older ones are computed from them.
        index, ahead = past.stamps(0, len(past)), past.after(len(forecast))
        if index is None:
            index = pd.RangeIndex(len(past))
        forecast = pd.Series(np.asarray(forecast), ahead)
        intervals = {}
        if state.intervals.has_quantiles:
            intervals = interval_frames(forecaster, steps, X, chosen, coverages, ahead)
        shown = 3 * len(forecast) if n_history is None else n_history
        history = pd.Series(past.y[:, 0], index)[max(len(past) - shown, 0) :]
        name = series if series is not None else target_name(state)
        if has_levels(y_true):
            y_true = rows_of_series(y_true, series)
        return cls.from_predictions(
            history, forecast, intervals, y_true=y_true, name=name, **drawing
        )

    @classmethod
    def from_predictions(
        cls,
        history,
        forecast,
        intervals=None,
        *,
        y_true=None,
        name=None,
        ax=None,
        backend="matplotlib",
    ):
        """Draw forecasts; parameters as in the class and `plot`.

        The x axis of arrays is the row number.
        """
        history = one_series(history, "history")
        forecast = one_series(forecast, "forecast", history)
        if y_true is not None:
            y_true = actual_values(one_column(y_true), forecast.index)
        return cls(history, forecast, intervals, y_true, name).plot(ax, backend=backend)

    def plot(self, ax=None, *, backend="matplotlib"):
        """Draw on `ax`, or on new axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        self
        """
        return self._draw(backend, ax)

    @property
    def _title(self):
        whose = "" if self.name is None else f" of {self.name}"
        return f"Forecast{whose}, {counted(len(self.forecast), 'step')} ahead"

    def _plotly_figure(self):
        return forecast_figure(
            self.history, self.forecast, self.intervals, self.y_true, self._title
        )

    def _draw_on(self, ax):
        ahead = on_axis(self.forecast.index)
        self.bands_ = {}
        # The widest band first, because later bands cover earlier ones.
        widest_first = sorted(self.intervals, reverse=True)
        # Opaque colours, because overlapping transparent ones differ from the legend.
        shares = np.linspace(0.2, 0.55, len(widest_first))
        for coverage, share in zip(widest_first, shares, strict=True):
            bounds = np.asarray(self.intervals[coverage])
            self.bands_[coverage] = ax.fill_between(
                ahead,
                bounds[:, 0],
                bounds[:, 1],
                color=self._pale(share),
                linewidth=0,
                label=f"{coverage:.0%} interval",
            )
        curves = {"history": (self.history, "-", self._ink)}
        curves["forecast"] = (self.forecast, "-", self._colors[0])
        if self.y_true is not None:
            curves["actual"] = (self.y_true, "--", VERMILION)
        self.lines_ = {
            name: ax.plot(on_axis(y.index), y, style, color=color, label=name)[0]
            for name, (y, style, color) in curves.items()
        }
        format_dates(ax, self.forecast.index)
        legend_below(ax)
        finish(ax, self._title)


KINDS = ("curves", "residuals", "lag")


class PredictionDisplay(Display):
    """One-step forecasts with actual values, their residuals or their lag.

    A forecaster that only repeats the last value looks accurate in a plot of curves.
    The lag shows that it does: the lag is the shift at which forecasts correlate best
    with actual values, and should be 0.

    Parameters
    ----------
    y_true, y_pred : Series

    Attributes
    ----------
    lag_ : int
        Rows by which forecasts follow actual values.
    correlations_ : ndarray
        Correlations of actual values with forecasts 0, 1, 2, ... rows later.
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    lines_ : dict of str to matplotlib.lines.Line2D
        Curves "actual" and "predicted".
    residuals_ : matplotlib.collections.LineCollection
        Lines of the residuals.
    bars_ : matplotlib.container.BarContainer
        Bars of the correlations.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.plotting import PredictionDisplay
    >>> y = np.random.default_rng(0).normal(size=100).cumsum()
    >>> display = PredictionDisplay.from_predictions(y[1:], y[:-1])
    >>> display.lag_
    1
    >>> display.plot(kind="lag")  # doctest: +SKIP
    """

    def __init__(self, y_true, y_pred):
        self.y_true, self.y_pred = y_true, y_pred
        self.lag_ = lag(y_true, y_pred)
        self.correlations_ = correlations(y_true, y_pred)

    @classmethod
    def from_estimator(
        cls, forecaster, X, y=None, *, kind="curves", ax=None, backend="matplotlib"
    ):
        """Predict rows that follow the history, and draw the predictions.

        Parameters
        ----------
        forecaster : LSTMForecaster
        X, y
            As for `LSTMForecaster.score`.
        kind : {"curves", "residuals", "lag"}, default="curves"
            Predictions on actual values, residuals, or correlations by shift.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        PredictionDisplay
        """
        y_true = X if y is None else y
        if is_panel(y_true):
            raise ValueError(
                "X holds many series, and a display shows one. Pass the rows of one "
                "series and their predictions to from_predictions."
            )
        state = getattr(forecaster, "_state", None)  # None of a pipeline
        if state is not None:
            X, y = aligned_test_rows(state, X, y)
            y_true = X if y is None else y
        y_pred = forecaster.predict(X)
        return cls.from_predictions(y_true, y_pred, kind=kind, ax=ax, backend=backend)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, kind="curves", ax=None, backend="matplotlib"
    ):
        """Draw predictions of one target; parameters as in `from_estimator`."""
        check_consistent_length(y_true, y_pred)
        check_same_dates(y_true, y_pred)
        if has_levels(y_true):
            raise ValueError(
                "y_true holds many series, and a display shows one. Pass the rows of "
                "one, for example y_true.xs(key)."
            )
        y_true = one_series(y_true, "y_true")
        y_true = pd.Series(as_numbers(y_true), y_true.index, name=y_true.name)
        y_pred = pd.Series(as_numbers(one_series(y_pred, "y_pred")), y_true.index)
        return cls(y_true, y_pred).plot(ax, kind=kind, backend=backend)

    def plot(self, ax=None, *, kind="curves", backend="matplotlib"):
        """Draw on `ax`, or on new axes; `kind` and `backend` as in `from_estimator`."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}. Got {kind!r}.")
        return self._draw(backend, ax, kind)

    @property
    def _label(self):
        # Missing actual values have no error.
        rmse = np.sqrt(np.nanmean((self.y_true - self.y_pred) ** 2))
        return f"predicted (RMSE {rmse:.4g}, lag {self.lag_})"

    def _title(self, kind):
        if kind == "curves":
            return "Predictions one step ahead"
        if kind == "residuals":
            mean = (self.y_true - self.y_pred).mean()
            return f"Residuals, of mean {mean:.4g}"
        best = f"best at a lag of {self.lag_}" if self.lag_ else "best without a lag"
        return f"Correlation of actual and predicted values, {best}"

    def _plotly_figure(self, kind):
        title = self._title(kind)
        if kind == "curves":
            return prediction_figure(self.y_true, self.y_pred, self._label, title)
        if kind == "residuals":
            return residual_figure(self.y_true - self.y_pred, title)
        return correlation_figure(self.correlations_, self.lag_, title)

    def _draw_on(self, ax, kind):
        getattr(self, f"_draw_{kind}")(ax)
        finish(ax, self._title(kind))

    def _draw_curves(self, ax):
        x = on_axis(self.y_true.index)
        self.lines_ = {}
        self.lines_["actual"] = ax.plot(
            x, self.y_true, color=self._ink, label="actual"
        )[0]
        self.lines_["predicted"] = ax.plot(
            x, self.y_pred, "--", color=self._colors[0], label=self._label
        )[0]
        format_dates(ax, self.y_true.index)
        legend_below(ax)

    def _draw_residuals(self, ax):
        residuals = self.y_true - self.y_pred
        x = on_axis(residuals.index)
        self.residuals_ = ax.vlines(x, 0, residuals, color=self._colors[0])
        ax.axhline(0, color="0.5", linewidth=0.8)
        ax.set_ylabel("actual - predicted")
        format_dates(ax, residuals.index)

    def _draw_lag(self, ax):
        shifts = np.arange(len(self.correlations_))
        colors = np.where(shifts == self.lag_, VERMILION, self._colors[0])
        self.bars_ = ax.bar(shifts, self.correlations_, color=list(colors))
        ax.axhline(0, color="0.5", linewidth=0.8)
        ax.set(xlabel="shift of predictions in rows", ylabel="correlation")
        ax.xaxis.get_major_locator().set_params(integer=True)


def one_series(values, name, history=None):
    """Return values of one column as a Series, arrays after a history on its axis."""
    values = one_column(values)
    if isinstance(values, pd.Series):
        return values
    values = as_numbers(values)
    if values.ndim != 1:
        raise ValueError(
            f"{name} has values of shape {values.shape}, and a display shows one "
            "column. Pass one of them."
        )
    if history is None or not len(history):
        return pd.Series(values)
    index = time_index(history, "history")
    if index is None:
        index = pd.RangeIndex(len(history))
    return pd.Series(values, continued_index(index, len(values)))


def rows_of_series(data, series):
    """Return the rows of one series of a frame of many."""
    known = list(rows_by_series(data, "y_true"))
    if series not in known:
        whose = "one series" if series is None else f"the series {series!r}"
        raise ValueError(
            f"y_true has rows of the series {known[:5]}, but the display shows "
            f"{whose}. Pass the rows of that one."
        )
    return data.xs(series)


def actual_values(y_true, axis):
    """Return actual values as a Series, by their index where it is of the same kind.

    Raises
    ------
    ValueError
        If they have time stamps of another kind than the axis.
    """
    index = time_index(y_true, "y_true") if isinstance(y_true, pd.Series) else None
    if index is not None:
        timed = (pd.DatetimeIndex, pd.PeriodIndex)
        if isinstance(index, timed) and isinstance(axis, timed):
            check_same_kind(index, axis, "y_true")
        if type(index) is type(axis):
            return pd.Series(as_numbers(y_true), index, name=y_true.name)
    y_true = one_series(y_true, "y_true")
    if len(y_true) != len(axis):
        raise ValueError(
            f"y_true has {len(y_true)} rows, but the display shows {len(axis)} steps. "
            "Pass a row for each, or a Series with the dates of its rows."
        )
    return pd.Series(as_numbers(y_true), axis)


def target_name(state):
    """Return the name of the only target, or None if it has none."""
    names = state.output.names
    return names[0] if isinstance(names, list) else names


def interval_frames(forecaster, steps, X, chosen, coverages, index):
    """Return lower and upper bounds on an index, by coverage."""
    frames = {}
    for coverage in coverages:
        bounds = forecaster.forecast_interval(
            steps, X, series=chosen, coverage=coverage
        )
        # Bounds of arrays have no index of their own.
        frames[coverage] = pd.DataFrame(
            np.asarray(alone(bounds)).reshape(-1, 2), index, ["lower", "upper"]
        )
    return frames


def alone(data):
    """Return the only series of a result of many series."""
    if isinstance(data, list):
        return data[0]
    levels = getattr(getattr(data, "index", None), "nlevels", 1)
    return data.droplevel(list(range(levels - 1))) if levels > 1 else data
