"""Display of forecast errors by lead time, beside those of naive forecasts."""

import numpy as np
import pandas as pd

from sklstm._reporting.display import Display, finish
from sklstm._reporting.plotly_figures import backtest_figure
from sklstm._series.reader import read_observations

NAIVE = ("last value", "seasonal naive")
TITLE = "Error by lead time, over rolling origins"


class BacktestDisplay(Display):
    """Mean absolute error by lead time, beside naive forecasts.

    Parameters
    ----------
    errors : DataFrame
        One row a step, one column a forecaster.

    Attributes
    ----------
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    lines_ : dict of str to matplotlib.lines.Line2D
        Curves by the name of the forecaster.
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
        backend="matplotlib",
    ):
        """Backtest on rows that follow the history, and draw the errors.

        Parameters
        ----------
        forecaster : LSTMForecaster, or dict of str to LSTMForecaster
            Several forecasters have to be fitted on the same rows.
        X, y, steps, stride
            As for `LSTMForecaster.backtest`.
        seasonal_period : int, default=None
            Rows in one season of the seasonal naive forecast; None means the season of
            the first forecaster.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        BacktestDisplay
        """
        if not isinstance(forecaster, dict):
            forecaster = {type(forecaster).__name__: forecaster}
        tables = {
            name: f.backtest(X, y, steps=steps, stride=stride)
            for name, f in forecaster.items()
        }
        first = next(iter(forecaster.values()))
        if seasonal_period is None:
            seasonal_period = first._state.norm.season
        errors = {name: errors_by_step(table) for name, table in tables.items()}
        n_steps = next(iter(tables.values()))["step"].max()
        errors |= naive_errors(first, X, y, n_steps, stride, seasonal_period)
        return cls(pd.DataFrame(errors)).plot(ax, backend=backend)

    @classmethod
    def from_predictions(cls, tables, *, ax=None, backend="matplotlib"):
        """Draw tables of backtests.

        Parameters
        ----------
        tables : dict of str to DataFrame
            Tables of `LSTMForecaster.backtest`, with columns step, y_true and y_pred,
            by the name of the forecaster.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        BacktestDisplay
        """
        errors = {name: errors_by_step(table) for name, table in tables.items()}
        return cls(pd.DataFrame(errors)).plot(ax, backend=backend)

    def plot(self, ax=None, *, backend="matplotlib"):
        """Draw on `ax`, or on new axes; `backend` as in `from_estimator`."""
        return self._draw(backend, ax)

    def _draw_on(self, ax):
        self.lines_ = {}
        for i, name in enumerate(self.errors):
            self.lines_[name] = ax.plot(
                self.errors.index,
                self.errors[name],
                "--" if name in NAIVE else "-o",
                color=self._colors[i % len(self._colors)],
                markersize=3,
                label=name,
            )[0]
        ax.set(xlabel="steps ahead", ylabel="mean absolute error")
        # From 0, because a cut axis exaggerates the difference between forecasters.
        ax.set_ylim(bottom=0)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)
        finish(ax, TITLE)

    def _plotly_figure(self):
        return backtest_figure(self.errors, NAIVE, TITLE)


def errors_by_step(table):
    return (table["y_true"] - table["y_pred"]).abs().groupby(table["step"]).mean()


def naive_errors(forecaster, X, y, n_steps, stride, season):
    """Return mean absolute errors of naive forecasts by step, from the same origins."""
    known = forecaster._state
    full = known.extended(read_observations(forecaster, X, y, "backtest")).series
    starts = {key: len(series.history) for key, series in known.series.items()}
    ahead = np.arange(n_steps)
    lags = {"last value": 1 + ahead}
    if season is not None and 1 < season <= min(starts.values()):
        # Beyond one season, the last season is repeated: its lag grows by a season.
        lags["seasonal naive"] = (ahead // season + 1) * season
    errors: dict[str, list[np.ndarray]] = {name: [] for name in lags}
    for key, series in full.items():
        known = series.history
        first = np.arange(starts[key], len(known) - n_steps + 1, stride)
        for name, back in lags.items():
            actual, then = (known.y[first[:, None] + ahead - b] for b in (0, back))
            errors[name].append(np.abs(actual - then))
    # Missing actual values count in no mean, as in the forecasters' own errors.
    index = pd.RangeIndex(1, n_steps + 1)
    return {
        name: pd.Series(np.nanmean(np.concatenate(parts), axis=(0, 2)), index)
        for name, parts in errors.items()
    }
