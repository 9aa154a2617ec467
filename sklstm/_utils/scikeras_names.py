"""Translation of scikeras's routed parameter names to parameters of sklstm."""

from typing import Any

PREFIXES = {"model", "optimizer", "callbacks", "fit", "predict", "compile", "loss"}
PREFIXES |= {"metrics", "score"}
ALIASES = {
    "optimizer__learning_rate": "learning_rate",
    "optimizer__clipnorm": "clipnorm",
    "fit__epochs": "epochs",
    "fit__batch_size": "batch_size",
    "fit__verbose": "verbose",
    "fit__callbacks": "callbacks",
    "fit__validation_split": "validation_fraction",
}
# Advice on names without an alias, by the whole name or by its prefix.
HINTS = {
    "model__n_features": "The number of features is that of X: pass windows of three "
    "axes.",
    "fit__class_weight": "Its keys are positions of classes; set class_weight, whose "
    "keys are the classes.",
    "fit__sample_weight": "Pass fit(X, y, sample_weight=...).",
    "fit__validation_data": "Set validation_fraction, or score the rows afterwards.",
    "fit__shuffle": "Leave it out: windows and texts are shuffled at each epoch.",
    "fit__initial_epoch": "Set warm_start=True, or call partial_fit.",
    "fit": "The supported arguments of Keras's fit are "
    + ", ".join(name for name in ALIASES if name.startswith("fit")),
    "optimizer": "Set optimizer to a Keras optimizer that has the argument, such as "
    "keras.optimizers.AdamW(weight_decay=0.01); optimizer__learning_rate and "
    "optimizer__clipnorm are supported.",
    "predict": "Leave it out: a prediction depends on the fitted network alone.",
    "compile": "Set optimizer, loss, clipnorm or learning_rate.",
    "loss": "Set loss=keras.losses.Huber(delta=2.0), or another Keras loss with its "
    "arguments.",
    "metrics": "history_ holds the losses; score with scoring=, or in a callback.",
    "score": "Pass it to score.",
}


def translate(params: dict[str, Any], own_params: dict[str, Any]) -> dict[str, Any]:
    """Replace scikeras's names by the parameters of an estimator.

    Parameters
    ----------
    params : dict of str to object
        Parameters of a call to `set_params`.
    own_params : dict of str to object
        Parameters of the estimator, with their present values.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ValueError
        If a name has no parameter, or two names of one parameter have different values.
    """
    result: dict[str, Any] = {}
    sources: dict[str, str] = {}
    arguments: dict[str, Any] = {}
    for name, value in params.items():
        prefix, routed, rest = name.partition("__")
        if not routed or prefix not in PREFIXES:
            own_name = name
        elif prefix == "callbacks":
            # These need the callbacks themselves, which may be set in the same call.
            arguments[rest] = value
            continue
        else:
            own_name = own_name_of(name, prefix, rest, own_params)
        if own_name in result and not same(result[own_name], value):
            raise ValueError(
                f"{sources[own_name]}={result[own_name]!r} and {name}={value!r} are "
                f"the same parameter. Pass one of them, {own_name} for short."
            )
        result[own_name], sources[own_name] = value, name
    if arguments:
        callbacks = result.get("callbacks", own_params["callbacks"])
        result["callbacks"] = build_callbacks(callbacks, arguments)
    return result


def own_name_of(name: str, prefix: str, rest: str, own_params: dict[str, Any]) -> str:
    """Return the estimator's parameter for a routed name, or raise with advice."""
    if ALIASES.get(name) in own_params:
        return ALIASES[name]
    if prefix == "model" and rest.partition("__")[0] in own_params:
        return rest
    if name in HINTS or prefix in HINTS:
        advice = HINTS.get(name, HINTS.get(prefix))
    else:
        advice = f"Parameters are {', '.join(own_params)}."
    raise ValueError(f"{name} of scikeras has no equivalent here. {advice}")


def same(value, other) -> bool:
    try:
        return value is other or bool(value == other)
    except ValueError:  # The comparison of arrays is an array.
        return False


def build_callbacks(callbacks, arguments: dict[str, Any]) -> object:
    """Build callbacks from classes, each with its arguments.

    Parameters
    ----------
    callbacks : class, callback, dict, list or tuple of them, or None
    arguments : dict of str to object
        The key ``"patience"`` addresses each class, ``"0__patience"`` the first one,
        and ``"stop__patience"`` the one with the key "stop" in a dict.
    """
    unused = set(arguments)

    def build(key, callback):
        own_arguments = {}
        for argument, value in arguments.items():
            target, routed, name = argument.rpartition("__")
            if not isinstance(callback, type) or (routed and target != key):
                continue
            own_arguments[name] = value
            unused.discard(argument)
        # A class without arguments stays a class, and is built anew at each fit.
        return callback(**own_arguments) if own_arguments else callback

    result: object = None
    if isinstance(callbacks, dict):
        result = {key: build(key, value) for key, value in callbacks.items()}
    elif isinstance(callbacks, list | tuple):
        result = [build(str(i), value) for i, value in enumerate(callbacks)]
    elif callbacks is not None:
        result = build("", callbacks)
    if unused:
        raise ValueError(
            f"callbacks__{min(unused)} sets an argument of a class in callbacks, and "
            f"no class there matches. Got callbacks={callbacks!r}. Pass "
            "callbacks=[keras.callbacks.ReduceLROnPlateau], or callbacks that have "
            "their arguments. EarlyStopping is early_stopping and n_iter_no_change "
            "here."
        )
    return result


def instances(callbacks):
    """Return callbacks as a list, with classes instantiated."""
    if callbacks is None:
        return []
    if isinstance(callbacks, dict):
        callbacks = callbacks.values()
    elif not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    return [instance(callback) for callback in callbacks]


def instance(value):
    """Return the value, or an instance if it is a class."""
    return value() if isinstance(value, type) else value
