"""A fitted network that rolls over series: forecasts from any row, any steps ahead."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sklstm._forecasting.members import Members, Rows, consecutive, n_context_rows
from sklstm._series.calendar import inputs_at
from sklstm._series.history import History
from sklstm._series.missing import interpolate_gaps, rows_since_seen, without_nan
from sklstm._training.fitted_network import FittedNetwork
from sklstm._utils import memory_limits
from sklstm._utils.archive import storable
from sklstm._utils.disk_arrays import blocks, groups, in_memory
from sklstm._windows.dataset import ReadyWindows, SeriesWindows
from sklstm._windows.normalization import WindowNorm
from sklstm._windows.problem import interpolate_windows
from sklstm._windows.scaling import Scaler, check_scaled

# Origins whose windows stand in memory at the same time.
ORIGINS_AT_ONCE = 2048


@storable
@dataclass(frozen=True)
class WindowModel:
    """A network of ready-made windows, which are independent of each other."""

    network: FittedNetwork
    x_scaler: Scaler
    y_scaler: Scaler
    target_shape: tuple = ()

    def data(self, X: np.ndarray) -> ReadyWindows:
        """Return windows of shape (n_windows, window_length, n_features), scaled."""
        return ReadyWindows(interpolate_windows(check_scaled(self.x_scaler.apply(X))))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions of shape (n_windows, n_outputs), in the target's units."""
        output = self.network.outputs(self.data(X), np.arange(len(X)))
        values = self.y_scaler.invert(output)
        return values.reshape(len(X), *self.target_shape)


@storable
@dataclass(frozen=True)
class FittedSeries:
    """A series as `fit` left it, or with the rows that `update` has added.

    Parameters
    ----------
    history : History
    scaler : Scaler
        Of the target.
    n_fitted : int
        Rows that the network was fitted on; later ones correct intervals.
    first_row : int
        Row before which the pretrained network reads none, where a fit had only some of
        the last rows.
    """

    history: History
    scaler: Scaler
    n_fitted: int
    first_row: int = 0


class Origins(NamedTuple):
    """Rows of one series before which forecasts stand.

    Parameters
    ----------
    series : FittedSeries
    rows : ndarray of int of shape (n_origins,)
    """

    series: FittedSeries
    rows: np.ndarray

    @property
    def context_rows(self) -> Rows:
        """The same origins, as members take them that read whole rows."""
        series, first = self.series, self.series.first_row
        return Rows(series.history.y[first:], series.scaler, self.rows - first)


class Spans(NamedTuple):
    """Scaled rows of windows and of the steps ahead of them.

    Parameters
    ----------
    y : ndarray of shape (n_origins, window_length + n_ahead, n_targets)
        Zeros ahead, which forecasts replace.
    X : ndarray of shape (n_origins, window_length + n_ahead, n_features) or None
    static : ndarray of shape (n_origins, n_static) or None
    """

    y: np.ndarray
    X: np.ndarray | None
    static: np.ndarray | None


def concatenated(parts) -> Spans:
    """Concatenate `Spans`."""
    if len(parts) == 1:
        return parts[0]
    y, X, static = zip(*parts, strict=True)
    return Spans(
        np.concatenate(y),
        None if X[0] is None else np.concatenate(X),
        None if static[0] is None else np.concatenate(static),
    )


@storable
@dataclass(frozen=True)
class ForecastModel:
    """How a network of windows forecasts series, in the units of the target.

    Parameters
    ----------
    network : FittedNetwork
    norm : WindowNorm
    x_scaler : Scaler or None
        Of inputs, calendar features included.
    past_only : ndarray of bool of shape (n_features,) or None
        Inputs that are not known ahead.
    calendar : sequence or None
        See `calendar_features`.
    n_inputs : int
        Columns of X, without calendar features.
    members : Members or None
        Weights of the network and of others; None for the network alone.
    """

    network: FittedNetwork
    norm: WindowNorm
    x_scaler: Any = None
    past_only: np.ndarray | None = None
    calendar: object = None
    n_inputs: int = 0
    members: Members | None = None

    @property
    def is_combined(self) -> bool:
        """Whether other members than the network take part in forecasts."""
        return self.members is not None and self.members.is_combined

    @property
    def alone(self) -> "ForecastModel":
        """The model without other members."""
        return replace(self, members=None)

    @property
    def window_length(self) -> int:
        return self.network.window_length

    @property
    def horizon(self) -> int:
        """Steps that the network forecasts at once."""
        return self.network.spec.output_shape[0]

    @property
    def n_targets(self) -> int:
        return self.network.spec.output_shape[1]

    @property
    def only_past(self) -> bool:
        """Whether no input of X has to be known ahead."""
        past = self.past_only
        return past is not None and bool(past[: self.n_inputs].all())

    @property
    def reads_window(self) -> bool:
        """Whether the network trained here has a weight."""
        return self.members is None or self.members.weights["trained"] > 0

    def n_rows_read(self, series: FittedSeries) -> int:
        """Return the number of rows before an origin on which a forecast depends."""
        if not self.is_combined:
            return self.window_length
        n_known = len(series.history) - series.first_row
        n_read = min(n_context_rows(self.norm.seasons), n_known)
        return max(n_read, self.window_length) if self.reads_window else n_read

    def n_blocks(self, steps: int) -> int:
        """Return how many blocks of `horizon` steps the network forecasts in turn."""
        return -(-steps // self.horizon)

    def forecast(
        self,
        origins: list[Origins],
        steps: int,
        *,
        quantiles: bool = False,
        contexts: list[Origins] | None = None,
    ) -> np.ndarray:
        """Forecast from the rows before each origin, in the units of the target.

        Where these end in missing values, the forecast starts at the last value seen.

        Parameters
        ----------
        origins : list of Origins
        quantiles : bool
            All quantiles of the network, from windows that go on with the median.
        contexts : list of Origins, default=None
            The same origins as other members read them, if not as the network does.

        Returns
        -------
        ndarray of shape (n_origins, steps, n_targets), or with `quantiles` \
                (n_origins, steps, n_levels, n_targets)
        """
        self.check_reach(sum(len(rows) for _, rows in origins), steps, quantiles)
        forecasts = self._forecast_by_network(origins, steps, quantiles)
        if quantiles or self.members is None or not self.is_combined:
            return forecasts
        parts = [origin.context_rows for origin in contexts or origins]
        return self.members.combine(parts, forecasts, self.norm.seasons)

    def _forecast_by_network(
        self, origins: list[Origins], steps: int, quantiles: bool
    ) -> np.ndarray:
        """Forecast without other members; see `forecast`."""
        forecasts = self._forecast_from_windows(origins, steps, quantiles)
        ages = [rows_since_seen(series.history.y, rows) for series, rows in origins]
        late = np.concatenate(ages)
        if late.any():
            earlier = [
                Origins(series, (rows - age)[age > 0])
                for (series, rows), age in zip(origins, ages, strict=True)
            ]
            # One forecast for all origins, of as many steps as the longest gap needs.
            longer = self._forecast_from_windows(earlier, steps + late.max(), quantiles)
            ahead = late[late > 0][:, None] + np.arange(steps)
            forecasts[late > 0] = longer[np.arange(len(longer))[:, None], ahead]
        return forecasts

    def one_step(
        self, series: FittedSeries, values: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Forecast rows of a series, each from all rows before it.

        Parameters
        ----------
        series : FittedSeries
        values : ndarray of shape (n_rows, n_targets)
            The rows themselves.
        rows : ndarray of int of shape (n_rows,)
            Where they stand on the axis of the history.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
        """
        check_equal_inside(values, rows, series.history, series.history.y)
        # The network reads forecasts in the place of missing rows; other members read
        # gaps as such.
        with_gaps, filled = self.alone._filled(series, values, rows)
        contexts = [Origins(with_gaps, rows)]
        return self.forecast([Origins(filled, rows)], 1, contexts=contexts)[:, 0]

    def steps_ahead(
        self, series: FittedSeries, X: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Forecast the target at rows of inputs, standing at the end of the history.

        Parameters
        ----------
        series : FittedSeries
        X : ndarray of shape (n_rows, n_inputs)
        rows : ndarray of int of shape (n_rows,)
            Where they stand on the axis of the history.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
        """
        history, fitted = series.history, series.history.X
        assert fitted is not None, "rows of X come where series have inputs"
        check_equal_inside(X, rows, history, fitted, self.past_only)
        n_history = len(history)
        inside = rows < n_history
        forecast = np.empty((len(rows), self.n_targets))
        if inside.any():
            forecast[inside] = self.forecast([Origins(series, rows[inside])], 1)[:, 0]
        if not inside.all():
            ahead = rows[~inside] - n_history
            inputs = inputs_ahead(history, X, rows)
            known = replace(series, history=history.with_inputs(inputs))
            origin = Origins(known, np.array([n_history]))
            forecast[~inside] = self.forecast([origin], ahead[-1] + 1)[0][ahead]
        return forecast

    def simulate(self, origin: Origins, steps: int, noise: np.ndarray) -> np.ndarray:
        """Return sample paths, each of which continues from its own noisy values.

        Parameters
        ----------
        origin : Origins
            Of one row.
        noise : ndarray of shape (n_samples, n_blocks, horizon, n_targets)
            Scaled.

        Returns
        -------
        ndarray of shape (n_samples, steps, n_targets)
        """
        repeated = origin._replace(rows=np.repeat(origin.rows, len(noise)))
        paths = self._roll([repeated], steps, noise)
        if not self.is_combined:
            return paths
        scaler = origin.series.scaler
        # Errors around the network's forecast move to the combined one.
        forecasts = (model.forecast([origin], steps) for model in (self, self.alone))
        combined, alone = map(scaler.apply, forecasts)
        return scaler.invert(scaler.apply(paths) + combined - alone)

    def spans(self, origins: Origins, steps: int) -> Spans:
        """Return scaled windows with room ahead, inputs and static features."""
        series, rows_before = origins
        history, scaler = series.history, series.scaler
        length = self.window_length
        ahead = self.n_blocks(steps) * self.horizon
        rows = rows_before[:, None] - length + np.arange(length + ahead)
        y = np.zeros((*rows.shape, history.y.shape[1]))
        past = np.maximum(rows[:, :length], 0)
        scaled = scaler.apply(history.windows(past))
        y[:, :length] = check_scaled(scaled, of_file=True)
        no_past = rows_before == 0
        if no_past.any():  # the row's own value must not stand in
            mean = interpolate_gaps(history.y).mean(axis=0, keepdims=True)
            y[no_past, :length] = scaler.apply(mean)
        static = history.static
        if static is not None:
            static = np.broadcast_to(static, (len(rows), len(static)))
        return Spans(y, self._inputs(history, rows, past), static)

    def _inputs(
        self, history: History, rows: np.ndarray, past: np.ndarray
    ) -> np.ndarray | None:
        """Return scaled inputs at rows of windows and ahead of them, or None."""
        X = inputs_at(history, self.calendar, np.maximum(rows, 0))
        if X is None:
            return None
        if self.past_only is not None:
            length, given = past.shape[1], self.past_only[: self.n_inputs]
            seen = history.past_inputs(past)[:, :, given]
            X[:, :length, self.past_only] = seen
            # Ahead, inputs that are not known there keep their last value.
            X[:, length:, self.past_only] = X[:, length - 1 : length, self.past_only]
        return without_nan(check_scaled(self.x_scaler.apply(X), of_file=True))

    def _filled(
        self, series: FittedSeries, values: np.ndarray, rows: np.ndarray
    ) -> tuple[FittedSeries, FittedSeries]:
        """Return history and new rows as one: with gaps, and with these forecast."""
        history = series.history
        n_history = len(history)
        y = np.full((max(n_history, rows[-1] + 1), values.shape[1]), np.nan)
        y[:n_history] = history.y
        after = rows >= n_history
        y[rows[after]] = values[after]
        missing = np.arange(len(y)) >= n_history
        missing[rows[after]] = False
        index = history.stamps(0, len(y))
        with_gaps = replace(series, history=History(y.copy(), None, index))
        # In the order of time, because later gaps depend on earlier ones.
        while missing.any():
            first = int(np.argmax(missing))
            length = int(np.argmin(missing[first:]))
            known = History(y[:first], None, None if index is None else index[:first])
            origin = Origins(replace(series, history=known), np.array([first]))
            y[first : first + length] = self.forecast([origin], length)[0]
            missing[first : first + length] = False
        return with_gaps, replace(series, history=History(y, None, index))

    def _forecast_from_windows(
        self, origins: list[Origins], steps: int, quantiles: bool
    ) -> np.ndarray:
        """Forecast from windows that end at the row before each origin.

        Windows that reach before the first row hold its value. Inputs must reach the
        last step; blocks of the horizon beyond it hold their last row. Parameters and
        result are those of `forecast`.
        """
        parts = (
            Origins(series, rows[block])
            for series, rows in origins
            for block in blocks(len(rows), ORIGINS_AT_ONCE)
        )
        few = groups(parts, lambda part: len(part.rows), ORIGINS_AT_ONCE)
        return in_memory(self._roll(some, steps, quantiles=quantiles) for some in few)

    def _roll(self, origins, steps, noise=None, *, quantiles=False):
        """Forecast block after block, each from the windows that the last one made."""
        spans = concatenated([self.spans(origin, steps) for origin in origins])
        y = spans.y
        length, everything, levels = self.window_length, np.arange(len(y)), []
        for block in range(self.n_blocks(steps)):
            data = self.windows(spans, block)
            done = length + block * self.horizon
            ahead = slice(done, done + self.horizon)
            output = self.network.outputs(data, everything)
            y[:, ahead] = data.restored(output, everything)
            if noise is not None:
                y[:, ahead] += noise[:, block]
            if quantiles:
                outputs = np.moveaxis(self.network.quantiles(data, everything), 1, 0)
                restored = [data.restored(level, everything) for level in outputs]
                levels.append(np.stack(restored, axis=2))
        forecast = np.concatenate(levels, axis=1) if quantiles else y[:, length:]
        where = zip(consecutive(rows for _, rows in origins), origins, strict=True)
        return in_memory(
            one.series.scaler.invert(forecast[at, :steps]) for at, one in where
        )

    def windows(self, spans: Spans, block: int = 0) -> SeriesWindows:
        """Return the windows of one block of steps as data of the network."""
        first, length = block * self.horizon, self.window_length
        n_rows, n_windows = length + self.horizon, len(spans.y)

        def flat(values):
            """Return the rows that a block reads, window after window."""
            rows = values[:, first : first + n_rows]
            # Training windows have single precision as well.
            return rows.reshape(-1, values.shape[-1]).astype(np.float32)

        everything = np.arange(n_windows)
        return SeriesWindows(
            flat(spans.y),
            None if spans.X is None else flat(spans.X),
            everything * n_rows,
            length,
            self.horizon,
            self.norm,
            self.past_only,
            static=None if spans.static is None else (spans.static, everything),
        )

    def check_reach(
        self,
        n_origins: int,
        steps: int,
        quantiles: bool = False,
        at_once: int = ORIGINS_AT_ONCE,
    ) -> None:
        """Raise if the forecasts would take too long, or too much memory."""
        steps = int(steps)
        n_blocks = self.n_blocks(steps)
        if n_blocks > memory_limits.MOST_BLOCKS:
            raise ValueError(
                f"{steps} steps at a horizon of {self.horizon} are {n_blocks} "
                "forecasts, one after the other, and "
                f"{memory_limits.MOST_BLOCKS:,} are the most. Ask for fewer steps, or "
                "fit with a longer horizon."
            )
        spec = self.network.spec
        n_features = 0 if self.x_scaler is None else spec.window_shape[1]
        n_results = n_origins * steps * self.n_targets
        if quantiles:
            n_results *= len(self.network.trained.levels)
        n_at_once = min(n_origins, at_once) * (self.window_length + steps)
        n_columns = 2 + 3 * self.n_targets + 2 * n_features
        memory_limits.check_memory(
            8 * (2 * n_results + n_at_once * n_columns),
            f"A forecast of {steps} steps from {n_origins} origins",
            "Ask for fewer at once.",
        )


def inputs_ahead(history: History, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return inputs of every row from the end of a history to the last of `rows`.

    Inputs within a gap are not known: the row before it is held.
    """
    assert history.X is not None, "inputs follow earlier ones"
    after = rows >= len(history)
    ahead = np.arange(len(history), rows[-1] + 1)
    source = np.searchsorted(rows[after], ahead, side="right") - 1
    return np.concatenate([X[after], history.X[-1:]])[source]


def check_equal_inside(
    values: np.ndarray,
    rows: np.ndarray,
    history: History,
    known: np.ndarray,
    past_only: np.ndarray | None = None,
) -> None:
    """Raise where rows inside the history differ from its values `known`."""
    inside = np.flatnonzero(rows < len(known))
    known = known[rows[inside]]
    differs = ~np.isclose(values[inside], known, rtol=1e-6, equal_nan=True)
    if past_only is not None:
        differs[:, past_only[: differs.shape[1]]] = False
    if differs.any():
        number, column = np.argwhere(differs)[0]
        row = inside[number]
        stamp = history.stamps_at(rows[[row]])[0]
        raise ValueError(
            f"Row {row} of X stands inside the fitted history by its index, but has "
            f"other values: column {column} at {stamp} is {values[row, column]:g}, and "
            f"{known[number, column]:g} in the history. Give X an index that "
            "continues the history, or pass an array, which always does."
        )
