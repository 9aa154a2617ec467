"""The network: patches of values to quantiles of the next values, through LSTM layers.

A patch is seen twice: as levels, in deviations of the context, and as differences from
its last value, in steps of the context (mean absolute differences). A forecast is a
difference from the last value in the same steps, so that the last value itself, a drift
and the mean of the context are all linear in what the network reads. All go through
asinh, which bounds what grows.
"""

from dataclasses import dataclass

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


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


def n_parameters(arch):
    """Return the number of weights."""
    units, total = arch.units, (arch.n_features + 1) * arch.units
    total += arch.n_layers * 4 * units * (2 * units + 1)
    total += (units + arch.n_features + 1) * arch.hidden
    total += (arch.hidden + 1 + arch.n_features) * arch.n_outputs
    return total
