"""Attributions of forecasts and predicted classes by integrated gradients.

The path leads from a baseline without information to the data. Each input receives the
part of the output's change along the path that its gradient explains. The attributions
add up to the change, which distinguishes integrated gradients [1]_ from plain gradients
and from attention.

References
----------
.. [1] Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks",
   ICML.
"""

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklstm._networks import numpy_backward
from sklstm._series.missing import rows_since_seen
from sklstm._series.validation import check_positive_int
from sklstm._series.window_reader import read_window_values
from sklstm._text import tokenizer, vocabulary
from sklstm._text.sequences import PADDING, Sequences
from sklstm._windows.dataset import SeriesWindows

__all__ = ["lag_attributions", "token_attributions"]


def lag_attributions(
    forecaster, steps=None, X=None, history=None, *, series=None, n_steps=32
):
    """Attribute a forecast to past values and exogenous variables.

    The attributions explain the forecast of the trained model, without the pretrained
    network, with which `LSTMForecaster.forecast` is combined.

    The baseline is a window that is constant at its last value, with exogenous
    variables at their mean. The attributions therefore explain the difference between
    the forecast and the forecast from a constant history. If `window_norm` is None, the
    baseline is constant at the mean of the series; with ready-made windows it is the
    mean window.

    Parameters
    ----------
    forecaster : LSTMForecaster
        A fitted forecaster with a standard network.
    steps : int, default=None
        Steps ahead to explain, at most `horizon`; None means all of them.
    X : array-like, default=None
        Exogenous variables known ahead, as for `LSTMForecaster.forecast`; or one
        ready-made window. The first row of an array follows the history.
    history : array-like, default=None
        Series whose forecast is explained, as for `LSTMForecaster.forecast`.
    series : key, default=None
        The series to explain, if there are many.
    n_steps : int, default=32
        Number of points on the path; more points lower `gap`.

    Returns
    -------
    sklearn.utils.Bunch
        attributions : DataFrame
            In the units of the target. The index (input, offset) has one row for each
            input and row of the data; offset -1 is the last known row, and 1 the first
            row ahead. There is one column for each step, or for each (target, step).
        prediction, base_value : Series
            Forecasts of the data and of the baseline, in the units of the target.
        gap : Series
            prediction - base_value minus the sum of attributions: the error of a path
            of `n_steps` points.

    Raises
    ------
    ValueError
        If `steps` exceeds the horizon, the network is a custom one, the history ends in
        a missing value, or there are several series or windows; and for the errors of
        `forecast`.

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> from sklstm.inspection import lag_attributions
    >>> f = LSTMForecaster(window_length=24, horizon=3, epochs=3, random_state=0)
    >>> why = lag_attributions(f.fit(load_air_passengers()))
    >>> why.attributions.shape
    (24, 3)
    >>> total = why.attributions.sum() + why.base_value
    >>> bool((abs(total - why.prediction) < 1e-6).all())
    True
    """
    check_is_fitted(forecaster, "weights_")
    check_positive_int("n_steps", n_steps)
    spec = forecaster._spec_
    if steps is not None:
        check_positive_int("steps", steps)
    check_explainable(spec, steps)
    horizon, n_targets = spec.output_shape
    if forecaster._state.form == "windows":
        data = one_window(forecaster, X)
        scaler = forecaster._state.model.y_scaler
        steps = horizon if steps is None else steps
    else:
        data, scaler, steps = window_at_end(forecaster, steps, X, history, series)
    function = ForecastFunction(spec, forecaster.weights_, data, scaler)
    # Columns are ordered by target and then by step; outputs by step first.
    numbers = np.arange(horizon * n_targets).reshape(horizon, n_targets)[:steps]
    attributions = [
        numpy_backward.integrated(
            function.gradient_of(number), function.baseline, function.inputs, n_steps
        )
        for number in numbers.T.ravel()
    ]
    rows = input_names(forecaster, spec, function.window_length)
    columns = column_names(forecaster, steps)
    # The last values are equal at both ends of the path, so they have no attribution.
    kept = np.delete(np.array(attributions), function.last_values, axis=1)
    table = pd.DataFrame(kept.T, rows, columns)
    outputs, _, _ = function(np.stack([function.baseline, function.inputs]))
    base, value = (pd.Series(v[:steps].T.ravel(), columns) for v in outputs)
    gap = value - base - table.sum()
    return Bunch(attributions=table, prediction=value, base_value=base, gap=gap)


def check_explainable(spec, steps):
    if spec.network is not None:
        raise ValueError(
            "Attributions need a standard network, but the forecaster was fitted with "
            "a custom network=. Fit with network=None, or explain the network with a "
            "tool of its backend."
        )
    horizon = spec.output_shape[0]
    if steps is not None and steps > horizon:
        raise ValueError(
            f"steps is {steps}, but attributions reach the horizon of {horizon}, "
            "because later forecasts depend on earlier ones. Fit with a longer horizon."
        )


class ForecastFunction:
    """The forecast of one window as a function of its flat inputs, with gradients.

    Parameters
    ----------
    spec : NetworkSpec
    weights : dict of str to ndarray
    data : SeriesWindows or ReadyWindows
        Data of one window.
    scaler : Scaler
        Scaler of the target.
    """

    def __init__(self, spec, weights, data, scaler):
        self.spec, self.data, self.scaler = spec, data, scaler
        self.weights = {name: np.asarray(w, float) for name, w in weights.items()}
        window, context = (
            values.astype(float) for values in data.inputs(np.zeros(1, int))
        )
        self.window_length, self.window_size = window.shape[1], window.size
        self.inputs = np.concatenate([window.ravel(), context.ravel()])
        self.last_values = slice(window.size, window.size + spec.n_last_values)
        self.baseline = np.zeros_like(self.inputs)
        # The last value of the window stays, so that the baseline is at its level.
        self.baseline[self.last_values] = self.inputs[self.last_values]

    def __call__(self, points):
        """Return outputs in the units of the target, their slope, and backward pass."""
        n = len(points)
        output, backward = numpy_backward.window_network(
            self.spec,
            self.weights,
            points[:, : self.window_size].reshape(n, *self.spec.window_shape),
            points[:, self.window_size :],
        )
        output = output.reshape(n, *self.spec.output_shape)
        return *in_units(output, self.data, self.scaler), backward

    def gradient_of(self, number):
        """Return the function that computes gradients of one output."""

        def gradient(points):
            _, slope, backward = self(points)
            d_output = np.zeros((len(points), np.prod(self.spec.output_shape)))
            d_output[:, number] = slope.reshape(len(points), -1)[:, number]
            return np.concatenate(
                [d.reshape(len(points), -1) for d in backward(d_output)], axis=1
            )

        return gradient


def in_units(output, data, scaler):
    """Return outputs in the units of the target, and the slope of this conversion."""
    scale: float | np.ndarray = 1.0
    if isinstance(data, SeriesWindows):
        at = np.zeros(len(output), int)
        _, scale = data.level_and_scale(at)
        output = data.restored(output, at)
    # A finite difference gives the slope of any scaler, because scalers convert each
    # value by itself.
    near = 1e-6 * np.maximum(np.abs(output), 1)
    above, below = (scaler.invert(output + d) for d in (near, -near))
    return scaler.invert(output), scale * (above - below) / (2 * near)


def window_at_end(forecaster, steps, X, history, series):
    """Return the data of a forecast's window, the scaler of its target, and steps."""
    if X is None and steps is None:
        steps = forecaster._spec_.output_shape[0]
    state, steps, origins = forecaster._origins_ahead(steps, X, history, series)
    if len(origins) > 1:
        raise ValueError(
            f"The forecaster has {len(origins)} series, and one forecast is explained "
            f"at a time. Pass series=, one of {list(origins)[:5]}."
        )
    (origin,) = origins.values()
    if rows_since_seen(origin.series.history.y, origin.rows).any():
        raise ValueError(
            "The history ends in a missing value, so its forecast depends on forecasts "
            "of the missing rows. Pass history= up to the last observed value."
        )
    steps = min(steps, state.model.horizon)
    data = state.model.windows(state.model.spans(origin, steps))
    return data, origin.series.scaler, steps


def one_window(forecaster, X):
    """Return the data of one ready-made window."""
    if X is None or np.shape(X)[0] != 1:
        raise ValueError(
            "One ready-made window is explained at a time. Pass X of one row, such as "
            f"X[:1]. Got {'none' if X is None else np.shape(X)[0]}."
        )
    X, _ = read_window_values(forecaster, X)
    return forecaster._state.model.data(X)


def input_names(forecaster, spec, length):
    """Return (input, offset) of every input value, in window and context."""
    horizon, n_targets = spec.output_shape
    offsets = np.arange(-length, 0)
    n_columns = spec.window_shape[1]
    state = forecaster._state
    if state.form == "windows":
        names = ["x"] if n_columns == 1 else [f"x{i}" for i in range(n_columns)]
        return pd.MultiIndex.from_tuples(
            [(name, at) for at in offsets for name in names], names=["input", "offset"]
        )
    targets = target_names(forecaster)
    n_inputs = n_columns - n_targets
    given: list = []
    if state.form == "regression":
        numbered = [f"x{i}" for i in range(forecaster.n_features_in_)]
        names = state.output.input_names or numbered
        given = list(getattr(forecaster, "feature_names_in_", names))
    calendar = []
    for part in state.model.calendar or ():
        name = part if isinstance(part, str) else "holiday"
        calendar += [f"{name} sin", f"{name} cos"] if isinstance(part, str) else [name]
    inputs = (given + calendar)[:n_inputs]
    past_only = state.model.past_only
    known = np.ones(n_inputs, bool) if past_only is None else ~past_only
    rows = [(name, at) for at in offsets for name in [*targets, *inputs]]
    ahead = [name for name, shown in zip(inputs, known, strict=True) if shown]
    rows += [(name, at) for at in range(1, horizon + 1) for name in ahead]
    if spec.n_static:  # Offset 0: static features belong to no row.
        rows += [(name, 0) for name in state.static_encoder.names]
    return pd.MultiIndex.from_tuples(rows, names=["input", "offset"])


def target_names(forecaster):
    output, n_targets = forecaster._state.output, forecaster._spec_.output_shape[1]
    if output.container is None or output.names is None:
        return ["y"] if n_targets == 1 else [f"y{i}" for i in range(n_targets)]
    return [output.names] if output.one_dimensional else list(output.names)


def column_names(forecaster, steps):
    """Return steps, or (target, step) for several targets."""
    ahead = pd.RangeIndex(1, steps + 1, name="step")
    n_targets = forecaster._spec_.output_shape[1]
    if n_targets == 1:
        return ahead
    if forecaster._state.form == "windows":
        targets = range(n_targets)
    else:
        targets = target_names(forecaster)
    return pd.MultiIndex.from_product([targets, ahead], names=["target", "step"])


def token_attributions(classifier, text, *, target=None, n_steps=32):
    """Attribute the logit of a class to the tokens of a text.

    Attributions of the n-gram model are exact, because it is linear; the effect of an
    n-gram is divided among its tokens. The baseline of the network is a text of padding
    with the same length.

    Parameters
    ----------
    classifier : LSTMTextClassifier
        A fitted classifier.
    text : str, or array-like of int of shape (n_tokens,)
        One text; or its token ids, if the classifier was fitted on token ids.
    target : label, default=None
        The class to explain; None means the predicted class. With several labels a
        text, it is the number of the label; None means the most probable one.
    n_steps : int, default=32
        Points on the path. Pooling by maximum needs more, because its gradient jumps.

    Returns
    -------
    sklearn.utils.Bunch
        tokens : list
            Words and punctuation marks, or token ids.
        attributions : ndarray of shape (n_tokens,)
            Contributions to the logit of the class.
        ngrams, network : ndarray of shape (n_tokens,)
            Contributions by way of the n-gram model and of the network.
        target : label
            The explained class.
        prediction, base_value : float
            Logits of the class for the text and for a text without information.
        gap : float
            prediction - base_value minus the sum of attributions: the error of a path
            of `n_steps` points.

    Raises
    ------
    ValueError
        If there are several texts, or the class is unknown.

    Examples
    --------
    >>> from sklstm import LSTMTextClassifier
    >>> from sklstm.inspection import token_attributions
    >>> texts = ["good film", "very good", "bad film", "very bad"] * 5
    >>> clf = LSTMTextClassifier(units=4, epochs=2, random_state=0)
    >>> clf = clf.fit(texts, ["+", "+", "-", "-"] * 5)
    >>> why = token_attributions(clf, "a good film", target="+")
    >>> why.tokens, int(why.attributions.argmax())
    (['a', 'good', 'film'], 1)
    """
    if not hasattr(classifier, "_network_view"):
        raise TypeError(
            "token_attributions explains an LSTMTextClassifier, but got a "
            f"{type(classifier).__name__}. Pass pipeline[-1] of a pipeline, and "
            "best_estimator_ of a search."
        )
    check_is_fitted(classifier, "weights_")
    check_positive_int("n_steps", n_steps)
    tokens, sequences, logits = read_text(classifier, text)
    target, column, sign = output_of(classifier, logits, target)
    ngrams, network = np.zeros(len(tokens)), np.zeros(len(tokens))
    base = 0.0
    if classifier._state.ngrams is not None:
        base, ngrams = ngram_contributions(classifier, sequences, column)
    start, contributions = network_contributions(classifier, sequences, column, n_steps)
    network[contributions.index] = contributions
    base = sign * (base + start)
    ngrams, network = sign * ngrams, sign * network
    value = float(sign * logits[column])
    total = ngrams + network
    return Bunch(
        tokens=tokens,
        attributions=total,
        ngrams=ngrams,
        network=network,
        target=target,
        prediction=value,
        base_value=float(base),
        gap=float(value - base - total.sum()),
    )


def read_text(classifier, text):
    """Return tokens, their ids and logits of one text."""
    of_ids = hasattr(classifier, "n_features_in_")
    if of_ids == isinstance(text, str) or np.ndim(text) != int(of_ids):
        wanted = "1-D token ids, such as X[0]" if of_ids else "a str, such as X[0]"
        raise ValueError(f"One text is explained at a time: pass {wanted}.")
    if of_ids:
        # Id 0 is padding, which the classifier ignores.
        tokens = [token for token in np.asarray(text).tolist() if token]
        sequences = vocabulary.encode_ids(
            np.asarray(text)[None], classifier._state.words
        )
    else:
        tokenize = tokenizer.tokenizer_of(classifier)
        tokens = tokenize(text)
        sequences = vocabulary.encode([text], tokenize, classifier._state.words)
    logits = classifier._logits(np.asarray(text)[None] if of_ids else [text])[0]
    return tokens, sequences, logits


def ngram_contributions(classifier, sequences, column):
    """Return the n-gram model's logit of an empty text, and what tokens add to it."""
    ngrams = classifier._state.ngrams
    model, counter = ngrams.model, ngrams.counter
    values = model.weighted(counter.count(sequences)).toarray()[0]
    effects = ngrams.scale * values * model.coefficients[:, column]
    if values.any():
        # Texts with known n-grams have an intercept of their own, split among these.
        shift = ngrams.intercepts[column] - ngrams.prior[column]
        effects[values > 0] += shift / (values > 0).sum()
    return ngrams.prior[column], counter.split_among_tokens(sequences, effects)


def output_of(classifier, logits, target):
    """Return the class to explain, its column of the logits, and the logit's sign."""
    classes = classifier.classes_
    if target is None:
        if len(logits) == 1 and not classifier._state.multi_label:
            target = classes[int(logits[0] > 0)]
        else:
            target = classes[logits.argmax()]
    numbers = np.flatnonzero(classes == target)
    if not len(numbers):
        raise ValueError(
            f"target is {target!r}, but the classes are {classes.tolist()}. Pass one "
            "of them."
        )
    if len(logits) == 1 and not classifier._state.multi_label:
        # Two classes share one logit, which is that of the second class.
        return target, 0, 1 if numbers[0] else -1
    return target, int(numbers[0]), 1


def network_contributions(classifier, sequences, column, n_steps):
    """Return the network's logit of the baseline, and contributions of tokens.

    The index of the contributions is the position of each token in the whole text.
    """
    spec = classifier._spec_
    weights = {name: np.asarray(w, float) for name, w in classifier.weights_.items()}
    # Truncate positions as the classifier truncates ids: these are read by the network.
    positions = Sequences(np.arange(len(sequences.ids)), sequences.offsets)
    positions = positions.truncated(classifier.max_length, classifier.truncate).ids
    ids = classifier._network_view(sequences).ids
    if not len(positions) or not weights["head/kernel"].any():
        return weights["head/bias"][column], pd.Series([], positions[:0], dtype=float)
    table = weights["embedding/embeddings"]
    start = np.repeat(table[[PADDING]], len(ids), axis=0)
    d_logits = np.eye(spec.n_outputs)[[column]]

    def gradient(points):
        # One point at a time, because the states of a long text take much memory.
        return np.concatenate(
            [
                numpy_backward.text_network(spec, weights, point[None])[1](d_logits)
                for point in points
            ]
        )

    gradients = numpy_backward.integrated(gradient, start, table[ids], n_steps)
    logits, _ = numpy_backward.text_network(spec, weights, start[None])
    return logits[0, column], pd.Series(gradients.sum(axis=1), positions)
