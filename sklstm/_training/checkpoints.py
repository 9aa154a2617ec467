"""Checkpoints: files from which a fit that was killed goes on."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from sklstm._training import resume
from sklstm._utils import archive
from sklstm._utils.archive import storable
from sklstm._utils.warn import warn_user


@contextlib.contextmanager
def checkpointed(estimator):
    """Keep checkpoints of the training inside, and remove them when it is done.

    Raises
    ------
    ValueError
        If a later fit could not be known as the same one.
    """
    if estimator.checkpoint is None:
        yield
        return
    if estimator.callbacks:
        raise ValueError(
            "checkpoint cannot hold the states of callbacks. Leave out one of both."
        )
    if not isinstance(estimator.random_state, (int, np.integer)):
        raise ValueError(
            "checkpoint needs an int as random_state, by which a fit is known again. "
            f"Got {estimator.random_state!r}."
        )
    folder = Folder(estimator.checkpoint)
    with resume.kept_by(folder):
        yield
    for run in folder.runs:
        with contextlib.suppress(OSError):  # A run of no epoch has no file.
            run.path.unlink()


class Folder:
    """A folder with one file for each run of a fit."""

    def __init__(self, path):
        self.path, self.runs, self.works = Path(path), [], True

    def same(self, settings):
        """Return the settings that decide a run."""
        return dataclasses.replace(settings, verbose=0)

    def run(self, key):
        run = RunInFile(self, self.path / f"{key}.checkpoint")
        self.runs.append(run)
        return run


@storable
@dataclasses.dataclass
class State:
    """The content of a checkpoint: everything that training changes."""

    epoch: int
    network: list
    progress: object
    rng: tuple


class RunInFile:
    """The last state of one run."""

    each_epoch = True

    def __init__(self, folder, path):
        self.folder, self.path = folder, path

    def keep(self, epoch, network, progress):
        """Write the state after an epoch; warn once if that is not possible."""
        if not self.folder.works:
            return
        rng = progress.rng.get_state()
        # No file holds an object such as a RandomState; its state is plain data.
        state = State(epoch, network, dataclasses.replace(progress, rng=None), rng)
        content = archive.to_bytes(state, "checkpoint", {"class": "checkpoint"})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            archive.write(self.path, content)
        except OSError as error:
            self.folder.works = False
            warn_user(
                f"No checkpoint could be written to {self.path.parent}: {error}. "
                "Training continues without. Pass a folder with free space.",
                RuntimeWarning,
            )

    def latest(self, epochs):
        """Return (epoch, network, progress) of the last epoch written, or None."""
        if not self.path.exists():
            return None
        try:
            _, state = archive.from_bytes(self.path.read_bytes())
            rng = np.random.RandomState()
            rng.set_state(state.rng)
            progress = dataclasses.replace(state.progress, rng=rng)
        except Exception as error:  # Training can do without a damaged file.
            warn_user(
                f"{self.path} cannot be read ({error}), so training starts anew.",
                RuntimeWarning,
            )
            return None
        return state.epoch, state.network, progress
