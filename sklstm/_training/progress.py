"""Where a training run stands, and which of its epochs is the best."""

from dataclasses import dataclass

import numpy as np

from sklstm._training.settings import Settings
from sklstm._utils.archive import storable


@storable
@dataclass
class Progress:
    """The state of training beside that of the network itself.

    Parameters
    ----------
    rng : RandomState
        Of the order of batches.
    history : dict of str to list of float
        Loss and metrics of each epoch.
    weights : dict of str to ndarray
        Of the best epoch.
    best_epoch : int
        Counts from 1; 0 is the network before its first step.
    best_loss : float
        Smallest loss so far, on the validation block where there is one.
    best_losses : ndarray of shape (n_batches, 1 + n_metrics) or None
        Loss and metrics of each validation batch in the best epoch.
    waited : int
        Epochs without improvement.
    ended : bool
        Whether there is nothing left to train.
    has_gained : bool
        Whether any epoch has improved.
    """

    rng: np.random.RandomState
    history: dict
    weights: dict
    best_epoch: int = 0
    best_loss: float = np.inf
    best_losses: np.ndarray | None = None
    waited: int = 0
    ended: bool = False
    has_gained: bool = False

    @property
    def n_epochs(self) -> int:
        """Epochs trained."""
        return len(self.history["loss"])

    def record(self, means: np.ndarray) -> dict:
        """Append loss and metrics of an epoch to the history, and return them."""
        logs = dict(zip(self.history, means.tolist(), strict=True))
        for name, value in logs.items():
            self.history[name].append(value)
        return logs

    def advance(
        self,
        weights: dict,
        settings: Settings,
        logs: dict,
        validated: np.ndarray | None,
    ) -> None:
        """Compare the epoch just recorded with the best, and decide whether to end.

        Parameters
        ----------
        weights : dict of str to ndarray
            At the end of the epoch.
        logs : dict of str to float
            What `record` returned.
        validated : ndarray of shape (n_batches, 1 + n_metrics) or None
            Loss and metrics of each validation batch, where there is a block.
        """
        stops_early = settings.early_stopping and validated is not None
        current = logs.get("val_loss", logs["loss"])
        improved = current < self.best_loss * (1 - settings.tol)
        self.has_gained |= improved
        counts = self.has_gained or not settings.waits_for_gain
        self.waited = self.waited + 1 if counts and not improved else 0
        # A gain below `tol` is kept, but does not prolong the patience.
        if not stops_early or current < self.best_loss:
            self.weights, self.best_epoch = weights, self.n_epochs
            self.best_losses = validated
        self.best_loss = min(self.best_loss, current)
        self.ended = stops_early and self.waited >= settings.n_iter_no_change


def improves(
    start: np.ndarray, best: np.ndarray, weights: np.ndarray, min_skill: float
) -> bool:
    """Return whether the loss fell by the share `min_skill` and by its standard error.

    A smaller fall is mostly luck of the validation block. The standard error is that
    of the batches' mean, as in the rule of Breiman et al. (1984).

    Parameters
    ----------
    start, best : ndarray of shape (n_batches,)
        Losses of the validation batches before the first step and in the best epoch.
    weights : ndarray of shape (n_batches,)
    """
    fall = start - best
    mean = np.average(fall, weights=weights)
    share = weights / weights.sum()
    error = np.sqrt(np.sum(share**2 * (fall - mean) ** 2))
    return bool(mean > max(min_skill * np.average(start, weights=weights), error))
