"""Protocols of training data, which every form of input implements."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Protocol

import numpy as np

from sklstm._windows.splits import Split


class TrainingDataset(Protocol):
    """Samples in batches, of windows or of texts."""

    def batches(self, rows, batch_size, rng=None) -> Iterator[np.ndarray]:
        """Yield rows of one shape, at most `batch_size`; shuffled by `rng`, if any."""

    def shape_key(self, rows: np.ndarray) -> Hashable:
        """Return a key that batches of one shape share."""

    def inputs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return window and context; token ids and linear logits of texts."""

    def targets(self, rows: np.ndarray) -> np.ndarray:
        """Return an array whose first axis is that of `rows`."""

    def weights(self, rows: np.ndarray) -> np.ndarray:
        """Return one non-negative weight for each row."""


class WindowDataset(TrainingDataset, Protocol):
    """Scaled windows of series, or ready-made ones."""

    @property
    def missing(self) -> np.ndarray | None:
        """Whether targets are missing; None where none is."""

    @property
    def owners(self) -> np.ndarray | None:
        """Target whose past each input is, or -1; None where there is one target."""


class ForecastProblem(Protocol):
    """What a fit of a forecaster learns from, before it is split and scaled."""

    @property
    def window_shape(self) -> tuple:
        """Steps and values of each."""

    @property
    def n_context(self) -> int:
        """Values beside the window: last values, inputs ahead, static features."""

    @property
    def n_last_values(self) -> int:
        """How many of these, the first ones, are the last values of targets."""

    @property
    def n_static(self) -> int:
        """How many of these, the last ones, are static features."""

    @property
    def output_shape(self) -> tuple:
        """Steps ahead and targets."""

    @property
    def has_many_series(self) -> bool:
        """Whether windows are of several series."""

    @property
    def zero_is_last_value(self) -> bool:
        """Whether an output of zero forecasts that nothing changes."""

    def split(self, fraction: float, rng: np.random.RandomState) -> Split:
        """Hold out a share of the rows, where enough are left."""

    def all_rows(self) -> Split:
        """Return all windows as training windows."""

    def fit_scalers(self, split: Split, kept: Any = None) -> Any:
        """Return scalers of targets and inputs, fitted on rows before the cuts.

        Parameters
        ----------
        kept : tuple, default=None
            Scalers of an earlier fit, which training that continues keeps.
        """

    def data(self, scalers: Any) -> WindowDataset:
        """Return all windows, scaled."""

    def naive_errors(
        self, data: Any, rows: np.ndarray, metric: Callable
    ) -> dict[str, float]:
        """Return the mean error of simple forecasts, scaled, by name.

        Parameters
        ----------
        metric : {np.square, np.abs}
            Of differences.
        """

    def weights_by_series(self, rows: np.ndarray) -> np.ndarray | None:
        """Return weights under which every series counts the same; None without any."""
