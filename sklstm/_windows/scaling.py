"""Scaling as triples of pure functions: learn statistics, apply, invert."""

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sklstm._utils.archive import storable

SCALERS = ("standard", "robust", "minmax", "log")
for transformer in (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
):
    storable(transformer)


def learn(values, kind, sample_weight=None):
    """Learn a scaler from rows.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_features)
        What is missing is left out: the value, or for a transformer its row.
    kind : {"standard", "robust", "minmax", "log"}, None or scikit-learn transformer
        "log" is "standard" of the logarithm.
    sample_weight : ndarray of shape (n_timesteps,), default=None
        None means equal weights. A fitted transformer ignores it.

    Returns
    -------
    dict or transformer
        ``{"center": ..., "scale": ..., "log": ...}`` in the units of `values`, or of
        their logarithm, or the fitted clone of the transformer.
    """
    named = not hasattr(kind, "fit")
    if named and values.shape[1] > 1 and np.isnan(values).any():
        # Of each column all that is there counts.
        parts = [learn(column[:, None], kind, sample_weight) for column in values.T]
        joint = {k: np.concatenate([p[k] for p in parts]) for k in ("center", "scale")}
        return joint | {"log": parts[0]["log"]}
    complete = ~np.isnan(values).any(axis=1)
    if not complete.all():
        if not complete.any():
            raise ValueError(
                "The training rows have a column without a value, or no row without "
                "a missing one, so that no scaler can be learned. Drop columns that "
                "are mostly missing."
            )
        weights = None if sample_weight is None else sample_weight[complete]
        return learn(values[complete], kind, weights)
    if hasattr(kind, "fit") and hasattr(kind, "transform"):
        return clone(kind).fit(values)
    if kind == "log":
        return learn(logarithm(values), "standard", sample_weight) | {"log": True}
    if kind is None:
        center, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    elif kind == "standard":
        center = np.average(values, axis=0, weights=sample_weight)
        variance = np.average((values - center) ** 2, axis=0, weights=sample_weight)
        scale = np.sqrt(variance)
    elif kind == "robust":
        low, center, high = weighted_quantiles(values, (0.25, 0.5, 0.75), sample_weight)
        scale = high - low
    elif kind == "minmax":
        used = values if sample_weight is None else values[sample_weight > 0]
        center = used.min(axis=0)
        scale = used.max(axis=0) - center
    else:
        raise ValueError(
            f"scaler must be one of {SCALERS}, None or a scikit-learn transformer. "
            f"Got {kind!r}."
        )
    # A column that is constant but for rounding must not be blown up to noise.
    constant = scale <= 10 * np.finfo(float).eps * np.maximum(np.abs(center), 1e-300)
    return {"center": center, "scale": np.where(constant, 1.0, scale), "log": False}


def logarithm(values):
    if (values <= 0).any():
        raise ValueError(
            "scaler='log' needs positive values, but the smallest is "
            f"{np.nanmin(values)}. Add a constant to the series, or use "
            "scaler='standard'."
        )
    return np.log(values)


def apply(values, scaler):
    """Scale `values` of shape (..., n_features)."""
    if isinstance(scaler, dict):
        values = logarithm(values) if scaler["log"] else values
        return (values - scaler["center"]) / scaler["scale"]
    return through(scaler.transform, values)


def invert(values, scaler):
    """Undo `apply`."""
    if isinstance(scaler, dict):
        values = values * scaler["scale"] + scaler["center"]
        return np.exp(values) if scaler["log"] else values
    return through(scaler.inverse_transform, values)


def through(method, values):
    """What a method of a transformer makes of values of shape (..., n_features)."""
    flat = values.reshape(-1, values.shape[-1])
    result = np.asarray(method(flat))
    if result.shape != flat.shape:
        raise ValueError(
            f"scaler must keep the shape of what it scales, but {method.__qualname__} "
            f"made {result.shape} of {flat.shape}. Choose another, such as 'standard'."
        )
    return result.reshape(values.shape)


def weighted_quantiles(values, probabilities, sample_weight=None):
    """Column-wise quantiles, where a weight counts as that many repeated rows.

    The averaged inverse of the distribution function (type 2 of Hyndman and Fan,
    1996) is used, since it alone treats weights and repetition alike.
    """
    if sample_weight is None:
        return np.quantile(
            values, probabilities, axis=0, method="averaged_inverted_cdf"
        )
    result = np.empty((len(probabilities), values.shape[1]))
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        ordered = values[order, column]
        cumulated = np.cumsum(sample_weight[order])
        for i, probability in enumerate(probabilities):
            wanted = probability * cumulated[-1]
            low = np.searchsorted(cumulated, wanted * (1 - 1e-12), side="left")
            high = np.searchsorted(cumulated, wanted * (1 + 1e-12), side="right")
            last = len(ordered) - 1
            result[i, column] = (ordered[min(low, last)] + ordered[min(high, last)]) / 2
    return result
