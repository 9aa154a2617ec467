"""LSTMForecaster: recurrent networks that forecast series, as an estimator."""

from collections.abc import Callable

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Options, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklstm._base import (
    POSITIVE_INT,
    BaseLSTM,
    fitted_attribute,
    tell_what_is_kept,
    unchanged_on_error,
    warn_of_a_better_model,
)
from sklstm._forecasting.backtest import BacktestPlan, backtest
from sklstm._forecasting.fitting import (
    check_network,
    check_not_swapped,
    check_same_network,
    fit_state,
    problem_of,
    untrained_state,
)
from sklstm._forecasting.scoring import (
    errors_of_new_rows,
    r2_of_known,
    values_and_forecasts,
)
from sklstm._forecasting.searches import check_search, rows_on_axis
from sklstm._forecasting.state import FittedForecaster, chosen_series, upgraded
from sklstm._networks import ridge
from sklstm._networks.keras_import import keras_parameters, keras_weights, model_of
from sklstm._networks.onnx.forecaster import forecaster_model
from sklstm._networks.quantiles import quantile_levels
from sklstm._reporting import forecast_report, panel_report
from sklstm._series.alignment import aligned_test_rows
from sklstm._series.panel import errors_naming
from sklstm._series.reader import (
    check_no_steps,
    read_ahead,
    read_history,
    read_observations,
    read_rows,
    read_training,
)
from sklstm._series.validation import check_positive_int, check_probabilities
from sklstm._series.window_reader import read_window_values
from sklstm._training.checkpoints import checkpointed
from sklstm._training.fitted_network import FittedNetwork
from sklstm._training.losses import Pinball, fitted_loss
from sklstm._training.network_options import NetworkOptions
from sklstm._utils import archive
from sklstm._utils.archive import storable
from sklstm._windows.options import WindowOptions, make_problem
from sklstm._windows.scaling import SCALERS
from sklstm.plotting import ForecastDisplay

DEFAULT_QUANTILES = (0.1, 0.5, 0.9)


@storable
class LSTMForecaster(RegressorMixin, BaseLSTM):
    """Forecast a series with a recurrent network that starts at a linear model.

    The forecaster is the sum of a ridge regression on the scaled window and an LSTM
    [1]_ whose output starts at zero. Before training, the sum therefore equals the
    linear model; the LSTM learns what the linear model misses. The forecaster cuts the
    windows and scales the values itself; forecasts are in the units of the series.

    ``fit`` has three forms, which `y` and `window_length` distinguish:

    - ``fit(series)``: a row of X is one time step of the series itself;
    - ``fit(X, y)`` with `window_length`: a row of X holds the exogenous variables of a
      time step, which are known ahead when `y` at that row is forecast;
    - ``fit(X, y)`` without `window_length`, or with 3-D X: a row of X is a ready-made
      window, with the oldest value first. Rows are independent, equal rows are merged,
      and the validation block is drawn at random. For overlapping windows of one series
      use the series form, because its validation block is the last part of the series.

    In the first two forms many series can train one network: pass a frame whose index
    has the levels (series, time), or a list of series. Each series is scaled by itself,
    its last part is its validation block, and all series have the same weight, however
    long they are.

    Values of a series and of ready-made windows may be missing (NaN). The network reads
    gaps interpolated linearly, missing targets are left out of the loss, and if the
    last values are missing, the forecast starts from the last observed value. Inputs in
    X may be missing only if `past_covariates` names them; the interpolation reads no
    value after the window.

    Parameters
    ----------
    window_length : int, default=None
        Number of past steps that the network reads. In the series form, None chooses
        the length from the step of a DatetimeIndex or PeriodIndex: two weeks for hours
        and shorter steps, but at most about 1,000 numbers in a window; eight weeks for
        days; two years for weeks; three years for months and quarters; 24 steps if no
        season is known. The length is at least the horizon, and at most a third of the
        series. With 3-D X, an int keeps the last steps of each window.
    horizon : int, default=1
        Number of steps that the network forecasts at once. Beyond them, `forecast`
        continues from its own forecasts. Ignored for ready-made windows, whose horizon
        is the number of columns of `y`.
    stride : int, default=1
        Number of steps between the starts of two training windows.
    scaler : {"standard", "robust", "minmax", "log"}, None or transformer, \
            default="standard"
        Scaling of the target, fitted on training rows only; each of many series has its
        own scaler. "log" takes the logarithm of the target first, so that forecasts are
        positive and effects are relative changes.
    window_norm : {"level", "last", "scale"} or None, default="level"
        Normalisation of each window. "last" subtracts the last value of the window from
        the window and its targets, so that forecasts can follow levels outside the
        range of the training rows. "level" also gives this last value to the linear
        model, because a series may return to its mean; it does not if this lowers the
        error on a validation block of ten horizons or more by less than `min_skill`.
        For many series "level" equals "last". "scale" divides by the mean size of the
        changes over one season, so that windows that differ only in size become equal.
        Not used for ready-made windows.
    seasonal_period : int, tuple of int, "auto" or None, default="auto"
        Number of rows in a season, or in several seasons, with the main one first.
        "auto" follows from the frequency of the time index: a day and a week for hours
        and shorter steps, a week for days, a year for longer steps. The main season is
        used for the seasonal naive forecast and `window_norm`; all seasons are used for
        `deseasonalize` and `window_length`.
    deseasonalize : bool or "auto", default="auto"
        Whether to subtract the seasonal pattern of each window, shrunk where its cycles
        disagree, and to add it to the forecast. The window has to hold at least two of
        the longest seasons. "auto" does so for months, quarters and weeks, that is, if
        there is one season other than a week of days, there are no inputs X, and
        `window_length` is None and holds at least two seasons. Not used for ready-made
        windows.
    calendar : tuple, default=None
        Features of the time index that the network reads, for the rows of the window
        and for those ahead: "hour", "dayofweek", "day", "month" and "dayofyear" as sine
        and cosine, and lists of dates, such as holidays, as 0 or 1. For example
        ``("hour", "dayofweek")``. Not used for ready-made windows.
    past_covariates : tuple, default=None
        Columns of X, by name or position, that are known only up to the forecast
        origin. The network reads these columns in the window, and not ahead.
    cell : {"lstm", "gru", "rnn", "slstm"}, default="lstm"
        The recurrent layer. "slstm" is the scalar-memory LSTM of xLSTM, with
        exponential input gates.
    units : int or tuple of int, default=32
        Number of states of the recurrent layer; a tuple stacks layers.
    dropout : float, default=0.1
        Share of state values dropped after each recurrent layer.
    recurrent_dropout : float, default=0.0
        Share of state values dropped between steps.
    linear_skip : bool, default=True
        Whether a linear model is added to the network. The linear model is solved in
        closed form, and its penalty is chosen on the validation block. If there are
        several columns, the validation block also chooses whether each target reads the
        past of all columns, only its own, or the other columns weakly.
    recurrent_length : int, "auto" or None, default="auto"
        Number of last steps of the window that the recurrent layers read; None means
        all. "auto" means 48 if there is a linear model, which reads all steps, and
        otherwise all.
    network : callable, default=None
        ``network(window_shape, n_context, output_shape)`` returns your own Keras model.
        The inputs of the model are ``window`` and, if ``n_context`` is not 0,
        ``context``; the output has the shape ``output_shape`` = (horizon, n_targets).
        The context is flat; it holds the last values of the window, and X for the
        steps of the horizon.
    n_members : int, default=1
        Number of networks, trained from different seeds, whose mean is the forecast.
        `weights_` holds them side by side, as one network with `n_members` times the
        units; `history_` and `best_epoch_` are those of the first network.
    pretrained : {"auto", "frozen"} or False, default="auto"
        Whether to use the pretrained network, which is part of the package and was
        trained on many synthetic series. "auto" forecasts the weighted mean of the
        trained model, the pretrained network and, for a single series without X, a
        linear model of the seasonally adjusted rows. The weights follow from the error
        of each on the validation block. Without X, a short block favours the pretrained
        network, because errors on few rows say little. The pretrained network reads
        each target column by itself, without X, and uses the seasons of
        `seasonal_period`. If there are enough rows, it is fine-tuned on the series by
        as many steps as `epochs`, at most 50, which takes one to several seconds;
        "frozen" does not change its weights. False leaves out both the pretrained
        network and the model of adjusted rows. Not used for ready-made windows.
    quantiles : tuple of float, default=None
        Probabilities whose quantiles the network learns by the pinball loss, together
        with the median, which is then the forecast. Training starts at the linear model
        and the quantiles of its residuals. With None the network learns the mean. In
        both cases `forecast_quantiles` returns any quantile.
    loss : str or callable, default="auto"
        The loss on scaled values: the name of a Keras loss, or
        ``loss(y_true, y_pred)``. With "mae" the linear model also minimises absolute
        errors. "auto" means "mae" for many series, because with squared errors a few
        series would dominate, and "mse" otherwise.
    optimizer : str, keras.optimizers.Optimizer or its class, default="adam"
        The optimizer of Keras that trains the network.
    learning_rate : float, default=0.001
        Learning rate of the optimizer.
    learning_rate_schedule : {"cosine"}, callable or None, default=None
        Learning rate of each epoch. A callable gets ``(epoch, learning_rate)`` and
        returns the rate of the epoch. "cosine" falls to near 0 over as many epochs as
        `epochs` says. Calls of `partial_fit` continue the count of epochs.
    clipnorm : float or None, default=1.0
        Largest norm of the gradient of each weight array.
    epochs : int, default=100
        Largest number of epochs; with 0 no network is trained.
    batch_size : int, default=64
        Number of windows in each training step.
    validation_fraction : float, default=0.2
        Share of rows in the validation block; with 0 there is no validation block.
    early_stopping : bool, default=True
        Whether to stop when the validation loss no longer falls, and to keep the best
        epoch.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which training stops.
    tol : float, default=1e-4
        Smallest relative fall of the loss that is an improvement.
    min_skill : float, default=0.01
        With early stopping, `fit` leaves the network out unless it lowers the
        validation loss of the linear model by this share, and by more than the standard
        error.
    refit : bool, default=True
        Whether to train again on all rows, including the validation block, for
        `best_epoch_` epochs.
    callbacks : list of keras.callbacks.Callback or of their classes, default=None
        Callbacks of Keras, which `fit` copies.
    checkpoint : str or os.PathLike, default=None
        Folder in which `fit` saves the state of training after each epoch. If a fit was
        interrupted, call it again with the same data, parameters and int as
        `random_state`: it continues from the saved state, and its result has the same
        bytes as an uninterrupted fit. At the end `fit` removes the files. Cannot be
        used with `callbacks`, whose states are not saved.
    warm_start : bool, default=False
        Whether `fit` continues from the fitted weights and scaler.
    random_state : int, RandomState instance or None, default=None
        Seed of random numbers. With an int, repeated fits give the same bytes.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    weights_ : dict of str to ndarray
    model_ : keras.Model
        The network, which works on scaled values. It is built when it is first read.
    history_ : dict of str to list
        ``loss`` and, with a validation block, ``val_loss`` of each epoch, on scaled
        values.
    n_iter_ : int
        Number of epochs trained to find the best epoch.
    best_epoch_ : int
        The epoch whose weights were kept; 0 if no epoch was better than the linear
        model.
    baseline_scores_ : dict of str to float
        Mean squared error of simple models on the validation block, on scaled values;
        mean absolute error with ``loss="mae"`` and for many series.
    skill_ : float or None
        1 - error / error of the best simple model, both on the validation block; None
        without a validation block.
    scaler_ : dict or transformer
        Scaler of the target; for many series a dict of scalers by series.
    members_ : dict of str to dict
        ``weight`` and ``score`` of the members "trained", "adjusted" and "pretrained".
        The score is the mean absolute error on the validation block, on scaled values.
        It is None without a validation block, and for members that were not tried.
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

    _state: FittedForecaster
    _parameter_constraints = {
        **BaseLSTM._parameter_constraints,
        "recurrent_length": [POSITIVE_INT, StrOptions({"auto"}), None],
        "network": [Callable, None],
        "n_members": [POSITIVE_INT],
        "pretrained": [StrOptions({"auto", "frozen"}), Options(bool, {False})],
        "quantiles": [tuple, list, None],
        "loss": [str, Callable],
        "refit": ["boolean"],
        "window_length": [POSITIVE_INT, None],
        "horizon": [POSITIVE_INT],
        "stride": [POSITIVE_INT],
        "scaler": [
            StrOptions(set(SCALERS)),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "window_norm": [StrOptions({"level", "last", "scale"}), None],
        "seasonal_period": [POSITIVE_INT, tuple, list, StrOptions({"auto"}), None],
        "deseasonalize": ["boolean", StrOptions({"auto"})],
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
        deseasonalize="auto",
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
        pretrained="auto",
        quantiles=None,
        loss="auto",
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
        self.pretrained = pretrained
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

    weights_ = fitted_attribute("weights_", "network.weights")
    history_ = fitted_attribute("history_", "record.history")
    n_iter_ = fitted_attribute("n_iter_", "record.n_iter")
    best_epoch_ = fitted_attribute("best_epoch_", "record.best_epoch")
    baseline_scores_ = fitted_attribute("baseline_scores_", "record.baseline_scores")
    skill_ = fitted_attribute("skill_", "record.skill")
    scaler_ = fitted_attribute("scaler_", "scaler_statistics")
    members_ = fitted_attribute("members_", "members_table")
    window_length_ = fitted_attribute("window_length_", "network.window_length")
    _spec_ = fitted_attribute("_spec_", "network.spec")

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, *, static_features=None):
        """Fit the scalers, the linear model and the network.

        Parameters
        ----------
        X : array-like of shape (n_timesteps,), (n_timesteps, n_features), \
                (n_windows, window_length) or (n_windows, window_length, n_features), \
                or list of the first two, or iterator
            The series, inputs known ahead, or ready-made windows; see the class.
            Windows whose target has a missing value are left out. An iterator yields
            many series part by part: frames indexed by (series, time), arrays as in a
            list, or pairs ``(X, y)``. During `fit` the parts are kept in temporary
            files; after it only the last rows of each series are kept. A
            ``numpy.memmap`` is read from its file in parts.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_targets), default=None
            The target. None means that X is the series.
        sample_weight : array-like of shape (n_timesteps,), default=None
            Weight of each row as a target. Only the ratios of weights matter. For
            ready-made windows, weights and repeated rows train the same network.
        static_features : DataFrame or array-like of shape (n_series, n_columns), \
                default=None
            Features that do not change within a series, with one row for each series.
            The index of a frame holds the keys of the series; otherwise rows are in the
            order of the list of series. Numbers are scaled, dates are refused, and all
            other columns are read as categories.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If values are infinite, inputs known ahead are missing, all values are
            missing, the series is too short, the index is not sorted or not unique, or
            a column of X equals y.
        TypeError
            If values are not numbers.

        Warns
        -----
        SkillWarning
            If a simple model has the lower error on the validation block.
        """
        keep = self.warm_start and hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, static_features, keep=keep)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None, *, static_features=None):
        """Train one more epoch on these rows, from the fitted weights if there are any.

        Parameters and errors are those of `fit`. The scalers of the first call are
        kept. The rows become the history that `forecast` continues. `partial_fit` has
        no validation block, so prediction intervals keep the widths of the last `fit`;
        without an earlier `fit` there are no intervals.
        Calls on the same rows train as one `fit` of as many epochs does, without a
        validation block; after `fit`, the optimizer starts anew.

        Returns
        -------
        self
        """
        keep = hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, static_features, keep=keep, epochs=1)

    @unchanged_on_error
    def _fit(self, X, y, sample_weight, static, *, keep, epochs=None):
        check_not_swapped(X, y)
        check_search(self.window_length, X, y)
        # A series too short to train on left no network that training could continue.
        keep = keep and self._state.is_trained
        last = self._state if keep else None
        encoder = None if last is None else last.static_encoder
        data = read_training(
            self, X, y, sample_weight, static, reset=not keep, encoder=encoder
        )
        check_network(self, data.form)
        options = self._network_options()
        problem = problem_of(data, self._window_options(), options, last, epochs)
        settings = self._settings(self.epochs, self.loss)
        spec, asked = options.build_spec(problem), options.build_whole_spec(problem)
        check_same_network(last, asked)
        n_steps, width = problem.window_shape
        # Memory grows with the steps that recurrent layers read, not with the window.
        n_read = spec.recurrent_length or n_steps
        n_linear = ridge.bytes_of_fit(problem)
        self._check_memory(spec, n_read, width, whole=asked, n_linear=n_linear)
        with checkpointed(self):
            self._state = fit_state(
                data, problem, options, settings, last=last, epochs=epochs
            )
        tell_what_is_kept(self)
        warn_of_a_better_model(self, self._state.record.best_skill)
        return self

    def _window_options(self):
        return WindowOptions(
            self.window_length,
            self.horizon,
            self.stride,
            self.scaler,
            self.window_norm,
            self.seasonal_period,
            self.deseasonalize,
            self.calendar,
        )

    def _network_options(self):
        return NetworkOptions(
            cell=self.cell,
            units=self._units(),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            linear_skip=self.linear_skip,
            recurrent_length=self.recurrent_length,
            network=self.network,
            n_members=self.n_members,
            pretrained=self.pretrained,
            quantile_levels=quantile_levels(self.quantiles),
            validation_fraction=self.validation_fraction,
            refit=self.refit,
            random_state=self.random_state,
        )

    @property
    def _loss(self):
        if self.quantiles is not None:
            return Pinball((0.5,))
        return fitted_loss(self.loss, self._state.has_many_series)

    @classmethod
    def from_keras(cls, model, X, y=None, **parameters):
        """Return a fitted forecaster from a Keras model, without training.

        `to_keras` or `sklstm.scikeras.build_regressor` must have made the model, which
        may have been trained in any way. The network reads scaled values, and this
        method fits the scalers on all rows of X and y; pass ``scaler=None`` if the
        model was trained on values that were not scaled. Forecasts are not combined
        with those of the pretrained network. There are no errors on a validation block,
        so there are no quantiles.

        Parameters
        ----------
        model : keras.Model, or a fitted wrapper of scikeras around one
            A wrapper trains on values that are not scaled, so for a wrapper the default
            of `scaler` is None.
        X, y : array-like
            As for `fit`: the rows that forecasts continue, and on which scalers are
            fitted.
        **parameters
            Parameters of the forecaster. `cell`, `units`, `linear_skip`, `horizon` and,
            for a series alone, `window_length` are taken from the model. If y is given
            without `window_length`, X holds ready-made windows, as for `fit`.

        Returns
        -------
        LSTMForecaster

        Raises
        ------
        ValueError
            If the model is not a network of sklstm, is a classifier, or does not fit
            the data.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> passengers = load_air_passengers()
        >>> f = LSTMForecaster(24, 12, epochs=3, pretrained=False, random_state=0)
        >>> model = f.fit(passengers).to_keras()
        >>> again = LSTMForecaster.from_keras(model, passengers)
        >>> bool((again.forecast(12) == f.forecast(12)).all())
        True
        """
        if hasattr(model, "get_params"):
            parameters = {"scaler": None} | parameters
            model = model_of(model)
        weights = keras_weights(model)
        of_model = keras_parameters(model, weights, y is None)
        forecaster = cls(**(of_model | parameters))
        forecaster._validate_params()
        data = read_training(forecaster, X, y, None, None, reset=True)
        problem = make_problem(data, forecaster._window_options())
        spec = forecaster._network_options().build_spec(problem)
        shapes = {name: w.shape for name, w in weights.items()}
        if spec.network is None and shapes != spec.weight_shapes():
            raise ValueError(
                "The model does not fit the data and parameters: it has weights of "
                f"shapes {shapes}, and needed are {spec.weight_shapes()}. Pass the X "
                "and y that it was trained on, and its window_length."
            )
        network = FittedNetwork(spec, weights, None, forecaster.batch_size)
        scalers = problem.fit_scalers(problem.all_rows())
        forecaster._state = untrained_state(data, problem, network, scalers)
        return forecaster

    def predict(self, X):
        """Forecast the target at each row of X; the class describes what a row is.

        In the series form, each row is forecast one step ahead, from all rows before
        it. In the regression form, `y` is forecast for the rows of X, which follow the
        history. Rows that lie inside the history by their time index are forecast one
        step ahead. Rows after a gap are forecast across the gap.

        Parameters
        ----------
        X : array-like of the form passed to `fit`
            Arrays have no dates: their first row follows the history, also after a fit
            with dates.

        Returns
        -------
        ndarray, Series or DataFrame
            Forecasts in the units of the target, with one row for each row of X. The
            result is pandas if the target was pandas, except for ready-made windows.

        Raises
        ------
        ValueError
            If X does not continue the fitted series, or differs from it.
        """
        check_is_fitted(self, "_state")
        check_no_steps(X)
        state = self._state
        if state.form == "windows":
            return state.window_model.predict(read_window_values(self, X)[0])
        rows, model = read_rows(self, X, ahead=True), state.series_model
        forecast_rows = model.one_step if state.form == "series" else model.steps_ahead
        forecast = np.empty((len(rows.values), model.n_targets))
        for key, (at, index) in rows.rows_by_series.items():
            series, values = state.series[key], rows.values[at]
            with errors_naming(key):
                where = rows_on_axis(series.history, index, len(values))
                forecast[at] = forecast_rows(series, values, where)
        return state.output.restore_like(X, forecast, rows.rows_by_series)

    def forecast(
        self, steps=None, X=None, history=None, *, series=None, static_features=None
    ):
        """Forecast the rows after the history.

        Parameters
        ----------
        steps : int, default=None
            Number of rows to forecast. None means `horizon`, or the number of rows of X
            if X is given.
        X : array-like of shape (n_timesteps, n_features), default=None
            Inputs known ahead, in the regression form. If X has fewer rows than
            `horizon`, its last row is repeated. Columns that `past_covariates` names
            are not read and may be missing; for steps beyond `horizon` their last known
            values are used. Arrays have no dates: their first row follows the history.
        history : array-like, default=None
            Series to forecast instead of the fitted series, without training; in the
            regression form a tuple ``(X, y)``. If the forecaster was fitted on many
            series, those of `history` may be new, because they are scaled by the rows
            given here.
        series : key or list of keys, default=None
            Series to forecast, if there are many; None means all. A single key gives
            the same form of result as a list with this key.
        static_features : as for `fit`, default=None
            Static features of the series of `history`, if `fit` had static features.
            Series with a key that `fit` knows keep their static features.

        Returns
        -------
        ndarray, Series or DataFrame of `steps` rows
            Forecasts in the units of the target. Their index continues that of the
            series, if it has one. For many series the result is a frame indexed by
            (series, time), or a list.

        Raises
        ------
        ValueError
            If X is missing or too short in the regression form, a series is not known,
            or the estimator was fitted on ready-made windows.
        """
        state, steps, origins = self._origins_ahead(
            steps, X, history, series, static_features
        )
        forecasts = state.model.forecast(list(origins.values()), steps)
        return state.restore(dict(zip(origins, forecasts, strict=True)))

    def _origins_ahead(self, steps, X, history, series=None, static=None):
        """Return the state that forecasts, the steps, and {series: Origins}."""
        self._check_has_history("forecast")
        state = self._state
        if history is not None:
            histories = read_history(self, history, static)
            state = state.at_end_of(histories, self.scaler)
        elif static is not None:
            raise ValueError(
                "static_features come with the series of history=; fitted series keep "
                "theirs."
            )
        chosen = chosen_series(state, series)
        steps, ahead = read_ahead(self, state, steps, X, chosen)
        return state, steps, state.origins_at_end(chosen, ahead)

    def _check_has_history(self, method):
        if "_state" not in vars(self):  # scikit-learn's check is slow beside a forecast
            check_is_fitted(self, "_state")
        if self._state.form == "windows":
            raise ValueError(
                f"{method} needs a series, but the forecaster was fitted on ready-made "
                "windows, which have no order. Use predict, or fit(series)."
            )

    def _copy(self):
        """Return a shallow copy, whose state can be another."""
        other = type(self)(**self.get_params(deep=False))
        other.__dict__.update(vars(self))
        return other

    def forecast_quantiles(
        self,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        static_features=None,
        quantiles=None,
    ):
        """Forecast quantiles: values below which the future lies with a probability.

        The widths come from the errors on the validation block (split-conformal
        prediction [1]_). They are symmetric about the forecast on scaled values, grow
        with each step, and are larger if the last `window_length` rows change more.
        With the parameter `quantiles`, the widths are those of the network on either
        side, corrected by these errors [3]_. If the pretrained network takes part, the
        width is the mean of this width and that of the pretrained network; without a
        validation block, it is that of the pretrained network alone. Rows that `update`
        or `backtest` added since the fit correct the widths: these grow if more rows
        lie outside than expected, and shrink if fewer do [2]_.

        Parameters
        ----------
        steps, X, history, series, static_features
            As for `forecast`.
        quantiles : sequence of float, default=None
            Probabilities, each between 0 and 1. None means those of the parameter
            `quantiles`, or else 0.1, 0.5 and 0.9.

        Returns
        -------
        DataFrame or ndarray
            One row for each step and one column for each quantile, in the units of the
            target; with several targets, columns (target, quantile), or an array of
            shape (steps, n_targets, n_quantiles).

        Raises
        ------
        ValueError
            If a quantile is not between 0 and 1, there was no validation block and the
            pretrained network takes no part, or `forecast` raises.

        References
        ----------
        .. [1] Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018),
           "Distribution-free predictive inference for regression", JASA 113.
        .. [2] Angelopoulos, Candès and Tibshirani (2023), "Conformal PID control for
           time series prediction", NeurIPS 36.
        .. [3] Romano, Patterson and Candès (2019), "Conformalized quantile regression",
           NeurIPS 32.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> f.fit(load_air_passengers()).forecast_quantiles(6).shape
        (6, 3)
        """
        if quantiles is None:
            quantiles = self.quantiles or DEFAULT_QUANTILES
        check_probabilities("quantiles", quantiles)
        request = steps, X, history, series, static_features
        return self._quantiles_ahead(request, quantiles, quantiles)

    def forecast_interval(
        self,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        static_features=None,
        coverage=0.9,
    ):
        """Forecast prediction intervals of each step with a given coverage.

        Parameters
        ----------
        steps, X, history, series, static_features
            As for `forecast`.
        coverage : float, default=0.9
            Share of future values inside the intervals, between 0 and 1. The shares
            below and above the interval are equal.

        Returns
        -------
        DataFrame or ndarray
            Columns lower and upper. `forecast_quantiles` describes the method and the
            errors.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> list(f.fit(load_air_passengers()).forecast_interval(6).columns)
        ['lower', 'upper']
        """
        check_probabilities("coverage", (coverage,))
        tails = (0.5 - coverage / 2, 0.5 + coverage / 2)
        request = steps, X, history, series, static_features
        return self._quantiles_ahead(request, tails, ("lower", "upper"))

    def _quantiles_ahead(self, request, probabilities, names):
        state, steps, origins = self._origins_ahead(*request)
        given = list(origins.values())
        forecasts = state.model.forecast(given, steps)
        values = state.intervals.quantiles(forecasts, given, probabilities)
        parts = zip(origins, np.moveaxis(values, 0, -1), strict=True)
        return state.restore(dict(parts), names)

    def sample_paths(
        self,
        n_samples=100,
        steps=None,
        X=None,
        history=None,
        *,
        series=None,
        static_features=None,
        random_state=None,
    ):
        """Draw sample paths: possible futures of all steps together.

        Each path is the forecast plus the errors of one window of the validation block,
        at each step and for each target. Sums and extremes over several steps therefore
        have the right distribution, which quantiles of single steps do not give. Beyond
        `horizon` a path continues from its own values.

        Parameters
        ----------
        n_samples : int, default=100
            Number of paths of each series.
        steps, X, history, series, static_features
            As for `forecast`.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same paths at each call.

        Returns
        -------
        DataFrame or ndarray
            One row for each step and one column for each path, in the units of the
            target; with several targets, columns (target, path), or an array of shape
            (steps, n_targets, n_samples).

        Raises
        ------
        ValueError
            If `n_samples` is not positive, there was no validation block, or `forecast`
            raises.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(window_length=24, horizon=12, epochs=3, random_state=0)
        >>> paths = f.fit(load_air_passengers()).sample_paths(50, random_state=0)
        >>> paths.sum().quantile([0.1, 0.9]).shape  # of the year's passengers
        (2,)
        """
        check_positive_int("n_samples", n_samples)
        request = steps, X, history, series, static_features
        state, steps, origins = self._origins_ahead(*request)
        state.intervals.check_calibrated()
        n_paths = len(origins) * int(n_samples)
        # All paths of one series are in memory at the same time.
        state.model.check_reach(n_paths, steps, at_once=n_samples)
        rng = check_random_state(random_state)
        paths = {
            key: state.intervals.sample_paths(origin, steps, n_samples, rng)
            for key, origin in origins.items()
        }
        return state.restore(paths, range(n_samples))

    def update(self, X, y=None):
        """Append observations to the history, without training.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs. Of many series
            any may be given. Arrays have no dates and are taken for those rows.
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
        self._state = self._state.extended(read_observations(self, X, y, "update"))
        return self

    def observe(self, X, y=None):
        """Append rows as `update` does, and return the errors of their forecasts.

        Each row is forecast one step ahead, from all rows before it. A row with a large
        error may be an anomaly.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs. Arrays have no
            dates and are taken for those rows.
        y : array-like, default=None
            The target at these rows, in the regression form.

        Returns
        -------
        ndarray, Series, DataFrame or list of them
            Actual values minus forecasts, in the units of the target and in the form of
            `predict`.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once. The history is then not
            changed.

        Examples
        --------
        >>> import numpy as np
        >>> from sklstm import LSTMForecaster
        >>> wave = np.sin(np.arange(200) / 3)
        >>> f = LSTMForecaster(window_length=12, epochs=1, random_state=0)
        >>> errors = f.fit(wave[:190]).observe([*wave[190:195], 5.0])
        >>> np.abs(errors).argmax()
        np.int64(5)
        """
        self._check_has_history("observe")
        rows, state = read_observations(self, X, y, "observe"), self._state
        extended = state.extended(rows)
        errors = errors_of_new_rows(
            state.series_model, state.series, extended.series, rows
        )
        self._state = extended
        return extended.output.restore_like(X, errors, rows.rows_by_series)

    def backtest(
        self,
        X,
        y=None,
        *,
        steps=None,
        stride=1,
        gap=0,
        refit=None,
        max_train_size=None,
        quantiles=(),
        n_jobs=None,
    ):
        """Forecast rows that follow the history from rolling origins.

        Parameters
        ----------
        X : array-like
            The rows that follow the history: of the series, or inputs. Of many series
            any may be given. Arrays have no dates and are taken for those rows.
        y : array-like, default=None
            The target at these rows, in the regression form.
        steps : int, default=None
            Number of steps to forecast from each origin; None means `horizon`.
        stride : int, default=1
            Number of rows between two origins.
        gap : int, default=0
            Number of rows between an origin and the first row that is forecast from it.
            Neither fits nor windows read these rows. For example, with hourly rows a
            forecast of tomorrow that is made at noon has a gap of 12. In the regression
            form, inputs known ahead are read in the gap.
        refit : int or "warm", default=None
            Number of origins after which the forecaster is fitted again, on all rows up
            to the next origin and without sample weights; None means never. "warm"
            continues training at each origin from the weights and scaler of the last
            fit, as an int does with `warm_start`. The estimator itself is not changed.
        max_train_size : int, default=None
            Number of last rows of each series on which the forecaster is fitted again
            (a sliding window); None means all rows (an expanding window).
        quantiles : sequence of float, default=()
            Probabilities whose quantiles are returned too; see `forecast_quantiles`.
        n_jobs : int, default=None
            Number of workers that fit again, or forecast some of many series, at the
            same time; -1 means one for each processor, and 1 means this process. None
            means 1, or the setting of ``joblib.parallel_config``, which may use Dask or
            Ray. The result does not depend on it. `verbose` of the forecaster or of
            ``parallel_config`` shows the progress. Fits with ``refit="warm"`` depend on
            each other, so one worker makes all of them.

        Returns
        -------
        DataFrame
            The columns are series (the key of the series, or the name of the target;
            both as a tuple for many series of several targets), origin (the last known
            row), step (number of rows after the origin; the first is ``gap + 1``),
            y_true and y_pred in the units of the target, and one column for each
            quantile, named by its probability.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once, are fewer than
            ``gap + steps``, or `max_train_size` is given without `refit`.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> passengers = load_air_passengers()
        >>> f = LSTMForecaster(window_length=12, horizon=3, epochs=1, random_state=0)
        >>> f.fit(passengers[:-6]).backtest(passengers[-6:], stride=3)[["step"]].T
              0  1  2  3  4  5
        step  1  2  3  1  2  3
        """
        self._check_has_history("backtest")
        steps = self.horizon if steps is None else steps
        plan = BacktestPlan(steps, stride, gap, refit, max_train_size, quantiles)
        return backtest(self, X, y, plan, n_jobs=n_jobs, verbose=self.verbose)

    def score(self, X, y=None, sample_weight=None):
        """Return R² of `predict`; in the series form, R² of `backtest` over all steps.

        Parameters
        ----------
        X : array-like
            As for `predict`; arrays are taken for the rows that follow the history.
        y : array-like, default=None
            Actual values; None in the series form.
        sample_weight : array-like of shape (n_samples,), default=None
            Not used in the series form.

        Returns
        -------
        float
        """
        check_is_fitted(self, "_state")
        state = self._state
        if state.form == "series":
            rows = read_rows(self, X)
            return r2_of_known(
                *values_and_forecasts(state.series_model, state.series, rows)
            )
        X, y = aligned_test_rows(state, X, y, sample_weight)
        return r2_of_known(y, self.predict(X), sample_weight)

    def to_onnx(self, path=None, *, series=None):
        """Return the fitted forecaster as an ONNX graph, with scaling and windows.

        All numbers have 64 bits and are in their own units; no number may be missing.

        - Series form: the input ``y`` of shape (n, n_rows) holds the last rows of the
          series; the output ``forecast`` of shape (n, horizon) equals `forecast`. For a
          series with columns, both have a last axis of n_targets. n_rows is
          `window_length_` if the network is alone. If the pretrained network takes
          part, n_rows is the number of rows that it reads of the history of the fit.
        - Regression form: further inputs are ``X_past`` of shape (n, window_length,
          n_features), the exogenous variables at the last rows, and ``X_ahead`` of
          shape (n, horizon, n_features).
        - Ready-made windows: the input is ``X`` as for `predict`, and the output
          ``prediction`` equals `predict`. Windows of one feature have two axes.

        Parameters
        ----------
        path : str or os.PathLike, default=None
            File to which the graph is written as well.
        series : object, default=None
            Key of the series that the graph forecasts, if there are many.

        Returns
        -------
        onnx.ModelProto
            Of operator set 18.

        Raises
        ------
        ValueError
            If the forecaster uses `network`, `calendar` or a scaler of scikit-learn,
            which the graph cannot contain; or if there are many series and `series` is
            None.
        ImportError
            If the package onnx is missing, which ``sklstm[onnx]`` installs.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(horizon=12, epochs=0, random_state=0)
        >>> model = f.fit(load_air_passengers()).to_onnx()
        >>> model = f.to_onnx("passengers.onnx")  # doctest: +SKIP
        """
        check_is_fitted(self, "_state")
        return archive.write_graph(path, forecaster_model(self, series))

    def plot(self, steps=None, X=None, *, series=None, **options):
        """Draw the end of the history, the forecast and its prediction intervals.

        Parameters
        ----------
        steps, X
            As for `forecast`.
        series : key, default=None
            The series to draw, if there are many.
        **options
            As for `sklstm.plotting.ForecastDisplay.from_estimator`: `y_true`,
            `coverages`, `n_history`, `ax` and `backend`.

        Returns
        -------
        ForecastDisplay

        Raises
        ------
        ImportError
            If the package of the backend is missing; ``sklstm[plot]`` installs
            matplotlib, and ``sklstm[plotly]`` plotly.
        """
        self._check_has_history("plot")
        return ForecastDisplay.from_estimator(self, steps, X, series=series, **options)

    def _report_sections(self, X, y, train, target_names):
        forecast_report.check_no_names(target_names)
        many = self._state.form != "windows" and not self._state.is_single
        page = panel_report if many else forecast_report
        return page.sections(self, X, y, train)

    def __sizeof__(self):
        """Return the bytes of what `fit` learned, by which engines send it once."""
        size = super().__sizeof__()
        return size + self._state.n_bytes if "_state" in vars(self) else size

    @classmethod
    def _from_stored(cls, state):
        """Return attributes of today; files may lack the one state and `pretrained`."""
        state = {"pretrained": False} | state
        if "_scalers" not in state:
            return state
        fitted = upgraded(state)
        return state | {"_state": fitted}
