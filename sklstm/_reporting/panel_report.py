"""Content of the lab report of many series: scores of models, best and worst series."""

import warnings

import numpy as np
import pandas as pd

from sklstm._forecasting import fitting
from sklstm._forecasting.model import Origins
from sklstm._reporting.forecast_report import (
    SHARE_HELD_OUT,
    axis,
    leakage_in_words,
    linear_model,
    norm_in_words,
    ticks_of,
)
from sklstm._reporting.html_page import (
    chart,
    network_section,
    paragraphs,
    reads_lower,
    table,
    training_section,
    training_warnings,
    warning_list,
)
from sklstm._reporting.summary import model_name
from sklstm._series.reader import read_observations

# Rows of the table of the worst series.
N_WORST = 10
# Columns of a score: RMSE, MAE, and MAE relative to that of the last value.
COLUMNS = ("RMSE", "MAE", "MAE relative to the last value's")
RELATIVE = 2
LINEAR = "linear model"


def sections(forecaster, X, y, train):
    """Return lead and sections of the page; see `LSTMForecaster.report`.

    Every test row is forecast one step ahead, from all rows before it.
    """
    fitted, linear, first_rows, note = split_panel(forecaster, X, y)
    own = model_name(fitted)
    models = {own: fitted} | ({} if own == LINEAR else {LINEAR: linear})
    scores = {
        name: scores_by_series(model, first_rows) for name, model in models.items()
    }
    scores |= naive_scores(fitted, first_rows)
    means = {name: mean_score(values) for name, values in scores.items()}
    worst = sorted(
        first_rows, key=lambda key: -np.nan_to_num(scores[own][key][RELATIVE], nan=-1)
    )
    pages = {
        "What to look at": warning_list(warnings_of(fitted, scores[own], means, own)),
        "Data and split": paragraphs(note, leakage_in_words(fitted))
        + data_section(fitted, first_rows),
        "Normalisation": paragraphs(
            "Each series is scaled by itself.", norm_in_words(fitted._state.norm)
        ),
        "Network": network_section(fitted),
        "Training": training_section(fitted),
        "Scores": scores_section(means, scores, own)
        + worst_section(scores[own], means[own], worst),
        f"The worst series, {worst[0]}": series_chart(fitted, worst[0], first_rows),
    }
    if len(worst) > 1:
        heading = f"The best series, {worst[-1]}"
        pages[heading] = series_chart(fitted, worst[-1], first_rows)
    return lead_in_words(scores[own], means, own, worst[0]), pages


def lead_in_words(scores, means, own, worst):
    lead = (
        f"One step ahead, over {len(scores)} series, the absolute error is "
        f"{means[own][RELATIVE]:.4g} times that of repeating the last value. "
    )
    best = min(means, key=lambda name: means[name][RELATIVE])
    if not reads_lower(means[best][RELATIVE], means[own][RELATIVE]):
        lead += f"No other model has a lower one than the {own}. "
    else:
        lead += f"The {best} has a lower one, {means[best][RELATIVE]:.4g} times. "
    return (
        lead + f"The worst series is {worst}, with {scores[worst][RELATIVE]:.4g} times."
    )


def split_panel(forecaster, X, y):
    """Return a forecaster, its linear model, first test rows by series, and a note."""
    state = forecaster._state
    lengths = {key: len(series.history) for key, series in state.series.items()}
    if X is not None:
        state = state.extended(read_observations(forecaster, X, y, "report"))
        fitted = forecaster._copy()
        fitted._state = state
        cuts = {
            key: lengths[key]
            for key, series in state.series.items()
            if len(series.history) > lengths[key]
        }
        note = "The test rows are new data of these series."
    else:
        share = forecaster.validation_fraction or SHARE_HELD_OUT
        cuts = {key: n - max(int(share * n), 1) for key, n in lengths.items()}
        fitted = fitted_before(forecaster, state, cuts)
        note = (
            f"There were no test rows, so the last {share:.0%} of each series were "
            "held out. This page describes a clone fitted on the rows before them."
        )
    linear = fitted_before(linear_model(forecaster._copy()), state, cuts)
    return fitted, linear, cuts, note


def fitted_before(forecaster, state, cuts):
    """Return a copy fitted on the rows before the cuts, which knows all rows."""
    with warnings.catch_warnings():
        # The page itself tells how the copy compares with simple models.
        warnings.simplefilter("ignore")
        fitted = fitting.fitted_before(forecaster, state, cuts)
    whole = {key: series.history for key, series in state.series.items()}
    fitted._state = fitted._state.with_histories(whole)
    return fitted


def scores_by_series(forecaster, first_rows):
    scores = {}
    for key, first in first_rows.items():
        y, rows = tested_rows(forecaster, key, first)
        scores[key] = score(y[rows], one_step(forecaster, key, rows), y[rows - 1])
    return scores


def tested_rows(forecaster, key, first):
    """Return the values of a series, and its test rows, each with a row before it."""
    y = forecaster._state.series[key].history.y
    return y, np.arange(max(first, 1), len(y))


def one_step(forecaster, key, rows):
    origins = [Origins(forecaster._state.series[key], rows)]
    return forecaster._state.model.forecast(origins, 1)[:, 0]


def naive_scores(forecaster, first_rows):
    """Score the last value, and the value one season before, by series."""
    season = forecaster._state.norm.season
    lags = {"last value": 1}
    if season is not None and 1 < season <= min(first_rows.values()):
        lags[f"{season} rows before"] = season
    scores: dict[str, dict] = {name: {} for name in lags}
    for key, first in first_rows.items():
        y, rows = tested_rows(forecaster, key, first)
        for name, back in lags.items():
            scores[name][key] = score(y[rows], y[rows - back], y[rows - 1])
    return scores


def score(actual, forecast, last):
    """Return RMSE, MAE, and MAE relative to that of the last value."""
    parts = (actual, forecast, last)
    known = ~np.any([np.isnan(part).any(axis=1) for part in parts], axis=0)
    error, naive = (actual - forecast)[known], np.abs(actual - last)[known]
    if not len(error):
        return np.full(3, np.nan)
    mae, mae_naive = np.abs(error).mean(), naive.mean()
    relative = mae / mae_naive if mae_naive else np.nan
    return np.array([np.sqrt(np.mean(error**2)), mae, relative])


def mean_score(scores):
    return np.nanmean([*scores.values()], axis=0)


def data_section(forecaster, first_rows):
    """Describe sizes of the series in a table."""
    series = forecaster._state.series
    lengths = [len(series[key].history) for key in first_rows]
    tested = [n - first for n, first in zip(lengths, first_rows.values(), strict=True)]
    means = [np.nanmean(series[key].history.y) for key in first_rows]
    missing = [int(np.isnan(series[key].history.y).sum()) for key in first_rows]
    rows = [
        [name, *(f(values) for f in (min, np.median, max))]
        for name, values in {
            "rows": lengths,
            "of these, test rows": tested,
            "mean of the target": means,
            "missing values": missing,
        }.items()
    ]
    return table(
        ["", "smallest", "median", "largest"],
        [[name, *map(float, values)] for name, *values in rows],
        caption=f"Sizes of the {len(first_rows)} series, in original units",
    )


def scores_section(means, scores, own):
    """Compare the models over all series."""
    first = pd.DataFrame(
        {
            name: {key: values[RELATIVE] for key, values in by_key.items()}
            for name, by_key in scores.items()
        }
    )
    # A series that all models leave without a score is best in none.
    best = first.dropna(how="all").idxmin(axis=1).value_counts()
    rows = [
        [name, *map(float, mean), int(best.get(name, 0))]
        for name, mean in means.items()
    ]
    return table(
        ["", *COLUMNS, "series where best"],
        rows,
        caption="Mean errors over all series, on the test rows, one step ahead, in "
        "original units",
        own=own,
    )


def worst_section(scores, mean, worst):
    rows = [["mean of all series", *mean]]
    rows += [[str(key), *scores[key]] for key in worst[:N_WORST]]
    n_shown = min(len(scores), N_WORST)
    return table(
        ["", *COLUMNS],
        rows,
        caption="Errors on the test rows, one step ahead, in original units, of the "
        f"{n_shown} series with the largest relative error",
        own="mean of all series",
    )


def series_chart(forecaster, key, first_rows):
    y, rows = tested_rows(forecaster, key, first_rows[key])
    forecast = one_step(forecaster, key, rows)
    stamps = forecaster._state.series[key].history.stamps_at(rows)
    tested = pd.Series(y[rows, 0], stamps), None
    return chart(
        {"actual": axis(y[rows, 0]), "forecast": axis(forecast[:, 0])},
        "Test rows, one step ahead, in original units.",
        ticks=ticks_of((tested, len(rows))),
    )


def warnings_of(fitted, scores, means, own):
    found = []
    worse = [key for key, values in scores.items() if values[RELATIVE] > 1]
    if worse:
        found.append(
            f"Of {len(scores)} series, {len(worse)} are forecast worse than by "
            "repeating the last value."
        )
    error = means[own][RELATIVE]
    better = [name for name in means if reads_lower(means[name][RELATIVE], error)]
    if better:
        found.append(
            f"More accurate on the test rows than the {own}: {', '.join(better)}. "
            "Among models of equal accuracy, prefer the simplest."
        )
    return found + training_warnings(fitted)
