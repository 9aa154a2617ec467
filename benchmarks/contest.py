"""Timing of several libraries side by side, each in its own process.

Each library prepares itself once (imports, compilation, a first run). It then makes one
timed run at each request, while all other processes wait. Requests are interleaved over
rounds, so that a slow minute of the machine slows all libraries alike. The table shows
medians and their ratios.
"""

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from pages import line_of, provenance

# sklstm again, where XLA and NumPy run the recurrent loops.
WITHOUT_LIBRARY = "sklstm without C++"


class Process:
    """A library in its own process, which makes a timed run at each request."""

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
        """Return the next answer, and skip what libraries print."""
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
    """Print the seconds of one run for each line of standard input."""
    run = prepare()
    print("answer 0", flush=True)
    for _ in sys.stdin:
        print("answer", json.dumps(run()), flush=True)


def difference(fit, few=1, many=4):
    """Return a function that times one epoch.

    The time is the difference between runs of `many` and of `few` epochs, divided by
    the number of extra epochs, because set-up then cancels out.
    """

    def run():
        spent = []
        for epochs in (few, many):
            start = time.perf_counter()
            fit(epochs)
            spent.append(time.perf_counter() - start)
        return (spent[1] - spent[0]) / (many - few)

    return run


def repeated(function, n):
    """Return a function that gives the median seconds of `n` calls."""

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
        The first is sklstm.
    tasks : dict of name to dict of contender to bar
        The other contenders of each task, and the highest ratio of medians, sklstm
        over the contender, that is aimed at.

    Returns
    -------
    list of str
        Rows of the table. A contender is marked as unsteady if its interquartile range
        exceeds 15 % of its median.
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
            times = f"{min(seconds[name]):.4g}–{max(seconds[name]):.4g}"
            if high - low > 0.15 * median:
                times += " (unsteady)"
            ratio, bar = medians[ours] / median, bars.get(name, "")
            cells = task, name, f"{median:.4g}", times, f"{ratio:.3f}", bar
            rows.append(line_of(cells))
            print(rows[-1], flush=True)
    return rows


def write(script, title, words, rows, about):
    page = Path("docs/benchmarks") / f"{Path(script).stem}.md"
    page.write_text(
        f"# {title}\n\n{words}\n\nEach library runs in its own process, and the "
        "processes take turns. `ratio`\nis the median of sklstm divided by that of the "
        "contender, and `aim` is the highest ratio\naimed at. Written by "
        "`make bench-speed`.\n\n"
        f"Measured at {about}.\n\n"
        "| task | contender | median s | range | ratio | aim |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def backend_of(name):
    """Return the backend of Keras that a contender runs on."""
    if "tensorflow" in name or name == "skforecast":
        return "tensorflow"
    return "torch" if name == "keras_torch" else "jax"


def main(script, title, words, prepare, tasks, bars, n_rounds):
    """Run the contest of a script, or one contender's process if arguments name it.

    sklstm runs with the library of recurrent loops, where it is built, and without.

    Parameters
    ----------
    prepare : dict of name to callable
        ``prepare[name](*tasks[task])`` returns a function that returns seconds.
    bars : dict of task to dict of contender to bar
    """
    prepare = prepare | {WITHOUT_LIBRARY: prepare["sklstm"]}
    bars = {task: {WITHOUT_LIBRARY: "", **others} for task, others in bars.items()}
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
        backend = {"KERAS_BACKEND": backend_of(name)}
        is_ours = name in ("sklstm", WITHOUT_LIBRARY)
        wish = {"SKLSTM_NATIVE": "0"} if name == WITHOUT_LIBRARY else {}
        contenders[name] = (sys.executable if is_ours else peers, backend | wish)
    about = provenance()
    rows = contest(script, contenders, bars, n_rounds)
    load = f"{about}; {os.getloadavg()[0]:.2f} at the end; {n_rounds} rounds"
    write(script, title, words, rows, load)
