"""Epochs of a network that is none: what training does around its steps."""

import numpy as np
import pytest

from sklstm._training.loop import TrainingRun
from sklstm._windows.dataset import ReadyWindows
from tests.training.test_progress import settings


class Network:
    """Losses as told, and weights that count the steps taken."""

    def __init__(self, train, validation):
        self.train, self.validation = iter(train), iter(validation)
        self.model, self.stop_training, self.n_steps = self, False, 0

    def train_block(self, inputs, targets, weights, n):
        self.n_steps += n
        return np.full((n, 1), next(self.train))

    def test_block(self, inputs, targets, weights, n):
        return np.resize(next(self.validation), (n, 1))

    def get_weights(self):
        return {"n_steps": np.array(self.n_steps)}

    def set_weights(self, weights):
        self.n_steps = int(weights["n_steps"])

    def state(self):
        return [self.n_steps]

    def set_state(self, state):
        self.n_steps = state[0]


class Record:
    each_epoch = True

    def __init__(self, kept=None):
        self.kept, self.epochs = kept, []

    def latest(self, epochs):
        return self.kept

    def keep(self, epoch, state, progress):
        self.epochs.append((epoch, *state))


def run_of(train, validation=(), **changed):
    rows = np.arange(12.0)[:, None, None]
    data, n_train = ReadyWindows(rows, rows), 8 if validation else 12
    indices = np.arange(12)
    network = Network(train, validation)
    made = settings(**changed)
    run = TrainingRun(network, made, data, indices[:n_train], indices[n_train:])
    run.begin({"n_steps": np.array(0)}, np.random.RandomState(0))
    return run


def test_the_best_weights_on_the_validation_block_win():
    run = run_of([5, 4, 3, 2], [9, 8, 6, 7, 7])
    assert not run.train()
    assert run.progress.history == {"loss": [5, 4, 3, 2], "val_loss": [8, 6, 7, 7]}
    assert run.progress.best_epoch == 2 and run.progress.weights["n_steps"] == 4


@pytest.mark.parametrize(
    "start, best, improved",
    [
        ([9, 9, 9, 9], [6, 7, 6, 7], True),
        # The mean falls as far, by the luck of one row.
        ([9, 9, 9, 18], [11, 11, 9, 8], False),
    ],
)
def test_a_gain_on_one_batch_is_judged_by_its_rows(start, best, improved):
    run = run_of([5, 4], [9, 6.5, 7, start, best], epochs=2)
    run.train()
    assert run.has_improved() == improved
    # What goes on from here starts where training stood.
    assert run.network.n_steps == 4


def test_a_network_that_never_falls_below_its_start_has_not_improved():
    run = run_of([5, 4], [1, 8, 9], epochs=2)
    run.train()
    assert run.progress.best_epoch == 0 and not run.has_improved()


def test_without_a_block_the_last_epoch_is_taken():
    run = run_of([5, 6, 7], epochs=3)
    run.train()
    assert run.progress.best_epoch == 3 and run.progress.weights["n_steps"] == 9
    assert run.has_improved()


def test_a_run_is_recorded_and_goes_on_where_its_record_stood():
    record = Record()
    run = run_of([5, 4, 3], epochs=3)
    run.resume(record)
    run.train()
    assert record.epochs == [(1, 3), (2, 6), (3, 9)]
    half = run_of([5, 4], epochs=2)
    half.train()
    again = run_of([3], epochs=3)
    again.resume(Record((2, [6], half.progress)))
    again.train()
    assert again.progress.history == run.progress.history
    assert again.progress.weights == run.progress.weights


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_only_ctrl_c_ends_a_run_with_what_there_is(error):
    def broken():
        yield 5
        raise error

    run = run_of(broken(), epochs=3)
    if error is ValueError:
        with pytest.raises(ValueError):
            run.train()
        return
    with pytest.warns(UserWarning, match="interrupted after 1 epochs"):
        assert run.train()
    assert run.progress.weights["n_steps"] == 3
