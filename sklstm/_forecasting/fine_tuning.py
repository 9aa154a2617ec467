"""Fine-tuning: the pretrained network, trained further on the series to forecast.

Each sample is a row of a series before which a forecast could stand: the rows before
it, adjusted and scaled as a forecast reads them, and the rows after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklstm._forecasting.members import (
    keeps_units,
    n_context_rows,
    scaled_beside_gaps,
)
from sklstm._networks.pretrained import FineTuned, shipped_network
from sklstm._networks.pretrained_inputs import features, scaled_batch
from sklstm._networks.spec import PretrainedSpec
from sklstm._training.loop import first_weights, train
from sklstm._training.losses import Pinball
from sklstm._training.settings import Settings
from sklstm._windows.adjustment import adjusted, adjusted_ahead
from sklstm._windows.scaling import Scaler

BATCH_SIZE, LEARNING_RATE = 32, 2e-4
# A fit of fewer epochs takes as many steps as epochs.
MOST_STEPS = 50
# Lengths of contexts in patches, of which the longest that fits is used. Few lengths,
# because a training step is compiled for each.
N_PATCHES = (24, 12, 6)
# Origins of samples. On series with fewer, fine-tuning did not improve forecasts on
# average.
LEAST_ORIGINS = 60


@dataclass(frozen=True)
class OriginSamples:
    """Contexts that end before origins, and what came after them.

    Parameters
    ----------
    contexts : ndarray of shape (n, n_patches, n_features)
    ahead : ndarray of shape (n, horizon, 1)
        What the network is to forecast; NaN where it is not known.
    sample_weight : ndarray of shape (n,)
        0 for constant contexts, because they teach nothing.
    """

    contexts: np.ndarray
    ahead: np.ndarray
    sample_weight: np.ndarray

    def batches(self, rows, batch_size, rng=None):
        """Yield rows in their order, since they were drawn at random."""
        for first in range(0, len(rows), batch_size):
            yield rows[first : first + batch_size]

    def shape_key(self, rows):
        return self.contexts.shape[1:]

    def inputs(self, rows):
        return self.contexts[rows], np.empty((len(rows), 0), np.float32)

    def targets(self, rows):
        return self.ahead[rows]

    def weights(self, rows):
        return self.sample_weight[rows]


class TrainingRows(NamedTuple):
    """Rows of a series to learn from.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_targets)
        In the units of the target, with their gaps.
    scaler : Scaler
    """

    values: np.ndarray
    scaler: Scaler


@dataclass(frozen=True)
class FineTuning:
    """How the pretrained network is trained further.

    Parameters
    ----------
    seasons : sequence of int
    horizon : int
        Steps that are forecast.
    n_steps : int
        At most `MOST_STEPS` are taken.
    seed : int
        Of the samples.

    References
    ----------
    Howard and Ruder (2018), "Universal language model fine-tuning for text
    classification", ACL.
    """

    seasons: Sequence[int]
    horizon: int
    n_steps: int
    seed: int

    def n_patches(self, series: Sequence[TrainingRows]) -> int:
        """Return the length of contexts in patches; 0 where nothing is to be trained.

        At least half of the series that have rows for any length must have them for
        this one, because a few long series do not stand for the others.
        """
        if not self.n_steps:
            return 0
        counts = {n: np.diff(self.origins(series, n)) for n in N_PATCHES}
        least = np.count_nonzero(counts[N_PATCHES[-1]]) / 2
        fits = (
            n
            for n, origins in counts.items()
            if origins.sum() >= LEAST_ORIGINS and np.count_nonzero(origins) >= least
        )
        return next(fits, 0)

    def origins(self, series: Sequence[TrainingRows], n_patches: int) -> np.ndarray:
        """Return the number of origins in the series before each one, and in all."""
        arch = shipped_network().arch
        least = n_patches * arch.patch + min(self.horizon, arch.horizon)
        lengths = np.array([len(values) for values, _ in series])
        return np.append(0, np.cumsum(np.maximum(lengths - least + 1, 0)))

    def fit(self, series: Sequence[TrainingRows], n_patches: int) -> FineTuned:
        """Return the network after training on contexts of so many patches."""
        network, rng = shipped_network(), np.random.RandomState(self.seed)
        origins = self.origins(series, n_patches)
        n_samples = BATCH_SIZE * min(self.n_steps, MOST_STEPS)
        # Sorted, so that samples of one series follow each other.
        drawn = np.sort(rng.randint(origins[-1], size=n_samples))
        owners = np.searchsorted(origins, drawn, side="right") - 1
        own = drawn - origins[owners] + n_patches * network.arch.patch
        parts = [
            samples_of(series[i], own[owners == i], self.seasons, n_patches, rng)
            for i in np.unique(owners)
        ]
        samples = OriginSamples(*map(np.concatenate, zip(*parts, strict=True)))
        settings = Settings(
            epochs=1,
            batch_size=BATCH_SIZE,
            learning_rate=LEARNING_RATE,
            clipnorm=1.0,
            loss=Pinball(network.arch.quantiles),
        )
        start = first_weights(weights=network.weights)
        spec, rows = PretrainedSpec(network.arch), rng.permutation(n_samples)
        trained = train(spec, settings, samples, rows, rows[:0], start, rng)
        return FineTuned.of(network.arch, trained.weights)


def samples_of(
    one: TrainingRows,
    origins: np.ndarray,
    seasons: Sequence[int],
    n_patches: int,
    rng: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fields of `OriginSamples` before some origins of one series."""
    arch = shipped_network().arch
    n_before = min(max(n_context_rows(seasons), n_patches * arch.patch), origins.max())
    table = rows_about(one, origins, n_before, arch.horizon, rng)
    before, removed = adjusted(table[:, :n_before], sorted(seasons))
    ahead = adjusted_ahead(table[:, n_before:], removed)
    n_read = n_patches * arch.patch
    whole = np.concatenate([before[:, -n_read:], ahead], axis=1)
    batch = scaled_batch(whole, np.full(len(whole), n_patches), arch.patch)
    values, known = batch.values[:, :n_read], batch.known[:, :n_read]
    contexts = features(np, arch, values, known, batch.step)
    # Outputs of the network are distances from the last value.
    moved = batch.values[:, n_read:] - values[:, -1:]
    target = np.arcsinh(moved / batch.step[:, None])
    # Gaps ahead were filled to be scaled, but make no error.
    target = np.where(np.isfinite(ahead), target, np.nan)
    return contexts, target[:, :, None], batch.weight * known[:, -1]


def rows_about(
    one: TrainingRows, origins: np.ndarray, n_before: int, n_ahead: int, rng
) -> np.ndarray:
    """Return rows before and after origins, each of a column drawn at random.

    They are NaN before the first row and after the last one.
    """
    values, scaler = one
    rows = origins[:, None] + np.arange(-n_before, n_ahead)
    inside = (rows >= 0) & (rows < len(values))
    columns = rng.randint(values.shape[1], size=len(origins))
    table = np.asarray(values[np.clip(rows, 0, len(values) - 1)], float)
    table = np.swapaxes(np.where(inside[:, :, None], table, np.nan), 1, 2)
    if not keeps_units(scaler):
        table = scaled_beside_gaps(scaler, table)
    return table[np.arange(len(rows)), columns]
