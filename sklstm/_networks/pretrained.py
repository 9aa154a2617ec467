"""The pretrained network: forecasts of series that it never saw, in NumPy alone.

Its weights were trained on synthetic series only; docs/pretraining.md says how.
"""

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from safetensors import safe_open

from sklstm._networks.numpy_forward import layer_reader, side_by_side
from sklstm._networks.pretrained_inputs import Architecture, features, scaled_batch
from sklstm._networks.spec import PretrainedSpec
from sklstm._utils.archive import storable

LONGEST_CONTEXT = 336
# Series that pass through the network at the same time.
SERIES_AT_ONCE = 32
FOLDER, WEIGHTS, DIGEST = "data/pretrained", "forecaster.safetensors", "digest.json"


@dataclass(frozen=True)
class Pretrained:
    """A trained network: sizes, and weights by name in float32."""

    arch: Architecture
    weights: dict

    @functools.cached_property
    def layers(self) -> list:
        """What reads each recurrent layer."""
        names = [f"lstm_{k}" for k in range(self.arch.n_layers)]
        return [layer_reader("lstm", self.weights, name) for name in names]

    def outputs(self, read: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the network's outputs at the end of each series.

        Parameters
        ----------
        read : ndarray of shape (n, n_patches, n_features)
            Series sorted by falling length, from their first patch on.
        lengths : ndarray of shape (n,)
            Number of patches of each.
        """
        w, n = self.weights, len(read)
        x = read @ w["embedding/kernel"] + w["embedding/bias"]
        for layer in self.layers:
            x = x + layer(x, lengths=lengths, result="all")
        rows = np.arange(n), lengths - 1
        seen = read[rows]
        both = np.concatenate([x[rows], seen], axis=1)
        h = np.maximum(both @ w["hidden/kernel"] + w["hidden/bias"], 0)
        out = h @ w["head/kernel"] + w["head/bias"] + seen @ w["skip/kernel"]
        return out.reshape(n, self.arch.horizon, -1)

    def block(self, contexts: list[np.ndarray]) -> np.ndarray:
        """Return quantiles of the next rows, of shape (n, horizon, n_quantiles).

        Parameters
        ----------
        contexts : list of ndarray of shape (n_rows,)
            The last `LONGEST_CONTEXT` rows are read; may hold NaN.
        """
        n_patches = [
            -(-min(len(c), LONGEST_CONTEXT) // self.arch.patch) for c in contexts
        ]
        # Contexts of like length are read together, so that few steps are padding.
        order = np.argsort(np.negative(n_patches), kind="stable")
        shape = len(contexts), self.arch.horizon, len(self.arch.quantiles)
        result = np.empty(shape)

        def forecast_part(rows):
            result[rows] = self._block([contexts[row] for row in rows])

        starts = range(0, len(order), SERIES_AT_ONCE)
        side_by_side(forecast_part, [order[i : i + SERIES_AT_ONCE] for i in starts])
        return result

    def _block(self, contexts):
        """Return the same for a few series, sorted by falling number of patches."""
        patch = self.arch.patch
        contexts = [context[-LONGEST_CONTEXT:] for context in contexts]
        lengths = np.array([-(-len(context) // patch) for context in contexts])
        values = np.full((len(contexts), lengths[0] * patch), np.nan)
        for row, context in enumerate(contexts):
            end = lengths[row] * patch
            # Contexts end with a patch, since the next patch is forecast from its end.
            values[row, end - len(context) : end] = context
        batch = scaled_batch(values, lengths, patch)
        read = features(np, self.arch, batch.values, batch.known, batch.step)
        out = np.sinh(self.outputs(read, lengths).astype(float))
        ends = np.arange(len(contexts)), lengths * patch - 1
        base = batch.values[ends] if self.arch.local else 0 * batch.step
        unit = batch.step if self.arch.local else np.ones_like(batch.step)
        scaled = base[:, None, None] + unit[:, None, None] * out
        forecast = batch.mean[:, None, None] + batch.deviation[:, None, None] * scaled
        still = batch.weight == 0
        forecast[still] = batch.mean[still, None, None]
        # Nothing in the network keeps quantiles from crossing.
        return np.sort(forecast, axis=2)

    def forecast(
        self, contexts: list[np.ndarray], steps: int, *, flip: bool = False
    ) -> np.ndarray:
        """Return quantiles of `steps` rows; later blocks continue from the medians.

        Parameters
        ----------
        flip : bool
            Whether to average with the forecast of the series turned upside down.

        Returns
        -------
        ndarray of shape (n, steps, n_quantiles)
        """
        middle = self.arch.quantiles.index(0.5)
        parts, left = [], steps
        contexts = [np.asarray(c, float) for c in contexts]
        while left > 0:
            block = self.block(contexts)
            if flip:
                turned = self.block([-c for c in contexts])
                block = (block - turned[:, :, ::-1]) / 2
            parts.append(block[:, :left])
            left -= self.arch.horizon
            if left > 0:
                contexts = [
                    np.concatenate([c[-LONGEST_CONTEXT:], b[:, middle]])
                    for c, b in zip(contexts, block, strict=True)
                ]
        quantiles = np.concatenate(parts, axis=1)
        return quantiles if steps <= self.arch.horizon else self._widened(quantiles)

    def _widened(self, quantiles):
        """Add squared distances from the median over blocks.

        A block beyond the horizon starts from the medians of the last one as if they
        were known, so its own quantiles are too narrow.
        """
        horizon, steps = self.arch.horizon, quantiles.shape[1]
        middle = self.arch.quantiles.index(0.5)
        median = quantiles[:, :, [middle]]
        distances = quantiles - median
        n_before = (np.arange(steps) // horizon)[:, None]
        last = distances[:, [horizon - 1]]
        wide = np.sqrt(distances**2 + n_before * last**2)
        return median + np.copysign(wide, distances)


@storable
@dataclass(frozen=True)
class FineTuned:
    """A pretrained network that a fit has fine-tuned.

    Parameters
    ----------
    arch : Architecture
    weights : dict of str to ndarray of float16
        As many bits as the shipped weights have, because files hold them.
    """

    arch: Architecture
    weights: dict

    @classmethod
    def of(cls, arch: Architecture, weights: dict) -> "FineTuned":
        return cls(arch, {name: w.astype(np.float16) for name, w in weights.items()})

    def stored(self) -> dict:
        """Return what files and pickles hold, without the network in full precision."""
        return {"arch": self.arch, "weights": self.weights}

    __getstate__ = stored

    @functools.cached_property
    def network(self) -> Pretrained:
        weights = {name: w.astype(np.float32) for name, w in self.weights.items()}
        return Pretrained(self.arch, weights)

    @property
    def is_whole(self) -> bool:
        """Whether weights have the shapes that the sizes ask for."""
        shapes = {name: np.shape(w) for name, w in self.weights.items()}
        return shapes == PretrainedSpec(self.arch).weight_shapes()


def load_weights(path: str | Path) -> Pretrained:
    """Return the network of a file of weights, which also tells its sizes."""
    with safe_open(path, "numpy") as stored:
        sizes = json.loads(stored.metadata()["architecture"])
        weights = {
            name: stored.get_tensor(name).astype(np.float32) for name in stored.keys()
        }
    sizes["quantiles"] = tuple(sizes["quantiles"])
    return Pretrained(Architecture(**sizes), weights)


@functools.cache
def shipped_digest() -> str:
    """Return the digest that the shipped weights should have."""
    text = resources.files("sklstm").joinpath(FOLDER, DIGEST).read_text("utf-8")
    return json.loads(text)[WEIGHTS]["sha256"]


@functools.cache
def shipped_network() -> Pretrained:
    """Return the network of the weights in the package, which are read once.

    Raises
    ------
    OSError
        If the file is not the one that was shipped.
    """
    with resources.as_file(resources.files("sklstm").joinpath(FOLDER)) as folder:
        path = folder / WEIGHTS
        if hashlib.sha256(path.read_bytes()).hexdigest() != shipped_digest():
            raise OSError(
                f"The weights of the pretrained network, {path}, are damaged: they do "
                "not have the digest that they were shipped with. Install sklstm again."
            )
        return load_weights(path)
