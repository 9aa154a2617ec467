"""Fitted estimators as ONNX graphs that hold scaling, windows and n-grams, too.

Sums run in 64 bits, as in `_inference`, but for the recurrent operators, which runtimes
have in 32 bits only.
"""

import json

import numpy as np

from sklstm import __version__
from sklstm._inference import N_STATES
from sklstm._networks import CELL_NAMES
from sklstm._sequences import FIRST, UNKNOWN
from sklstm._windows import SMALLEST_SCALE

# The first pair in which reductions take their axes as an input.
OPSET, IR_VERSION = 18, 8
OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
# Keras has the gates i, f, c, o and z, r, h; ONNX i, o, f, c and z, r, h.
GATES = {"lstm": [0, 3, 1, 2], "gru": [0, 1, 2], "rnn": [0]}
LARGEST_TABLE = 2**24
ONE = np.array([1], np.int64)


def load_onnx():
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "to_onnx needs the package onnx. Install it with "
            "pip install 'sklstm[onnx]'."
        ) from error
    return onnx


class Graph:
    """Nodes and constants as they are added; values go by name."""

    def __init__(self):
        self.onnx = load_onnx()
        self.nodes, self.constants, self.inputs = [], [], []

    def input(self, name, shape, dtype=np.float64):
        self.inputs.append(self._info(name, shape, dtype))
        return name

    def _info(self, name, shape, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)

    def constant(self, value):
        name = f"constant_{len(self.constants)}"
        value = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(self.onnx.numpy_helper.from_array(value, name))
        return name

    def __call__(self, operator, *inputs, n_outputs=1, **attributes):
        """Add a node; arrays among its inputs become constants.

        Returns
        -------
        str, or list of str where there are several outputs
        """
        inputs = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        outputs = [f"{operator}_{len(self.nodes)}_{i}" for i in range(n_outputs)]
        node = self.onnx.helper.make_node(operator, inputs, outputs, **attributes)
        self.nodes.append(node)
        return outputs if n_outputs > 1 else outputs[0]

    def cast(self, value, dtype):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", value, to=kind)

    def cut(self, value, first, end, axis=1):
        """Places from `first` to `end` of an axis; None is its start or its end."""
        first, end = first or 0, np.iinfo(np.int64).max if end is None else end
        bounds = (np.array([part], np.int64) for part in (first, end, axis))
        return self("Slice", value, *bounds)

    def reshape(self, value, *shape):
        return self("Reshape", value, np.array(shape, np.int64))

    def mean(self, value, axis, keepdims=1):
        return self("ReduceMean", value, np.array([axis], np.int64), keepdims=keepdims)

    def sum(self, value, *axes, keepdims=1):
        return self("ReduceSum", value, np.array(axes, np.int64), keepdims=keepdims)

    def dense(self, value, weights, name):
        product = self("MatMul", value, np.asarray(weights[f"{name}/kernel"], float))
        return self("Add", product, np.asarray(weights[f"{name}/bias"], float))

    def model(self, output, shape, estimator, text, properties=None):
        """The checked ModelProto of one output; shape is its documented one."""
        helper, (name, result) = self.onnx.helper, output
        self.nodes.append(helper.make_node("Identity", [result], [name]))
        graph = helper.make_graph(
            self.nodes,
            type(estimator).__name__,
            self.inputs,
            [self._info(name, shape, np.float64)],
            self.constants,
            doc_string=text,
        )
        model = helper.make_model(
            graph,
            producer_name="sklstm",
            producer_version=__version__,
            doc_string=text,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, properties or {})
        self.onnx.checker.check_model(model, full_check=True)
        return model


def recurrent(graph, cell, weights, names, states, lengths=None):
    """A recurrent layer, of one direction or of both.

    Parameters
    ----------
    names : list of str
        The layer of each direction; the second reads backwards.
    states : str
        Of shape (n_timesteps, n_samples, n_features), in 32 bits.
    lengths : str, default=None
        Steps of each sample that are not padding.

    Returns
    -------
    states : str of shape (n_timesteps, n_samples, n_directions * units)
    last : str of shape (n_samples, n_directions * units)
    """
    layers = [[], [], []]
    for name in names:
        prefix = f"{name}/{CELL_NAMES[cell]}/"
        kernel, recurrent_kernel, bias = (
            np.asarray(weights[prefix + part], np.float32)
            for part in ("kernel", "recurrent_kernel", "bias")
        )
        units = recurrent_kernel.shape[0]
        # Only a GRU of Keras has a bias of the recurrent product.
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        layers[0].append(by_gate(kernel, cell).T)
        layers[1].append(by_gate(recurrent_kernel, cell).T)
        layers[2].append(by_gate(both, cell).ravel())
    every, last, *_ = graph(
        OPERATORS[cell],
        states,
        *map(np.stack, layers),
        lengths or "",
        n_outputs=1 + N_STATES[cell],
        hidden_size=units,
        direction="bidirectional" if len(names) == 2 else "forward",
        # Keras resets after the product.
        **({"linear_before_reset": 1} if cell == "gru" else {}),
    )
    width = len(names) * units
    # (n_timesteps, n_directions, n_samples, units)
    every = graph.reshape(graph("Transpose", every, perm=[0, 2, 1, 3]), 0, 0, width)
    last = graph("Transpose", last, perm=[1, 0, 2])
    return every, graph.reshape(last, 0, width)


def by_gate(values, cell):
    """Columns of Keras's gates in the order of ONNX."""
    parts = np.split(values, len(GATES[cell]), axis=1)
    return np.concatenate([parts[i] for i in GATES[cell]], axis=1)


# ------------------------------------------------------------------- the forecaster


def forecaster_model(forecaster, series):
    """What `LSTMForecaster.to_onnx` returns."""
    check_has_graph(forecaster)
    graph = Graph()
    if forecaster._form == "windows":
        return windows_model(graph, forecaster)
    return series_model(graph, forecaster, series)


def check_has_graph(forecaster):
    if forecaster.network is not None:
        raise ValueError(
            "to_onnx knows the standard networks, but the forecaster has a network of "
            "its own. Convert what to_keras() gives with a converter of Keras models, "
            "or fit with network=None."
        )
    if forecaster._form != "windows" and forecaster.calendar is not None:
        raise ValueError(
            f"The forecaster has calendar={forecaster.calendar!r}, but an ONNX graph "
            "has no operators for dates. Fit with calendar=None, and pass columns of "
            "the calendar as X of your own."
        )


def windows_model(graph, forecaster):
    """Ready-made windows -> what `predict` gives."""
    length, n_features = forecaster._spec_.window_shape
    y_scaler, X_scaler = forecaster._scalers
    flat = n_features == 1
    window = graph.input("X", ["n", length] if flat else ["n", length, n_features])
    window = graph.reshape(window, 0, length, n_features) if flat else window
    output = network(graph, forecaster, scaled(graph, window, X_scaler), None)
    output = graph.cut(invert(graph, output, y_scaler), 0, 1)
    n_targets = forecaster._n_targets
    one_d = forecaster._one_d
    output = graph.reshape(output, *([-1] if one_d else [-1, n_targets]))
    return graph.model(
        ("prediction", output),
        ["n"] if one_d else ["n", n_targets],
        forecaster,
        f"X: windows of {length} steps, oldest value first, in their own units. "
        "prediction: of each, in the units of the target. No missing values.",
    )


def series_model(graph, forecaster, series):
    """The last rows of a series -> what `forecast` gives."""
    scaler = scaler_of(forecaster, series)
    length, horizon = forecaster.window_length_, forecaster._spec_.output_shape[0]
    n_targets, one_d = forecaster._n_targets, forecaster._one_d
    columns = [] if one_d else [n_targets]
    y = graph.input("y", ["n", length, *columns])
    text = f"y: the last {length} rows of the series, oldest first, in its own units. "
    # 32 bits hold scaled values, as they do in `_rolling`.
    y = scaled(graph, graph.reshape(y, 0, length, n_targets), scaler, in_32_bits=True)
    norm, window, context = forecaster._norm, y, []
    level, scale = measures(graph, y, norm, length, horizon)
    if level is not None:
        window = graph("Sub", window, rows_of(graph, level, norm, 0, length))
    if scale is not None:
        window = graph("Div", window, scale)
    if norm.shows_level:
        context.append(graph.reshape(graph.cut(y, length - 1, length), 0, -1))
    if forecaster._form == "regression":
        past, ahead = inputs(graph, forecaster, length, horizon)
        window = graph("Concat", window, past, axis=2)
        text += f"X_past: inputs at these rows. X_ahead: at the next {horizon}. "
        context += [] if ahead is None else [graph.reshape(ahead, 0, -1)]
    static = static_of(forecaster, series)
    if static is not None:  # the same in each row
        zero = graph.reshape(graph.cut(graph.cut(y, 0, 1), 0, 1, axis=2), 0, 1)
        zero = graph("Mul", zero, np.float64(0))
        context.append(graph("Add", zero, static[None]))
    joint = graph("Concat", *context, axis=1) if context else None
    output = network(graph, forecaster, window, joint)
    if scale is not None:
        output = graph("Mul", output, scale)
    if level is not None:
        output = graph("Add", output, rows_of(graph, level, norm, length, None))
    output = graph.reshape(invert(graph, output, scaler), -1, horizon, *columns)
    text += f"forecast: the next {horizon} values in the units of y. No missing values."
    shape = ["n", horizon, *columns]
    return graph.model(("forecast", output), shape, forecaster, text)


def scaler_of(forecaster, series):
    """The scaler of the one series whose values the graph takes."""
    scalers = dict(zip(forecaster._histories, forecaster._scalers[0], strict=True))
    if len(scalers) == 1 and series is None:
        return next(iter(scalers.values()))
    known = list(scalers)[:5]
    if series is None:
        raise ValueError(
            f"The forecaster knows {len(scalers)} series, each scaled by itself, but a "
            f"graph takes one. Name it: to_onnx(series=...), one of {known} and so on."
        )
    if series not in scalers:
        raise ValueError(
            f"series={series!r} is not a series that the forecaster knows. Take one of "
            f"{known}" + (" and so on." if len(scalers) > 5 else ".")
        )
    return scalers[series]


def static_of(forecaster, series):
    """Static features of the one series whose values the graph takes."""
    if series is None:
        return next(iter(forecaster._histories.values())).static
    return forecaster._histories[series].static


def inputs(graph, forecaster, length, horizon):
    """Scaled inputs of the past and those known ahead, or None without the latter."""
    n_features, scaler = forecaster.n_features_in_, forecaster._scalers[1]
    past = graph.input("X_past", ["n", length, n_features])
    past = scaled(graph, past, scaler, in_32_bits=True)
    hidden = forecaster._past
    known = np.arange(n_features) if hidden is None else np.flatnonzero(~hidden)
    ahead = graph.input("X_ahead", ["n", horizon, n_features])
    if not len(known):
        return past, None
    # Columns that are not known ahead may hold anything, also nothing.
    ahead = graph("Gather", ahead, known, axis=2)
    scaler = (
        scaler
        if not isinstance(scaler, dict)
        else scaler
        | {part: np.asarray(scaler[part])[known] for part in ("center", "scale")}
    )
    return past, scaled(graph, ahead, scaler, in_32_bits=True)


def scaled(graph, values, scaler, in_32_bits=False):
    """As `_scaling.apply`."""
    check_scaler(scaler)
    values = graph("Log", values) if scaler["log"] else values
    values = graph("Sub", values, np.asarray(scaler["center"], float))
    values = graph("Div", values, np.asarray(scaler["scale"], float))
    if in_32_bits:
        values = graph.cast(graph.cast(values, np.float32), np.float64)
    return values


def invert(graph, values, scaler):
    """As `_scaling.invert`."""
    check_scaler(scaler)
    values = graph("Mul", values, np.asarray(scaler["scale"], float))
    values = graph("Add", values, np.asarray(scaler["center"], float))
    return graph("Exp", values) if scaler["log"] else values


def check_scaler(scaler):
    if not isinstance(scaler, dict):
        raise ValueError(
            "to_onnx knows the scalers that sklstm names, but the forecaster has "
            f"{type(scaler).__name__}. Fit with scaler='standard', 'robust', 'minmax', "
            "'log' or None."
        )


def measures(graph, y, norm, length, horizon):
    """As `SeriesWindows.measures`; None for a level of 0 and a scale of 1."""
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
    """A level over some rows: with seasons it has one for each."""
    return graph.cut(level, first, end) if norm.deseasonalize else level


def seasonal_part(graph, y, seasons, length, horizon):
    """As `_seasonal.seasonal_part`."""
    after, total = np.arange(-length, horizon), None
    for season in sorted(seasons):
        pattern = seasonal_pattern(graph, y, season, length)
        own = graph("Gather", pattern, after % season, axis=1)
        y = graph("Sub", y, graph.cut(own, 0, length))
        total = own if total is None else graph("Add", total, own)
    return total


def seasonal_pattern(graph, y, season, length):
    """As `_seasonal.seasonal_pattern`."""
    n_seasons, n_free = length // season, season - 1
    whole = graph.cut(y, length - n_seasons * season, length)
    # The width of y is left for the runtime to tell.
    seasons = graph.reshape(whole, 0, n_seasons, season, -1)
    levels = graph.mean(seasons, 2)
    place = np.arange(n_seasons) - (n_seasons - 1) / 2
    slope = graph("Mul", levels, place[:, None, None])
    slope = graph("Div", graph.sum(slope, 1), np.float64((place**2).sum() * season))
    step = (np.arange(season) - (season - 1) / 2)[:, None]
    swings = graph("Sub", graph("Sub", seasons, levels), graph("Mul", slope, step))
    pattern = graph.mean(swings, 1)
    chance = graph("Sub", swings, pattern)
    noise = graph.sum(graph("Mul", chance, chance), 1, 2, keepdims=0)
    noise = graph("Div", noise, np.float64((n_seasons - 1) * n_free * n_seasons))
    pattern = graph.reshape(pattern, 0, season, -1)
    variance = graph.sum(graph("Mul", pattern, pattern), 1, keepdims=0)
    variance = graph("Div", variance, np.float64(n_free))
    there = graph("Greater", variance, np.float64(0))
    variance = graph("Where", there, variance, np.float64(1))
    share = graph("Sub", np.float64(1), graph("Div", noise, variance))
    share = graph("Unsqueeze", graph("Max", share, np.float64(0)), np.array([1]))
    return graph("Mul", pattern, share)


def network(graph, forecaster, window, context):
    """As `_inference.forward`: scaled outputs of shape (n, horizon, n_targets)."""
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
    """As `_inference.encode`."""
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
    if spec.n_context == spec.n_levels:
        return last
    ahead = graph.cut(context, spec.n_levels, None)
    hidden = graph("Tanh", graph.dense(ahead, weights, "context_hidden"))
    return graph("Concat", last, hidden, axis=1)


# ------------------------------------------------------------------- the classifier


def classifier_model(classifier):
    """What `LSTMTextClassifier.to_onnx` returns."""
    graph, spec = Graph(), classifier._spec_
    given = getattr(classifier, "n_features_in_", "n_tokens")
    ids = graph.input("tokens", ["n", given], np.int64)
    lengths, ids = without_padding(graph, ids)
    if given != "n_tokens":
        ids = graph("Mul", ranks(graph, ids, classifier._words), present(graph, ids))
    logits = text_network(
        graph, classifier, *network_view(graph, classifier, ids, lengths)
    )
    if spec.linear_skip:
        logits = graph("Add", logits, ngram_logits(graph, classifier, ids))
    n_classes = len(classifier.classes_)
    properties = {"classes": json.dumps(classifier.classes_.tolist())}
    text = "tokens: ids, in which 0 is padding. probabilities: of `classes`."
    if given == "n_tokens":
        properties["vocabulary"] = json.dumps(classifier._words)
        text += f" The id of a word is in `vocabulary`; of other words it is {UNKNOWN}."
    return graph.model(
        ("probabilities", probabilities(graph, logits, classifier)),
        ["n", n_classes],
        classifier,
        text,
        properties,
    )


def n_columns(graph, values):
    return graph("Shape", values, start=1, end=2)


def present(graph, ids):
    """1 for tokens and 0 for padding."""
    return graph("Min", ids, np.int64(1))


def without_padding(graph, ids):
    """Lengths, and ids with their padding moved to the right, wherever it stood."""
    one_if_there = present(graph, ids)
    lengths = graph.sum(one_if_there, 1, keepdims=0)
    width = n_columns(graph, ids)
    place = positions(graph, width)
    gone = graph("Sub", np.int64(1), one_if_there)
    key = graph("Add", graph("Mul", gone, width), place)
    _, order = graph("TopK", key, width, n_outputs=2, axis=1, largest=0)
    return lengths, graph("GatherElements", ids, order, axis=1)


def positions(graph, width):
    last = graph("Squeeze", width)
    return graph("Range", np.int64(0), last, np.int64(1))


def ranks(graph, ids, words):
    """Ids of the fitted vocabulary for ids as the user has them."""
    known = np.array([int(word) for word in words], np.int64)
    end = int(known.max(initial=0)) + 1
    if end > LARGEST_TABLE:
        raise ValueError(
            f"The largest token id is {end - 1}, but to_onnx makes a table of all ids "
            f"below it, of {LARGEST_TABLE} at most. Number tokens from 1 on."
        )
    table = np.full(end + 1, UNKNOWN, np.int64)
    table[known] = list(words.values())
    # The last place stands for all ids that are larger.
    return graph("Gather", table, graph("Min", ids, np.int64(end)))


def network_view(graph, classifier, ids, lengths):
    """As `LSTMTextClassifier._network_view`: ids and lengths."""
    known = graph("Less", ids, np.int64(len(classifier.vocabulary_) + FIRST))
    view = graph("Where", known, ids, np.int64(UNKNOWN))
    longest = classifier.max_length
    if longest is None:
        return view, lengths
    head = {"head": longest, "tail": 0, "both": (longest + 1) // 2}
    width = graph("Min", n_columns(graph, ids), np.array([longest], np.int64))
    place = positions(graph, width)
    over = graph("Max", graph("Sub", lengths, np.int64(longest)), np.int64(0))
    over = graph("Unsqueeze", over, np.array([1]))
    late = graph("Less", place, np.int64(head[classifier.truncate]))
    shift = graph("Where", late, np.int64(0), over)
    where = graph("Add", place, shift)
    return (
        graph("GatherElements", view, where, axis=1),
        graph("Min", lengths, np.int64(longest)),
    )


def text_network(graph, classifier, ids, lengths):
    """As `_inference.forward_text`: logits."""
    spec, weights = classifier._spec_, classifier.weights_
    there = graph("Unsqueeze", present(graph, ids), np.array([2]))
    there = graph.cast(there, np.float32)
    table = np.asarray(weights["embedding/embeddings"], np.float32)
    states = graph("Transpose", graph("Gather", table, ids), perm=[1, 0, 2])
    # Runtimes want a step at least; an empty text is silenced after it.
    steps = graph.cast(graph("Max", lengths, np.int64(1)), np.int32)
    for i in range(len(spec.units)):
        names = [f"recurrent_{i}"]
        if spec.bidirectional:
            names = [f"both_{i}/forward_recurrent_{i}", f"both_{i}/backward_{i}"]
        states, last = recurrent(graph, spec.cell, weights, names, states, steps)
    states = graph("Transpose", states, perm=[1, 0, 2])
    states = graph("Mul", states, there)
    if spec.pooling == "last":
        some = graph.cast(graph("Min", lengths, np.int64(1)), np.float32)
        state = graph("Mul", last, graph("Unsqueeze", some, np.array([1])))
    else:
        state = pool(graph, spec, weights, states, there)
    return graph.dense(graph.cast(state, np.float64), weights, "head")


def pool(graph, spec, weights, states, there):
    """As `_inference.pool`."""
    count = graph("Max", graph.sum(there, 1, keepdims=0), np.float32(1))
    if spec.pooling == "mean":
        return graph("Div", graph.sum(states, 1, keepdims=0), count)
    gone = graph("Sub", np.float32(1), there)
    if spec.pooling == "max":
        # States lie within 1 of zero, so that -2 is never the largest.
        low = graph("Sub", states, graph("Mul", gone, np.float32(2)))
        state = graph("ReduceMax", low, np.array([1]), keepdims=0)
        some = graph("ReduceMax", there, np.array([1]), keepdims=0)
        return graph("Mul", state, some)
    scores = graph(
        "MatMul", states, np.asarray(weights["attention/kernel"], np.float32)
    )
    scores = graph("Sub", scores, graph("Mul", gone, np.float32(1e9)))
    shares = graph("Softmax", scores, axis=1)
    return graph.sum(graph("Mul", shares, states), 1, keepdims=0)


def ngram_logits(graph, classifier, ids):
    """As `LSTMTextClassifier._linear_logits`.

    ONNX has an operator that counts n-grams. Those of padding and of unknown tokens are
    not among the ones it looks for.
    """
    counter, model = classifier._ngram_counts, classifier._ngram_model
    offset = np.asarray(classifier._scale * model.intercepts, float)
    sizes = {n: len(known) for n, known in counter.keys.items()}
    if not sum(sizes.values()):
        return offset
    pool, starts = [], []
    for n in range(1, max(sizes) + 1):
        starts.append(len(pool))
        for key in counter.keys.get(n, ()):
            powers = counter.n_tokens ** np.arange(n - 1, -1, -1)
            pool += (int(key) // powers % counter.n_tokens).tolist()
    counts = graph(
        "TfIdfVectorizer",
        ids,
        mode="TF",
        min_gram_length=min(sizes),
        max_gram_length=max(sizes),
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=list(range(sum(sizes.values()))),
        pool_int64s=pool,
    )
    counts = graph.cast(counts, np.float64)
    # 1 + log(count) where there is one, and 0 where there is none.
    weighted = graph("Log", graph("Max", counts, np.float64(1)))
    weighted = graph("Add", weighted, graph("Min", counts, np.float64(1)))
    weighted = graph("Mul", weighted, np.asarray(model.idf, float))
    length = graph.sum(graph("Mul", weighted, weighted), 1)
    length = graph("Sqrt", graph("Max", length, np.float64(1e-300)))
    weighted = graph("Div", weighted, length)
    effects = np.asarray(classifier._scale * model.coefficients, float)
    return graph("Add", graph("MatMul", weighted, effects), offset)


def probabilities(graph, logits, classifier):
    """As `_ngrams.probabilities`."""
    if classifier._multi_label:
        return graph("Sigmoid", logits)
    if classifier._spec_.n_outputs > 1:
        return graph("Softmax", logits, axis=1)
    both = graph("Concat", graph("Neg", logits), logits, axis=1)
    return graph("Sigmoid", both)
