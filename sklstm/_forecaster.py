"""LSTMForecaster: recurrent networks that forecast series, as an estimator."""

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import (
    check_is_fitted,
)

from sklstm import _scaling
from sklstm._archive import storable
from sklstm._base import POSITIVE_INT, unchanged_on_error
from sklstm._input_forms import InputForms
from sklstm._intervals import Intervals, check_probabilities
from sklstm._rolling import Rolling
from sklstm._validation import (
    check_values,
    continued_index,
    is_pandas,
    n_dims,
    positions,
    season_of,
    time_index,
)
from sklstm._window_network import BaseWindowNetwork
from sklstm._windows import ReadyWindows, check_positive_int


@storable
class LSTMForecaster(RegressorMixin, InputForms, Rolling, Intervals, BaseWindowNetwork):
    """Forecast a series with a recurrent network that starts at a linear model.

    The network is the sum of a linear autoregression on the scaled window, which starts
    at the ridge solution, and an LSTM [1]_ whose head starts at zero: untrained it is
    the simple model, and it learns what that misses. Windowing and scaling are its own
    and are undone in every result.

    ``fit`` takes three forms, told apart by `y` and `window_length`:

    - ``fit(series)``: a row of X is one time step of the series itself;
    - ``fit(X, y)`` with `window_length`: a row of X holds inputs that are known ahead
      when `y` at that row is forecast;
    - ``fit(X, y)`` without `window_length`, or with 3-D X: a row of X is a ready-made
      window, oldest value first. Rows are independent, equal rows are merged, and the
      validation block is drawn at random; for overlapping windows of one series use
      the series form, whose validation block is its last part.

    Parameters
    ----------
    window_length : int, default=None
        Number of past steps the network sees. In the series form None means two
        seasons of a Datetime- or PeriodIndex with a known season, else 24, at most a
        third of the series. With 3-D X an int keeps each window's last steps.
    horizon : int, default=1
        Number of steps forecast at once. `forecast` goes on from its own forecasts
        beyond it. Ignored for ready-made windows, where `y` tells.
    stride : int, default=1
        Steps between the starts of two training windows.
    scaler : {"standard", "robust", "minmax"}, None or transformer, default="standard"
        Learned from training rows only.
    window_norm : {"last"} or None, default="last"
        "last" measures each window and its targets from the window's last value, so
        that levels outside the training range are followed. Not used for ready-made
        windows.
    calendar : tuple, default=None
        What of the time index the network sees, at the window's rows and those ahead:
        "hour", "dayofweek", "day", "month" and "dayofyear" as sine and cosine, and
        lists of dates, such as holidays, as 0 or 1. For example
        ``("hour", "dayofweek")``. Not used for ready-made windows.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
    units : int or tuple of int, default=32
        State size; a tuple stacks layers.
    dropout : float, default=0.1
        Share of state values dropped after each recurrent layer.
    recurrent_dropout : float, default=0.0
        Share of state values dropped between steps.
    linear_skip : bool, default=True
        Whether the linear model stands beside the network. It is solved, not trained,
        and its penalty is chosen on the validation block.
    recurrent_length : int, "auto" or None, default="auto"
        The recurrent layers read so many of the window's last steps; None means all.
        "auto" means 48 beside a linear model, which reads all, and all without one.
    network : callable, default=None
        ``network(window_shape, n_context, output_shape)`` returns your own Keras model
        from ``window`` (and, where ``n_context`` is not 0, ``context`` as a second
        input) to ``output_shape`` = (horizon, n_targets). The context holds the
        window's last values and the horizon's X, flat.
    loss : str or callable, default="mse"
        A Keras loss by name, or ``loss(y_true, y_pred)``, on scaled values.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
    learning_rate : float, default=0.001
    learning_rate_schedule : {"cosine"}, callable or None, default=None
        A callable gets ``(epoch, learning_rate)`` and returns the epoch's rate.
    clipnorm : float or None, default=1.0
        Largest norm of each weight's gradient.
    epochs : int, default=100
    batch_size : int, default=64
    validation_fraction : float, default=0.2
        Share of rows in the validation block; 0 for none.
    early_stopping : bool, default=True
        Stop when the validation loss stands still, and keep the best epoch.
    n_iter_no_change : int, default=10
        Epochs without improvement before stopping.
    tol : float, default=1e-4
        Relative improvement of the loss that counts.
    min_skill : float, default=0.01
        With early stopping, the linear model alone is kept unless the network lowers
        its validation loss by this share, and by more than the standard error.
    refit : bool, default=True
        Train again on all rows, validation block included, for `best_epoch_` epochs.
    callbacks : list of keras.callbacks.Callback, default=None
        Copied at fit.
    warm_start : bool, default=False
        Whether `fit` continues from the fitted weights and scaler.
    random_state : int, RandomState instance or None, default=None
        An int fixes every byte of the result.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    weights_ : dict of str to ndarray
    model_ : keras.Model
        Built on demand; works on scaled values.
    history_ : dict of str to list
        ``loss`` and, with a validation block, ``val_loss`` per epoch, scaled.
    n_iter_ : int
        Epochs trained while choosing.
    best_epoch_ : int
        0 where no epoch beat the linear model.
    baseline_scores_ : dict of str to float
        Mean squared error of simple models on the validation block, scaled.
    skill_ : float or None
        1 - error / error of the best of them; None without a validation block.
    scaler_ : dict or transformer
        Scaler of the target.
    window_length_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    References
    ----------
    .. [1] Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural
       Computation 9(8).

    Examples
    --------
    >>> from sklstm import LSTMForecaster
    >>> from sklstm.datasets import load_air_passengers
    >>> passengers = load_air_passengers()
    >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
    >>> f.fit(passengers[:-12]).forecast(3).index
    DatetimeIndex(['1960-01-01', '1960-02-01', '1960-03-01'],
                  dtype='datetime64[...]', name='month', freq='MS')
    """

    _parameter_constraints = {
        **BaseWindowNetwork._parameter_constraints,
        "window_length": [POSITIVE_INT, None],
        "horizon": [POSITIVE_INT],
        "stride": [POSITIVE_INT],
        "scaler": [
            StrOptions({"standard", "robust", "minmax"}),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "window_norm": [StrOptions({"last"}), None],
        "calendar": [tuple, list, str, None],
    }

    def __init__(
        self,
        window_length=None,
        horizon=1,
        *,
        stride=1,
        scaler="standard",
        window_norm="last",
        calendar=None,
        cell="lstm",
        units=32,
        dropout=0.1,
        recurrent_dropout=0.0,
        linear_skip=True,
        recurrent_length="auto",
        network=None,
        loss="mse",
        optimizer="adam",
        learning_rate=0.001,
        learning_rate_schedule=None,
        clipnorm=1.0,
        epochs=100,
        batch_size=64,
        validation_fraction=0.2,
        early_stopping=True,
        n_iter_no_change=10,
        tol=1e-4,
        min_skill=0.01,
        refit=True,
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.window_length = window_length
        self.horizon = horizon
        self.stride = stride
        self.scaler = scaler
        self.window_norm = window_norm
        self.calendar = calendar
        self.cell = cell
        self.units = units
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.linear_skip = linear_skip
        self.recurrent_length = recurrent_length
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.clipnorm = clipnorm
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.min_skill = min_skill
        self.refit = refit
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False  # without y, X is the series
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn scalers and network.

        Parameters
        ----------
        X : array-like of shape (n_timesteps,), (n_timesteps, n_features), \
                (n_windows, window_length) or (n_windows, window_length, n_features)
            The series, inputs known ahead, or ready-made windows; see the class.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_targets), default=None
            None says that X is the series.
        sample_weight : array-like of shape (n_timesteps,), default=None
            Weight of each row as a target. Weights and repeated rows train the same
            network on ready-made windows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For missing or infinite values, too short a series, an index that is not
            sorted or not unique, or a column of X that equals y.
        TypeError
            For values that are not numbers.
        """
        keep = self.warm_start and hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, keep=keep)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train one more epoch on these rows, from the fitted weights where there are.

        Parameters and errors are those of `fit`. The scalers of the first call stay.
        The rows become the history that `forecast` continues.

        Returns
        -------
        self
        """
        keep = hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, keep=keep, epochs=1)

    @unchanged_on_error
    def _fit(self, X, y, sample_weight, *, keep, epochs=None):
        if y is None:
            problem, fitted = self._series_problem(X, sample_weight, not keep)
        elif self.window_length is None or n_dims(X) == 3:
            problem, fitted = self._windows_problem(X, y, sample_weight, not keep)
        else:
            problem, fitted = self._regression_problem(X, y, sample_weight, not keep)
        if keep and self._spec(problem) != self._spec_:
            raise ValueError(
                "Training cannot continue, since data or parameters ask for a network "
                f"of another shape: fitted {self._spec_}, now {self._spec(problem)}. "
                "Fit anew with warm_start=False."
            )
        season = season_of(fitted["_index"])
        fitted |= self._learn(problem, season, keep=keep, epochs=epochs)
        for name, value in fitted.items():
            setattr(self, name, value)
        return self

    def predict(self, X):
        """Forecast the row of each X; see the class for what a row is.

        Series form: one step ahead at each row, from all rows before it. Regression
        form: `y` at the rows of X, which follow the history. Rows inside the history
        (told by a time index) are forecast one step ahead; rows after a gap, across it.

        Parameters
        ----------
        X : array-like of the form passed to `fit`

        Returns
        -------
        ndarray, Series or DataFrame
            In the units of the target, with one row for each row of X. pandas where
            the target was pandas, except for ready-made windows.

        Raises
        ------
        ValueError
            If X does not continue the fitted series, or differs from it.
        """
        check_is_fitted(self, "weights_")
        if self._form == "windows":
            X, _ = self._check_windows(X)
            scaled = _scaling.apply(X, self._scalers[1]).astype(np.float32)
            data = ReadyWindows(scaled)
            output = self._outputs(self._spec_, self.weights_, data, np.arange(len(X)))
            output = _scaling.invert(output, self.scaler_).reshape(len(X), -1)
            return output[:, 0] if self._one_d else output
        values, index = self._check_rows(X)
        where = positions(index, self._index, len(self._history), len(values))
        if len(where) > 1 and (np.diff(where) <= 0).any():
            raise ValueError("The rows of X are not in order of time. Sort them.")
        if self._form == "series":
            y, X_full = self._filled(values, where), None
            forecast = self._roll(y, X_full, where, 1)[:, 0]
        else:
            forecast = self._predict_regression(values, where)
        return self._in_container(forecast, X.index if is_pandas(X) else None)

    def forecast(self, steps=None, X=None, history=None):
        """Forecast the rows after the history.

        Parameters
        ----------
        steps : int, default=None
            None means `horizon`, or the rows of X where it is given.
        X : array-like of shape (n_timesteps, n_features), default=None
            Inputs known ahead, for the regression form. A network of a longer horizon
            takes the last row for those that are not given.
        history : array-like, default=None
            Forecast from this series instead of the fitted one, without training. In
            the regression form a tuple ``(X, y)``.

        Returns
        -------
        ndarray, Series or DataFrame of `steps` rows
            In the units of the target, with the continued index where there is one.

        Raises
        ------
        ValueError
            If X is missing or too short in the regression form, or the estimator was
            fitted on ready-made windows.
        """
        self._check_has_history("forecast")
        if history is not None:
            return self._with_history(history).forecast(steps, X)
        if steps is None:
            steps = self.horizon if X is None else len(X)
        check_positive_int("steps", steps)
        X_full = None
        if self._form == "series":
            if X is not None:
                raise ValueError(
                    "The forecaster was fitted on a series alone, so forecast takes no "
                    "X. Fit with fit(X, y) and window_length to use inputs."
                )
        else:
            if X is None:
                raise ValueError(
                    "The forecaster was fitted with inputs X, so forecast needs X for "
                    f"the {steps} steps ahead."
                )
            values, _ = self._check_rows(X)
            if len(values) < steps:
                raise ValueError(
                    f"X has {len(values)} rows, but steps={steps} needs as many."
                )
            X_full = np.concatenate([self._X_history, values[:steps]])
        origin = np.array([len(self._history)])
        forecast = self._roll(self._history, X_full, origin, steps)[0]
        index = None
        if self._index is not None:
            index = continued_index(self._index, steps)
        elif self._container is not None:
            index = pd.RangeIndex(origin[0], origin[0] + steps)
        return self._in_container(forecast, index)

    def _check_has_history(self, method):
        check_is_fitted(self, "weights_")
        if self._form == "windows":
            raise ValueError(
                f"{method} needs a series, but the forecaster was fitted on ready-made "
                "windows, which have no order. Use predict, or fit(series)."
            )

    def _with_history(self, history):
        """A shallow copy that stands at the end of another history."""
        other = type(self)(**self.get_params(deep=False))
        other.__dict__.update(self.__dict__)
        if self._form == "series":
            X, y = history, None
        else:
            X, y = history
        other._X_history, other._index = None, None
        values, index = other._check_rows(X)
        if self._form == "regression":
            other._X_history, values = values, check_values(y, "y")
            if len(values) != len(other._X_history):
                raise ValueError(
                    f"X has {len(other._X_history)} rows, but y has {len(values)}."
                )
            index = time_index(y, "y") if index is None else index
        other._history, other._index = values, index
        return other

    def update(self, X, y=None):
        """Append observations to the history, without training.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs.
        y : array-like, default=None
            The target at these rows, in the regression form.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the rows do not follow the history at once.
        """
        self._check_has_history("update")
        if (y is None) != (self._form == "series"):
            raise ValueError(
                "update takes what fit took: update(series) after fit(series), "
                "update(X, y) after fit(X, y)."
            )
        values, index = self._check_rows(X)
        where = positions(index, self._index, len(self._history), len(values))
        if not np.array_equal(where, len(self._history) + np.arange(len(values))):
            raise ValueError(
                "The rows do not follow the history at once, so appending them would "
                "leave a gap or repeat rows. Pass the rows that come next."
            )
        target = values if y is None else check_values(y, "y")
        if len(target) != len(values):
            raise ValueError(f"X has {len(values)} rows, but y has {len(target)}.")
        if self._index is not None:
            following = continued_index(self._index, len(values))
            self._index = self._index.append(following)
        if y is not None:
            self._X_history = np.concatenate([self._X_history, values])
        self._history = np.concatenate([self._history, target])
        return self

    def backtest(self, X, y=None, *, steps=None, stride=1, quantiles=()):
        """Forecast rows that follow the history from rolling origins, no retraining.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs.
        y : array-like, default=None
            The target at these rows, in the regression form.
        steps : int, default=None
            Lead times of each origin; None means `horizon`.
        stride : int, default=1
            Rows between two origins.
        quantiles : sequence of float, default=()
            Probabilities whose quantiles are given too; see `forecast_quantiles`.

        Returns
        -------
        DataFrame
            Columns series (name of the target), origin (last row known), step, y_true,
            y_pred, in the units of the target, and one column a quantile, named by it.
        """
        self._check_has_history("backtest")
        steps = self.horizon if steps is None else steps
        check_positive_int("steps", steps)
        check_positive_int("stride", stride)
        check_probabilities("quantiles", quantiles)
        n_history = len(self._history)
        full = self._with_history_of(X, y)
        n_new = len(full._history) - n_history
        if n_new < steps:
            raise ValueError(
                f"X has {n_new} rows, but steps={steps} needs at least as many."
            )
        origins = np.arange(n_history, n_history + n_new - steps + 1, stride)
        forecasts = self._roll(full._history, full._X_history, origins, steps)
        actual = full._history[origins[:, None] + np.arange(steps)]
        index = full._index
        stamps = origins - 1 if index is None else index[origins - 1]
        n_targets = actual.shape[2]
        names = self._names if isinstance(self._names, list) else [self._names]
        if len(names) != n_targets:
            names = list(range(n_targets))
        shape = (len(origins), steps, n_targets)
        parts = full._quantiles(forecasts, full._history, origins, quantiles)
        return pd.DataFrame(
            {
                "series": np.tile(np.array(names, object), len(origins) * steps),
                "origin": stamps.repeat(steps * n_targets),
                "step": np.broadcast_to(
                    np.arange(1, steps + 1)[:, None], shape
                ).ravel(),
                "y_true": actual.ravel(),
                "y_pred": forecasts.ravel(),
            }
            | {q: part.ravel() for q, part in zip(quantiles, parts, strict=True)}
        )

    def _with_history_of(self, X, y):
        """A copy whose history goes on to the end of these rows."""
        other = type(self)(**self.get_params(deep=False))
        other.__dict__.update(self.__dict__)
        return other.update(X, y)

    def score(self, X, y=None, sample_weight=None):
        """R² of `predict`; in the series form, of `backtest` over all lead times.

        Parameters
        ----------
        X : array-like
            As for `predict`. In the series form, the rows that follow the history.
        y : array-like, default=None
            Actual values; None in the series form.
        sample_weight : array-like of shape (n_samples,), default=None
            Not used in the series form.

        Returns
        -------
        float
        """
        check_is_fitted(self, "weights_")
        if self._form != "series":
            return super().score(X, y, sample_weight)
        table = self.backtest(X, steps=min(self.horizon, len(X)))
        n_targets = self._history.shape[1]
        columns = [table[c].to_numpy().reshape(-1, n_targets) for c in TRUE_AND_PRED]
        return float(r2_score(*columns))


TRUE_AND_PRED = ("y_true", "y_pred")
