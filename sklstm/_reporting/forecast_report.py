"""Content of a forecaster's lab report: data, scores beside other models, warnings."""

import numpy as np
import pandas as pd
from sklearn.base import clone

from sklstm._reporting.html_page import (
    chart,
    fit_quietly,
    network_section,
    paragraphs,
    reads_lower,
    table,
    training_section,
    training_warnings,
    warning_list,
)
from sklstm._reporting.summary import counted, model_name, weights_of_members
from sklstm._series.alignment import aligned_test_rows
from sklstm._series.panel import SINGLE_SERIES, rows_by_series
from sklstm._series.validation import as_numbers
from sklstm._utils.cells import CELLS
from sklstm.metrics import lag, mean_absolute_scaled_error

# With fewer test rows, differences of a few per cent are within sampling error.
FEW_ROWS = 30
# Share of the history that is held out if there are neither test rows nor a block.
SHARE_HELD_OUT = 0.2
# Targets that tables describe.
N_TARGETS = 10


def sections(forecaster, X, y, train):
    """Return lead and sections of the page; see `LSTMForecaster.report`."""
    if forecaster._state.form == "windows":
        fitted, test, train, note = given_windows(forecaster, X, y, train)
    else:
        fitted, test, train, note = split_series(forecaster, X, y)
    own = model_name(fitted)
    actual, past = target_of(test), None if train is None else target_of(train)
    forecasts = {own: values_of(fitted.predict(test[0]))}
    forecasts |= comparisons(fitted, test, train)
    season = 1
    if forecaster._state.form != "windows":
        season = forecaster._state.norm.season or 1
    scores = {
        name: score(actual, forecast, past, season)
        for name, forecast in forecasts.items()
    }
    predicted = forecasts[own][:, 0]
    shift = lag(actual[:, 0], predicted)
    pages = {
        "What to look at": warning_list(
            warnings_of(fitted, scores, own, shift, len(actual), forecaster)
        ),
        "Data and split": data_section(fitted, test, train, past, actual, note),
        "Normalisation": normalisation_section(fitted),
        "Network": network_section(fitted),
        "Training": training_section(fitted),
        "Predictions on actual values": chart(
            {"actual": axis(actual[:, 0]), own: axis(predicted)},
            "Test rows, one step ahead, in original units"
            f"{which_target(target_names(fitted, actual.shape[1]))}: {own} on actual "
            f"values. {lag_in_words(shift)}",
            ticks=ticks_of((test, len(actual))),
        ),
        "Scores": scores_section(scores, own, train is not None),
    }
    return lead_in_words(scores, own, len(actual)), pages


def check_no_names(target_names):
    if target_names is not None:
        raise ValueError(
            "target_names are for text classifiers, but this is a forecaster, whose "
            "page names targets by the columns of y. Leave out target_names."
        )


def target_of(rows):
    """Return the target of (X, y), or of (series, None), as a 2-D array."""
    X, y = rows
    return values_of(X if y is None else y)


def lead_in_words(scores, own, n_rows):
    best = min(scores, key=lambda name: scores[name]["RMSE"])
    lead = (
        f"One step ahead, the {own} has an RMSE of {scores[own]['RMSE']:.4g} over "
        f"{n_rows} test rows. "
    )
    if not reads_lower(scores[best]["RMSE"], scores[own]["RMSE"]):
        return lead + "No other model has a lower one."
    return lead + f"The {best} has a lower one, {scores[best]['RMSE']:.4g}."


def scores_section(scores, own, has_rivals):
    columns = list(scores[own])
    rows = [[name, *row.values()] for name, row in scores.items()]
    explanations = []
    if not has_rivals:
        explanations.append("Pass train= to compare simple RNN, GRU and linear model.")
    if "MASE" in columns:
        explanations.append(
            "MASE is the mean absolute error, divided by that of the seasonal naive "
            "forecast in training. Below 1, the model is better."
        )
    return table(
        ["", *columns],
        rows,
        caption="Errors on the test rows, one step ahead, in original units "
        "(MSE in squared units; MASE has no unit)",
        own=own,
    ) + paragraphs(*explanations)


def split_series(forecaster, X, y):
    """Return forecaster, test rows, training rows and a note on the split.

    Without test rows, the last rows of the history are held out, and a clone is fitted
    on the rows before them.
    """
    series = forecaster._state.series
    if SINGLE_SERIES not in series:
        raise ValueError(
            f"The forecaster has {len(series)} series, and a report "
            "shows one. Fit a clone on one of them."
        )
    known = series[SINGLE_SERIES].history
    if X is not None:
        X, y = aligned_test_rows(forecaster._state, X, y)
        check_follow(forecaster, X)
        train = rows_of(forecaster, known, 0, len(known))
        note = "The test rows are new data; the network was fitted on rows before them."
        return forecaster, (X, y), train, note
    share = forecaster.validation_fraction or SHARE_HELD_OUT
    cut = len(known) - max(int(share * len(known)), 1)
    train = rows_of(forecaster, known, 0, cut)
    test = rows_of(forecaster, known, cut, len(known))
    note = (
        f"There were no test rows, so the last {share:.0%} of the history were held "
        "out. This page describes a clone fitted on the rows before them."
    )
    return fit_quietly(clone(forecaster), *train), test, train, note


def check_follow(forecaster, X):
    """Raise unless test rows follow the history at once, as the naive forecasts do."""
    for key, (_, index) in rows_by_series(X).items():
        if key is not SINGLE_SERIES:
            break  # predict says what is wrong
        history, n = forecaster._state.series[key].history, n_rows(X)
        where = history.where(index, n)
        if not np.array_equal(where, len(history) + np.arange(n)):
            raise ValueError(
                f"A report needs test rows that follow the history at once, but X has "
                f"{n} rows from {index[0]} to {index[-1]}, and the row after the "
                f"history is {history.after(1)[0]}. Pass every row from that one on."
            )


def n_rows(data):
    """Return the number of rows of data in any container, of which there is one."""
    n = np.shape(data)[0]
    if not n:
        raise ValueError("X is empty. Pass at least one test row.")
    return n


def rows_of(forecaster, known, first, last):
    """Return rows of a history in the form that `fit` took."""
    part = known.cut(first, last)
    target = forecaster._state.output.restore(part.y, part.index)
    if forecaster._state.form == "series":
        return target, None
    # Calendar features follow the user's columns, and `fit` adds them again.
    X = part.X[:, : forecaster.n_features_in_]
    names = input_columns(forecaster)
    if part.index is not None or names is not None:
        X = pd.DataFrame(X, part.index, names)
    return X, target


def input_columns(forecaster):
    """Return the columns of X as they came to `fit`, or None without names."""
    names = forecaster._state.output.input_names
    if names is None:
        return getattr(forecaster, "feature_names_in_", None)
    if all(isinstance(name, tuple) for name in names):
        return pd.MultiIndex.from_tuples(names)
    return pd.Index(names)


def given_windows(forecaster, X, y, train):
    if X is None or y is None:
        raise ValueError(
            "The forecaster was fitted on ready-made windows, which it does not keep. "
            "Pass test rows to report as X and y, and train=(X, y) to compare networks."
        )
    X, y = aligned_test_rows(forecaster._state, X, y)
    note = "The test rows are new data; each row is predicted by itself."
    return forecaster, (X, y), train, note


def values_of(data):
    values = as_numbers(data)
    return values.reshape(len(values), -1)


def comparisons(forecaster, test, train):
    """Return one-step forecasts of the test rows by simpler models."""
    result = members_alone(forecaster, test)
    if train is not None:
        result |= {
            f"{name} alone": values_of(fit_quietly(model, *train).predict(test[0]))
            for name, model in rivals(forecaster).items()
            if f"{name} alone" not in result
        }
    if forecaster._state.form == "windows":
        windows = np.asarray(test[0], float)
        last = windows[:, -1].reshape(len(windows), -1)
        # Windows of other columns than the target have no last value of it.
        if last.shape == values_of(test[1]).shape:
            result["last value"] = last
        return result
    past, actual = target_of(train), target_of(test)
    # One step ahead, naive forecasts of test rows read earlier test rows as well.
    values = np.concatenate([past, actual])
    rows = len(past) + np.arange(len(actual))
    result["last value"] = values[rows - 1]
    season = forecaster._state.norm.season
    if season is not None and season > 1 and season <= len(past):
        result[f"{season} rows before"] = values[rows - season]
    return result


def rivals(forecaster):
    """Return networks and a linear model to fit on the same rows, by name."""
    models = {}
    if forecaster.network is None:
        for cell in filter(lambda cell: cell.is_reference, CELLS.values()):
            models[cell.label] = clone(forecaster).set_params(
                cell=cell.name, linear_skip=False, pretrained=False, verbose=0
            )
    models["linear model"] = linear_model(clone(forecaster))
    # The forecaster itself is in the table already.
    models.pop(model_name(forecaster), None)
    return models


def linear_model(forecaster):
    """Turn a forecaster into its linear model, which is what no epoch makes of it."""
    return forecaster.set_params(
        linear_skip=True, network=None, epochs=0, pretrained=False, verbose=0
    )


def members_alone(forecaster, test):
    """Return forecasts of the test rows by each of the combined members."""
    weights = weights_of_members(forecaster)
    if set(weights) == {"trained"}:
        return {}
    result = {}
    for name in weights:
        member = forecaster._copy()
        others = {} if name == "trained" else {name: 1.0}
        member._state = forecaster._state.with_weights(**others)
        result[f"{model_name(member)} alone"] = values_of(member.predict(test[0]))
    return result


def score(actual, forecast, past, season):
    observed = ~np.isnan(actual).any(axis=1) & ~np.isnan(forecast).any(axis=1)
    actual, forecast = actual[observed], forecast[observed]
    error = actual - forecast
    result = {
        "MSE": float(np.mean(error**2)),
        "RMSE": float(np.sqrt(np.mean(error**2))),
        "MAE": float(np.mean(np.abs(error))),
    }
    if past is not None and len(past) > season and not np.isnan(past).any():
        naive = np.abs(past[season:] - past[:-season]).mean(axis=0)
        if naive.all():  # MASE divides by the errors of the naive forecast.
            scaled = [
                mean_absolute_scaled_error(
                    actual[:, i],
                    forecast[:, i],
                    y_train=past[:, i],
                    seasonal_period=season,
                )
                for i in range(actual.shape[1])
            ]
            result["MASE"] = float(np.mean(scaled))
    return result


def warnings_of(fitted, scores, own, shift, n_rows, forecaster):
    warnings = []
    error = scores[own]["RMSE"]
    naive = scores.get("last value", {}).get("RMSE")
    if shift > 0:
        rows = counted(shift, "row")
        words = f"Lag: the forecasts follow the actual values {rows} behind"
        if naive is not None:
            words += (
                f", with {error / naive:.0%} of the error of repeating the last value"
            )
        warnings.append(words + ". A curve that looks right may only be late.")
    better = [name for name in scores if reads_lower(scores[name]["RMSE"], error)]
    if better:
        warnings.append(
            f"More accurate on the test rows than the {own}: {', '.join(better)}. "
            "Among models of equal accuracy, prefer the simplest."
        )
    if n_rows < FEW_ROWS:
        warnings.append(
            f"There are only {n_rows} test rows, so differences of a few per cent "
            "between models are within sampling error."
        )
    if fitted is forecaster and fitted._state.form == "windows":
        warnings.append(
            "Leakage: windows cut from one series overlap, so neighbours of a test "
            "window may be training windows. Split the series before you cut windows."
        )
    return warnings + training_warnings(fitted)


def lag_in_words(shift):
    if not shift:
        return "The correlation is highest without a lag."
    return f"The correlation is highest at a lag of {counted(shift, 'row')}."


def data_section(fitted, test, train, past, actual, note):
    cut = None if past is None else validation_start(fitted, len(past))
    if cut is not None:
        note += (
            f" The last {len(past) - cut} training rows are the validation block, "
            "which selected penalty and epoch"
        )
        note += ", and was then trained on as well." if fitted.refit else "."
    page = paragraphs(note, leakage_in_words(fitted))
    names = target_names(fitted, actual.shape[1])
    page += split_table(test, train, past, actual, cut, names)
    if past is None or fitted._state.form == "windows":
        return page  # Rows of windows have no order to draw.
    n = len(past)
    rows = np.arange(n)
    curves = {"training": (rows[:cut], past[:cut, 0])}
    if cut is not None:
        curves["validation"] = (rows[cut:], past[cut:, 0])
    curves["test"] = (n + np.arange(len(actual)), actual[:, 0])
    return page + chart(
        curves,
        f"The series and its split, in original units{which_target(names)}.",
        ticks=ticks_of((train, n), (test, len(actual))),
    )


def target_names(forecaster, n_targets):
    """Return what the page calls the targets: their columns, or else numbers."""
    output = forecaster._state.output
    names = [output.names] if output.one_dimensional else output.names
    if names is None or None in names or len(names) != n_targets:
        return [f"target {i + 1}" for i in range(n_targets)]
    return [str(name) for name in names]


def which_target(names):
    """Say which target a chart draws if there are several."""
    return f"; of {len(names)} targets, {names[0]}" if len(names) > 1 else ""


def split_table(test, train, past, actual, cut, names):
    """Describe training rows, validation block and test rows of each target."""
    parts = []
    if past is not None:
        index = getattr(train[0], "index", None)
        parts.append(("training", past, index))
        if cut is not None:
            index = None if index is None else index[cut:]
            parts.append(("of these, validation", past[cut:], index))
    parts.append(("test", actual, getattr(test[0], "index", None)))
    shown, caption = names[:N_TARGETS], "The target, in original units"
    if len(names) > 1:
        caption = "Each target, in original units"
    if len(names) > len(shown):
        caption = f"The first {len(shown)} of {len(names)} targets, in original units"
    rows = [
        [name, *([target] if len(names) > 1 else []), *described(values[:, i], index)]
        for i, target in enumerate(shown)
        for name, values, index in parts
    ]
    columns = ["rows", *(["target"] if len(names) > 1 else []), *DESCRIBED]
    return table(columns, rows, caption=caption)


DESCRIBED = ("number", "from", "to", "missing", "lowest", "mean", "highest")


def described(values, index):
    """Return the cells of the columns `DESCRIBED` for the values of one target."""
    start = end = "–"
    if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
        start, end = (str(index[i]).removesuffix(" 00:00:00") for i in (0, -1))
    numbers = (float(f(values)) for f in (np.nanmin, np.nanmean, np.nanmax))
    return [len(values), start, end, int(np.isnan(values).sum()), *numbers]


def validation_start(fitted, n_rows):
    """Return the first row of the validation block, or None.

    It is None if there was no block, or if the block consists of random windows.
    """
    if fitted._state.form == "windows" or fitted.skill_ is None:
        return None
    n_validation = int(round(fitted.validation_fraction * n_rows))
    # `fit` makes the block at least one horizon long.
    return n_rows - max(n_validation, fitted.horizon)


def leakage_in_words(forecaster):
    if forecaster._state.form == "windows":
        return "Scalers were fitted on training rows only."
    return (
        "The split is by time, without shuffling: every test row follows every "
        "training row, and scalers were fitted on training rows only. The forecast of "
        "a row uses the rows before it, and never the row itself."
    )


def normalisation_section(fitted):
    scaler = fitted.scaler_
    words = []
    if fitted._state.form != "windows":
        words.append(norm_in_words(fitted._state.norm))
    words.append("Forecasts are converted back, so errors are in original units.")
    if hasattr(scaler, "transform"):
        return paragraphs(f"The target is scaled by {scaler!r}.", *words)
    centers, scales = np.ravel(scaler["center"]), np.ravel(scaler["scale"])
    kind = f"scaler={fitted.scaler!r}"
    names = target_names(fitted, len(centers))
    rows = [
        [name, float(c), float(s)]
        for name, c, s in zip(names, centers, scales, strict=True)
    ]
    unit = ", of the logarithm" if scaler["log"] else ", in original units"
    return paragraphs(*words) + table(
        ["", "subtracted", "divided by"], rows, caption=kind + unit
    )


def norm_in_words(norm):
    if norm.kind is None:
        words = "Windows keep their level"
    else:
        words = "The last value of a window is subtracted from the window and targets"
    if norm.kind == "scale":
        words += ", and both are divided by the mean size of its changes"
    if norm.deseasonalize:
        words += "; the seasonal pattern of the window is subtracted as well"
    return words + "."


def axis(values):
    return np.arange(len(values)), values


def ticks_of(*parts):
    """Return labels of the first row of each part, and of the last row of all.

    They are time stamps, or row numbers.
    """
    ends, total = [], 0
    for (rows, _), n_rows in parts:
        ends.append((total, rows, 0))
        total += n_rows
    ends.append((total - 1, rows, -1))
    labels = []
    for x, rows, row in ends:
        index = getattr(rows, "index", None)
        label = str(x)
        if isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)):
            label = str(index[row])[:10]
        labels.append((x, label))
    return labels
