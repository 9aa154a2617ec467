"""Seconds and memory of training by the sizes of data and network.

Each point is a new process. The seconds of one epoch are half the difference between
three epochs and one; memory is the peak of the process minus its peak before `fit`.
Writes ``docs/benchmarks/scaling.md`` and its picture::

    python benchmarks/scaling.py [share of the points' sizes, for a trial]
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from pages import line_of, provenance

# The sizes of both estimators, and for each sweep one size with its values.
SERIES = {"n_windows": 10_000, "window_length": 50, "units": 32}
TEXT = {"n_documents": 2_000, "vocabulary": 10_000, "length": 100}
SWEEPS = [
    (SERIES, "n_windows", [10_000, 30_000, 100_000, 300_000, 1_000_000]),
    (SERIES, "window_length", [10, 30, 100, 300, 1000]),
    (SERIES, "units", [8, 32, 128, 512]),
    (TEXT, "vocabulary", [1_000, 10_000, 100_000]),
    (TEXT, "length", [25, 100, 400, 1600]),
]
PAGE = Path("docs/benchmarks/scaling.md")
PICTURE = Path("docs/images/scaling.png")


def series_fit(n_windows, window_length, units):
    from sklstm import LSTMForecaster

    y = np.random.default_rng(0).normal(size=n_windows + window_length)

    def fit(epochs):
        LSTMForecaster(
            window_length,
            units=units,
            recurrent_length=None,
            batch_size=64,
            epochs=epochs,
            linear_skip=False,
            validation_fraction=0,
            early_stopping=False,
            random_state=0,
        ).fit(y)

    return fit


def text_fit(n_documents, vocabulary, length):
    from sklstm import LSTMTextClassifier

    rng = np.random.default_rng(0)
    # Every token of the vocabulary occurs, because `fit` counts tokens that it sees.
    ids = rng.integers(1, vocabulary, (n_documents, length)).ravel()
    n = min(vocabulary - 1, ids.size)
    ids[:n] = np.arange(1, n + 1)
    X, y = rng.permutation(ids).reshape(n_documents, length), np.arange(n_documents) % 2

    def fit(epochs):
        LSTMTextClassifier(
            max_features=None,
            max_length=length,
            linear_skip=False,
            epochs=epochs,
            validation_fraction=0,
            early_stopping=False,
            random_state=0,
        ).fit(X, y)

    return fit


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def point(sizes):
    fit = (series_fit if "units" in sizes else text_fit)(**sizes)
    small = {name: min(value, 200) for name, value in sizes.items()}
    # A small fit imports Keras, whose memory then counts in `before`.
    (series_fit if "units" in sizes else text_fit)(**small)(1)
    before = peak()
    fit(1)  # Compilation counts in memory, but not in seconds.
    spent = []
    for epochs in (1, 3):
        start = time.perf_counter()
        fit(epochs)
        spent.append(time.perf_counter() - start)
    return (spent[1] - spent[0]) / 2, peak() - before


def draw(measured):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        2,
        len(SWEEPS),
        figsize=(13, 5),
        layout="constrained",
        sharex="col",
        sharey="row",
    )
    for column, (name, rows) in zip(axes.T, measured, strict=True):
        sizes = np.array([size for size, *_ in rows])
        for ax, place in zip(column, (1, 2), strict=True):
            values = np.array([row[place] for row in rows])
            ax.plot(sizes, values, "o-")
            ax.plot(sizes, values[-1] * sizes / sizes[-1], ":", color="gray")
            ax.set(xscale="log", yscale="log")
            ax.grid(alpha=0.3)
        column[1].set(xlabel=name.replace("_", " "))
    for ax, title in zip(axes[:, 0], ("s an epoch", "MB added"), strict=True):
        ax.set(ylabel=title)
    figure.savefig(PICTURE, dpi=110)


def main(share):
    measured, lines, about = [], [], provenance()
    for rest, name, values in SWEEPS:
        rows = []
        for value in values:
            sizes = rest | {name: max(int(value * share), 8)}
            command = [sys.executable, __file__, "point", json.dumps(sizes)]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append([sizes[name], *json.loads(answer.stdout.splitlines()[-1])])
            value, seconds, megabytes = rows[-1]
            cells = name.replace("_", " "), f"{value:,}", f"{seconds:.3g}"
            lines.append(line_of([*cells, f"{megabytes:.0f}"]))
            print(lines[-1], flush=True)
        measured.append((name, rows))
    draw(measured)
    sizes = "; ".join(
        ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in part.items())
        for part in (SERIES, TEXT)
    )
    PAGE.write_text(
        "# Scaling of training\n\n"
        "Seconds an epoch, and peak memory that `fit` adds, of a forecaster of one\n"
        "series and a classifier of token ids (two directions of 64 units). One size\n"
        f"varies at a time; the others are:\n{sizes}.\n"
        f"Written by `make bench-startup`.\n\nMeasured at {about}.\n\n"
        "![Seconds and memory against each size](../images/scaling.png)\n\n"
        "Dotted lines are in proportion to the size.\n\n"
        "| size | value | s an epoch | MB added |\n|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["point"]:
        print(json.dumps(point(json.loads(sys.argv[2]))))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
