import numpy as np
import pytest

from sklstm._training.progress import Progress, improves
from sklstm._training.settings import Settings


def settings(**changed):
    defaults = {"epochs": 9, "batch_size": 4, "n_iter_no_change": 2, "tol": 0.1}
    return Settings(**(defaults | changed))


def advanced(losses, validated=True, **changed):
    """Progress after epochs of these losses, whose weights are their numbers."""
    names = ["loss", "val_loss"] if validated else ["loss"]
    progress = Progress(None, {name: [] for name in names}, {"epoch": 0})
    for number, loss in enumerate(losses, 1):
        logs = progress.record(np.full(len(names), float(loss)))
        block = np.array([[loss]]) if validated else None
        progress.advance({"epoch": number}, settings(**changed), logs, block)
    return progress


def test_the_best_epoch_is_kept():
    progress = advanced([3, 1, 2])
    assert progress.best_epoch == progress.weights["epoch"] == 2
    assert progress.best_loss == 1 and progress.best_losses == [[1]]
    assert progress.n_epochs == 3 and progress.history["val_loss"] == [3, 1, 2]


@pytest.mark.parametrize("losses, ended", [([3, 2.8], 1), ([3, 2.6], 0), ([2, 3], 0)])
def test_training_ends_after_epochs_without_an_improvement_of_tol(losses, ended):
    assert advanced([3, *losses]).ended == ended
    assert not advanced([3, *losses], early_stopping=False).ended


@pytest.mark.parametrize("changed", [{"validated": False}, {"early_stopping": False}])
def test_without_a_block_or_early_stopping_the_last_epoch_is_kept(changed):
    progress = advanced([3, 1, 2, 2, 2], **changed)
    assert progress.best_epoch == 5 and not progress.ended


def test_a_fall_must_exceed_its_share_and_its_standard_error():
    start, weights = np.array([1.0, 1.0, 1.0, 1.0]), np.ones(4)
    assert improves(start, start - 0.02, weights, 0.01)
    assert not improves(start, start - 0.005, weights, 0.01)
    noisy = start - np.array([0.9, -0.8, 0.7, -0.6])
    assert not improves(start, noisy, weights, 0.01)
    # Batches without weight say nothing.
    assert improves(start, noisy, np.array([1, 0, 1, 0]), 0.01)
