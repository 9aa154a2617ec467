"""Summary of a fitted estimator in words and pictures, for notebooks and reports."""

from html import escape

import numpy as np

from sklstm._networks.spec import TextNetworkSpec
from sklstm._reporting.charts import flow_chart, line_chart
from sklstm._training.losses import fitted_loss, metric_for
from sklstm._utils.cells import CELLS

RIVALS_IN_WORDS = {
    "last_value": "last value",
    "seasonal_naive": "seasonal naive",
    "ridge": "linear model",
    "ngrams": "n-gram model",
    "prior": "shares of classes",
    "mean": "mean",
}
MEMBERS = {
    "trained": "trained network",
    "adjusted": "adjusted linear model",
    "pretrained": "pretrained network",
    "fine-tuned": "fine-tuned pretrained network",
}
# Short enough for the boxes of the flow chart.
POOLINGS_IN_WORDS = {
    "last": "the last state",
    "max": "largest over tokens",
    "mean": "mean over tokens",
    "attention": "attention over tokens",
}


def network_in_words(estimator):
    """Describe network, inputs, outputs and size in one sentence."""
    spec = estimator._spec_
    n_weights = sum(np.size(w) for w in estimator.weights_.values())
    of_text = isinstance(spec, TextNetworkSpec)
    if spec.network is not None:
        what = "A custom network"
    else:
        units = " and ".join(str(u) for u in spec.units)
        cell = CELLS[spec.cell]
        what = f"{cell.article} {cell.label} of {units} units"
        if spec.bidirectional:
            what += " in each direction"
        if spec.linear_skip:
            what += f" beside {'an n-gram' if of_text else 'a linear'} model"
    if of_text:
        what += f", over word vectors of {spec.embedding_dim} numbers"
        what += f", for {len(estimator.classes_)} classes"
    else:
        length, n_columns = spec.window_shape
        horizon, n_targets = spec.output_shape
        what += f": from {counted(length, 'step')} of {counted(n_columns, 'column')}"
        what += f" to {counted(horizon, 'step')} of {counted(n_targets, 'target')}"
    return f"{what}; {n_weights:,} weights."


def network_svg(estimator):
    """Draw inputs, layers and outputs of the network as boxes."""
    spec = estimator._spec_
    described = f"The network: {network_in_words(estimator)}"
    of_text = isinstance(spec, TextNetworkSpec)
    both_ways = ", both ways" if spec.bidirectional else ""
    layers = [f"{CELLS[spec.cell].label}, {n} units{both_ways}" for n in spec.units]
    beside = None
    if of_text:
        pooled = POOLINGS_IN_WORDS[spec.pooling]
        layers = [f"word vectors of {spec.embedding_dim}", *layers, pooled]
        first, last = "tokens of a text", counted(len(estimator.classes_), "class")
        beside = "n-grams, linear" if spec.linear_skip else None
    else:
        length, n_columns = spec.window_shape
        horizon, n_targets = spec.output_shape
        first = f"{counted(length, 'step')} × {counted(n_columns, 'column')}"
        last = f"{counted(horizon, 'step')} × {counted(n_targets, 'target')}"
        # The LSTM may read fewer steps than the linear model.
        if spec.recurrent_length is not None and spec.recurrent_length < length:
            layers.insert(0, f"the last {spec.recurrent_length}")
        beside = "linear model" if spec.linear_skip else None
    if spec.network is not None:
        layers, beside = ["your network"], None
    return flow_chart(first, layers, beside, last, described=described)


def counted(number, noun):
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def kept_in_words(estimator):
    """Say that no epoch was kept, or return an empty string if one was."""
    if estimator.best_epoch_ or not estimator.history_.get("val_loss"):
        return ""
    if getattr(estimator, "n_members", 1) > 1:  # best_epoch_ is the first member's
        return "No epoch of the first network improved on its start."
    if not estimator.linear_skip or getattr(estimator, "network", None) is not None:
        return "No epoch of the network improved on its start."
    simple = simple_model(estimator)
    words = f"No epoch beat the {simple}"
    if members_in_words(estimator):
        return f"{words}, which takes the network's place."
    outputs = "probabilities" if hasattr(estimator, "classes_") else "forecasts"
    return f"{words}; {outputs} are the {simple}'s."


def simple_model(estimator):
    """Return what the model is called that stands beside the network."""
    return "n-gram model" if hasattr(estimator, "classes_") else "linear model"


def is_kept(estimator):
    """Tell whether the network takes part beside its linear or n-gram model.

    With several networks, `best_epoch_` is that of the first, so nothing is known of
    the others.
    """
    if not estimator.linear_skip or getattr(estimator, "network", None) is not None:
        return True
    return bool(estimator.best_epoch_) or getattr(estimator, "n_members", 1) > 1


def model_name(estimator):
    """Name the fitted model by what takes part in its forecasts or probabilities.

    A network of which no epoch was kept takes no part: the name is that of the simple
    model in its place.
    """
    parts = []
    if getattr(estimator, "network", None) is not None:
        parts.append("custom network")
    elif is_kept(estimator):
        parts.append(CELLS[estimator.cell].label)
    if estimator.linear_skip and getattr(estimator, "network", None) is None:
        parts.append(simple_model(estimator))
    weights = weights_of_members(estimator)
    if weights and "trained" not in weights:
        parts = []
    parts += [member_in_words(estimator, n) for n in weights if n != "trained"]
    name = enumerated(parts)
    # Several members are one model, whose name is singular.
    return f"mean of {name}" if len(weights) > 1 else name


def enumerated(words):
    """Join words by commas and an "and"."""
    return ", ".join([*words[:-2], " and ".join(words[-2:])])


def weights_of_members(estimator):
    """Return the weights of members that take part, by name; empty without members."""
    members = getattr(estimator, "members_", {})
    return {name: m["weight"] for name, m in members.items() if m["weight"]}


def member_in_words(estimator, name):
    """Return what a member is called, and whether it was fine-tuned."""
    if name == "trained" and getattr(estimator, "network", None) is not None:
        return "custom network"
    if name == "trained" and not is_kept(estimator):
        return simple_model(estimator)
    tuned = name == "pretrained" and estimator._state.members.tuned is not None
    return MEMBERS["fine-tuned" if tuned else name]


def members_in_words(estimator):
    """Tell the weights of the combined forecast; return an empty string without one."""
    weights = weights_of_members(estimator)
    if not weights or set(weights) == {"trained"}:
        return ""
    if not estimator._state.is_trained:
        return (
            "The series is too short to train on; forecasts are the pretrained "
            "network's."
        )
    shares = [
        f"the {member_in_words(estimator, name)} ({weight:.0%})"
        for name, weight in weights.items()
    ]
    words = f"Forecasts are the weighted mean of {enumerated(shares)}."
    if len(weights) == 1:
        (name,) = weights
        words = f"Forecasts are those of the {member_in_words(estimator, name)}."
    if "trained" in weights:
        return words
    trained = member_in_words(estimator, "trained")
    return f"{words} The {trained} has no weight, because its error is much larger."


def training_in_words(estimator):
    """Tell how many epochs were run, and which of them is kept."""
    n_epochs, best = len(estimator.history_.get("loss", ())), estimator.best_epoch_
    if not n_epochs:
        return "no network was trained."
    kept = f"epoch {best} is kept" if best else "the state before the first is kept"
    return f"{counted(n_epochs, 'epoch')} run; {kept}."


def summary_of(estimator):
    """Describe the fitted estimator in a few lines."""
    lines = [
        type(estimator).__name__,
        f"Network: {network_in_words(estimator)}",
        f"Training: {training_in_words(estimator)}",
        members_in_words(estimator),
        skill_in_words(estimator),
        kept_in_words(estimator),
    ]
    return Text("\n".join(filter(None, lines)))


class Text(str):
    """Text that a prompt shows as it is, without quotes and escapes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def skill_in_words(estimator, whose="its"):
    """Compare the network's validation error with that of the best simple model."""
    scores = estimator.baseline_scores_
    if estimator.skill_ is None or not scores:
        return "There was no validation block, so its accuracy is unknown."
    best = min(scores, key=scores.get)
    name = RIVALS_IN_WORDS.get(best, best)
    measure = "log loss"
    if not hasattr(estimator, "classes_"):
        loss = fitted_loss(estimator.loss, estimator._state.has_many_series)
        absolute = metric_for(loss) is np.abs
        measure = "absolute error" if absolute else "squared error"
    change = estimator.skill_
    # Rounding leaves a skill of about 0, not 0, if the simple model alone is kept.
    if estimator.best_epoch_ == 0 and abs(change) < 1e-6:
        why = "no epoch of the network improved on it"
        why = why if estimator.n_iter_ else "no network was trained"
        words = f"that of the {name}, because {why}"
    elif f"{1 - change:.3g}" == "1":
        words = f"level with that of the best simple model, the {name}"
    elif change >= 0:
        words = f"{change:.1%} below that of the best simple model, the {name}"
    else:
        words = f"{1 - change:.3g} times that of the best simple model, the {name}"
        if mean_lost_by_chance(estimator):
            words += "; the mean of members is kept, because this can be chance"
    return f"On the validation block {whose} {measure} is {words}."


def mean_lost_by_chance(estimator):
    """Return whether the network trained here did better than the mean that is kept."""
    if hasattr(estimator, "classes_"):
        return False
    return estimator._state.record.best_skill > estimator.skill_


def curve_svg(history, best_epoch, size=(340, 170)):
    """Draw loss by epoch as SVG; return an empty string if no epoch was trained."""
    curves = {
        name: (np.arange(1, len(history[name]) + 1), history[name])
        for name in ("loss", "val_loss")
        if len(history.get(name, ()))
    }
    n_epochs = len(history.get("loss", ()))
    x_label = "epoch" + (f", best {best_epoch}" if best_epoch else "")
    return line_chart(
        curves,
        described=f"Loss by epoch, over {counted(n_epochs, 'epoch')}; {x_label}.",
        x_label=x_label,
        mark=best_epoch or None,
        size=size,
    )


def fitted_html(estimator):
    """Return the HTML that a notebook shows below the diagram of an estimator."""
    words = "".join(
        f"<div>{escape(line)}</div>"
        for line in (
            network_in_words(estimator),
            members_in_words(estimator),
            skill_in_words(estimator),
            kept_in_words(estimator),
        )
        if line
    )
    pictures = "".join(
        f"<div>{svg}</div>"
        for svg in (
            network_svg(estimator),
            curve_svg(estimator.history_, estimator.best_epoch_),
        )
    )
    return (
        f'<div style="max-width:700px;font-size:0.9em">{words}<div style="display:flex;'
        f'flex-wrap:wrap;gap:1em;align-items:flex-end">{pictures}</div></div>'
    )
