"""Why a forecast or a class came out: attributions by integrated gradients.

Each input gets the share of the output's change that is owed to it, on the way from a
baseline that says nothing. The shares add up to that change, which is what sets
integrated gradients [1]_ apart from gradients and from attention.

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
from sklstm._series.reader import read_window_values
from sklstm._series.validation import check_positive_int
from sklstm._text import tokenizer, vocabulary
from sklstm._text.sequences import PADDING, Sequences
from sklstm._windows import scaling
from sklstm._windows.dataset import SeriesWindows

__all__ = ["lag_attributions", "token_attributions"]


def lag_attributions(
    forecaster, steps=None, X=None, history=None, *, series=None, n_steps=32
):
    """How much each past value, and each input, moved a forecast.

    The path starts at a window that stands still at its last value, and at inputs of
    their mean (where `window_norm` is None, at values of their mean), so that what
    comes out is why the forecast is not the one of a history without any movement.
    With ready-made windows it starts at the mean window.

    Parameters
    ----------
    forecaster : LSTMForecaster
        Fitted, with a standard network.
    steps : int, default=None
        Steps ahead to explain, at most `horizon`; None means all of them.
    X : array-like, default=None
        Inputs known ahead, as for `LSTMForecaster.forecast`; or one ready-made window.
    history : array-like, default=None
        Explain the forecast after this series, as for `LSTMForecaster.forecast`.
    series : key, default=None
        Which of many series to explain.
    n_steps : int, default=32
        Points on the path.

    Returns
    -------
    sklearn.utils.Bunch
        attributions : DataFrame
            In the units of the target. One row for each input and row of data, with
            index (input, offset), where offset -1 is the last row known and 1 the first
            ahead; one column for each step, or for each (target, step).
        prediction, base_value : Series
            The forecast, and the one at the baseline, in the units of the target.
        gap : Series
            What is left of prediction - base_value when the attributions are taken
            off: the error of `n_steps` points.

    Raises
    ------
    ValueError
        For more steps than the horizon, a network of your own, a history that ends in a
        missing value, several series or windows, or what `forecast` raises.

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
    if spec.network is not None:
        raise ValueError(
            "Attributions need a standard network, but the forecaster was fitted with "
            "network= of your own. Fit with network=None, or explain it with a tool "
            "of its backend."
        )
    horizon, n_targets = spec.output_shape
    if steps is not None and steps > horizon:
        raise ValueError(
            f"steps is {steps}, but attributions reach the horizon of {horizon}, since "
            "later forecasts rest on earlier ones. Fit with a longer horizon."
        )
    if forecaster._state.form == "windows":
        data, scaler = one_window(forecaster, X), forecaster.scaler_
        steps = horizon if steps is None else steps
    else:
        data, scaler, steps = window_at_end(forecaster, steps, X, history, series)
    weights = {name: np.asarray(w, float) for name, w in forecaster.weights_.items()}
    window, context = (part.astype(float) for part in data.inputs(np.zeros(1, int)))
    end = np.concatenate([window.ravel(), context.ravel()])
    levels = slice(window.size, window.size + spec.n_levels)
    start = np.zeros_like(end)
    start[levels] = end[levels]  # the window stands still where it is

    def run(points):
        """Outputs in the units of the target, their slope, and the way back."""
        n = len(points)
        output, back = numpy_backward.window_network(
            spec,
            weights,
            points[:, : window.size].reshape(n, *spec.window_shape),
            points[:, window.size :],
        )
        output = output.reshape(n, *spec.output_shape)
        return *in_units(output, data, scaler), back

    def gradient_of(place):
        def gradient(points):
            _, slope, back = run(points)
            d_output = np.zeros((len(points), horizon * n_targets))
            d_output[:, place] = slope.reshape(len(points), -1)[:, place]
            return np.concatenate(
                [part.reshape(len(points), -1) for part in back(d_output)], axis=1
            )

        return gradient

    places = np.arange(horizon * n_targets).reshape(horizon, n_targets)[:steps]
    found = [
        numpy_backward.integrated(gradient_of(place), start, end, n_steps)
        for place in places.T.ravel()
    ]
    rows = input_names(forecaster, spec, window.shape[1])
    columns = column_names(forecaster, steps)
    shares = np.delete(np.array(found), levels, axis=1)
    table = pd.DataFrame(shares.T, rows, columns)
    reached, _, _ = run(np.stack([start, end]))
    base, value = (pd.Series(v[:steps].T.ravel(), columns) for v in reached)
    gap = value - base - table.sum()
    return Bunch(attributions=table, prediction=value, base_value=base, gap=gap)


def in_units(output, data, scaler):
    """Outputs in the units of the target, and their slope by the output.

    Scalers work value by value, so that a difference tells the slope of any.
    """
    scale = 1.0
    if isinstance(data, SeriesWindows):
        at = np.zeros(len(output), int)
        _, scale = data.measures(at)
        output = data.restored(output, at)
    near = 1e-6 * np.maximum(np.abs(output), 1)
    above, below = (scaling.invert(output + d, scaler) for d in (near, -near))
    return scaling.invert(output, scaler), scale * (above - below) / (2 * near)


def window_at_end(forecaster, steps, X, history, series):
    """The window that a forecast sees, the scaler of its target, and its steps."""
    chosen = None if series is None else [series]
    if X is None and steps is None:
        steps = forecaster._spec_.output_shape[0]
    state, steps, origins = forecaster._origins_ahead(steps, X, history, chosen)
    if len(origins) > 1:
        raise ValueError(
            f"The forecaster has {len(origins)} series, and one forecast is explained "
            f"at a time. Pass series=, one of {list(origins)[:5]}."
        )
    (origin,) = origins.values()
    if rows_since_seen(origin.series.history.y, origin.rows).any():
        raise ValueError(
            "The history ends in a missing value, so that its forecast rests on others "
            "that come before it. Pass history= up to the last value seen."
        )
    steps = min(steps, state.model.horizon)
    data = state.model.windows(state.model.spans(origin, steps))
    return data, origin.series.scaler, steps


def one_window(forecaster, X):
    """A ready-made window as the network sees it."""
    if X is None or np.shape(X)[0] != 1:
        raise ValueError(
            "One ready-made window is explained at a time. Pass X of one row, such as "
            f"X[:1]. Got {'none' if X is None else np.shape(X)[0]}."
        )
    X, _ = read_window_values(forecaster, X)
    return forecaster._state.model.data(X)


def input_names(forecaster, spec, length):
    """(input, offset) of every value the network sees, window and context."""
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
    given = []
    if state.form == "regression":
        n_given = forecaster.n_features_in_
        given = list(
            getattr(forecaster, "feature_names_in_", [f"x{i}" for i in range(n_given)])
        )
    calendar = []
    for part in state.model.calendar or ():
        name = part if isinstance(part, str) else "holiday"
        calendar += [f"{name} sin", f"{name} cos"] if isinstance(part, str) else [name]
    inputs = (given + calendar)[:n_inputs]
    past_only = state.model.past_only
    known = np.ones(n_inputs, bool) if past_only is None else ~past_only
    rows = [(name, at) for at in offsets for name in [*targets, *inputs]]
    ahead = [name for name, there in zip(inputs, known, strict=True) if there]
    rows += [(name, at) for at in range(1, horizon + 1) for name in ahead]
    if spec.n_static:  # known at any time
        rows += [(name, 0) for name in state.static_encoder.names]
    return pd.MultiIndex.from_tuples(rows, names=["input", "offset"])


def target_names(forecaster):
    output, n_targets = forecaster._state.output, forecaster._spec_.output_shape[1]
    if output.container is None or output.names is None:
        return ["y"] if n_targets == 1 else [f"y{i}" for i in range(n_targets)]
    return [output.names] if output.one_dimensional else list(output.names)


def column_names(forecaster, steps):
    """Steps, or (target, step)."""
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
    """How much each token of a text speaks for a class.

    The n-gram model is linear, so its share is exact: each n-gram's is split among its
    tokens. For the network the path starts at a text of as many paddings.

    Parameters
    ----------
    classifier : LSTMTextClassifier
        Fitted.
    text : str, or array-like of int of shape (n_tokens,)
        One text, or its token ids where the classifier was fitted on such.
    target : label, default=None
        The class to speak for; None means the one that is predicted. With several
        labels a text, the number of the label, by default the likeliest.
    n_steps : int, default=32
        Points on the path. Pooling by the maximum bends the path, and needs more.

    Returns
    -------
    sklearn.utils.Bunch
        tokens : list
            Words and punctuation marks, or token ids.
        attributions : ndarray of shape (n_tokens,)
            Change of the class's logit.
        ngrams, network : ndarray of shape (n_tokens,)
            The parts of the linear model and of the network.
        target : label
            The class that was spoken for.
        prediction, base_value : float
            The class's logit, and the one of a text that says nothing.
        gap : float
            What is left of prediction - base_value when the attributions are taken off:
            the error of `n_steps` points.

    Raises
    ------
    ValueError
        For several texts, or a class that is not known.

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
    check_is_fitted(classifier, "weights_")
    check_positive_int("n_steps", n_steps)
    of_ids = hasattr(classifier, "n_features_in_")
    if of_ids == isinstance(text, str) or np.ndim(text) != int(of_ids):
        wanted = "1-D token ids, such as X[0]" if of_ids else "a str, such as X[0]"
        raise ValueError(f"One text is explained at a time: pass {wanted}.")
    if of_ids:
        tokens = [token for token in np.asarray(text).tolist() if token]
        sequences = vocabulary.encode_ids(np.asarray(text)[None], classifier._words)
    else:
        tokenize = tokenizer.tokenizer_of(classifier)
        tokens = tokenize(text)
        sequences = vocabulary.encode([text], tokenize, classifier._words)
    logits = classifier._logits(np.asarray(text)[None] if of_ids else [text])[0]
    target, place, sign = output_of(classifier, logits, target)
    ngrams, network = np.zeros(len(tokens)), np.zeros(len(tokens))
    base = 0.0
    spec = classifier._spec_
    if spec.linear_skip:
        model, counter = classifier._ngram_model, classifier._ngram_counts
        values = model.weighted(counter.count(sequences)).toarray()[0]
        effects = classifier._scale * values * model.coefficients[:, place]
        ngrams = counter.spread(sequences, effects)
        base = classifier._scale * model.intercepts[place]
    start, parts = network_parts(classifier, sequences, place, n_steps)
    network[parts.index] = parts
    base = sign * (base + start)
    ngrams, network = sign * ngrams, sign * network
    value = float(sign * logits[place])
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


def output_of(classifier, logits, target):
    """(class, its column of the logits, sign) of the class to speak for."""
    classes = classifier.classes_
    if target is None:
        if len(logits) == 1 and not classifier._multi_label:
            target = classes[int(logits[0] > 0)]
        else:
            target = classes[logits.argmax()]
    found = np.flatnonzero(classes == target)
    if not len(found):
        raise ValueError(
            f"target is {target!r}, but the classes are {classes.tolist()}. Pass one "
            "of them."
        )
    if len(logits) == 1 and not classifier._multi_label:
        return target, 0, 1 if found[0] else -1
    return target, int(found[0]), 1


def network_parts(classifier, sequences, place, n_steps):
    """The network's logit without a text, and its tokens' parts by their places."""
    spec = classifier._spec_
    weights = {name: np.asarray(w, float) for name, w in classifier.weights_.items()}
    at = Sequences(np.arange(len(sequences.ids)), sequences.offsets)
    at = at.truncated(classifier.max_length, classifier.truncate).ids
    ids = classifier._network_view(sequences, classifier.vocabulary_).ids
    if not len(at) or not weights["head/kernel"].any():
        return weights["head/bias"][place], pd.Series([], at[:0], dtype=float)
    table = weights["embedding/embeddings"]
    start = np.repeat(table[[PADDING]], len(ids), axis=0)
    chosen = np.eye(spec.n_outputs)[[place]]

    def gradient(points):
        # one by one, since long texts have many states
        return np.concatenate(
            [
                numpy_backward.text_network(spec, weights, point[None])[1](chosen)
                for point in points
            ]
        )

    parts = numpy_backward.integrated(gradient, start, table[ids], n_steps)
    logits, _ = numpy_backward.text_network(spec, weights, start[None])
    return logits[0, place], pd.Series(parts.sum(axis=1), at)
