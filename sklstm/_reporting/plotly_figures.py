"""Interactive forms of the displays: figures of plotly, an optional package."""

from html import escape

import numpy as np

from sklstm._reporting.display import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    on_axis,
    rgb,
)

COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
GREY = "#777777"


def graph_objects():
    """Import plotly where a figure needs it."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise ImportError(
            "backend='plotly' draws with plotly, which is missing. Install it with "
            "pip install 'sklstm[plotly]'."
        ) from error
    return go


def new_figure(title, x_label=None, y_label=None):
    """Return an empty figure; at a point the mouse shows all curves."""
    figure = graph_objects().Figure()
    figure.update_layout(
        template="plotly_white",
        title=title,
        xaxis_title=x_label,
        yaxis_title=y_label,
        hovermode="x unified",
        legend={"orientation": "h", "yanchor": "top", "y": -0.15},
        margin={"l": 60, "r": 20, "t": 50, "b": 40},
    )
    return figure


def add_curve(figure, x, y, name, color, **line):
    """Add a curve; `line` holds options of its line, such as ``dash``."""
    figure.add_scatter(
        x=on_axis(x), y=np.asarray(y), name=name, line={"color": color, **line}
    )


def add_band(figure, x, bounds, name, opacity):
    """Fill between two columns of bounds; the legend names both edges once."""
    x = on_axis(x)
    red, green, blue = rgb(BLUE)
    for column, fill in ((0, None), (1, "tonexty")):
        figure.add_scatter(
            x=x,
            y=bounds[:, column],
            name=name,
            legendgroup=name,
            showlegend=fill is not None,
            mode="lines",
            line={"width": 0},
            fill=fill,
            fillcolor=f"rgba({red},{green},{blue},{opacity})",
        )


def loss_figure(histories, best_epochs, metric):
    """Draw histories by epoch, as `TrainingHistoryDisplay` does."""
    figure = new_figure(f"{metric} by epoch", "epoch", metric)
    for i, (name, history) in enumerate(histories.items()):
        for key, dash in {metric: "solid", f"val_{metric}": "dash"}.items():
            if key not in history:
                continue
            label, color = f"{name} {key}".strip(), COLORS[i % len(COLORS)]
            if len(histories) == 1 and dash == "dash":
                color = VERMILION
            epochs = np.arange(1, len(history[key]) + 1)
            add_curve(figure, epochs, history[key], label, color, dash=dash)
        if best_epochs.get(name):
            figure.add_vline(
                best_epochs[name],
                line={"color": GREY, "dash": "dot"},
                annotation_text=f"{name} best epoch".strip(),
            )
    return figure


def forecast_figure(history, forecast, intervals, y_true, title):
    """Draw a forecast and its intervals, as `ForecastDisplay` does."""
    figure = new_figure(title)
    for coverage in sorted(intervals, reverse=True):
        bounds = np.asarray(intervals[coverage])
        add_band(figure, forecast.index, bounds, f"{coverage:.0%} interval", 0.2)
    add_curve(figure, history.index, history, "history", GREY)
    add_curve(figure, forecast.index, forecast, "forecast", BLUE)
    if y_true is not None:
        add_curve(figure, y_true.index, y_true, "actual", VERMILION, dash="dash")
    return figure


def prediction_figure(y_true, y_pred, label, title):
    """Draw predictions on actual values, as `PredictionDisplay` does."""
    figure = new_figure(title)
    add_curve(figure, y_true.index, y_true, "actual", GREY)
    add_curve(figure, y_pred.index, y_pred, label, BLUE, dash="dash")
    return figure


def residual_figure(residuals, title):
    figure = new_figure(title, None, "actual - predicted")
    figure.add_bar(x=on_axis(residuals.index), y=residuals, marker_color=BLUE)
    return figure


def correlation_figure(correlations, lag, title):
    """Draw the correlation by shift, and mark the lag."""
    figure = new_figure(title, "shift of predictions in rows", "correlation")
    shifts = np.arange(len(correlations))
    colors = np.where(shifts == lag, VERMILION, BLUE)
    figure.add_bar(x=shifts, y=correlations, marker_color=colors)
    return figure


def backtest_figure(errors, dashed, title):
    """Draw errors by lead time, as `BacktestDisplay` does."""
    figure = new_figure(title, "steps ahead", "mean absolute error")
    for i, name in enumerate(errors):
        dash = "dash" if name in dashed else "solid"
        add_curve(
            figure, errors.index, errors[name], name, COLORS[i % len(COLORS)], dash=dash
        )
    # From 0, because a cut axis exaggerates the difference between forecasters.
    figure.update_yaxes(rangemode="tozero")
    return figure


def lag_figure(table, title, x_label, y_label):
    """Draw the attributions of a frame, one column an input, as stacked bars."""
    figure = new_figure(title, x_label, y_label)
    for i, name in enumerate(table):
        color = COLORS[i % len(COLORS)]
        figure.add_bar(x=table.index, y=table[name], name=str(name), marker_color=color)
    figure.update_layout(barmode="relative", showlegend=table.shape[1] > 1)
    return figure


def token_figure(words, width, title):
    """Write words on coloured ground; the mouse shows the effect of each.

    Parameters
    ----------
    words : list of (token, (line, column), attribution, colour)
    width : int
        Letters in a line.
    title : str
    """
    figure = new_figure(title)
    for token, (line, column), value, shade in words:
        figure.add_annotation(
            x=column,
            y=line + 0.5,
            text=escape(str(token)),  # plotly reads tags
            hovertext=f"{value:+.3f}",
            bgcolor=shade,
            showarrow=False,
            xanchor="left",
            font={"family": "monospace", "size": 13, "color": "black"},
        )
    n_lines = 1 + max((line for _, (line, _), _, _ in words), default=0)
    figure.update_xaxes(visible=False, range=[0, width])
    figure.update_yaxes(visible=False, range=[n_lines, 0])
    figure.update_layout(height=110 + 28 * n_lines)
    return figure
