"""Contenders timed side by side: processes of their own that take turns.

Each prepares itself once (imports, compiles, a first run) and then makes one timed run
whenever it is asked, while all others wait. Turns are interleaved over rounds, so that
a slow minute of the machine falls on all; medians and their ratios make the table.
"""

import json
import logging
import os
import platform
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np


class Process:
    """A contender in a process of its own."""

    def __init__(self, script, name, task, python, environment):
        self.process = subprocess.Popen(
            [python, script, name, task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | environment,
        )
        self.answer()

    def answer(self):
        """What it prints next that is an answer; libraries print as well."""
        for line in self.process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        raise SystemExit(f"{self.process.args[2:]} failed; run it alone to see why.")

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def serve(prepare):
    """Answer with the seconds of one run whenever a line comes in."""
    run = prepare()
    print("answer 0", flush=True)
    for _ in sys.stdin:
        print("answer", json.dumps(run()), flush=True)


def difference(fit, few=1, many=4):
    """Seconds of one epoch: what more of them take, so that set-up cancels out."""

    def run():
        spent = []
        for epochs in (few, many):
            start = time.perf_counter()
            fit(epochs)
            spent.append(time.perf_counter() - start)
        return (spent[1] - spent[0]) / (many - few)

    return run


def machine():
    """The machine in words, with its rate of large matrix products in NumPy."""
    ours = np.ones((2048, 2048), "float32")
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        ours @ ours
        spent.append(time.perf_counter() - start)
    rate = 2 * 2048**3 / min(spent) / 1e9
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    return (
        f"{os.cpu_count()} cores, {platform.machine()} {vectors}, Python "
        f"{platform.python_version()}; NumPy multiplies large matrices at {rate:.0f} "
        f"GFLOP/s; load {os.getloadavg()[0]:.2f} at the start"
    )


def repeated(function, n):
    """Answer with the median seconds of `n` calls."""

    def run():
        spent = []
        for _ in range(n):
            start = time.perf_counter()
            function()
            spent.append(time.perf_counter() - start)
        return float(np.median(spent))

    return run


def contest(script, contenders, tasks, n_rounds):
    """Time all contenders in turn.

    Parameters
    ----------
    contenders : dict of name to (python, environment)
        The first is ours.
    tasks : dict of name to dict of contender to bar
        Who takes part beside ours, and what our median over theirs is to be at most.

    Returns
    -------
    list of str
        Rows of the table. A contender whose middle half of times spreads over more
        than 15 % of the median is marked as unsteady.
    """
    ours, *_ = contenders
    rows = []
    for task, bars in tasks.items():
        processes = {
            name: Process(script, name, task, *contenders[name])
            for name in [ours, *bars]
        }
        seconds = {name: [] for name in processes}
        for _ in range(n_rounds):
            for name, process in processes.items():
                seconds[name].append(process.run())
        for process in processes.values():
            process.end()
        medians = {name: float(np.median(s)) for name, s in seconds.items()}
        for name, median in medians.items():
            low, high = np.quantile(seconds[name], [0.25, 0.75])
            spread = f"{min(seconds[name]):.4g}–{max(seconds[name]):.4g}"
            if high - low > 0.15 * median:
                spread += " (unsteady)"
            ratio, bar = medians[ours] / median, bars.get(name, "")
            cells = task, name, f"{median:.4g}", spread, f"{ratio:.3f}", bar
            rows.append("| " + " | ".join(map(str, cells)) + " |")
            print(rows[-1], flush=True)
    return rows


def write(script, title, words, rows, about):
    page = Path("docs/benchmarks") / f"{Path(script).stem}.md"
    page.write_text(
        f"# {title}\n\n{words}\n\nEach library is a process of its own; they take "
        "turns, and `ours / it`\nis a ratio of medians. Made by `make bench-speed`.\n\n"
        f"{about}.\n\n"
        "| task | contender | median s | range | ours / it | bar |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def main(script, title, words, prepare, tasks, bars, n_rounds):
    """Hold the contest of a script, or take part in it where arguments say so.

    Parameters
    ----------
    prepare : dict of name to callable
        ``prepare[name](*tasks[task])`` returns a function that gives seconds.
    bars : dict of task to dict of contender to bar
    """
    if len(sys.argv) > 2:
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        _, name, task = sys.argv
        serve(lambda: prepare[name](*tasks[task]))
        return
    if len(sys.argv) > 1:
        n_rounds = int(sys.argv[1])
    peers, contenders = os.environ["PEERS"], {}
    for name in prepare:
        tensorflow = "tensorflow" in name or name == "skforecast"
        backend = {"KERAS_BACKEND": "tensorflow" if tensorflow else "jax"}
        contenders[name] = (sys.executable if name == "sklstm" else peers, backend)
    about = machine()
    rows = contest(script, contenders, bars, n_rounds)
    load = f"{about}; {os.getloadavg()[0]:.2f} at the end; {n_rounds} rounds"
    write(script, title, words, rows, load)
