"""What windows are measured from and by."""

from dataclasses import dataclass

import numpy as np

from sklstm._utils.archive import storable

# Of a series of unit variance: a window that stands still must not blow up its noise.
SMALLEST_SCALE = np.float32(1e-2)


def check_holds_seasons(window_length, seasons):
    """Raise where a window is too short to tell what its seasons repeat."""
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
    """What each window and its targets are measured by.

    Parameters
    ----------
    kind : {None, "last", "scale"}
        "last" takes the window's last value off; "scale" also divides by the mean size
        of its changes over one season.
    seasons : tuple of int
        Rows in each season, the first being the main one.
    deseasonalize : bool
        Whether what the seasons repeat is taken off, too.
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
