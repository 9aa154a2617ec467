"""Members of a forecast beside the network trained here, and their weighted mean.

They are the pretrained network, and a linear model of the rows of one series. Both read
seasonally adjusted rows, each column by itself, and forecast along their own path.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import ndtri

from sklstm._networks.pretrained import (
    LONGEST_CONTEXT,
    FineTuned,
    Pretrained,
    shipped_digest,
    shipped_network,
)
from sklstm._networks.pretrained_inputs import QUANTILES
from sklstm._series.missing import rows_since_seen
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import blocks, groups
from sklstm._utils.warn import warn_user
from sklstm._windows.adjustment import MOST_CYCLES, adjusted, filled, restored
from sklstm._windows.scaling import ColumnScaler, Scaler

# Values of contexts that are in memory at the same time.
VALUES_AT_ONCE = 2**20
MEDIAN = (0.5,)
# The interval that bounds the forecasts of other members, and its median.
BOUNDS = (QUANTILES[0], 0.5, QUANTILES[-1])


class Rows(NamedTuple):
    """Rows of one series before which forecasts stand.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_targets)
        In the units of the target, with their gaps.
    scaler : Scaler
    origins : ndarray of int of shape (n_origins,)
    """

    values: np.ndarray
    scaler: Scaler
    origins: np.ndarray


class Reader(Protocol):
    """A member that forecasts series from their adjusted rows."""

    @property
    def n_outputs(self) -> int:
        """Number of forecasts; several if they are quantiles."""

    def read(self, contexts: list[np.ndarray], steps: int) -> np.ndarray:
        """Return forecasts after contexts, of shape (n_outputs, n, steps)."""


class PretrainedReader(NamedTuple):
    """Some quantiles of the pretrained network.

    Parameters
    ----------
    tuned : FineTuned or None
        Fine-tuned weights of a fit; None for those of the package.
    levels : tuple of float
        Among `QUANTILES`.
    """

    tuned: FineTuned | None = None
    levels: tuple[float, ...] = MEDIAN

    @property
    def n_outputs(self) -> int:
        return len(self.levels)

    @property
    def network(self) -> Pretrained:
        return shipped_network() if self.tuned is None else self.tuned.network

    def read(self, contexts: list[np.ndarray], steps: int) -> np.ndarray:
        network = self.network
        forecasts = np.moveaxis(network.forecast(contexts, steps), 2, 0)
        return forecasts[[network.arch.quantiles.index(p) for p in self.levels]]


@storable
@dataclass(frozen=True)
class AdjustedLinear:
    """A linear forecast from the differences of rows from the last one.

    Parameters
    ----------
    kernel : ndarray of shape (window_length - 1, horizon)
    bias : ndarray of shape (horizon,)
        In the units of contexts.
    """

    kernel: np.ndarray
    bias: np.ndarray

    @property
    def n_outputs(self) -> int:
        return 1

    @property
    def is_whole(self) -> bool:
        """Whether kernel and bias fit together."""
        return self.bias.size > 0 and self.kernel.shape[1:] == self.bias.shape

    def read(self, contexts: list[np.ndarray], steps: int) -> np.ndarray:
        """Return forecasts of shape (1, n, steps), which go on from themselves."""
        length = len(self.kernel) + 1
        rows = last_rows(contexts, length)
        while rows.shape[1] < length + steps:
            ahead = differences(rows[:, -length:]) @ self.kernel + self.bias
            rows = np.concatenate([rows, rows[:, -1:] + ahead], axis=1)
        return rows[None, :, length : length + steps]


@storable
@dataclass(frozen=True)
class Members:
    """The weights of members, and the errors from which they were found.

    Parameters
    ----------
    weight : float
        Of the pretrained network; 1 where series are too short to train on.
    scores : dict of str to float
        Mean absolute error of each member on the validation block, scaled; empty
        without one.
    digest : str
        Of the pretrained weights for which they were found.
    adjusted : AdjustedLinear or None
        The linear model of the adjusted series; None where its weight is 0.
    adjusted_weight : float
    tuned : FineTuned or None
        The pretrained network as the fit left it; None where its weights are the
        package's.
    bounded : bool
        Whether the pretrained network's interval bounds the others' forecasts.
    """

    weight: float
    scores: dict
    digest: str
    adjusted: AdjustedLinear | None = None
    adjusted_weight: float = 0.0
    tuned: FineTuned | None = None
    bounded: bool = False

    @classmethod
    def of(cls, weight: float) -> "Members":
        """Return the network trained here and the pretrained one of this package."""
        return cls(float(weight), {}, shipped_digest())

    @property
    def weights(self) -> dict[str, float]:
        """Weights by name, which add to 1."""
        others = {"adjusted": self.adjusted_weight, "pretrained": self.weight}
        return {"trained": 1 - sum(others.values())} | others

    @property
    def is_combined(self) -> bool:
        """Whether members other than the network trained here have a weight."""
        return self.weight > 0 or self.adjusted_weight > 0

    @property
    def is_whole(self) -> bool:
        """Whether weights and sizes fit together; those of a forged file may not."""
        whole = all(0 <= weight <= 1 for weight in self.weights.values())
        if self.adjusted is not None:
            whole &= self.adjusted.is_whole
        return whole and (self.tuned is None or self.tuned.is_whole)

    @property
    def table(self) -> dict[str, dict]:
        """What users see as `members_`."""
        return {
            name: {"weight": weight, "score": self.scores.get(name)}
            for name, weight in self.weights.items()
        }

    @property
    def readers(self) -> dict[str, Reader]:
        """Members with a weight, by name, except the network trained here."""
        readers: dict[str, Reader] = {}
        if self.adjusted is not None and self.adjusted_weight:
            readers["adjusted"] = self.adjusted
        if self.weight:
            levels = BOUNDS if self.bounded else MEDIAN
            readers["pretrained"] = PretrainedReader(self.tuned, levels)
        return readers

    @property
    def trained_alone(self) -> "Members":
        """The same members, with all weight on the network trained here."""
        return replace(self.with_weights(), tuned=None)

    def with_weights(
        self, *, adjusted: float = 0.0, pretrained: float = 0.0
    ) -> "Members":
        """Return the same members with other weights."""
        return replace(self, adjusted_weight=adjusted, weight=pretrained)

    def combine(
        self, parts: list[Rows], forecasts: np.ndarray, seasons: Sequence[int]
    ) -> np.ndarray:
        """Return the weighted mean of forecasts by all members.

        Parameters
        ----------
        parts : list of Rows
        forecasts : ndarray of shape (n_origins, steps, n_targets)
            By the network trained here, in the units of the target.
        seasons : sequence of int
        """
        self.check_weights()
        steps, readers = forecasts.shape[1], self.readers
        others = context_forecasts(parts, seasons, steps, [*readers.values()])
        result = np.empty_like(forecasts)
        where = consecutive(rows.origins for rows in parts)
        for at, (_, scaler, _) in zip(where, parts, strict=True):
            by_member = outputs_by_name(readers, others[:, at])
            mean = self.weighted_mean(scaler.apply(forecasts[at]), by_member)
            result[at] = scaler.invert(mean)
        return result

    def weighted_mean(
        self, trained: np.ndarray, others: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Return the mean of scaled forecasts; a NaN stands for the trained one.

        Parameters
        ----------
        trained : ndarray
        others : dict of str to ndarray of shape (n_outputs, ...)
            Outputs of `readers`.
        """
        forecasts = {name: median_of(outputs) for name, outputs in others.items()}
        if self.bounded and "pretrained" in others:
            low, median, high = others["pretrained"]
            forecasts = {n: within(f, low, high) for n, f in forecasts.items()}
            forecasts["pretrained"] = median
            trained = within(trained, low, high)
        result = trained
        for name, forecast in forecasts.items():
            off = forecast - trained
            off = np.where(np.isnan(off), 0.0, off)
            result = result + self.weights[name] * off
        return result

    def check_weights(self) -> None:
        """Warn where the package has other pretrained weights than at the fit."""
        if self.weight and not self.tuned and self.digest != shipped_digest():
            warn_user(
                "The forecaster was fitted with other weights of the pretrained "
                "network than this version of sklstm has, so its forecasts differ "
                "from those after the fit. Fit again, or install the version that "
                "fitted it.",
                UserWarning,
            )


def outputs_by_name(
    readers: Mapping[str, Reader], outputs: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the outputs of each reader, of shape (n_outputs, ...)."""
    ends = np.cumsum([reader.n_outputs for reader in readers.values()])
    return dict(zip(readers, np.split(outputs, ends[:-1]), strict=True))


def median_of(outputs: np.ndarray) -> np.ndarray:
    """Return the middle one of quantiles, or the only output."""
    return outputs[len(outputs) // 2]


def within(forecast: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Limit a forecast to bounds; a bound of NaN limits nothing."""
    return np.fmin(np.fmax(forecast, low), high)


class Contexts(NamedTuple):
    """The rows before origins.

    Parameters
    ----------
    values : ndarray of shape (n_origins, n_targets, n_rows)
        Up to the last value seen; NaN before the first row.
    ages : ndarray of int of shape (n_origins, n_targets)
        Rows between the last value seen and the origin.
    scaler : Scaler or None
        What brings values to the scaler's axis; None where they are on it.
    """

    values: np.ndarray
    ages: np.ndarray
    scaler: Scaler | None


def consecutive(tables: Iterable) -> Iterator[slice]:
    """Yield the slice of each table within their concatenation."""
    first = 0
    for table in tables:
        yield slice(first, first + len(table))
        first += len(table)


def n_context_rows(seasons: Sequence[int]) -> int:
    """Return the number of rows before an origin on which its forecast depends."""
    return max(LONGEST_CONTEXT, MOST_CYCLES * max(seasons, default=0))


def context_forecasts(
    parts: list[Rows],
    seasons: Sequence[int],
    steps: int,
    readers: Sequence[Reader] = (PretrainedReader(),),
) -> np.ndarray:
    """Forecast each column of series from its own rows before each origin.

    Where these end in missing values, the forecast starts at the last value seen.

    Parameters
    ----------
    parts : list of Rows
    seasons : sequence of int
    readers : sequence of Reader

    Returns
    -------
    ndarray of shape (n_outputs, n_origins, steps, n_targets)
        Scaled, of all readers. NaN where no value is known before the origin.
    """
    longest = max(int(origins.max()) for _, _, origins in parts)
    n_rows = max(min(n_context_rows(seasons), longest), 1)
    # A forecast has several quantiles a step.
    width = max(n_rows, len(QUANTILES) * steps)
    most = max(VALUES_AT_ONCE // width, 1)
    contexts = (
        contexts_of(values, scaler, origins[block], n_rows)
        for values, scaler, origins in parts
        for block in blocks(len(origins), max(most // values.shape[1], 1))
    )
    result = []
    for group in groups(contexts, lambda part: part.ages.size, most):
        result += forecasts_of(group, seasons, steps, readers)
    return np.concatenate(result, axis=1)


def quantile_distances(
    parts: list[Rows],
    seasons: Sequence[int],
    steps: int,
    probabilities: Sequence[float],
) -> np.ndarray:
    """Return the distances of the network's quantiles from its median.

    The network has the weights of the package, because fine-tuning on the rows of a
    series makes its quantiles too narrow.

    Other probabilities than the network's are interpolated in proportion to the
    quantiles of a normal distribution.

    Returns
    -------
    ndarray of shape (n_probabilities, n_origins, steps, n_targets)
        Scaled.
    """
    reader = PretrainedReader(levels=QUANTILES)
    quantiles = context_forecasts(parts, seasons, steps, [reader])
    distances = quantiles - quantiles[QUANTILES.index(0.5)]
    levels = ndtri(QUANTILES)
    result = []
    for wanted in ndtri(probabilities):
        nearest = np.clip(wanted, levels[0], levels[-1])
        above = max(int(np.searchsorted(levels, nearest)), 1)
        gap = levels[above] - levels[above - 1]
        share = (nearest - levels[above - 1]) / gap
        distance = (1 - share) * distances[above - 1] + share * distances[above]
        result.append(distance * (wanted / nearest if nearest else 1.0))
    return np.nan_to_num(np.array(result))


def keeps_units(scaler: Scaler) -> bool:
    """Return whether contexts stay in the units of the target; others are scaled."""
    return isinstance(scaler, ColumnScaler) and not scaler.log


def contexts_of(values, scaler, origins, n_rows) -> Contexts:
    """Gather the rows before the origins of one series."""
    columns = range(values.shape[1])
    ages = np.array([rows_since_seen(values[:, c : c + 1], origins) for c in columns]).T
    rows = (origins[:, None] - ages)[:, :, None] + np.arange(-n_rows, 0)
    gathered = values[np.maximum(rows, 0), np.array(columns)[:, None]]
    gathered = np.where(rows < 0, np.nan, gathered.astype(float))
    if keeps_units(scaler):
        return Contexts(gathered, ages, scaler)
    # On the axis of the logarithm, forecasts stay positive.
    return Contexts(scaled_beside_gaps(scaler, gathered), ages, None)


def scaled_beside_gaps(scaler: Scaler, values: np.ndarray) -> np.ndarray:
    """Return scaled values of shape (n, n_targets, n_rows), which keep their gaps.

    The last value fills them meanwhile, because custom scalers may refuse NaN.
    """
    gaps = np.isnan(values)
    last = values.shape[2] - 1 - np.argmin(gaps[:, :, ::-1], axis=2, keepdims=True)
    last = np.take_along_axis(values, last, axis=2)
    whole = np.where(gaps, np.where(np.isnan(last), 1.0, last), values)
    scaled = np.swapaxes(scaler.apply(np.swapaxes(whole, 1, 2)), 1, 2)
    return np.where(gaps, np.nan, scaled)


def forecasts_of(contexts: list[Contexts], seasons, steps, readers) -> list:
    """Return forecasts of all contexts, from one pass of each reader."""
    tables = [c.values.reshape(-1, c.values.shape[2]) for c in contexts]
    ages = np.concatenate([c.ages.ravel() for c in contexts])
    flat = forecasts_from_ages(np.concatenate(tables), ages, seasons, steps, readers)
    result, parts = [], consecutive(tables)
    for part, (values, _, scaler) in zip(parts, contexts, strict=True):
        own = flat[:, part].reshape(-1, *values.shape[:2], steps)
        forecasts = np.swapaxes(own, 2, 3)
        result.append(forecasts if scaler is None else scaler.apply(forecasts))
    return result


def forecasts_from_ages(table, ages, seasons, steps, readers):
    """Return forecasts that start `ages` rows after the last observed value."""
    if not ages.any():
        return forecasts_at_end(table, seasons, steps, readers)
    result = None
    # Apart, because series without a gap need fewer steps.
    for late in (False, True):
        rows = np.flatnonzero((ages > 0) == late)
        if not len(rows):
            continue
        longer = forecasts_at_end(
            table[rows], seasons, steps + int(ages[rows].max()), readers
        )
        if result is None:
            result = np.empty((len(longer), len(table), steps))
        ahead = ages[rows][:, None] + np.arange(steps)
        result[:, rows] = longer[:, np.arange(len(rows))[:, None], ahead]
    return result


def forecasts_at_end(table, seasons, steps, readers):
    """Return forecasts of the rows after each series of a table.

    Returns
    -------
    ndarray of shape (n_outputs, n, steps)
    """
    known = np.isfinite(table)
    unknown = ~known.any(axis=1)
    if unknown.any():
        table = np.where(unknown[:, None], 0.0, table)
    values, removed = adjusted(table, sorted(seasons))
    first = np.argmax(known, axis=1)
    # Rows before the first value are padding, or hold nothing.
    contexts = [row[start:] for row, start in zip(values, first, strict=True)]
    forecasts = np.concatenate([reader.read(contexts, steps) for reader in readers])
    forecasts[:, unknown] = np.nan
    return np.array([restored(output, removed) for output in forecasts])


def last_rows(contexts: list[np.ndarray], length: int) -> np.ndarray:
    """Return the last rows of each context; the first one stands for those before."""
    rows = np.full((len(contexts), length), np.nan)
    for row, context in zip(rows, contexts, strict=True):
        row[max(length - len(context), 0) :] = context[-length:]
    return filled(rows)


def differences(windows: np.ndarray) -> np.ndarray:
    return windows[:, :-1] - windows[:, -1:]
