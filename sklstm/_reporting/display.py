"""Base class of displays: backends, axes, colours and dates."""

from typing import Any

import numpy as np
import pandas as pd

# Colours that people with colour blindness distinguish (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
BACKENDS = ("matplotlib", "plotly")
# Width of a letter, and of the line before a label, of a legend in points.
LETTER, HANDLE = 5.5, 36


class Display:
    """Base class of displays, which chooses backend, axes and colours.

    A subclass has `_draw_on` and `_plotly_figure`.
    """

    ax_: Any
    figure_: Any

    def __repr__(self):
        # A notebook prints this below the figure, where an address would tell nothing.
        return f"{type(self).__name__}()"

    def _repr_html_(self):
        """Show an interactive figure; Matplotlib's figures are shown by pyplot."""
        figure = self._interactive
        return None if figure is None else figure._repr_html_()

    def _repr_mimebundle_(self, **kwargs):
        figure = self._interactive
        return {} if figure is None else figure._repr_mimebundle_(**kwargs)

    @property
    def _interactive(self):
        """The figure of plotly, if the display was drawn with plotly."""
        drawn = "figure_" in vars(self) and self.ax_ is None
        return self.figure_ if drawn else None

    def _draw(self, backend, ax, *options):
        """Draw with a backend; `options` are those of the subclass's own methods."""
        if backend not in BACKENDS:
            raise ValueError(
                f"backend must be 'matplotlib' or 'plotly'. Got {backend!r}."
            )
        if backend == "matplotlib":
            own = ax is None
            if own and self._is_open(options):
                ax = self.ax_
                ax.clear()
            self._draw_on(self._axes(ax), *options)
            self._own_options = options if own else None
            return self
        if ax is not None:
            raise ValueError(
                "ax is for Matplotlib, but backend is 'plotly', which draws a new "
                "figure. Leave out ax."
            )
        figure = self._plotly_figure(*options)
        self.ax_, self.figure_ = None, figure
        return self

    def _is_open(self, options):
        """Tell whether this picture is open already, on a figure of its own.

        A notebook shows all open figures below a cell, so that the second figure of
        `from_estimator` and a following `plot` would be a duplicate.
        """
        if getattr(self, "_own_options", None) != options or self.ax_ is None:
            return False
        import matplotlib.pyplot as plt

        if self.figure_.number not in plt.get_fignums():
            return False
        current = plt.gcf()
        # A later figure may have the number of one that was closed.
        is_own = plt.figure(self.figure_.number) is self.figure_
        if not is_own:
            plt.figure(current)
        return is_own

    def _draw_on(self, ax, *options):
        """Draw on Matplotlib axes."""
        raise NotImplementedError

    def _plotly_figure(self, *options):
        """Return a figure of plotly."""
        raise NotImplementedError

    def _axes(self, ax):
        try:
            import matplotlib.pyplot as plt
            from matplotlib.colors import to_rgb
        except ImportError as error:
            raise ImportError(
                "Displays are drawn with matplotlib, which is missing. Install it "
                "with pip install 'sklstm[plot]'."
            ) from error
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        # A transparent background has no colour, but light labels mean a dark one.
        dark = np.mean(to_rgb(ax.xaxis.label.get_color())) > 0.5
        strong, faint = (SKY, BLUE) if dark else (BLUE, SKY)
        self._colors = (strong, VERMILION, GREEN, ORANGE, PURPLE, faint)
        self._ink = "0.75" if dark else "0.35"
        self._ground = np.zeros(3) if dark else np.ones(3)
        if ax.get_facecolor()[3]:
            self._ground = np.array(to_rgb(ax.get_facecolor()))
        return ax

    def _pale(self, share):
        """Return a mix of the first colour and the background, by share of the colour.

        A mix is opaque, so overlapping bands keep the colours that the legend shows.
        """
        from matplotlib.colors import to_rgb

        return share * np.array(to_rgb(self._colors[0])) + (1 - share) * self._ground


def rgb(color):
    """Return red, green and blue, from 0 to 255, of a colour such as "#0072B2"."""
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def finish(ax, title):
    """Open the frame, draw a faint grid, and set the title unless the axes have one."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.3, linewidth=0.6)
    ax.set_axisbelow(True)
    if title and not ax.get_title():
        ax.set_title(title, fontsize="medium")


def legend_below(ax):
    """Put the legend below the axes, where it covers no data."""
    from matplotlib.transforms import ScaledTranslation

    labels = ax.get_legend_handles_labels()[1]
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    n_columns = int(points // (HANDLE + LETTER * max(map(len, labels))))
    # Tick labels, and the x axis label if any, stay between axes and legend.
    below, inches = -0.5 if ax.get_xlabel() else -0.32, ax.figure.dpi_scale_trans
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, below, inches),
        ncols=min(max(n_columns, 1), len(labels)),
        frameon=False,
    )


def on_axis(index):
    """Return an index that Matplotlib can place on an axis; it knows no periods."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index


def format_dates(ax, index):
    """Label dates without repeating the year or day that they have in common."""
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=8)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
