"""A fitted text classifier as an ONNX graph that reads token ids, n-grams included."""

import json

import numpy as np

from sklstm._networks.onnx.graph import Graph, recurrent
from sklstm._text.sequences import FIRST, UNKNOWN

LARGEST_TABLE = 2**24


def classifier_model(classifier):
    """Return the graph of a fitted classifier; see `LSTMTextClassifier.to_onnx`."""
    graph, spec = Graph(), classifier._state.spec
    width = getattr(classifier, "n_features_in_", "n_tokens")
    ids = graph.input("tokens", ["n", width], np.int64)
    lengths, ids = without_padding(graph, ids)
    if width != "n_tokens":
        words = vocabulary_ids(graph, ids, classifier._state.words)
        ids = graph("Mul", words, present(graph, ids))
    logits = text_network(
        graph, classifier, *network_view(graph, classifier, ids, lengths)
    )
    if spec.linear_skip:
        logits = graph("Add", logits, ngram_logits(graph, classifier, ids))
    n_classes = len(classifier.classes_)
    properties = {"classes": encoded_classes(classifier.classes_)}
    text = "tokens: ids, in which 0 is padding. probabilities: of `classes`."
    if width == "n_tokens":
        properties["vocabulary"] = encoded_vocabulary(classifier._state.words)
        text += f" The id of a word is in `vocabulary`; of other words it is {UNKNOWN}."
    return graph.model(
        ("probabilities", probabilities(graph, logits, classifier)),
        ["n", n_classes],
        classifier,
        text,
        properties,
    )


def encoded_classes(classes):
    # NumPy's tolist makes whole numbers of dates in nanoseconds.
    values = list(classes) if classes.dtype.kind in "mM" else classes.tolist()
    try:
        return json.dumps(values)
    except TypeError as error:
        kind = type(values[0]).__name__
        raise TypeError(
            f"The classes are of type {kind}, which the metadata of a graph cannot "
            "hold. Fit on str or int, for example on y.astype(str)."
        ) from error


def encoded_vocabulary(words):
    try:
        return json.dumps(words)
    except TypeError as error:
        kind = type(next(iter(words))).__name__
        raise TypeError(
            f"The tokens are of type {kind}, which the metadata of a graph cannot "
            "hold. Let tokenizer give str."
        ) from error


def n_columns(graph, values):
    return graph("Shape", values, start=1, end=2)


def present(graph, ids):
    """Return 1 for tokens and 0 for padding."""
    return graph("Min", ids, np.int64(1))


def without_padding(graph, ids):
    """Return lengths, and ids with all padding moved to the right."""
    is_token = present(graph, ids)
    lengths = graph.sum(is_token, 1, keepdims=0)
    width = n_columns(graph, ids)
    is_padding = graph("Sub", np.int64(1), is_token)
    # No sort of ONNX is stable, so each position has a key of its own, and padding has
    # larger ones than all tokens.
    key = graph("Add", graph("Mul", is_padding, width), positions(graph, width))
    _, order = graph("TopK", key, width, n_outputs=2, axis=1, largest=0)
    return lengths, graph("GatherElements", ids, order, axis=1)


def positions(graph, width):
    last = graph("Squeeze", width)
    return graph("Range", np.int64(0), last, np.int64(1))


def vocabulary_ids(graph, ids, words):
    """Turn ids as the user has them into ids of the fitted vocabulary."""
    tokens = np.array([int(word) for word in words], np.int64)
    end = int(tokens.max(initial=0)) + 1
    if end > LARGEST_TABLE:
        raise ValueError(
            f"The largest token id is {end - 1}, but to_onnx makes a table of all ids "
            f"below it, of {LARGEST_TABLE} at most. Number tokens from 1 on."
        )
    table = np.full(end + 1, UNKNOWN, np.int64)
    table[tokens] = list(words.values())
    # The last row stands for all larger ids.
    return graph("Gather", table, graph("Min", ids, np.int64(end)))


def network_view(graph, classifier, ids, lengths):
    """Return ids and lengths as `Sequences.visible` does."""
    is_known = graph("Less", ids, np.int64(len(classifier.vocabulary_) + FIRST))
    view = graph("Where", is_known, ids, np.int64(UNKNOWN))
    longest = classifier.max_length
    if longest is None:
        return view, lengths
    head = {"head": longest, "tail": 0, "both": (longest + 1) // 2}
    width = graph("Min", n_columns(graph, ids), np.array([longest], np.int64))
    position = positions(graph, width)
    over = graph("Max", graph("Sub", lengths, np.int64(longest)), np.int64(0))
    over = graph("Unsqueeze", over, np.array([1]))
    late = graph("Less", position, np.int64(head[classifier.truncate]))
    shift = graph("Where", late, np.int64(0), over)
    position = graph("Add", position, shift)
    return (
        graph("GatherElements", view, position, axis=1),
        graph("Min", lengths, np.int64(longest)),
    )


def text_network(graph, classifier, ids, lengths):
    """Return logits as `numpy_forward.predict_text` does."""
    spec, weights = classifier._state.spec, classifier.weights_
    mask = graph("Unsqueeze", present(graph, ids), np.array([2]))
    mask = graph.cast(mask, np.float32)
    table = np.asarray(weights["embedding/embeddings"], np.float32)
    states = graph("Transpose", graph("Gather", table, ids), perm=[1, 0, 2])
    # Runtimes want a step at least; an empty text is silenced after it.
    steps = graph.cast(graph("Max", lengths, np.int64(1)), np.int32)
    for i in range(len(spec.units)):
        names = spec.layer_names(i)
        states, last = recurrent(graph, spec.cell, weights, names, states, steps)
    states = graph("Transpose", states, perm=[1, 0, 2])
    states = graph("Mul", states, mask)
    if spec.pooling == "last":
        any_token = graph.cast(graph("Min", lengths, np.int64(1)), np.float32)
        state = graph("Mul", last, graph("Unsqueeze", any_token, np.array([1])))
    else:
        state = pool(graph, spec, weights, states, mask)
    return graph.dense(graph.cast(state, np.float64), weights, "head")


def pool(graph, spec, weights, states, mask):
    """Pool states as `numpy_forward` does."""
    count = graph("Max", graph.sum(mask, 1, keepdims=0), np.float32(1))
    if spec.pooling == "mean":
        return graph("Div", graph.sum(states, 1, keepdims=0), count)
    is_padding = graph("Sub", np.float32(1), mask)
    if spec.pooling == "max":
        # States lie within 1 of zero, so that -2 is never the largest.
        low = graph("Sub", states, graph("Mul", is_padding, np.float32(2)))
        state = graph("ReduceMax", low, np.array([1]), keepdims=0)
        any_token = graph("ReduceMax", mask, np.array([1]), keepdims=0)
        return graph("Mul", state, any_token)
    scores = graph(
        "MatMul", states, np.asarray(weights["attention/kernel"], np.float32)
    )
    scores = graph("Sub", scores, graph("Mul", is_padding, np.float32(1e9)))
    shares = graph("Softmax", scores, axis=1)
    return graph.sum(graph("Mul", shares, states), 1, keepdims=0)


def ngram_logits(graph, classifier, ids):
    """Score texts as `FittedNgrams.logits` does.

    ONNX has an operator that counts n-grams. Those of padding and of unknown tokens are
    not among the ones it looks for.
    """
    ngrams = classifier._state.ngrams
    counter, model = ngrams.counter, ngrams.model
    offset, prior = ngrams.intercepts, ngrams.prior
    sizes = {n: len(keys) for n, keys in counter.keys.items()}
    if not sum(sizes.values()):
        return prior
    pool: list[int] = []
    starts = []
    for n in range(1, max(sizes) + 1):
        starts.append(len(pool))
        for key in counter.keys.get(n, ()):
            # The key of an n-gram has the ids of its tokens as digits in base n_tokens.
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
    # A text without n-grams has the length 0, and 0 / 0 would be NaN.
    length = graph("Sqrt", graph("Max", length, np.float64(1e-300)))
    weighted = graph("Div", weighted, length)
    any_known = graph("Min", graph.sum(counts, 1), np.float64(1))
    offset = graph("Add", graph("Mul", any_known, offset - prior), prior)
    effects = np.asarray(ngrams.scale * model.coefficients, float)
    return graph("Add", graph("MatMul", weighted, effects), offset)


def probabilities(graph, logits, classifier):
    """Return probabilities as `probabilities.probabilities` does."""
    if classifier._state.multi_label:
        return graph("Sigmoid", logits)
    if classifier._state.spec.n_outputs > 1:
        return graph("Softmax", logits, axis=1)
    both = graph("Concat", graph("Neg", logits), logits, axis=1)
    return graph("Sigmoid", both)
