"""Networks that a wrapper of scikeras takes as its `model`; see `sklstm.scikeras`."""

import numpy as np

from sklstm._networks.spec import NetworkSpec


def build_regressor(
    meta,
    compile_kwargs,
    units=32,
    cell="lstm",
    n_features=1,
    dropout=0.0,
    recurrent_dropout=0.0,
):
    """Build a network for ``KerasRegressor(model=build_regressor, model__units=...)``.

    Each row of X is a window, with the oldest value first; with several features, the
    `n_features` values of a step follow each other. X of shape (n_windows,
    window_length, n_features) is read without reshaping.

    Parameters
    ----------
    meta, compile_kwargs : dict
        What scikeras knows of the data, and what it compiles a model with. Without a
        loss it is "mse".
    units : int or tuple of int, default=32
    cell : {"lstm", "gru", "rnn", "slstm"}, default="lstm"
        "slstm" is the scalar-memory LSTM of xLSTM, with exponential input gates.
    n_features : int, default=1
        Number of values of each step in a row of 2-D X.
    dropout, recurrent_dropout : float, default=0.0

    Returns
    -------
    keras.Model
        A compiled model with Keras's own layers, from which
        `LSTMForecaster.from_keras` can make a forecaster.

    Raises
    ------
    ValueError
        If a row of X does not hold whole steps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.scikeras import KerasRegressor, build_regressor
    >>> windows = np.sin(np.arange(50)[:, None] + np.arange(6))
    >>> reg = KerasRegressor(build_regressor, model__units=4, verbose=0)
    >>> reg.fit(windows, windows[:, 0]).predict(windows).shape
    (50,)
    """
    return build(meta["n_outputs_"], None, "mse", **locals())


def build_classifier(
    meta,
    compile_kwargs,
    units=32,
    cell="lstm",
    n_features=1,
    dropout=0.0,
    recurrent_dropout=0.0,
):
    """Build a network for ``KerasClassifier(model=build_classifier, ...)``.

    Parameters, shapes of X and errors are those of `build_regressor`. The output is one
    probability for two classes (loss "binary_crossentropy"), one for each of more
    classes ("sparse_categorical_crossentropy"), or one for each label of an indicator
    matrix ("binary_crossentropy").

    Returns
    -------
    keras.Model
        Compiled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm.scikeras import KerasClassifier, build_classifier
    >>> windows = np.sin(np.arange(50)[:, None] + np.arange(6))
    >>> clf = KerasClassifier(build_classifier, model__units=4, verbose=0)
    >>> clf.fit(windows, windows[:, 5] > 0).predict_proba(windows).shape
    (50, 2)
    """
    parameters = locals()
    kind, n_outputs = meta["target_type_"], meta["n_classes_"]
    if kind == "multiclass":
        loss = "sparse_categorical_crossentropy"
        return build(n_outputs, "softmax", loss, **parameters)
    n_outputs = 1 if kind == "binary" else n_outputs
    return build(n_outputs, "sigmoid", "binary_crossentropy", **parameters)


def build(
    n_outputs, activation, loss, meta, compile_kwargs, units, n_features, **parameters
):
    from keras import Model, layers

    shape = meta["X_shape_"][1:]
    if len(shape) == 1:
        if shape[0] % n_features:
            raise ValueError(
                f"A row of X has {shape[0]} values, which are no whole steps of "
                f"n_features={n_features}. Pass X of shape (n_windows, window_length, "
                "n_features), or set model__n_features."
            )
        window_shape = (shape[0] // n_features, n_features)
    else:
        window_shape = tuple(shape)
    spec = NetworkSpec(
        window_shape,
        0,
        (1, n_outputs),
        units=(units,) if np.isscalar(units) else tuple(units),
        linear_skip=False,
        **parameters,
    )
    network = spec.build(plain=True)
    output = layers.Reshape((n_outputs,), name="outputs")(network.output)
    if activation:
        output = layers.Activation(activation, name="probabilities")(output)
    inputs = network.input
    if len(shape) == 1 and n_features > 1:
        from keras import Input

        inputs = Input(shape, name="rows")
        steps = layers.Reshape(window_shape, name="steps")(inputs)
        output = Model(network.input, output)(steps)
    model = Model(inputs, output)
    if compile_kwargs["loss"] is None:
        compile_kwargs = compile_kwargs | {"loss": loss}
    model.compile(**compile_kwargs)
    return model
