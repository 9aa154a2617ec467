"""Charts as SVG text, because pages must work without Matplotlib and scripts."""

from dataclasses import dataclass
from html import escape

import numpy as np

# Legible on white and on black, and distinct for people who are colour-blind.
COLORS = ("#2b8cc4", "#D55E00", "#009E73", "#b8860b")
DASHES = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"', "")
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 24, 36
LETTER = 6.2  # Mean width of a letter at the font size of 11.


def line_chart(
    curves, *, described, x_label="", ticks=None, mark=None, size=(320, 150)
):
    """Draw curves over a common axis as SVG.

    Parameters
    ----------
    curves : dict of str to (x, y)
        NaN breaks a curve.
    described : str
        Description for screen readers.
    ticks : list of (x, str), default=None
        Labels of the x axis; None means its first and last value.
    mark : float, default=None
        Position of a vertical line.
    size : (width, height) in pixels

    Returns
    -------
    str
        Empty if there is nothing to draw.
    """
    curves = {
        name: (np.asarray(x, float), np.asarray(y, float))
        for name, (x, y) in curves.items()
    }
    xs = [x for x, _ in curves.values()]
    ys = [y[np.isfinite(y)] for _, y in curves.values()]
    if not sum(map(len, ys)):
        return ""
    every_x, every_y = np.concatenate(xs), np.concatenate(ys)
    frame = Frame(*size, *lowest_and_range(every_x), *lowest_and_range(every_y))
    if ticks is None:
        ticks = [(v, f"{v:g}") for v in dict.fromkeys((frame.x_low, every_x.max()))]
    parts = [*y_axis(frame), *x_ticks(frame, ticks)]
    parts.append(
        text(LEFT + frame.inner_width / 2, frame.height - 4, x_label, "middle")
    )
    if mark is not None:
        parts.append(
            f'<path d="M{frame.at_x(mark):.1f} {TOP - 4}V{frame.base}" '
            'stroke="currentColor" stroke-dasharray="2 3" opacity="0.7" fill="none"/>'
        )
    return svg([*parts, *curves_and_legend(frame, curves)], size, described)


@dataclass(frozen=True)
class Frame:
    """Size of a chart in pixels, and the ranges of its axes."""

    width: float
    height: float
    x_low: float
    x_range: float
    y_low: float
    y_range: float

    @property
    def inner_width(self):
        return self.width - LEFT - RIGHT

    @property
    def base(self):
        """Height of the x axis, in pixels from the top."""
        return self.height - BOTTOM + 4

    def at_x(self, value):
        return LEFT + self.inner_width * (value - self.x_low) / self.x_range

    def at_y(self, value):
        inner_height = self.height - TOP - BOTTOM
        return TOP + inner_height * (1 - (value - self.y_low) / self.y_range)


def y_axis(frame):
    """Yield the x axis line, and lines with labels at three heights."""
    right = frame.width - RIGHT
    yield (
        f'<path d="M{LEFT - 4} {frame.base}H{right}" stroke="currentColor" '
        'opacity="0.5" fill="none"/>'
    )
    low, high = frame.y_low, frame.y_low + frame.y_range
    for value in (low, low + frame.y_range / 2, high):
        y = frame.at_y(value)
        yield text(LEFT - 8, y + 4, f"{value:.3g}", "end")
        yield (
            f'<path d="M{LEFT - 4} {y:.1f}H{right}" '
            'stroke="currentColor" opacity="0.12" fill="none"/>'
        )


def x_ticks(frame, ticks):
    """Yield labels of the x axis; a label that would overlap another is left out."""
    free = 0
    for i, (value, label) in enumerate(ticks):
        anchor = "start" if i == 0 else "end" if i == len(ticks) - 1 else "middle"
        half = LETTER * len(label) / 2
        # The last label is always drawn, so middle labels have to end before it.
        last = frame.at_x(ticks[-1][0]) - LETTER * len(ticks[-1][1])
        x = frame.at_x(value)
        if anchor == "middle" and not free <= x - half <= last - 3 * half:
            continue
        free = x + 2.5 * half
        yield text(x, frame.base + 14, label, anchor)


def curves_and_legend(frame, curves):
    left: float = LEFT
    for i, (name, (x, y)) in enumerate(curves.items()):
        color, dash = COLORS[i % 4], DASHES[i % 4]
        yield from polylines(frame.at_x(x), frame.at_y(y), color, dash)
        yield f'<path d="M{left:.0f} 8h18" stroke="{color}" stroke-width="2"{dash}/>'
        yield text(left + 22, 12, name)
        left += 34 + LETTER * len(name)


# Width and height of a box of a flow chart, and the gap below it.
WIDE, HIGH, GAP = 152, 26, 18


def flow_chart(first, layers, beside, last, *, described):
    """Draw boxes from `first` down to `last` as SVG.

    Parameters
    ----------
    first, last : str
    layers : list of str
    beside : str or None
        Box beside all layers, whose output is added to theirs.
    described : str
        Description for screen readers.
    """
    left, middle = (80, 170) if beside else (170, 170)
    tops = [4 + i * (HIGH + GAP) for i in range(len(layers) + 2)]
    end = tops[-1] + (GAP + 8 if beside else 0)
    parts = [box(middle, tops[0], first, COLORS[0])]
    for i, layer in enumerate(layers, 1):
        start = (left, tops[i - 1] + HIGH) if i > 1 else (middle, tops[0] + HIGH)
        parts.append(arrow(start, (left, tops[i])))
        parts.append(box(left, tops[i], layer, COLORS[1]))
    if beside:
        parts += branch(beside, tops, left, middle, end)
    else:
        parts.append(arrow((left, tops[-2] + HIGH), (left, end)))
    parts.append(box(middle, end, last, COLORS[0]))
    return svg(parts, (340, end + HIGH + 4), described)


def branch(label, tops, left, middle, end):
    """Yield the box beside the layers, and the circle where both are summed."""
    right = 260
    y = (tops[1] + tops[-2]) / 2
    plus = tops[-2] + HIGH + GAP + 4
    yield arrow((middle, tops[0] + HIGH), (right, y))
    yield box(right, y, label, COLORS[2])
    for x, top in ((left, tops[-2]), (right, y)):
        side = -9 if x < middle else 9
        yield arrow((x, top + HIGH), (x, plus), (middle + side, plus))
    yield (
        f'<circle cx="{middle}" cy="{plus}" r="9" fill="none" stroke="currentColor"/>'
        + text(middle, plus + 4, "+", "middle")
    )
    yield arrow((middle, plus + 9), (middle, end))


def box(x, y, words, fill):
    return (
        f'<rect x="{x - WIDE / 2:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" '
        f'rx="6" fill="{fill}" fill-opacity="0.15" stroke="{fill}"/>'
        + text(x, y + 17, words, "middle")
    )


def arrow(*points):
    """Draw a line through points, with a head along its last segment."""
    (x0, y0), (x1, y1) = points[-2:]
    length = np.hypot(x1 - x0, y1 - y0)
    u, v = (x1 - x0) / length, (y1 - y0) / length
    back = [(x1 - 6 * u + side * 3 * v, y1 - 6 * v - side * 3 * u) for side in (1, -1)]
    line, head = (
        " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        for corners in (points, [(x1, y1), *back])
    )
    return (
        f'<polyline points="{line}" fill="none" stroke="currentColor"/>'
        f'<polygon points="{head}"/>'
    )


def svg(parts, size, described):
    width, height = size
    return (
        f'<svg role="img" aria-label="{escape(described)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" fill="currentColor" '
        f'style="max-width:100%;height:auto">{"".join(parts)}</svg>'
    )


def lowest_and_range(values):
    # A constant curve has no range to divide by.
    return values.min(), (values.max() - values.min()) or 1.0


def text(x, y, words, anchor="start"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def polylines(x, y, color, dash):
    """Yield the runs of a curve between missing values; a single value is a dot."""
    finite = np.isfinite(y)
    runs = np.split(np.arange(len(y)), np.flatnonzero(np.diff(finite)) + 1)
    for run in (run for run in runs if len(run) and finite[run[0]]):
        points = " ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in run)
        if len(run) == 1:
            cx, cy = points.split(",")
            yield f'<circle cx="{cx}" cy="{cy}" r="3" fill="{color}"/>'
        else:
            yield (
                f'<polyline points="{points}" fill="none" stroke="{color}" '
                f'stroke-width="1.8" stroke-linejoin="round"{dash}/>'
            )
