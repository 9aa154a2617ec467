"""What the scripts that write pages share: provenance, tables and kept text."""

import functools
import os
import platform
import re
import subprocess
import time
from pathlib import Path

import numpy as np


def commit():
    """Return the short hash of the measured code; a `+` marks uncommitted changes."""
    folder = Path(__file__).parent

    def git(*words):
        run = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True
        )
        return run.stdout.strip()

    # The run itself changes docs/, so only the code that is measured counts.
    changed = git("status", "--porcelain", "--", "../sklstm", ".")
    found = git("rev-parse", "--short=7", "HEAD") or "unknown"
    return found + ("+" if changed else "")


def machine():
    """Return the machine in words, with its rate of large matrix products in NumPy."""
    square = np.ones((2048, 2048), "float32")
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        square @ square
        seconds.append(time.perf_counter() - start)
    # The fastest run, because other work on the machine can only slow a product down.
    rate = 2 * 2048**3 / min(seconds) / 1e9
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    return (
        f"{os.cpu_count()} cores, {platform.machine()} {vectors}, Python "
        f"{platform.python_version()}; NumPy multiplies large matrices at {rate:.0f} "
        f"GFLOP/s; load {os.getloadavg()[0]:.2f} at the start"
    )


@functools.cache
def provenance():
    """Return commit and machine in words; call it first, before the run adds load."""
    return f"commit `{commit()}`; {machine()}"


def line_of(cells):
    """Return a row of a Markdown table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def write_table(page, head, columns, rows, order, n_keys=1):
    """Write a page with a table, and keep what the run did not measure.

    Rows of other tasks stay as they are, with the commit at which they were measured,
    and so does what is below the table, which is written by hand and may hold tables.

    Parameters
    ----------
    page : Path
    head : str
        Title and introduction.
    columns : list of str
        Names of columns; the column "commit" is added.
    rows : list of sequence
        Rows that were measured.
    order : list of tuple of str
        Keys of all rows, the first `n_keys` cells, in the order of the table.
    """
    below = said_below(page) if page.exists() else ""
    above = page.read_text().removesuffix(below) if page.exists() else ""
    kept = [line for line in above.splitlines() if line.startswith("| ")][1:]
    measured = [line_of([*row, commit()]) for row in rows]
    by_key = {
        tuple(cell.strip() for cell in line.split(" | ")[:n_keys]): line
        for line in (line.removeprefix("| ") for line in [*kept, *measured])
    }
    names = [*columns, "commit"]
    table = [line_of(names), "|" + "---|" * len(names)]
    table += [f"| {by_key[key]}" for key in order if key in by_key]
    page.write_text(
        f"{head.rstrip()}\n\nLast run: {provenance()}.\n\n"
        + "\n".join(table)
        + "\n"
        + below
    )


def said_below(page, n_tables=1):
    """Return what is below the first tables of a page, which a new run must keep."""
    text = page.read_text()
    ends = [match.end() for match in re.finditer(r"\|\n(?!\|)", text)]
    return text[ends[n_tables - 1] :]
