"""Displays that explain a forecast or a predicted class."""

from html import escape

import numpy as np
import pandas as pd

from sklstm._reporting.display import (
    BLUE,
    VERMILION,
    Display,
    finish,
    legend_below,
    rgb,
)
from sklstm._reporting.plotly_figures import lag_figure, token_figure
from sklstm.inspection import lag_attributions, token_attributions

LINE_LENGTH = 68  # Letters in a line of a drawn text.
ROW_LABEL = "row before (-) or after (+) the forecast origin"
EFFECT_LABEL = "effect on the forecast"


class LagAttributionDisplay(Display):
    """Bars of the contribution of each past value and input to one forecast.

    Parameters
    ----------
    attributions : Series
        In the units of the target, with index (input, offset); see
        `sklstm.inspection.lag_attributions`.
    base_value, prediction : float, default=None
        Forecasts at the baseline and of the data; the title shows them if both are
        passed.

    Attributes
    ----------
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    bars_ : dict of str to matplotlib.container.BarContainer
        Bars by input.
    """

    def __init__(self, attributions, base_value=None, prediction=None):
        self.attributions = attributions
        self.base_value, self.prediction = base_value, prediction

    @classmethod
    def from_estimator(
        cls,
        forecaster,
        X=None,
        history=None,
        *,
        step=1,
        series=None,
        target=None,
        n_steps=32,
        **drawing,
    ):
        """Explain one forecast and draw.

        Parameters
        ----------
        forecaster, X, history, series, n_steps
            As for `sklstm.inspection.lag_attributions`.
        step : int, default=1
            The step ahead whose forecast is explained.
        target : name, default=None
            The target among several; None means the first.
        **drawing
            `ax` and `backend`, as for `plot`.

        Returns
        -------
        LagAttributionDisplay
        """
        steps = None if forecaster._state.form == "windows" else step
        why = lag_attributions(
            forecaster, steps, X, history, series=series, n_steps=n_steps
        )
        return cls.from_attributions(why, step=step, target=target, **drawing)

    @classmethod
    def from_attributions(
        cls, why, *, step=1, target=None, ax=None, backend="matplotlib"
    ):
        """Draw a result of `lag_attributions`; parameters as in the other methods."""
        columns, column = why.attributions.columns, step
        if columns.nlevels > 1:
            column = (columns[0][0] if target is None else target, step)
        if column not in columns:
            raise ValueError(
                f"There is no forecast of {column!r}, only of {list(columns)[:5]}. "
                "Choose another step or target."
            )
        return cls(
            why.attributions[column], why.base_value[column], why.prediction[column]
        ).plot(ax=ax, backend=backend)

    @property
    def _table(self):
        """Attributions by row, one column an input."""
        table = self.attributions.unstack(level=0)
        return table[self.attributions.index.get_level_values(0).unique()]

    @property
    def _title(self):
        if self.prediction is None or self.base_value is None:
            return "Effect of past rows on the forecast"
        return (
            f"Forecast {self.prediction:.4g}: {self.base_value:.4g} from a constant "
            f"history, "
            f"{self.prediction - self.base_value:+.4g} from these rows"
        )

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

    def _draw_on(self, ax):
        table, self.bars_ = self._table, {}
        above = pd.Series(0.0, table.index)
        below = above.copy()
        for i, name in enumerate(table):
            values = table[name].fillna(0.0)
            # Positive bars are stacked upwards from zero, and negative bars downwards.
            bottom = np.where(values >= 0, above, below)
            color = self._colors[i % len(self._colors)]
            self.bars_[name] = ax.bar(
                table.index, values, bottom=bottom, color=color, label=str(name)
            )
            above, below = above + values.clip(lower=0), below + values.clip(upper=0)
        ax.axhline(0, color="0.5", linewidth=0.8)
        ax.set(xlabel=ROW_LABEL, ylabel=EFFECT_LABEL)
        if len(self.bars_) > 1:
            legend_below(ax)
        finish(ax, self._title)

    def _plotly_figure(self):
        return lag_figure(self._table, self._title, ROW_LABEL, EFFECT_LABEL)


class TokenAttributionDisplay(Display):
    """The words of a text, coloured by their contribution to a class.

    Blue words support the class and orange words oppose it; a deeper colour means a
    larger contribution. A notebook shows a display that was not drawn as coloured text.

    Parameters
    ----------
    tokens : list
    attributions : ndarray of shape (n_tokens,)
        Change of the class's logit.
    target : label, default=None
        The class.
    base_value, prediction : float, default=None
        Logits of the class for a text without information, and for this text.

    Attributes
    ----------
    ax_, figure_
        Matplotlib axes and figure; with plotly None and its figure.
    words_ : list of matplotlib.text.Text

    Examples
    --------
    >>> from sklstm.plotting import TokenAttributionDisplay
    >>> display = TokenAttributionDisplay(["not", "bad"], [1.5, -0.5], "good")
    >>> display.plot()  # doctest: +SKIP
    """

    def __init__(
        self, tokens, attributions, target=None, base_value=None, prediction=None
    ):
        self.tokens, self.attributions = list(tokens), np.asarray(attributions, float)
        self.target, self.base_value = target, base_value
        self.prediction = prediction

    @classmethod
    def from_estimator(
        cls,
        classifier,
        text,
        *,
        target=None,
        n_steps=32,
        ax=None,
        backend="matplotlib",
    ):
        """Explain the class of one text and draw.

        Parameters
        ----------
        classifier, text, target, n_steps
            As for `sklstm.inspection.token_attributions`.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a new figure.
        backend : {"matplotlib", "plotly"}, default="matplotlib"
            "plotly" makes an interactive figure.

        Returns
        -------
        TokenAttributionDisplay
        """
        why = token_attributions(classifier, text, target=target, n_steps=n_steps)
        return cls.from_attributions(why, ax=ax, backend=backend)

    @classmethod
    def from_attributions(cls, why, *, ax=None, backend="matplotlib"):
        """Draw a result of `token_attributions`."""
        return cls(
            why.tokens, why.attributions, why.target, why.base_value, why.prediction
        ).plot(ax=ax, backend=backend)

    @property
    def _strengths(self):
        """Attributions, scaled to values between -1 and 1."""
        largest = np.abs(self.attributions).max(initial=0)
        return self.attributions / largest if largest else self.attributions

    @property
    def _title(self):
        if self.target is None:
            return ""
        title = f"Words for (blue) and against (orange) the class {self.target!s}"
        if self.prediction is not None and self.base_value is not None:
            change = self.prediction - self.base_value
            # Adding 0 turns -0.0 into 0.0.
            title += f"; logit {self.base_value + 0:+.3g} {change:+.3g}"
            title += f" = {self.prediction:+.3g}"
        return title

    @property
    def _positions(self):
        return lay_out([str(token) for token in self.tokens])

    @property
    def _n_lines(self):
        return 1 + max((line for line, _ in self._positions), default=0)

    def plot(self, ax=None, *, backend="matplotlib"):
        """Draw on `ax`, or on new axes; `backend` as in `from_estimator`."""
        return self._draw(backend, ax)

    def _axes(self, ax):
        axes = super()._axes(ax)
        if ax is None:
            self.figure_.set_size_inches(7, 0.5 + 0.32 * self._n_lines)
        return axes

    def _draw_on(self, ax):
        ax.set_axis_off()
        ax.set_title(self._title, loc="left", fontsize="medium")
        # The layout sets the size of axes only when the figure is drawn.
        self.figure_.draw_without_rendering()
        box = ax.get_window_extent()
        width, height = (
            side * 72 / self.figure_.dpi for side in (box.width, box.height)
        )
        # A letter of the monospace font is 0.62 of its size wide; both are in points.
        size = min(width / LINE_LENGTH / 0.62, 11)
        # In high axes lines keep their distance, and space stays free below them.
        n_lines = max(self._n_lines, height / (2.2 * size))
        ax.set(xlim=(0, LINE_LENGTH), ylim=(n_lines, 0))
        self.words_ = []
        for token, (line, column), strength in zip(
            self.tokens, self._positions, self._strengths, strict=True
        ):
            self.words_.append(
                ax.text(
                    column,
                    line + 0.5,
                    str(token),
                    parse_math=False,  # a token may hold a dollar sign
                    family="monospace",
                    size=size,
                    va="center",
                    color="black",
                    bbox={
                        "facecolor": shade(strength),
                        "edgecolor": "none",
                        "boxstyle": "square,pad=0.15",
                    },
                )
            )

    def _plotly_figure(self):
        shades = map(shade, self._strengths)
        words = zip(
            self.tokens, self._positions, self.attributions, shades, strict=True
        )
        return token_figure(list(words), LINE_LENGTH, self._title)

    def _repr_html_(self):
        # A display that was drawn is shown by its figure, and must not appear twice.
        if "figure_" in vars(self):
            return super()._repr_html_()
        words = " ".join(
            f'<span title="{value:+.3f}" style="background:{shade(strength)};'
            'color:black;padding:1px 3px;border-radius:3px">'
            f"{escape(str(token))}</span>"
            for token, value, strength in zip(
                self.tokens, self.attributions, self._strengths, strict=True
            )
        )
        title = f"<div><small>{escape(self._title)}</small></div>"
        return f'<div style="line-height:1.9">{title}{words}</div>'


def shade(strength):
    """Return a colour from orange (-1) over white to blue (1), legible under black."""
    end = np.array(rgb(BLUE if strength > 0 else VERMILION))
    mixed = 255 + 0.7 * abs(strength) * (end - 255)
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


def lay_out(words):
    """Return (line, column) of each word in lines of `LINE_LENGTH` letters."""
    positions, line, column = [], 0, 0
    for word in words:
        if column and column + len(word) > LINE_LENGTH:
            line, column = line + 1, 0
        positions.append((line, column))
        column += len(word) + 1
    return positions
