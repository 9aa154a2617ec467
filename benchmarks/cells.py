"""Recurrent cells beside each other, in default networks and without the linear model.

Tasks are those of ``accuracy.py`` and ``text_accuracy.py``, with the same training and
test rows. Prints a table and writes ``docs/benchmarks/cells.md``::

    python benchmarks/cells.py [--seeds 3] [--cells lstm slstm] [--only NAME ...]
"""

import argparse
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
import text_accuracy
from pages import provenance, write_table

from sklstm import LSTMTextClassifier
from sklstm._utils.cells import CELLS

PAGE = Path("docs/benchmarks/cells.md")
HEAD = """# Recurrent cells

With default settings the scalar LSTM is no better than the LSTM; without the linear
model it is slightly better. Errors of series are mean squared errors over all windows
of the held-out rows, as on [](accuracy.md); scores of texts are those of
[](text_accuracy.md). Other settings are the defaults; "alone" is a network without its
linear model (`linear_skip=False`). The table shows means and standard deviations over
{} seeds. Written by `python benchmarks/cells.py`.
"""


def series(task, cell, seed, **settings):
    """Return the error and the seconds of a fit."""
    y, X, n_test, length, horizon, _, fraction = task
    given = y, X, n_test, length, horizon, fraction, seed
    return accuracy.ours(*given, cell=cell, **settings)[:2]


def texts(task, cell, seed, **settings):
    """Return the score and the seconds of a fit."""
    file, how, analyzer, score = task
    frame = pd.read_csv(text_accuracy.DATA / f"{file}.csv.xz").dropna(subset=["text"])
    model = LSTMTextClassifier(
        cell=cell, analyzer=analyzer, random_state=seed, **settings
    )
    parts = text_accuracy.splits(frame, how)
    found, _, seconds, _ = text_accuracy.run(model, frame, parts, score)
    return found, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cells", nargs="*", default=["lstm", "slstm"])
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    provenance()
    tasks = [(name, series, task) for name, task in accuracy.tasks()]
    tasks += [(name, texts, task) for name, *task in text_accuracy.TASKS]
    rows, order = [], [(name, cell) for name, *_ in tasks for cell in CELLS]
    for name, measure, task in tasks:
        if arguments.only and name not in arguments.only:
            continue
        for cell in arguments.cells:
            row = {"task": name, "cell": cell}
            for label, settings in {"": {}, "alone": {"linear_skip": False}}.items():
                runs = [
                    measure(task, cell, seed, **settings)
                    for seed in range(arguments.seeds)
                ]
                found, seconds = np.transpose(runs)
                spread = found.std(ddof=1) if len(found) > 1 else np.nan
                row[f"error or score {label}".strip()] = found.mean()
                row[f"± sd {label}".strip()] = spread
                row[f"fit s {label}".strip()] = np.median(seconds)
            rows.append(row)
            print(pd.DataFrame([row]).to_string(index=False), flush=True)
            write(rows, arguments.seeds, order)


def write(rows, n_seeds, order):
    cells = [
        [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()]
        for row in rows
    ]
    write_table(PAGE, HEAD.format(n_seeds), list(rows[0]), cells, order, n_keys=2)


if __name__ == "__main__":
    main()
