"""A progress bar of epochs, for terminals, notebooks and log files."""

import shutil
import sys
import time

WIDTH = 20
# Seconds between two states of one line; a notebook is slow to show them.
INTERVAL = 0.1


class ProgressBar:
    """One line that is written over where that can be done, else a line an epoch.

    Parameters
    ----------
    total : int
        Epochs at most.
    """

    def __init__(self, total):
        self.total, self.start = total, time.monotonic()
        self.line, self.shown, self.shown_at = "", "", -INTERVAL
        on_terminal = sys.stdout.isatty()
        self.in_place = on_terminal or "ipykernel" in sys.modules
        columns = shutil.get_terminal_size().columns if on_terminal else 1000
        self.longest = columns - 1  # a full line would be broken

    def update(self, epoch, logs):
        """Show the state after `epoch` epochs; `logs` are numbers by name."""
        done = WIDTH * epoch // self.total
        seconds = time.monotonic() - self.start
        words = [f"{epoch}/{self.total} [{'#' * done:.<{WIDTH}}] {seconds:.0f}s"]
        words += [f"{name}: {value:.4g}" for name, value in logs.items()]
        self.line = " - ".join(words)[: self.longest]
        if not self.in_place:
            print(self.line, flush=True)
        elif seconds - self.shown_at >= INTERVAL:
            self.shown_at = seconds
            self.write()

    def write(self):
        print("\r" + self.line.ljust(len(self.shown)), end="", flush=True)
        self.shown = self.line

    def close(self):
        """Show the last state, and end the line."""
        if self.in_place and self.line:
            self.write()
            print(flush=True)
