"""LSTMForecaster: recurrent networks that forecast series, as an estimator."""

from collections.abc import Iterable

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklstm._base import (
    POSITIVE_INT,
    unchanged_on_error,
    warn_of_a_better_model,
)
from sklstm._forecasting.backtest import Backtesting
from sklstm._forecasting.input_forms import (
    InputForms,
    check_same_length,
    histories_of,
    matching_places,
)
from sklstm._forecasting.intervals import Intervals, check_probabilities
from sklstm._forecasting.rolling import Rolling
from sklstm._forecasting.window_network import BaseWindowNetwork
from sklstm._networks.keras_import import Adoption
from sklstm._networks.onnx.forecaster import forecaster_model
from sklstm._networks.spec import differences
from sklstm._reporting import forecast_report
from sklstm._series.panel import ALONE, joined, lengths, pair_of, places
from sklstm._series.validation import check_positive_int, check_values
from sklstm._training.checkpoints import checkpointed
from sklstm._utils.archive import storable
from sklstm._windows import scaling
from sklstm._windows.dataset import ReadyWindows
from sklstm._windows.problem import bridged_windows


@storable
class LSTMForecaster(
    RegressorMixin,
    InputForms,
    Rolling,
    Intervals,
    Backtesting,
    Adoption,
    BaseWindowNetwork,
):
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

    In the first two forms many series may train one network: as a frame whose index
    has the levels (series, time), or as a list of series. Each is scaled by itself,
    ends in its own validation block, and counts the same, however long it is.

    Values of a series, and in ready-made windows, may be missing (NaN): the network
    sees a line over the gap, a missing target makes no error, and what ends in missing
    values is forecast from the last one seen. Of inputs X those that `past_covariates`
    names may be missing: none that comes after a window shows in it.

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
    scaler : {"standard", "robust", "minmax", "log"}, None or transformer, \
            default="standard"
        Learned from training rows only; each of many series has its own. "log" takes
        the logarithm of the target first, so that forecasts are positive and effects
        add up in per cent.
    window_norm : {"level", "last", "scale"} or None, default="level"
        "last" measures each window and its targets from the window's last value, so
        that levels outside the training range are followed. "level" also shows this
        value to the linear model, since a series may come back to its mean, but not
        where it lowers the error on a validation block of ten horizons or more by less
        than `min_skill`; of many series it is as "last". "scale" divides
        by the mean size of the window's changes over one season, so that windows that
        look alike but for their size are alike.
        Not used for ready-made windows.
    seasonal_period : int, tuple of int, "auto" or None, default="auto"
        Rows in one season, or in several, the main one first; "auto" tells it from the
        frequency of a time index. Used for the seasonal naive forecast, `window_norm`,
        `deseasonalize` and `window_length`.
    deseasonalize : bool, default=False
        Take off each window what its own seasons repeat, as far as they agree, and put
        it back into the forecast. Needs a window of two seasons or more, of the longest
        one. Not used for ready-made windows.
    calendar : tuple, default=None
        What of the time index the network sees, at the window's rows and those ahead:
        "hour", "dayofweek", "day", "month" and "dayofyear" as sine and cosine, and
        lists of dates, such as holidays, as 0 or 1. For example
        ``("hour", "dayofweek")``. Not used for ready-made windows.
    past_covariates : tuple, default=None
        Columns of X, by name or position, that are known only up to the forecast
        origin: the network sees them in the window, and not ahead.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
    units : int or tuple of int, default=32
        State size; a tuple stacks layers.
    dropout : float, default=0.1
        Share of state values dropped after each recurrent layer.
    recurrent_dropout : float, default=0.0
        Share of state values dropped between steps.
    linear_skip : bool, default=True
        Whether the linear model stands beside the network. It is solved, not trained,
        and its penalty is chosen on the validation block; so is, of several columns,
        whether each reads the past of all, its own alone, or the others' weakly.
    recurrent_length : int, "auto" or None, default="auto"
        The recurrent layers read so many of the window's last steps; None means all.
        "auto" means 48 beside a linear model, which reads all, and all without one.
    network : callable, default=None
        ``network(window_shape, n_context, output_shape)`` returns your own Keras model
        from ``window`` (and, where ``n_context`` is not 0, ``context`` as a second
        input) to ``output_shape`` = (horizon, n_targets). The context holds the
        window's last values and the horizon's X, flat.
    n_members : int, default=1
        Number of networks, trained from different seeds, whose mean is the forecast.
        They stand side by side in `weights_` as one network of `n_members` times the
        units; `history_` and `best_epoch_` are the first one's.
    quantiles : tuple of float, default=None
        Probabilities whose quantiles the network learns beside the median, which is
        then the forecast, by the pinball loss. They start at the linear model and the
        quantiles of its residuals. None learns the mean. Either way
        `forecast_quantiles` gives any quantile.
    loss : str or callable, default="mse"
        A Keras loss by name, or ``loss(y_true, y_pred)``, on scaled values. With "mae"
        the linear model, too, makes absolute errors small, and is chosen by them.
    optimizer : str, keras.optimizers.Optimizer or its class, default="adam"
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
    callbacks : list of keras.callbacks.Callback or of their classes, default=None
        Copied at fit.
    checkpoint : str or os.PathLike, default=None
        A folder in which the state of training is kept after each epoch. A fit that was
        killed and is called again, with the same data, parameters and int as
        `random_state`, goes on from there, and ends at the same bytes as if it had
        never stopped. The files are removed when the fit is done. Not with `callbacks`,
        whose states no file holds. Needs ``sklstm[save]``.
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
        Mean squared error of simple models on the validation block, scaled; absolute
        with ``loss="mae"``.
    skill_ : float or None
        1 - error / error of the best of them; None without a validation block.
    scaler_ : dict or transformer
        Scaler of the target; for many series a dict of them by series.
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
            StrOptions(set(scaling.SCALERS)),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "window_norm": [StrOptions({"level", "last", "scale"}), None],
        "seasonal_period": [POSITIVE_INT, tuple, list, StrOptions({"auto"}), None],
        "deseasonalize": ["boolean"],
        "calendar": [tuple, list, str, None],
        "past_covariates": [tuple, list, None],
    }

    def __init__(
        self,
        window_length=None,
        horizon=1,
        *,
        stride=1,
        scaler="standard",
        window_norm="level",
        seasonal_period="auto",
        deseasonalize=False,
        calendar=None,
        past_covariates=None,
        cell="lstm",
        units=32,
        dropout=0.1,
        recurrent_dropout=0.0,
        linear_skip=True,
        recurrent_length="auto",
        network=None,
        n_members=1,
        quantiles=None,
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
        checkpoint=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.window_length = window_length
        self.horizon = horizon
        self.stride = stride
        self.scaler = scaler
        self.window_norm = window_norm
        self.seasonal_period = seasonal_period
        self.deseasonalize = deseasonalize
        self.calendar = calendar
        self.past_covariates = past_covariates
        self.cell = cell
        self.units = units
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.linear_skip = linear_skip
        self.recurrent_length = recurrent_length
        self.network = network
        self.n_members = n_members
        self.quantiles = quantiles
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
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False  # without y, X is the series
        tags.target_tags.multi_output = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, *, static_features=None):
        """Learn scalers and network.

        Parameters
        ----------
        X : array-like of shape (n_timesteps,), (n_timesteps, n_features), \
                (n_windows, window_length) or (n_windows, window_length, n_features), \
                or list of the first two, or iterator
            The series, inputs known ahead, or ready-made windows; see the class. An
            iterator gives many series part by part: frames indexed by (series, time),
            arrays as in a list, or pairs ``(X, y)``. Parts are kept in files without
            a name while fit lasts, and of their rows only the last few after it. A
            ``numpy.memmap`` is read from its file, and never as a whole.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_targets), default=None
            None says that X is the series.
        sample_weight : array-like of shape (n_timesteps,), default=None
            Weight of each row as a target. Weights and repeated rows train the same
            network on ready-made windows.
        static_features : DataFrame or array-like of shape (n_series, n_columns), \
                default=None
            What does not change within a series: one row for each, whose index holds
            the keys of the series, or in the order of a list of them. Numbers are
            scaled, and any other column is read as categories.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For infinite values, missing inputs or nothing but missing values, too short
            a series, an index that is not sorted or not unique, or a column of X that
            equals y.
        TypeError
            For values that are not numbers.

        Warns
        -----
        SkillWarning
            If a simple model did better on the validation block.
        """
        keep = self.warm_start and hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, static_features, keep=keep)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None, *, static_features=None):
        """Train one more epoch on these rows, from the fitted weights where there are.

        Parameters and errors are those of `fit`. The scalers of the first call stay.
        The rows become the history that `forecast` continues. Intervals stay as wide
        as the last `fit` found them; without one there are none.

        Returns
        -------
        self
        """
        keep = hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, static_features, keep=keep, epochs=1)

    @unchanged_on_error
    def _fit(self, X, y, sample_weight, static, *, keep, epochs=None):
        problem, fitted = self._problem(X, y, sample_weight, not keep, static)
        self._check_network(fitted["_form"])
        asked = self._whole_spec(problem)
        if keep and asked != self._trained.spec:
            raise ValueError(
                "Training cannot continue, since data or parameters ask for a network "
                f"of another shape: {differences(self._trained.spec, asked)}. Fit anew "
                "with warm_start=False."
            )
        n_steps, width = problem.window_shape
        self._check_memory(
            self._spec(problem),
            self._recurrent_length(n_steps) or n_steps,
            width,
            whole=asked,
        )
        with checkpointed(self):
            fitted |= self._learn(problem, keep=keep, epochs=epochs)
        for name, value in fitted.items():
            setattr(self, name, value)
        warn_of_a_better_model(self)
        return self

    def _check_network(self, form):
        """Raise where parameters ask for a network that there is none of."""
        if self.network is not None and self.n_members > 1:
            raise ValueError(
                f"n_members={self.n_members} takes networks of this library, and "
                "network= gives another. Average its forecasts, for example with "
                "VotingRegressor, or leave network out."
            )
        if self.quantiles is None:
            return
        check_probabilities("quantiles", self.quantiles)
        if form == "windows":
            raise ValueError(
                "quantiles are those of a forecast, and ready-made windows have no "
                "order in time. Fit with fit(series), or leave quantiles out."
            )
        if self.network is not None or self.loss != "mse":
            other = "loss" if self.network is None else "network"
            raise ValueError(
                f"quantiles come with a network and a loss of their own, so {other} "
                f"must stay at its default. Got {getattr(self, other)!r}. Leave out "
                f"quantiles or {other}."
            )

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
            scaled = scaling.apply(X, self._scalers[1])
            data = ReadyWindows(bridged_windows(scaled))
            output = self._outputs(self._spec_, self.weights_, data, np.arange(len(X)))
            output = scaling.invert(output, self.scaler_).reshape(len(X), -1)
            return output[:, 0] if self._one_d else output
        values, where = self._check_rows(X, ahead=True)
        forecast_rows = self._one_step if self._form == "series" else self._steps_ahead
        forecast = np.empty((len(values), self._n_targets))
        scalers = dict(zip(self._histories, self._scalers[0], strict=True))
        for key, (rows, index) in where.items():
            history, own = self._histories[key], values[rows]
            forecast[rows] = forecast_rows(
                history, own, history.where(index, len(own)), scalers[key]
            )
        return self._like(X, forecast, where)

    def forecast(
        self, steps=None, X=None, history=None, *, series=None, static_features=None
    ):
        """Forecast the rows after the history.

        Parameters
        ----------
        steps : int, default=None
            None means `horizon`, or the rows of X where it is given.
        X : array-like of shape (n_timesteps, n_features), default=None
            Inputs known ahead, for the regression form. A network of a longer horizon
            takes the last row for those that are not given. Columns that
            `past_covariates` names are not read, and may be missing values.
        history : array-like, default=None
            Forecast from this series, or these, instead of the fitted ones, without
            training. In the regression form a tuple ``(X, y)``. Many series are scaled
            by what is given of them here, so that they may be new.
        series : list, default=None
            Keys of the series to forecast, where there are many; None means all.
        static_features : as for `fit`, default=None
            Those of the series of `history`, where `fit` had some. Series that `fit`
            knows by the same key keep theirs.

        Returns
        -------
        ndarray, Series or DataFrame of `steps` rows
            In the units of the target, with the continued index where there is one. For
            many series a frame indexed by (series, time), or a list.

        Raises
        ------
        ValueError
            If X is missing or too short in the regression form, a series is not known,
            or the estimator was fitted on ready-made windows.
        """
        at, steps, origins, forecasts = self._forecasts(
            steps, X, history, series, static_features
        )
        parts = {
            key: (values, at._histories[key].after(steps))
            for key, values in zip(origins, forecasts, strict=True)
        }
        return at._gathered(parts, lambda part: at._in_container(*part))

    def _forecasts(self, steps, X, history, series=None, static=None):
        """Where it stands, how far, {key: Origins} and values of a forecast."""
        self._check_has_history("forecast")
        if history is not None:
            self = self._with_history(history, static)
        elif static is not None:
            raise ValueError(
                "static_features come with the series of history=; fitted series keep "
                "theirs."
            )
        keys = self._chosen(series)
        histories, n_rows = {key: self._histories[key] for key in keys}, None
        if self._form == "regression":
            if X is None:
                n_steps = self.horizon if steps is None else steps
                raise ValueError(
                    "The forecaster was fitted with inputs X, so forecast needs X for "
                    f"the {n_steps} steps ahead. Pass X= with a row for each."
                )
            values, where = self._check_rows(X, ahead=True)
            missing = [key for key in keys if key not in where]
            if missing:
                raise ValueError(
                    f"X has no rows of the series {missing[0]!r}, which needs them as "
                    "all that are forecast. Add them, or name the others by series=."
                )
            ahead = {key: values[where[key][0]] for key in keys}
            n_rows = min(map(len, ahead.values()))
        elif X is not None:
            raise ValueError(
                "The forecaster was fitted on a series alone, so forecast takes no "
                "X. Fit with fit(X, y) and window_length to use inputs."
            )
        if steps is None:
            steps = self.horizon if n_rows is None else n_rows
        check_positive_int("steps", steps)
        if n_rows is not None:
            if n_rows < steps:
                raise ValueError(
                    f"X has {n_rows} rows, but steps={steps} needs as many. Pass more "
                    "rows of X, or lower steps."
                )
            histories = {
                key: known.with_inputs(ahead[key][:steps])
                for key, known in histories.items()
            }
        ends = {key: [len(known)] for key, known in histories.items()}
        origins = self._origins(histories, ends)
        return self, steps, origins, self._roll(list(origins.values()), steps)

    def _chosen(self, series):
        if series is None:
            return list(self._histories)
        if isinstance(series, str) or not isinstance(series, Iterable):
            raise TypeError(
                f"series must be a list of keys. Got {series!r}: pass [{series!r}]."
            )
        if not len(series):
            raise ValueError("series is empty. Name a series, or pass None for all.")
        unknown = [key for key in series if key not in self._histories]
        if unknown or ALONE in self._histories:
            raise ValueError(
                f"series has {unknown[:1] or series}, but the forecaster knows "
                + (
                    "one series alone."
                    if ALONE in self._histories
                    else f"{list(self._histories)[:5]}"
                    + (" and so on." if len(self._histories) > 5 else ".")
                )
                + " Give the past of a new series by history=."
            )
        return list(series)

    def _check_has_history(self, method):
        check_is_fitted(self, "weights_")
        if self._form == "windows":
            raise ValueError(
                f"{method} needs a series, but the forecaster was fitted on ready-made "
                "windows, which have no order. Use predict, or fit(series)."
            )

    def _copy(self):
        """A shallow copy, whose histories can be others."""
        other = type(self)(**self.get_params(deep=False))
        other.__dict__.update(self.__dict__)
        return other

    def _with_history(self, history, static=None):
        """A copy that stands at the end of other histories."""
        X, y = (history, None) if self._form == "series" else pair_of(history)
        other = self._copy()
        where = places(X) if y is None else matching_places(X, y)
        one = ALONE in self._histories
        if one != (ALONE in where):
            raise ValueError(
                "history must come in the form that fit took: "
                + ("one series, but it holds many." if one else "many series, but it ")
                + ("" if one else "holds one.")
                + " Pass "
                + ("that one alone." if one else "a list of series, or levels of keys.")
            )
        other._histories = dict.fromkeys(where)
        values, _ = other._check_rows(X)
        if y is None:
            other._histories = histories_of(where, values, None)
        else:
            target = check_values(joined(y), "y", allow_nan=True)
            check_same_length(values, target)
            other._histories = histories_of(where, target, values)
        other._histories = self._with_static(other._histories, static, X)
        other._n_fitted = [len(known) for known in other._histories.values()]
        if not one:
            y_scalers = [
                scaling.learn(known.y, self.scaler)
                for known in other._histories.values()
            ]
            other._scalers = y_scalers, self._scalers[1]
        return other

    def update(self, X, y=None):
        """Append observations to the history, without training.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs. Of many series
            any may be given.
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
        values, where = self._check_rows(X)
        target = values
        if y is not None:
            target = check_values(joined(y), "y", allow_nan=True)
        check_same_length(values, target)
        self._histories = self._histories | {
            key: self._histories[key].appended(
                target[rows], None if y is None else values[rows], index
            )
            for key, (rows, index) in where.items()
        }
        return self

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
        values = check_values(joined(X), allow_nan=True)
        if np.isnan(values).any(axis=1).all():
            raise ValueError(
                "X has no row without a missing value, so that there is nothing to "
                "score against. Pass rows whose values are known."
            )
        shortest = min(lengths(X))
        # In this process: a search has workers, to whom the table would travel.
        table = self.backtest(X, steps=min(self.horizon, shortest), n_jobs=1)
        shape = (-1, self._n_targets)
        columns = [table[c].to_numpy().reshape(shape) for c in TRUE_AND_PRED]
        there = ~np.isnan(columns[0]).any(axis=1)
        return float(r2_score(*(column[there] for column in columns)))

    def to_onnx(self, series=None):
        """The fitted forecaster as an ONNX graph, scaling and windows included.

        All numbers are in 64 bits and in their own units, and none may be missing.

        - Series form: ``y`` of shape (n, window_length), the last rows of the series,
          gives ``forecast`` of shape (n, horizon), as `forecast` does. A series with
          columns has a last axis of n_targets in both.
        - Regression form: also ``X_past`` of shape (n, window_length, n_features), the
          inputs at these rows, and ``X_ahead`` of shape (n, horizon, n_features).
        - Ready-made windows: ``X`` as for `predict` gives ``prediction`` as `predict`.
          Windows of one feature have two axes.

        Parameters
        ----------
        series : object, default=None
            Key of the series whose scaler the graph holds, where there are many.

        Returns
        -------
        onnx.ModelProto
            Of operator set 18.

        Raises
        ------
        ValueError
            With `network`, `calendar` or a scaler of scikit-learn, which no graph is
            made of, or for many series without the name of one.
        ImportError
            Without the package onnx, which ``sklstm[onnx]`` installs.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(24, 12, epochs=1, random_state=0)
        >>> model = f.fit(load_air_passengers()).to_onnx()
        >>> import onnx
        >>> onnx.save(model, "passengers.onnx")  # doctest: +SKIP
        """
        check_is_fitted(self, "weights_")
        return forecaster_model(self, series)

    def _report_sections(self, X, y, train):
        return forecast_report.sections(self, X, y, train)


TRUE_AND_PRED = ("y_true", "y_pred")
