"""Fitted Keras models of our networks, taken over by an estimator."""

import numpy as np

from sklstm._utils.cells import CELLS


class Adoption:
    """How `LSTMForecaster` takes over a Keras model."""

    @classmethod
    def from_keras(cls, model, X, y=None, **parameters):
        """A fitted forecaster around a Keras model, without training.

        The model is one that `to_keras` or `sklstm.scikeras.build_regressor` made,
        trained anywhere, by any means. It works on scaled values: scalers are learned
        here from all rows of X and y, so pass ``scaler=None`` for a model that was
        trained on values as they are. There are no errors of a validation block, and
        so no quantiles.

        Parameters
        ----------
        model : keras.Model, or a fitted wrapper of scikeras around one
            A wrapper trains on values as they are, so for one `scaler` is None unless
            given.
        X, y : array-like
            As for `fit`: the rows that forecasts continue, and scalers are learned
            from.
        **parameters
            Of the forecaster. Cell, units, linear skip, horizon and, for a series
            alone, `window_length` are read off the model. Without `window_length`, X
            that comes with y holds ready-made windows, as for `fit`.

        Returns
        -------
        LSTMForecaster

        Raises
        ------
        ValueError
            If the model is none of our networks, or one of classes, or does not fit
            the data.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> passengers = load_air_passengers()
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> model = f.fit(passengers).to_keras()
        >>> again = LSTMForecaster.from_keras(model, passengers)
        >>> bool((again.forecast(12) == f.forecast(12)).all())
        True
        """
        from sklstm._utils.keras_backend import to_numpy

        if hasattr(model, "get_params"):
            parameters = {"scaler": None} | parameters
            model = model_of(model)
        weights = {v.path: to_numpy(v) for v in model.weights}
        self = cls(**(parameters_of(model, weights, y is None) | parameters))
        self._validate_params()
        problem, fitted = self._problem(X, y, None, reset=True)
        spec = self._spec(problem)
        shapes = {name: w.shape for name, w in weights.items()}
        if spec.network is None and shapes != spec.weight_shapes():
            raise ValueError(
                "The model does not fit the data and parameters: it has weights of "
                f"shapes {shapes}, and needed are {spec.weight_shapes()}. Pass the X "
                "and y that it was trained on, and its window_length."
            )
        fitted |= {
            "weights_": weights,
            "history_": {"loss": []},
            "n_iter_": 0,
            "best_epoch_": 0,
            "baseline_scores_": {},
            "skill_": None,
            "_scalers": problem.learn_scalers(problem.all_rows()),
            "_spread": None,
            "_quantile_network": None,
            "_spec_": spec,
        }
        vars(self).update(fitted)
        return self


def model_of(wrapper):
    """The Keras model that a wrapper of scikeras trained."""
    if not hasattr(wrapper, "model_"):
        raise ValueError(
            f"{type(wrapper).__name__} is not fitted, so it has no model to take over. "
            "Call its fit first."
        )
    return wrapper.model_


def parameters_of(model, weights, is_series):
    """Parameters of the forecaster that a Keras model tells."""
    found = [
        (cell.name, f"recurrent_0/{cell.weight_prefix}/recurrent_kernel")
        for cell in CELLS.values()
        if f"recurrent_0/{cell.weight_prefix}/recurrent_kernel" in weights
    ]
    if not found:
        raise ValueError(
            "The model is none of sklstm's networks: it has no layer recurrent_0 among "
            f"{[layer.name for layer in model.layers]}. Build it with to_keras or "
            "sklstm.scikeras.build_regressor."
        )
    if any(layer.name == "probabilities" for layer in model.layers):
        raise ValueError(
            "The model gives probabilities of classes, which are no forecast. Take "
            "over one that build_regressor made, or keep the classifier as it is."
        )
    cell, kernel = found[0]
    units = []
    while kernel in weights:
        units.append(int(weights[kernel].shape[0]))
        kernel = kernel.replace(f"_{len(units) - 1}/", f"_{len(units)}/")
    window_length = int(model.inputs[0].shape[1])
    for layer in model.layers:
        if layer.name == "steps":  # rows of several values a step
            window_length = int(layer.target_shape[0])
    older = [layer.cropping[0] for layer in model.layers if layer.name == "recent"]
    result = {
        "cell": cell,
        "units": tuple(units),
        "linear_skip": "skip/kernel" in weights,
        "recurrent_length": window_length - older[0] if older else None,
        "horizon": int(np.shape(model.output)[1]),
    }
    return result | ({"window_length": window_length} if is_series else {})
