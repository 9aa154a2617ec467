"""What all displays share: colours, axes and dates."""

import pandas as pd

# Told apart by people who see no red or no green (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
COLORS = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9")


class Display:
    """What all displays share: axes to draw on."""

    def _axes(self, ax):
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                "Displays are drawn with matplotlib, which is missing. Install it "
                "with pip install 'sklstm[plot]'."
            ) from error
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def on_axis(index):
    """An index as values that Matplotlib can place."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index


def turn_dates(ax, index):
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        ax.tick_params("x", rotation=30)
