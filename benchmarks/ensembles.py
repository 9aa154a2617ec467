"""What averaging networks of different seeds gains: `n_members` of 1, 3 and 5.

The tasks are those of ``accuracy.py`` where a network is kept; elsewhere all members
are the linear model, and so is their mean. Writes ``docs/benchmarks/ensembles.md``::

    python benchmarks/ensembles.py [--seeds 5] [--only NAME ...]
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import ours, tasks

MEMBERS = (1, 3, 5)
TASKS = ("monthly sunspots", "min temperatures", "bike sharing")
PAGE = Path("docs/benchmarks/ensembles.md")
HEAD = """# Ensembles

Mean squared error over all windows of the held-out rows, in squared units of the
series, of the mean of `n_members` networks; {n_seeds} seeds, mean ± standard deviation.
All else is as in the table of accuracy. A fit takes `n_members` times as long. Made by
`python benchmarks/ensembles.py`.

| task | {members} |
|---|{lines}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=TASKS)
    arguments = parser.parse_args()
    page = HEAD.format(
        n_seeds=arguments.seeds,
        members=" | ".join(map(str, MEMBERS)),
        lines="---|" * len(MEMBERS),
    )
    for name, (y, X, n_test, length, horizon, _, fraction) in tasks():
        if name not in arguments.only:
            continue
        cells = [name]
        for n_members in MEMBERS:
            errors = [
                ours(y, X, n_test, length, horizon, fraction, s, n_members=n_members)[0]
                for s in range(arguments.seeds)
            ]
            cells.append(f"{np.mean(errors):.4g} ± {np.std(errors, ddof=1):.2g}")
        row = "| " + " | ".join(cells) + " |"
        print(row, flush=True)
        page += row + "\n"
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
