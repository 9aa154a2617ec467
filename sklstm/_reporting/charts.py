"""Charts as SVG, for pages that must need nothing: no Matplotlib, no script."""

from html import escape

import numpy as np

# Read on white and on black, and told apart by people who see no red or no green.
COLORS = ("#2b8cc4", "#D55E00", "#009E73", "#b8860b")
DASHES = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"', "")
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 24, 36
LETTER = 6.2


def line_chart(
    curves, *, described, x_label="", ticks=None, mark=None, size=(320, 150)
):
    """An SVG of curves over a common axis.

    Parameters
    ----------
    curves : dict of str to (x, y)
        NaN breaks a curve.
    described : str
        What a screen reader says.
    ticks : list of (x, str), default=None
        Labels of the x axis; None means its first and last value.
    mark : float, default=None
        Where a vertical line stands.
    size : (width, height) in pixels

    Returns
    -------
    str
        Empty where there is nothing to draw.
    """
    curves = {
        name: (np.asarray(x, float), np.asarray(y, float))
        for name, (x, y) in curves.items()
    }
    xs = [x for x, _ in curves.values()]
    ys = [y[np.isfinite(y)] for _, y in curves.values()]
    if not sum(map(len, ys)):
        return ""
    xs, ys = np.concatenate(xs), np.concatenate(ys)
    (x_low, x_span), (y_low, y_span) = spread(xs), spread(ys)
    width, height = size
    inner = width - LEFT - RIGHT, height - TOP - BOTTOM

    def at_x(value):
        return LEFT + inner[0] * (value - x_low) / x_span

    def at_y(value):
        return TOP + inner[1] * (1 - (value - y_low) / y_span)

    base = height - BOTTOM + 4
    parts = [
        f'<path d="M{LEFT - 4} {base}H{width - RIGHT}" stroke="currentColor" '
        'opacity="0.5" fill="none"/>'
    ]
    for value in (y_low, y_low + y_span / 2, y_low + y_span):
        parts.append(text(LEFT - 8, at_y(value) + 4, f"{value:.3g}", "end"))
        parts.append(
            f'<path d="M{LEFT - 4} {at_y(value):.1f}H{width - RIGHT}" '
            'stroke="currentColor" opacity="0.12" fill="none"/>'
        )
    if ticks is None:
        ticks = [(v, f"{v:g}") for v in dict.fromkeys((x_low, xs.max()))]
    free = 0
    for i, (value, label) in enumerate(ticks):
        anchor = "start" if i == 0 else "end" if i == len(ticks) - 1 else "middle"
        half = LETTER * len(label) / 2
        last = at_x(ticks[-1][0]) - LETTER * len(ticks[-1][1])
        if anchor == "middle" and not free <= at_x(value) - half <= last - 3 * half:
            continue  # it would stand on another
        free = at_x(value) + 2.5 * half
        parts.append(text(at_x(value), base + 14, label, anchor))
    parts.append(text(LEFT + inner[0] / 2, height - 4, x_label, "middle"))
    if mark is not None:
        parts.append(
            f'<path d="M{at_x(mark):.1f} {TOP - 4}V{base}" stroke="currentColor" '
            'stroke-dasharray="2 3" opacity="0.7" fill="none"/>'
        )
    legend = LEFT
    for i, (name, (x, y)) in enumerate(curves.items()):
        color, dash = COLORS[i % 4], DASHES[i % 4]
        parts += polylines(at_x(x), at_y(y), color, dash)
        parts.append(
            f'<path d="M{legend:.0f} 8h18" stroke="{color}" stroke-width="2"{dash}/>'
        )
        parts.append(text(legend + 22, 12, name))
        legend += 34 + LETTER * len(name)
    return svg(parts, size, described)


def flow_chart(first, layers, beside, last, *, described):
    """An SVG of boxes from `first` down to `last`.

    Parameters
    ----------
    first, last : str
    layers : list of str
    beside : str or None
        What stands beside all layers, and is added to what they give.
    described : str
        What a screen reader says.
    """
    wide, high, gap = 152, 26, 18
    left, middle, right = 80, 170, 260
    if beside is None:
        left = middle
    at = [4 + i * (high + gap) for i in range(len(layers) + 2)]
    end = at[-1] + (gap + 8 if beside else 0)

    def box(x, y, words, fill):
        return (
            f'<rect x="{x - wide / 2:g}" y="{y:g}" width="{wide}" height="{high}" '
            f'rx="6" fill="{fill}" fill-opacity="0.15" stroke="{fill}"/>'
            + text(x, y + 17, words, "middle")
        )

    def arrow(*points):
        (x0, y0), (x1, y1) = points[-2:]
        length = np.hypot(x1 - x0, y1 - y0)
        u, v = (x1 - x0) / length, (y1 - y0) / length
        back = [
            (x1 - 6 * u + side * 3 * v, y1 - 6 * v - side * 3 * u) for side in (1, -1)
        ]
        line, head = (
            " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
            for part in (points, [(x1, y1), *back])
        )
        return (
            f'<polyline points="{line}" fill="none" stroke="currentColor"/>'
            f'<polygon points="{head}"/>'
        )

    parts = [box(middle, at[0], first, COLORS[0])]
    for i, layer in enumerate(layers, 1):
        start = (left, at[i - 1] + high) if i > 1 else (middle, at[0] + high)
        parts.append(arrow(start, (left, at[i])))
        parts.append(box(left, at[i], layer, COLORS[1]))
    if beside:
        y = (at[1] + at[-2]) / 2
        plus = at[-2] + high + gap + 4
        parts.append(arrow((middle, at[0] + high), (right, y)))
        parts.append(box(right, y, beside, COLORS[2]))
        for x, top in ((left, at[-2]), (right, y)):
            side = -9 if x < middle else 9
            parts.append(arrow((x, top + high), (x, plus), (middle + side, plus)))
        parts.append(
            f'<circle cx="{middle}" cy="{plus}" r="9" fill="none" '
            'stroke="currentColor"/>' + text(middle, plus + 4, "+", "middle")
        )
        parts.append(arrow((middle, plus + 9), (middle, end)))
    else:
        parts.append(arrow((left, at[-2] + high), (left, end)))
    parts.append(box(middle, end, last, COLORS[0]))
    return svg(parts, (340, end + high + 4), described)


def svg(parts, size, described):
    width, height = size
    return (
        f'<svg role="img" aria-label="{escape(described)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" fill="currentColor" '
        f'style="max-width:100%;height:auto">{"".join(parts)}</svg>'
    )


def spread(values):
    """The lowest value, and how far it is to the highest."""
    return values.min(), (values.max() - values.min()) or 1.0


def text(x, y, words, anchor="start"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def polylines(x, y, color, dash):
    """A curve, broken where a value is missing; a lone value is a dot."""
    there = np.isfinite(y)
    runs = np.split(np.arange(len(y)), np.flatnonzero(np.diff(there)) + 1)
    for run in (run for run in runs if len(run) and there[run[0]]):
        points = " ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in run)
        if len(run) == 1:
            cx, cy = points.split(",")
            yield f'<circle cx="{cx}" cy="{cy}" r="3" fill="{color}"/>'
        else:
            yield (
                f'<polyline points="{points}" fill="none" stroke="{color}" '
                f'stroke-width="1.8" stroke-linejoin="round"{dash}/>'
            )
