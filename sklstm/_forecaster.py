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
        Number of past steps the network sees. In the series form None means, by the
        step of a Datetime- or PeriodIndex, two weeks of hours or of what is finer, so
        far as a window holds about 1,000 numbers, eight weeks of days, two years of
        weeks, and three of months and quarters; 24 without a known season. It is at
        least the horizon, and at most a third of the series. With 3-D X an int keeps
        each window's last steps.
    horizon : int, default=1
        Number of steps forecast at once. `forecast` goes on from its own forecasts
        beyond it. Ignored for ready-made windows, where `y` tells.
    stride : int, default=1
        Steps between the starts of two training windows.
    scaler : {"standard", "robust", "minmax", "log"}, None or transformer, \
            default="standard"
        Scaling of the target, learned from training rows only; each of many series has
        its own. "log" takes the logarithm of the target first, so that forecasts are
        positive and effects add up in per cent.
    window_norm : {"level", "last", "scale"} or None, default="level"
        How windows are normalized. "last" measures each window and its targets from the
        window's last value, so that levels outside the training range are followed.
        "level" also shows this value to the linear model, since a series may come back
        to its mean, but not where it lowers the error on a validation block of ten
        horizons or more by less than `min_skill`; of many series it is as "last".
        "scale" divides by the mean size of the window's changes over one season, so
        that windows that look alike but for their size are alike. Not used for
        ready-made windows.
    seasonal_period : int, tuple of int, "auto" or None, default="auto"
        Rows in one season, or in several, the main one first; "auto" tells them from
        the frequency of a time index: a day and a week of hours and of what is finer, a
        week of days, a year of what is coarser. The main one is used for the seasonal
        naive forecast and `window_norm`, and all for `deseasonalize` and
        `window_length`.
    deseasonalize : bool or "auto", default="auto"
        Take off each window what its own seasons repeat, as far as they agree, and put
        it back into the forecast. Needs a window of two seasons or more, of the longest
        one that is given. "auto" does so for months, quarters and weeks: where there is
        one season other than a week of days, no inputs stand beside the target, and
        `window_length` is None and comes to two seasons or more. Not used for
        ready-made windows.
    calendar : tuple, default=None
        What of the time index the network sees, at the window's rows and those ahead:
        "hour", "dayofweek", "day", "month" and "dayofyear" as sine and cosine, and
        lists of dates, such as holidays, as 0 or 1. For example
        ``("hour", "dayofweek")``. Not used for ready-made windows.
    past_covariates : tuple, default=None
        Columns of X, by name or position, that are known only up to the forecast
        origin: the network sees them in the window, and not ahead.
    cell : {"lstm", "gru", "rnn", "slstm"}, default="lstm"
        The recurrent layer. "slstm" is the scalar-memory LSTM of xLSTM, with
        exponential input gates.
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
    pretrained : {"auto", "frozen"} or False, default="auto"
        "auto" combines the network trained here with one that comes with the package
        and was trained on many synthetic series, and for one series alone with a linear
        model of its seasonally adjusted rows: forecasts are a weighted mean, whose
        weights follow from the errors of each on the validation block. Without X, a
        short block favours the pretrained network, because errors on few rows say
        little. The pretrained network reads each target column by itself, without X,
        and takes seasons from `seasonal_period`. Where the rows allow, it is fine-tuned
        on the series, by as many steps as `epochs` and at most 50, for which `fit`
        takes one to several seconds more; "frozen" leaves its weights as they come.
        False leaves both members out. Not used for ready-made windows.
    quantiles : tuple of float, default=None
        Probabilities whose quantiles the network learns beside the median, which is
        then the forecast, by the pinball loss. They start at the linear model and the
        quantiles of its residuals. None learns the mean. Either way
        `forecast_quantiles` gives any quantile.
    loss : str or callable, default="auto"
        A Keras loss by name, or ``loss(y_true, y_pred)``, on scaled values. With "mae"
        the linear model, too, makes absolute errors small, and is chosen by them.
        "auto" means "mae" for many series, of which squared errors would let a few rule
        all others, and "mse" else.
    optimizer : str, keras.optimizers.Optimizer or its class, default="adam"
        The optimizer of Keras that trains the network.
    learning_rate : float, default=0.001
        Learning rate of the optimizer.
    learning_rate_schedule : {"cosine"}, callable or None, default=None
        Learning rate by epoch. A callable gets ``(epoch, learning_rate)`` and returns
        the epoch's rate.
    clipnorm : float or None, default=1.0
        Largest norm of each weight's gradient.
    epochs : int, default=100
        Largest number of epochs; with 0 no network is trained.
    batch_size : int, default=64
        Windows in each training step.
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
        Callbacks of Keras, copied at fit.
    checkpoint : str or os.PathLike, default=None
        A folder in which the state of training is kept after each epoch. A fit that was
        killed and is called again, with the same data, parameters and int as
        `random_state`, goes on from there, and ends at the same bytes as if it had
        never stopped. The files are removed when the fit is done. Not with `callbacks`,
        whose states no file holds.
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
        with ``loss="mae"``, and for many series.
    skill_ : float or None
        1 - error / error of the best of them; None without a validation block.
    scaler_ : dict or transformer
        Scaler of the target; for many series a dict of them by series.
    members_ : dict of str to dict
        ``weight`` and ``score``, the mean absolute error on the validation block,
        scaled, of the members "trained", "adjusted" and "pretrained". The scores are
        None without a validation block, and of members that were not tried.
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
        """Learn scalers and network.

        Parameters
        ----------
        X : array-like of shape (n_timesteps,), (n_timesteps, n_features), \
                (n_windows, window_length) or (n_windows, window_length, n_features), \
                or list of the first two, or iterator
            The series, inputs known ahead, or ready-made windows; see the class.
            Windows are left out where a value of y is missing. An iterator gives many
            series part by part: frames indexed by (series, time), arrays as in a list,
            or pairs ``(X, y)``. Parts are kept in files without a name while fit lasts,
            and of their rows only the last few after it. A ``numpy.memmap`` is read
            from its file, and never as a whole.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_targets), default=None
            None says that X is the series.
        sample_weight : array-like of shape (n_timesteps,), default=None
            Weight of each row as a target; a factor on all of them changes nothing.
            Weights and repeated rows train the same network on ready-made windows.
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
        """Return a fitted forecaster around a Keras model, without training.

        The model is one that `to_keras` or `sklstm.scikeras.build_regressor` made,
        trained anywhere, by any means. It works on scaled values: scalers are learned
        here from all rows of X and y, so pass ``scaler=None`` for a model that was
        trained on values as they are. Its forecasts are not combined with those of the
        pretrained network. There are no errors of a validation block, and so no
        quantiles.

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
        """Forecast the row of each X; see the class for what a row is.

        Series form: one step ahead at each row, from all rows before it. Regression
        form: `y` at the rows of X, which follow the history. Rows inside the history
        (told by a time index) are forecast one step ahead; rows after a gap, across it.

        Parameters
        ----------
        X : array-like of the form passed to `fit`
            Arrays have no dates: their first row follows the history, also after a fit
            with dates.

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
            None means `horizon`, or the rows of X where it is given.
        X : array-like of shape (n_timesteps, n_features), default=None
            Inputs known ahead, for the regression form. A network of a longer horizon
            takes the last row for those that are not given. Columns that
            `past_covariates` names are not read, and may be missing values; beyond
            `horizon` the last ones known are held. Arrays have no dates: their first
            row follows the history.
        history : array-like, default=None
            Forecast from this series, or these, instead of the fitted ones, without
            training. In the regression form a tuple ``(X, y)``. Many series are scaled
            by what is given of them here, so that they may be new.
        series : key or list of keys, default=None
            Series to forecast, where there are many; None means all. A key alone gives
            the same form as a list of it.
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
        """Forecast values that the future stays below with given probabilities.

        The spread is that of the errors on the validation block (split-conformal
        prediction [1]_): symmetric about the forecast on the scaler's axis, wider with
        each step, and wider where the last `window_length` rows move more. With the
        parameter `quantiles` it is that of the network, to either side, corrected by
        these errors [3]_. Where the pretrained network takes part, it is the mean of
        this and of that network's spread, and without a validation block that spread
        alone. Rows that `update` or `backtest` have added since the fit correct it
        further: where more of them were missed than should be, it widens, and narrows
        where fewer were [2]_.

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
            One row a step and one column a quantile, in the units of the target; with
            several targets, columns (target, quantile), or an array of shape
            (steps, n_targets, n_quantiles).

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
        """Forecast intervals that hold the future with a given probability, by step.

        Parameters
        ----------
        steps, X, history, series, static_features
            As for `forecast`.
        coverage : float, default=0.9
            Share of future values inside, between 0 and 1. As many are left out below
            as above.

        Returns
        -------
        DataFrame or ndarray
            Columns lower and upper; see `forecast_quantiles`, which names errors and
            source.

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
        """Draw futures that could come, as whole paths whose steps belong together.

        A path adds the errors of one window of the validation block, step by step and
        target by target, to the forecast, so that sums and extremes over steps are as
        spread as they should be, which quantiles of each step do not tell. Beyond
        `horizon` a path goes on from its own values.

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
            One row a step and one column a path, in the units of the target; with
            several targets, columns (target, path), or an array of shape
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
        self._state = self._state.extended(read_observations(self, X, y))
        return self

    def observe(self, X, y=None):
        """Append rows as `update` does, and tell how far off their forecasts were.

        Each row is forecast one step ahead, from all rows before it: a large error is a
        row that the past did not announce.

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
            Actual less forecast values, in the units of the target and in the form of
            `predict`.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once; it then stays as it was.

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
        rows, state = read_observations(self, X, y), self._state
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
            Lead times of each origin; None means `horizon`.
        stride : int, default=1
            Rows between two origins.
        gap : int, default=0
            Rows between an origin and the first row forecast from it, which neither
            fits nor windows see: with hours, 12 for a forecast of tomorrow made at
            noon. In the regression form inputs known ahead are read there.
        refit : int or "warm", default=None
            Fit anew after so many origins, on all rows up to the next one and without
            weights; None means never. "warm" fits at each origin from the last fit's
            weights and scaler, as does an int with `warm_start`. The estimator itself
            stays as it is.
        max_train_size : int, default=None
            Fit anew on so many of the last rows of each series, a sliding window; None
            means all, an expanding one.
        quantiles : sequence of float, default=()
            Probabilities whose quantiles are given too; see `forecast_quantiles`.
        n_jobs : int, default=None
            Workers that fit anew, or forecast some of many series, at the same time; -1
            means as many as there are processors, and 1 this process. None means 1, or
            what ``joblib.parallel_config`` says, which may be those of Dask or Ray. The
            result is the same; the `verbose` of either shows how much is done. Warm
            fits wait for each other, so that one worker makes them all.

        Returns
        -------
        DataFrame
            Columns series (its key, or the name of the target; both as a tuple for many
            series of several targets), origin (last row known), step (rows from there,
            the first is ``gap + 1``), y_true, y_pred, in the units of the target, and
            one column a quantile, named by it.

        Raises
        ------
        ValueError
            If the rows do not follow the history at once, are fewer than
            ``gap + steps``, or `max_train_size` comes without `refit`.

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
        """R² of `predict`; in the series form, of `backtest` over all lead times.

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
        path : str or os.PathLike, default=None
            Write the graph to this file as well.
        series : object, default=None
            Key of the series whose scaler the graph holds, where there are many.

        Returns
        -------
        onnx.ModelProto
            Of operator set 18.

        Raises
        ------
        ValueError
            With the pretrained network, `network`, `calendar` or a scaler of
            scikit-learn, which no graph is made of, or for many series without the name
            of one.
        ImportError
            Without the package onnx, which ``sklstm[onnx]`` installs.

        Examples
        --------
        >>> from sklstm import LSTMForecaster
        >>> from sklstm.datasets import load_air_passengers
        >>> f = LSTMForecaster(24, 12, epochs=1, pretrained=False, random_state=0)
        >>> model = f.fit(load_air_passengers()).to_onnx()
        >>> model = f.to_onnx("passengers.onnx")  # doctest: +SKIP
        """
        check_is_fitted(self, "_state")
        return archive.write_graph(path, forecaster_model(self, series))

    def plot(self, steps=None, X=None, *, series=None, **options):
        """Draw the end of the history, the forecast and its intervals.

        Parameters
        ----------
        steps, X
            As for `forecast`.
        series : key, default=None
            The series to draw, where there are many.
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
