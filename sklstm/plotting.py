"""Displays in scikit-learn's manner: of training, forecasts, errors and reasons.

Each is made by ``from_estimator`` or from numbers, draws itself on given axes with
``plot(ax=...)``, and keeps what it drew. Matplotlib comes with ``sklstm[plot]``.
"""

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from sklstm._attribution_displays import LagAttributionDisplay, TokenAttributionDisplay
from sklstm._display import BLUE, COLORS, VERMILION, Display, on_axis, turn_dates
from sklstm.metrics import lag

__all__ = [
    "BacktestDisplay",
    "ForecastDisplay",
    "LagAttributionDisplay",
    "PredictionDisplay",
    "TokenAttributionDisplay",
    "TrainingHistoryDisplay",
]


class TrainingHistoryDisplay(Display):
    """Loss or a metric of training and validation by epoch.

    Parameters
    ----------
    histories : dict of str to dict of str to list
        `history_` of each estimator by its name.
    best_epochs : dict of str to int, default=None
        Epochs to mark; 0 is before the first.

    Attributes
    ----------
    ax_, figure_
        What it was drawn on.
    lines_ : list of matplotlib.lines.Line2D

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
    def from_estimator(cls, estimator, *, metric="loss", ax=None):
        """Draw the training of a fitted estimator, or of several by name.

        Parameters
        ----------
        estimator : estimator or dict of str to estimator
            For example the folds of a cross-validation.
        metric : str, default="loss"
            A key of `history_`, without ``val_``.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.

        Returns
        -------
        TrainingHistoryDisplay
        """
        fitted = estimator if isinstance(estimator, dict) else {"": estimator}
        histories = {name: e.history_ for name, e in fitted.items()}
        best = {name: e.best_epoch_ for name, e in fitted.items()}
        return cls(histories, best).plot(metric, ax=ax)

    def plot(self, metric="loss", *, ax=None):
        """Draw; parameters as in `from_estimator`."""
        for name, history in self.histories.items():
            if metric not in history:
                raise ValueError(
                    f"The history {name!r} has no {metric!r}, only {sorted(history)}."
                )
        ax = self._axes(ax)
        self.lines_ = []
        for i, (name, history) in enumerate(self.histories.items()):
            alone = len(self.histories) == 1
            color = COLORS[i % len(COLORS)]
            for key, style in ((metric, "-"), (f"val_{metric}", "--")):
                if key not in history:
                    continue
                epochs = np.arange(1, len(history[key]) + 1)
                if alone:
                    color = BLUE if key == metric else VERMILION
                self.lines_ += ax.plot(
                    epochs, history[key], style, color=color, label=f"{name} {key}"
                )
            best = self.best_epochs.get(name)
            if best:
                grey = "0.5" if alone else color
                ax.axvline(
                    best, color=grey, ls=":", label=f"{name} best epoch ({best})"
                )
        ax.set(xlabel="epoch", ylabel=metric)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        return self


class ForecastDisplay(Display):
    """The end of the history, the forecast, and how far off it may be.

    Parameters
    ----------
    history : Series
        The last rows before the forecast.
    forecast : Series
    intervals : dict of float to DataFrame, default=None
        Columns lower and upper by coverage.
    y_true : Series, default=None
        What came.

    Attributes
    ----------
    ax_, figure_
        What it was drawn on.
    lines_ : dict of str to matplotlib.lines.Line2D
    bands_ : dict of float to artist
    """

    def __init__(self, history, forecast, intervals=None, y_true=None):
        self.history, self.forecast, self.y_true = history, forecast, y_true
        self.intervals = intervals or {}

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
        ax=None,
    ):
        """Forecast and draw.

        Parameters
        ----------
        forecaster : LSTMForecaster
            Fitted on one target.
        steps, X
            As for `LSTMForecaster.forecast`.
        series : key, default=None
            Which of many series to draw.
        y_true : array-like of shape (steps,), default=None
            What came.
        coverages : sequence of float, default=(0.5, 0.8, 0.95)
            Intervals of the fan; none where there was no validation block.
        n_history : int, default=None
            Rows of the history to draw; None means three times `steps`.
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        ForecastDisplay
        """
        if series not in forecaster._histories:
            raise ValueError(
                f"The forecaster has no series {series!r}, and a display shows one. "
                f"Pass series=, one of {list(forecaster._histories)[:5]}."
            )
        chosen = None if series is None else [series]
        forecast = alone(forecaster.forecast(steps, X, series=chosen))
        if np.ndim(forecast) != 1:
            raise ValueError(
                f"The forecaster has {forecast.shape[1]} targets, and a display shows "
                "one. Pass from_predictions the columns of one."
            )
        past = forecaster._histories[series]
        index = past.axis(len(past))
        if index is None:
            index = pd.RangeIndex(len(past))
            ahead = pd.RangeIndex(len(past), len(past) + len(forecast))
        else:
            ahead = forecast.index
        forecast = pd.Series(np.asarray(forecast), ahead)
        intervals = {}
        if forecaster._spread is not None:
            for coverage in coverages:
                bounds = forecaster.forecast_interval(
                    steps, X, series=chosen, coverage=coverage
                )
                intervals[coverage] = pd.DataFrame(
                    np.asarray(alone(bounds)), ahead, ["lower", "upper"]
                )
        shown = 3 * len(forecast) if n_history is None else n_history
        history = pd.Series(past.y[:, 0], index)[-shown:]
        return cls.from_predictions(history, forecast, intervals, y_true=y_true, ax=ax)

    @classmethod
    def from_predictions(
        cls, history, forecast, intervals=None, *, y_true=None, ax=None
    ):
        """Draw given numbers; parameters as in the class."""
        if y_true is not None:
            check_consistent_length(forecast, y_true)
            y_true = pd.Series(np.asarray(y_true), forecast.index)
        return cls(history, forecast, intervals, y_true).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw on `ax`, or on new axes."""
        ax = self._axes(ax)
        ahead = on_axis(self.forecast.index)
        self.bands_ = {}
        for coverage in sorted(self.intervals, reverse=True):
            bounds = self.intervals[coverage]
            self.bands_[coverage] = ax.fill_between(
                ahead,
                bounds["lower"],
                bounds["upper"],
                color=BLUE,
                alpha=0.2,
                linewidth=0,
                label=f"{coverage:.0%} interval",
            )
        curves = {"history": (self.history, "-", "0.35")}
        curves["forecast"] = (self.forecast, "-", BLUE)
        if self.y_true is not None:
            curves["actual"] = (self.y_true, "--", VERMILION)
        self.lines_ = {
            name: ax.plot(on_axis(y.index), y, style, color=color, label=name)[0]
            for name, (y, style, color) in curves.items()
        }
        turn_dates(ax, self.forecast.index)
        ax.legend()
        return self


class PredictionDisplay(Display):
    """One-step forecasts on actual values, and by how many rows they lag behind.

    A forecaster that only repeats what it saw last looks good in such a picture. The
    lag tells: it is the shift at which forecasts correlate best with actual values,
    and should be 0.

    Parameters
    ----------
    y_true, y_pred : Series

    Attributes
    ----------
    lag_ : int
        Rows by which forecasts follow actual values.
    ax_, figure_
        What it was drawn on.
    lines_ : dict of str to matplotlib.lines.Line2D
    """

    def __init__(self, y_true, y_pred):
        self.y_true, self.y_pred = y_true, y_pred
        self.lag_ = lag(np.asarray(y_true, float), np.asarray(y_pred, float))

    @classmethod
    def from_estimator(cls, forecaster, X, y=None, *, ax=None):
        """Predict rows that follow the history, and draw.

        Parameters
        ----------
        forecaster : LSTMForecaster
        X, y
            As for `LSTMForecaster.score`.
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        PredictionDisplay
        """
        y_true = X if y is None else y
        return cls.from_predictions(y_true, forecaster.predict(X), ax=ax)

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, ax=None):
        """Draw given numbers of one target."""
        check_consistent_length(y_true, y_pred)
        y_true = (
            y_true if isinstance(y_true, pd.Series) else pd.Series(np.ravel(y_true))
        )
        y_pred = pd.Series(np.ravel(y_pred), y_true.index)
        return cls(y_true, y_pred).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw on `ax`, or on new axes."""
        ax = self._axes(ax)
        at = on_axis(self.y_true.index)
        actual, predicted = np.asarray(self.y_true), np.asarray(self.y_pred)
        rmse = np.sqrt(np.mean((actual - predicted) ** 2))
        label = f"predicted (RMSE {rmse:.4g}, lag {self.lag_})"
        self.lines_ = {}
        self.lines_["actual"] = ax.plot(at, actual, color="0.35", label="actual")[0]
        self.lines_["predicted"] = ax.plot(
            at, predicted, "--", color=BLUE, label=label
        )[0]
        turn_dates(ax, self.y_true.index)
        ax.legend()
        return self


class BacktestDisplay(Display):
    """Mean absolute error by lead time, beside naive forecasts.

    Parameters
    ----------
    errors : DataFrame
        One row a step, one column a forecaster.

    Attributes
    ----------
    ax_, figure_
        What it was drawn on.
    lines_ : dict of str to matplotlib.lines.Line2D
    """

    def __init__(self, errors):
        self.errors = errors

    @classmethod
    def from_estimator(
        cls,
        forecaster,
        X,
        y=None,
        *,
        steps=None,
        stride=1,
        seasonal_period=None,
        ax=None,
    ):
        """Backtest on rows that follow the history, and draw.

        Parameters
        ----------
        forecaster : LSTMForecaster
        X, y, steps, stride
            As for `LSTMForecaster.backtest`.
        seasonal_period : int, default=None
            Draw the seasonal naive forecast too.
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        BacktestDisplay
        """
        table = forecaster.backtest(X, y, steps=steps, stride=stride)
        full = forecaster._copy().update(X, y)._histories
        n_steps = table["step"].max()
        ahead = np.arange(n_steps)
        lags = {"last value": np.ones(n_steps, int) + ahead}
        if seasonal_period is not None:
            lags["seasonal naive"] = (ahead // seasonal_period + 1) * seasonal_period
        naive = {name: [] for name in lags}
        for key, known in full.items():
            first = np.arange(
                len(forecaster._histories[key]), len(known) - n_steps + 1, stride
            )
            for name, back in lags.items():
                naive[name].append(known.y[first[:, None] + ahead - back])
        naive = {name: np.concatenate(parts) for name, parts in naive.items()}
        n_targets = naive["last value"].shape[2]
        actual = table["y_true"].to_numpy().reshape(-1, n_steps, n_targets)
        errors = {
            name: np.abs(actual - forecast).mean(axis=(0, 2))
            for name, forecast in naive.items()
        }
        own = np.abs(table["y_true"] - table["y_pred"])
        errors = {
            type(forecaster).__name__: own.groupby(table["step"]).mean(),
            **errors,
        }
        index = pd.RangeIndex(1, n_steps + 1)
        return cls(pd.DataFrame(errors, index)).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw on `ax`, or on new axes."""
        ax = self._axes(ax)
        self.lines_ = {}
        for i, name in enumerate(self.errors):
            self.lines_[name] = ax.plot(
                self.errors.index,
                self.errors[name],
                "-o" if i == 0 else "--",
                color=COLORS[i],
                markersize=3,
                label=name,
            )[0]
        ax.set(xlabel="steps ahead", ylabel="mean absolute error")
        ax.set_ylim(bottom=0)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        return self


def alone(data):
    """The one series of a result of many."""
    if isinstance(data, list):
        return data[0]
    levels = getattr(getattr(data, "index", None), "nlevels", 1)
    return data.droplevel(list(range(levels - 1))) if levels > 1 else data
