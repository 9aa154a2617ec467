"""Parts of the lab report: one HTML page without scripts and without other files."""

import os
import warnings
from html import escape

from sklstm._reporting.charts import line_chart
from sklstm._reporting.summary import (
    curve_svg,
    kept_in_words,
    members_in_words,
    network_in_words,
    network_svg,
    skill_in_words,
    training_in_words,
)
from sklstm._utils import archive

# Colours of text and background are the browser's own, so that the page suits light and
# dark settings and prints in black on white.
STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --bad: #b54708; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem;
  max-width: 50rem; }
h1 { font-size: 1.7rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0;
  list-style: none; }
nav a { color: inherit; } :focus-visible { outline: 3px solid #2b8cc4; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line);
  text-align: right; }
tbody th { font-weight: normal; }
th:first-child { text-align: left; padding-left: 0; min-width: 6rem; }
td { white-space: nowrap; } table { min-width: min(20rem, 100%); }
tr.own > * { font-weight: bold; }
caption { text-align: left; opacity: .8; max-width: calc(100vw - 2rem); }
ul.warnings { padding: 0; list-style: none; }
ul.warnings li { border-left: 4px solid var(--bad); background: var(--soft);
  padding: .5rem .8rem; margin: .5rem 0; }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; opacity: .8; }
svg { display: block; } .narrow { display: none; }
@media (max-width: 40rem) { .wide { display: none; } .narrow { display: block; }
  table { font-size: .85rem; } th, td { padding: .3rem .35rem; } }
@page { margin: 1.5cm; }
@media print { nav { display: none; } body { padding: 0; } h2 { break-after: avoid; }
  figure, table, li { break-inside: avoid; } body { max-width: none; } }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1>{lead}</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{sections}
</main>
</body>
</html>
"""
# Sizes of charts on screens and on telephones.
WIDE, NARROW = (680, 260), (340, 200)


def write(path, title, lead, sections):
    """Write the page; `sections` is a dict of heading to HTML."""
    links, parts = [], []
    for number, (heading, content) in enumerate(sections.items(), 1):
        links.append(f'<li><a href="#s{number}">{escape(heading)}</a></li>')
        parts.append(
            f'<section id="s{number}"><h2>{number}. {escape(heading)}</h2>'
            f"{content}</section>"
        )
    page = PAGE.format(
        title=escape(title),
        style=STYLE,
        lead=paragraphs(lead),
        links="".join(links),
        sections="\n".join(parts),
    )
    # Texts may hold halves of characters, which UTF-8 cannot say.
    archive.write(os.fspath(path), page.encode("utf-8", "xmlcharrefreplace"))


def fit_quietly(estimator, *data):
    """Fit an estimator that only the page needs; its warnings would name no cause."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(*data)


def paragraphs(*lines):
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def table(columns, rows, *, caption, own=None):
    """Return a table whose first column names the rows; the row `own` is bold."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in columns)
    body = []
    for name, *values in rows:
        cells = "".join(f"<td>{escape(shown(value))}</td>" for value in values)
        mark = ' class="own"' if name == own and own is not None else ""
        body.append(f'<tr{mark}><th scope="row">{escape(str(name))}</th>{cells}</tr>')
    return (
        # tabindex makes a wide table scroll by keyboard as well.
        '<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def shown(value):
    if isinstance(value, float):  # Only NaN differs from itself.
        return "–" if value != value else f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def reads_lower(value, other):
    """Tell whether a number is lower than another as the page shows them."""
    return float(f"{value:.4g}") < float(f"{other:.4g}")


def figure(draw, caption):
    """Draw an SVG in two sizes; the style sheet shows the one that fits.

    Parameters
    ----------
    draw : callable
        ``draw(size)`` returns an SVG, or an empty string if there is nothing to draw.
    caption : str
    """
    wide, narrow = draw(WIDE), draw(NARROW)
    if not wide:
        return ""
    return (
        f'<figure><div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def chart(curves, caption, **options):
    def draw(size):
        return line_chart(curves, described=caption, size=size, **options)

    return figure(draw, caption)


def warning_list(warnings):
    if not warnings:
        return paragraphs("Nothing stood out.")
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<ul class="warnings">{items}</ul>'


def network_section(estimator):
    """Describe the network, and list the parameters that are not defaults."""
    default = type(estimator)().get_params(deep=False)
    changed = [
        (name, repr(value)[:60])
        for name, value in estimator.get_params(deep=False).items()
        if repr(value) != repr(default[name])
    ]
    words = (network_in_words(estimator), members_in_words(estimator))
    words = paragraphs(*filter(None, words))
    words += f"<figure>{network_svg(estimator)}</figure>"
    if not changed:
        return words + paragraphs("All parameters have their defaults.")
    return words + table(
        ["parameter", "value"], changed, caption="Parameters that are not the default"
    )


def training_section(estimator):
    trained = training_in_words(estimator)
    words = paragraphs(trained[0].upper() + trained[1:], skill_in_words(estimator))

    def draw(size):
        return curve_svg(estimator.history_, estimator.best_epoch_, size=size)

    return words + figure(draw, "Loss by epoch, on training rows and validation block.")


def training_warnings(estimator):
    """Return warnings of overfitting, and of a network that adds nothing."""
    warnings = []
    history, best = estimator.history_, estimator.best_epoch_
    val_loss = history.get("val_loss", ())
    if len(val_loss) and best:
        lowest, last = val_loss[best - 1], val_loss[-1]
        # Smaller rises are within the noise of single epochs.
        if last > 1.1 * lowest:
            warnings.append(
                f"Overfitting: after epoch {best} the validation loss rose from "
                f"{lowest:.3g} to {last:.3g}. The weights of epoch {best} are kept; "
                "more dropout, fewer units or more data would allow more epochs."
            )
        if lowest > 2 * history["loss"][best - 1]:
            warnings.append(
                "Overfitting, or a change over time: at the best epoch the "
                f"validation loss ({lowest:.3g}) is more than twice the training loss "
                f"({history['loss'][best - 1]:.3g})."
            )
    if not len(history.get("loss", ())):
        return warnings  # What was not trained cannot overfit.
    if not len(val_loss):
        warnings.append(
            "There was no validation block, so the report cannot detect overfitting. "
            "Fit with validation_fraction above 0."
        )
    elif not best:
        warnings.append(kept_in_words(estimator))
    return warnings
