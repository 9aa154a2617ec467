"""Forecasts by a trained network in NumPy: no Keras, no backend."""

from dataclasses import dataclass

import numpy as np

from pretraining.batches import scaled_batch
from pretraining.network_features import Architecture, features
from sklstm._networks.numpy_forward import inputs_of, layer_weights, recurrent

LONGEST_CONTEXT = 336


@dataclass(frozen=True)
class Pretrained:
    """A trained network: sizes, and weights by name in float32."""

    arch: Architecture
    weights: dict

    def outputs(self, read, lengths):
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
        for k in range(self.arch.n_layers):
            layer = layer_weights("lstm", w, f"lstm_{k}")
            x = x + recurrent("lstm", layer, inputs_of(x, layer), lengths)[0]
        rows = np.arange(n), lengths - 1
        seen = read[rows]
        both = np.concatenate([x[rows], seen], axis=1)
        h = np.maximum(both @ w["hidden/kernel"] + w["hidden/bias"], 0)
        out = h @ w["head/kernel"] + w["head/bias"] + seen @ w["skip/kernel"]
        return out.reshape(n, self.arch.horizon, -1)

    def block(self, contexts):
        """Return quantiles of the next rows, of shape (n, horizon, n_quantiles).

        Parameters
        ----------
        contexts : list of ndarray of shape (n_rows,)
            The last `LONGEST_CONTEXT` rows are read; may hold NaN.
        """
        patch = self.arch.patch
        lengths = np.array(
            [-(-min(len(c), LONGEST_CONTEXT) // patch) for c in contexts]
        )
        order = np.argsort(-lengths, kind="stable")
        lengths = lengths[order]
        values = np.full((len(contexts), lengths[0] * patch), np.nan)
        for row, k in enumerate(order):
            part = contexts[k][-LONGEST_CONTEXT:]
            end = lengths[row] * patch
            values[row, end - len(part) : end] = part
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
        result = np.empty_like(forecast)
        result[order] = np.sort(forecast, axis=2)
        return result

    def forecast(self, contexts, steps, *, flip=False):
        """Return quantiles of so many rows, beyond the horizon from the medians.

        Parameters
        ----------
        flip : bool
            Whether to average with the forecast of the series turned upside down.
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
                    np.concatenate([c, b[:, middle]])
                    for c, b in zip(contexts, block, strict=True)
                ]
        return np.concatenate(parts, axis=1)
