"""Records of training runs, from which the same training goes on later."""

import contextlib
import copy
import dataclasses
import pickle
from contextvars import ContextVar

import joblib
import numpy as np

from sklstm._utils.archive import storable

# Keeps records: `InMemory`, a `Folder` of checkpoints, or None. A context variable,
# because fits in other threads must not find it.
_keeper = ContextVar("keeper", default=None)


@contextlib.contextmanager
def kept_by(keeper):
    """Let a keeper record the training runs inside."""
    token = _keeper.set(keeper)
    try:
        yield
    finally:
        _keeper.reset(token)


@storable
@dataclasses.dataclass
class TrainingState:
    """Where a run of training stands, so that a later one may go on.

    Parameters
    ----------
    network : list of ndarray
        Weights, variables of the optimizer, and seeds.
    rng : tuple or dict
        The state of what shuffles rows.
    n_epochs : int
        Epochs trained so far, by which a schedule and callbacks go on.
    """

    network: list = dataclasses.field(default_factory=list)
    rng: tuple | dict = ()
    n_epochs: int = 0

    def fits(self, network) -> bool:
        """Return whether a network has variables of these shapes."""
        shapes = [np.shape(value) for value in network.state()]
        return [np.shape(value) for value in self.network] == shapes


def generator_of(seed: int, n_before: int) -> np.random.RandomState:
    """Return a generator for epochs that come after `n_before` others.

    A fit that goes on from an earlier one would repeat its orders and dropout masks if
    the seed alone decided.
    """
    return np.random.RandomState([seed, n_before] if n_before else seed)


def run_of(spec, settings, *what):
    """Return the record of the training run of these arguments, or None.

    It is None without a keeper, and if the same run could not be known again: with
    callbacks, which have states of their own, or a function that has no name.
    """
    keeper = _keeper.get()
    same = None if keeper is None else keeper.same(settings)
    if same is None:
        return None
    try:
        return keeper.run(joblib.hash((spec, vars(same), *what)))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


class InMemory:
    """Records with which `sklstm.tuning.continued` goes on to larger budgets."""

    def __init__(self):
        self.runs = {}

    def same(self, settings):
        """Return the settings that identify a run; None if they do not suffice."""
        if settings.callbacks or settings.learning_rate_schedule:
            return None  # A schedule may depend on the number of epochs.
        # A larger budget repeats the epochs of a smaller one, so the number of epochs
        # does not tell runs apart.
        return dataclasses.replace(settings, epochs=0, verbose=0)

    def run(self, key):
        return self.runs.setdefault(key, RunInMemory())


class RunInMemory:
    """States of one run at the ends of budgets."""

    each_epoch = False

    def __init__(self):
        self.states = {}

    def keep(self, epoch, network, progress):
        self.states[epoch] = copy.deepcopy((epoch, network, progress))

    def latest(self, epochs):
        """Return (epoch, network, progress) after at most so many epochs, or None."""
        usable = [epoch for epoch in self.states if epoch <= epochs]
        return copy.deepcopy(self.states[max(usable)]) if usable else None
