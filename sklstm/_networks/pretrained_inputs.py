"""What the pretrained network reads: patches of values in units of their context.

A patch is seen twice: as levels, in deviations of the context, and as differences from
its last value, in steps of the context (mean absolute differences). A forecast is a
difference from the last value in the same steps, so that the last value itself, a drift
and the mean of the context are all linear in what the network reads. All go through
asinh, which bounds what grows.
"""

from dataclasses import dataclass

import numpy as np

from sklstm._utils.archive import storable
from sklstm._windows.adjustment import filled

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
# A context counts as constant if it has fewer known values, a smaller deviation
# relative to its largest value, or smaller steps relative to its deviation.
LEAST_VALUES, LEAST_DEVIATION, LEAST_STEP = 4, 1e-6, 1e-3
# Scaled values are clipped to this size.
LARGEST_READ = 1e4


@storable
@dataclass(frozen=True)
class Architecture:
    """Sizes of a network."""

    patch: int = 8
    units: int = 192
    n_layers: int = 2
    hidden: int = 192
    horizon: int = 48
    quantiles: tuple = QUANTILES
    local: bool = True  # differences in steps; else levels alone

    @property
    def n_features(self):
        return 3 * self.patch + 2 if self.local else 2 * self.patch

    @property
    def n_outputs(self):
        return self.horizon * len(self.quantiles)


@dataclass(frozen=True)
class Batch:
    """Series in units of their context.

    Attributes
    ----------
    values : ndarray of shape (n, n_patches * patch + horizon), float32
        Values less the context's mean, in deviations of the context; gaps filled.
    known : ndarray of the same shape, bool
        Whether a value is no gap.
    step : ndarray of shape (n,), float32
        Mean absolute difference of neighbours in the context, in its deviations.
    origin : ndarray of shape (n,), int32
        Number of patches from which mean, deviation and step were taken.
    weight : ndarray of shape (n,), float32
        Zero for a series that does not move.
    mean, deviation : ndarray of shape (n,), float64
        Of the contexts, in the units of the series.
    """

    values: np.ndarray
    known: np.ndarray
    step: np.ndarray
    origin: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def features(xp, arch, values, known, step):
    """Return what the network reads, of shape (n, n_patches, n_features).

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    values, known : array of shape (n, n_patches * patch)
    step : array of shape (n,)
    """
    n, width = values.shape[0], arch.patch
    patches = values.reshape(n, -1, width)
    present = known.reshape(n, -1, width).astype(values.dtype)
    # Small values stay as they are, and an outlier has the size of its logarithm.
    levels = xp.arcsinh(patches)
    if not arch.local:
        return xp.concatenate([levels * present, present], axis=2)
    last = patches[:, :, -1:]
    before = xp.concatenate([patches[:, :1, :1], last[:, :-1]], axis=1)
    shifted = xp.concatenate([before, patches[:, :, :-1]], axis=2)
    unit = step[:, None, None]
    local = xp.arcsinh((shifted - last) / unit)
    mean = xp.arcsinh(-last / unit)
    scale = xp.broadcast_to(xp.log(unit), mean.shape)
    return xp.concatenate([local, levels * present, present, mean, scale], axis=2)


def scaled_batch(values, origin, patch):
    """Bring series to the units of their contexts."""
    known = np.isfinite(values)
    context = np.arange(values.shape[1]) < (origin * patch)[:, None]
    count = (known & context).sum(axis=1)
    known[count == 0] = True
    whole = filled(np.where(known, np.nan_to_num(values, nan=0.0), np.nan))
    inside = known & context
    n_known = np.maximum(inside.sum(axis=1), 1)
    mean = np.where(inside, whole, 0).sum(axis=1) / n_known
    centred = whole - mean[:, None]
    deviation = np.sqrt(np.where(inside, centred**2, 0).sum(axis=1) / n_known)
    change = np.abs(np.diff(whole, axis=1)) * (inside[:, 1:])
    step = change.sum(axis=1) / np.maximum(inside[:, 1:].sum(axis=1), 1)
    largest = np.abs(whole).max(axis=1)
    moves = (count >= LEAST_VALUES) & (deviation > LEAST_DEVIATION * largest)
    moves &= step > LEAST_STEP * deviation
    deviation = np.where(moves, deviation, 1.0)
    return Batch(
        np.clip(centred / deviation[:, None], -LARGEST_READ, LARGEST_READ).astype(
            np.float32
        ),
        known,
        np.where(moves, step / deviation, 1.0).astype(np.float32),
        origin.astype(np.int32),
        moves.astype(np.float32),
        mean,
        deviation,
    )
