"""Networks of several quantiles, whose outputs stand level after level.

Such a network of levels (0.1, 0.5, 0.9) and horizon H has an output of 3 H steps. Its
middle third is a network of its own, which forecasts the median, and which all that
reads one forecast goes on from.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklstm._networks.spec import NetworkSpec
from sklstm._utils.archive import storable

# Of a series of unit variance: a quantile that meets the median still has a width.
SMALLEST_WIDTH = 1e-6


@storable
@dataclass
class QuantileNetwork:
    """The network of all levels, which rise; of one forecast where there is none."""

    levels: tuple
    spec: NetworkSpec
    weights: dict

    def median(self):
        """Spec and weights of the network within that forecasts the median."""
        if not self.levels:
            return self.spec, self.weights
        size, n_targets = self.spec.output_shape
        n, at = len(self.levels), self.levels.index(0.5)
        weights = {
            name: np.split(values, n, axis=-1)[at]
            if name.startswith(("head/", "skip/"))
            else values
            for name, values in self.weights.items()
        }
        return replace(self.spec, output_shape=(size // n, n_targets)), weights


def levels_of(quantiles):
    """Rising levels, the median among them; () without quantiles."""
    return () if quantiles is None else tuple(sorted({0.5, *map(float, quantiles)}))


def pairs_of(levels):
    """{coverage: (place of its lower level, of its upper level)}; None where missing.

    >>> pairs_of((0.1, 0.5, 0.75, 0.9))
    {0.8: (0, 3), 0.5: (None, 2)}
    """
    pairs = {}
    for place, level in enumerate(levels):
        if level != 0.5:
            lower, upper = pairs.get(round(abs(2 * level - 1), 9), (None, None))
            pair = (place, upper) if level < 0.5 else (lower, place)
            pairs[round(abs(2 * level - 1), 9)] = pair
    return pairs


def wide(spec, levels):
    """The spec of a network of so many levels, from that of one forecast."""
    horizon, n_targets = spec.output_shape
    return replace(spec, output_shape=(max(len(levels), 1) * horizon, n_targets))


def ordered(output, levels):
    """Outputs as quantiles that do not cross, of shape (n, n_levels, horizon, ...).

    From the median outwards none lies inside the one before it.
    """
    values = output.reshape(len(output), len(levels), -1, output.shape[-1])
    at = levels.index(0.5)
    below = np.minimum.accumulate(values[:, at::-1], axis=1)[:, ::-1]
    above = np.maximum.accumulate(values[:, at:], axis=1)
    return np.concatenate([below, above[:, 1:]], axis=1)


def widths(fan, levels, pair):
    """How far the quantiles of a pair lie below and above the median.

    Where a pair has one level, it stands for both.

    Parameters
    ----------
    fan : ndarray of shape (..., n_levels, n_targets)

    Returns
    -------
    (below, above), each of shape (..., n_targets)
    """
    center = fan[..., levels.index(0.5), :]
    below, above = (
        None if place is None else np.abs(fan[..., place, :] - center) for place in pair
    )
    below, above = above if below is None else below, below if above is None else above
    return np.maximum(below, SMALLEST_WIDTH), np.maximum(above, SMALLEST_WIDTH)
