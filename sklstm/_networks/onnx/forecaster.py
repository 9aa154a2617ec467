"""A fitted forecaster as an ONNX graph that holds scaling and windows, too."""

import numpy as np

from sklstm._networks.onnx.graph import ONE, Graph, recurrent
from sklstm._networks.onnx.members import member_forecasts, weighted_mean
from sklstm._windows.normalization import SMALLEST_SCALE
from sklstm._windows.scaling import TransformerScaler


def forecaster_model(forecaster, series):
    """Return the graph of a forecaster; see `LSTMForecaster.to_onnx`."""
    check_has_graph(forecaster)
    graph = Graph()
    if forecaster._state.form == "windows":
        return windows_model(graph, forecaster)
    return series_model(graph, forecaster, series)


def check_has_graph(forecaster):
    if forecaster.network is not None:
        raise ValueError(
            "to_onnx knows the standard networks, but the forecaster has a network of "
            "its own. Convert what to_keras() gives with a converter of Keras models, "
            "or fit with network=None."
        )
    model = forecaster._state.model
    if forecaster._state.form != "windows" and model.calendar is not None:
        raise ValueError(
            f"The forecaster has calendar={model.calendar!r}, but an ONNX graph "
            "has no operators for dates. Fit with calendar=None, and pass columns of "
            "the calendar as X of your own."
        )


def windows_model(graph, forecaster):
    """Return a graph from ready-made windows to what `predict` returns."""
    state = forecaster._state
    length, n_features = state.network.spec.window_shape
    y_scaler, X_scaler = state.scalers
    flat = n_features == 1
    window = graph.input("X", ["n", length] if flat else ["n", length, n_features])
    window = graph.reshape(window, 0, length, n_features) if flat else window
    output = network(graph, forecaster, scaled(graph, window, X_scaler), None)
    output = graph.cut(invert(graph, output, y_scaler), 0, 1)
    n_targets = state.network.spec.output_shape[1]
    one_d = state.output.one_dimensional
    output = graph.reshape(output, *([-1] if one_d else [-1, n_targets]))
    return graph.model(
        ("prediction", output),
        ["n"] if one_d else ["n", n_targets],
        forecaster,
        f"X: windows of {length} steps, oldest value first, in their own units. "
        "prediction: of each, in the units of the target. No missing values.",
    )


def series_model(graph, forecaster, series):
    """Return a graph from the last rows of a series to what `forecast` returns."""
    state = forecaster._state
    model, one_d = state.model, state.output.one_dimensional
    fitted = series_of(forecaster, series)
    n_rows, columns = model.n_rows_read(fitted), [] if one_d else [model.n_targets]
    y = graph.input("y", ["n", n_rows, *columns])
    text = f"y: the last {n_rows} rows of the series, oldest first, in its own units. "
    y, output = graph.reshape(y, 0, n_rows, model.n_targets), None
    if model.reads_window:
        window = graph.cut(y, n_rows - model.window_length, n_rows)
        output, more = scaled_forecast(graph, forecaster, fitted, window)
        text += more
    if model.is_combined:
        output = combined(graph, model, fitted.scaler, output, y, n_rows)
    output = invert(graph, output, fitted.scaler)
    output = graph.reshape(output, -1, model.horizon, *columns)
    text += f"forecast: the next {model.horizon} values in the units of y. "
    text += "No missing values."
    shape = ["n", model.horizon, *columns]
    return graph.model(("forecast", output), shape, forecaster, text)


def scaled_forecast(graph, forecaster, fitted, y):
    """Return scaled forecasts by the network, and a text about its inputs.

    Parameters
    ----------
    fitted : FittedSeries
    y : str of shape (n, window_length, n_targets)
        In the units of the target.
    """
    state, scaler, text = forecaster._state, fitted.scaler, ""
    model, norm = state.model, state.model.norm
    length, horizon = model.window_length, model.horizon
    # 32 bits hold scaled values, as they do in `ForecastModel`.
    window = y = scaled(graph, y, scaler, in_32_bits=True)
    level, scale = level_and_scale(graph, y, norm, length, horizon)
    if level is not None:
        window = graph("Sub", window, rows_of(graph, level, norm, 0, length))
    if scale is not None:
        window = graph("Div", window, scale)
    context = []
    if norm.shows_level:
        context.append(graph.reshape(graph.cut(y, length - 1, length), 0, -1))
    if state.form == "regression":
        past, ahead = inputs(graph, model, length, horizon)
        window = graph("Concat", window, past, axis=2)
        text = f"X_past: inputs at the last {length} rows. "
        text += f"X_ahead: at the next {horizon}. "
        context += [] if ahead is None else [graph.reshape(ahead, 0, -1)]
    static = fitted.history.static
    if static is not None:  # the same in each row
        # Static features have no axis of rows, so they are added to a zero of each row.
        zero = graph.reshape(graph.cut(graph.cut(y, 0, 1), 0, 1, axis=2), 0, 1)
        zero = graph("Mul", zero, np.float64(0))
        context.append(graph("Add", zero, static[None]))
    joint = graph("Concat", *context, axis=1) if context else None
    output = network(graph, forecaster, window, joint)
    if scale is not None:
        output = graph("Mul", output, scale)
    if level is not None:
        output = graph("Add", output, rows_of(graph, level, norm, length, None))
    return output, text


def combined(graph, model, scaler, trained, y, n_rows):
    """Return the weighted mean of scaled forecasts, as `Members.combine` does.

    Parameters
    ----------
    model : ForecastModel
    trained : str or None
        Scaled forecasts by the network trained here.
    y : str of shape (n, n_rows, n_targets)
        In the units of the target.
    """
    members, n_targets, horizon = model.members, model.n_targets, model.horizon
    members.check_weights()
    # On the axis of the logarithm, forecasts stay positive.
    contexts = scaled(graph, y, scaler) if scaler.log else y
    contexts = graph.reshape(graph("Transpose", contexts, perm=[0, 2, 1]), -1, n_rows)
    others = member_forecasts(
        graph, members, contexts, n_rows, horizon, model.norm.seasons
    )
    for name, outputs in others.items():
        tables = [graph.reshape(o, -1, n_targets, horizon) for o in outputs]
        tables = [graph("Transpose", table, perm=[0, 2, 1]) for table in tables]
        if not scaler.log:
            tables = [scaled(graph, table, scaler) for table in tables]
        others[name] = tables
    return weighted_mean(graph, members, trained, others)


def series_of(forecaster, series):
    """Return the one series whose values the graph takes."""
    every = forecaster._state.series
    if len(every) == 1 and series is None:
        return next(iter(every.values()))
    known = list(every)[:5]
    if series is None:
        raise ValueError(
            f"The forecaster knows {len(every)} series, each scaled by itself, but a "
            f"graph takes one. Name it: to_onnx(series=...), one of {known} and so on."
        )
    if series not in every:
        raise ValueError(
            f"series={series!r} is not a series that the forecaster knows. Take one of "
            f"{known}" + (" and so on." if len(every) > 5 else ".")
        )
    return every[series]


def inputs(graph, model, length, horizon):
    """Return scaled inputs of the past, and those known ahead or None."""
    n_features, scaler = model.n_inputs, model.x_scaler
    past = graph.input("X_past", ["n", length, n_features])
    past = scaled(graph, past, scaler, in_32_bits=True)
    hidden = model.past_only
    known = np.arange(n_features) if hidden is None else np.flatnonzero(~hidden)
    ahead = graph.input("X_ahead", ["n", horizon, n_features])
    if not len(known):
        return past, None
    # Columns that are not known ahead may hold anything, also nothing.
    ahead = graph("Gather", ahead, known, axis=2)
    return past, scaled(graph, ahead, scaler.columns(known), in_32_bits=True)


def scaled(graph, values, scaler, in_32_bits=False):
    """Scale values, as `ColumnScaler.apply` does."""
    check_scaler(scaler)
    values = graph("Log", values) if scaler.log else values
    values = graph("Sub", values, np.asarray(scaler.center, float))
    values = graph("Div", values, np.asarray(scaler.scale, float))
    if in_32_bits:
        values = graph.cast(graph.cast(values, np.float32), np.float64)
    return values


def invert(graph, values, scaler):
    """Restore scaled values, as `ColumnScaler.invert` does."""
    check_scaler(scaler)
    values = graph("Mul", values, np.asarray(scaler.scale, float))
    values = graph("Add", values, np.asarray(scaler.center, float))
    return graph("Exp", values) if scaler.log else values


def check_scaler(scaler):
    if isinstance(scaler, TransformerScaler):
        raise ValueError(
            "to_onnx knows the scalers that sklstm names, but the forecaster has "
            f"{type(scaler.transformer).__name__}. Fit with scaler='standard', "
            "'robust', 'minmax', 'log' or None."
        )


def level_and_scale(graph, y, norm, length, horizon):
    """Return level and scale as `SeriesWindows` does; None for 0 and for 1."""
    level = None if norm.kind is None else graph.cut(y, length - 1, length)
    lag, scale = min(norm.season or 1, length - 1), None
    if norm.kind == "scale" and lag > 0:
        moves = graph("Sub", graph.cut(y, lag, None), graph.cut(y, 0, length - lag))
        moves = graph.mean(graph("Abs", moves), 1)
        scale = graph("Max", moves, np.float64(SMALLEST_SCALE))
    if norm.deseasonalize:
        seasonal = seasonal_part(graph, y, norm.seasons, length, horizon)
        if level is not None:
            at_end = graph.cut(seasonal, length - 1, length)
            seasonal = graph("Sub", graph("Add", seasonal, level), at_end)
        level = seasonal
    return level, scale


def rows_of(graph, level, norm, first, end):
    """Return the level of some rows; with seasons each row has one."""
    return graph.cut(level, first, end) if norm.deseasonalize else level


def seasonal_part(graph, y, seasons, length, horizon):
    """Return the seasons of windows, as `_windows.seasonal.seasonal_part` does."""
    after, total = np.arange(-length, horizon), None
    for season in sorted(seasons):
        pattern = seasonal_pattern(graph, y, season, length)
        own = graph("Gather", pattern, after % season, axis=1)
        y = graph("Sub", y, graph.cut(own, 0, length))
        total = own if total is None else graph("Add", total, own)
    return total


def seasonal_pattern(graph, y, season, length):
    """Return one season, as `_windows.seasonal.seasonal_pattern` does."""
    n_seasons, n_free = length // season, season - 1
    whole = graph.cut(y, length - n_seasons * season, length)
    # The width of y is left for the runtime to tell.
    seasons = graph.reshape(whole, 0, n_seasons, season, -1)
    levels = graph.mean(seasons, 2)
    cycle = np.arange(n_seasons) - (n_seasons - 1) / 2
    slope = graph("Mul", levels, cycle[:, None, None])
    slope = graph("Div", graph.sum(slope, 1), np.float64((cycle**2).sum() * season))
    step = (np.arange(season) - (season - 1) / 2)[:, None]
    swings = graph("Sub", graph("Sub", seasons, levels), graph("Mul", slope, step))
    pattern = graph.mean(swings, 1)
    chance = graph("Sub", swings, pattern)
    noise = graph.sum(graph("Mul", chance, chance), 1, 2, keepdims=0)
    noise = graph("Div", noise, np.float64((n_seasons - 1) * n_free * n_seasons))
    pattern = graph.reshape(pattern, 0, season, -1)
    variance = graph.sum(graph("Mul", pattern, pattern), 1, keepdims=0)
    variance = graph("Div", variance, np.float64(n_free))
    varies = graph("Greater", variance, np.float64(0))
    variance = graph("Where", varies, variance, np.float64(1))
    share = graph("Sub", np.float64(1), graph("Div", noise, variance))
    share = graph("Unsqueeze", graph("Max", share, np.float64(0)), np.array([1]))
    return graph("Mul", pattern, share)


def network(graph, forecaster, window, context):
    """Return scaled outputs as `numpy_forward` does: (n, horizon, n_targets)."""
    spec, weights = forecaster._spec_, forecaster.weights_
    flat = graph.reshape(window, 0, -1)
    if weights["head/kernel"].any():
        state = encode(graph, spec, weights, window, context)
        output = graph.dense(state, weights, "head")
        if spec.linear_skip:
            joint = graph("Concat", flat, context, axis=1) if context else flat
            output = graph("Add", output, graph.dense(joint, weights, "skip"))
    elif spec.linear_skip:
        joint = graph("Concat", flat, context, axis=1) if context else flat
        output = graph.dense(joint, weights, "skip")
        output = graph("Add", output, np.asarray(weights["head/bias"], float))
    else:  # each row still makes one output
        zero = graph("Mul", graph.cut(flat, 0, 1), np.float64(0))
        output = graph("Add", zero, np.asarray(weights["head/bias"], float))
    return graph.reshape(output, -1, *spec.output_shape)


def encode(graph, spec, weights, window, context):
    """Return the state that the head reads, as `numpy_forward.encode` does."""
    length = spec.recurrent_length or spec.window_shape[0]
    states = graph.cut(window, -length, None)
    if spec.n_static:
        static = graph("Unsqueeze", graph.cut(context, -spec.n_static, None), ONE)
        each_step = graph("Mul", graph.cut(states, 0, 1, axis=2), np.float64(0))
        states = graph("Concat", states, graph("Add", each_step, static), axis=2)
    states = graph.cast(states, np.float32)
    states = graph("Transpose", states, perm=[1, 0, 2])
    for i in range(len(spec.units)):
        names = [f"recurrent_{i}"]
        states, last = recurrent(graph, spec.cell, weights, names, states)
    last = graph.cast(last, np.float64)
    if spec.n_context == spec.n_last_values:
        return last
    ahead = graph.cut(context, spec.n_last_values, None)
    hidden = graph("Tanh", graph.dense(ahead, weights, "context_hidden"))
    return graph("Concat", last, hidden, axis=1)
