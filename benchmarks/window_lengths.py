"""ETTh1 oil temperature with the window that the validation block prefers.

All else is default, and data and rival are those of the table of accuracy. Needs the
data folder named by SKLSTM_DATA (default ``../shared/data``). Prints a table and writes
``docs/benchmarks/window_lengths.md``::

    python benchmarks/window_lengths.py [--seeds 5]
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import ours, rivals, tasks
from pages import said_below

PAGE = Path("docs/benchmarks/window_lengths.md")
WINDOWS = (96, 168, 336, 504, 672)


def validation_error(f):
    """That of what was kept, the network with its linear model or this alone."""
    return (1 - f.skill_) * min(f.baseline_scores_.values())


def main(n_seeds):
    lines = []
    for name, (y, X, n_test, _, horizon, season, fraction) in tasks():
        if not name.startswith("ETTh1 OT"):
            continue
        runs = [ours(y, X, n_test, w, horizon, fraction, 0) for w in WINDOWS]
        validated = [validation_error(f) for _, _, f in runs]
        best = int(np.argmin(validated))
        for i, (window, (error, _, f)) in enumerate(zip(WINDOWS, runs, strict=True)):
            errors = [error]
            if i == best:
                errors += [
                    ours(y, X, n_test, window, horizon, fraction, seed)[0]
                    for seed in range(1, n_seeds)
                ]
            shown = f"{np.mean(errors):.5f}"
            if len(errors) > 1:
                shown += f" ± {np.std(errors, ddof=1):.5f}"
            given = y.to_numpy(float), X, n_test, window, horizon, season, fraction
            ridge = rivals(*given)["ridge"]
            mark = "**chosen**" if i == best else ""
            cells = (horizon, window, f"{validated[i]:.5f}", shown, f"{ridge:.5f}")
            lines.append(f"| {' | '.join(map(str, cells))} | {mark} |")
            print(lines[-1], f.best_epoch_, flush=True)
    PAGE.write_text(HEAD.format(n_seeds) + "\n".join(lines) + "\n" + said_below(PAGE))


HEAD = """# The window that validation prefers

ETTh1 oil temperature, scaled as is customary: mean squared error over all windows of
the test part. The window is chosen by the error on the validation block of `fit`, which
ends the training part, with one seed; the chosen one is measured with {} seeds, mean ±
standard deviation. All else is default. Ridge has the same window and rows. Made by
`python benchmarks/window_lengths.py`.

| horizon | window | validation error | test error | ridge | |
|---|---|---|---|---|---|
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    main(parser.parse_args().seeds)
