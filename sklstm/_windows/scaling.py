"""Scalers: statistics fitted on rows, applied to values, and inverted in results."""

from dataclasses import dataclass
from typing import Any, Protocol

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

from sklstm._series.validation import LARGEST_SCALED
from sklstm._utils.archive import storable

for transformer in (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
):
    storable(transformer)


class Scaler(Protocol):
    """A fitted scaler of values of shape (..., n_columns)."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return scaled values."""

    def invert(self, values: np.ndarray) -> np.ndarray:
        """Return scaled values in their original units."""

    @property
    def statistics(self) -> Any:
        """What users see as `scaler_`."""


@storable
@dataclass(frozen=True, eq=False)
class ColumnScaler:
    """Center and scale of each column.

    Parameters
    ----------
    center, scale : ndarray of shape (n_columns,)
        In the units of the values, or of their logarithm.
    log : bool
        Whether they are those of the logarithm.
    """

    center: np.ndarray
    scale: np.ndarray
    log: bool = False

    def apply(self, values: np.ndarray) -> np.ndarray:
        values = logarithm(values) if self.log else values
        return (values - self.center) / self.scale

    def invert(self, values: np.ndarray) -> np.ndarray:
        values = values * self.scale + self.center
        return np.exp(values) if self.log else values

    @property
    def statistics(self) -> dict[str, Any]:
        return {"center": self.center, "scale": self.scale, "log": self.log}

    def columns(self, index: np.ndarray) -> "ColumnScaler":
        """Return the scaler of some columns."""
        return ColumnScaler(self.center[index], self.scale[index], self.log)


@storable
@dataclass(frozen=True, eq=False)
class TransformerScaler:
    """A fitted transformer of the user, which takes tables."""

    transformer: Any

    def apply(self, values: np.ndarray) -> np.ndarray:
        return self._call("transform", values)

    def invert(self, values: np.ndarray) -> np.ndarray:
        return self._call("inverse_transform", values)

    @property
    def statistics(self) -> Any:
        return self.transformer

    def _call(self, name, values):
        method = getattr(self.transformer, name)
        table = values.reshape(-1, values.shape[-1])
        result = np.asarray(method(table))
        if result.shape != table.shape:
            raise ValueError(
                "scaler must keep the shape of what it scales, but "
                f"{method.__qualname__} made {result.shape} of {table.shape}. Choose "
                "another, such as 'standard'."
            )
        lost = np.isfinite(table) & ~np.isfinite(result)
        if name == "transform" and lost.any():
            raise ValueError(
                f"scaler makes {result[lost][0]} of {table[lost][0]}, a value that it "
                "cannot scale. Leave such values out or make them NaN, or use "
                "scaler='standard'."
            )
        return result.reshape(values.shape)


@storable
@dataclass(frozen=True, eq=False)
class InputScaler:
    """A transformer's scaler of inputs, and one of the calendar features behind them.

    A logarithm of these, which go from -1 to 1, does not exist.
    """

    inputs: Any
    calendar: Any
    n_inputs: int

    def apply(self, values: np.ndarray) -> np.ndarray:
        return self._call("apply", values)

    def invert(self, values: np.ndarray) -> np.ndarray:
        return self._call("invert", values)

    @property
    def statistics(self) -> Any:
        return self.inputs.statistics

    def _call(self, name, values):
        parts = np.split(values, [self.n_inputs], axis=-1)
        scalers = self.inputs, self.calendar
        scaled = [
            getattr(s, name)(part) for s, part in zip(scalers, parts, strict=True)
        ]
        return np.concatenate(scaled, axis=-1)


def fit_input_scaler(
    values: np.ndarray, kind: Any, n_calendar: int, sample_weight=None
) -> Scaler:
    """Fit a scaler on rows of inputs; see `fit_scaler`.

    Parameters
    ----------
    n_calendar : int
        Last columns, which no transformer scales.
    """
    kind, n_inputs = kind_for_inputs(kind), values.shape[1] - n_calendar
    if isinstance(kind, str) or kind is None or not n_calendar:
        return fit_scaler(values, kind, sample_weight)
    calendar = fit_column_scaler(values[:, n_inputs:], "standard", sample_weight)
    if not n_inputs:
        return calendar
    return InputScaler(fit_scaler(values[:, :n_inputs], kind), calendar, n_inputs)


def fit_scaler(values: np.ndarray, kind: Any, sample_weight=None) -> Scaler:
    """Fit a scaler on rows.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_columns)
        Missing values are left out; for a transformer the rows that have some are.
    kind : {"standard", "robust", "minmax", "log"}, None or scikit-learn transformer
        "log" is "standard" of the logarithm; None leaves values as they are.
    sample_weight : ndarray of shape (n_timesteps,), default=None
        None means equal weights. Transformers ignore it.

    Raises
    ------
    ValueError
        For an unknown kind, a column without a value, or values that have no logarithm.
    """
    if hasattr(kind, "fit") and hasattr(kind, "transform"):
        complete, _ = complete_rows(values)
        return TransformerScaler(clone(kind).fit(complete))
    if kind not in STATISTICS:
        raise ValueError(
            f"scaler must be one of {SCALERS}, None or a scikit-learn transformer. "
            f"Got {kind!r}."
        )
    return fit_column_scaler(values, kind, sample_weight)


def fit_column_scaler(
    values: np.ndarray, kind: str | None, sample_weight=None
) -> ColumnScaler:
    """Fit a scaler of one of the kinds that this library names; see `fit_scaler`."""
    # Column by column, so that a gap in one drops no row of another.
    has_gaps = values.shape[1] > 1 and np.isnan(values).any()
    tables = [column[:, None] for column in values.T] if has_gaps else [values]
    parts = [center_and_scale(table, kind, sample_weight) for table in tables]
    center, scale = (np.concatenate(each) for each in zip(*parts, strict=True))
    return ColumnScaler(center, scale, kind == "log")


def check_scaled(values: np.ndarray, *, of_file: bool = False) -> np.ndarray:
    """Raise where scaled values are too large to compute with.

    Infinite ones of a file pass, because loading says what is wrong with them.
    """
    largest = np.fmax.reduce(np.abs(values), axis=None, initial=0)
    if largest > LARGEST_SCALED and not (of_file and np.isinf(largest)):
        raise ValueError(
            f"After scaling there are values as large as {largest:.3g}, whose squares "
            "overflow in the single precision that networks compute in. Choose "
            "scaler='standard', or divide the data by a power of ten."
        )
    return values


def kind_for_inputs(kind: Any) -> Any:
    """Return the scaler of inputs, which need not be positive where the target is."""
    return "standard" if kind == "log" else kind


def stored_scaler(value: Any) -> Any:
    """Return the scaler that files of 0.1.0.dev0 hold as a dict or a transformer."""
    if value is None:
        return None
    return (
        ColumnScaler(**value) if isinstance(value, dict) else TransformerScaler(value)
    )


def complete_rows(values, sample_weight=None):
    """Return the rows without missing values, and their weights."""
    complete = ~np.isnan(values).any(axis=1)
    if complete.all():
        return values, sample_weight
    if not complete.any():
        raise ValueError(
            "The training rows have a column without a value, or no row without "
            "a missing one, so that no scaler can be learned. Drop columns that "
            "are mostly missing."
        )
    weights = None if sample_weight is None else sample_weight[complete]
    return values[complete], weights


def center_and_scale(values, kind, sample_weight):
    """Return center and scale of columns, of the rows without missing values."""
    values, weights = complete_rows(values, sample_weight)
    center, scale = STATISTICS[kind](values, weights)
    # A column that is constant but for rounding must not be blown up to noise.
    constant = scale <= 10 * np.finfo(float).eps * np.maximum(np.abs(center), 1e-300)
    return center, np.where(constant, 1.0, scale)


def nothing(values, weights):
    return np.zeros(values.shape[1]), np.ones(values.shape[1])


def mean_and_deviation(values, weights):
    center = np.average(values, axis=0, weights=weights)
    return center, np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))


def median_and_quartile_range(values, weights):
    low, center, high = weighted_quantiles(values, (0.25, 0.5, 0.75), weights)
    return center, high - low


def minimum_and_range(values, weights):
    # A row of weight 0 must count as if it were left out.
    used = values if weights is None else values[weights > 0]
    center = used.min(axis=0)
    return center, used.max(axis=0) - center


def mean_and_deviation_of_logarithm(values, weights):
    return mean_and_deviation(logarithm(values), weights)


# Center and scale of columns by the kind of scaler.
STATISTICS = {
    "standard": mean_and_deviation,
    "robust": median_and_quartile_range,
    "minmax": minimum_and_range,
    "log": mean_and_deviation_of_logarithm,
    None: nothing,
}
SCALERS = tuple(kind for kind in STATISTICS if kind is not None)


def logarithm(values):
    """Return the logarithm, or raise if a value is not positive."""
    if (values <= 0).any():
        raise ValueError(
            "scaler='log' needs positive values, but the smallest is "
            f"{np.nanmin(values)}. Add a constant to the series, or use "
            "scaler='standard'."
        )
    return np.log(values)


def weighted_quantiles(values, probabilities, sample_weight=None):
    """Return quantiles of columns, where a weight counts as that many repeated rows.

    They are averages of the inverted distribution function (type 2 of Hyndman and Fan,
    1996), because no other type treats weights and repetition alike.
    """
    if sample_weight is None:
        return np.quantile(
            values, probabilities, axis=0, method="averaged_inverted_cdf"
        )
    result = np.empty((len(probabilities), values.shape[1]))
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        ascending = values[order, column]
        cumulated = np.cumsum(sample_weight[order])
        for i, probability in enumerate(probabilities):
            wanted = probability * cumulated[-1]
            # A rank that falls on a sum of weights must be found there, although sums
            # are rounded.
            low = np.searchsorted(cumulated, wanted * (1 - 1e-12), side="left")
            high = np.searchsorted(cumulated, wanted * (1 + 1e-12), side="right")
            last = len(ascending) - 1
            pair = ascending[min(low, last)] + ascending[min(high, last)]
            result[i, column] = pair / 2
    return result
