"""How windows are normalized, whatever the scale of their series."""

from dataclasses import dataclass

import numpy as np

from sklstm._utils.archive import storable

# Smallest scale of a window of a series of unit variance, because the noise of a window
# that stands still must not be blown up.
SMALLEST_SCALE = np.float32(1e-2)


def check_holds_seasons(window_length, seasons):
    """Raise if a window is too short to tell its seasonal pattern."""
    if not seasons or min(seasons) < 2:
        raise ValueError(
            "deseasonalize needs to know the seasons, but seasonal_period gives "
            f"{seasons or None}. Set it to the rows in one season, 2 or more."
        )
    if window_length < 2 * max(seasons):
        raise ValueError(
            f"window_length={window_length} is too short to deseasonalize: a season of "
            f"{max(seasons)} rows needs {2 * max(seasons)}. Lengthen window_length, or "
            "leave that season out."
        )


@storable
@dataclass(frozen=True)
class WindowNorm:
    """How each window and its targets are normalized.

    Parameters
    ----------
    kind : {None, "last", "scale"}
        "last" subtracts the window's last value; "scale" also divides by the mean size
        of its changes over one season.
    seasons : tuple of int
        Rows in each season, the first being the main one.
    deseasonalize : bool
        Whether the seasonal pattern is subtracted as well.
    shows_level : bool
        Whether the linear model sees the last value.
    """

    kind: str | None
    seasons: tuple = ()
    deseasonalize: bool = False
    shows_level: bool = False

    @property
    def season(self):
        """Rows in the main season, or None."""
        return self.seasons[0] if self.seasons else None
