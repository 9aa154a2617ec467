"""Words that scikeras routes by, as parameters of our estimators that mean the same."""

WORDS = {"model", "optimizer", "callbacks", "fit", "predict", "compile", "loss"}
WORDS |= {"metrics", "score"}
SAME = {
    "optimizer__learning_rate": "learning_rate",
    "optimizer__clipnorm": "clipnorm",
    "fit__epochs": "epochs",
    "fit__batch_size": "batch_size",
    "fit__verbose": "verbose",
    "fit__callbacks": "callbacks",
    "fit__validation_split": "validation_fraction",
}
# What to do about other words, by their whole or their first part.
INSTEAD = {
    "model__n_features": "A step's values are told by X: pass windows of three axes.",
    "fit__class_weight": "Its keys are positions of classes; set class_weight, whose "
    "keys are the classes.",
    "fit__sample_weight": "Pass fit(X, y, sample_weight=...).",
    "fit__validation_data": "Set validation_fraction, or score the rows afterwards.",
    "fit__shuffle": "Windows and texts are drawn in a new order each epoch.",
    "fit__initial_epoch": "Set warm_start=True, or call partial_fit.",
    "fit": "Of Keras's fit these are understood: "
    + ", ".join(word for word in SAME if word.startswith("fit")),
    "optimizer": "Set optimizer to one of Keras that has it, such as "
    "keras.optimizers.AdamW(weight_decay=0.01); optimizer__learning_rate and "
    "optimizer__clipnorm are understood.",
    "predict": "Leave it out: a prediction depends on the fitted network alone.",
    "compile": "Set optimizer, loss, clipnorm or learning_rate.",
    "loss": "A forecaster takes loss=keras.losses.Huber(delta=2.0), or any other of "
    "Keras with its arguments.",
    "metrics": "history_ holds the losses; score with scoring=, or in a callback.",
    "score": "Pass it to score.",
}


def translated(params, own):
    """Parameters of an estimator, from those and from words of scikeras.

    Parameters
    ----------
    params : dict of str to object
        As given to `set_params`.
    own : dict of str to object
        Parameters of the estimator, and what they are now.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ValueError
        For a word that no parameter means the same as, or two that do not agree.
    """
    found, said, arguments = {}, {}, {}
    for word, value in params.items():
        first, routed, rest = word.partition("__")
        if not routed or first not in WORDS:
            name = word
        elif first == "callbacks":
            arguments[rest] = value
            continue
        else:
            name = meant(word, first, rest, own)
        if name in found and not same(found[name], value):
            raise ValueError(
                f"{said[name]}={found[name]!r} and {word}={value!r} are the same "
                f"parameter. Pass one of them, {name} for short."
            )
        found[name], said[name] = value, word
    if arguments:
        found["callbacks"] = with_arguments(
            found.get("callbacks", own["callbacks"]), arguments
        )
    return found


def meant(word, first, rest, own):
    """The parameter that means the same as a word, where there is one."""
    if SAME.get(word) in own:
        return SAME[word]
    if first == "model" and rest.partition("__")[0] in own:
        return rest
    if word in INSTEAD or first in INSTEAD:
        advice = INSTEAD.get(word, INSTEAD.get(first))
    else:
        advice = f"Parameters are {', '.join(own)}."
    raise ValueError(f"{word} of scikeras is no parameter here. {advice}")


def same(value, other):
    try:
        return value is other or bool(value == other)
    except ValueError:  # arrays, which are told apart value by value
        return False


def with_arguments(callbacks, arguments):
    """Callbacks made of classes, each with the arguments that are for it.

    Parameters
    ----------
    callbacks : class, callback, dict, list or tuple of them, or None
    arguments : dict of str to object
        ``"patience"`` is for each class, and ``"0__patience"`` for the first, or
        ``"stop__patience"`` for the one that a dict calls so.
    """
    unused = set(arguments)

    def made(key, callback):
        given = {}
        for word, value in arguments.items():
            where, routed, name = word.rpartition("__")
            if not isinstance(callback, type) or (routed and where != key):
                continue
            given[name] = value
            unused.discard(word)
        return callback(**given) if given else callback

    if callbacks is None:
        result = None
    elif isinstance(callbacks, dict):
        result = {key: made(key, value) for key, value in callbacks.items()}
    elif isinstance(callbacks, list | tuple):
        result = [made(str(i), value) for i, value in enumerate(callbacks)]
    else:
        result = made("", callbacks)
    if unused:
        raise ValueError(
            f"callbacks__{min(unused)} is for a class among callbacks, and there is "
            f"none that it could be for. Got callbacks={callbacks!r}. Pass "
            "callbacks=[keras.callbacks.ReduceLROnPlateau], or callbacks that have "
            "their arguments. What EarlyStopping does is early_stopping and "
            "n_iter_no_change here."
        )
    return result


def instances(callbacks):
    """A list of callbacks, those of classes made."""
    if callbacks is None:
        return []
    if isinstance(callbacks, dict):
        callbacks = callbacks.values()
    elif not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    return [instance(callback) for callback in callbacks]


def instance(thing):
    """The thing, or one of the class that it is."""
    return thing() if isinstance(thing, type) else thing
