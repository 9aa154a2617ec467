"""Networks of several quantiles, with outputs ordered by quantile.

A network of the levels (0.1, 0.5, 0.9) and horizon H has an output of 3 H steps. Its
middle third is a network of its own, which forecasts the median. Code that needs one
forecast works with this network.
"""

from dataclasses import dataclass, replace

import numpy as np

from sklstm._networks.spec import NetworkSpec
from sklstm._utils.archive import storable

# Of a series of unit variance: a quantile that meets the median still has a width.
SMALLEST_WIDTH = 1e-6
# Positions of two levels of one coverage; None where a level is missing.
Pair = tuple[int | None, int | None]


@storable
@dataclass
class QuantileNetwork:
    """The network of all quantiles; of one forecast where `levels` is empty.

    Parameters
    ----------
    levels : tuple of float
        Rising, the median among them.
    spec : NetworkSpec
    weights : dict of str to ndarray
    """

    levels: tuple
    spec: NetworkSpec
    weights: dict

    def median(self) -> tuple[NetworkSpec, dict[str, np.ndarray]]:
        """Return the spec and weights of the inner network of the median."""
        if not self.levels:
            return self.spec, self.weights
        size, n_targets = self.spec.output_shape
        n, middle = len(self.levels), self.levels.index(0.5)
        weights = {
            name: np.split(values, n, axis=-1)[middle]
            if name.startswith(("head/", "skip/"))
            else values
            for name, values in self.weights.items()
        }
        return replace(self.spec, output_shape=(size // n, n_targets)), weights


def quantile_levels(quantiles) -> tuple[float, ...]:
    """Return rising levels, the median among them; () without quantiles."""
    return () if quantiles is None else tuple(sorted({0.5, *map(float, quantiles)}))


def level_pairs(levels: tuple[float, ...]) -> dict[float, Pair]:
    """Return {coverage: (position of its lower level, of its upper level)}.

    >>> level_pairs((0.1, 0.5, 0.75, 0.9))
    {0.8: (0, 3), 0.5: (None, 2)}
    """
    pairs: dict = {}
    for position, level in enumerate(levels):
        if level != 0.5:
            # Rounded, because the coverages of 0.05 and 0.95 differ in their last bits.
            lower, upper = pairs.get(round(abs(2 * level - 1), 9), (None, None))
            pair = (position, upper) if level < 0.5 else (lower, position)
            pairs[round(abs(2 * level - 1), 9)] = pair
    return pairs


def quantile_spec(spec: NetworkSpec, levels: tuple[float, ...]) -> NetworkSpec:
    """Return the spec of a network of some levels, from that of one forecast."""
    horizon, n_targets = spec.output_shape
    return replace(spec, output_shape=(max(len(levels), 1) * horizon, n_targets))


def rearrange_quantiles(output: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return outputs as quantiles that do not cross.

    From the median outwards each quantile is moved out to the one before it.

    Returns
    -------
    ndarray of shape (n_windows, n_levels, horizon, n_targets)
    """
    values = output.reshape(len(output), len(levels), -1, output.shape[-1])
    middle = levels.index(0.5)
    below = np.minimum.accumulate(values[:, middle::-1], axis=1)[:, ::-1]
    above = np.maximum.accumulate(values[:, middle:], axis=1)
    return np.concatenate([below, above[:, 1:]], axis=1)


def half_widths(
    quantiles: np.ndarray,
    levels: tuple[float, ...],
    pair: Pair,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of a pair of quantiles below and above the median.

    Where a pair has one level, its distance stands for both.

    Parameters
    ----------
    quantiles : ndarray of shape (..., n_levels, n_targets)

    Returns
    -------
    (below, above), each of shape (..., n_targets)
    """
    lower, upper = pair
    lower, upper = upper if lower is None else lower, lower if upper is None else upper
    center = quantiles[..., levels.index(0.5), :]
    below, above = (np.abs(quantiles[..., i, :] - center) for i in (lower, upper))
    return np.maximum(below, SMALLEST_WIDTH), np.maximum(above, SMALLEST_WIDTH)
