"""Base class of displays: axes, colours and dates."""

import numpy as np
import pandas as pd

# Colours that people with colour blindness distinguish (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"


class Display:
    """Base class of displays, which chooses axes, and colours that suit them."""

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
            _, ax = plt.subplots(layout="constrained")
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


def on_axis(index):
    """Return an index that Matplotlib can place on an axis; it knows no periods."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index


def turn_dates(ax, index):
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        ax.tick_params("x", rotation=30)
