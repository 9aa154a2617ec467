"""Content of the lab report of many series: scores of the panel and worst series."""

import numpy as np

from sklstm._forecasting.model import Origins
from sklstm._reporting.forecast_report import (
    SHARE_HELD_OUT,
    axis,
    leakage_in_words,
    norm_in_words,
)
from sklstm._reporting.html_page import (
    chart,
    network_section,
    paragraphs,
    table,
    training_section,
    training_warnings,
    warning_list,
)

# Rows of the table of the worst series.
N_WORST = 10


def sections(forecaster, X, y, train):
    """Return lead and sections of the page; see `LSTMForecaster.report`.

    Every test row is forecast one step ahead, from all rows before it.
    """
    fitted, first_rows, note = split_panel(forecaster, X, y)
    tested = {
        key: forecasts_of(fitted, key, first) for key, first in first_rows.items()
    }
    scores = {key: score(*values) for key, values in tested.items()}
    worst = sorted(scores, key=lambda key: -np.nan_to_num(scores[key][-1], nan=-1))
    panel = np.nanmean([*scores.values()], axis=0)
    actual, forecast, _ = tested[worst[0]]
    pages = {
        "What to look at": warning_list(warnings_of(fitted, scores)),
        "Data and split": paragraphs(note, leakage_in_words(fitted)),
        "Normalisation": paragraphs(
            "Each series is scaled by itself.", norm_in_words(fitted._state.norm)
        ),
        "Network": network_section(fitted),
        "Training": training_section(fitted),
        "Scores": scores_section(panel, scores, worst),
        f"The worst series, {worst[0]}": chart(
            {"actual": axis(actual[:, 0]), "forecast": axis(forecast[:, 0])},
            "Test rows, one step ahead, in original units.",
        ),
    }
    lead = (
        f"One step ahead, over {len(scores)} series, the absolute error is "
        f"{panel[-1]:.3g} times that of repeating the last value. The worst series is "
        f"{worst[0]}, with {scores[worst[0]][-1]:.3g} times."
    )
    return lead, pages


def split_panel(forecaster, X, y):
    """Return a forecaster, the first test row of each series, and a note."""
    state = forecaster._state
    if X is not None:
        extended, first_rows = forecaster._extended(X, y), {}
        for key, own in extended.series.items():
            n_known = len(state.series[key].history)
            if len(own.history) > n_known:
                first_rows[key] = n_known
        fitted = forecaster._copy()
        fitted._state = extended
        return fitted, first_rows, "The test rows are new data of these series."
    share = forecaster.validation_fraction or SHARE_HELD_OUT
    lengths = {key: len(own.history) for key, own in state.series.items()}
    cuts = {key: n - max(int(share * n), 1) for key, n in lengths.items()}
    note = (
        f"There were no test rows, so the last {share:.0%} of each series were held "
        "out. This page describes a clone fitted on the rows before them."
    )
    fitted = forecaster._fitted_before(state, cuts, None)
    whole = {key: own.history for key, own in state.series.items()}
    fitted._state = fitted._state.with_histories(whole)
    return fitted, cuts, note


def forecasts_of(forecaster, key, first):
    """Return actual values, one-step forecasts and last values from a row on."""
    series = forecaster._state.series[key]
    y = series.history.y
    rows = np.arange(max(first, 1), len(y))
    forecast = forecaster._state.model.forecast([Origins(series, rows)], 1)[:, 0]
    return y[rows], forecast, y[rows - 1]


def score(actual, forecast, last):
    """Return RMSE, MAE, and MAE relative to that of the last value."""
    known = ~np.isnan(actual).any(axis=1) & ~np.isnan(last).any(axis=1)
    error, naive = (actual - forecast)[known], np.abs(actual - last)[known]
    if not len(error):
        return np.full(3, np.nan)
    mae, mae_naive = np.abs(error).mean(), naive.mean()
    relative = mae / mae_naive if mae_naive else np.nan
    return np.array([np.sqrt(np.mean(error**2)), mae, relative])


def scores_section(panel, scores, worst):
    rows = [["mean of all series", *panel]]
    rows += [[str(key), *scores[key]] for key in worst[:N_WORST]]
    n_shown = min(len(scores), N_WORST)
    return table(
        ["", "RMSE", "MAE", "of the last value's MAE"],
        rows,
        caption="Errors on the test rows, one step ahead, in original units, of the "
        f"{n_shown} series with the largest relative error",
        own="mean of all series",
    )


def warnings_of(fitted, scores):
    worse = [key for key, values in scores.items() if values[-1] > 1]
    warnings = training_warnings(fitted)
    if worse:
        warnings.insert(
            0,
            f"Of {len(scores)} series, {len(worse)} are forecast worse than by "
            "repeating the last value.",
        )
    return warnings
