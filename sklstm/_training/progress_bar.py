"""A progress bar of epochs, for terminals, notebooks and log files."""

import shutil
import sys
import time

WIDTH = 20
# Seconds between two states of one line; a notebook is slow to show them.
INTERVAL = 0.1


class ProgressBar:
    """A line that is written over while work goes on, and one that stays at its end.

    Where no line can be written over, as in a log file, only the last one is written.

    Parameters
    ----------
    total : int
        Epochs at most.
    """

    def __init__(self, total):
        self.total, self.start = total, time.monotonic()
        self.state, self.logs, self.shown, self.shown_at = "", {}, "", -INTERVAL
        on_terminal = sys.stdout.isatty()
        self.in_place = on_terminal or "ipykernel" in sys.modules
        columns = shutil.get_terminal_size().columns if on_terminal else 1000
        self.longest = columns - 1  # a full line would be broken

    def update(self, epoch, logs):
        """Show the state after `epoch` epochs; `logs` are numbers by name."""
        done = WIDTH * epoch // self.total
        self.state, self.logs = f"{epoch}/{self.total} [{'#' * done:.<{WIDTH}}]", logs
        seconds = time.monotonic() - self.start
        if self.in_place and seconds - self.shown_at >= INTERVAL:
            self.shown_at = seconds
            left = seconds / epoch * (self.total - epoch)
            line = self.line(self.state, f"{left:.0f}s left")
            print("\r" + line.ljust(len(self.shown)), end="", flush=True)
            self.shown = line

    def line(self, *words):
        """Return words and the latest numbers, in the width of the terminal."""
        numbers = [f"{name}: {value:.4g}" for name, value in self.logs.items()]
        return " - ".join([*words, *numbers])[: self.longest]

    def close(self, ending=None):
        """Write over the state how work has ended, which is the state by default."""
        if self.state:
            seconds = time.monotonic() - self.start
            line = self.line(ending or self.state, f"{seconds:.0f}s")
            print(
                ("\r" if self.shown else "") + line.ljust(len(self.shown)), flush=True
            )
