"""Accuracy of ensembles of networks with different seeds: `n_members` of 1, 3 and 5.

The tasks are those of ``accuracy.py`` on which a network is kept. On the others every
member is the linear model, and so is their mean. Writes
``docs/benchmarks/ensembles.md``::

    python benchmarks/ensembles.py [--seeds 5] [--only NAME ...]
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import ours, tasks
from pages import line_of, provenance, write_table

MEMBERS = (1, 3, 5)
TASKS = ("monthly sunspots", "min temperatures", "bike sharing")
PAGE = Path("docs/benchmarks/ensembles.md")
HEAD = """# Ensembles

The mean of several networks is no more accurate than one network; on sunspots it varies
less between seeds. The table shows the mean squared error over all windows of the
held-out rows, in squared units of the series, of the mean forecast of `n_members`
networks: mean ± standard deviation over {} seeds. All other settings are as in
[](accuracy.md). A fit takes `n_members` times as long. Written by `python
benchmarks/ensembles.py`.
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=TASKS)
    arguments = parser.parse_args()
    provenance()
    rows, columns, order = [], ["task", *map(str, MEMBERS)], [(name,) for name in TASKS]
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
        print(line_of(cells), flush=True)
        rows.append(cells)
        write_table(PAGE, HEAD.format(arguments.seeds), columns, rows, order)


if __name__ == "__main__":
    main()
