"""What the lab report of a forecaster says: data, scores beside rivals, warnings."""

import numpy as np
import pandas as pd
from sklearn.base import clone

from sklstm._reporting.html_page import (
    chart,
    network_section,
    paragraphs,
    table,
    training_section,
    training_warnings,
    warning_list,
)
from sklstm._reporting.summary import counted
from sklstm._series.panel import SINGLE_SERIES
from sklstm._utils.cells import CELLS
from sklstm.metrics import lag, mean_absolute_scaled_error

FEW_ROWS = 30
SHARE_HELD_OUT = 0.2


def sections(forecaster, X, y, train):
    """(lead, sections) of the page; see `LSTMForecaster.report`."""
    if forecaster._state.form == "windows":
        fitted, test, train, note = given_windows(forecaster, X, y, train)
    else:
        fitted, test, train, note = split_series(forecaster, X, y)
    actual = values_of(test[0] if test[1] is None else test[1])
    forecasts = {own_name(fitted): values_of(fitted.predict(test[0]))}
    forecasts |= rivals(fitted, test, train)
    past = (
        None if train is None else values_of(train[0] if train[1] is None else train[1])
    )
    season = 1
    if forecaster._state.form != "windows":
        season = forecaster._state.norm.season or 1
    scores = {
        name: score(actual, forecast, past, season)
        for name, forecast in forecasts.items()
    }
    own = own_name(fitted)
    best = min(scores, key=lambda name: scores[name]["RMSE"])
    unit = f"{scores[own]['RMSE']:.4g}"
    lead = (
        f"One step ahead, {own} is off by {unit} (RMSE) over {len(actual)} test rows. "
    )
    if best == own:
        lead += "None of the others is closer."
    else:
        lead += f"The {best} is closer, off by {scores[best]['RMSE']:.4g}."
    columns = list(scores[own])
    rows = [[name, *row.values()] for name, row in scores.items()]
    first = actual[:, 0], forecasts[own][:, 0]
    shift = lag(*first)
    pages = {
        "What to look at": warning_list(
            warnings_of(fitted, scores, own, shift, len(actual), forecaster)
        ),
        "Data and split": data_section(fitted, test, train, past, actual, note),
        "Normalisation": normalisation_section(fitted),
        "Network": network_section(fitted),
        "Training": training_section(fitted),
        "Predictions on actual values": chart(
            {"actual": axis(first[0]), own: axis(first[1])},
            f"Test rows, one step ahead, in original units: {own} on actual values. "
            + lag_in_words(shift),
            ticks=ticks_of(test, len(actual)),
        ),
        "Scores": table(
            ["", *columns],
            rows,
            caption="Errors on the test rows, one step ahead, in original units "
            "(MSE in their square; MASE has none)",
            own=own,
        )
        + paragraphs(
            "MASE is the error over that of the seasonal naive forecast in training "
            "(below 1 is better than it)."
            if "MASE" in columns
            else "Give train= to see simple RNN, GRU and linear model beside it."
        ),
    }
    return lead, pages


def own_name(forecaster):
    name = CELLS[forecaster.cell].label
    return name + (" and linear model" if forecaster.linear_skip else "")


def split_series(forecaster, X, y):
    """The forecaster to look at, its test rows and its training rows.

    Without test rows the last ones of the history are held out, and a clone is fitted
    on those before them.
    """
    series = forecaster._state.series
    if SINGLE_SERIES not in series:
        raise ValueError(
            f"The forecaster has {len(series)} series, and a report "
            "shows one. Fit a clone on one of them."
        )
    known = series[SINGLE_SERIES].history
    if X is not None:
        train = rows_of(forecaster, known, 0, len(known))
        note = "The test rows were given; the network was fitted on those before them."
        return forecaster, (X, y), train, note
    share = forecaster.validation_fraction or SHARE_HELD_OUT
    cut = len(known) - max(int(share * len(known)), 1)
    train = rows_of(forecaster, known, 0, cut)
    test = rows_of(forecaster, known, cut, len(known))
    note = (
        f"No test rows were given, so the last {share:.0%} of the history were held "
        "out, and everything on this page is of a clone fitted on the rows before them."
    )
    return clone(forecaster).fit(*train), test, train, note


def rows_of(forecaster, known, first, last):
    """Rows of a history in the form that `fit` took."""
    part = known.cut(first, last)
    target = forecaster._state.output.restore(part.y, part.index)
    if forecaster._state.form == "series":
        return target, None
    X = part.X[:, : forecaster.n_features_in_]
    names = getattr(forecaster, "feature_names_in_", None)
    if part.index is not None or names is not None:
        X = pd.DataFrame(X, part.index, names)
    return X, target


def given_windows(forecaster, X, y, train):
    if X is None or y is None:
        raise ValueError(
            "The forecaster was fitted on ready-made windows, which it does not keep. "
            "Pass test rows to report as X and y, and train=(X, y) to compare networks."
        )
    note = "The test rows were given; rows are independent of each other."
    return forecaster, (X, y), train, note


def values_of(data):
    values = np.asarray(data, float)
    return values.reshape(len(values), -1)


def rivals(forecaster, test, train):
    """One-step forecasts of the test rows by simpler models."""
    result = {}
    if train is not None:
        for cell in filter(lambda cell: cell.is_reference, CELLS.values()):
            if own_name(forecaster) != cell.label and forecaster.network is None:
                rival = clone(forecaster)
                rival.set_params(cell=cell.name, linear_skip=False, verbose=0)
                result[f"{cell.label} alone"] = rival
        linear = clone(forecaster)
        linear.set_params(linear_skip=True, network=None, epochs=0, verbose=0)
        result["linear model alone"] = linear
        result = {
            name: values_of(rival.fit(*train).predict(test[0]))
            for name, rival in result.items()
        }
    if forecaster._state.form == "windows":
        windows = np.asarray(test[0], float)
        ends = windows[:, -1].reshape(len(windows), -1)
        target = values_of(test[1])
        if ends.shape == target.shape:
            result["last value"] = ends
        return result
    past = values_of(train[0] if train[1] is None else train[1])
    actual = values_of(test[0] if test[1] is None else test[1])
    every = np.concatenate([past, actual])
    at = len(past) + np.arange(len(actual))
    result["last value"] = every[at - 1]
    season = forecaster._state.norm.season
    if season is not None and season > 1 and season <= len(past):
        result[f"{season} rows before"] = every[at - season]
    return result


def score(actual, forecast, past, season):
    there = ~np.isnan(actual).any(axis=1) & ~np.isnan(forecast).any(axis=1)
    actual, forecast = actual[there], forecast[there]
    error = actual - forecast
    result = {
        "MSE": float(np.mean(error**2)),
        "RMSE": float(np.sqrt(np.mean(error**2))),
        "MAE": float(np.mean(np.abs(error))),
    }
    if past is not None and len(past) > season and not np.isnan(past).any():
        moves = np.abs(past[season:] - past[:-season]).mean(axis=0)
        if moves.all():
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


def warnings_of(fitted, scores, own, shift, n_rows, given):
    found = []
    error = scores[own]["RMSE"]
    naive = scores.get("last value", {}).get("RMSE")
    if shift > 0:
        rows = counted(shift, "row")
        words = f"Lag: the forecasts follow the actual values {rows} behind"
        if naive is not None:
            words += (
                f", with {error / naive:.0%} of the error of repeating the last value"
            )
        found.append(words + ". A curve that looks right may only be late.")
    better = [name for name in scores if name != own and scores[name]["RMSE"] < error]
    if better:
        found.append(
            f"Closer on the test rows than {own}: {', '.join(better)}. Prefer the "
            "simplest of models that are as good."
        )
    if n_rows < FEW_ROWS:
        found.append(
            f"There are {n_rows} test rows only: differences of a few per cent between "
            "models are luck."
        )
    if fitted is given and fitted._state.form == "windows":
        found.append(
            "Leakage: windows cut from one series overlap, so that neighbours of a "
            "test window may have been trained on. Split the series before you cut it."
        )
    return found + training_warnings(fitted)


def lag_in_words(shift):
    if not shift:
        return "They fit best as they are, without a lag."
    return f"They fit best {counted(shift, 'row')} earlier: that much they lag behind."


def data_section(fitted, test, train, past, actual, note):
    parts = [("test", actual, getattr(test[0], "index", None))]
    cut = None
    if past is not None:
        index = getattr(train[0], "index", None)
        parts.insert(0, ("training", past, index))
        cut = validation_start(fitted, len(past))
    if cut is not None:
        index = None if index is None else index[cut:]
        parts.insert(1, ("of these, validation", past[cut:], index))
        note += (
            f" Of these the last {len(past) - cut} are the validation block, which "
            "chose penalty and epoch"
        )
        note += ", and was then trained on too." if fitted.refit else "."
    rows = []
    for name, values, index in parts:
        timed = isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))
        rows.append(
            [
                name,
                len(values),
                str(index[0]).removesuffix(" 00:00:00") if timed else "–",
                str(index[-1]).removesuffix(" 00:00:00") if timed else "–",
                int(np.isnan(values).sum()),
                *(float(f(values)) for f in (np.nanmin, np.nanmean, np.nanmax)),
            ]
        )
    columns = ["rows", "number", "from", "to", "missing", "lowest", "mean", "highest"]
    page = paragraphs(note, leak_words(fitted))
    page += table(columns, rows, caption="The target, in original units")
    if past is None or fitted._state.form == "windows":
        return page
    n = len(past)
    at = np.arange(n)
    curves = {"training": (at[:cut], past[:cut, 0])}
    if cut is not None:
        curves["validation"] = (at[cut:], past[cut:, 0])
    curves["test"] = (n + np.arange(len(actual)), actual[:, 0])
    return page + chart(
        curves,
        "The series and its split, in original units.",
        ticks=ticks_of(train, n, test, len(actual)),
    )


def validation_start(fitted, n_rows):
    """The first row of the validation block; None where there was none, or rows of
    which it is made are not in order."""
    if fitted._state.form == "windows" or fitted.skill_ is None:
        return None
    share = int(round(fitted.validation_fraction * n_rows))
    return n_rows - max(share, fitted.horizon)


def leak_words(forecaster):
    if forecaster._state.form == "windows":
        return "Scalers were learned from training rows only."
    return (
        "The split is by time, without shuffling: every test row comes after every "
        "training row, and scalers were learned from training rows only. A forecast of "
        "a row uses the rows before it, and never the row itself."
    )


def normalisation_section(fitted):
    scaler = fitted.scaler_
    words = []
    if fitted._state.form != "windows":
        words.append(norm_in_words(fitted._state.norm))
    words.append("Every forecast is turned back, so that errors are in original units.")
    if not isinstance(scaler, dict):
        return paragraphs(f"The target is scaled by {scaler!r}.", *words)
    centers, scales = np.ravel(scaler["center"]), np.ravel(scaler["scale"])
    kind = f"scaler={fitted.scaler!r}"
    rows = [
        [f"target {i + 1}", float(c), float(s)]
        for i, (c, s) in enumerate(zip(centers, scales, strict=True))
    ]
    unit = ", of the logarithm" if scaler["log"] else ", in original units"
    return paragraphs(*words) + table(
        ["", "taken off", "divided by"], rows, caption=kind + unit
    )


def norm_in_words(norm):
    if norm.kind is None:
        words = "Windows are not measured from their last value"
    else:
        words = "Each window and its targets are measured from the window's last value"
    if norm.kind == "scale":
        words += ", in units of the size of its changes"
    if norm.deseasonalize:
        words += ", and what its seasons repeat is taken off"
    return words + "."


def axis(values):
    return np.arange(len(values)), values


def ticks_of(data, n_rows, *following):
    """The first and last row by their time stamps where there are any."""
    ends = [(0, data[0], 0)]
    total = n_rows
    if following:
        ends.append((n_rows, following[0][0], 0))
        total += following[1]
    last = following[0][0] if following else data[0]
    ends.append((total - 1, last, -1))
    labels = []
    for place, rows, at in ends:
        index = getattr(rows, "index", None)
        timed = isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))
        labels.append((place, str(index[at])[:10] if timed else str(place)))
    return labels
